"""The session, from top to bottom: what the participant sees and which markers go out, on any clock, screen and outlet.

The window runs it in front of a person and the twin on virtual time. Each transition stands in the journal before it happens:
rows of kind ``state``; so does each marker (``note``, name ``marker``, with its text and stamp), and what was asked for by a
key or a command (``command``). A window that comes back after a crash reads them (:mod:`protocol.past`) and goes on.

What a session consists of: :mod:`protocol.steps`. How trials are shown: :mod:`protocol.showing`, the rest:
:mod:`protocol.extras`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from protocol.extras import THANKS_S as THANKS_S
from protocol.extras import Extras
from protocol.folder import Session
from protocol.journal import Journal
from protocol.past import Past
from protocol.ports import CLIP_LOST, Clip, Clock, Outlet, Screen, Stopped
from protocol.schedule import Trial
from protocol.showing import Showing
from protocol.stage import Stage
from protocol.steps import Step, steps
from protocol.study import Study
from protocol.trials import TrialTable

AFTER_THE_DATA = ("mood_repair", "thanks")  # whoever stops the session here has given all that was asked for


@dataclass(frozen=True)
class Ending:
    """How a session ended; ``reason`` is empty when it is complete."""

    end: Literal["complete", "aborted"]
    reason: str = ""


def run(
    *,
    study: Study,
    trials: Sequence[Trial],
    clips: Mapping[str, Clip],
    clock: Clock,
    screen: Screen,
    outlet: Outlet,
    journal: Journal,
    table: TrialTable,
    record: Session,
    past: Past | None = None,
    before: Mapping[int, int] | None = None,
    n_trials: int | None = None,
) -> Ending:
    """Run one session.

    Parameters
    ----------
    study : Study
        Timing, ratings, language.
    trials : sequence of Trial
        As :func:`protocol.schedule.plan` makes them; of a resumed session those that are left.
    clips : mapping of str to Clip
        By ``stim_id``.
    clock, screen, outlet
        The world, or a simulation of it.
    journal, table
        Where the session is written down as it goes.
    record : Session
        ``session.json``: who, and the consent that was given.
    past : Past, optional
        What an earlier window of this very run left in the journal (:func:`protocol.past.read`): the session goes on there.
    before : mapping of int to int, optional
        How often the clip of each trial was begun in the runs that this one resumes.
    n_trials : int, optional
        Of the whole session, where ``trials`` are what is left of it.

    Returns
    -------
    Ending
        ``aborted`` when the screen raised :class:`~protocol.ports.Stopped` before the last trial's end; the row of the open
        trial and the markers ``abort`` and ``session/end`` are then written all the same, and between those two comes the
        mood repair, if the screen can still show it.
    """
    stage = Stage(study, clips, clock, screen, outlet, journal, past or Past())
    attempts = {f"trial/{trial}": n for trial, n in (before or {}).items()}
    showing = Showing(stage, table, record, attempts, n_trials or len(trials))
    course = steps(study, trials, resumed=record.resumes is not None)
    return _Course(stage, showing, Extras(stage, record.participant), record, course).run()


@dataclass(frozen=True)
class _Course:
    stage: Stage
    showing: Showing
    extras: Extras
    record: Session
    steps: tuple[Step, ...]

    def run(self) -> Ending:
        past = self.stage.past
        if past.began:
            self._take_up()
        if past.end is not None:
            return _ending(past)
        try:
            self._begin()
            for step in (s for s in self.steps if s.name not in past.done):
                self._do(step)
        except Stopped as stopped:
            if not self._has_the_data:
                return self._abort(stopped)
            self.stage.close_open(self.stage.clock.now())
        return self._end(Ending("complete"))

    def _take_up(self) -> None:
        """Go on after a crash: what was on the screen ended with the last sign of life of the window that showed it."""
        stage, past = self.stage, self.stage.past
        assert past.last is not None
        stage.note("back", t_last=past.t_last)
        # it may have died before this one left; sent twice, it is the same line with the same stamp
        stage.outlet.push(*past.last)
        stage.close_open(past.t_last)

    def _begin(self) -> None:
        """Say who, and what was agreed to: the launcher took the consent; or, in a window that came back, say that it is."""
        stage, past = self.stage, self.stage.past
        if past.abort is not None:
            raise Stopped(past.abort)
        back = past.began
        if "session/start" not in past.sent:
            trials = [asdict(step.trial) for step in self.steps if step.trial]
            stage.note("plan", trials=trials)
            keys = {key: getattr(self.record, key) for key in ("uid", "participant", "session", "run")}
            stage.enter("session/start", **keys)
            stage.mark("session/start", keys, stage.clock.now())
        if "consent" not in past.sent:
            given = self.record.consent
            keys = {"version": given.version, "scopes": "+".join(given.scopes)}
            stage.enter("consent", **keys)
            stage.mark("consent", keys, stage.clock.now())
        if past.paused and not past.held:
            stage.wait()
        elif back and not past.paused:
            stage.tell("back", stage.words.back)

    def _do(self, step: Step) -> None:
        if step.trial:
            self.showing.run(step, hold=lambda: self._hold(step))
        else:
            self._look_back(step)
            self.extras.run(step)
        self.stage.finish(step.name)

    def _look_back(self, step: Step) -> None:
        """Hold after the last trial, where its clip was lost: none is left to be spoilt, but this one can be shown again."""
        last = next((earlier for earlier in reversed(self.steps) if earlier.trial), None)
        if last is None or last.name not in self.stage.past.done or self.steps.index(step) != self.steps.index(last) + 1:
            return
        while self.stage.past.paused or CLIP_LOST in (self.stage.holding() or ""):  # paused: a window died while it held here
            if self.stage.hold(repeats=True) == "repeat":
                self._again(last)

    def _hold(self, step: Step) -> bool:
        """Hold before a trial, where that is asked for; says whether it was."""
        held, before = False, self._before(step)
        while (wish := self.stage.hold(repeats=before is not None)) is not None:
            held = True
            if wish == "repeat" and before is not None:
                self._again(before)
        return held

    def _before(self, step: Step) -> Step | None:
        """Return what an operator who holds before a trial can have shown again: the trial before it, else the cues."""
        at = self.steps.index(step)
        trials = [earlier for earlier in self.steps[:at] if earlier.trial]
        cues = [earlier for earlier in self.steps[:at] if earlier.kind == "sync" and self.stage.study.sync.blinks]
        found = trials or cues
        return found[-1] if found else None

    def _again(self, step: Step) -> None:
        """Do a step once more, as another attempt; a window that dies meanwhile begins with it."""
        self.stage.note("reopen", step=step.name)
        self.stage.past.reopen(step.name)
        if step.trial:
            self.showing.run(step, hold=lambda: False)  # who asked for it now knows why
        else:
            self.extras.run(step)
        self.stage.finish(step.name)

    @property
    def _open(self) -> Step | None:
        return next((step for step in self.steps if step.name not in self.stage.past.done), None)

    @property
    def _has_the_data(self) -> bool:
        step = self._open
        return self.stage.past.abort is None and (step is None or step.kind in AFTER_THE_DATA)

    def _abort(self, stopped: Stopped) -> Ending:
        stage, step = self.stage, self._open
        stage.close_open(stage.clock.now())
        if step is not None and step.trial is not None:
            self.showing.write(step)
        if "abort" not in stage.past.sent:
            stage.enter("abort", reason=stopped.reason)
            stage.mark("abort", {"reason": stopped.reason}, stage.clock.now())
        if not stopped.at_once:
            self._take_leave()
        return self._end(Ending("aborted", stage.past.abort or stopped.reason))

    def _take_leave(self) -> None:
        """Show what ends every session; whoever stops that too is let go."""
        repairs = [step for step in self.steps if step.kind == "mood_repair" and step.name not in self.stage.past.done]
        try:
            for step in repairs:
                self._do(step)
            self.extras.thanks(stopped=True)
        except Stopped:
            self.stage.close_open(self.stage.clock.now())

    def _end(self, ending: Ending) -> Ending:
        keys = {"end": ending.end, "reason": ending.reason} if ending.reason else {"end": ending.end}
        self.stage.enter("session/end", **keys)
        self.stage.mark("session/end", keys, self.stage.clock.now())
        return ending


def _ending(past: Past) -> Ending:
    return Ending("complete") if past.end == "complete" else Ending("aborted", past.abort or "")
