"""The simulated participant's mind: what is answered, and how quickly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from protocol.ratings import EMOTION, INTENSITY, SAM, YES_NO
from protocol.study import OTHER

# what people answer on SAM scales from 1 to 9 to films that are meant to do this to them, roughly
_NORMS = {
    "happiness": {"valence": 7.4, "arousal": 6.0, "dominance": 6.2},
    "sadness": {"valence": 2.8, "arousal": 4.2, "dominance": 3.8},
    "fear": {"valence": 2.9, "arousal": 7.0, "dominance": 3.2},
    "neutral": {"valence": 5.1, "arousal": 2.8, "dominance": 5.6},
}
_MIDDLE = 5.0
_FELT = 6.0  # how strongly an emotion was felt, on average, from 1 to 9
_SAYS_YES = {"looked_away": 0.05, "familiarity": 0.10}
_SPREAD = 1.2  # standard deviation of an answer, points
_AGREES = 0.8  # share of trials in which the emotion felt is the clip's
_RESPONSE_S = (1.4, 0.35)  # median, and standard deviation of its logarithm
_FASTEST_S = 0.4


def answer(question: str, target: str, rng: np.random.Generator, *, choices: Sequence[str] = ()) -> str:
    """Return what the participant answers.

    Parameters
    ----------
    question : str
        A scale, ``emotion``, ``intensity``, or one that is answered with yes or no.
    target : str
        What the clip was meant to elicit; any emotion that is not known here is rated in the middle of the scales.
    rng : numpy Generator
        The participant's mood.
    choices : sequence of str
        What may be answered; without emotions a participant who feels something else says ``other``.

    Returns
    -------
    str
        ``"1"`` .. ``"9"``, an emotion, ``"yes"`` or ``"no"``.
    """
    if question in _SAYS_YES:
        return YES_NO[0] if rng.random() < _SAYS_YES[question] else YES_NO[1]
    if question != EMOTION:
        centre = _FELT if question == INTENSITY else _NORMS.get(target, {}).get(question, _MIDDLE)
        return SAM[int(np.clip(round(rng.normal(centre, _SPREAD)), 1, 9)) - 1]
    agrees, another = rng.random() < _AGREES, rng.random()
    if agrees and (not choices or target in choices):
        return target
    return choices[int(another * len(choices))] if choices else OTHER


def response_s(rng: np.random.Generator) -> float:
    """Return how long the participant thinks before a key, seconds."""
    median, spread = _RESPONSE_S
    return max(_FASTEST_S, float(median * np.exp(rng.normal(0, spread))))
