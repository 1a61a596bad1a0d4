"""What sits at the keyboard in a simulation: turns what is on the screen into key presses, at a person's pace.

Pure: beats go in, presses come out. Used by the launcher under ``--twin`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from protocol import markers

# pages that end by the clock; every other page waits for the participant's space bar
TIMED = frozenset({"baseline", "fixation", "clip", "rest"})
QUESTION = "rating"
READS_S = (0.4, 0.9)  # from a calm page to the space bar
DECIDES_S = (0.5, 1.4)  # from a question to the key: quicker than people, who need 2 to 4 s, so that a demo is short
AGAIN_S = 4.0  # a press that changed nothing is repeated: the window may have been opening

Keys = Mapping[str, str]


@dataclass(frozen=True)
class Due:
    """A key to press at a time (seconds, the clock of the beats)."""

    t_s: float
    key: str


class Sitter:
    """The hands of the simulated participant.

    Parameters
    ----------
    answer : callable
        From question, the clip's target and a generator to the answer.
    choices : callable
        From question to what may be answered, in the order of the keys 1, 2, 3 ..
    rng : numpy.random.Generator
        For answers and delays.
    """

    def __init__(
        self,
        answer: Callable[[str, str, np.random.Generator], str],
        choices: Callable[[str], tuple[str, ...]],
        *,
        rng: np.random.Generator,
    ) -> None:
        self._answer, self._choices, self._rng = answer, choices, rng
        self._state = ""
        self._due: Due | None = None

    def see(self, state: str, t_s: float) -> None:
        """Look at what a beat says is on the screen, at ``t_s``."""
        if state != self._state:
            self._state, self._due = state, self._plan(state, t_s)

    def press(self, t_s: float) -> str | None:
        """Return the key that is due by ``t_s``, once; it becomes due again while the screen stays as it is."""
        if self._due is None or t_s < self._due.t_s:
            return None
        key, self._due = self._due.key, Due(t_s + AGAIN_S, self._due.key)
        return key

    def _plan(self, state: str, t_s: float) -> Due | None:
        if not state:
            return None
        name, keys = markers.decode(state)
        if name.split("/")[0] in TIMED:
            return None
        if name != QUESTION:
            return Due(t_s + self._rng.uniform(*READS_S), "space")
        question = keys["question"]
        answer = self._answer(question, keys.get("target", ""), self._rng)
        return Due(t_s + self._rng.uniform(*DECIDES_S), str(self._choices(question).index(answer) + 1))
