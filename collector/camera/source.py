"""What can stand where a camera stands: a device, a video file, the simulated camera."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

POS_MSEC = 0  # cv2.CAP_PROP_POS_MSEC


class CameraError(RuntimeError):
    """A camera cannot be opened or gives no frames; one line with the cure."""


class Capture(Protocol):
    """What is used of ``cv2.VideoCapture``; anything with these methods is a camera."""

    def isOpened(self) -> bool:  # noqa: N802  (OpenCV's name)
        """Tell whether frames can come."""
        ...

    def grab(self) -> bool:
        """Wait for the next frame."""
        ...

    def retrieve(self) -> tuple[bool, Any]:
        """Return the frame that was grabbed, BGR."""
        ...

    def get(self, prop: int, /) -> float:
        """Return a property."""
        ...

    def release(self) -> None:
        """Close."""
        ...


class PacedFile:
    """A video file that stands where a camera would: frames come at its rate, again from the start at its end.

    Parameters
    ----------
    path : Path
        The file.
    fps : float
        How fast frames come.
    """

    def __init__(self, path: Path, fps: float) -> None:
        import cv2

        self._file, self._period_s, self._due = cv2.VideoCapture(str(path)), 1 / fps, time.monotonic()

    def isOpened(self) -> bool:  # noqa: N802  (OpenCV's name)
        """Tell whether the file could be opened."""
        return bool(self._file.isOpened())

    def grab(self) -> bool:
        """Wait until the next frame is due."""
        self._due = max(self._due + self._period_s, time.monotonic() - 1.0)
        time.sleep(max(0.0, self._due - time.monotonic()))
        if self._file.grab():
            return True
        self._file.set(1, 0)  # cv2.CAP_PROP_POS_FRAMES: from the start
        return bool(self._file.grab())

    def retrieve(self) -> tuple[bool, Any]:
        """Return the frame."""
        return cast(tuple[bool, Any], self._file.retrieve())

    def get(self, prop: int) -> float:
        """Return a property; its position is no time of a driver's."""
        return 0.0 if prop == POS_MSEC else float(self._file.get(prop))

    def release(self) -> None:
        """Close."""
        self._file.release()


@dataclass(frozen=True)
class Source:
    """A camera that can be opened, and opened again; parameters and errors as :func:`open_source`."""

    source: int | str
    size_px: tuple[int, int]
    fps: float

    def open(self) -> Capture:
        """Open it."""
        return open_source(self.source, self.size_px, self.fps)


def open_source(source: int | str, size_px: tuple[int, int], fps: float) -> Capture:
    """Open a camera.

    Parameters
    ----------
    source : int or str
        Number of the device, a video file, or ``"twin"``.
    size_px : (int, int)
        Width and height that are asked for; the device may give others.
    fps : float
        Frames per second that are asked for.

    Raises
    ------
    CameraError
        When it cannot be opened.
    """
    if source == "twin":
        from collector.twin.camera import TwinCamera
        from collector.twin.told import ToldError

        try:
            capture: Capture = TwinCamera(size_px, fps)
        except ToldError as error:
            raise CameraError(str(error)) from None
    else:
        capture = _device(source, size_px, fps) if isinstance(source, int) else PacedFile(Path(source), fps)
    if not capture.isOpened():
        capture.release()
        raise CameraError(f"camera.source = {source!r} in study.toml: cannot be opened; connect it or give another number")
    return capture


def _device(number: int, size_px: tuple[int, int], fps: float) -> Capture:
    import cv2

    device = cv2.VideoCapture(number)
    # most cameras give 720p at 30 fps as MJPG alone: uncompressed frames do not fit through USB 2
    device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    for prop, value in (
        (cv2.CAP_PROP_FRAME_WIDTH, size_px[0]),
        (cv2.CAP_PROP_FRAME_HEIGHT, size_px[1]),
        (cv2.CAP_PROP_FPS, fps),
    ):
        device.set(prop, value)
    return cast(Capture, device)
