"""Small pictures of the camera for the operator, made beside the recording: it never waits for them.

The capture thread leaves its newest frame here, which is one assignment; a thread of its own makes a picture of what it finds
there when one is wanted. Frames that nobody looks at are forgotten, pictures that nobody takes too: nothing is ever queued.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from collector.camera.grabber import Frame

PERIOD_S = 0.2  # five pictures a second show whether somebody nods
WIDTH_PX = 320
QUALITY = 70  # of the JPEG: 4 kB, in which a face is found as often as in the frame
STALE_S = 1.0  # an older picture is not shown: a camera that hangs must not look alive


class Picture(NamedTuple):
    """A JPEG of the frame that was taken at ``t`` (LSL seconds)."""

    t: float
    jpeg: bytes


def small_jpeg(frame: Frame) -> bytes:
    """Return a frame (height, width, 3), BGR, as a JPEG at most :data:`WIDTH_PX` wide."""
    step = max(1, frame.shape[1] // (2 * WIDTH_PX))  # every n-th pixel first: a third of the work
    part = np.ascontiguousarray(frame[::step, ::step])
    if part.shape[1] > WIDTH_PX:
        size = WIDTH_PX, max(1, round(frame.shape[0] * WIDTH_PX / frame.shape[1]))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


class Previewer:
    """Makes a picture of the newest frame, at most every :data:`PERIOD_S`.

    Parameters
    ----------
    now : callable
        The LSL clock.
    make : callable
        From frame to JPEG; may take as long as it likes.
    """

    def __init__(self, *, now: Callable[[], float], make: Callable[[Frame], bytes] = small_jpeg) -> None:
        self._now, self._make = now, make
        self._frame: tuple[float, Frame] | None = None
        self._picture: Picture | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="preview", daemon=True)

    def start(self) -> None:
        """Begin to make pictures."""
        self._thread.start()

    def give(self, t: float, frame: Frame) -> None:
        """Leave the newest frame, in place of the last one; never waits."""
        self._frame = t, frame

    def take(self) -> Picture | None:
        """Return the newest picture, once, as long as it is fresh; never waits. The next one is made then."""
        picture, self._picture = self._picture, None
        return picture if picture is not None and self._now() - picture.t < STALE_S else None

    def stop(self) -> None:
        """Make no more; a picture that is being made is not waited for."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD_S):
            newest = self._frame
            if newest is not None and self._picture is None:
                self._frame = None
                self._picture = Picture(newest[0], self._make(newest[1]))
