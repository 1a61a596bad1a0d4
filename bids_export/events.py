"""Rows of ``events.tsv``: what happened when, on the EEG's own sample clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

NA = "n/a"


class EventsError(ValueError):
    """An events table is not one of ours."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One row; the fields are the columns, in order.

    ``onset`` and ``duration`` are seconds from the first EEG sample on the EEG's own clock, so that ``onset * sfreq`` is a
    sample index at the end of a recording too. ``trial_type`` is ``clip/<emotion>``, ``rest/<emotion>``, ``baseline/..``,
    ``practice``, ``mood_repair``, ``rest``, ``break``, ``pause``, ``rating``, ``sync/..`` or ``BAD_gap``. ``attempt`` is n/a
    but where a trial's clip was begun again (2 ..); ``end`` says which of them is complete. ``target`` is the stimulus norm;
    ``valence`` to ``familiarity`` are self-report.
    """

    onset: float
    duration: float
    trial_type: str
    trial: int | None = None
    block: int | None = None
    stim_id: str | None = None
    target: str | None = None
    valence: int | None = None
    arousal: int | None = None
    dominance: int | None = None
    liking: int | None = None
    rating: str | None = None
    intensity: int | None = None
    familiarity: bool | None = None
    looked_away: bool | None = None
    response_time: float | None = None
    frames_shown: int | None = None
    frames_dropped: int | None = None
    attempt: int | None = None
    end: str | None = None


COLUMNS = tuple(field.name for field in fields(Event))
_INTEGERS = {
    "trial",
    "block",
    "valence",
    "arousal",
    "dominance",
    "liking",
    "intensity",
    "frames_shown",
    "frames_dropped",
    "attempt",
}
_FLAGS = {"looked_away", "familiarity"}
_FLOATS = {"onset", "duration", "response_time"}


def write(path: Path, events: Iterable[Event]) -> None:
    """Write rows as TSV, sorted by onset; seconds to the microsecond."""
    rows = sorted(events, key=lambda event: (event.onset, event.trial_type))
    lines = ["\t".join(COLUMNS), *("\t".join(_cell(getattr(row, name)) for name in COLUMNS) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def read(path: Path) -> list[Event]:
    """Read what :func:`write` wrote.

    Raises
    ------
    EventsError
        When the columns are others.
    """
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    if tuple(header.split("\t")) != COLUMNS:
        raise EventsError(f"{path}: columns are {header.split()}; expected {list(COLUMNS)}")
    return [Event(**dict(map(_value, COLUMNS, line.split("\t")))) for line in lines]  # type: ignore[arg-type]


def _cell(value: object) -> str:
    if value is None:
        return NA
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6f}" if isinstance(value, float) else " ".join(str(value).split()) or NA


def _value(name: str, cell: str) -> tuple[str, object]:
    if cell == NA:
        return name, None
    if name in _FLAGS:
        return name, cell == "yes"
    return name, int(cell) if name in _INTEGERS else float(cell) if name in _FLOATS else cell
