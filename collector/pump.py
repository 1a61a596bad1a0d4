"""One thread that takes from all inlets in turn: it wakes four times a second, where one for each would wake thirty times."""

from __future__ import annotations

import threading
from collections.abc import Callable

Look = Callable[[], None]
BEAT_S = 0.05  # periods are multiples of it


class Pump:
    """Calls functions again and again, each in its own period, one after the other.

    They must neither wait nor raise: whoever waits keeps all others waiting.
    """

    def __init__(self) -> None:
        self._periods: dict[Look, float] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._thread.start()

    def add(self, look: Look, period_s: float) -> None:
        """Call ``look`` every ``period_s`` seconds from now on."""
        with self._lock:
            self._periods[look] = period_s

    def remove(self, look: Look) -> None:
        """Call it no more; when this returns, it is not being called either."""
        with self._lock:
            self._periods.pop(look, None)

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        beats = 0
        while not self._stopping.wait(BEAT_S):
            beats += 1
            with self._lock:
                for look, period_s in self._periods.items():
                    if beats % max(1, round(period_s / BEAT_S)) == 0:
                        look()
