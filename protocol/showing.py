"""One trial: hint, cross, clip or rest, ratings, row, rest; from wherever the last attempt at it got.

What is known of the trial (:class:`protocol.past.Known`) decides what comes next, so that a pause, a repetition and a window
that comes back after a crash are one and the same: a clip that was interrupted is begun again, as the next attempt, never
continued in its middle, because its effect builds up from the beginning and its frames must be one series; an answer that was
given stays given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from protocol import ratings
from protocol.folder import Session
from protocol.past import Known
from protocol.ports import Answer, Asked, Page, Question, Wish
from protocol.schedule import Trial
from protocol.stage import Keys, Stage
from protocol.steps import Step, rest_s
from protocol.trials import TrialRow, TrialTable

FAILED_S = 3.0  # long enough to read that a clip cannot be shown
SCALES = ("valence", "arousal", "dominance", "liking", ratings.INTENSITY)
SAID = (ratings.LOOKED_AWAY, ratings.FAMILIARITY)


@dataclass(frozen=True)
class Showing:
    """Shows trials.

    Parameters
    ----------
    stage : Stage
        Where.
    table : TrialTable
        Gets a row for each attempt.
    record : Session
        Who.
    before : mapping of str to int
        How often each step was begun in the runs that this one resumes.
    n_trials : int
        Of the whole session, for the dots.
    """

    stage: Stage
    table: TrialTable
    record: Session
    before: Mapping[str, int]
    n_trials: int

    def run(self, step: Step, *, hold: Callable[[], bool]) -> None:
        """Show a trial until it is done; ``hold`` holds before each attempt at it, where that is asked for, and says so."""
        past = self.stage.past
        while True:
            if past.known.repeat or (past.known.open and past.known.begun):
                self.write(step)
                self.stage.note("again", step=step.name)
                past.again()
            if past.known.open and not past.known.begun:
                hold()
                self._begin(step, hold)
            elif self._after(step) != "repeat":
                return

    def write(self, step: Step) -> None:
        """Write the row of the attempt at hand, once: a crash may have come between the row and the note of it."""
        trial, known = step.trial, self.stage.past.known
        assert trial is not None
        if not known.begun or known.written:
            return
        if not self.table.has(trial.trial, known.attempt):
            self.table.append(_row(self.record, trial, known, kind=self._kind(trial)))
        self.stage.note("row", step=step.name, attempt=known.attempt)
        known.written = True

    # ---- before and while

    def _begin(self, step: Step, hold: Callable[[], bool]) -> None:
        trial, stage = step.trial, self.stage
        assert trial is not None
        timing, here = stage.study.timing, stage.past.attempts.get(step.name, 0)
        attempt = self.before.get(step.name, 0) + here + 1
        keys = _keys(trial, attempt)
        if timing.hint and not here:
            text = stage.words.hint if self._kind(trial) == "clip" else stage.words.rest_hint
            stage.attend(lambda: stage.show(Page("hint", text=text, duration_s=timing.hint, keys=keys)))
        cross = Page("fixation", cross=True, duration_s=timing.fixation, keys=keys)
        stage.phase(cross, "fixation", {"trial": str(trial.trial), "block": str(trial.block)})
        if hold():  # asked for in the last moment: the cross comes again, directly before the clip
            return
        try:
            (self._clip if self._kind(trial) == "clip" else self._rest_trial)(step, trial, attempt, keys)
        except Asked as asked:
            stage.heed(asked)

    def _clip(self, step: Step, trial: Trial, attempt: int, keys: Keys) -> None:
        clip = replace(self.stage.clips[trial.stim_id], keys=keys)
        self.stage.begin("clip", step.name, attempt, keys)
        self.stage.play(clip, "clip/onset", "clip/offset", marker_keys(trial, attempt))

    def _rest_trial(self, step: Step, trial: Trial, attempt: int, keys: Keys) -> None:
        stage, named = self.stage, marker_keys(trial, attempt)
        seconds = rest_s(stage.study, trial.target, stage.clips)
        page = Page(f"rest/{trial.target}", cross=True, duration_s=seconds, keys=keys)
        stage.begin("rest_trial", step.name, attempt, keys)
        ended = stage.screen.show(page, on_flip=lambda stamp: stage.mark("rest/onset", named, stamp))
        stage.mark("rest/offset", named | {"end": "complete"}, ended)

    def _kind(self, trial: Trial) -> str:
        return self.stage.study.emotions[trial.target].as_

    # ---- after

    def _after(self, step: Step) -> Wish | None:
        """Ask, write the row, rest; returns ``repeat`` when the trial is to be begun again."""
        trial, known = step.trial, self.stage.past.known
        assert trial is not None
        keys = _keys(trial, known.attempt)
        if known.end == "complete" and not known.written and self._ratings(trial, known, keys) == "repeat":
            return "repeat"
        elif known.end == "failed" and not known.written:
            text = self.stage.words.clip_failed
            self.stage.attend(lambda: self.stage.show(Page("clip_failed", text=text, duration_s=FAILED_S, keys=keys)))
        self.write(step)
        return self._rest(trial, keys)

    def _ratings(self, trial: Trial, known: Known, keys: Keys) -> Wish | None:
        """Ask what has not been answered."""
        ask = Asking(self.stage, lambda question: self._on_answer(trial, question, known))
        return ask.all(ratings.questions(self.stage.study, keys), answered=known.answers)

    def _on_answer(self, trial: Trial, question: Question, known: Known) -> Callable[[Answer], None]:
        def on_answer(answer: Answer) -> None:
            said = {"question": question.name, "answer": answer.answer, "response_s": f"{answer.response_s:.6f}"}
            self.stage.mark("rating", marker_keys(trial, known.attempt) | said, answer.t_answer)
            known.answers[question.name] = answer

        return on_answer

    def _rest(self, trial: Trial, keys: Keys) -> Wish | None:
        page = Page("rest", duration_s=self.stage.study.timing.rest, keys=keys, progress=(trial.trial, self.n_trials))
        while True:
            try:
                self.stage.show(page)
            except Asked as asked:
                if (wish := self.stage.heed(asked)) in ("repeat", "skip"):
                    return wish
            else:
                return None


@dataclass(frozen=True)
class Asking:
    """Asks questions one after another, within the time that the study gives for all of them.

    Parameters
    ----------
    stage : Stage
        Where.
    on_answer : callable
        From a question to what is done with its answer.
    """

    stage: Stage
    on_answer: Callable[[Question], Callable[[Answer], None]]

    def all(self, questions: tuple[Question, ...], *, answered: Mapping[str, Answer] | None = None) -> Wish | None:
        """Ask what is not answered yet; returns ``repeat`` when that was asked for."""
        limit_s = self.stage.study.timing.rating
        over_s = self.stage.clock.now() + limit_s if limit_s else None
        for question in (q for q in questions if q.name not in (answered or {})):
            left_s = None if over_s is None else over_s - self.stage.clock.now()
            if left_s is not None and left_s <= 0:
                return None
            if self._one(replace(question, limit_s=left_s)) == "repeat":
                return "repeat"
        return None

    def _one(self, question: Question) -> Wish | None:
        while True:
            self.stage.enter("rating", question=question.name, **dict(question.keys))
            try:
                self.stage.screen.ask(question, on_answer=self.on_answer(question))
            except Asked as asked:
                if (wish := self.stage.heed(asked)) in ("repeat", "skip"):
                    return wish
            else:
                return None


def marker_keys(trial: Trial, attempt: int) -> dict[str, str]:
    """Return what names a trial in a marker."""
    keys = {"trial": str(trial.trial), "block": str(trial.block), "stim_id": trial.stim_id, "target": trial.target}
    return keys | ({"attempt": str(attempt)} if attempt > 1 else {})


def _keys(trial: Trial, attempt: int) -> Keys:
    again = (("attempt", str(attempt)),) if attempt > 1 else ()
    return (("trial", str(trial.trial)), ("stim_id", trial.stim_id), ("target", trial.target), *again)


def _row(record: Session, trial: Trial, known: Known, *, kind: str) -> TrialRow:
    """Return the row of an attempt; what did not come about, or was not measured, is None."""
    said = known.answers
    values: dict[str, Any] = dict(known.measured)
    for name in (scale for scale in SCALES if scale in said):
        values |= {name: int(said[name].answer), f"{name}_rt": said[name].response_s}
    values |= {name: said[name].answer for name in SAID if name in said}
    felt = said.get(ratings.EMOTION)
    return TrialRow(
        participant=record.participant, session=record.session, run=record.run, trial=trial.trial, block=trial.block,
        attempt=known.attempt, kind=kind, stim_id=trial.stim_id, target=trial.target, clip_started=known.t_onset,
        clip_stopped=known.t_offset, end=known.ended, rating=felt.answer if felt else None,
        rating_rt=felt.response_s if felt else None, **values,
    )  # fmt: skip
