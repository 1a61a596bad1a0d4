"""The session's timeline for the operator: from what was on the participant's screen, and what happened beside it. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from collector.alarm_words import called
from collector.page.words import WORDS
from protocol import markers
from protocol.scene import Moment
from protocol.words_types import Language

KEPT = 300  # moments: a session of two hours has about a hundred
Kind = Literal["clip", "baseline", "sync", "rating", "break", "pause", "alarm", "note", "state"]
_KINDS: dict[str, Kind] = {
    "clip": "clip", "rest_trial": "clip", "practice": "clip", "mood_repair": "clip", "baseline": "baseline", "sync": "sync",
    "rating": "rating", "break": "break", "pause": "pause", "hold": "pause",
}  # fmt: skip
_BETWEEN = ("fixation", "hint", "rest", "waiting", "starting", "")  # too short to be read on a line


class Timeline:
    """Takes in states and happenings in the order of their time.

    Parameters
    ----------
    language : str
        Of its texts.

    Attributes
    ----------
    moments : tuple of Moment
        Seconds after the beginning; the last one that is still on the screen has no length yet.
    """

    def __init__(self, language: Language = "en") -> None:
        self._language: Language = language
        self.moments: tuple[Moment, ...] = ()
        self._state = ""
        self._open: int | None = None

    def see(self, state: str, t_s: float) -> None:
        """Take in what is on the participant's screen at ``t_s`` seconds after the beginning."""
        name, keys = markers.decode(state) if state else ("", {})
        kind: Kind = _KINDS.get(name.partition("/")[0], "state")
        same = f"{kind} {keys.get('trial', '')}" if kind in ("rating", "sync") else state  # questions and cues are one moment
        if same == self._state:
            return
        self._state = same
        self._close(t_s)
        if name not in _BETWEEN:
            self._add(Moment(t_s=t_s, kind=kind, text=_text(name, keys, self._language)))
            self._open = len(self.moments) - 1

    def add(self, kind: Kind, text: str, t_s: float) -> None:
        """Take in something that happened; of an alarm the code."""
        said = called(text, self._language) if kind == "alarm" else text
        self._add(Moment(t_s=t_s, kind=kind, text=said, for_s=0.0))

    def _add(self, moment: Moment) -> None:
        dropped = max(0, len(self.moments) + 1 - KEPT)
        self.moments = (*self.moments[dropped:], moment)
        if self._open is not None:
            self._open = self._open - dropped if self._open >= dropped else None

    def _close(self, t_s: float) -> None:
        if self._open is None:
            return
        moments = list(self.moments)
        moments[self._open] = msgspec.structs.replace(moments[self._open], for_s=t_s - moments[self._open].t_s)
        self.moments, self._open = tuple(moments), None


def _text(name: str, keys: dict[str, str], language: Language) -> str:
    words = [keys[key] for key in ("trial", "target") if key in keys]
    if name in ("clip", "rating") and words:
        return " ".join(words)
    if language == "en":  # states are named in English words
        return name.replace("/", " ").replace("_", " ")
    return WORDS[language].get(f"state_{name.partition('/')[0]}", WORDS[language]["state_page"])
