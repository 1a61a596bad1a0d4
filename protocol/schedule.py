"""The order of the clips: pure, seeded, different for each participant, the same each time it is asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from protocol.ordering import Rules, ScheduleError, order, square
from protocol.study import Design, Study
from stimuli.manifest import Entry

__all__ = ["ScheduleError", "Trial", "generator", "plan", "pool", "rests"]


@dataclass(frozen=True)
class Trial:
    """One trial of a participant's schedule; ``trial`` and ``block`` count from 1."""

    trial: int
    block: int
    stim_id: str
    target: str


def plan(study: Study, entries: Sequence[Entry], participant: str, *, replaces: str | None = None) -> tuple[Trial, ...]:
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
    replaces : str, optional
        The label of the excluded participant whose order this one is given, so that the design stays balanced.

    Raises
    ------
    ScheduleError
        When an emotion has too few clips, no order keeps the rules of the design, or a Latin square is asked for and the label
        has no number.
    """
    if replaces == participant:
        raise ScheduleError(f"--replaces = {replaces}: is the participant; name the one who was excluded")
    label = replaces or participant
    decks = {emotion: _deck(study, entries, emotion) for emotion in study.emotions}
    targets, hands = _from_square(study, decks, label) if study.design.order == "latin-square" else _drawn(study, decks, label)
    blocks = [(number, target) for number, block in enumerate(targets, 1) for target in block]
    return tuple(Trial(n, block, hands[target].pop(), target) for n, (block, target) in enumerate(blocks, 1))


def pool(study: Study, entries: Sequence[Entry]) -> list[Entry]:
    """Return the clips of which trials are made: neither the practice's nor the one for the mood."""
    kept_apart = {study.stimuli.mood_repair, *study.practice.clips}
    return [e for e in entries if e.stim_id not in kept_apart]


def rests(study: Study, emotion: str) -> list[str]:
    """Return the ``stim_id`` of the rest trials of an emotion: ``rest-neutral-01`` .."""
    return [f"rest-{emotion.replace('_', '-')}-{n:02d}" for n in range(1, study.stimuli.clips_per_emotion + 1)]


def generator(seed: int, participant: str) -> np.random.Generator:
    """Return the participant's random generator; hashed, so that neighbouring seeds and labels share nothing."""
    digest = hashlib.sha256(f"{seed}/{participant}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest)))


def rules(design: Design) -> Rules:
    """Return the design's constraints on the order."""
    return Rules(
        max_running=1 if design.never_twice_running else design.max_running,
        first_not=frozenset(design.first_not),
        last_not=frozenset(design.last_not),
        not_after=frozenset(design.not_after),
    )


Orders = tuple[list[list[str]], dict[str, list[str]]]
"""Emotions by block, and for each emotion its clips, the first one last."""


def _drawn(study: Study, decks: Mapping[str, list[str]], participant: str) -> Orders:
    """Draw clips and order at random."""
    rng, design, n = generator(study.design.seed, participant), study.design, study.stimuli.clips_per_emotion
    hands = {emotion: [deck[i] for i in rng.permutation(len(deck))[:n]] for emotion, deck in decks.items()}
    blocks = [dict.fromkeys(study.emotions, n // design.blocks)] * design.blocks
    return order(blocks, rng, rules(design)), hands


def _from_square(study: Study, decks: Mapping[str, list[str]], participant: str) -> Orders:
    """Take the order from the row of a Williams square, and the clips by turns."""
    design, n = study.design, study.stimuli.clips_per_emotion
    rng = generator(design.seed, "the whole study")  # no label has blanks
    emotions = [list(study.emotions)[i] for i in rng.permutation(len(study.emotions))]
    rows = square(len(emotions), n, rng, apart=design.never_twice_running or design.max_running == 1)
    shuffled = {emotion: [decks[emotion][i] for i in rng.permutation(len(decks[emotion]))] for emotion in study.emotions}
    turn, row = divmod(_number(participant) - 1, len(rows))
    names = [emotions[value] for value in rows[row]]
    size = len(names) // design.blocks
    hands = {emotion: [deck[(turn + row + i) % len(deck)] for i in range(n)][::-1] for emotion, deck in shuffled.items()}
    return [names[start : start + size] for start in range(0, len(names), size)], hands


def _number(participant: str) -> int:
    found = re.search(r"[0-9]+$", participant)
    if not found or int(found[0]) < 1:
        raise ScheduleError(
            f'participant = {participant!r}: design.order = "latin-square" goes by the number at the label\'s end, from 1; '
            "use labels such as 07"
        )
    return int(found[0])


def _deck(study: Study, entries: Sequence[Entry], emotion: str) -> list[str]:
    """Return what may be shown for an emotion, sorted, so that the order of the manifest's lines changes nothing."""
    if study.emotions[emotion].as_ == "rest":
        return rests(study, emotion)
    n, clips = study.stimuli.clips_per_emotion, sorted(e.stim_id for e in pool(study, entries) if e.target == emotion)
    if len(clips) < n:
        raise ScheduleError(f"stimuli.clips_per_emotion = {n}: {emotion} has {len(clips)}; add clips, or lower the number")
    return clips
