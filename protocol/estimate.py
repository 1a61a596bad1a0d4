"""How long a session lasts and how much disk it takes: pure, from the study file and the clips' lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.ratings import questions
from protocol.session import THANKS_S
from protocol.study import Study
from stimuli.manifest import Entry

WELCOME_S = 20.0  # to read a welcome of 50 words
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
    n = study.stimuli.clips_per_emotion
    clips_s = sum(n * _mean_s([e.duration_s for e in entries if e.target == emotion]) for emotion in study.emotions)
    n_trials = n * len(study.emotions)
    around_s = study.timing.fixation + len(questions(study)) * ANSWER_S + study.timing.rest
    length_s = WELCOME_S + study.timing.baseline + clips_s + n_trials * around_s + THANKS_S
    return Estimate(n_trials, length_s, length_s * bytes_per_s(study))


def bytes_per_s(study: Study) -> float:
    """Estimate how fast a recording grows, bytes per second."""
    camera = study.camera
    video = camera.size_px[0] * camera.size_px[1] * camera.fps * VIDEO_BITS_PER_PIXEL / 8 if camera else 0.0
    return EEG_B_S + QUALITY_B_S + video


def _mean_s(durations: Sequence[float]) -> float:
    return sum(durations) / len(durations) if durations else 0.0
