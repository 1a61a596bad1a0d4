"""One clock: LSL stamps onto the EEG's own sample clock. Pure: arrays in, arrays out.

The EEG is never resampled. The device's sample counter says which sample each row of the recording is; lost samples keep
their place, so that index and time stay one. Events and frames are mapped onto that index: whoever computes
``onset * sfreq`` hits the right sample at the end of a long recording too, although the headset's crystal and the
computer's disagree by up to 200 ppm (a quarter of a second in twenty minutes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bids_export.arrays import Floats, Integers
from collector import losses
from collector.offsets import fit_clock as fit_clock
from collector.stamped import MAD_TO_SD, MIN_FIT_S

SETTLED_S = 1e-7  # a fit that moves less has converged
HUBER = 1.345  # tuning constant for 95 % efficiency (Huber 1981)


class AlignmentError(ValueError):
    """Stamps or offsets from which no clock can be made."""


@dataclass(frozen=True)
class Gap:
    """Lost samples: the first one's index and how many."""

    first: int
    n: int


@dataclass(frozen=True)
class SampleClock:
    """Which sample each recorded row is, and when each sample was.

    Parameters
    ----------
    sfreq : float
        Nominal rate, Hz: what the dataset declares.
    rows : ndarray of int, shape (n_kept,)
        Rows of the recording that count; a sample that was sent twice counts once.
    index : ndarray of int, shape (n_kept,)
        Sample index of each of these rows, from 0, ascending; lost samples are the missing numbers.
    gaps : tuple of Gap
        The missing numbers.
    knots_index, knots_s : ndarray, shape (n_knots,)
        The lines of LSL seconds over the index: both ends of each.
    period_s : float
        Seconds per sample, measured on the LSL clock.
    residual_s : float
        Robust scatter of the stamps around the lines: their jitter.
    """

    sfreq: float
    rows: Integers
    index: Integers
    gaps: tuple[Gap, ...]
    knots_index: Floats
    knots_s: Floats
    period_s: float
    residual_s: float

    @property
    def n_times(self) -> int:
        """Number of samples, lost ones included."""
        return int(self.index[-1]) + 1

    @property
    def n_lost(self) -> int:
        """Number of lost samples."""
        return sum(gap.n for gap in self.gaps)

    def index_of(self, times: Floats) -> Floats:
        """Return the sample index, with its fraction, at LSL seconds; before the first and after the last too."""
        inside: Floats = np.interp(times, self.knots_s, self.knots_index)
        before: Floats = np.minimum(times - self.knots_s[0], 0.0) / self.period_s
        after: Floats = np.maximum(times - self.knots_s[-1], 0.0) / self.period_s
        return inside + before + after

    def time_of(self, index: Floats) -> Floats:
        """Return LSL seconds at a sample index; the inverse of :meth:`index_of`."""
        inside: Floats = np.interp(index, self.knots_index, self.knots_s)
        before: Floats = np.minimum(index - self.knots_index[0], 0.0) * self.period_s
        after: Floats = np.maximum(index - self.knots_index[-1], 0.0) * self.period_s
        return inside + before + after

    def onset_of(self, times: Floats) -> Floats:
        """Return seconds from the first sample on the EEG's own clock: ``onset * sfreq`` is the sample."""
        return self.index_of(times) / self.sfreq


def sample_clock(stamps: Floats, *, sfreq: float, counter: Floats | None = None) -> SampleClock:
    """Place every recorded sample on the device's own clock.

    Parameters
    ----------
    stamps : ndarray, shape (n_samples,)
        LSL seconds, in the order of arrival; they may jitter, stall and burst.
    sfreq : float
        Nominal rate, Hz.
    counter : ndarray, shape (n_samples,), optional
        The device's sample counter; it may wrap at any number. Without one (or one that does not count), losses are found
        in the stamps alone.

    Returns
    -------
    SampleClock

    Raises
    ------
    AlignmentError
        With fewer than two samples, a rate that is not positive, or stamps that are not finite.
    """
    if len(stamps) < 2 or not sfreq > 0:
        raise AlignmentError(f"{len(stamps)} samples at {sfreq} Hz: a clock needs two samples and a rate")
    if not np.isfinite(stamps).all():
        raise AlignmentError(f"stamp of sample {int(np.flatnonzero(~np.isfinite(stamps))[0])} is not a number")
    steps = losses.steps_of(stamps, sfreq, counter)
    # a step of zero is the same sample sent again: the first one counts
    kept = np.concatenate([[0], np.flatnonzero(steps > 0) + 1])
    index = np.concatenate([[0], np.cumsum(steps[steps > 0])])
    jumps = np.flatnonzero(np.diff(index) > 1)
    gaps = tuple(Gap(int(index[j]) + 1, int(index[j + 1] - index[j] - 1)) for j in jumps)
    knots_index, knots_s, period, residual = _lines(index, stamps[kept], jumps + 1, sfreq)
    return SampleClock(sfreq, kept, index, gaps, knots_index, knots_s, period, residual)


