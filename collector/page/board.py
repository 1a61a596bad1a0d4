"""What the page knows: the newest of everything that the launcher sent, and what became of the operator's commands."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, cast, get_args
from uuid import uuid4

from protocol.messages import Ack, Beat, Body, Command, Envelope, Preview, Scene, Status, Verb

SILENT_S = 3.0  # scenes come at least twice a second
DOUBLE_S = 1.0  # the same command twice within this time is one press
KEPT = 50  # commands that are remembered
MAX_TEXT = 2000  # characters of a reason or a note
VERBS = frozenset(get_args(Verb))

B = TypeVar("B", bound=Body)


class Wire(Protocol):
    """The part of :class:`protocol.link.Link` that the page needs."""

    def send(self, body: Body, *, id_: str | None = None) -> bool:
        """Send, and never wait."""

    def receive(self) -> list[Envelope]:
        """Return what has arrived."""


@dataclass(frozen=True)
class Given:
    """A command that was given at ``t`` (seconds, monotonic), and the answer to it once there is one."""

    id: str
    command: Command
    t: float
    ack: Ack | None = None


class Board:
    """The newest scene, status, beat and preview; commands and their answers. Any thread may ask and command.

    Parameters
    ----------
    wire : Wire or None
        The link to the launcher; None where there is none.
    now : callable
        A monotonic clock, seconds.
    """

    def __init__(self, wire: Wire | None, *, now: Callable[[], float] = time.monotonic) -> None:
        self._wire, self.now = wire, now
        self._lock = threading.Lock()
        self._newest: dict[type[Body], tuple[Body, float]] = {}
        self._given: deque[Given] = deque(maxlen=KEPT)
        self._begun = now()

    @property
    def scene(self) -> Scene | None:
        """The newest scene."""
        return self._of(Scene)[0]

    @property
    def status(self) -> Status | None:
        """The newest status of the collector."""
        return self._of(Status)[0]

    @property
    def beat(self) -> Beat | None:
        """The newest beat of the participant's window."""
        return self._of(Beat)[0]

    @property
    def preview(self) -> Preview | None:
        """The newest picture of the camera."""
        return self._of(Preview)[0]

    def age_s(self, kind: type[Body]) -> float:
        """Return the seconds since the newest message of this type arrived; since the start where none has."""
        return self.now() - self._of(kind)[1]

    @property
    def silent_s(self) -> float | None:
        """Seconds since the last scene, when that is too long; None while the launcher speaks."""
        age = self.age_s(Scene)
        return age if age >= SILENT_S else None

    @property
    def given(self) -> tuple[Given, ...]:
        """The last commands, oldest first."""
        with self._lock:
            return tuple(self._given)

    def pump(self) -> None:
        """Take what the launcher has sent."""
        with self._lock:
            for envelope in self._wire.receive() if self._wire else ():
                self._take(envelope)

    def command(self, verb: Verb, reason: str = "", arg: str = "") -> Given:
        """Send a command, once: the same one again within a second is the same press.

        A launcher that is silent would obey it minutes later: the command is refused here instead.

        Returns
        -------
        Given
            What was sent, to be found again in :attr:`given` with its answer.
        """
        command = Command(verb=verb, reason=reason.strip()[:MAX_TEXT], arg=arg.strip()[:MAX_TEXT])
        t, silent = self.now(), self.silent_s is not None
        with self._lock:
            for before in reversed(self._given):
                if before.command == command and t - before.t < DOUBLE_S:
                    return before
            given = Given(uuid4().hex, command, t)
            if silent or self._wire is None or not self._wire.send(command, id_=given.id):
                given = replace(given, ack=Ack(of=given.id, ok=False, error="silent"))
            self._given.append(given)
        return given

    def _of(self, kind: type[B]) -> tuple[B | None, float]:
        return cast("tuple[B | None, float]", self._newest.get(kind, (None, self._begun)))

    def _take(self, envelope: Envelope) -> None:
        body = envelope.body
        if isinstance(body, Ack):
            given = [replace(g, ack=body) if g.id == body.of else g for g in self._given]
            self._given = deque(given, maxlen=KEPT)
        elif isinstance(body, Scene | Status | Beat | Preview):
            self._newest[type(body)] = (body, self.now())
