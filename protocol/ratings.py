"""What is asked after each clip: scales from 1 to 9, the felt emotion and its strength, whether it was watched. Pure."""

from __future__ import annotations

from protocol.ports import Question
from protocol.study import OTHER, Study
from protocol.words import WORDS, Scale, Words, YesNo

SAM = tuple(str(n) for n in range(1, 10))
"""The Self-Assessment Manikin's nine points (Bradley & Lang 1994)."""
EMOTION = "emotion"
"""The name of the question which emotion was felt."""
INTENSITY, LOOKED_AWAY, FAMILIARITY = "intensity", "looked_away", "familiarity"
"""The names of the questions how strongly it was felt, whether the participant looked away, and knew the clip."""
YES_NO = ("yes", "no")


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
        The scales with answers ``"1"`` to ``"9"``; ``emotion`` with the study's emotions and ``other``; ``intensity`` from
        ``"1"`` to ``"9"``; ``looked_away`` and ``familiarity`` with ``"yes"`` and ``"no"``: each where the study asks it.
    """
    words, asked = WORDS[study.study.language], study.ratings
    found = [_scale(name, words.scales[name], keys) for name in asked.sam]
    found += [_emotion(study, words, keys)] if asked.discrete else []
    found += [_scale(INTENSITY, words.intensity, keys)] if asked.intensity else []
    found += [_yes_no(LOOKED_AWAY, words.looked_away, keys)] if asked.looked_away else []
    found += [_yes_no(FAMILIARITY, words.familiarity, keys)] if asked.familiarity else []
    return tuple(found)


def _scale(name: str, scale: Scale, keys: tuple[tuple[str, str], ...]) -> Question:
    anchors = {"1": scale.low, "5": scale.middle, "9": scale.high}
    return Question(name, scale.question, SAM, tuple(anchors.get(n, "") for n in SAM), keys)


def _emotion(study: Study, words: Words, keys: tuple[tuple[str, str], ...]) -> Question:
    choices = (*study.emotions, OTHER)
    return Question(EMOTION, words.emotion, choices, tuple(words.emotion_label(name) for name in choices), keys)


def _yes_no(name: str, words: YesNo, keys: tuple[tuple[str, str], ...]) -> Question:
    return Question(name, words.question, YES_NO, (words.yes, words.no), keys)
