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
from functools import cached_property, partial
from typing import Literal

import numpy as np
from scipy import stats

from bids_export import sync_pairs
from bids_export.arrays import Floats, Integers

Name = Literal["screen-camera", "camera-eeg", "screen-eeg"]

CONFIDENCE = 0.95
CLOSE_SD = 3.0  # pairs that stray further are left out
MIN_SD_S = 0.002
CARRIED_S = 0.015  # a drift that is less sure than this at the recording's ends is not believed
CRYSTAL = 100e-6  # how much two clocks may drift apart where it was not measured
BIAS_S = 0.001  # by which all pairs of a recording may be off alike: frames and lids have no edges


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
    ends_s : tuple of (float, float) or None
        The 95 % interval of the delay at the first and at the last moment of the recording: wider than at ``origin_s``, much
        wider where no drift was measured.
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
    ends_s: tuple[tuple[float, float], tuple[float, float]] | None = None

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
    second_kind: Integers | None = None, grain_s: float = 0.0, span: tuple[float, float] | None = None,
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
    span : (float, float), optional
        LSL seconds of the recording's beginning and end, to which the delay is carried; else from first to last event.

    Returns
    -------
    Leg
    """
    first_kind = np.zeros(len(first), np.int64) if first_kind is None else first_kind
    second_kind = np.zeros(len(second), np.int64) if second_kind is None else second_kind
    n_events = min(len(first), len(second))
    if n_events < sync_pairs.MIN_EVENTS:
        return missing(name, f"{n_events} events are too few: {sync_pairs.MIN_EVENTS} are needed", n_events=n_events)
    origin = float(np.mean([first.min(), first.max()]))
    pairs = sync_pairs.candidates(first, second, first_kind, second_kind)
    lag, drift, doubt = sync_pairs.best_lag(pairs, origin, n_first=len(first))
    used = sync_pairs.paired(pairs, lag, drift, origin)
    n_expected = sync_pairs.overlapping(first, second, lag)
    reason = doubt or sync_pairs.by_chance(len(used[0]), n_expected, first, second)
    if reason:
        return missing(name, reason, n_events=n_events)
    span = span or (float(first.min()), float(first.max()))
    fit = partial(_fitted, name, *used, origin=origin, n_events=n_expected, method=method, grain_s=grain_s, span=span)
    if np.ptp(used[0]) >= 60.0:  # within a minute no crystal drifts by a millisecond
        fitted, error = fit(free=2)
        if error * max(abs(t - origin) for t in span) <= CARRIED_S:
            return fitted
    return fit(free=1)[0]


def _fitted(
    name: Name, times: Floats, late: Floats, *, free: int, origin: float, n_events: int, method: str, grain_s: float,
    span: tuple[float, float],
) -> tuple[Leg, float]:  # fmt: skip
    """Fit the delay, and with two ``free`` parameters the drift and its standard error; pairs that stray are left out."""
    design = np.column_stack([np.ones(len(times)), times - origin])
    used = np.ones(len(times), dtype=bool)
    for _ in range(10):
        solution, *_ = np.linalg.lstsq(design[used, :free], late[used], rcond=None)
        off = late - design[:, :free] @ solution
        centre = float(np.median(off[used]))
        sd = max(1.4826 * float(np.median(np.abs(off[used] - centre))), grain_s / np.sqrt(12), MIN_SD_S)
        keep = np.abs(off - centre) <= CLOSE_SD * sd
        if (keep == used).all() or keep.sum() < sync_pairs.MIN_EVENTS:
            break
        used = keep
    n = int(used.sum())
    freedom = max(1, n - free)
    variance = max(float((off[used] ** 2).sum()) / freedom, grain_s**2 / 12, MIN_SD_S**2)
    covariance = np.linalg.inv(design[used, :free].T @ design[used, :free]) * variance
    error2 = float(covariance[0, 0]) + BIAS_S**2
    quantile = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom))
    half = quantile * float(np.sqrt(error2))
    delay, drift = float(solution[0]), float(solution[1]) if free == 2 else 0.0
    apart = np.array(span) - origin
    carried = np.column_stack([np.ones(2), apart])[:, :free]
    spread = quantile * np.sqrt(np.sum((carried @ covariance) * carried, axis=1) + BIAS_S**2)
    spread = spread + (CRYSTAL * np.abs(apart) if free == 1 else 0.0)
    start, stop = ((delay + drift * x - w, delay + drift * x + w) for x, w in zip(apart.tolist(), spread.tolist(), strict=True))
    return Leg(
        name, method, "", delay, delay - half, delay + half, drift * 1e6 if free == 2 else None, origin, n_events,
        n, len(times) / n_events if n_events else None, float(np.sqrt(variance)), error2, freedom, (start, stop),
    ), float(np.sqrt(covariance[-1, -1])) if free == 2 else 0.0  # fmt: skip


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
        _both_ends(first, second),
    )  # fmt: skip


def _both_ends(first: Leg, second: Leg) -> tuple[tuple[float, float], tuple[float, float]] | None:
    if first.ends_s is None or second.ends_s is None:
        return None
    start, stop = (_summed(a, b) for a, b in zip(first.ends_s, second.ends_s, strict=True))
    return start, stop


def _summed(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    """Return the interval of the sum of two independent delays."""
    middle = (sum(first) + sum(second)) / 2
    half = float(np.hypot(first[1] - first[0], second[1] - second[0])) / 2
    return middle - half, middle + half


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
        "interval95_at_start_s": leg.ends_s[0] if leg.ends_s else None,
        "interval95_at_end_s": leg.ends_s[1] if leg.ends_s else None,
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
