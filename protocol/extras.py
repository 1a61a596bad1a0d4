"""The parts of a session that are no trials: pages, practice, baselines, sync cues, breaks, mood repair, thanks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from protocol import ratings
from protocol.form import warnings
from protocol.ports import Answer, Page, Question, Stamp
from protocol.schedule import generator
from protocol.showing import Asking
from protocol.stage import Stage
from protocol.steps import CUE_GAP_S, FLASH_GAP_S, Step, gaps

THANKS_S = 4.0  # long enough to read two short lines; nobody has to press a key to end a session
READING_S = 1 / 14  # a letter, at 150 words a minute: nobody is hurried
CUE_S = 0.5  # the ring stands for longer than it takes to see it, and is gone before the next one is due
LEVELS = ("white", "black")


@dataclass(frozen=True)
class Extras:
    """Does the steps that are no trials.

    Parameters
    ----------
    stage : Stage
        Where.
    participant : str
        Decides, with the study's seed, when cues come.
    """

    stage: Stage
    participant: str

    def run(self, step: Step) -> None:
        """Do a step until it is done or skipped."""
        match step.kind:
            case "warning":
                self.stage.tell("warning", "\n\n".join(warnings(self.stage.study)))
            case "welcome":
                self._welcome()
            case "practice":
                self._practice(step)
            case "baseline/eyes_open":
                self._baseline(step, self.stage.words.baseline, self.stage.study.timing.baseline)
            case "baseline/eyes_closed":
                self._baseline(step, self.stage.words.eyes_closed, self.stage.study.timing.eyes_closed)
            case "sync":
                self._sync(step)
            case "break":
                self._break()
            case "mood_repair":
                self._mood_repair(step)
            case _:
                self.thanks()

    def thanks(self, *, stopped: bool = False) -> None:
        """Say thanks, for as long as it takes to read."""
        study, words = self.stage.study, self.stage.words
        ended = study.study.debrief or (words.debrief if study.safety.content_warning else words.thanks)
        text = words.stopped if stopped else ended
        seconds = max(THANKS_S, len(text) * READING_S)
        self.stage.attend(lambda: self.stage.show(Page("thanks", text=text, duration_s=seconds)))

    # ---- before

    def _welcome(self) -> None:
        words = self.stage.words
        told = self.stage.study.study.instructions or words.welcome
        self.stage.attend(lambda: self.stage.show(Page("welcome", text=f"{told}\n\n{words.start}")))

    def _practice(self, step: Step) -> None:
        """Show a clip and ask as after every clip; the answers are no part of the data."""
        stage, clips = self.stage, self.stage.study.practice.clips
        if step.n == 1:
            stage.tell("practice/told", stage.words.practice)
        if self._clip(step, clips[step.n - 1], "practice"):
            keys = (("stim_id", clips[step.n - 1]),)
            Asking(stage, _forget).all(ratings.questions(stage.study, keys))
        if step.n == len(clips):
            stage.tell("practice/over", stage.words.practice_over)

    def _baseline(self, step: Step, told: str, seconds: float) -> None:
        closed = step.kind == "baseline/eyes_closed"
        self.stage.tell(f"{step.kind}/told", told)
        self.stage.phase(Page(step.kind, cross=not closed, duration_s=seconds, tones=closed), step.kind)

    # ---- sync

    def _sync(self, step: Step) -> None:
        """Cue blinks, then single luminance steps; the times differ between participants and are the same each time."""
        sync, stage = self.stage.study.sync, self.stage
        rng = generator(stage.study.design.seed, f"{self.participant}/{step.name}")
        cues, flashes = gaps(sync.blinks, CUE_GAP_S, rng), gaps(sync.flashes, FLASH_GAP_S, rng)
        if cues and stage.tell("sync/told", stage.words.sync_blink):
            self._cross(gaps(1, CUE_GAP_S, rng)[0])
            for gap in cues:
                self._cue(gap)
        if flashes and stage.tell("sync/told", stage.words.sync_flash):
            self._cross(FLASH_GAP_S[1])
            for i, gap in enumerate(flashes):
                self._flash(LEVELS[i % 2], gap)

    def _cross(self, seconds: float) -> None:
        self.stage.attend(lambda: self.stage.show(Page("sync/cross", cross=True, duration_s=seconds)))

    def _cue(self, gap_s: float) -> None:
        page = Page("sync/cue", text=self.stage.words.blink, cue=True, duration_s=CUE_S)
        self.stage.attend(lambda: self.stage.show(page, on_flip=self._on_cue))
        self._cross(gap_s - CUE_S)

    def _on_cue(self, stamp: Stamp) -> None:
        self.stage.mark("sync/cue", {"n": str(self.stage.past.n_cue + 1)}, stamp)

    def _flash(self, level: str, gap_s: float) -> None:
        page = Page("sync/flash", level="white" if level == "white" else "black", duration_s=gap_s)

        def on_flip(stamp: Stamp) -> None:
            self.stage.mark("sync/flash", {"n": str(self.stage.past.n_flash + 1), "level": level}, stamp)

        self.stage.attend(lambda: self.stage.show(page, on_flip=on_flip))

    # ---- between and after

    def _break(self) -> None:
        """Rest at least so long, then until the participant wants to go on."""
        stage, words = self.stage, self.stage.words
        page = Page("break", text=words.break_, duration_s=stage.study.timing.break_)
        longer = Page("break", text=f"{words.break_}\n\n{words.go_on}")

        def shown() -> None:
            stage.show(page, on_flip=lambda stamp: stage.mark("break", {"phase": "onset"}, stamp))
            ended = stage.show(longer)
            stage.mark("break", {"phase": "offset"}, stage.clock.now() if ended is None else ended)

        stage.attend(shown)

    def _mood_repair(self, step: Step) -> None:
        text = self.stage.words.mood_repair
        seconds = max(THANKS_S, len(text) * READING_S)
        self.stage.attend(lambda: self.stage.show(Page("mood_repair/told", text=text, duration_s=seconds)))
        self._clip(step, self.stage.study.stimuli.mood_repair or "", "mood_repair")

    def _clip(self, step: Step, stim_id: str, name: Literal["practice", "mood_repair"]) -> bool:
        """Play a clip that is no trial's; False when it was skipped or could not be played."""
        stage = self.stage
        ends: list[str] = []

        def play() -> None:
            attempt = stage.past.attempts.get(step.name, 0) + 1
            source = stage.clips[stim_id]
            again = {"attempt": str(attempt)} if attempt > 1 else {}
            keys = {"stim_id": stim_id, "target": source.target} | again
            stage.begin(name, step.name, attempt, (("stim_id", stim_id),))
            clip = replace(source, keys=tuple(keys.items()), name=name)
            ends.append(stage.play(clip, f"{name}/onset", f"{name}/offset", keys).end)

        return stage.attend(play) and ends[-1:] == ["complete"]


def _forget(question: Question) -> Callable[[Answer], None]:
    return lambda answer: None
