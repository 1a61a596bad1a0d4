"""A session that is afoot: what all parts of its conductor share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from collector.contacting import ContactCheck
from collector.crew import Outcome, Patience, Phase, Roster
from collector.gauges import Gauges
from collector.helm import Helm
from collector.helper import Helper
from collector.holding import Hold
from collector.sitter import Sitter
from collector.timeline import Timeline
from collector.vigil import Flips
from protocol.folder import Run
from protocol.scene import Contact, Finding
from protocol.study import Study


@dataclass(frozen=True)
class Course:
    """What a session consists of, and what was said about it before it began.

    Parameters
    ----------
    study : Study or None
        None where nothing is known of it.
    n_trials : int
        Of the whole session.
    length_s : float or None
        How long it takes.
    findings : tuple of Finding
        Of the preflight.
    override : str
        Why gate and contact check shall stop nobody, where nobody sits at a page: what was typed.
    """

    study: Study | None = None
    n_trials: int = 0
    length_s: float | None = None
    findings: tuple[Finding, ...] = ()
    override: str = ""


@dataclass(frozen=True)
class TakenUp:
    """Where a session stood whose launcher died; ``states`` are the window's, with their LSL times."""

    phase: Literal["streams", "contacts", "session"]
    began: float
    contact: Contact | None = None
    gate_overridden: str = ""
    n_windows: int = 1
    states: tuple[tuple[float, str], ...] = field(default=())


class Afoot:
    """The state of a session.

    Parameters
    ----------
    run, roster, helm, course, sitter, patience
        As :class:`collector.conduct.Conductor` takes them.

    Attributes
    ----------
    phase : str
        What is waited for.
    state : str
        What is on the participant's screen, as the last beat of this window said it.
    began, deadline : float
        LSL seconds.
    recorded : bool
        Whether the collector has begun to write.
    stopping : bool
        Whether somebody wants the session to end: then no window is started again.
    n_windows : int
        How many were started.
    outcome : Outcome
        How it ends, as far as that is known.
    """

    def __init__(
        self, run: Run, roster: Roster, *, helm: Helm, course: Course, sitter: Sitter | None, patience: Patience
    ) -> None:
        self.run, self.roster, self.helm, self.course, self.sitter = run, roster, helm, course, sitter
        self.patience, self.team, self.troubles, self.now = patience, helm.team, helm.troubles, helm.now
        self.phase: Phase = "streams"
        self.state, self.recorded, self.stopping, self.n_windows = "", False, False, 0
        self.began = self.now()
        self.deadline = self.began + patience.streams
        self.outcome = Outcome("aborted", "the window never opened")
        self.gauges, self.flips, self.timeline = Gauges(course.study), Flips(), Timeline(helm.header.language)
        self.hold = Hold(lambda command, id_: self.team.send("window", command, id_=id_), now=self.now, attended=helm.attended)
        self.contact = ContactCheck(self._reader(), diary=helm.diary, now=self.now)

    def _reader(self) -> Helper | None:
        study = self.course.study
        if study is None or not study.sync.blinks or not self.roster.contact:
            return None
        return Helper(self.team, "contact", self.roster.contact, limit_s=self.patience.contact, now=self.now)

    def take_up(self, taken: TakenUp) -> None:
        """Go on where a launcher that died had come to."""
        self.phase, self.began, self.n_windows = taken.phase, taken.began, taken.n_windows
        self.recorded = taken.phase != "streams"
        self.gauges.overridden = taken.gate_overridden
        if taken.contact is not None:
            self.contact.restore(taken.contact)
        for t, state in taken.states:
            self.timeline.see(state, t - self.began)
            self.contact.see(state)
            self.state = state
        self.hold.inherit(self.state)

    @property
    def t_s(self) -> float:
        """Seconds since the beginning."""
        return self.now() - self.began

    def write(self, *row: object) -> None:
        """Write a row of the launcher's journal: kind, name, data."""
        self.helm.diary.write(*row)  # type: ignore[arg-type]

    def fault(self, code: str, reason: str) -> None:
        """Take in that something broke."""
        self.outcome = Outcome("aborted", code, reason)
        self.troubles.alarm(code, why=reason, level="stop")

    def start_window(self) -> None:
        """Start a window: the first one, or one that goes on where the last one died."""
        self.n_windows += 1
        self.state = ""
        self.flips.forget()
        self.hold.anew()
        self.team.start("window", self.roster.window)
