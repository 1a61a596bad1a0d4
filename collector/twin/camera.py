"""The simulated camera, with OpenCV's interface and a camera's pace."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable
from functools import cache, lru_cache

import cv2

from collector.twin import told
from collector.twin.face import Image
from collector.twin.knobs import Faults, Knobs, from_environment
from collector.twin.listener import Listener
from collector.twin.mishaps import Calendar
from collector.twin.portrait import Portrait
from collector.twin.scenery import Scenery
from collector.twin.timeline import Timeline

# from a frame's stamp to its delivery, as through USB; the marker that names a flip of that moment has arrived meanwhile
_DELIVERY_S = 0.03
_LOOK_S = 0.02  # between two looks whether a camera that hangs goes on


class TwinCamera:
    """A camera that looks at the simulated participant; use it where a ``cv2.VideoCapture`` would stand.

    It listens to the window's markers by itself. ``CAP_PROP_POS_MSEC`` is the driver's time of the last frame, milliseconds on
    the monotonic clock, as Video4Linux gives it. Frames that nobody took in time are lost, as in a camera. One that was
    unplugged gives nothing any more, also when it is plugged in again: it must be opened anew.

    Parameters
    ----------
    size_px : (int, int)
        Width and height.
    fps : float
        Frames per second.
    seed : int, optional
        The participant's; by default as the launcher says in the environment.
    knobs : Knobs, optional
        What the face shows; by default as the launcher says.
    faults : Faults, optional
        Of which the latencies of camera and display, and the camera's mishaps, count here; by default as the environment says.
    now, sleep : callable
        The LSL clock, and waiting on it.
    timeline : Timeline, optional
        Instead of listening to LSL.
    """

    def __init__(
        self,
        size_px: tuple[int, int],
        fps: float,
        *,
        seed: int | None = None,
        knobs: Knobs | None = None,
        faults: Faults | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        timeline: Timeline | None = None,
    ) -> None:
        told_seed, told_effect = from_environment()
        told_knobs, told_faults = told.from_environment(effect=told_effect)
        seed, knobs, faults = told_seed if seed is None else seed, knobs or told_knobs, faults or told_faults
        self._fps, self._latency_s, self._now, self._sleep = fps, faults.camera_latency_s, now, sleep
        self._portrait = _portrait(seed, size_px, knobs)
        self._timeline = timeline or _followed(seed, knobs, faults.display_latency_s)
        self._t_first, self._index, self._t_exposed = now(), -1, None
        self._calendar = Calendar(faults.mishaps, device=_first_opened(now), session=lambda: self._timeline.start)
        self._scenery = Scenery(seed, size_px=size_px, calendar=self._calendar)
        self._open = not self._unplugged()

    _t_exposed: float | None

    def isOpened(self) -> bool:  # noqa: N802  (OpenCV's name)
        """Tell whether frames come."""
        return self._open

    def grab(self) -> bool:
        """Wait for the next frame; the caller stamps after this."""
        while self._open and self._calendar.at(self._now(), "camera_stall") is not None:
            self._sleep(_LOOK_S)
        if not self._open or self._unplugged():
            self._open = False
            return False
        due = int((self._now() - self._t_first - self._latency_s - _DELIVERY_S) * self._fps)
        self._index = max(self._index + 1, due)  # what was due before and not taken is lost
        self._t_exposed = self._t_first + self._index / self._fps
        wait_s = self._t_exposed + self._latency_s + _DELIVERY_S - self._now()
        if wait_s > 0:
            self._sleep(wait_s)
        return self._open

    def retrieve(self) -> tuple[bool, Image | None]:
        """Return the frame that was grabbed, BGR, shape (height, width, 3)."""
        if not self._open or self._t_exposed is None:
            return False, None
        state = self._timeline.state_at(self._t_exposed)
        picture = self._portrait.frame(self._index, self._t_exposed, state, cues=self._timeline.cues)
        return True, self._scenery.spoil(picture, self._t_exposed)

    def read(self) -> tuple[bool, Image | None]:
        """Wait for the next frame and return it."""
        return self.retrieve() if self.grab() else (False, None)

    def get(self, prop: int) -> float:
        """Return a property of OpenCV's; 0 for those that this camera does not have, as OpenCV does."""
        width, height = self._portrait.size_px
        exposed_s = self._t_exposed if self._t_exposed is not None else 0.0
        values = {
            cv2.CAP_PROP_FRAME_WIDTH: float(width),
            cv2.CAP_PROP_FRAME_HEIGHT: float(height),
            cv2.CAP_PROP_FPS: self._fps,
            cv2.CAP_PROP_POS_MSEC: 1000 * (exposed_s + self._latency_s if exposed_s else 0.0),
        }
        return values.get(prop, 0.0)

    def set(self, prop: int, value: float) -> bool:
        """Tell whether the property already has this value; size and rate are fixed when the camera is made."""
        return self.get(prop) == value

    def release(self) -> None:
        """Close the camera."""
        self._open = False

    def _unplugged(self) -> bool:
        return self._calendar.at(self._now(), "camera_unplug") is not None


@lru_cache(maxsize=2)
def _portrait(seed: int, size_px: tuple[int, int], knobs: Knobs) -> Portrait:
    """Draw the bank once: a camera that is opened again must not wait for it."""
    made = Portrait(seed, size_px=size_px, knobs=knobs)
    made.prepare()
    return made


@lru_cache(maxsize=2)
def _followed(seed: int, knobs: Knobs, display_latency_s: float) -> Timeline:
    """Follow the window once in a process: the person goes on while the camera is unplugged."""
    timeline = Timeline(seed, knobs, display_latency_s=display_latency_s)
    listener = Listener(timeline)
    listener.__enter__()
    atexit.register(listener.close)
    return timeline


@cache
def _first_opened(now: Callable[[], float]) -> Callable[[], float]:
    """Return what tells when a camera on this clock was opened first."""
    t_first = now()
    return lambda: t_first
