"""The sync certificate: how late the screen, the camera and the EEG are against one another. Pure: event times in, delays out.

Three legs, each a delay with its drift and its 95 % interval, or "not estimable" with the reason:

- screen -> camera: steps of the screen's brightness, at known flips, seen in the brightness of the face;
- camera -> EEG: blinks, seen in the face and in frontal EEG. Cues to blink come at uneven intervals, so that no lag aliases;
- screen -> EEG: the two, one after the other; or a photodiode on the screen that the EEG amplifier records: it replaces them.

Only screen -> EEG may shift the EEG against events, and only camera -> EEG may align the video to the EEG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import stats

from bids_export.arrays import Floats, Integers

Name = Literal["screen-camera", "camera-eeg", "screen-eeg"]

LAG_S = (-0.5, 3.0)  # how late one may be against the other; radio headsets have been seen 2 s late
DRIFT_PPM = 150.0  # crystals differ by less
CONFIDENCE = 0.95
MIN_EVENTS = 5  # below, an interval says nothing
MIN_SHARE = 0.5  # of the events of the side that has fewer: what pairs up by chance is far less
CHANCE = 1e-3  # how often events that have nothing to do with each other may pair up as well
KERNEL_S = 0.030  # how far a pair may lie from the common delay when that is looked for
REACH_S = 0.12  # and when pairs are made
CLOSE_SD = 3.0  # pairs that stray further are left out
MIN_SD_S = 0.002
BIAS_S = 0.001  # by which all pairs of a recording may be off alike: frames and lids have no edges
RIVAL = 0.8  # a second delay that pairs up this share of what the best one does leaves both in doubt


@dataclass(frozen=True)
class Leg:
    """One delay.

    Parameters
    ----------
    name : str
        From where to where: positive when the second is later.
    method : str
        How it was measured.
    reason : str
        Why it is not estimable; empty where it is.
    delay_s, low_s, high_s : float or None
        At ``origin_s``, with its 95 % interval.
    drift_ppm : float or None
        How fast it grows; None where the events span too little time to tell.
    origin_s : float
        LSL seconds to which the delay belongs.
    n_events, n_used : int
        Events on the side that has fewer, and pairs that made the delay.
    peak : float or None
        Share of the events that pair up at this delay, 0 to 1.
    residual_s : float or None
        Scatter (standard deviation) of the pairs.
    """

    name: Name
    method: str = ""
    reason: str = ""
    delay_s: float | None = None
    low_s: float | None = None
    high_s: float | None = None
    drift_ppm: float | None = None
    origin_s: float = 0.0
    n_events: int = 0
    n_used: int = 0
    peak: float | None = None
    residual_s: float | None = None
    variance_s2: float = field(default=0.0, repr=False)
    freedom: float = field(default=1.0, repr=False)

    @property
    def estimable(self) -> bool:
        """Whether there is a delay."""
        return self.delay_s is not None

    def at(self, times: Floats) -> Floats:
        """Return the delay at LSL seconds, shape as given; zero where there is none."""
        return (self.delay_s or 0.0) + (self.drift_ppm or 0.0) * 1e-6 * (times - self.origin_s)


@dataclass(frozen=True)
class Certificate:
    """The three legs of one recording."""

    screen_camera: Leg
    camera_eeg: Leg
    screen_eeg: Leg

    @cached_property
    def legs(self) -> tuple[Leg, Leg, Leg]:
        """All of them."""
        return self.screen_camera, self.camera_eeg, self.screen_eeg


def missing(name: Name, reason: str, *, n_events: int = 0) -> Leg:
    """Return a leg that is not estimable."""
    return Leg(name, reason=reason, n_events=n_events)


NOTHING = Certificate(*(missing(name, "not measured") for name in ("screen-camera", "camera-eeg", "screen-eeg")))


def measure(
    name: Name, first: Floats, second: Floats, *, method: str, first_kind: Integers | None = None,
    second_kind: Integers | None = None, grain_s: float = 0.0,
) -> Leg:  # fmt: skip
    """Measure how much later the second series of events is than the first.

    Parameters
    ----------
    name : str
        The leg.
    first, second : ndarray, shape (n_first,) and (n_second,)
        LSL seconds of the same events as two devices stamped them; either may miss some and hold others of its own.
    method : str
        For the record.
    first_kind, second_kind : ndarray of int, optional
        Events of different kinds (brighter, darker) never belong together.
    grain_s : float
        Time between two looks of the coarser device (a frame): no event is known better than that.

    Returns
    -------
    Leg
    """
    first_kind = np.zeros(len(first), np.int64) if first_kind is None else first_kind
    second_kind = np.zeros(len(second), np.int64) if second_kind is None else second_kind
    n_events = min(len(first), len(second))
    if n_events < MIN_EVENTS:
        return missing(name, f"{n_events} events are too few: {MIN_EVENTS} are needed", n_events=n_events)
    origin = float(np.mean([first.min(), first.max()]))
    pairs = _candidates(first, second, first_kind, second_kind)
    lag, drift, doubt = _best_lag(pairs, origin, n_first=len(first))
    used = _paired(pairs, lag, drift, origin)
    n_expected = _overlapping(first, second, lag)
    reason = doubt or _by_chance(len(used[0]), n_expected, first, second)
    if reason:
        return missing(name, reason, n_events=n_events)
    return _fitted(name, *used, origin=origin, n_events=n_expected, method=method, grain_s=grain_s)


@dataclass(frozen=True)
class _Pairs:
    """Events that could belong together: indices, times of the first, and how much later the second is."""

    i: Integers
    j: Integers
    t: Floats
    late: Floats


def _candidates(first: Floats, second: Floats, first_kind: Integers, second_kind: Integers) -> _Pairs:
    late = second[None, :] - first[:, None]
    low, high = LAG_S
    i, j = np.nonzero((late >= low) & (late <= high) & (first_kind[:, None] == second_kind[None, :]))
    return _Pairs(i, j, first[i], late[i, j])


def _best_lag(pairs: _Pairs, origin: float, *, n_first: int) -> tuple[float, float, str]:
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


def _paired(pairs: _Pairs, lag: float, drift: float, origin: float) -> tuple[Floats, Floats]:
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


def _overlapping(first: Floats, second: Floats, lag: float) -> int:
    """Return how many events could have had a partner: those of the shorter side within the other's time."""
    moved = first + lag
    low, high = max(moved.min(), second.min()) - REACH_S, min(moved.max(), second.max()) + REACH_S
    return int(min(((moved >= low) & (moved <= high)).sum(), ((second >= low) & (second <= high)).sum()))


