"""Where a long job tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Steps(Protocol):
    """Where progress is told."""

    def step(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Begin a step; what it gives is called with (done, total)."""
        ...

    def say(self, line: str) -> None:
        """Tell a line that matters."""
        ...
