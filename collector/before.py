"""The first stage: the preflight, until nothing blocks and somebody presses START; nothing is written into the data yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from collector.helm import Helm
from collector.helper import Answer, Helper
from collector.preflight.found import Found, tell
from collector.refusals import refused
from collector.scenes import Known
from collector.situation import Situation, blocking
from protocol.messages import Command, Envelope
from protocol.scene import Finding
from protocol.words_types import Language

CHANGED = "study/changed"


@dataclass(frozen=True)
class Passed:
    """What the preflight came to; ``went_on``: the session may begin."""

    went_on: bool
    findings: tuple[Finding, ...] = ()

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What still stands in the way."""
        return tuple(one for one in self.findings if one.blocks and not one.overridden)


class Preflight:
    """Asks the doctor, shows what it found, and waits.

    Parameters
    ----------
    doctor, twin : tuple of str
        Command lines; of nobody where they are empty.
    helm : Helm
        Page, terminal, children.
    limit_s : float
        When the doctor is given up.
    known : sequence of Finding
        What the launcher found itself, such as an earlier recording of the participant.
    override : str
        Why all that may be passed over is passed over, where nobody sits at a page.
    is_changed : callable
        Whether the study is not any more what the session was planned from: cures say to edit it.
    """

    def __init__(
        self, doctor: tuple[str, ...], twin: tuple[str, ...], *, helm: Helm, limit_s: float, known: Sequence[Finding] = (),
        override: str = "", is_changed: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self._twin, self._helm, self._own, self._override = twin, helm, tuple(known), override
        self._is_changed, self._found = is_changed, tuple[Finding, ...]()
        self._doctor = Helper(helm.team, "doctor", doctor, limit_s=limit_s, now=helm.now) if doctor else None
        self._findings: tuple[Finding, ...] = self._own
        self._overridden: dict[str, str] = {}
        self._passed: Passed | None = None
        self._began = helm.now()

    @property
    def over(self) -> bool:
        """Whether somebody has decided."""
        return self._passed is not None

    @property
    def passed(self) -> Passed:
        """What it came to."""
        return self._passed or Passed(False, self._findings)

    def open(self) -> None:
        """Begin: the simulated devices first, where they are simulated."""
        if self._twin:
            self._helm.team.start("twin", self._twin)
        self._ask()

    def _ask(self) -> None:
        if self._doctor is not None:
            self._doctor.ask()
        else:
            self._take(())

    def hear(self, envelope: Envelope) -> None:
        """Nobody but the page is there."""

    def step(self) -> None:
        """Take in what was found."""
        answer = self._doctor.look() if self._doctor is not None else None
        if answer is not None:
            self._take(findings(answer, self._helm.header.language))

    def _take(self, found: tuple[Finding, ...]) -> None:
        self._found = found
        changed = (tell(Found(CHANGED), self._helm.header.language),) if self._is_changed() else ()
        self._findings = tuple(self._with_reason(one) for one in (*changed, *self._own, *found))
        for one in self._findings:
            self._helm.diary.write("note", "finding", msgspec.to_builtins(one))
        if not self._helm.attended:
            self._decide()

    def _decide(self) -> None:
        """Go on, or not, where nobody can be asked."""
        if self._override:
            for one in self._blocking:
                if one.may_override:
                    self._lift(one, self._override)
        self._end(went_on=not self._blocking)

    @property
    def _blocking(self) -> tuple[Finding, ...]:
        return blocking(self.known().situation)

    def _lift(self, one: Finding, reason: str) -> None:
        self._overridden[one.code] = reason
        self._helm.diary.write("note", "override", {"code": one.code, "text": one.text, "reason": reason})
        self._findings = tuple(self._with_reason(found) for found in self._findings)

    def _with_reason(self, one: Finding) -> Finding:
        reason = self._overridden.get(one.code, "")
        return msgspec.structs.replace(one, overridden=reason) if reason and one.may_override else one

    def _end(self, *, went_on: bool) -> None:
        if self._doctor is not None:
            self._doctor.cancel()
        self._passed = Passed(went_on, self._findings)

    def obey(self, command: Command) -> str:
        """Do what the operator asks for."""
        match command.verb:
            case "start" if self._is_changed():
                self._take(self._found)
                return refused("changed", "start")
            case "start":
                self._end(went_on=True)
            case "check":
                self._ask()
            case "abort" | "stop":
                self._end(went_on=False)
            case "override":
                lifted = [one for one in self._blocking if one.code == command.arg or not command.arg]
                if len(lifted) != 1 or not lifted[0].may_override:
                    return refused("nothing_there", "override", arg=command.arg)
                self._lift(lifted[0], command.reason.strip())
            case _:
                return refused("not_now", command.verb)
        return ""

    def interrupt(self) -> None:
        """Leave."""
        self._end(went_on=False)

    def known(self) -> Known:
        """Return how things stand."""
        header = self._helm.header
        situation = Situation(
            phase="preflight", t=self._helm.now(), n_trials=header.n_trials, findings=self._findings,
            checking=self._doctor is not None and self._doctor.asked, troubles=self._helm.troubles.on, language=header.language,
            simulated=header.simulated,
        )  # fmt: skip
        return Known(situation, t_s=self._helm.now() - self._began)


def findings(answer: Answer, language: Language) -> tuple[Finding, ...]:
    """Return what the doctor said; one that said nothing is a finding of its own, which somebody has to pass over."""
    said: Any = answer.said
    try:
        return tuple(msgspec.convert(said["findings"], tuple[Finding, ...]))
    except (KeyError, TypeError, msgspec.ValidationError):
        return (tell(Found("doctor", {"why": answer.why or "what it said cannot be read"}), language),)
