"""What a session consists of, step by step, as a function of study, trials and clips. Pure.

A step is what a window that comes back after a crash begins again, or leaves out because it is done; each has its own name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from protocol.ports import Clip
from protocol.schedule import Trial
from protocol.study import Study

# Jittered, so that no lag of a whole interval looks like the true one; a blink takes 0.3 s, and the eyes want rest in between.
CUE_GAP_S = (1.5, 4.0)
# At most one luminance step a second: far below the three flashes a second that are dangerous to some (WCAG 2.2, 2.3.1).
FLASH_GAP_S = (1.0, 1.6)

Kind = Literal[
    "warning", "welcome", "practice", "baseline/eyes_open", "baseline/eyes_closed", "sync", "trial", "break", "mood_repair",
    "thanks",
]  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step: ``name`` is unique in the session (``trial/3``, ``sync/before`` ..); ``n`` counts steps of its kind from 1."""

    name: str
    kind: Kind
    n: int = 1
    trial: Trial | None = None


def steps(study: Study, trials: Sequence[Trial], *, resumed: bool = False) -> tuple[Step, ...]:
    """Return the steps of a session.

    Parameters
    ----------
    study : Study
        What is asked for; what has no duration or no number is left out.
    trials : sequence of Trial
        Those that are shown.
    resumed : bool
        This run goes on where another one ended: the participant was warned and has practised.

    Returns
    -------
    tuple of Step
        In their order. Baseline and sync belong to each recording, so they stand in a resumed one too.
    """
    timing = study.timing
    warned = bool(study.safety.content_warning) or study.safety.flashing
    found = [Step("warning", "warning")] if warned and not resumed else []
    found += [Step("welcome", "welcome")]
    if not resumed:
        found += [Step(f"practice/{n}", "practice", n) for n in range(1, len(study.practice.clips) + 1)]
    if timing.baseline:
        found += [Step("baseline/eyes_open", "baseline/eyes_open")]
    if timing.eyes_closed:
        found += [Step("baseline/eyes_closed", "baseline/eyes_closed")]
    synced = bool(study.sync.blinks or study.sync.flashes)
    found += [Step("sync/before", "sync", 1)] if synced else []
    found += _blocks(trials, pause=bool(timing.break_))
    found += [Step("sync/after", "sync", 2)] if synced and study.sync.after else []
    found += [Step("mood_repair", "mood_repair")] if study.stimuli.mood_repair else []
    return (*found, Step("thanks", "thanks"))


def _blocks(trials: Sequence[Trial], *, pause: bool) -> list[Step]:
    found: list[Step] = []
    for n, trial in enumerate(trials):
        if pause and n and trial.block != trials[n - 1].block:
            found.append(Step(f"break/{trial.block - 1}", "break", trial.block - 1))
        found.append(Step(f"trial/{trial.trial}", "trial", trial.trial, trial))
    return found


def gaps(n: int, bounds_s: tuple[float, float], rng: np.random.Generator) -> list[float]:
    """Return ``n`` jittered intervals between cues or luminance steps, seconds."""
    return [float(gap) for gap in rng.uniform(*bounds_s, n)]


def rest_s(study: Study, target: str, clips: Mapping[str, Clip]) -> float:
    """Return how long a rest trial of an emotion lasts, seconds: what the study says, else the mean length of its clips."""
    if (asked := study.emotions[target].duration) is not None:
        return asked
    lengths = [clip.stop_s - clip.start_s for clip in clips.values() if clip.target in study.emotions]
    return sum(lengths) / len(lengths)
