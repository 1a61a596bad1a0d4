"""What a language has to say: every text that participants read is a field here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "vi"]


@dataclass(frozen=True)
class Scale:
    """A scale from 1 to 9: the question, and what its lowest, middle and highest value mean."""

    question: str
    low: str
    middle: str
    high: str


@dataclass(frozen=True)
class YesNo:
    """A question to be answered with yes or no, and how these are said to it."""

    question: str
    yes: str
    no: str


@dataclass(frozen=True)
class Words:
    """Every text of one language. Nothing technical, no inferred emotion.

    Parameters
    ----------
    content_warning, flashing : str
        Before the consent.
    welcome, start : str
        The first page, and which key begins.
    practice, practice_over : str
        Pages around the practice.
    baseline, eyes_closed : str
        What to do in the two baselines; the tones begin and end the second.
    sync_blink, sync_flash : str
        What to do at the ring, and while the screen steps between bright and dark.
    hint, rest_hint : str
        Before a clip, and before a rest trial.
    scale_keys, choice_keys : str
        How to answer a scale from 1 to 9, and a choice.
    break_, go_on : str
        Between two blocks, and which key goes on.
    blink : str
        Beside the ring.
    pause, hold, back, clip_failed : str
        Calm pages: while something is mended, while somebody looks at the contacts, after the window came back, and where a
        clip cannot be played.
    mood_repair : str
        Before the last clip, which is for the mood.
    thanks, debrief, stopped : str
        The short and the long end of a complete session, and the end of one that was stopped.
    stop_key : str
        Always on the screen: how to stop.
    scales : mapping of str to Scale
        By the name in ``ratings.sam``.
    intensity, looked_away, familiarity
        The other questions after a clip.
    emotion, emotions
        Which emotion was felt, and how emotions are called.
    """

    content_warning: str
    flashing: str
    welcome: str
    start: str
    practice: str
    practice_over: str
    baseline: str
    eyes_closed: str
    sync_blink: str
    sync_flash: str
    blink: str
    hint: str
    rest_hint: str
    scale_keys: str
    choice_keys: str
    break_: str
    go_on: str
    pause: str
    hold: str
    back: str
    clip_failed: str
    mood_repair: str
    thanks: str
    debrief: str
    stopped: str
    stop_key: str
    scales: Mapping[str, Scale]
    intensity: Scale
    looked_away: YesNo
    familiarity: YesNo
    emotion: str
    emotions: Mapping[str, str]

    def emotion_label(self, name: str) -> str:
        """Return how an emotion of the study file is called; one that is not known here is called by its own name."""
        return self.emotions.get(name, name.replace("_", " "))
