"""The hands of the simulated participant: what is on the screen becomes key presses, at a person's pace.

Pure: beats go in, keys come out. Used by the launcher under ``--twin`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from collector.twin import person
from protocol import markers

QUESTION = "rating"
AGAIN_S = 4.0  # a press that changed nothing is repeated: the window may have been opening


@dataclass(frozen=True)
class _Due:
    t_s: float
    key: str


class Sitter:
    """Sits at the keyboard.

    Parameters
    ----------
    choices : callable
        From a question's name to what may be answered, in the order of the keys 1, 2, 3 ..
    rng : numpy Generator
        For answers and delays.
    """

    def __init__(self, choices: Callable[[str], Sequence[str]], *, rng: np.random.Generator) -> None:
        self._choices, self._rng = choices, rng
        self._state = ""
        self._due: _Due | None = None

    def see(self, state: str, t_s: float) -> None:
        """Look at what a beat says is on the screen, at ``t_s`` seconds."""
        if state and state != self._state:
            self._state, key = state, self._key(state)
            self._due = _Due(t_s + person.response_s(self._rng), key) if key else None

    def press(self, t_s: float) -> str | None:
        """Return the key that is due by ``t_s``, once; it becomes due again while the screen stays as it is."""
        if self._due is None or t_s < self._due.t_s:
            return None
        key, self._due = self._due.key, _Due(t_s + AGAIN_S, self._due.key)
        return key

    def _key(self, state: str) -> str | None:
        name, keys = markers.decode(state)
        if name != QUESTION:
            return keys.get("waits")  # a page that waits for a key says for which
        choices = self._choices(keys["question"])
        chosen = person.answer(keys["question"], keys.get("target", ""), self._rng, choices=choices)
        return str(choices.index(chosen) + 1)
