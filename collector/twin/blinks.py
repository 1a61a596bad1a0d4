"""When the participant blinks: the same moments in the EEG and in the face, in whatever process asks.

Asked to blink once at each cue, people do so some 0.35 s after they saw it. Some miss a cue, some recordings miss a blink, and
some things look like one: that is what the knobs ``blinks_missed`` and ``blinks_false`` are for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from collector.twin.knobs import Knobs, random

SD_S = 0.07  # a lid closes and opens within about 0.2 s
_SLOT_S = 4.0  # at most one blink in each: 9 to 14 a minute, as people have who watch a film
_EDGE_S = 0.4  # kept free at both ends of a slot, so that neighbours never merge
_REACTION_S = (0.30, 0.40)  # from the light of a cue to the blink, a person's mean
_REACTION_SD_S, _REACTION_RANGE_S = 0.05, (0.20, 0.60)  # around it, from cue to cue
_WAITS_S = 1.0  # who was told to blink does not do so by itself meanwhile
_FALSE_S = (0.7, 1.3)  # from a cue to what only looks like a blink
_REACH_S = 5 * SD_S  # further away a blink is nothing


Seen = Literal["eeg", "face"]
_SEEN: tuple[Seen, Seen] = ("eeg", "face")


class Blinks:
    """The blinks of one participant.

    Parameters
    ----------
    seed : int
        The participant's.
    knobs : Knobs, optional
        How many cues are missed, and how many false blinks there are; by default none.
    """

    def __init__(self, seed: int, knobs: Knobs | None = None) -> None:
        self._seed, self._knobs = seed, knobs or Knobs()
        self._share = random(seed, "blink rate").uniform(0.6, 0.95)
        self._reaction_s = random(seed, "blink reaction").uniform(*_REACTION_S)
        self._slot = lru_cache(maxsize=1024)(self._draw)
        self._answer = lru_cache(maxsize=1024)(self._to_cue)

    def between(self, start: float, stop: float, *, cues: Sequence[float] = (), seen: Seen | None = None) -> list[float]:
        """Return the moments of the blinks in ``[start, stop)``, LSL seconds, ascending; cued ones included.

        Parameters
        ----------
        start, stop : float
            LSL seconds.
        cues : sequence of float
            LSL seconds of the light of the cues to blink.
        seen : {"eeg", "face"}, optional
            As this shows them; by default true blinks alone, wherever they show.
        """
        slots = range(int(np.floor(start / _SLOT_S)), int(np.floor(stop / _SLOT_S)) + 1)
        near = [(n, cue) for n, cue in enumerate(list(cues)) if start - _FALSE_S[1] <= cue < stop]
        own = [t for t in map(self._slot, slots) if t is not None and not any(0 <= t - cue < _WAITS_S for _, cue in near)]
        cued = [cue + delay for n, cue in near for delay, where in self._answer(n) if _shows(where, seen)]
        return sorted(t for t in own + cued if start <= t < stop)

    def closure(
        self,
        times: NDArray[np.float64],
        *,
        cues: Sequence[float] = (),
        seen: Seen | None = None,
        down: Callable[[float], bool] | None = None,
    ) -> NDArray[np.float64]:
        """Return how far the lids are closed, 0 to 1.

        Parameters
        ----------
        times : ndarray, shape (n_times,)
            LSL seconds, ascending.
        cues, seen
            As for :meth:`between`.
        down : callable, optional
            Tells whether the lids are down for longer at a time: then they do not blink.

        Returns
        -------
        ndarray, shape (n_times,)
        """
        closed = np.zeros(len(times))
        for t in self.between(times[0] - _REACH_S, times[-1] + _REACH_S, cues=cues, seen=seen):
            if down is not None and down(t):
                continue
            near = slice(*np.searchsorted(times, (t - _REACH_S, t + _REACH_S)))
            closed[near] += np.exp(-0.5 * ((times[near] - t) / SD_S) ** 2)
        return np.minimum(closed, 1.0)

    def _to_cue(self, n: int) -> tuple[tuple[float, tuple[Seen, ...]], ...]:
        """Return what follows cue ``n``: seconds after it, and where it shows; a blink that shows nowhere is none."""
        rng = random(self._seed, "cue", n)
        delay_s = float(np.clip(self._reaction_s + rng.normal(0, _REACTION_SD_S), *_REACTION_RANGE_S))
        missed, by = rng.random() < self._knobs.blinks_missed, int(rng.integers(3))
        shows: tuple[Seen, ...] = (_SEEN, _SEEN[:1], _SEEN[1:])[by] if missed else ()
        answers: list[tuple[float, tuple[Seen, ...]]] = [(delay_s, tuple(s for s in _SEEN if s not in shows))]
        false, where, when_s = rng.random() < self._knobs.blinks_false, int(rng.integers(2)), rng.uniform(*_FALSE_S)
        return (*answers, (float(when_s), (_SEEN[where],))) if false else tuple(answers)

    def _draw(self, slot: int) -> float | None:
        rng = random(self._seed, "blink", abs(slot), int(slot < 0))
        if rng.random() >= self._share:
            return None
        return float((slot * _SLOT_S) + rng.uniform(_EDGE_S, _SLOT_S - _EDGE_S))


def _shows(where: tuple[Seen, ...], seen: Seen | None) -> bool:
    """Tell whether an event counts: for one of the two what it shows, else what both show."""
    return where == _SEEN if seen is None else seen in where
