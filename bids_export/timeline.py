"""From markers to rows of ``events.tsv``. Pure: what happened, on the EEG's own sample clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bids_export.alignment import Gap
from bids_export.events import Event
from protocol.markers import Marker
from protocol.ratings import EMOTION, FAMILIARITY, INTENSITY, LOOKED_AWAY

SCALES = ("valence", "arousal", "dominance", "liking", INTENSITY)
BAD_GAP = "BAD_gap"
REPEATED = "repeated"


@dataclass(frozen=True)
class Moment:
    """A marker, and when it was: seconds from the first EEG sample on the EEG's own clock."""

    onset: float
    marker: Marker


def events(
    moments: Sequence[Moment], *, gaps: Sequence[Gap], sfreq: float, duration: float, again: Collection[int] = ()
) -> list[Event]:  # fmt: skip
    """Return the rows of one recording.

    Parameters
    ----------
    moments : sequence of Moment
        In the order of the recording.
    gaps : sequence of Gap
        Samples that were lost and filled in.
    sfreq : float
        Nominal rate of the EEG, Hz.
    duration : float
        Of the EEG, seconds; what was open when the recording ended, ended then.
    again : collection of int
        Trials that a recording which goes on with this one shows in full.

    Returns
    -------
    list of Event
        Sorted by onset. A clip carries the answers that were given after it; each answer has a row of its own too. Of a trial
        that was shown several times in full, the last one is ``complete`` and the earlier ones are ``repeated``, in whichever
        recording they are.
    """
    rows: list[Event] = []
    for n, moment in enumerate(moments):
        after = moments[n + 1 :]
        if make := _MAKERS.get(moment.marker.name):
            rows += make(moment, after, duration)
    rows += [Event(onset=gap.first / sfreq, duration=gap.n / sfreq, trial_type=BAD_GAP) for gap in gaps]
    return sorted(_last_counts(rows, again), key=lambda row: row.onset)


def complete(moments: Sequence[Moment]) -> tuple[int, ...]:
    """Return the trials that a recording shows in full, in their order."""
    rows = events(moments, gaps=(), sfreq=1.0, duration=0.0)
    return in_full(rows)


def in_full(rows: Iterable[Event]) -> tuple[int, ...]:
    """Return the trials of which a row says that they were shown in full, and that this counts."""
    return tuple(sorted({row.trial for row in rows if row.trial is not None and _counts(row)}))


def _last_counts(rows: Sequence[Event], again: Collection[int]) -> list[Event]:
    """Mark the earlier complete attempts at a trial as repeated."""
    last = {row.trial: n for n, row in enumerate(rows) if _counts(row)}
    earlier = [_counts(row) and (last[row.trial] != n or row.trial in again) for n, row in enumerate(rows)]
    return [replace(row, end=REPEATED) if early else row for row, early in zip(rows, earlier, strict=True)]


def _counts(row: Event) -> bool:
    return row.trial is not None and row.end == "complete" and row.trial_type.startswith(("clip/", "rest/"))


def _clip(moment: Moment, after: Sequence[Moment], duration: float) -> list[Event]:
    trial = moment.marker.keys.get("trial")
    end = _first(after, "clip/offset", trial)
    again = _first(after, "clip/onset", trial)
    if end and again and again.onset < end.onset:
        end = None  # it was shown again before it ended: the window crashed in between
    said = end.marker.keys if end else {}
    stop = end.onset if end else after[0].onset if after else duration
    row = _trial_event(moment, f"clip/{moment.marker.keys.get('target', 'unknown')}", stop)
    row = replace(
        row,
        frames_shown=_whole(said.get("shown")),
        frames_dropped=_whole(said.get("dropped")),
        end=said.get("end", "interrupted"),
    )
    return [_answered(row, after, trial)]


def _answered(row: Event, after: Sequence[Moment], trial: str | None) -> Event:
    """Return a clip's row with the answers of its trial, up to where the clip was shown again."""
    for moment in after:
        keys = moment.marker.keys
        if moment.marker.name in ("clip/onset", "rest/onset") and keys.get("trial") == trial:
            break
        if moment.marker.name == "rating" and keys.get("trial") == trial:
            row = _with_answer(row, keys.get("question", ""), keys.get("answer", ""))
    return row


