"""The contact-quality rule: one pure function for the live gate, the verdict, the export and the report.

The paper's rule (Le & Nguyen 2025, section 5.1) is "a signal quality reported by the device of 80 % or higher". Ours says of
what: the device's Overall, weighted by time, from the first baseline to the last clip's end without the pauses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from collector import xdf
from collector.offsets import fit_clock
from protocol import markers
from protocol.folder import Quality
from protocol.markers import Marker, MarkerError
from protocol.study import Stream as Wanted
from protocol.study import Study

HOLD_S = 2.0  # a reading counts until the next one, but no longer: the device reports twice a second
MIN_COVERAGE = 0.95  # below, too little of the session was judged by the device to keep or exclude anybody
LOST_LIMIT = 0.25  # share of a clip's EEG: with more of it lost, windows of seconds no longer fit between the gaps
# Emotiv's levels of contact per sensor (0, 1, 2, 4; there is no 3) as a share of good contact
CQ_LEVELS = 4.0
EQ_LEVELS = 4.0

WORDS: Mapping[str, str] = {"CQ": "contact quality", "EQ": "EEG quality"}  # letters explain themselves to nobody
_NO_SENSORS = ("Timestamp", "BatteryPercent", "Overall", "Signal", "SampleRateQuality")  # of Emotiv's quality streams
_CUTS = ("window/lost", "abort", "session/end")  # what ends a clip that has no offset
_BASELINES = ("baseline/eyes_open", "baseline/eyes_closed")

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
    said = WORDS[metric]
    if not n:
        return "not_judged", f"no {said} reading was recorded"
    # the tolerance is for sums of floats alone: 1e-9 is a thousandth of a millionth of the range
    if value is None or coverage < MIN_COVERAGE - 1e-9:
        return "not_judged", f"{said} readings cover {coverage:.1%} of the session, less than {MIN_COVERAGE:.0%}"
    if value >= threshold - 1e-9:
        return "keep", ""
    return "exclude", f"{said} {value:.2%} is below {threshold:.2%}"


def pool(parts: Sequence[tuple[Quality, float]]) -> Quality:
    """Judge the runs of one session together: a run counts by the time in which the device judged it.

    Parameters
    ----------
    parts : sequence of (Quality, float)
        The verdict of each run, at least one, and the seconds that were to be judged (of its :func:`judged_spans`).

    Returns
    -------
    Quality
        Of the session, by the rule of :func:`judge`.
    """
    first = parts[0][0]
    total = sum(seconds for _, seconds in parts)
    held = np.array([quality.coverage * seconds for quality, seconds in parts])
    known = [(quality, h) for (quality, _), h in zip(parts, held, strict=True) if quality.value is not None and h > 0]
    judged = float(sum(h for _, h in known))
    value = float(sum((quality.value or 0.0) * h for quality, h in known)) / judged if judged > 0 else None
    names = dict.fromkeys(name for quality, _ in known for name in quality.per_sensor)
    sensors = {name: _mean([(q.per_sensor[name], h) for q, h in known if name in q.per_sensor]) for name in names}
    coverage, n = (judged / total if total > 0 else 0.0), sum(quality.n for quality, _ in parts)
    verdict, reason = _verdict(value, coverage, n=n, total=total, threshold=first.threshold, metric=first.metric)
    return Quality(
        metric=first.metric, over=first.over, threshold=first.threshold, value=value, coverage=coverage, n=n,
        per_sensor=sensors, verdict=verdict, reason=reason,
    )  # fmt: skip


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    return sum(value * weight for value, weight in weighted) / sum(weight for _, weight in weighted)


def judge_streams(streams: Mapping[int, xdf.Stream], study: Study) -> Quality:
    """Judge one recording as it was written: the study says which of the device's two measures counts, and over what.

    Parameters
    ----------
    streams : mapping of int to xdf.Stream
        A whole recording.
    study : Study
        Its study.

    Returns
    -------
    Quality
        ``not_judged`` where the stream is missing, was not described, or covers too little.
    """
    rule = study.contact_quality
    times, overall, sensors = _readings(streams, study)
    return judge(
        times, overall, spans=judged_spans(marker_rows(streams), rule.over), threshold=rule.threshold,
        metric=rule.metric, over=rule.over, per_sensor=sensors,
    )  # fmt: skip


def judged_spans(rows: Iterable[tuple[float, Marker]], over: Literal["recording", "clips"]) -> list[Span]:
    """Return the time that is judged.

    Parameters
    ----------
    rows : iterable of (float, Marker)
        Markers with their stamps, LSL seconds, ascending.
    over : str
        ``recording``: from the first baseline (without one: the first clip) to the end of the last clip; ``clips``: the
        clips alone, and rests that stand for a clip; of one that was cut short what was shown. Pauses do not count in either.
    """
    rows = list(rows)
    clips = [span for n, (t, marker) in enumerate(rows) if _is_trial(marker) for span in _lasted(t, marker, rows[n + 1 :])]
    starts = (t for t, marker in rows if _is_trial(marker) or (marker.name in _BASELINES and _begins(marker)))
    start = next(starts, None)
    if not clips or start is None:
        return []
    spans = clips if over == "clips" else [(start, max(stop for _, stop in clips))]
    return without(spans, _pauses(rows))


def _is_trial(marker: Marker) -> bool:
    """Tell whether a clip begins, or a rest that stands for one."""
    return marker.name == "clip/onset" or (marker.name == "rest/onset" and "target" in marker.keys)


def _lasted(t: float, marker: Marker, after: Sequence[tuple[float, Marker]]) -> list[Span]:
    """Return when a clip was shown: up to its offset; one that was cut short, up to whatever came next."""
    name, trial = marker.name.partition("/")[0], marker.keys.get("trial")
    for stop, other in after:
        if other.name == f"{name}/offset" and other.keys.get("trial") == trial:
            return [(t, stop)]
        if _is_trial(other) or other.name in _CUTS:
            return [(t, after[0][0])]
    return []  # the recording ended in it, nobody knows when


def _pauses(rows: Sequence[tuple[float, Marker]]) -> list[Span]:
    pauses: list[Span] = []
    since: float | None = None
    for t, marker in rows:
        if marker.name == "pause" and since is None:
            since = t
        elif marker.name == "resume" and since is not None:
            pauses.append((since, t))
            since = None
    # a pause that nobody ended has lasted since
    return pauses if since is None else [*pauses, (since, np.inf)]


def marker_rows(streams: Mapping[int, xdf.Stream]) -> list[tuple[float, Marker]]:
    """Return the window's markers with their stamps on the recorder's clock; what is not one of ours is passed over."""
    rows = []
    for stream in streams.values():
        if stream.header.name != markers.STREAM_NAME or not isinstance(stream.values, list):
            continue
        for t, values in zip(on_recorder(stream).tolist(), stream.values, strict=True):
            try:
                rows.append((t, markers.parse(values[0])))
            except MarkerError:
                continue  # a newer window may say more than we know
    return sorted(rows, key=lambda row: row[0])


def on_recorder(stream: xdf.Stream) -> NDArray[np.float64]:
    """Return a stream's stamps on the recorder's clock, by its measured offsets; everybody who asks gets the same."""
    return fit_clock(stream.offsets).map(stream.stamps)


def matches(wanted: Wanted, header: xdf.StreamHeader) -> bool:
    """Tell whether a stream is the one that the study describes."""
    asked = (wanted.name, wanted.type, wanted.host, wanted.source_id)
    found = (header.name, header.type, header.hostname, header.source_id)
    return all(a is None or a == f for a, f in zip(asked, found, strict=True))


def _begins(marker: Marker) -> bool:
    return marker.keys.get("phase", "onset") == "onset"


def without(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """Cut holes out of spans.

    Examples
    --------
    >>> without([(0.0, 10.0)], [(2.0, 3.0), (9.0, 20.0)])
    [(0.0, 2.0), (3.0, 9.0)]
    """
    for start, stop in holes:
        spans = [part for a, b in spans for part in ((a, min(b, start)), (max(a, stop), b)) if part[0] < part[1]]
    return list(spans)


def _readings(
    streams: Mapping[int, xdf.Stream], study: Study
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Return when the device judged, its Overall, and the share of good contact per analysed sensor."""
    eeg, metric = study.eeg, study.contact_quality.metric
    wanted = eeg.contact_quality_stream if metric == "CQ" else eeg.eeg_quality_stream
    # a device that came back after it was lost has a second stream
    found = [s for s in streams.values() if wanted is not None and matches(wanted, s.header) and "Overall" in s.header.labels]
    if not found:
        return np.zeros(0), np.zeros(0), {}
    labels = found[0].header.labels
    same = [s for s in found if s.header.labels == labels]
    times = np.concatenate([on_recorder(s) for s in same])
    values = np.concatenate([np.asarray(s.values, np.float64) for s in same])
    overall = values[:, labels.index("Overall")]
    told = (overall >= 0) & (overall <= 100)  # false for NaN too: what the device did not tell is a gap
    order = np.argsort(times[told], kind="stable")
    times, values, overall = times[told][order], values[told][order], overall[told][order]
    levels = CQ_LEVELS if metric == "CQ" else EQ_LEVELS
    # a level that the device did not tell is no good contact
    shares = {name: np.clip(np.nan_to_num(values[:, labels.index(name)]) / levels, 0, 1) for name in analysed(labels, study)}
    return times, overall, shares


def analysed(labels: Sequence[str], study: Study) -> list[str]:
    """Return the sensors of a quality stream that the study analyses, in the order of the stream."""
    return sensors(labels, channels=study.eeg.channels, exclude=study.eeg.exclude)


def sensors(labels: Sequence[str], *, channels: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """Return which labels of a quality stream are sensors among ``channels`` (empty: all) and not to be left out."""
    chosen = channels or [name for name in labels if name not in _NO_SENSORS]
    return [name for name in labels if name in chosen and name not in exclude]
