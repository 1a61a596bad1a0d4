"""Spectra, mains and flat channels of an EEG in which some samples were not measured. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bids_export.alignment import Gap
from bids_export.arrays import Floats

WINDOW_S = 2.0  # half a hertz of resolution: mains and its neighbours stay apart
LINE_HALF_HZ = 1.0  # the main lobe of a Hann window of 2 s
NEIGHBOURS_HZ = (2.0, 5.0)  # where the level without mains is read, on either side
FLAT_UV = 1.0  # peak to peak within a second; EEG of a living head has ten times as much
UV_PER_V = 1e6


def starts(n_times: int, width: int, step: int, filled: Sequence[Gap]) -> NDArray[np.int64]:
    """Return the first sample of each window in which every sample was measured.

    Examples
    --------
    >>> starts(10, 2, 2, [Gap(3, 1)]).tolist()
    [0, 4, 6, 8]
    """
    first = np.arange(0, n_times - width + 1, step, dtype=np.int64)
    bad = np.zeros(n_times + 1, dtype=np.int64)
    for gap in filled:
        bad[gap.first + 1 : gap.first + gap.n + 1] = 1
    count = np.cumsum(bad)
    whole: NDArray[np.bool_] = count[first + width] == count[first]
    return np.asarray(first[whole], np.int64)


def spectra(volts: Floats, sfreq: float, filled: Sequence[Gap]) -> tuple[Floats, Floats]:
    """Return the power spectral density by Welch's method, over windows without a lost sample.

    Parameters
    ----------
    volts : ndarray, shape (n_channels, n_times)
    sfreq : float
        Hz.
    filled : sequence of Gap
        What was not measured.

    Returns
    -------
    freqs : ndarray, shape (n_freqs,)
        Hz.
    density : ndarray, shape (n_channels, n_freqs)
        Square microvolts per hertz; NaN when no window is whole.
    """
    width = round(WINDOW_S * sfreq)
    taper = np.hanning(width + 1)[:-1]
    first = starts(volts.shape[1], width, width // 2, filled)
    freqs: Floats = np.asarray(np.fft.rfftfreq(width, 1 / sfreq), np.float64)
    density: Floats = np.full((len(volts), len(freqs)), np.nan)
    for n, channel in enumerate(volts) if len(first) else ():
        windows = np.lib.stride_tricks.sliding_window_view(channel, width)[first] * UV_PER_V
        lines = np.fft.rfft((windows - windows.mean(axis=1, keepdims=True)) * taper, axis=1)
        density[n] = (np.abs(lines) ** 2).mean(axis=0) * 2 / (sfreq * (taper**2).sum())
    return freqs, density


def mains_uv(freqs: Floats, density: Floats, line_freq: float) -> Floats:
    """Return the amplitude of the mains in each channel.

    Parameters
    ----------
    freqs, density
        From :func:`spectra`.
    line_freq : float
        Hz.

    Returns
    -------
    ndarray, shape (n_channels,)
        Peak amplitude of the sine, microvolts: what stands above the level beside it. NaN where the rate is too low to tell.
    """
    off = np.abs(freqs - line_freq)
    near, far = NEIGHBOURS_HZ
    beside = (off >= near) & (off <= far)
    if line_freq + far > freqs[-1] or not beside.any():
        return np.full(len(density), np.nan)
    on = off <= LINE_HALF_HZ
    level = np.median(density[:, beside], axis=1, keepdims=True)
    power = (density[:, on] - level).sum(axis=1) * (freqs[1] - freqs[0])
    amplitude: Floats = np.sqrt(2 * np.maximum(power, 0))
    return amplitude


def flat_share(volts: Floats, sfreq: float, filled: Sequence[Gap]) -> Floats:
    """Return in which share of whole seconds each channel is flat, shape (n_channels,); NaN when no second is whole."""
    width = round(sfreq)
    first = starts(volts.shape[1], width, width, filled)
    if not len(first):
        return np.full(len(volts), np.nan)
    spans = [np.ptp(np.lib.stride_tricks.sliding_window_view(channel, width)[first], axis=1) for channel in volts]
    share: Floats = (np.array(spans) * UV_PER_V < FLAT_UV).mean(axis=1)
    return share
