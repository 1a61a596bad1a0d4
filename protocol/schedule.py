"""The order of the clips: pure, seeded, different for each participant, the same each time it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from protocol.study import Study
from stimuli.manifest import Entry


class ScheduleError(ValueError):
    """No order fulfils the design; the text is one line with the reason and the cure."""


@dataclass(frozen=True)
class Trial:
    """One trial of a participant's schedule; ``trial`` and ``block`` count from 1."""

    trial: int
    block: int
    stim_id: str
    target: str


def plan(study: Study, entries: Sequence[Entry], participant: str) -> tuple[Trial, ...]:
    """Return a participant's trials.

    Each participant sees ``stimuli.clips_per_emotion`` clips of each emotion; where the manifest has more, which ones is drawn
    too. The order depends on ``design.seed`` and the participant's label alone.

    Parameters
    ----------
    study : Study
        Design and emotions.
    entries : sequence of Entry
        The clips.
    participant : str
        The label: ``07`` and ``7`` are two participants.

    Raises
    ------
    ScheduleError
        When an emotion has too few clips, or no order keeps the same emotion from running twice.
    """
    rng = generator(study.design.seed, participant)
    decks = {emotion: _drawn(emotion, entries, study.stimuli.clips_per_emotion, rng) for emotion in study.emotions}
    counts = {emotion: len(deck) for emotion, deck in decks.items()}
    targets = order(counts, rng, never_twice_running=study.design.never_twice_running)
    return tuple(Trial(n, 1, decks[target].pop(), target) for n, target in enumerate(targets, 1))


def generator(seed: int, participant: str) -> np.random.Generator:
    """Return the participant's random generator; hashed, so that neighbouring seeds and labels share nothing."""
    digest = hashlib.sha256(f"{seed}/{participant}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest)))


def order(counts: Mapping[str, int], rng: np.random.Generator, *, never_twice_running: bool) -> list[str]:
    """Return emotions in random order, each as often as ``counts`` says.

    Each next emotion is drawn with the odds of its remaining clips, among those after which an order still exists; so there is
    no dead end and nothing to try again.

    Raises
    ------
    ScheduleError
        When one emotion has more clips than all others together can keep apart.
    """
    left = dict(counts)
    if never_twice_running and (emotion := _too_many(left, last=None)):
        others = sum(left.values()) - left[emotion]
        raise ScheduleError(
            f"design.never_twice_running = true: {left[emotion]} clips of {emotion} cannot be kept apart by {others} others; "
            "balance the clips, or set it to false"
        )
    chosen: list[str] = []
    while any(left.values()):
        last = chosen[-1] if never_twice_running and chosen else None
        open_to = [e for e, n in left.items() if n and (not never_twice_running or _leaves_a_way(left, e, last))]
        odds = np.array([left[e] for e in open_to], float)
        chosen.append(open_to[int(rng.choice(len(open_to), p=odds / odds.sum()))])
        left[chosen[-1]] -= 1
    return chosen


def _drawn(emotion: str, entries: Sequence[Entry], n: int, rng: np.random.Generator) -> list[str]:
    # sorted, so that the order of the manifest's lines changes nothing
    clips = sorted(e.stim_id for e in entries if e.target == emotion)
    if len(clips) < n:
        raise ScheduleError(f"stimuli.clips_per_emotion = {n}: {emotion} has {len(clips)}; add clips, or lower the number")
    return [clips[i] for i in rng.permutation(len(clips))[:n]]


def _leaves_a_way(left: Mapping[str, int], emotion: str, last: str | None) -> bool:
    if emotion == last:
        return False
    return _too_many({**left, emotion: left[emotion] - 1}, last=emotion) is None


def _too_many(left: Mapping[str, int], *, last: str | None) -> str | None:
    """Return the emotion that cannot be kept apart, if there is one.

    n places hold at most ceil(n/2) of one emotion, and floor(n/2) of the one that was shown just before them.
    """
    n = sum(left.values())
    return next((e for e, count in left.items() if count > (n // 2 if e == last else (n + 1) // 2)), None)
