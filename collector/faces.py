"""Faces in a picture of the camera: where they are, how they are lit, and in one word whether that will do.

OpenCV's cascades alone, over arrays: the same look for the preflight, the operator's page, the certificate and the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, width, height; pixels
Word = Literal["ok", "none", "several", "dark", "bright"]

HEIGHT = 360  # px: larger pictures are searched at this height: half the work, the same faces
MIN_FACE = 0.15  # of the picture's height: a face 1 m from a webcam fills more
EYES_FROM = 220  # px: smaller faces are enlarged to this width, because the cascade of eyes looks for 20 px and more
EYES_LEAST = 100  # px: in narrower faces a shut eye is found as often as an open one
# a second box is a second person only when the cascade is sure of it: wallpaper and hands score below, faces 4 and more
SURE = 2.5
BLACK, WHITE = 5, 250  # grey levels beyond which a camera tells no more
DARK, BRIGHT, CLIPPED = 40.0, 220.0, 0.2  # mean grey of a face, and share of it without detail
_CASCADE_TEXT = cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY
STUCK = 0.02  # mean difference in grey levels between two pictures: any sensor's noise is above, a driver's repeat is 0


class FacesError(RuntimeError):
    """OpenCV came without its cascades; one line with the cure."""


@dataclass(frozen=True)
class Exposure:
    """How a picture is lit: mean grey level, 0 to 255, and the shares of its pixels that are black or white."""

    mean: float
    black: float
    white: float


@dataclass(frozen=True)
class Look:
    """What was seen in one picture.

    Parameters
    ----------
    faces : tuple of Box
        The largest first.
    eyes : tuple of Box
        Of the largest face; none when they are shut, or the face is less than :data:`EYES_LEAST` wide.
    exposure : Exposure
        Of the largest face; of the whole picture without one.
    sharpness : float
        Of the same, see :func:`sharpness`.
    size_px : (int, int)
        Width and height of the picture.
    """

    faces: tuple[Box, ...]
    eyes: tuple[Box, ...]
    exposure: Exposure
    sharpness: float
    size_px: tuple[int, int]

    @property
    def face_height(self) -> float:
        """Height of the largest face as a share of the picture's; 0 without one."""
        return self.faces[0][3] / self.size_px[1] if self.faces else 0.0