def _rest(moment: Moment, after: Sequence[Moment], duration: float) -> list[Event]:
    keys = moment.marker.keys
    row = _shown(moment, after, duration, f"rest/{keys['target']}" if "target" in keys else "rest")
    return [_answered(row, after, keys.get("trial"))]


def _outside(moment: Moment, after: Sequence[Moment], duration: float) -> list[Event]:
    """Return the row of a clip that is no trial's: practice, or what ends a session. It has no target: no norm to learn."""
    return [replace(_shown(moment, after, duration, moment.marker.name.partition("/")[0]), target=None)]


def _shown(moment: Moment, after: Sequence[Moment], duration: float, trial_type: str) -> Event:
    """Return the row of what has an onset and an offset; one that begins again before it ended was interrupted."""
    name, trial = moment.marker.name.partition("/")[0], moment.marker.keys.get("trial")
    end, again = _first(after, f"{name}/offset", trial), _first(after, f"{name}/onset", trial)
    if end and again and again.onset < end.onset:
        end = None
    stop = end.onset if end else after[0].onset if after else duration
    row = _trial_event(moment, trial_type, stop)
    return replace(row, end=end.marker.keys.get("end", "complete") if end else "interrupted")


def _phase(moment: Moment, after: Sequence[Moment], duration: float) -> list[Event]:
    """Return the row of a baseline or a break."""
    if moment.marker.keys.get("phase") != "onset":
        return []
    ends = (m for m in after if m.marker.name == moment.marker.name)
    end = next(ends, None)
    if end is not None and end.marker.keys.get("phase") != "offset":
        end = None
    stop = end.onset if end else after[0].onset if after else duration
    row = Event(onset=moment.onset, duration=max(0.0, stop - moment.onset), trial_type=moment.marker.name)
    return [replace(row, end="complete" if end else "interrupted")]


def _pause(moment: Moment, after: Sequence[Moment], duration: float) -> list[Event]:
    """Return the row of a pause, up to where it went on; one that nobody ended lasts."""
    end = _first(after, "resume", None)
    stop = end.onset if end else duration
    return [Event(onset=moment.onset, duration=max(0.0, stop - moment.onset), trial_type="pause")]


def _rating(moment: Moment, _: Sequence[Moment], __: float) -> list[Event]:
    """Return the row of one answer: from the flip of the question to the key."""
    keys = moment.marker.keys
    seconds = float(keys["response_s"]) if "response_s" in keys else None
    asked = Moment(moment.onset - (seconds or 0.0), moment.marker)
    row = replace(_trial_event(asked, "rating", moment.onset), response_time=seconds)
    return [_with_answer(row, keys.get("question", ""), keys.get("answer", ""))]


def _sync(moment: Moment, _: Sequence[Moment], __: float) -> list[Event]:
    return [Event(onset=moment.onset, duration=0.0, trial_type=moment.marker.name)]


_MAKERS: dict[str, Callable[[Moment, Sequence[Moment], float], list[Event]]] = {
    "baseline/eyes_open": _phase,
    "baseline/eyes_closed": _phase,
    "break": _phase,
    "pause": _pause,
    "practice/onset": _outside,
    "mood_repair/onset": _outside,
    "clip/onset": _clip,
    "rest/onset": _rest,
    "rating": _rating,
    "sync/cue": _sync,
    "sync/flash": _sync,
}


def _trial_event(moment: Moment, trial_type: str, stop: float) -> Event:
    keys = moment.marker.keys
    return Event(
        onset=moment.onset, duration=max(0.0, stop - moment.onset), trial_type=trial_type, trial=_whole(keys.get("trial")),
        block=_whole(keys.get("block")), stim_id=keys.get("stim_id"), target=keys.get("target"),
        attempt=_whole(keys.get("attempt")),
    )  # fmt: skip


def _with_answer(row: Event, question: str, answer: str) -> Event:
    if question in SCALES:
        scale: dict[str, Any] = {question: int(answer)}
        return replace(row, **scale)
    if question in (LOOKED_AWAY, FAMILIARITY):
        said: dict[str, Any] = {question: answer == "yes"}
        return replace(row, **said)
    return replace(row, rating=answer) if question == EMOTION else row


def _first(moments: Sequence[Moment], name: str, trial: str | None) -> Moment | None:
    return next((m for m in moments if m.marker.name == name and m.marker.keys.get("trial") == trial), None)


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)
