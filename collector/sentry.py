"""The launcher's own watch: what it sees itself becomes alarms, and what would spoil a clip holds the next one."""

from __future__ import annotations

from typing import Literal

from collector import clocks
from collector.afoot import Afoot
from collector.contacting import REASON
from collector.crew import Who
from collector.departures import Departures
from collector.holding import OPERATOR
from collector.quality import LOST_LIMIT
from collector.requests import override
from collector.vigil import SILENT_S, Sleep
from protocol.messages import Beat
from protocol.ports import CLIP_LOST

BEAT_S = 1.0  # the collector ends itself when it hears neither of us nor of the window for a minute
_HEARD: tuple[Who, ...] = ("collector", "window")


class Sentry:
    """Watches.

    Parameters
    ----------
    afoot : Afoot
        The session.
    departures : Departures
        Ends it, where nobody sits at a page who could decide.
    """

    def __init__(self, afoot: Afoot, departures: Departures) -> None:
        self._s, self._departures = afoot, departures
        self._team, self._troubles, self._now = afoot.team, afoot.troubles, afoot.now
        self._sleep, self._boot = Sleep(), clocks.boot_clock()
        self._beat_again = float("-inf")
        self._given_up: set[str] = set()  # troubles that an unattended session does not wait for any more
        self._told: tuple[int, str] | None = None  # the clip of which the operator has been told

    def beat(self) -> None:
        """Let the children hear that we live: LSL's list of streams alone may be blind, as when a cable is pulled.

        The window is told as long as it shall wait: what no launcher holds back begins by itself.
        """
        if self._now() < self._beat_again:
            return
        self._beat_again = self._now() + BEAT_S
        beat = Beat(state=self._s.phase)
        self._team.send("collector", beat)
        if self._s.phase == "contacts":
            self._team.send("window", beat)

    def watch(self) -> None:
        """Raise and clear the launcher's own alarms."""
        for who in _HEARD:
            if who == "collector" and self._s.phase == "closing":
                continue  # it is busy with the files
            silent = self._team.runs(who) and self._team.silent_s(who) > SILENT_S
            since = self._team.heard.get(who)
            self._troubles.alarm(f"{who}/silent", cleared=not silent, t_cause=since if silent else None)
        frozen = self._s.flips.frozen_since(self._now()) if self._team.runs("window") else None
        self._troubles.alarm("window/frozen", cleared=frozen is None, t_cause=frozen, level="stop")
        self._look_at_the_clocks()
        twin = self._team.children.get("twin")
        if twin is not None and twin.code is not None and self._s.phase == "session":
            self._troubles.alarm("twin/lost", why=twin.why())  # a headset that dies: the collector says what that does

    def _look_at_the_clocks(self) -> None:
        slept = self._sleep.look(clocks.read(now=self._now, boot=self._boot))
        why = f"the computer slept for {self._sleep.slept_s:.0f} s"
        self._troubles.alarm("suspended", cleared=not slept, t_cause=self._sleep.t if slept else None, why=why, level="stop")

    def guard(self) -> None:
        """Hold before the next trial for as long as something is the matter that would spoil it."""
        s = self._s
        s.contact.step()
        if s.contact.failed and not s.helm.attended and "window" not in self._team.stops:
            self._decide_alone()
        s.hold.keep(REASON, on=s.contact.holds, asks=False)
        self._look_at_the_gate()
        self._look_at_the_clip()
        stopping = self._troubles.stopping
        # one that is over, and comes again, holds again
        self._given_up = (self._given_up | set(stopping if self._is_too_long else ())) & set(stopping)
        for reason in {*s.hold.reasons, *stopping} - {REASON, OPERATOR, CLIP_LOST}:
            s.hold.keep(reason, on=reason in stopping and reason not in self._given_up)
        s.hold.step()

    def _decide_alone(self) -> None:
        """Do what was said on the command line, where nobody can be asked: go on, or do not waste anybody's time."""
        if self._s.course.override:
            override(self._s, "contact", self._s.course.override)
        else:
            self._departures.abort("no blinks")

    def _look_at_the_gate(self) -> None:
        gauges = self._s.gauges
        if gauges.gate is None:
            return
        bad = gauges.gate_lost and not gauges.overridden
        over = gauges.gate.green or bool(gauges.overridden)
        level: Literal["warn", "stop"] = "stop" if gauges.gate.required else "warn"
        # once lost it has to be green for as long as the study asks for: contacts that come and go are not good
        self._troubles.alarm("gate/lost", cleared=not bad and (over or "gate/lost" not in self._troubles), level=level)

    def _look_at_the_clip(self) -> None:
        """Hold after a clip that lost too much, once, so that the operator can have it shown again before the next one."""
        losses, hold = self._s.gauges.losses, self._s.hold
        if hold.holds:
            self._told = losses.attempt
        spoilt = losses.last is not None and losses.last[1] > LOST_LIMIT and losses.attempt != self._told
        hold.keep(CLIP_LOST, on=spoilt and self._s.helm.attended)

    @property
    def _is_too_long(self) -> bool:
        """Whether a session without an operator has held for long enough: what is lost stays lost, the rest is recorded."""
        since = self._s.hold.since
        return not self._s.helm.attended and since is not None and self._now() - since > self._s.patience.unattended
