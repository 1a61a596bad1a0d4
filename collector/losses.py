"""Samples that never arrived, by the device's own counter: while it is recorded, and of a whole recording. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def n_lost(counter: Floats, stamps: Floats, sfreq: float, *, turn: float | None = None) -> int:
    """Count samples that never arrived.

    Parameters
    ----------
    counter : ndarray, shape (n_samples,)
        Counts up by one and wraps; where it wraps is taken from the values themselves.
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
    steps = np.diff(counter)
    if not len(steps):
        return 0
    turn = turn_of(counter) if turn is None else turn
    if turn is not None:
        expected = np.diff(stamps) * sfreq
        steps = steps % turn
        steps = steps + turn * np.maximum(0, np.round((expected - steps) / turn))
    return int(np.maximum(steps - 1, 0).sum())


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
        if not len(counter):
            return
        counter, stamps = np.concatenate([self._counter, counter]), np.concatenate([self._stamps, stamps])
        self._top = max(self._top, float(counter.max()))
        if self._turn or (np.diff(counter) < 0).any():
            self._turn = self._top + 1
        self.n += n_lost(counter, stamps, self._sfreq, turn=self._turn or None)
        self._counter, self._stamps = counter[-1:], stamps[-1:]
