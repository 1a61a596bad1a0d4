"""When the participant blinks: the same moments in the EEG and in the face, in whatever process asks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from collector.twin.knobs import random

SD_S = 0.07  # a lid closes and opens within about 0.2 s
_SLOT_S = 4.0  # at most one blink in each: 9 to 14 a minute, as people have who watch a film
_EDGE_S = 0.4  # kept free at both ends of a slot, so that neighbours never merge
_REACTION_S = (0.20, 0.40)  # from a cue to the blink
_REACH_S = 5 * SD_S  # further away a blink is nothing


class Blinks:
    """The blinks of one participant.

    Parameters
    ----------
    seed : int
        The participant's.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._share = random(seed, "blink rate").uniform(0.6, 0.95)
        self._slot = lru_cache(maxsize=1024)(self._draw)

    def between(self, start: float, stop: float, *, cues: Sequence[float] = ()) -> list[float]:
        """Return the moments of the blinks in ``[start, stop)``, LSL seconds, ascending; cued ones included."""
        slots = range(int(np.floor(start / _SLOT_S)), int(np.floor(stop / _SLOT_S)) + 1)
        own = [t for t in map(self._slot, slots) if t is not None]
        cued = [cue + random(self._seed, "cue", n).uniform(*_REACTION_S) for n, cue in enumerate(cues)]
        return sorted(t for t in own + cued if start <= t < stop)

    def closure(self, times: NDArray[np.float64], *, cues: Sequence[float] = ()) -> NDArray[np.float64]:
        """Return how far the lids are closed, 0 to 1.

        Parameters
        ----------
        times : ndarray, shape (n_times,)
            LSL seconds, ascending.
        cues : sequence of float
            LSL seconds of cues to blink.

        Returns
        -------
        ndarray, shape (n_times,)
        """
        closed = np.zeros(len(times))
        for t in self.between(times[0] - _REACH_S, times[-1] + _REACH_S, cues=cues):
            near = slice(*np.searchsorted(times, (t - _REACH_S, t + _REACH_S)))
            closed[near] += np.exp(-0.5 * ((times[near] - t) / SD_S) ** 2)
        return np.minimum(closed, 1.0)

    def _draw(self, slot: int) -> float | None:
        rng = random(self._seed, "blink", abs(slot), int(slot < 0))
        if rng.random() >= self._share:
            return None
        return float((slot * _SLOT_S) + rng.uniform(_EDGE_S, _SLOT_S - _EDGE_S))
