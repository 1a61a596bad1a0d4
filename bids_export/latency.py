"""How long samples are on their way, over the recording. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bids_export.arrays import Floats

PLAUSIBLE_S = (-1.0, 10.0)  # outside, the device's wall clock is another than ours, or tells nothing
BIN_S = 60.0


@dataclass(frozen=True)
class Latency:
    """From a sample's birth, as the device tells it, to its stamp; seconds.

    It is as true as the device's clock agrees with that of the recording computer, and shifts nothing: it is told.

    Parameters
    ----------
    median_s, p95_s : float
        Over the whole recording.
    drift_ppm : float
        How fast it grows.
    course : tuple of (float, float)
        Minutes from the first sample, and the median of each minute.
    """

    median_s: float
    p95_s: float
    drift_ppm: float
    course: tuple[tuple[float, float], ...]


def transport(stamps: Floats, born: Floats) -> Latency | None:
    """Measure the latency of a stream.

    Parameters
    ----------
    stamps, born : ndarray, shape (n_samples,)
        LSL seconds at which samples were stamped, and at which they were born.

    Returns
    -------
    Latency or None
        None where the device's clock cannot be the recording computer's.
    """
    late = stamps - born
    told = np.isfinite(late)
    if told.sum() < 2 or np.ptp(born[told]) <= 0:
        return None
    stamps, late = stamps[told], late[told]
    median = float(np.median(late))
    if not PLAUSIBLE_S[0] <= median <= PLAUSIBLE_S[1]:
        return None
    minute = ((stamps - stamps[0]) // BIN_S).astype(int)
    course = tuple((float(m), round(float(np.median(late[minute == m])), 6)) for m in np.unique(minute))
    middles = np.array([stamps[minute == m].mean() for m in np.unique(minute)])
    drift = float(np.polyfit(middles - middles[0], [v for _, v in course], 1)[0]) * 1e6 if len(course) > 2 else 0.0
    return Latency(median, float(np.quantile(late, 0.95)), drift, course)


def record(latency: Latency) -> dict[str, object]:
    """Return it for a sidecar."""
    return {
        "Description": "Seconds from a sample's birth, as the device's own clock tells it, to its arrival; told, not corrected",
        "median_s": round(latency.median_s, 6), "p95_s": round(latency.p95_s, 6), "drift_ppm": round(latency.drift_ppm, 2),
        "median_by_minute_s": [value for _, value in latency.course],
    }  # fmt: skip
