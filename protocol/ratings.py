"""What is asked after each clip: SAM scales from 1 to 9 and the felt emotion. Pure."""

from __future__ import annotations

from protocol.ports import Question
from protocol.study import OTHER, Study
from protocol.words import WORDS, Scale, Words

SAM = tuple(str(n) for n in range(1, 10))
"""The Self-Assessment Manikin's nine points (Bradley & Lang 1994)."""
EMOTION = "emotion"
"""The name of the question which emotion was felt."""


def questions(study: Study, keys: tuple[tuple[str, str], ...] = ()) -> tuple[Question, ...]:
    """Return the questions of a study, in its language and order.

    Parameters
    ----------
    study : Study
        Scales, emotions and language.
    keys : tuple of pairs
        Words for the beat: trial, clip and target.

    Returns
    -------
    tuple of Question
        The SAM scales with answers ``"1"`` to ``"9"``, then ``emotion`` with the study's emotions and ``other``.
    """
    words = WORDS[study.study.language]
    sam = [_scale(name, words.scales[name], keys) for name in study.ratings.sam]
    return (*sam, _emotion(study, words, keys)) if study.ratings.discrete else tuple(sam)


def _scale(name: str, scale: Scale, keys: tuple[tuple[str, str], ...]) -> Question:
    anchors = {"1": scale.low, "5": scale.middle, "9": scale.high}
    return Question(name, scale.question, SAM, tuple(anchors.get(n, "") for n in SAM), keys)


def _emotion(study: Study, words: Words, keys: tuple[tuple[str, str], ...]) -> Question:
    choices = (*study.emotions, OTHER)
    return Question(EMOTION, words.emotion, choices, tuple(words.emotion_label(name) for name in choices), keys)
