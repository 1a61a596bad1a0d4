"""The collector's end of the wire and its journal: alarms once each, commands once each, status twice a second."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from protocol.journal import Journal, Kind
from protocol.link import Link
from protocol.messages import Ack, Alarm, Command, Preview, Status

log = logging.getLogger(__name__)

STATUS_S = 0.5
HEARD_S = 3.0  # a launcher that says nothing for longer gets no pictures: it beats once a second, and alarms go before those
_OBEYED = ("stop", "abort", "note")


class Desk:
    """Used from one thread alone.

    Parameters
    ----------
    link : Link or None
        None where there is no launcher.
    journal : Journal or None
        None where only a file is recorded.
    now : callable
        The LSL clock.
    """

    def __init__(self, link: Link | None, journal: Journal | None, *, now: Callable[[], float]) -> None:
        self._link, self._journal, self._now = link, journal, now
        self.t_heard: float | None = None
        self._done: set[str] = set()
        self._alarms: dict[str, Alarm] = {}  # that are on
        self._t_status = float("-inf")

    @property
    def linked(self) -> bool:
        """Whether there is a launcher to tell."""
        return self._link is not None

    def commands(self) -> list[Command]:
        """Return the commands that came in, each once however often it was sent, and acknowledge them."""
        found = []
        for envelope in self._link.receive() if self._link else ():
            self.t_heard = self._now()
            if not isinstance(envelope.body, Command):
                continue
            known = envelope.body.verb in _OBEYED
            if known and envelope.id not in self._done:
                found.append(envelope.body)
            self._done.add(envelope.id)
            error = "" if known else f"{envelope.body.verb}: the collector obeys {', '.join(_OBEYED)}"
            assert self._link is not None
            self._link.send(Ack(of=envelope.id, ok=known, error=error))
        for command in found:
            self.write("command", command.verb, {"reason": command.reason, "arg": command.arg})
        return found

    def alarm(
        self, code: str, *, on: bool, why: str = "", level: Literal["warn", "stop"] = "warn", t: float | None = None
    ) -> bool:
        """Raise an alarm or clear it; returns whether that is news."""
        if on == (code in self._alarms):
            return False
        t_cause = self._now() if t is None else t
        told = Alarm(code=code, level=level, t_cause=t_cause, cleared=not on, why=why)
        if on:
            self._alarms[code] = told
        else:
            del self._alarms[code]
        log.warning("%s%s%s", code, f": {why}" if why else "", "" if on else " is over")
        self.write("alarm", code, {"why": why, "level": level, "t_cause": t_cause, "cleared": not on})
        if self._link:
            self._link.send(told)  # where nobody takes it, the next status says it again
        return True

    def tell(self, status: Callable[[], Status], *, at_once: bool = False) -> None:
        """Send the status where one is due, with the alarms that are on; it is made only then."""
        if self._link and (at_once or self._now() - self._t_status >= STATUS_S):
            self._t_status = self._now()
            self._link.send(msgspec.structs.replace(status(), alarms=tuple(self._alarms.values())))

    def show(self, picture: Callable[[], Preview | None]) -> None:
        """Send a picture of the camera to a launcher that lives; it is asked for only then."""
        heard = self.t_heard is not None and self._now() - self.t_heard < HEARD_S
        if self._link and heard and (shown := picture()) is not None:
            self._link.send(shown)

    def write(self, kind: Kind, name: str, data: Mapping[str, Any] | None = None, *, sync: bool = False) -> None:
        """Write a row; a journal on a full disk does not end the recording."""
        if self._journal is None:
            return
        try:
            self._journal.write(kind, name, data, sync=sync)
        except OSError as error:
            log.error("journal: %s", error)
