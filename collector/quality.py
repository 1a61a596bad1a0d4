"""The contact-quality rule: one pure function for the live gate, the verdict, the export and the report.

The paper's rule (Le & Nguyen 2025, section 5.1) is "a signal quality reported by the device of 80 % or higher". Ours says of
what: the device's Overall, weighted by time, from the first baseline to the last clip's end without the pauses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from protocol.folder import Quality

HOLD_S = 2.0  # a reading counts until the next one, but no longer: the device reports twice a second
MIN_COVERAGE = 0.95  # below, too little of the session was judged by the device to keep or exclude anybody
# Emotiv's levels of contact per sensor (0, 1, 2, 4; there is no 3) as a share of good contact
CQ_LEVELS = 4.0
EQ_LEVELS = 4.0

Span = tuple[float, float]


def judge(
    times: NDArray[np.float64],
    overall: NDArray[np.float64],
    *,
    spans: Sequence[Span],
    threshold: float,
    metric: Literal["CQ", "EQ"] = "CQ",
    over: Literal["recording", "clips"] = "recording",
    per_sensor: Mapping[str, NDArray[np.float64]] | None = None,
) -> Quality:
    """Judge one recording by the device's own quality stream.

    Parameters
    ----------
    times : ndarray, shape (n_readings,)
        When each reading was made, LSL seconds, ascending.
    overall : ndarray, shape (n_readings,)
        The device's Overall, 0 to 100.
    spans : sequence of (float, float)
        The judged time, LSL seconds: from the first baseline to the last clip's end without pauses, or the clips alone.
    threshold : float
        Share from 0 to 1; a value equal to it is kept.
    metric, over : str
        What was judged, for the record.
    per_sensor : mapping of str to ndarray, shape (n_readings,)
        Share of good contact per analysed sensor, 0 to 1.

    Returns
    -------
    Quality
        ``keep`` when the time-weighted mean reaches the threshold, ``exclude`` when not, ``not_judged`` when the device's
        readings, each held for at most :data:`HOLD_S`, cover less than :data:`MIN_COVERAGE` of the spans.
    """
    weights = _held(times, spans)
    total, held = sum(stop - start for start, stop in spans), float(weights.sum())
    coverage = min(1.0, held / total) if total > 0 else 0.0
    value = float(weights @ overall / held / 100) if held > 0 else None
    sensors = {name: float(weights @ share / held) for name, share in (per_sensor or {}).items()} if held > 0 else {}
    verdict, reason = _verdict(value, coverage, n=len(times), total=total, threshold=threshold, metric=metric)
    return Quality(
        metric=metric, over=over, threshold=threshold, value=value, coverage=coverage, n=int((weights > 0).sum()),
        per_sensor=sensors, verdict=verdict, reason=reason,
    )  # fmt: skip


def _held(times: NDArray[np.float64], spans: Sequence[Span]) -> NDArray[np.float64]:
    """Return for how many seconds of the spans each reading holds."""
    if not len(times):
        return np.zeros(0)
    ends = np.minimum(np.append(times[1:], np.inf), times + HOLD_S)
    overlaps = [np.clip(np.minimum(ends, stop) - np.maximum(times, start), 0, None) for start, stop in spans]
    return np.sum(overlaps, axis=0) if overlaps else np.zeros(len(times))


def _verdict(
    value: float | None, coverage: float, *, n: int, total: float, threshold: float, metric: str
) -> tuple[Literal["keep", "exclude", "not_judged"], str]:
    if not total > 0:
        return "not_judged", "no clip was played"
    if not n:
        return "not_judged", f"no {metric} reading was recorded"
    # the tolerance is for sums of floats alone: 1e-9 is a thousandth of a millionth of the range
    if value is None or coverage < MIN_COVERAGE - 1e-9:
        return "not_judged", f"{metric} readings cover {coverage:.1%} of the session, less than {MIN_COVERAGE:.0%}"
    if value >= threshold - 1e-9:
        return "keep", ""
    return "exclude", f"{metric} {value:.2%} is below {threshold:.2%}"