class Finder:
    """OpenCV's cascades for faces from the front and their open eyes.

    They miss profiles, and most faces tilted by more than some 15 degrees.

    Raises
    ------
    FacesError
        Where OpenCV has no cascades.
    """

    def __init__(self) -> None:
        self._faces = _cascade("haarcascade_frontalface_default.xml")
        self._eyes = _cascade("haarcascade_eye_tree_eyeglasses.xml")

    def faces(self, gray: Image) -> tuple[Box, ...]:
        """Return the faces in a picture (height, width), the largest first; smaller ones only when they are certain."""
        scale = min(1.0, HEIGHT / gray.shape[0])
        if scale < 1:
            gray = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        smallest = round(MIN_FACE * gray.shape[0])
        found, _, weights = self._faces.detectMultiScale3(
            gray, 1.1, 5, minSize=(smallest, smallest), outputRejectLevels=True
        )  # fmt: skip
        boxes = [_box(box, scale) for box in found]
        weighed = sorted(zip(boxes, np.ravel(weights).tolist(), strict=True), key=lambda pair: -pair[0][2] * pair[0][3])
        kept: list[Box] = []
        for box, weight in weighed:
            if not kept or (weight >= SURE and not any(_share(box, other) for other in kept)):
                kept.append(box)
        return tuple(kept)

    def largest(self, gray: Image) -> Box | None:
        """Return the largest face in a picture (height, width); None without one."""
        return next(iter(self.faces(gray)), None)

    def eyes(self, gray: Image, face: Box) -> tuple[Box, ...]:
        """Return the open eyes of a face in a picture (height, width); none of one too small to tell."""
        left, top, width, height = face
        if width < EYES_LEAST:
            return ()
        upper = gray[top : top + height // 2, left : left + width]
        scale = max(1.0, EYES_FROM / width)
        if scale > 1:
            upper = np.asarray(cv2.resize(upper, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
        smallest, biggest = max(8, round(0.12 * width * scale)), round(width * scale) // 2
        found = self._eyes.detectMultiScale(upper, 1.1, 4, minSize=(smallest, smallest), maxSize=(biggest, biggest))
        return tuple((left + x, top + y, w, h) for x, y, w, h in (_box(box, scale) for box in found))

    def look(self, frame: Image, *, eyes: bool = True) -> Look:
        """Look at a frame, BGR (height, width, 3) or grey (height, width); without ``eyes`` in half of the time."""
        gray = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8) if frame.ndim == 3 else frame
        faces = self.faces(gray)
        part = _part(gray, faces[0] if faces else None)
        return Look(
            faces, self.eyes(gray, faces[0]) if faces and eyes else (), exposure(part), sharpness(part),
            (gray.shape[1], gray.shape[0]),
        )  # fmt: skip


def exposure(gray: Image, face: Box | None = None) -> Exposure:
    """Return how a picture (height, width) is lit, or a face in it.

    Examples
    --------
    >>> exposure(np.array([[0, 0, 255, 145]], np.uint8))
    Exposure(mean=100.0, black=0.5, white=0.25)
    """
    part = _part(gray, face)
    return Exposure(float(part.mean()), float((part <= BLACK).mean()), float((part >= WHITE).mean()))


def sharpness(gray: Image, face: Box | None = None) -> float:
    """Return the variance of the Laplacian of a picture (height, width), or of a face in it; a blurred one has little.

    It grows with noise and contrast too, so that it compares pictures of one camera alone (Pertuz et al. 2013, LAP4).
    """
    return float(cv2.Laplacian(_part(gray, face), cv2.CV_64F).var())


def is_frozen(before: Image, after: Image) -> bool:
    """Tell whether two pictures of one size, taken at different times, are one picture given twice."""
    return before.shape == after.shape and float(cv2.absdiff(before, after).mean()) < STUCK


def judge(look: Look) -> Word:
    """Say in one word whether a picture will do: one face, neither too dark nor too bright.

    A picture in which no face is found because it is dark is ``dark``: light is the cure, not a face.
    """
    if len(look.faces) > 1:
        return "several"
    lit = look.exposure
    if lit.mean < DARK or lit.black > CLIPPED:
        return "dark"
    if lit.mean > BRIGHT or lit.white > CLIPPED:
        return "bright"
    return "ok" if look.faces else "none"


def _cascade(name: str) -> cv2.CascadeClassifier:
    path = Path(cv2.data.haarcascades) / name  # type: ignore[attr-defined]
    cascade = cv2.CascadeClassifier()
    text = path.read_text(encoding="utf-8") if path.is_file() else ""  # on Windows OpenCV opens paths of ASCII alone
    stored = cv2.FileStorage(text, _CASCADE_TEXT) if text else None  # its nodes live as long as it does
    if stored is None or not cascade.read(stored.getFirstTopLevelNode()):
        raise FacesError(f"{path}: no such cascade; install 'opencv-python>=4.10,<5': OpenCV 5 has none")
    return cascade


def _box(found: Sequence[int], scale: float) -> Box:
    left, top, width, height = (round(int(v) / scale) for v in found)
    return left, top, width, height


def _share(one: Box, other: Box) -> bool:
    """Tell whether two boxes have a part in common: a mouth inside a face is no second face."""
    apart = (
        one[0] >= other[0] + other[2] or other[0] >= one[0] + one[2]
        or one[1] >= other[1] + other[3] or other[1] >= one[1] + one[3]
    )  # fmt: skip
    return not apart


def _part(gray: Image, face: Box | None) -> Image:
    if face is None:
        return gray
    left, top, width, height = face
    return gray[max(0, top) : top + height, max(0, left) : left + width]
