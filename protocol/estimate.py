"""How long a session lasts and how much disk it takes: pure, from the study file and the clips' lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.extras import THANKS_S
from protocol.ratings import questions
from protocol.schedule import pool
from protocol.steps import CUE_GAP_S, FLASH_GAP_S
from protocol.study import Study
from stimuli.manifest import Entry

WELCOME_S = 20.0  # to read a welcome of 50 words
PAGE_S = 8.0  # to read a page of 25 words on what comes next, and press a key
ANSWER_S = 4.0  # typical for one rating; nobody is hurried
EEG_B_S = 256 * (37 + 1) * 8.0  # 37 doubles and a stamp, 256 times a second: an Emotiv FLEX 2 at its fastest
QUALITY_B_S = 2 * 2 * (36 + 1) * 8.0  # contact quality and EEG quality, twice a second
# H.264 as the collector writes it (ultrafast) on a camera's noise; a still picture takes a tenth of it
VIDEO_BITS_PER_PIXEL = 0.25


@dataclass(frozen=True)
class Estimate:
    """Size of one session."""

    n_trials: int
    length_s: float
    disk_B: float


def estimate(study: Study, entries: Sequence[Entry]) -> Estimate:
    """Estimate one session.

    Parameters
    ----------
    study : Study
        Timing, ratings, camera.
    entries : sequence of Entry
        The clips; where an emotion has more than are shown, their mean counts.

    Returns
    -------
    Estimate
        ``length_s`` in seconds, ``disk_B`` in bytes.
    """
    n, timing = study.stimuli.clips_per_emotion, study.timing
    n_trials = n * len(study.emotions)
    shown_s = sum(n * _shown_s(study, entries, emotion) for emotion in study.emotions)
    length_s = (
        WELCOME_S + timing.baseline + timing.eyes_closed + shown_s + n_trials * _around_s(study)
        + timing.break_ * (study.design.blocks - 1) + _extra_s(study, entries) + THANKS_S
    )  # fmt: skip
    return Estimate(n_trials, length_s, length_s * bytes_per_s(study))


def bytes_per_s(study: Study) -> float:
    """Estimate how fast a recording grows, bytes per second."""
    camera = study.camera
    video = camera.size_px[0] * camera.size_px[1] * camera.fps * VIDEO_BITS_PER_PIXEL / 8 if camera else 0.0
    return EEG_B_S + QUALITY_B_S + video


def _around_s(study: Study) -> float:
    """Return what a trial takes beside its clip."""
    timing, asked_s = study.timing, len(questions(study)) * ANSWER_S
    return timing.hint + timing.fixation + (min(asked_s, timing.rating) if timing.rating else asked_s) + timing.rest


def _shown_s(study: Study, entries: Sequence[Entry], emotion: str) -> float:
    """Return the mean length of an emotion's clips or rests."""
    meant, clips = study.emotions[emotion], pool(study, entries)
    if meant.as_ == "rest":
        return meant.duration or _mean_s([e.duration_s for e in clips if e.target in study.emotions])
    return _mean_s([e.duration_s for e in clips if e.target == emotion])


def _extra_s(study: Study, entries: Sequence[Entry]) -> float:
    """Return what practice, sync phases and the clip for the mood take."""
    durations = {e.stim_id: e.duration_s for e in entries}
    practice_s = sum(durations.get(name, 0.0) + _around_s(study) + PAGE_S for name in study.practice.clips)
    sync = study.sync
    phase_s = sync.blinks * sum(CUE_GAP_S) / 2 + sync.flashes * sum(FLASH_GAP_S) / 2
    phase_s += PAGE_S * (bool(sync.blinks) + bool(sync.flashes))
    mood_s = durations.get(study.stimuli.mood_repair, 0.0) + PAGE_S if study.stimuli.mood_repair else 0.0
    return practice_s + phase_s * (2 if sync.after else 1) + mood_s


def _mean_s(durations: Sequence[float]) -> float:
    return sum(durations) / len(durations) if durations else 0.0
