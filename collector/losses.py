"""Lost samples: by how many samples each recorded row is after the one before. Pure.

The device's counter says it to the sample, modulo where it wraps; LSL stamps say how often it wrapped, and all there is to
say where a device has no counter or began anew. The operator's line, the manifest and the export count with this module.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from collector import stamped
from collector.stamped import LEVEL_S, MIN_FIT_S, TRUST_S, Floats, Integers

ANEW_S = 0.01  # stamps that agree this well with a count from zero say that it wrapped, and did not begin anew
LEVEL_Q = 0.1  # latency only ever adds: the early stamps are the true ones


@dataclass
class Turns:
    """What is known of a counter so far: where it falls, how high it comes, and whether it counts at all."""

    falls: Counter[int] = field(default_factory=Counter)
    top: float = 0.0
    n_steps: int = 0
    n_ones: int = 0
    whole: bool = True
    paused: bool = False

    def take(self, counter: Floats, beats: Floats, *, trust: float) -> None:
        """Go on with counts, shape (n_samples,), the last known one first; ``beats`` are their stamps in samples."""
        told = np.isfinite(counter)
        counter, beats = counter[told], beats[told]
        if not len(counter):
            return
        self.whole = self.whole and bool((counter == np.round(counter)).all())
        self.top = max(self.top, float(counter.max()))
        steps = np.diff(counter)
        self.n_steps += len(steps)
        self.n_ones += int((steps == 1).sum())
        falls = np.flatnonzero(steps < 0)
        self.falls.update((1 - steps[falls]).astype(np.int64).tolist())
        self.paused = self.paused or bool((np.abs(np.diff(beats)[falls] - 1) > trust).any())

    @property
    def modulus(self) -> int | None:
        """Where the counter wraps: 0 for one that never did, None for one that does not count."""
        if not self.whole:
            return None
        wraps = Counter({turn: n for turn, n in self.falls.items() if turn > self.top})
        modulus = wraps.most_common(1)[0][0] if wraps else 0
        if self.n_ones + self.falls[modulus] <= self.n_steps / 2:
            return None  # constant, or mostly not one more than before
        # the only fall came after a pause: the counter began anew, it did not wrap
        return 0 if self.falls.total() == 1 and self.paused else modulus


def modulus_of(counter: Floats) -> int | None:
    """Infer where a sample counter wraps.

    Parameters
    ----------
    counter : ndarray, shape (n_samples,)
        Whole numbers.

    Returns
    -------
    int or None
        The modulus, or 0 for a counter that never wrapped, or None when it does not count (constant, not whole,
        or mostly not one more than before).

    Examples
    --------
    >>> modulus_of(np.array([126, 127, 128, 0, 1, 2, 3.0]))
    129
    """
    turns = Turns()
    turns.take(counter, np.arange(len(counter), dtype=np.float64), trust=0.0)
    return turns.modulus


def n_lost(counter: Floats, stamps: Floats, sfreq: float) -> int:
    """Count samples that never arrived.

    Parameters
    ----------
    counter : ndarray, shape (n_samples,)
        Counts up by one and wraps; where it wraps is taken from the values themselves. A sample whose count is no number
        has arrived all the same.
    stamps : ndarray, shape (n_samples,)
        Seconds, on any clock.
    sfreq : float
        Nominal rate, Hz.

    Examples
    --------
    >>> n_lost(np.array([0.0, 1, 2, 5, 6]), np.arange(5) / 4, 4.0)
    2
    """
    told = np.isfinite(stamps)
    steps = steps_of(stamps[told], sfreq, counter[told])
    return int(np.maximum(steps - 1, 0).sum())


def steps_of(stamps: Floats, sfreq: float, counter: Floats | None = None) -> Integers:
    """Return by how many samples each row is after the one before.

    Parameters
    ----------
    stamps : ndarray, shape (n_samples,)
        Seconds, finite, in the order of arrival.
    sfreq : float
        Nominal rate, Hz.
    counter : ndarray, shape (n_samples,), optional
        The device's counter; one that does not count is not believed.

    Returns
    -------
    ndarray of int, shape (n_samples - 1,)
        1 where nothing was lost, 0 where a sample was sent twice.
    """
    steps = counted_steps(stamps, sfreq, counter) if counter is not None else None
    return stamped.steps_of(stamps, sfreq) if steps is None else steps


def counted_steps(stamps: Floats, sfreq: float, counter: Floats, *, modulus: int | None = None) -> Integers | None:
    """Return the steps that a counter tells; None when it does not count. ``modulus`` where it is known already."""
    told = np.flatnonzero(np.isfinite(counter))
    if not len(told):
        return None
    if modulus is None:
        turns = Turns()
        turns.take(counter, stamps * sfreq, trust=TRUST_S * sfreq)
        modulus = turns.modulus
    if modulus is None:
        return None
    steps = np.ones(len(stamps) - 1, np.int64)  # a sample whose count is no number is the next one
    between = np.diff(told) - 1
    steps[told[1:] - 1] = np.maximum(_told_steps(stamps[told], sfreq, counter[told], modulus) - between, 0)
    return steps


def _told_steps(stamps: Floats, sfreq: float, counter: Floats, modulus: int) -> Integers:
    steps = np.diff(counter).astype(np.int64)
    if modulus:
        steps %= modulus
    # a counter that stands at its beginning right after a loss has begun anew, unless its stamps agree closely
    trust = np.where((counter[1:] == 0) & (counter[:-1] != modulus - 1), ANEW_S, TRUST_S) * sfreq
    strays = np.flatnonzero(np.abs(np.diff(stamps) * sfreq - steps) > trust)
    if len(strays):
        late = (stamps - stamps[0]) * sfreq - np.concatenate([[0], np.cumsum(steps)])
        before, after = stamped.floors(late, max(1, round(LEVEL_S * sfreq)))
        # a packet that is stamped on arrival and a stall that is made up for move nothing for good
        strays = strays[np.abs(after - before)[strays] > trust[strays] / 2]
    for at, shift in _level_shifts(stamps, steps, strays, sfreq):
        steps[at] = _corrected(int(steps[at]), shift, modulus, trust=float(trust[at]))
    return steps


def _corrected(step: int, shift: float, modulus: int, *, trust: float) -> int:
    """Return the step at one stray stamp, ``shift`` samples beyond what the counter says."""
    wraps = max(0, round(shift / modulus)) if modulus else 0
    if abs(shift - wraps * modulus) <= trust:
        return step + wraps * modulus  # lost whole turns of the counter; none when it was only a stall
    if step == 1:
        return 1  # the counter went on: the latency changed for good
    return max(1, step + round(shift))  # the counter began anew: the stamps are all there is


def _level_shifts(stamps: Floats, steps: Integers, strays: Integers, sfreq: float) -> list[tuple[int, float]]:
    """Return, for each stray stamp, by how many samples the stream is later for good than the steps say.

    A stall is followed by a burst and shifts nothing; a loss is never made up for.
    """
    if not len(strays):
        return []
    index = np.concatenate([[0], np.cumsum(steps)])
    rate = _rate(stamps, index, strays, sfreq)
    late = (stamps - stamps[0]) * rate - index
    bounds = np.concatenate([[0], strays + 1, [len(stamps)]])
    reach = max(1, round(LEVEL_S * sfreq))
    shifts = []
    for k, at in enumerate(strays):
        before = late[max(bounds[k], at + 1 - reach) : at + 1]
        after = late[at + 1 : min(bounds[k + 2], at + 1 + reach)]
        shifts.append((int(at), float(np.quantile(after, LEVEL_Q) - np.quantile(before, LEVEL_Q))))
    return shifts


def _rate(stamps: Floats, index: Integers, strays: Integers, sfreq: float) -> float:
    """Return samples per LSL second, measured in the longest stretch without a stray stamp."""
    bounds = np.concatenate([[0], strays + 1, [len(stamps)]])
    longest = int(np.argmax(np.diff(bounds)))
    first, last = int(bounds[longest]), int(bounds[longest + 1]) - 1
    if stamps[last] - stamps[first] < MIN_FIT_S:
        return sfreq
    return 1.0 / theil_sen(index[first : last + 1].astype(np.float64), stamps[first : last + 1] - stamps[first])


def theil_sen(x: Floats, y: Floats, n_max: int = 400) -> float:
    """Return the median slope between pairs of points; at most ``n_max`` points, evenly chosen, enter."""
    pick = np.unique(np.linspace(0, len(x) - 1, n_max).astype(int))
    x, y = x[pick], y[pick]
    first, second = np.triu_indices(len(x), 1)
    apart = np.abs(x[second] - x[first]) > 1e-9
    return float(np.median((y[second] - y[first])[apart] / (x[second] - x[first])[apart]))


class Losses:
    """Counts losses while they happen: the same steps, over the newest seconds; a loss is settled once they have passed.

    Parameters
    ----------
    sfreq : float
        Nominal rate, Hz.

    Attributes
    ----------
    n : int
        Samples lost so far. A stall counts as long as it is not made up for, so the number may fall again.
    """

    def __init__(self, sfreq: float) -> None:
        self.n = 0
        self._sfreq, self._reach = sfreq, max(1, round((LEVEL_S + stamped.HOLD_S) * sfreq))
        self._envelope = stamped.Envelope(sfreq)
        self._turns, self._settled, self._edge = Turns(), 0, 1
        self._counter, self._stamps = np.empty(0), np.empty(0)

    def take(self, counter: Floats, stamps: Floats) -> None:
        """Go on with a chunk, shapes (n_samples,)."""
        told = np.isfinite(stamps)
        known = len(self._counter)
        self._counter = np.concatenate([self._counter, counter[told]])
        self._stamps = np.concatenate([self._stamps, stamps[told]])
        self._envelope.take(stamps[told])
        since = max(0, known - 1)
        trust = TRUST_S * self._sfreq
        self._turns.take(self._counter[since:], self._stamps[since:] * self._sfreq, trust=trust)
        modulus = self._turns.modulus
        steps = None
        if modulus is not None:
            steps = counted_steps(self._stamps, self._sfreq, self._counter, modulus=modulus)
        seen = len(self._counter) - self._reach
        if steps is None:
            steps = stamped.steps_of(self._stamps, self._sfreq, self._envelope)
            # a long stall's burst is many rows at one time: it has to be over, unless the stamps went back
            over = int(np.searchsorted(self._stamps, self._stamps[-1:].sum() - LEVEL_S))
            seen = max(min(seen, over), seen - 4 * self._reach)
        lost = np.maximum(steps - 1, 0)
        # the step to row i stands at i - 1; a row is settled once the stretch that it is compared with has come in
        settled = max(self._edge, seen)
        self._settled += int(lost[self._edge - 1 : settled - 1].sum())
        self.n = self._settled + int(lost[settled - 1 :].sum())
        drop = max(0, settled - 1 - self._reach)
        self._edge = settled - drop
        self._counter, self._stamps = self._counter[drop:], self._stamps[drop:]
