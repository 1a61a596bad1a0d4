"""Where the faces are in a frame: one interface, one class a detector."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (height, width, 3), BGR as OpenCV and PyAV's bgr24 give it
Boxes = NDArray[np.float64]  # (n_faces, 4): x, y, width, height in pixels
DetectorName = Literal["haar"]

MIN_FACE = 0.15  # of the frame's height: a face 1 m from a webcam fills more, at 320x240 as at 1280x720
HAAR_HEIGHT = 480  # px; larger frames are searched at this height, which costs a quarter at 720p and finds the same faces


class DetectorError(ValueError):
    """A detector cannot be used; the text is one line with the cure."""


class Detector(Protocol):
    """Finds faces in one frame."""

    @property
    def name(self) -> str:
        """What decides the boxes: detector and settings, for caches and provenance."""
        ...

    def boxes(self, image: Image) -> Boxes:
        """Return every face, in no particular order; shape (0, 4) when there is none."""
        ...


class Haar:
    """OpenCV's frontal-face cascade: nothing to fetch; misses profiles and faces tilted by more than some 15 degrees."""

    name = f"haar frontalface_default 1.1 5 {MIN_FACE} {HAAR_HEIGHT}"

    def __init__(self) -> None:
        path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"  # type: ignore[attr-defined]
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise DetectorError(f"{path}: no such cascade; install 'opencv-python>=4.10,<5', OpenCV 5 has none")

    def boxes(self, image: Image) -> Boxes:
        """Return every face."""
        gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        scale = max(1.0, gray.shape[0] / HAAR_HEIGHT)
        if scale > 1:
            gray = cv2.resize(gray, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
        smallest = round(MIN_FACE * gray.shape[0])
        found = self._cascade.detectMultiScale(gray, 1.1, 5, minSize=(smallest, smallest))
        boxes: Boxes = np.asarray(found, dtype=np.float64).reshape(-1, 4) * scale
        return boxes


def make(name: str) -> Detector:
    """Return a detector by name.

    Raises
    ------
    DetectorError
        When there is no such detector.
    """
    if name == "haar":
        return Haar()
    raise DetectorError(f"detector = {name!r}: use haar")


def largest(boxes: Boxes) -> NDArray[np.float64] | None:
    """Return the box with the largest area, the participant's as a rule; None when there is none."""
    return None if len(boxes) == 0 else boxes[np.argmax(boxes[:, 2] * boxes[:, 3])]
