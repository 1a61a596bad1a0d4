"""Pictures of EEG: a sine lies where it should, and nothing that tells channels apart is scaled away."""

import numpy as np
import pytest

from models.eeg import pool96, spectrogram
from models.eeg.spectrogram import decibels, images, scale, segment, split_bands

SFREQ = 200.0
SECONDS = np.arange(round(20 * SFREQ)) / SFREQ


def noise(n_channels: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_channels, len(SECONDS))).astype(np.float32)


def pictures(eeg: np.ndarray, start_s: float = 8.0) -> np.ndarray:
    """Return one window's pictures, shape (n_channels, 3, 229, 229)."""
    return images(segment(scale(split_bands(eeg, line_freq=50.0)), [start_s])[0])


@pytest.mark.parametrize(("hertz", "band"), [(6.0, 0), (22.0, 1), (40.0, 2)])
def test_a_sine_is_brightest_in_its_band_and_row(hertz: float, band: int) -> None:
    eeg = noise() * 0.1
    eeg[2] += 10 * np.sin(2 * np.pi * hertz * SECONDS)
    level = decibels(segment(split_bands(eeg, line_freq=50.0), [8.0])[0])[2]  # unscaled: bands can be compared
    found_band, row, _ = np.unravel_index(level.argmax(), level.shape)
    assert found_band == band
    assert row * SFREQ / spectrogram.N_FFT == pytest.approx(hertz, abs=SFREQ / spectrogram.N_FFT)


@pytest.mark.parametrize("at_s", [0.8, 1.5, 2.2])
def test_a_burst_is_brightest_in_the_column_of_its_time(at_s: float) -> None:
    start = 8.0
    eeg = noise() * 0.1
    eeg[1] += 10 * np.sin(2 * np.pi * 22 * SECONDS) * np.exp(-0.5 * ((SECONDS - start - at_s) / 0.05) ** 2)
    row = round(22 / SFREQ * spectrogram.N_FFT)
    column = decibels(segment(split_bands(eeg), [start])[0])[1, 1, row].argmax()
    centre_s = (spectrogram.STARTS[column] + spectrogram.FRAME / 2) / SFREQ
    assert centre_s == pytest.approx(at_s, abs=0.1)  # the frame is 1 s long: its bump is flat on top


def test_every_frame_lies_inside_the_window() -> None:
    assert len(spectrogram.STARTS) == 229
    assert spectrogram.STARTS[0] == 0
    assert spectrogram.STARTS[-1] + spectrogram.FRAME == spectrogram.WINDOW_SAMPLES
    assert set(np.diff(spectrogram.STARTS)) == {1, 2}


def test_a_window_knows_nothing_of_its_neighbours() -> None:
    bands = scale(split_bands(noise()))
    alone = segment(bands, [5.0])
    assert np.array_equal(segment(bands, [2.0, 5.0, 8.0])[1], alone[0])
    assert alone.shape == (1, 4, 3, 600)


def test_pictures_are_229_by_229_in_three_planes_between_black_and_white() -> None:
    picture = pictures(noise())
    assert picture.shape == (4, 3, 229, 229)
    assert picture.dtype == np.float32
    assert picture.min() == 0
    assert 0.7 < picture.max() <= 1


def test_doubling_one_channels_amplitude_brightens_its_picture_by_6_db_and_changes_the_features() -> None:
    eeg = noise(28)
    bands = scale(split_bands(eeg))
    louder = bands.copy()
    louder[:, 3] *= 2
    before, after = segment(bands, [8.0])[0], segment(louder, [8.0])[0]
    levels = decibels(before[3]), decibels(after[3])
    audible = levels[0] > -90  # nothing is darker than -100 dB
    np.testing.assert_allclose((levels[1] - levels[0])[audible], 20 * np.log10(2), atol=0.01)
    features = pool96.pool(images(before)), pool96.pool(images(after))
    changed = np.abs(features[1] - features[0]).max(axis=1)
    assert changed[3] > 0.05
    assert np.delete(changed, 3).max() == 0


def test_a_channel_twice_as_strong_stays_so_after_scaling() -> None:
    eeg = noise(4)
    eeg[1] = 2 * eeg[0]
    scaled = scale(split_bands(eeg))
    np.testing.assert_allclose(scaled[:, 1].std(axis=1), 2 * scaled[:, 0].std(axis=1), rtol=1e-4)


def test_each_band_fills_zero_to_one_but_for_a_thousandth_at_either_end() -> None:
    scaled = scale(split_bands(noise()))
    for band in scaled:
        assert np.mean(band < 0) == pytest.approx(0.001, abs=2e-4)
        assert np.mean(band > 1) == pytest.approx(0.001, abs=2e-4)


def test_the_unit_of_the_recording_does_not_matter() -> None:
    np.testing.assert_allclose(pictures(noise()), pictures(noise() * 1e-6), atol=1e-3)


def test_samples_that_were_not_recorded_do_not_set_the_scale() -> None:
    bands = split_bands(noise())
    valid = np.ones(bands.shape[2], bool)
    valid[1000:1200] = False
    spoilt = bands.copy()
    spoilt[:, :, 1000:1200] = 1e6
    np.testing.assert_array_equal(scale(spoilt, valid)[:, :, valid], scale(bands, valid)[:, :, valid])


@pytest.mark.parametrize("line_freq", [50.0, None])
def test_the_mains_are_gone(line_freq: float | None) -> None:
    hum = (100 * np.sin(2 * np.pi * 50 * SECONDS)[None]).astype(np.float32)
    assert np.abs(split_bands(hum, line_freq=line_freq)[:, :, 1000:-1000]).max() < 1
    assert np.abs(split_bands(hum, line_freq=60.0)[2, :, 1000:-1000]).max() > 20


def test_bands_keep_what_lies_within_and_shift_nothing_in_time() -> None:
    sine = (np.sin(2 * np.pi * 20 * SECONDS)[None]).astype(np.float32)
    bands = split_bands(sine)
    np.testing.assert_allclose(bands[1, 0, 1000:-1000], sine[0, 1000:-1000], atol=0.05)
    assert np.abs(bands[0, 0, 1000:-1000]).max() < 0.2
    assert np.abs(bands[2, 0, 1000:-1000]).max() < 0.02


def test_a_window_beyond_the_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="a window ends at sample 4200 of 4000"):
        segment(split_bands(noise()), [18.0])


class TestPool96:
    def test_a_channel_has_96_numbers_band_after_band(self) -> None:
        image = np.zeros((2, 3, 229, 229), np.float32)
        image[1, 2] = 1
        features = pool96.pool(image)
        assert features.shape == (2, 96)
        assert features[1].tolist() == [0] * 64 + [1] * 32

    def test_time_is_averaged_and_frequency_keeps_32_groups(self) -> None:
        image = np.repeat(np.arange(229, dtype=np.float32)[:, None], 229, axis=1)
        features = pool96.pool(np.stack([image] * 3))
        np.testing.assert_allclose(features[:32].mean(), 114, atol=0.6)
        assert (np.diff(features[:32]) > 6).all()
        mirrored = pool96.pool(np.stack([image[:, ::-1]] * 3))
        np.testing.assert_array_equal(mirrored, features)

    def test_windows_come_out_in_order_and_are_counted(self) -> None:
        windows = segment(scale(split_bands(noise())), [2.0, 5.0])
        told: list[int] = []
        features = pool96.extract(windows, progress=told.append)
        assert features.shape == (2, 4, 96)
        np.testing.assert_array_equal(features[1], pool96.extract(windows[1:])[0])
        assert told == [1, 1]
