"""A command that answers one question in JSON, started as a child: nobody waits for it, and its fault is no fault of ours."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector import processes
from collector.crew import Who
from collector.team import Team

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What it said; ``said`` is None, and ``why`` says so, where it said nothing that can be read."""

    code: int | None
    said: Any = None
    why: str = ""


class Helper:
    """One question, asked of a child.

    Parameters
    ----------
    team : Team
        Starts it.
    who : str
        What it is called.
    argv : tuple of str
        Its command line.
    limit_s : float
        When it is given up.
    now : callable
        Seconds.
    """

    def __init__(self, team: Team, who: Who, argv: tuple[str, ...], *, limit_s: float, now: Callable[[], float]) -> None:
        self._team, self._who, self._argv, self._limit_s, self._now = team, who, argv, limit_s, now
        self._began: float | None = None
        self._out = Path()

    @property
    def asked(self) -> bool:
        """Whether it is at work."""
        return self._began is not None

    def ask(self) -> None:
        """Start it, if it is not at work."""
        if self._began is None:
            self._began, self._out = self._now(), self._team.scratch / f"{self._who}.json"
            self._team.start(self._who, self._argv, out=self._out)

    def look(self) -> Answer | None:
        """Return its answer once it is there."""
        if self._began is None:
            return None
        child = self._team.children[self._who]
        if child.code is None:
            if self._now() - self._began < self._limit_s:
                return None
            processes.kill(child)
            self._began = None
            return Answer(None, why=f"took longer than {self._limit_s:.0f} s")
        self._began = None
        return _read(self._out, child)

    def cancel(self) -> None:
        """Give it up."""
        if self._began is not None:
            processes.kill(self._team.children[self._who])
            self._began = None


def _read(out: Path, child: processes.Child) -> Answer:
    try:
        return Answer(child.code, json.loads(out.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        logger.warning("%s: %s", child.name, child.why())
        return Answer(child.code, why=child.why())
