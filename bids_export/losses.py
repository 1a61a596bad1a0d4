"""Lost samples: by how many samples each recorded row is after the one before. Pure.

The device's counter says it to the sample, modulo where it wraps; LSL stamps say how often it wrapped, and all there is to
say where a device has no counter or began anew.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MIN_FIT_S = 30.0  # below, a rate cannot be told from the noise of its stamps: the nominal one is taken
TRUST_S = 0.1  # stamps that stray further than this from the counter are looked at; radio latency jitters by less
LEVEL_S = 4.0  # how much of either side of a stray stamp is compared; a stall's burst is over by then
LEVEL_Q = 0.1  # latency only ever adds: the early stamps are the true ones
JITTERS = 8.0  # without a counter, a stamp this many times the jitter late is looked at
MAD_TO_SD = 1.4826


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
    if not (np.isfinite(counter).all() and (counter == np.round(counter)).all()):
        return None
    steps = np.diff(counter).astype(np.int64)
    falls = steps[steps < 0]
    wraps = Counter((1 - falls[1 - falls > counter.max()]).tolist())
    modulus = wraps.most_common(1)[0][0] if wraps else 0
    ones = np.mean((steps % modulus if modulus else steps) == 1)
    return modulus if ones > 0.5 else None


def counted_steps(stamps: Floats, sfreq: float, counter: Floats) -> Integers | None:
    """Return by how many samples each row is after the one before; None when the counter does not count."""
    modulus = modulus_of(counter)
    if modulus is None:
        return None
    steps = np.diff(counter).astype(np.int64)
    falls = np.flatnonzero(steps < 0)
    if len(falls) == 1 and abs(np.diff(stamps)[falls[0]] * sfreq - 1) > TRUST_S * sfreq:
        modulus = 0  # the only fall comes after a pause: the counter began anew, it did not wrap
    if modulus:
        steps %= modulus
    stray = np.abs(np.diff(stamps) * sfreq - steps) > TRUST_S * sfreq
    for at, shift in _level_shifts(stamps, steps, np.flatnonzero(stray), sfreq):
        steps[at] = _corrected(int(steps[at]), shift, modulus, trust=TRUST_S * sfreq)
    return steps


def _corrected(step: int, shift: float, modulus: int, *, trust: float) -> int:
    """Return the step at one stray stamp, ``shift`` samples beyond what the counter says."""
    wraps = max(0, round(shift / modulus)) if modulus else 0
    if abs(shift - wraps * modulus) <= trust:
        return step + wraps * modulus  # lost whole turns of the counter; none when it was only a stall
    if step == 1:
        return 1  # the counter went on: the latency changed for good
    return max(1, step + round(shift))  # the counter began anew: the stamps are all there is


def stamped_steps(stamps: Floats, sfreq: float) -> Integers:
    """Return the steps of a stream without a counter: 1, and more where the stamps move for good."""
    steps = np.ones(len(stamps) - 1, dtype=np.int64)
    late = np.diff(stamps) * sfreq - 1
    jitter = MAD_TO_SD * float(np.median(np.abs(late - np.median(late))))
    for at, shift in _level_shifts(stamps, steps, np.flatnonzero(late > max(0.5, JITTERS * jitter)), sfreq):
        steps[at] += max(0, round(shift))
    return steps


def _level_shifts(stamps: Floats, steps: Integers, strays: Integers, sfreq: float) -> list[tuple[int, float]]:
    """Return, for each stray stamp, by how many samples the stream is later for good than the steps say.

    A stall is followed by a burst and shifts nothing; a loss is never made up for.
    """
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
