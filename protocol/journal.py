"""The journal: one line per transition, written before it happens, so that a crash can be resumed from.

One file per process (``journal-window.jsonl`` ..), because one writer per file needs no lock. LSL time restarts at boot, so
both clocks and the boot's id stand in each row.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCHEMA = 1
Kind = Literal["state", "command", "alarm", "note"]


class JournalError(ValueError):
    """A journal holds a line that is not a row, elsewhere than at its torn end."""


class Row(BaseModel):
    """One line of a journal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: int = Field(default=SCHEMA, alias="schema")
    seq: int
    t_lsl: float
    t_wall: str
    boot: str
    kind: Kind
    name: str
    data: Mapping[str, Any] = {}

    def to_json(self) -> str:
        """Return the row as one line of JSON without the line's end."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read what :meth:`to_json` wrote."""
        return cls.model_validate_json(line)


@cache
def boot_id() -> str:
    """Return an id that changes when the machine starts anew (with it the LSL clock restarts)."""
    linux = Path("/proc/sys/kernel/random/boot_id")
    if linux.exists():
        return linux.read_text(encoding="ascii").strip()
    return f"boot-{round((time.time() - time.monotonic()) / 60)}"  # the minute of the start, where the system tells no id


def wall_now() -> str:
    """Return the wall clock as ISO 8601 in UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Journal:
    """Appends rows to one file.

    Parameters
    ----------
    path : Path
        ``journal-<who>.jsonl``; an existing file is continued, its ``seq`` too.
    now : callable
        The LSL clock, seconds.
    wall : callable
        The wall clock as ISO 8601 text.
    """

    def __init__(self, path: Path, *, now: Callable[[], float], wall: Callable[[], str] = wall_now) -> None:
        self.path, self._now, self._wall = path, now, wall
        rows = read(path) if path.exists() else []
        self._seq = rows[-1].seq + 1 if rows else 0
        if path.exists():
            os.truncate(path, path.read_bytes().rfind(b"\n") + 1)  # drop the torn last line of a crash
        self._file = path.open("a", encoding="utf-8", newline="\n")

    def write(self, kind: Kind, name: str, data: Mapping[str, Any] | None = None, *, sync: bool = False) -> Row:
        """Append one row; ``sync`` waits for the disk, which may take 50 ms: never while a clip plays."""
        row = Row(seq=self._seq, t_lsl=self._now(), t_wall=self._wall(), boot=boot_id(), kind=kind, name=name, data=data or {})
        self._file.write(row.to_json() + "\n")
        self._file.flush()
        if sync:
            os.fsync(self._file.fileno())
        self._seq += 1
        return row

    def close(self) -> None:
        """Close the file; nothing is buffered, so a missing call loses nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(path: Path) -> list[Row]:
    """Read a journal; a torn last line, as a crash leaves it, is dropped.

    Raises
    ------
    JournalError
        When another line than the last is damaged.
    """
    lines = path.read_bytes().split(b"\n")
    rows = []
    for n, line in enumerate(lines[:-1], 1):
        try:
            rows.append(Row.from_json(line.decode("utf-8")))
        except (ValidationError, UnicodeDecodeError) as error:
            raise JournalError(f"{path.name}, line {n}: not a journal row") from error
    return rows
