"""Measured clock offsets -> the recorder's clock: one robust line per stretch between steps. Pure.

A stream's computer has a clock of its own. LSL measures every few seconds what is to be added to its stamps; the measurements
scatter, some are wild, and the clock may be set, or begin anew when that computer restarts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.losses import theil_sen
from collector.stamped import MAD_TO_SD, MIN_FIT_S, Floats, Integers

OUTLIER_SD = 4.0
MIN_SD_S = 2e-5  # round trips on one machine scatter by about this much
STEP_S = 0.004  # a clock that is set moves by more; a smaller step is half a sample
STEP_SD = 8.0
SIDE = 3  # measurements on either side of a step: one or two wild ones are no step
BACK_S = 0.5  # a clock that goes back by more was set or began anew


@dataclass(frozen=True)
class Piece:
    """A stretch of the clock without a step: ``t + intercept_s + slope * (t - origin_s)``.

    Parameters
    ----------
    origin_s, intercept_s, slope : float
        The line of the offsets, around ``origin_s`` on the stream's clock.
    residual_s : float
        Scatter (robust standard deviation) of the offsets that were used.
    first_s, last_s : float
        Of its measurements, on the stream's clock.
    """

    origin_s: float = 0.0
    intercept_s: float = 0.0
    slope: float = 0.0
    residual_s: float = 0.0
    first_s: float = 0.0
    last_s: float = 0.0

    def map(self, times: Floats) -> Floats:
        """Return the recorder's LSL seconds, same shape."""
        return times + self.intercept_s + self.slope * (times - self.origin_s)


@dataclass(frozen=True)
class Clock:
    """A stream's clock against the recorder's.

    Parameters
    ----------
    pieces : tuple of Piece
        At least one; more where the clock was set, in the order of time.
    n_used, n_left_out : int
        Offsets that made the lines, and outliers or NaN that did not.
    """

    pieces: tuple[Piece, ...] = (Piece(),)
    n_used: int = 0
    n_left_out: int = 0

    @property
    def residual_s(self) -> float:
        """The largest scatter of the offsets around their line."""
        return max(piece.residual_s for piece in self.pieces)

    def map(self, times: Floats) -> Floats:
        """Return the recorder's LSL seconds for stamps of the stream, in the order of arrival, same shape."""
        mapped = np.empty(len(times))
        start = 0
        for n, piece in enumerate(self.pieces):
            stop = self._until(times, start, n)
            mapped[start:stop] = piece.map(times[start:stop])
            start = stop
        return mapped

    def _until(self, times: Floats, start: int, n: int) -> int:
        """Return where the stamps of the next piece begin: at the jump that fits the step, between its two measurements."""
        if n + 1 == len(self.pieces):
            return len(times)
        old, new = self.pieces[n], self.pieces[n + 1]
        at = new.first_s
        step = float(old.map(np.array([at]))[0] - new.map(np.array([at]))[0])  # how far the stream's clock moved
        jumps = np.diff(times[start:]) if len(times) > start else np.empty(0)
        before, after = times[start:-1], times[start + 1 :]
        # the last measurement before the step had old stamps, the first one after it has new ones
        near = (before >= old.last_s - 1e-9) & (after <= new.first_s + 1e-9 + max(0.0, -step))
        fits = (
            near & (np.sign(jumps) == np.sign(step)) & (np.abs(jumps) > abs(step) / 2) if abs(step) > STEP_S else near & False
        )
        if fits.any():
            candidates = np.flatnonzero(fits)
            return start + int(candidates[np.argmin(np.abs(jumps[candidates] - step))]) + 1
        back = np.flatnonzero(jumps < -BACK_S)
        if step < 0 and len(back):
            return start + int(back[0]) + 1
        # a stream with few stamps: what the old piece would put beyond the middle of the two measurements is new
        middle = float(old.map(np.array([old.last_s]))[0] + new.map(np.array([new.first_s]))[0]) / 2
        beyond = np.flatnonzero(old.map(times[start:]) > middle)
        return start + int(beyond[0]) if len(beyond) else len(times)


def fit_clock(offsets: Floats) -> Clock:
    """Fit robust lines through measured clock offsets; find steps and leave out what is wild.

    Parameters
    ----------
    offsets : ndarray, shape (n_offsets, 2)
        Time on the stream's clock and the seconds to add, as XDF stores them, in the order of measuring. Rows that are not
        finite are left out.

    Returns
    -------
    Clock
        The identity where nothing was measured; a constant where a piece spans less than 30 s.
    """
    finite = offsets[np.isfinite(offsets).all(axis=1)]
    if not len(finite):
        return Clock(n_left_out=len(offsets))
    pieces, used = [], 0
    for part in np.split(finite, _steps(finite[:, 0], finite[:, 1])):
        piece, n = _line(part[:, 0], part[:, 1])
        pieces.append(piece)
        used += n
    return Clock(tuple(pieces), used, len(offsets) - used)


def _steps(times: Floats, values: Floats) -> Integers:
    """Return the indices at which a new stretch begins."""
    back = np.flatnonzero(np.diff(times) < -BACK_S) + 1
    if len(times) < 2 * SIDE:
        return back
    elapsed = np.maximum(np.diff(times), 1e-3)
    slope = float(np.median(np.diff(values) / elapsed))  # a step is in one difference of many
    level = values - slope * (times - times[0])
    jitter = np.diff(level)
    scale = max(MAD_TO_SD * float(np.median(np.abs(jitter - np.median(jitter)))) / np.sqrt(2), MIN_SD_S)
    windows = np.median(np.lib.stride_tricks.sliding_window_view(level, SIDE), axis=1)
    moved = np.abs(windows[SIDE:] - windows[:-SIDE])  # for the boundary between i + SIDE - 1 and i + SIDE
    found: list[int] = []
    least = max(STEP_S, STEP_SD * scale)
    while len(moved) and moved.max() > least:
        at = int(np.argmax(moved))
        around = np.arange(max(0, at - SIDE + 1), min(len(moved), at + SIDE))
        sharpest = around[np.argmax(np.where(moved[around] > 0.9 * moved[at], np.abs(jitter[around + SIDE - 1]), -1.0))]
        found.append(int(sharpest) + SIDE)
        moved[max(0, at - 2 * SIDE + 1) : at + 2 * SIDE] = 0.0
    return np.unique(np.concatenate([back, np.array(found, np.int64)]))


def _line(times: Floats, values: Floats) -> tuple[Piece, int]:
    """Fit one stretch; return how many offsets made it, too."""
    origin = float(np.median(times))
    slope = theil_sen(times, values) if np.ptp(times) >= MIN_FIT_S else 0.0
    residuals = values - slope * (times - origin)
    intercept = float(np.median(residuals))
    scale = max(MAD_TO_SD * float(np.median(np.abs(residuals - intercept))), MIN_SD_S)
    used = np.abs(residuals - intercept) <= OUTLIER_SD * scale
    if slope:
        slope, at_origin = np.polynomial.polynomial.polyfit(times[used] - origin, values[used], 1)[::-1]
        intercept = float(at_origin)
    return Piece(origin, intercept, float(slope), scale, float(times[0]), float(times[-1])), int(used.sum())
