"""What the launcher wrote down: overrides, whether blinks were seen before the first clip, what a participant took back."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from protocol import journal
from protocol.folder import CHOICE, Run
from protocol.journal import JournalError, Row

logger = logging.getLogger(__name__)

ContactState = Literal["ok", "no_blinks", "not_checked"]
COLUMNS = ("contact_check", "overrides")
_JOIN = "+"


@dataclass(frozen=True)
class Override:
    """Something that spoke against the start; ``text`` says what, ``reason`` why somebody started all the same."""

    code: str
    text: str = ""
    reason: str = ""

    def __str__(self) -> str:
        """Say it in words."""
        return f"overridden: {self.text or self.code}" + (f" ({self.reason})" if self.reason else "")


@dataclass(frozen=True)
class Started:
    """What is known of a start.

    Parameters
    ----------
    overrides : tuple of Override
        In the order in which they were given.
    contact : {"ok", "no_blinks", "not_checked"} or None
        What the check of the cued blinks found before the first clip; None where there was none.
    n_cues, n_seen : int
        Cues, and those that a blink answered, as that check saw it.
    """

    overrides: tuple[Override, ...] = ()
    contact: ContactState | None = None
    n_cues: int = 0
    n_seen: int = 0

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return what a verdict must repeat."""
        unseen = ("no blinks were seen before the first clip",) if self.contact == "no_blinks" else ()
        return (*unseen, *map(str, self.overrides))

    def columns(self) -> dict[str, object]:
        """Return the cells of a dataset's table: codes alone, nothing that somebody typed."""
        codes = _JOIN.join(dict.fromkeys(one.code for one in self.overrides))
        return {"contact_check": self.contact, "overrides": codes or None}


def of_run(run: Run) -> Started:
    """Return what the launcher wrote down; nothing where another program recorded."""
    path = run.journal("launch")
    try:
        return of_rows(journal.read(path)) if path.exists() else Started()
    except JournalError as error:
        logger.warning("%s: how the recording was started is not known", error)
        return Started()


def withdrawn(run: Run) -> bool:
    """Return whether the participant, asked when the session was broken off, did not want its recording to be kept."""
    path = run.journal("launch")
    try:
        rows = journal.read(path) if path.exists() else []
    except JournalError:
        return False  # of_run says so
    chosen = [row.data.get("choice") for row in rows if (row.kind, row.name) == ("note", CHOICE)]
    return chosen[-1:] == ["withdraw"]


def of_rows(rows: Iterable[Row]) -> Started:
    """Return what the launcher's journal says; of several checks the last one counts."""
    notes = [row for row in rows if row.kind == "note"]
    overrides = [_override(row.data) for row in notes if row.name == "override"]
    checks = [row.data for row in notes if row.name == "contact" and row.data.get("state") in get_args(ContactState)]
    last: Mapping[str, Any] = checks[-1] if checks else {}
    return Started(tuple(dict.fromkeys(overrides)), last.get("state"), int(last.get("n_cues", 0)), int(last.get("n_seen", 0)))


def _override(data: Mapping[str, Any]) -> Override:
    return Override(*(str(data.get(key, "")) for key in ("code", "text", "reason")))


def of_columns(row: Mapping[str, str]) -> Started:
    """Return what a dataset remembers of it."""
    said, codes = row.get("contact_check", ""), row.get("overrides", "")
    found: ContactState | None = next((state for state in get_args(ContactState) if state == said), None)
    return Started(tuple(Override(code) for code in codes.split(_JOIN) if code not in ("", "n/a")), found)
