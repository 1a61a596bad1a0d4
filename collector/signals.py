"""Signals end a recording in order, from a closed terminal too."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # Ctrl-C, a polite end by the system, a closed terminal, Windows
_STANDARD = (0, 1, 2)


@contextmanager
def ending(stop: Callable[[str], None]) -> Iterator[None]:
    """Call ``stop`` with the name of each signal that asks for an end; nothing else happens on them.

    A second signal changes nothing, because files want their time to be closed.
    """
    terminals = [handle for handle in _STANDARD if os.isatty(handle)]  # asked now: a terminal that is gone is none

    def handle(number: int, _: FrameType | None) -> None:
        name = signal.Signals(number).name
        if name == "SIGHUP":
            _leave(terminals)
        stop(name)

    caught = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    before = [signal.signal(number, handle) for number in caught]
    try:
        yield
    finally:
        for number, handler in zip(caught, before, strict=True):
            signal.signal(number, handler)


def _leave(terminals: list[int]) -> None:
    """Read from and write to nowhere: the terminal is gone, and every line for it would be an error."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in terminals:
        os.dup2(nowhere, handle)
    os.close(nowhere)
