"""When the screen stepped, when somebody blinked: moments out of signals. Pure: arrays in, LSL seconds out."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, signal

from bids_export.arrays import Floats, Integers

STEP_S = 0.15  # of brightness on either side of a step that make its levels
STEP_APART_S = 0.6  # the screen steps at most once a second
STEP_SHARE = 0.02  # of the mean brightness: a smaller step is noise
STEP_MADS = 5.0
BLINK_BAND_HZ = (0.5, 10.0)
BLINK_UV = 30.0  # smaller deflections are brain
BLINK_MADS = 5.0
BLINK_APART_S = 0.3
BLINK_S = (0.04, 0.7)  # a lid that stays down for longer does not blink
CLOSED = 0.5  # half closed
MIN_CLOSING = 0.12  # how much a lid must change the look of an eye to be seen at all
LIGHT_S = 0.04  # the patch on the screen is white for a refresh or two


def steps(times: Floats, brightness: Floats) -> tuple[Floats, Integers]:
    """Find single steps of brightness.

    Parameters
    ----------
    times : ndarray, shape (n_frames,)
        LSL seconds, ascending; holes are passed over.
    brightness : ndarray, shape (n_frames,)
        Mean grey level of the face; NaN where there was none.

    Returns
    -------
    moments : ndarray, shape (n_steps,)
        Half-way between the last frame before and the first after, by interpolation.
    signs : ndarray of int, shape (n_steps,)
        1 brighter, -1 darker.
    """
    told = np.isfinite(brightness)
    times, values = times[told], brightness[told]
    if len(times) < 8:
        return np.zeros(0), np.zeros(0, np.int64)
    period = float(np.median(np.diff(times)))
    n = max(2, round(STEP_S / period))
    rises = _rises(values, n)
    whole = _whole(times, n, period)
    rises[~whole] = 0.0
    noise = 1.4826 * float(np.median(np.abs(rises[whole]))) if whole.any() else 0.0
    least = max(STEP_MADS * noise, STEP_SHARE * float(np.mean(values)))
    peaks, _ = signal.find_peaks(np.abs(rises), height=least, distance=max(1, round(STEP_APART_S / period)))
    moments = np.array([_crossing(times, values, int(p), n) for p in peaks])
    return moments, np.sign(rises[peaks]).astype(np.int64)


def _rises(values: Floats, n: int) -> Floats:
    """Return, for each gap between neighbours, the median of the ``n`` values after less that of the ``n`` before."""
    rises = np.zeros(len(values) - 1)
    windows = np.median(np.lib.stride_tricks.sliding_window_view(values, n), axis=1)
    rises[n - 1 : len(values) - n] = windows[n:] - windows[:-n]
    return rises


def _whole(times: Floats, n: int, period: float) -> np.ndarray:
    """Tell for each gap between neighbours whether no frame is missing in the ``n`` on either side."""
    late = np.diff(times) > 1.5 * period
    near: np.ndarray = ndimage.maximum_filter1d(late.astype(np.int8), 2 * n - 1, mode="constant", cval=1) == 0
    return near


def _crossing(times: Floats, values: Floats, at: int, n: int) -> float:
    """Return when the brightness passed half of the step between frames ``at`` and ``at + 1``."""
    before, after = np.median(values[at - n + 1 : at + 1]), np.median(values[at + 1 : at + n + 1])
    share = np.clip((values[at - 1 : at + 3] - before) / (after - before), 0, 1)
    above = int(np.argmax(share >= 0.5))
    if above == 0:
        return float((times[at] + times[at + 1]) / 2)
    low, high = share[above - 1], share[above]
    first = at - 1 + above - 1
    part = (0.5 - low) / (high - low) if high > low else 0.5
    return float(times[first] + part * (times[first + 1] - times[first]))


def blinks(times: Floats, volts: Floats, sfreq: float) -> Floats:
    """Find blinks in frontal EEG.

    Parameters
    ----------
    times : ndarray, shape (n_times,)
        LSL seconds of the samples.
    volts : ndarray, shape (n_times,)
        What frontal channels have in common; which way blinks go depends on the reference and on the device.
    sfreq : float
        Hz.

    Returns
    -------
    ndarray, shape (n_blinks,)
        LSL seconds of the middle of each deflection.
    """
    if len(times) < 3 * sfreq:
        return np.zeros(0)
    low, high = BLINK_BAND_HZ
    band = signal.butter(2, (low, min(high, 0.4 * sfreq)), "bandpass", fs=sfreq, output="sos")
    uv = signal.sosfiltfilt(band, volts * 1e6)
    noise = 1.4826 * float(np.median(np.abs(uv - np.median(uv))))
    least = max(BLINK_UV, BLINK_MADS * noise)
    # the swing that follows a blink goes the other way, and is lower
    middles, _ = max((_deflections(sign * uv, sfreq, least) for sign in (1, -1)), key=lambda found: float(found[1].sum()))
    moments: Floats = np.interp(middles, np.arange(len(times)), times)
    return moments


def _deflections(uv: Floats, sfreq: float, least: float) -> tuple[Floats, Floats]:
    """Return the middles, in samples, and the heights of upward deflections that last as long as a blink."""
    peaks, _ = signal.find_peaks(uv, height=least, distance=round(BLINK_APART_S * sfreq), prominence=0.7 * least)
    widths, _, left, right = signal.peak_widths(uv, peaks, rel_height=0.5)
    seconds = widths / sfreq
    fit = (seconds >= BLINK_S[0]) & (seconds <= BLINK_S[1])
    return (left + right)[fit] / 2, uv[peaks][fit]


def closures(times: Floats, closed: Floats) -> Floats:
    """Find blinks of the eyes in a video.

    Parameters
    ----------
    times : ndarray, shape (n_frames,)
        LSL seconds, ascending.
    closed : ndarray, shape (n_frames,)
        How far the eyes are closed, 0 to 1; NaN where no eye was found.

    Returns
    -------
    ndarray, shape (n_blinks,)
        LSL seconds of the middle of each: between the moments at which the lids were half down and half up.
    """
    moments = []
    for start, stop in _runs(np.nan_to_num(closed, nan=-1.0) >= CLOSED):
        if start == 0 or stop == len(times) or np.isnan(closed[[start - 1, stop]]).any():
            continue  # it began before, or went on after, what was seen
        down = _between(times, closed, start - 1)
        up = _between(times, closed, stop - 1)
        if BLINK_S[0] <= up - down <= BLINK_S[1]:
            moments.append((down + up) / 2)
    return np.array(moments)


def _between(times: Floats, values: Floats, first: int) -> float:
    """Return when a signal passed half between a frame and the next."""
    a, b = values[first], values[first + 1]
    return float(times[first] + (CLOSED - a) / (b - a) * (times[first + 1] - times[first]))


def flashes(times: Floats, volts: Floats, *, apart_s: float = LIGHT_S) -> Floats:
    """Find flashes of a photodiode.

    Parameters
    ----------
    times : ndarray, shape (n_times,)
        LSL seconds of the samples.
    volts : ndarray, shape (n_times,)
        The photodiode's channel, any units.
    apart_s : float
        Flashes that are closer together are one.

    Returns
    -------
    ndarray, shape (n_flashes,)
        When each began, by interpolation.
    """
    low = float(np.quantile(volts, 0.5)) if len(volts) else 0.0
    lit = volts - low
    noise = 1.4826 * float(np.median(np.abs(lit))) if len(volts) else 0.0
    above = _runs(lit > max(10 * noise, 1e-12))
    if not above:
        return np.zeros(0)
    half = low + _usual(np.array([lit[a:b].max() for a, b in above]), np.array([lit[a:b].sum() for a, b in above])) / 2
    found: list[float] = []
    for start, _ in _runs(volts >= half):
        if start == 0:
            continue
        a, b = volts[start - 1], volts[start]
        moment = float(times[start - 1] + (half - a) / (b - a) * (times[start] - times[start - 1]))
        if not found or moment - found[-1] > apart_s:
            found.append(moment)
    return np.array(found)


def _usual(heights: Floats, areas: Floats) -> float:
    """Return the height that half of all light comes from: neither a spike nor ripples decide it."""
    order = np.argsort(heights)
    share = np.cumsum(areas[order])
    return float(heights[order][np.searchsorted(share, share[-1] / 2)])


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and one past the last index of each stretch that is true."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def closedness(likeness: Floats) -> Floats:
    """Return how far eyes are closed, from how much each frame looks like open eyes.

    Parameters
    ----------
    likeness : ndarray, shape (n_frames,)
        1 like the open eye, less when the lid is down; NaN where no eye was found. Open is what the eye is mostly.

    Returns
    -------
    ndarray, shape (n_frames,)
        0 to about 1; zero throughout when nothing in it stands out.
    """
    told = likeness[np.isfinite(likeness)]
    if not len(told):
        return likeness
    level = float(np.median(told))
    depth = level - float(np.quantile(told, 0.01))
    noise = 1.4826 * float(np.median(np.abs(told - level)))
    if depth < max(MIN_CLOSING, 4 * noise):
        return np.where(np.isfinite(likeness), 0.0, np.nan)
    closed: Floats = (level - likeness) / depth
    return closed
