"""Steps of a job that keep what they are told, for tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Told:
    """Steps whose lines are kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, total: None

    def say(self, line: str) -> None:
        self.lines.append(line)