def _by_chance(n_paired: int, n_expected: int, first: Floats, second: Floats) -> str:
    """Say whether events that have nothing to do with each other would pair up as well; empty when they would not."""
    if n_paired < MIN_EVENTS:
        return f"{n_paired} events pair up: {MIN_EVENTS} are needed"
    if n_paired < MIN_SHARE * n_expected:
        return f"only {n_paired} of {n_expected} events pair up"
    # each event meets a stranger with the probability that one lies within reach; lags that are further apart are other tries
    intervals = np.diff(np.sort(second))
    rate = 1 / float(np.median(intervals)) if len(intervals) else 0.0
    meets = 1 - np.exp(-2 * REACH_S * rate)
    tries = (LAG_S[1] - LAG_S[0]) / REACH_S
    if tries * float(stats.binom.sf(n_paired - 1, n_expected, meets)) > CHANCE:
        return f"{n_paired} of {n_expected} events pair up, as chance alone could have it"
    return ""


def _fitted(
    name: Name, times: Floats, late: Floats, *, origin: float, n_events: int, method: str, grain_s: float
) -> Leg:  # fmt: skip
    """Fit delay and drift through pairs; those that stray are left out."""
    design = np.column_stack([np.ones(len(times)), times - origin])
    free = 2 if np.ptp(times) >= 60.0 else 1  # within a minute no crystal drifts by a millisecond
    used = np.ones(len(times), dtype=bool)
    for _ in range(10):
        solution, *_ = np.linalg.lstsq(design[used, :free], late[used], rcond=None)
        off = late - design[:, :free] @ solution
        centre = float(np.median(off[used]))
        sd = max(1.4826 * float(np.median(np.abs(off[used] - centre))), grain_s / np.sqrt(12), MIN_SD_S)
        keep = np.abs(off - centre) <= CLOSE_SD * sd
        if (keep == used).all() or keep.sum() < MIN_EVENTS:
            break
        used = keep
    n = int(used.sum())
    freedom = max(1, n - free)
    variance = max(float((off[used] ** 2).sum()) / freedom, grain_s**2 / 12, MIN_SD_S**2)
    covariance = np.linalg.inv(design[used, :free].T @ design[used, :free]) * variance
    error2 = float(covariance[0, 0]) + BIAS_S**2
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * float(np.sqrt(error2))
    delay = float(solution[0])
    return Leg(
        name, method, "", delay, delay - half, delay + half, float(solution[1]) * 1e6 if free == 2 else None, origin, n_events,
        n, len(times) / n_events if n_events else None, float(np.sqrt(variance)), error2, freedom,
    )  # fmt: skip