def fill(values: Floats, clock: SampleClock) -> Floats:
    """Put samples in their places and draw a straight line through lost ones.

    Parameters
    ----------
    values : ndarray, shape (n_samples, n_channels)
        As recorded.
    clock : SampleClock
        Of the same recording.

    Returns
    -------
    ndarray, shape (n_times, n_channels)
        Recorded samples unchanged; lost ones, and those that are no number, interpolated: mark them. A channel that never
        gave a number stays without.
    """
    filled = np.empty((clock.n_times, values.shape[1]), dtype=np.float64)
    filled[clock.index] = values[clock.rows]
    for gap in clock.gaps:
        before, after = filled[gap.first - 1], filled[gap.first + gap.n]
        share = np.arange(1, gap.n + 1)[:, None] / (gap.n + 1)
        filled[gap.first : gap.first + gap.n] = before + share * (after - before)
    for column in filled.T:
        told = np.isfinite(column)
        if told.any() and not told.all():
            column[~told] = np.interp(np.flatnonzero(~told), np.flatnonzero(told), column[told])
    return filled


def untold(values: Floats) -> Floats:
    """Return 1 for each row in which a channel that works gave no number, else 0; shape (n_samples,)."""
    told = np.isfinite(values)
    return np.asarray((~told[:, told.any(axis=0)]).any(axis=1), np.float64)


def invented(clock: SampleClock, flags: Floats | None) -> tuple[Gap, ...]:
    """Return the runs of samples that nobody measured: lost ones, and those that the device flags as its own filling.

    Parameters
    ----------
    clock : SampleClock
        Of the recording.
    flags : ndarray, shape (n_kept,), optional
        Above 0 where the device filled in; one per row that counts.
    """
    which = np.zeros(clock.n_times, dtype=bool)
    for gap in clock.gaps:
        which[gap.first : gap.first + gap.n] = True
    if flags is not None:
        which[clock.index[flags > 0]] = True
    edges = np.flatnonzero(np.diff(which.astype(np.int8), prepend=0, append=0))
    return tuple(Gap(int(a), int(b - a)) for a, b in edges.reshape(-1, 2))


def _lines(index: Integers, stamps: Floats, starts: Integers, sfreq: float) -> tuple[Floats, Floats, float, float]:
    """Fit LSL seconds over the index: one rate (there is one crystal), one line per stretch.

    Each gap-free segment has a level of its own; neighbours whose levels agree within half a sample, or within what their
    jitter lets one tell, share a line: there the counter bridges the loss. A stretch whose level differs (a reset, a
    changed latency) keeps its own, so nothing is smoothed across it.
    """
    segment = np.zeros(len(index), dtype=np.int64)
    segment[starts] = 1
    segment = np.cumsum(segment)
    x, seconds, stretch = index.astype(np.float64), stamps - stamps[0], segment
    period, levels, residual = _fit(x, seconds, stretch, 1 / sfreq)
    for _ in range(2 if len(starts) else 0):  # longer stretches give a better rate, a better rate longer stretches
        _, of_segment, _ = _fit(x, seconds, segment, period, free=False)
        stretch = _merged(of_segment, np.bincount(segment), residual, tolerance_s=0.5 / sfreq)[segment]
        period, levels, residual = _fit(x, seconds, stretch, period)
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    ends = np.column_stack([x[first], x[np.append(first[1:], len(x)) - 1]]).ravel()
    knots_s = stamps[0] + np.repeat(levels, 2) + period * ends
    return ends, np.maximum.accumulate(knots_s), period, residual


def _fit(x: Floats, seconds: Floats, group: Integers, period: float, *, free: bool = True) -> tuple[float, Floats, float]:
    """Fit ``seconds = level[group] + period * x`` with Huber weights.

    Parameters
    ----------
    x, seconds, group : ndarray, shape (n,)
        Index, stamp, and number of the group, from 0 and ascending.
    period : float
        Where to begin; kept when not ``free``, or when the recording is shorter than :data:`~collector.stamped.MIN_FIT_S`.

    Returns
    -------
    period : float
        Seconds per sample.
    levels : ndarray, shape (n_groups,)
        Seconds at index 0, were the group to reach there.
    residual : float
        Robust standard deviation, seconds.
    """
    free = free and bool(np.ptp(seconds) >= MIN_FIT_S)
    weights, levels, sd = np.ones(len(x)), np.zeros(int(group[-1]) + 1), 0.0
    for _ in range(8):  # two or three are enough, unless the jitter is wild
        total = np.bincount(group, weights)
        mean_x, mean_s = (np.bincount(group, weights * v) / total for v in (x, seconds))
        within = x - mean_x[group]
        spread = float(weights @ within**2)
        if free and spread > 0:
            period = float(weights @ (within * (seconds - mean_s[group]))) / spread
        moved, levels = levels, mean_s - period * mean_x
        residuals = np.abs(seconds - levels[group] - period * x)
        sd = MAD_TO_SD * float(np.median(residuals))
        if sd == 0 or np.abs(levels - moved).max() < SETTLED_S:
            break
        weights = np.minimum(1.0, HUBER * sd / np.maximum(residuals, 1e-12))
    return period, levels, sd


def _merged(levels: Floats, sizes: Integers, sd: float, *, tolerance_s: float) -> Integers:
    """Return the stretch that each segment belongs to, walking from the first; levels are pooled on the way."""
    stretch = np.zeros(len(levels), dtype=np.int64)
    level, size = float(levels[0]), int(sizes[0])
    for k in range(1, len(levels)):
        error = 4 * sd * float(np.sqrt(1 / size + 1 / sizes[k]))
        if abs(levels[k] - level) <= max(tolerance_s, error):
            level = (level * size + float(levels[k]) * int(sizes[k])) / (size + int(sizes[k]))
            size += int(sizes[k])
            stretch[k] = stretch[k - 1]
        else:
            level, size = float(levels[k]), int(sizes[k])
            stretch[k] = stretch[k - 1] + 1
    return stretch
