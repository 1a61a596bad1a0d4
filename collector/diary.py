"""What the launcher writes down: kept until there is a run, then in its journal; a full disk ends nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from protocol.journal import Journal, Kind

logger = logging.getLogger(__name__)


class Diary:
    """The launcher's rows.

    What happens before a run begins (preflight, overrides) is kept, and written first once there is a journal, with the time
    at which it happened as ``t``.

    Parameters
    ----------
    journal : Journal or None
        ``journal-launch.jsonl``, where the run has begun already.
    now : callable
        The LSL clock, seconds.
    """

    def __init__(self, journal: Journal | None = None, *, now: Callable[[], float]) -> None:
        self._journal, self._now = journal, now
        self._kept: list[tuple[Kind, str, dict[str, object]]] = []

    def open(self, journal: Journal) -> None:
        """Go on in a journal, from what was kept on."""
        self._journal = journal
        for kind, name, data in self._kept:
            self.write(kind, name, data)
        self._kept = []

    def write(self, kind: Kind, name: str, data: Mapping[str, object] | None = None, *, sync: bool = False) -> None:
        """Write a row; a launcher that cannot write its own journal still ends the others in order."""
        if self._journal is None:
            self._kept.append((kind, name, {**(data or {}), "t": self._now()}))
            return
        try:
            self._journal.write(kind, name, data, sync=sync)
        except OSError as error:
            logger.error("journal: %s", error)
