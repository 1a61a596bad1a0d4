"""What is shown of the EEG: true frequencies, every extreme value, gaps as gaps."""

from itertools import pairwise

import numpy as np
import pytest

from collector.page.signals import Columns, Filter, Strip, columns_hz, mains, spectrum, spread

SFREQ = 256.0


def sine(hz: float, amplitude: float = 10.0, *, seconds: float = 8.0, sfreq: float = SFREQ) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * sfreq)) / sfreq)


def test_a_planted_rhythm_of_10_hz_stands_at_10_hz() -> None:
    freqs, density = spectrum(sine(10.0) + np.random.default_rng(1).normal(0, 1, 2048), SFREQ)
    assert freqs[np.argmax(density)] == 10.0
    assert np.sqrt(np.sum(density[(freqs > 8) & (freqs < 12)]) * 0.5) == pytest.approx(10 / np.sqrt(2), rel=0.03)
    assert freqs[-1] <= 65


@pytest.mark.parametrize("line", [50.0, 60.0])
def test_planted_mains_stands_in_its_bar_and_not_in_the_others(line: float) -> None:
    noise = np.random.default_rng(2).normal(0, 2, 2048)
    freqs, density = spectrum(sine(line, 20.0) + sine(10.0) + noise, SFREQ)
    assert mains(freqs, density, line) == pytest.approx(20 / np.sqrt(2), rel=0.05)
    other = mains(freqs, density, 110.0 - line)
    assert other is not None and other < 1.0


def test_a_rate_that_cannot_carry_the_mains_says_nothing_of_it() -> None:
    freqs, density = spectrum(sine(10.0, sfreq=100.0), 100.0)
    assert mains(freqs, density, 50.0) is None
    assert mains(*spectrum(np.zeros(3), 256.0), 50.0) is None


def test_the_filter_takes_out_drift_and_mains_and_leaves_the_eeg() -> None:
    alpha, drift, line = sine(10.0), sine(0.05, 500.0), sine(50.0, 30.0)
    taken = Filter(SFREQ, band=True, notch=(50.0,)).take((alpha + drift + line)[:, None])[:, 0]
    late = slice(1024, None)
    assert np.std(taken[late] - alpha[late]) < 4.0 < np.std(drift)
    freqs, density = spectrum(taken[late], SFREQ)
    left = mains(freqs, density, 50.0)
    assert left is not None and left < 0.5
    assert np.sqrt(np.sum(density[(freqs > 8) & (freqs < 12)]) * 0.5) == pytest.approx(10 / np.sqrt(2), rel=0.05)


def test_chunks_of_any_size_are_filtered_as_one() -> None:
    values = np.random.default_rng(3).normal(1000, 50, (700, 3))
    whole = Filter(SFREQ, band=True, notch=(50.0, 60.0)).take(values)
    piecewise = Filter(SFREQ, band=True, notch=(50.0, 60.0))
    parts = [piecewise.take(part) for part in np.split(values, [1, 2, 50, 51, 400])]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-9)


def test_an_offset_of_4200_makes_no_step_at_the_start() -> None:
    """Emotiv's zero lies at some 4200 uV."""
    taken = Filter(SFREQ, band=True).take(4200.0 + sine(10.0)[:, None])
    assert np.abs(taken).max() < 40


def test_a_value_that_is_no_number_does_not_silence_the_channel() -> None:
    values = sine(10.0)[:, None].copy()
    values[100] = np.nan
    filter_ = Filter(SFREQ, band=True)
    filter_.take(values[:200])
    assert np.ptp(filter_.take(values[200:])[500:]) == pytest.approx(20, rel=0.05)


@pytest.mark.parametrize("sfreq", [1.0, 50.0, 90.0, 128.0])
def test_slow_streams_are_filtered_as_far_as_they_can_be(sfreq: float) -> None:
    taken = Filter(sfreq, band=True, notch=(50.0, 60.0)).take(np.full((200, 2), 7.0))
    assert taken.shape == (200, 2) and np.isfinite(taken).all()


def test_a_filter_that_is_off_changes_nothing() -> None:
    values = np.arange(6.0).reshape(3, 2)
    assert np.array_equal(Filter(SFREQ, band=False).take(values), values)


def joined(strips: list[Strip | None]) -> tuple[int, np.ndarray, np.ndarray]:
    found = [s for s in strips if s is not None]
    for one, other in pairwise(found):
        assert other.first == one.first + len(one.low), "a column was left out, or came twice"
    return found[0].first, np.concatenate([s.low for s in found]), np.concatenate([s.high for s in found])


def test_every_extreme_value_stays_in_its_column() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(0, 10, (2560, 5))
    values[1234, 2], values[777, 4] = 900.0, -800.0
    stamps = 100.0 + np.arange(2560) / SFREQ
    columns, strips, at = Columns(80.0), [], 0
    while at < 2560:
        n = int(rng.integers(1, 60))
        strips.append(columns.take(stamps[at : at + n], values[at : at + n]))
        at += n
    first, low, high = joined(strips)
    assert first == 8000 and len(low) == 799  # the last column may still get samples
    assert high[int(stamps[1234] * 80) - first, 2] == 900.0 and low[int(stamps[777] * 80) - first, 4] == -800.0
    numbers = np.floor(stamps * 80).astype(int)
    for n in (0, 1, 400, 798):
        inside = values[numbers == first + n]
        assert np.array_equal(low[n], inside.min(axis=0)) and np.array_equal(high[n], inside.max(axis=0))


def test_a_gap_is_a_gap_and_a_late_packet_is_none() -> None:
    columns = Columns(80.0)
    before = columns.take(np.arange(0, 1, 0.01), np.ones((100, 1)))
    late = columns.take(np.arange(1.05, 1.5, 0.01), np.ones((45, 1)))
    after = columns.take(np.arange(3.0, 3.5, 0.01), np.full((50, 1), 2.0))
    _, low, high = joined([before, late, after])
    missing = np.flatnonzero(np.isnan(low[:, 0]))
    assert (missing[0] / 80, missing[-1] / 80) == (pytest.approx(1.5, abs=0.03), pytest.approx(3.0, abs=0.03))
    assert len(missing) == missing[-1] - missing[0] + 1 and np.array_equal(np.isnan(low), np.isnan(high))
    assert low[missing[-1] + 1, 0] == 2.0


def test_a_clock_that_leaps_or_goes_back_fills_no_memory() -> None:
    columns = Columns(80.0)
    columns.take(np.array([0.0, 0.1]), np.zeros((2, 1)))
    leapt = columns.take(np.array([1e6, 1e6 + 1]), np.zeros((2, 1)))
    assert leapt is not None and len(leapt.low) <= 60 * 80 + 1
    back = columns.take(np.array([5.0, 1e6 + 2]), np.ones((2, 1)))
    assert back is not None and back.first > 79_999_999


def test_a_stream_never_fills_more_columns_than_it_has_samples() -> None:
    assert [columns_hz(f) for f in (1.0, 50.0, 128.0, 2048.0)] == [1.0, 50.0, 80.0, 80.0]


def test_spread_is_a_standard_deviation_that_blinks_and_drift_do_not_move() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 12, (1024, 2))
    noise[:, 1] += np.linspace(0, 900, 1024)
    noise[500:540] += 400
    assert spread(noise) == pytest.approx([12, 12], rel=0.15)
    assert np.array_equal(spread(np.zeros((1, 3))), np.zeros(3))
