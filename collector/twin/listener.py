"""Follows the window's markers over LSL, so that a simulated device knows what its participant is looking at."""

from __future__ import annotations

import logging
import threading
from typing import Self

from collector.twin.timeline import Timeline
from protocol import markers

_RESOLVE_S = 1.0  # one look for the window's stream
_PULL_S = 0.05  # how long one wait for a marker lasts, and so how late the thread ends
_ENDS_S = 5.0

log = logging.getLogger(__name__)


class Listener:
    """A thread with an LSL inlet that feeds a timeline.

    Parameters
    ----------
    timeline : Timeline
        Gets every marker, with its stamp: window and twin run on one computer, so on one clock.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="twin-listener", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_ENDS_S)

    def _run(self) -> None:
        import pylsl

        while not self._closing.is_set():
            found = pylsl.resolve_byprop("name", markers.STREAM_NAME, 1, _RESOLVE_S)
            if not found:
                continue
            # a window that comes back after a crash has a stream of its own: it is looked for anew
            inlet = pylsl.StreamInlet(found[0], max_buflen=60, recover=False)
            try:
                while not self._closing.is_set():
                    sample, stamp = inlet.pull_sample(timeout=_PULL_S)
                    if sample is not None:
                        self._take(stamp, sample[0])
            except pylsl.util.LostError:
                log.info("the window's markers ended; waiting for another window")
            finally:
                inlet.close_stream()

    def _take(self, stamp: float, text: str) -> None:
        try:
            self.timeline.add(stamp, markers.parse(text))
        except (markers.MarkerError, KeyError, ValueError) as error:
            log.warning("a marker that is none of ours is passed over: %r: %s", text, error)
