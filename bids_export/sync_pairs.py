"""Which event of one device is which of another's: the delay at which most pair up, and whether chance could do it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from bids_export.arrays import Floats, Integers

LAG_S = (-0.5, 3.0)  # how late one may be against the other; radio headsets have been seen 2 s late
DRIFT_PPM = 150.0  # crystals differ by less
MIN_EVENTS = 5  # below, an interval says nothing
MIN_SHARE = 0.5  # of the events of the side that has fewer: what pairs up by chance is far less
CHANCE = 1e-3  # how often events that have nothing to do with each other may pair up as well
KERNEL_S = 0.030  # how far a pair may lie from the common delay when that is looked for
REACH_S = 0.12  # and when pairs are made
RIVAL = 0.8  # a second delay that pairs up this share of what the best one does leaves both in doubt


@dataclass(frozen=True)
class Pairs:
    """Events that could belong together: indices, times of the first, and how much later the second is."""

    i: Integers
    j: Integers
    t: Floats
    late: Floats


def candidates(first: Floats, second: Floats, first_kind: Integers, second_kind: Integers) -> Pairs:
    """Return every pair of one kind whose second is as late as one device may be against another."""
    late = second[None, :] - first[:, None]
    low, high = LAG_S
    i, j = np.nonzero((late >= low) & (late <= high) & (first_kind[:, None] == second_kind[None, :]))
    return Pairs(i, j, first[i], late[i, j])


def best_lag(pairs: Pairs, origin: float, *, n_first: int) -> tuple[float, float, str]:
    """Look for the delay, and its drift, at which most events pair up; say when another does nearly as well."""
    lags = np.arange(LAG_S[0], LAG_S[1] + 0.005, 0.01)
    span = float(np.ptp(pairs.t)) if len(pairs.t) else 0.0
    # a drift matters where it moves the ends of the recording by more than the kernel is wide
    n_drifts = int(np.ceil(DRIFT_PPM * 1e-6 * span / KERNEL_S)) if span else 0
    drifts = np.linspace(-DRIFT_PPM, DRIFT_PPM, 2 * n_drifts + 1) * 1e-6 if n_drifts else np.zeros(1)
    height = np.zeros((len(drifts), len(lags)))
    for row, drift in enumerate(drifts):
        off = (pairs.late - drift * (pairs.t - origin))[:, None] - lags[None, :]
        score = np.exp(-0.5 * (off / KERNEL_S) ** 2)
        best = np.zeros((n_first, len(lags)))
        np.maximum.at(best, pairs.i, score)  # an event counts once, however many lie near
        height[row] = best.sum(axis=0)
    row, column = divmod(int(np.argmax(height)), len(lags))
    lag = float(lags[column])
    elsewhere = np.abs(lags - lag) > 4 * KERNEL_S
    rival = float(height[:, elsewhere].max(initial=0.0))
    top = float(height[row, column])
    if top > 0 and rival > RIVAL * top:
        return lag, float(drifts[row]), f"two delays fit nearly as well ({rival:.1f} and {top:.1f} events)"
    return lag, float(drifts[row]), ""


def paired(pairs: Pairs, lag: float, drift: float, origin: float) -> tuple[Floats, Floats]:
    """Return times and lateness of the pairs near a delay, each event in one pair at most, the closest ones first."""
    off = np.abs(pairs.late - lag - drift * (pairs.t - origin))
    taken_i, taken_j, chosen = set(), set(), []
    for n in np.argsort(off):
        i, j = int(pairs.i[n]), int(pairs.j[n])
        if off[n] > REACH_S:
            break
        if i not in taken_i and j not in taken_j:
            taken_i.add(i)
            taken_j.add(j)
            chosen.append(int(n))
    chosen.sort()
    return pairs.t[chosen], pairs.late[chosen]


def overlapping(first: Floats, second: Floats, lag: float) -> int:
    """Return how many events could have had a partner: those of the shorter side within the other's time."""
    moved = first + lag
    low, high = max(moved.min(), second.min()) - REACH_S, min(moved.max(), second.max()) + REACH_S
    return int(min(((moved >= low) & (moved <= high)).sum(), ((second >= low) & (second <= high)).sum()))


def by_chance(npaired: int, n_expected: int, first: Floats, second: Floats) -> str:
    """Say whether events that have nothing to do with each other would pair up as well; empty when they would not."""
    if npaired < MIN_EVENTS:
        return f"{npaired} events pair up: {MIN_EVENTS} are needed"
    if npaired < MIN_SHARE * n_expected:
        return f"only {npaired} of {n_expected} events pair up"
    # each event meets a stranger with the probability that one lies within reach; lags that are further apart are other tries
    intervals = np.diff(np.sort(second))
    rate = 1 / float(np.median(intervals)) if len(intervals) else 0.0
    meets = 1 - np.exp(-2 * REACH_S * rate)
    tries = (LAG_S[1] - LAG_S[0]) / REACH_S
    if tries * float(stats.binom.sf(npaired - 1, n_expected, meets)) > CHANCE:
        return f"{npaired} of {n_expected} events pair up, as chance alone could have it"
    return ""
