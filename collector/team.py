"""The children of a launcher: started, heard, told, ended step by step; never waited for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from collector import processes
from collector.crew import HELPERS, Patience, Who
from collector.diary import Diary
from collector.lock import Lock
from collector.processes import Child, Stop
from protocol.link import Hub
from protocol.messages import Body, Command

WIRED: tuple[Who, ...] = ("collector", "window", "page")  # the others have no end of the wire


class Team:
    """Children by name.

    Parameters
    ----------
    hub : Hub
        The wire, bound.
    diary : Diary
        Gets a row for each start, command and step of an end.
    lock : Lock or None
        Gets their numbers; None until there is one.
    scratch : Path
        A folder of this launcher's own: for what helpers say, and for logs before there is a run.
    now : callable
        The LSL clock, seconds.
    environment : mapping of str to str
        For all of them, beside the hub's.
    patience : Patience
        With those that are told to end.
    """

    def __init__(
        self, hub: Hub, *, diary: Diary, lock: Lock | None, scratch: Path, now: Callable[[], float],
        environment: Mapping[str, str] | None = None, patience: Patience | None = None,
    ) -> None:  # fmt: skip
        self.hub, self._diary, self._lock, self.scratch, self._now = hub, diary, lock, scratch, now
        self.folder = scratch  # of logs; a run's own once there is one
        self.environment, self.patience = dict(environment or {}), patience or Patience()
        self.children: dict[Who, Child] = {}
        self.stops: dict[Who, Stop] = {}
        self.heard: dict[Who, float] = {}

    # ---- who is there

    def adopt(self, who: Who, child: Child) -> None:
        """Take in a child that another launcher started."""
        self.children[who] = child

    def runs(self, who: Who) -> bool:
        """Whether a child was started and lives."""
        return who in self.children and self.children[who].code is None

    def silent_s(self, who: Who) -> float:
        """Return for how long a child that was heard before has said nothing, seconds."""
        return self._now() - self.heard.get(who, self._now())

    @property
    def all_ended(self) -> bool:
        """Whether no child is left but the page, which shows the end."""
        return not any(self.runs(who) for who in self.children if who != "page")

    # ---- what is done with them

    def start(
        self, who: Who, argv: tuple[str, ...], *, environment: Mapping[str, str] | None = None, out: Path | None = None
    ) -> Child:  # fmt: skip
        """Start a child; ``out`` gets its standard output where that is not for the log."""
        self._diary.write("command", f"{who}/start", {"argv": list(argv)})
        wired = self.hub.environment if who in WIRED else {}
        child = processes.start(
            who, argv, environment={**self.environment, **wired, **(environment or {})}, log=self.folder / f"{who}.log", out=out
        )
        self.children[who] = child
        self.stops.pop(who, None)
        self.heard.pop(who, None)
        if who not in HELPERS and self._lock is not None:
            self._lock.name(pids={who: child.pid})
        return child

    def enter(self, run: Path, lock: Lock) -> None:
        """Go on in a run: its folder gets the logs, its lock the numbers."""
        self.folder, self._lock = run, lock
        lock.name(
            run=run, pids={who: child.pid for who, child in self.children.items() if self.runs(who) and who not in HELPERS}
        )

    def stop(self, who: Who, command: Command | None = None) -> None:
        """Begin to end a child, by a message where it understands one."""
        id_ = uuid.uuid4().hex  # sent again while it may not have been heard, it is one command
        ask = (lambda: self.send(who, command, id_=id_)) if command is not None else None
        verb, reason = (command.verb, command.reason) if command else ("terminated", "")
        self._diary.write("command", f"{who}/{verb}", {"reason": reason})
        self.stops[who] = Stop(self.children[who], ask, now=self._now, patience=self.patience.to_stop(who))

    def send(self, to: Who, body: Body, *, id_: str | None = None) -> None:
        """Send to a child; dropped where it has no end of the wire, or is not connected."""
        if to in ("collector", "window", "page"):
            self.hub.send(to, body, id_=id_)

    def look(self) -> list[tuple[Who, str]]:
        """Go on with the ends that were begun; returns the steps that were taken."""
        taken = [(who, step) for who, stop in self.stops.items() if (step := stop.look())]
        for who, step in taken:
            self._diary.write("command", f"{who}/{step}")
        return taken

    def hasten(self) -> None:
        """Lose patience with all that are being ended."""
        for stop in self.stops.values():
            stop.hasten()

    def end_all(self) -> None:
        """Begin to end every child but the page that is not being ended yet."""
        for who in self.children:
            if who != "page" and self.runs(who) and who not in self.stops:
                self.stop(who)

    def kill_all(self) -> None:
        """End all at once: only where nothing is recorded that could be lost."""
        for child in self.children.values():
            processes.kill(child)