def chain(first: Leg, second: Leg) -> Leg:
    """Return screen -> EEG from screen -> camera and camera -> EEG."""
    if not (first.estimable and second.estimable):
        why = "; ".join(f"{leg.name}: {leg.reason}" for leg in (first, second) if not leg.estimable)
        return missing("screen-eeg", why)
    origin = second.origin_s
    drift = (first.drift_ppm or 0.0) + (second.drift_ppm or 0.0)
    delay = float(first.at(np.array(origin))) + (second.delay_s or 0.0)
    error2 = first.variance_s2 + second.variance_s2
    parts = [leg.variance_s2**2 / leg.freedom for leg in (first, second)]
    freedom = error2**2 / sum(parts) if sum(parts) > 0 else 1.0  # Welch-Satterthwaite
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * float(np.sqrt(error2))
    return Leg(
        "screen-eeg", f"{first.method}, then {second.method}", "", delay, delay - half, delay + half, drift, origin,
        min(first.n_events, second.n_events), min(first.n_used, second.n_used), min(first.peak or 0, second.peak or 0),
        float(np.hypot(first.residual_s or 0, second.residual_s or 0)), error2, freedom,
    )  # fmt: skip


def applied(certificate: Certificate, apply: Literal["certificate", "none"]) -> Certificate:
    """Return what shifts the dataset: everything that is estimable, or nothing where the study only wants a report."""
    return certificate if apply == "certificate" else NOTHING


def record(leg: Leg, apply: Literal["certificate", "none"]) -> dict[str, object]:
    """Return a leg for a sidecar."""
    moves = leg.name != "screen-camera"  # shifts nothing: it only leads to the third
    if not leg.estimable:
        return {"estimable": False, "reason": leg.reason, "applied": False}
    rounded = {
        "delay_s": leg.delay_s, "interval95_s": [leg.low_s, leg.high_s], "drift_ppm": leg.drift_ppm,
        "residual_s": leg.residual_s, "peak": leg.peak,
    }  # fmt: skip
    return {
        "estimable": True, "applied": moves and apply == "certificate", "method": leg.method,
        **{key: _rounded(value) for key, value in rounded.items()}, "n_events": leg.n_events, "n_used": leg.n_used,
    }  # fmt: skip


def _rounded(value: object) -> object:
    if isinstance(value, Sequence):
        return [_rounded(v) for v in value]
    return round(value, 6) if isinstance(value, float) else value
