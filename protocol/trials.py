"""The trial table: one CSV row for each attempt at a trial, written as the attempt ends."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class TrialsError(ValueError):
    """A trial table is not one of ours."""


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """One attempt at a trial; the fields are the columns, in order (``clip_started`` is ``clip.started``, as in PsychoPy).

    ``attempt`` counts how often the trial's clip was begun in the participant's session; ``kind`` is ``clip``, or ``rest`` for
    a rest that stands for one. ``clip_started`` and ``clip_stopped`` are LSL seconds of flips; ``.._rt`` are seconds from a
    question to its answer; ``rating`` is the emotion that the participant chose, ``intensity`` how strong it was;
    ``looked_away`` and ``familiarity`` are ``yes`` or ``no``. None is an empty cell.
    """

    participant: str
    session: str
    run: str
    trial: int
    block: int
    attempt: int = 1
    kind: str = "clip"
    stim_id: str
    target: str
    clip_started: float | None = field(default=None, metadata={"column": "clip.started"})
    clip_stopped: float | None = field(default=None, metadata={"column": "clip.stopped"})
    shown: int | None = None
    dropped: int | None = None
    repeated: int | None = None
    onset_error_s: float | None = None
    audio_offset_s: float | None = None
    end: str
    valence: int | None = None
    arousal: int | None = None
    dominance: int | None = None
    liking: int | None = None
    rating: str | None = None
    intensity: int | None = None
    looked_away: str | None = None
    familiarity: str | None = None
    valence_rt: float | None = field(default=None, metadata={"column": "valence.rt"})
    arousal_rt: float | None = field(default=None, metadata={"column": "arousal.rt"})
    dominance_rt: float | None = field(default=None, metadata={"column": "dominance.rt"})
    liking_rt: float | None = field(default=None, metadata={"column": "liking.rt"})
    rating_rt: float | None = field(default=None, metadata={"column": "rating.rt"})
    intensity_rt: float | None = field(default=None, metadata={"column": "intensity.rt"})


_FIELDS: Mapping[str, str] = {f.metadata.get("column", f.name): f.name for f in fields(TrialRow)}
_TYPES = {f.name: str(f.type).partition(" ")[0] for f in fields(TrialRow)}
COLUMNS = tuple(_FIELDS)


class TrialTable:
    """Appends rows to one file; a table that a crash cut short is continued.

    Parameters
    ----------
    path : Path
        ``.._trials.csv``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists():
            os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
        if not path.exists() or not path.stat().st_size:
            self._write(COLUMNS)
        self._rows = {(row.trial, row.attempt) for row in read(path)}

    def has(self, trial: int, attempt: int) -> bool:
        """Return whether an attempt's row stands there."""
        return (trial, attempt) in self._rows

    def append(self, row: TrialRow) -> None:
        """Write one row and wait for the disk: never while a clip plays."""
        self._write(["" if (value := getattr(row, name)) is None else value for name in _FIELDS.values()])
        self._rows.add((row.trial, row.attempt))

    def _write(self, cells: Any) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(line.getvalue())
            file.flush()
            os.fsync(file.fileno())


def read(path: Path) -> list[TrialRow]:
    """Read a trial table; a torn last line, as a crash leaves it, is dropped.

    Raises
    ------
    TrialsError
        When it is not such a table; one line with file, line and cure.
    """
    whole = path.read_bytes().rpartition(b"\n")[0].decode("utf-8", errors="replace")
    try:
        header, *lines = list(csv.reader(whole.split("\n")))
        if tuple(header) != COLUMNS:
            raise TrialsError(f"{path}, line 1: columns = {str(header)[:200]}: is not a trial table of ours")
        return [_row(cells) for cells in lines]
    except TrialsError:
        raise
    except (ValueError, TypeError, csv.Error) as error:
        raise TrialsError(f"{path}: {str(error)[:200]}; it was edited or damaged: restore it from a copy") from None


def _row(cells: list[str]) -> TrialRow:
    kinds = {"str": str, "int": int, "float": float}
    named = zip(_FIELDS.values(), cells, strict=True)
    values: dict[str, Any] = {name: kinds[_TYPES[name]](cell) for name, cell in named if cell}
    return TrialRow(**values)
