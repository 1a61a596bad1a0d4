"""Who takes part in a session, for how long the launcher waits for each, what the operator sees, and how it can end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from collector import processes
from collector.situation import ScenePhase
from protocol.messages import Status
from protocol.scene import Instruction, Light

Phase = ScenePhase
Who = Literal["twin", "collector", "window", "page", "doctor", "contact", "report", "awake"]
HELPERS: tuple[Who, ...] = ("doctor", "contact", "report", "awake")  # they end by themselves


@dataclass(frozen=True)
class Roster:
    """The command lines of the children; empty for those that do not take part."""

    collector: tuple[str, ...]
    window: tuple[str, ...]
    twin: tuple[str, ...] = ()
    page: tuple[str, ...] = ()
    doctor: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()
    report: tuple[str, ...] = ()


@dataclass(frozen=True)
class Patience:
    """Seconds until the launcher stops waiting."""

    streams: float = 180.0  # the operator may be switching the headset on; the collector refuses earlier, by name
    farewell: float = 5.0  # between the ends of collector and window after a session that ended as it should
    draining: float = 15.0  # after the window's end the collector must have begun to close the files
    leave: float = 0.0  # what the window still shows to a participant after an abort: the clip for the mood, and thanks
    windows: int = 3  # so often a window that died is started again: what kills four of them kills the fifth too
    closing: float = 600.0  # it reads and hashes them: hours of video on a slow disk take minutes
    doctor: float = 180.0  # it listens to the streams, and opens camera and sound
    contact: float = 30.0  # it reads what was recorded so far
    report: float = 300.0  # a session of twenty minutes takes some ten seconds
    unattended: float = 300.0  # without a page: a gate that does not open, a stream that does not come back
    finish: float = 600.0  # somebody may still read the verdict
    stop: processes.Patience = field(default_factory=processes.Patience)

    def to_stop(self, who: Who) -> processes.Patience:
        """Return the patience with a child that is told to end.

        A collector that closes and hashes its files hears nothing meanwhile; killed, it would leave no manifest. A window takes
        leave of the participant first; asked twice, it does not.
        """
        if who == "window":
            return replace(self.stop, asked=self.stop.asked + self.leave)
        if who != "collector":
            return self.stop
        return replace(self.stop, terminated=max(self.stop.terminated, self.closing))


@dataclass(frozen=True)
class Picture:
    """What the operator is shown on the terminal.

    Parameters
    ----------
    phase : str
        What the launcher waits for.
    state : str
        What is on the participant's screen, as the last beat said it.
    status : Status or None
        What the collector last said.
    t_s : float
        Seconds since the start.
    light, instruction
        What to do, where something is.
    """

    phase: Phase
    state: str
    status: Status | None
    t_s: float
    light: Light = "green"
    instruction: Instruction | None = None


class View(Protocol):
    """Where the operator looks."""

    def show(self, picture: Picture) -> None:
        """Show how things are; called ten times a second."""
        ...

    def say(self, text: str) -> None:
        """Say what happened, once."""
        ...


@dataclass(frozen=True)
class Outcome:
    """How a session ended; ``fault`` names what broke, if anything did."""

    end: Literal["complete", "aborted"]
    reason: str = ""
    fault: str = ""
