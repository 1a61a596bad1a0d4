"""The capture thread: takes frames from one opened camera and stamps them, before anything else costs time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from collector.camera.source import POS_MSEC, Capture
from collector.camera.times import FrameClock, FrameTime
from collector.camera.watchdog import Facts

log = logging.getLogger(__name__)

_AGAIN_S = 0.01  # after a call that failed

Frame = NDArray[np.uint8]


class Grabber:
    """Takes frames until it is stopped; then it closes the camera.

    Parameters
    ----------
    capture : Capture or None
        Opened; None where it could not be, which is as good as one that gives nothing.
    now : callable
        The LSL clock.
    on_frame : callable
        Gets each frame with its time, from this thread; must not wait.
    """

    def __init__(
        self, capture: Capture | None, *, now: Callable[[], float], on_frame: Callable[[FrameTime, Frame], None]
    ) -> None:  # fmt: skip
        self._capture, self._now, self._on_frame = capture, now, on_frame
        self._clock, self._stopping = FrameClock(), threading.Event()
        self.facts = Facts(now(), t_failing=now() if capture is None else None)
        """What the watchdog looks at; always replaced as a whole."""
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._capture is not None:
            self._thread.start()

    def stop(self, *, wait_s: float = 0.0) -> None:
        """End, waiting for at most so long.

        A driver that hangs in a call cannot be closed; its thread closes it when the call returns, or ends with the process.
        """
        self._stopping.set()
        if self._thread.ident is not None and wait_s:
            self._thread.join(wait_s)

    def _run(self) -> None:
        assert self._capture is not None
        try:
            while not self._stopping.is_set():
                if not self._take(self._capture):
                    self.facts = replace(self.facts, t_failing=self.facts.t_failing or self._now())
                    self._stopping.wait(_AGAIN_S)
        finally:
            self._capture.release()

    def _take(self, capture: Capture) -> bool:
        """Take a frame; returns whether there was one."""
        try:
            if not capture.grab():
                return False
            grab_s = self._now()
            time = self._clock.stamp(float(capture.get(POS_MSEC)), grab_s)
            good, frame = capture.retrieve()
        except cv2.error as error:
            log.warning("camera: %s", error)
            return False
        if not good or frame is None:
            return False
        self.facts = replace(self.facts, t_frame=grab_s, t_failing=None)
        self._on_frame(time, cast(Frame, frame))
        return True
