"""Samples that never arrived, by the device's own counter: while it is recorded, and of a whole recording. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOOK_S = 4.0  # how much of either side of a late stamp is compared; the burst after a stall is over by then


def n_lost(counter: Floats, stamps: Floats, sfreq: float, *, turn: float | None = None) -> int:
    """Count samples that never arrived.

    Parameters
    ----------
    counter : ndarray, shape (n_samples,)
        Counts up by one and wraps; where it wraps is taken from the values themselves. What is no number is passed over.
    stamps : ndarray, shape (n_samples,)
        Seconds: they tell how often the counter wrapped in a gap longer than one round.
    sfreq : float
        Nominal rate, Hz.
    turn : float, optional
        How many counts make a turn, where that is known.

    Examples
    --------
    >>> n_lost(np.array([0.0, 1, 2, 5, 6]), np.arange(5) / 4, 4.0)
    2
    """
    told = np.isfinite(counter) & np.isfinite(stamps)
    counter, stamps = counter[told], stamps[told]
    steps = np.diff(counter)
    if not len(steps):
        return 0
    turn = turn_of(counter) if turn is None else turn
    if turn is not None:
        steps = steps % turn
        steps = steps + turn * _whole_turns(steps, stamps * sfreq, turn, reach=max(1, round(LOOK_S * sfreq)))
    return int(np.maximum(steps - 1, 0).sum())


def _whole_turns(steps: Floats, beats: Floats, turn: float, *, reach: int) -> Floats:
    """Return how many whole turns of the counter were lost at each step; ``beats`` are stamps in samples.

    Only stamps can tell, and only those that stay late: a stall is made up for by a burst, and nothing was lost.
    """
    late = beats - np.concatenate([[0.0], np.cumsum(steps)])
    jumps = np.flatnonzero(np.diff(late) >= turn / 2)
    bounds = [0, *(jumps + 1).tolist(), len(late)]
    turns = np.zeros(len(steps))
    for k, at in enumerate(jumps):
        before, after = late[max(bounds[k], at + 1 - reach) : at + 1], late[at + 1 : min(bounds[k + 2], at + 1 + reach)]
        turns[at] = max(0, round(float(after.min() - before.min()) / turn))
    return turns


def turn_of(counter: Floats) -> float | None:
    """Return how many counts make a turn; None for a counter that has not wrapped."""
    return float(counter.max()) + 1 if (np.diff(counter) < 0).any() else None


class Losses:
    """Counts losses chunk by chunk; the export counts again, over the whole recording.

    Parameters
    ----------
    sfreq : float
        Nominal rate, Hz.
    """

    def __init__(self, sfreq: float) -> None:
        self._sfreq, self.n = sfreq, 0
        self._counter, self._stamps = np.empty(0), np.empty(0)
        self._top, self._turn = 0.0, 0.0

    def take(self, counter: Floats, stamps: Floats) -> None:
        """Go on with a chunk, shapes (n_samples,)."""
        told = np.isfinite(counter) & np.isfinite(stamps)
        counter, stamps = counter[told], stamps[told]
        if not len(counter):
            return
        counter, stamps = np.concatenate([self._counter, counter]), np.concatenate([self._stamps, stamps])
        self._top = max(self._top, float(counter.max()))
        if self._turn or (np.diff(counter) < 0).any():
            self._turn = self._top + 1
        self.n += n_lost(counter, stamps, self._sfreq, turn=self._turn or None)
        self._counter, self._stamps = counter[-1:], stamps[-1:]
