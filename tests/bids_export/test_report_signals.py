"""Spectra, mains, flat channels: what was planted is measured."""

import mne
import numpy as np
import pytest

from bids_export.alignment import Gap
from bids_export.report import session_figures, signals
from bids_export.report.facts import Contact

SFREQ = 256.0
T = np.arange(round(60 * SFREQ)) / SFREQ


def noise(n_channels: int = 1, sd_uv: float = 10.0) -> np.ndarray:
    return np.random.default_rng(0).normal(0, sd_uv * 1e-6, (n_channels, len(T)))


def mains_of(volts: np.ndarray, filled: tuple[Gap, ...] = (), line_freq: float = 50.0, sfreq: float = SFREQ) -> np.ndarray:
    return signals.mains_uv(*signals.spectra(volts, sfreq, filled), line_freq)


def test_the_density_of_noise_adds_up_to_its_variance() -> None:
    freqs, density = signals.spectra(noise(sd_uv=10.0), SFREQ, [])
    assert density[0].sum() * freqs[1] == pytest.approx(100.0, rel=0.05)
    assert freqs[[0, -1]].tolist() == [0.0, 128.0]


@pytest.mark.parametrize("line_freq", [50.0, 60.0])
@pytest.mark.parametrize("amplitude_uv", [2.0, 10.0, 40.0])
def test_mains_of_a_known_amplitude_are_measured(amplitude_uv: float, line_freq: float) -> None:
    sine = amplitude_uv * 1e-6 * np.sin(2 * np.pi * line_freq * T + 0.3)
    assert mains_of(noise(sd_uv=5.0) + 4.2e-3 + sine, line_freq=line_freq)[0] == pytest.approx(amplitude_uv, rel=0.1)


def test_mains_between_two_lines_of_the_spectrum_are_measured_too() -> None:
    sine = 10e-6 * np.sin(2 * np.pi * 50.21 * T)
    assert mains_of(noise(sd_uv=2.0) + sine)[0] == pytest.approx(10.0, rel=0.05)


def test_without_mains_next_to_nothing_is_measured() -> None:
    assert mains_of(noise(sd_uv=5.0))[0] < 0.5


def test_a_rate_too_low_for_the_mains_says_so() -> None:
    assert np.isnan(mains_of(noise(), sfreq=100.0)).all()


def test_a_straight_line_over_lost_samples_enters_no_spectrum() -> None:
    volts = noise(sd_uv=1.0) + 10e-6 * np.sin(2 * np.pi * 50 * T)
    gap = Gap(3000, 6000)
    volts[:, gap.first : gap.first + gap.n] = np.linspace(0, 5e-3, gap.n)
    assert mains_of(volts, (gap,))[0] == pytest.approx(10.0, rel=0.05)
    assert mains_of(volts)[0] < 9.0  # and it would matter


def test_with_nothing_measured_nothing_is_known() -> None:
    gap = (Gap(0, len(T)),)
    assert np.isnan(mains_of(noise(), gap)).all()
    assert np.isnan(signals.flat_share(noise(), SFREQ, gap)).all()


def test_a_channel_that_is_flat_for_a_third_of_the_time_is_flat_for_a_third() -> None:
    volts = noise(2)
    volts[1, : len(T) // 3] = 4.2e-3
    assert signals.flat_share(volts, SFREQ, []).tolist() == [0.0, pytest.approx(1 / 3)]


def test_a_line_over_lost_samples_does_not_count_as_flat() -> None:
    volts = noise()
    volts[:, 2560:5120] = 0.0
    assert signals.flat_share(volts, SFREQ, [Gap(2560, 2560)]).tolist() == [0.0]


def test_sensors_lie_flat_as_seen_from_above_with_the_nose_up() -> None:
    montage = mne.channels.make_standard_montage("colin27_1020").get_positions()["ch_pos"]
    flat = session_figures.flattened({name: tuple(montage[name]) for name in ("Cz", "Fpz", "Oz", "T7", "T8", "F3", "P4")})
    assert np.hypot(*flat["Cz"]) < 0.15
    assert flat["Fpz"][1] > 0.7 > -0.7 > flat["Oz"][1]
    assert flat["T7"][0] < -0.7 < 0.7 < flat["T8"][0]
    assert flat["F3"][0] < 0 < flat["F3"][1]


def test_a_reading_is_drawn_for_two_seconds_and_no_longer() -> None:
    contact = Contact(
        times=np.array([0.0, 0.5, 10.0]), overall=np.array([90.0, 80.0, 70.0]), sensors={"Cz": np.array([1.0, 0.5, 0.0])}
    )  # fmt: skip
    drawn = session_figures.held(contact)
    assert drawn.times.tolist() == [0.0, 0.5, 2.5, 10.0, 12.0]
    assert np.array_equal(drawn.overall, [90.0, 80.0, np.nan, 70.0, np.nan], equal_nan=True)
    assert np.array_equal(drawn.sensors["Cz"], [1.0, 0.5, np.nan, 0.0, np.nan], equal_nan=True)
