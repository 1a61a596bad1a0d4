"""What is done to samples before they are looked at: filters, columns of pixels, spectra. Pure, and for display alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Floats = NDArray[np.float64]

BAND_HZ = (0.5, 45.0)  # where the EEG is: slower is sweat and saline, faster is muscle
NOTCH_Q = 25.0  # 2 Hz wide at 50 Hz: the mains wanders by less
COLUMNS_HZ = 80.0  # columns of pixels a second: ten seconds fill a screen
HOLD_S = 0.1  # without samples for longer than this is a gap, drawn as one: packets and slow links stay below
SPECTRUM_S = 2.0  # of one segment: half a hertz wide
TOP_HZ = 65.0  # of the spectrum that is shown: both mains stand in it
MAINS_HZ = 1.0  # to either side of the mains: its bar


class Filter:
    """Band-pass and notch, causal, going on from chunk to chunk.

    Parameters
    ----------
    sfreq : float
        Samples a second.
    band : bool
        Keep :data:`BAND_HZ` alone; the upper edge is left out where the rate is too low for it.
    notch : sequence of float
        Frequencies to take out, Hz; those that the rate cannot carry are passed over.
    """

    def __init__(self, sfreq: float, *, band: bool, notch: Sequence[float] = ()) -> None:
        low, high = BAND_HZ
        parts = []
        if band and high < 0.45 * sfreq:
            parts.append(signal.butter(2, (low, high), "bandpass", fs=sfreq, output="sos"))
        elif band and low < 0.45 * sfreq:
            parts.append(signal.butter(2, low, "highpass", fs=sfreq, output="sos"))
        parts += [signal.tf2sos(*signal.iirnotch(f, NOTCH_Q, fs=sfreq)) for f in notch if f < 0.45 * sfreq]
        self._sos = np.concatenate(parts) if parts else None
        self._state: Floats | None = None

    def take(self, values: Floats) -> Floats:
        """Return the next samples filtered, shape (n_times, n_channels); the first ones have no step before them."""
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)  # one value that is no number would silence a channel for ever
        if self._sos is None or not len(values):
            return values
        if self._state is None:
            self._state = signal.sosfilt_zi(self._sos)[:, :, None] * values[0]
        filtered, self._state = signal.sosfilt(self._sos, values, axis=0, zi=self._state)
        return np.asarray(filtered, np.float64)

    def forget(self) -> None:
        """Begin anew, as after a gap."""
        self._state = None


@dataclass(frozen=True)
class Strip:
    """Columns of pixels that are complete: the least and the greatest value in each.

    ``first`` is the number of the first one since time 0; ``low`` and ``high`` have the shape (n_columns, n_channels) and are
    NaN in a gap.
    """

    first: int
    low: Floats
    high: Floats


class Columns:
    """Cuts samples into columns of pixels by their times; every extreme value stays.

    Parameters
    ----------
    rate : float
        Columns a second.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._numbers: NDArray[np.int64] = np.zeros(0, np.int64)
        self._values: Floats = np.zeros((0, 0))
        self._last: tuple[int, Floats, Floats] | None = None  # number and extremes of the last complete column

    def take(self, stamps: Floats, values: Floats) -> Strip | None:
        """Go on with samples, shapes (n_times,) and (n_times, n_channels); returns what is complete now, if anything."""
        if not len(stamps):
            return None
        numbers = np.floor(stamps * self.rate).astype(np.int64)
        if len(self._numbers):
            numbers, values = np.concatenate([self._numbers, numbers]), np.concatenate([self._values, values])
        numbers = np.maximum.accumulate(numbers)  # a stamp that goes back belongs to the column that is open
        cut = int(np.searchsorted(numbers, numbers[-1]))
        self._numbers, self._values = numbers[cut:], values[cut:]
        if not cut:
            return None
        starts = np.flatnonzero(np.diff(numbers[:cut], prepend=numbers[0] - 1))
        low, high = np.minimum.reduceat(values[:cut], starts), np.maximum.reduceat(values[:cut], starts)
        return self._filled(numbers[starts], low, high)

    def _filled(self, numbers: NDArray[np.int64], low: Floats, high: Floats) -> Strip:
        """Fill columns without samples: short ones with what was before, gaps with NaN."""
        if self._last is not None:
            number, before_low, before_high = self._last
            numbers = np.insert(numbers, 0, number)
            low, high = np.vstack([before_low, low]), np.vstack([before_high, high])
        first, last = int(numbers[0]), int(numbers[-1])
        wanted = np.arange(max(first, last - round(60 * self.rate)), last + 1)  # a clock that leapt fills no memory
        at = np.searchsorted(numbers, wanted, "right") - 1
        gap = np.append(np.diff(numbers) > HOLD_S * self.rate + 1, False)[at] & (wanted != numbers[at])
        low, high = low[at].copy(), high[at].copy()
        low[gap] = high[gap] = np.nan
        skip = int(self._last is not None and wanted[0] == first)
        self._last = last, low[-1], high[-1]
        return Strip(int(wanted[0]) + skip, low[skip:], high[skip:])


def columns_hz(sfreq: float) -> float:
    """Return how many columns a second a stream fills: never more than it has samples."""
    return min(COLUMNS_HZ, sfreq)


def spectrum(values: Floats, sfreq: float) -> tuple[Floats, Floats]:
    """Return frequencies (Hz, up to :data:`TOP_HZ`) and density (unit squared per Hz) of one channel, by Welch's method."""
    n = min(len(values), round(SPECTRUM_S * sfreq))
    if n < 8:
        return np.zeros(0), np.zeros(0)
    freqs, density = signal.welch(np.nan_to_num(values), sfreq, nperseg=n, detrend="linear")
    kept = freqs <= TOP_HZ
    return freqs[kept], density[kept]


def mains(freqs: Floats, density: Floats, line_hz: float) -> float | None:
    """Return how strong the mains is in a spectrum, root mean square in its unit; what lies beside it is taken off.

    None where the spectrum does not reach so far.
    """
    if not len(freqs) or freqs[-1] < line_hz + MAINS_HZ:
        return None
    off = np.abs(freqs - line_hz)
    beside = np.median(density[(off > MAINS_HZ + 0.5) & (off < 6)])
    power = float(np.sum(np.maximum(density[off <= MAINS_HZ] - beside, 0)) * (freqs[1] - freqs[0]))
    return float(np.sqrt(power))


def spread(values: Floats) -> Floats:
    """Return how far the values of each channel spread, robust standard deviation, shape (n_channels,).

    Half of the distance from the 16th to the 84th percentile, without the trend: a blink counts little, the drift of saline
    nothing.
    """
    if len(values) < 2:
        return np.zeros(values.shape[1])
    low, high = np.percentile(signal.detrend(np.nan_to_num(values), axis=0), [15.87, 84.13], axis=0)
    return np.asarray((high - low) / 2, np.float64)
