"""What every stage of a launcher shares: it hears, shows, obeys the operator, and keeps the page alive.

The stages (preflight, session, finish) decide what happens; the helm asks them ten times a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from collector.crew import View
from collector.diary import Diary
from collector.keeper import Keeper
from collector.orders import Orders
from collector.scenes import EVERY_S, Header, Known, is_news, picture, scene
from collector.team import Team
from collector.troubles import Troubles
from protocol.messages import Alarm, Beat, Command, Envelope, Preview, Scene, Status

TICK_S = 0.1
_RELAYED = {"collector": (Status, Preview, Alarm), "window": (Beat,)}


class Stage(Protocol):
    """A part of a launcher's life."""

    @property
    def over(self) -> bool:
        """Whether the next one begins."""
        ...

    def hear(self, envelope: Envelope) -> None:
        """Take in a message of a child."""
        ...

    def step(self) -> None:
        """Go on; called ten times a second."""
        ...

    def obey(self, command: Command) -> str:
        """Do what the operator asks for; returns why not, or nothing."""
        ...

    def interrupt(self) -> None:
        """End in order; asked again, hurry."""
        ...

    def known(self) -> Known:
        """Return how things stand."""
        ...


class Helm:
    """Runs stages.

    Parameters
    ----------
    team : Team
        The children.
    diary : Diary
        The journal.
    troubles : Troubles
        Alarms that are on.
    view : View
        The terminal.
    header : Header
        Of every scene.
    now : callable
        The LSL clock, seconds.
    keeper : Keeper or None
        Of the page, where there is one.
    """

    def __init__(
        self, team: Team, *, diary: Diary, troubles: Troubles, view: View, header: Header, now: Callable[[], float],
        keeper: Keeper | None = None,
    ) -> None:  # fmt: skip
        self.team, self.diary, self.troubles, self.view = team, diary, troubles, view
        self.header, self.now, self.keeper = header, now, keeper
        self._orders = Orders(team.hub, diary, header.language)
        self._interrupts = self._obeyed = self._seq = 0
        self._shown: Scene | None = None
        self._sent = float("-inf")
        self.worst_stall_s = 0.0

    @property
    def attended(self) -> bool:
        """Whether an operator decides, on a page."""
        return self.keeper is not None

    def interrupt(self) -> None:
        """Ask for an orderly end; asked again, it hurries. Safe in a signal handler."""
        self._interrupts += 1

    def play(self, stage: Stage) -> None:
        """Run a stage to its end."""
        began = self.now()
        while not stage.over:
            self.tick(stage)
            # nothing that is promised in seconds holds beyond this
            self.worst_stall_s = max(self.worst_stall_s, self.now() - began - TICK_S)
            began = self.now()

    def tick(self, stage: Stage) -> None:
        """Hear, obey, go on, show."""
        for envelope in self.team.hub.receive(timeout_s=TICK_S):
            self._hear(stage, envelope)
        if self._interrupts != self._obeyed:
            self._obeyed = self._interrupts
            stage.interrupt()
        stage.step()
        if self.keeper is not None:
            self.keeper.look()
        for who, step in self.team.look():
            self.view.say(f"{who}: {step}")
        self.show(stage)

    def _hear(self, stage: Stage, envelope: Envelope) -> None:
        self.team.heard[envelope.who] = self.now()  # type: ignore[index]  # the hub knows who is who; "launch" is us
        if envelope.who == "page":
            if isinstance(envelope.body, Command):
                self._orders.take(envelope, self._scene(stage.known()).buttons, stage.obey)
            return
        stage.hear(envelope)
        if self.keeper is not None and isinstance(envelope.body, _RELAYED.get(envelope.who, ())):
            self.team.send("page", envelope.body)

    def show(self, stage: Stage) -> None:
        """Show how things stand: on the terminal always, on the page when it is news, and twice a second."""
        known = stage.known()
        new = self._scene(known)
        if self.keeper is not None and (is_news(self._shown, new) or self.now() - self._sent >= EVERY_S):
            self._shown, self._sent, self._seq = new, self.now(), self._seq + 1
            self.team.send("page", new)
        self.view.show(picture(known, new))

    def _scene(self, known: Known) -> Scene:
        return scene(self.header, known, seq=self._seq)
