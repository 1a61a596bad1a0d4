"""The session, from top to bottom: what the participant sees and which markers go out, on any clock, screen and outlet.

The window runs it in front of a person and the twin on virtual time. Each transition stands in the journal before it happens:
rows of kind ``state``. Each marker stands there once it is sent: rows of kind ``note``, name ``marker``, with its text and
stamp.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from protocol import ratings
from protocol.folder import Session
from protocol.journal import Journal
from protocol.markers import Marker
from protocol.ports import Answer, Clip, Clock, Outlet, Page, Played, Question, Screen, Stamp, Stopped
from protocol.schedule import Trial
from protocol.study import Study
from protocol.trials import TrialRow, TrialTable
from protocol.words import WORDS

THANKS_S = 4.0  # long enough to read two short lines; nobody has to press a key to end a session
MEASURED = ("shown", "dropped", "repeated", "onset_error_s", "audio_offset_s")
SCALES = ("valence", "arousal", "dominance")

Keys = tuple[tuple[str, str], ...]


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
) -> Ending:
    """Run one session.

    Parameters
    ----------
    study : Study
        Timing, ratings, language.
    trials : sequence of Trial
        As :func:`protocol.schedule.plan` makes them.
    clips : mapping of str to Clip
        By ``stim_id``.
    clock, screen, outlet
        The world, or a simulation of it.
    journal, table
        Where the session is written down as it goes.
    record : Session
        ``session.json``: who, and the consent that was given.

    Returns
    -------
    Ending
        ``aborted`` when the screen raised :class:`~protocol.ports.Stopped`; the markers ``abort`` and ``session/end`` and the
        row of the open trial are then written all the same.
    """
    course = _Course(study, clips, clock, screen, outlet, journal, table, record)
    course.start(trials)
    try:
        course.consent()
        course.welcome()
        course.baseline()
        for trial in trials:
            course.trial(trial)
        course.thanks()
    except Stopped as stopped:
        return course.abort(stopped.reason)
    return course.complete()


@dataclass
class _Known:
    """What is known of a trial so far."""

    t_onset: Stamp | None = None
    t_offset: Stamp | None = None
    played: Played | None = None
    answers: dict[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class _Course:
    study: Study
    clips: Mapping[str, Clip]
    clock: Clock
    screen: Screen
    outlet: Outlet
    journal: Journal
    table: TrialTable
    record: Session

    # ---- the session's states, in their order

    def start(self, trials: Sequence[Trial]) -> None:
        keys = {key: getattr(self.record, key) for key in ("uid", "participant", "session", "run")}
        self.journal.write("note", "plan", {"trials": [asdict(trial) for trial in trials]})
        self._enter("session/start", **keys)
        self._mark("session/start", keys, self.clock.now())

    def consent(self) -> None:
        """The launcher took the consent; the recording carries what was agreed to."""
        given = self.record.consent
        keys = {"version": given.version, "scopes": "+".join(given.scopes)}
        self._enter("consent", **keys)
        self._mark("consent", keys, self.clock.now())

    def welcome(self) -> None:
        words = WORDS[self.study.study.language]
        told = self.study.study.instructions or words.welcome
        self._show(Page("welcome", text=f"{told}\n\n{words.start}"))

    def baseline(self) -> None:
        duration_s = self.study.timing.baseline
        self._phase(Page("baseline/eyes_open", cross=True, duration_s=duration_s), "baseline/eyes_open", {})

    def trial(self, trial: Trial) -> None:
        """Fixation, clip, ratings, rest; the row is written however the trial ends."""
        keys = (("trial", str(trial.trial)), ("stim_id", trial.stim_id), ("target", trial.target))
        self._fixation(trial, keys)
        known = _Known()
        try:
            played = self._clip(trial, keys, known)
            if played.end == "complete":
                self._ratings(trial, keys, known)
        finally:
            self.table.append(_row(self.record, trial, known))
        self._show(Page("rest", duration_s=self.study.timing.rest, keys=keys))

    def thanks(self) -> None:
        self._show(Page("thanks", text=WORDS[self.study.study.language].thanks, duration_s=THANKS_S))

    def complete(self) -> Ending:
        return self._end(Ending("complete"))

    def abort(self, reason: str) -> Ending:
        self._enter("abort", reason=reason)
        self._mark("abort", {"reason": reason}, self.clock.now())
        return self._end(Ending("aborted", reason))

    def _end(self, ending: Ending) -> Ending:
        keys = {"end": ending.end, "reason": ending.reason} if ending.reason else {"end": ending.end}
        self._enter("session/end", **keys)
        self._mark("session/end", keys, self.clock.now())
        return ending

    # ---- the parts of a trial

    def _fixation(self, trial: Trial, keys: Keys) -> None:
        page = Page("fixation", cross=True, duration_s=self.study.timing.fixation, keys=keys)
        self._phase(page, "fixation", {"trial": str(trial.trial), "block": str(trial.block)})

    def _clip(self, trial: Trial, keys: Keys, known: _Known) -> Played:
        """Play the clip; its offset is marked exactly once, by whoever learns of it first."""
        named = _marker_keys(trial)
        source = self.clips[trial.stim_id]
        clip = Clip(source.path, source.stim_id, source.target, source.start_s, source.stop_s, keys)

        def on_onset(stamp: Stamp) -> None:
            known.t_onset = stamp
            self._mark("clip/onset", named, stamp)

        def on_offset(played: Played) -> None:
            if known.t_offset is None:
                known.t_offset, known.played = played.t_offset, played
                self._mark("clip/offset", named | _played_keys(played), played.t_offset)

        self._enter("clip", **dict(keys))
        try:
            played = self.screen.play(clip, on_onset=on_onset, on_offset=on_offset)
        except Stopped:
            if known.t_onset is not None and known.t_offset is None:
                known.t_offset = self.clock.now()
                self._mark("clip/offset", named | {"end": "interrupted"}, known.t_offset)
            raise
        on_offset(played)
        if played.end == "failed":
            self.journal.write("alarm", "clip/failed", {**dict(keys), "error": played.error}, sync=True)
        return played

    def _ratings(self, trial: Trial, keys: Keys, known: _Known) -> None:
        for question in ratings.questions(self.study, keys):
            self._enter("rating", question=question.name, **dict(keys))
            self.screen.ask(question, on_answer=self._on_answer(trial, question, known))

    def _on_answer(self, trial: Trial, question: Question, known: _Known) -> Callable[[Answer], None]:
        def on_answer(answer: Answer) -> None:
            known.answers[question.name] = answer
            said = {"question": question.name, "answer": answer.answer, "response_s": f"{answer.response_s:.6f}"}
            self._mark("rating", _marker_keys(trial) | said, answer.t_answer)

        return on_answer

    # ---- what every state is made of

    def _enter(self, state: str, **data: str) -> None:
        """Write a transition down before it happens; no clip plays now, so the disk may be waited for."""
        self.journal.write("state", state, data, sync=True)

    def _mark(self, name: str, keys: Mapping[str, str], stamp: Stamp) -> None:
        marker = Marker(name, dict(keys))
        self.outlet.push(marker, stamp)
        self.journal.write("note", "marker", {"text": str(marker), "t": stamp})

    def _show(self, page: Page, *, on_flip: Callable[[Stamp], None] | None = None) -> Stamp | None:
        """Show a page; one of no duration is left out."""
        if page.duration_s == 0:
            return None
        self._enter(page.name, **dict(page.keys))
        return self.screen.show(page, on_flip=on_flip)

    def _phase(self, page: Page, name: str, keys: Mapping[str, str]) -> None:
        """Show a page between two markers."""
        ended = self._show(page, on_flip=lambda stamp: self._mark(name, {**keys, "phase": "onset"}, stamp))
        if ended is not None:
            self._mark(name, {**keys, "phase": "offset"}, ended)


def _marker_keys(trial: Trial) -> dict[str, str]:
    return {"trial": str(trial.trial), "block": str(trial.block), "stim_id": trial.stim_id, "target": trial.target}


def _played_keys(played: Played) -> dict[str, str]:
    """Return the keys of ``clip/offset``; what was not measured is left out."""
    values: dict[str, Any] = {name: getattr(played, name) for name in (*MEASURED, "end")}
    return {k: f"{v:.6f}" if isinstance(v, float) else str(v) for k, v in values.items() if v is not None}


def _row(record: Session, trial: Trial, known: _Known) -> TrialRow:
    """Return the trial's row; what did not come about, or was not measured, is None."""
    played, said = known.played, known.answers
    measured: dict[str, Any] = {name: getattr(played, name) for name in MEASURED} if played else {}
    for name in (scale for scale in SCALES if scale in said):
        measured |= {name: int(said[name].answer), f"{name}_rt": said[name].response_s}
    felt = said.get(ratings.EMOTION)
    return TrialRow(
        participant=record.participant, session=record.session, run=record.run, trial=trial.trial, block=trial.block,
        stim_id=trial.stim_id, target=trial.target, clip_started=known.t_onset, clip_stopped=known.t_offset,
        end=played.end if played else "interrupted", rating=felt.answer if felt else None,
        rating_rt=felt.response_s if felt else None, **measured,
    )  # fmt: skip
