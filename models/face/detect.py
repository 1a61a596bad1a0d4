"""Where the faces are in a frame: one interface, three detectors.

``yolov8`` is the paper's (extra ``yolo``, weights by ``emo-weights``), ``yunet`` is OpenCV's small network (weights by
``emo-weights``), ``haar`` is OpenCV's cascade, which has nothing to fetch. None of them guesses: no face is no box.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models import weights
from models.bids import BidsError
from models.face.settings import DETECTORS, DetectorName

Image = NDArray[np.uint8]  # (height, width, 3), BGR as OpenCV and PyAV's bgr24 give it
Boxes = NDArray[np.float64]  # (n_faces, 4): x, y, width, height in pixels
WEIGHTS = {"yolov8": "yolov8n_face", "yunet": "yunet"}

MIN_FACE = 0.2  # of the frame's height: a face 1 m from a webcam fills more, at 320x240 as at 1280x720
HAAR_HEIGHT = 480  # px; larger frames are searched at this height, which costs a quarter at 720p and finds the same faces
HAAR_EYES_PX = 96  # width of a face in which eyes are looked for
HAAR_EYE = (14, 36)  # px; smallest and largest eye in such a face
YUNET_WIDTH = 320  # px; what its weights were made for
YUNET_SCORE = 0.6  # OpenCV's own example says 0.9; a cap and sensors cost confidence
CASCADE_TEXT = cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY
MAX_ROLL_DEG = 35.0  # eyes that lie steeper are no pair of eyes


class DetectorError(BidsError):
    """A detector cannot be used; the text is one line with the cure."""


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces of one frame, in no particular order.

    Parameters
    ----------
    boxes : ndarray, shape (n, 4)
        x, y, width, height in pixels.
    eyes : ndarray, shape (n, 2, 2)
        (x, y) of the eye that lies left in the picture, and of the other; NaN where the detector does not say.
    """

    boxes: Boxes
    eyes: NDArray[np.float64]

    @classmethod
    def of(cls, boxes: Sequence[object] | NDArray[np.generic], eyes: NDArray[np.float64] | None = None) -> Faces:
        """Make it from anything that has four numbers a face."""
        known = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        return cls(known, np.full((len(known), 2, 2), np.nan) if eyes is None else eyes)


class Detector(Protocol):
    """Finds the faces of frames."""

    @property
    def name(self) -> str:
        """What decides the boxes: detector, weights and settings, for caches and provenance."""
        ...

    @property
    def batch(self) -> int:
        """How many frames at once are quickest."""
        ...

    def faces(self, images: Sequence[Image]) -> list[Faces]:
        """Return the faces of each frame; frames of one call have one size."""
        ...


class Haar:
    """OpenCV's frontal-face cascade: nothing to fetch; misses profiles, and most faces tilted by more than some 15 degrees."""

    name = f"haar frontalface_default 1.1 5 {MIN_FACE} {HAAR_HEIGHT} eye {HAAR_EYES_PX} {HAAR_EYE}"
    batch = 1

    def __init__(self) -> None:
        self._cascade = _cascade("haarcascade_frontalface_default.xml")
        self._eyes = _cascade("haarcascade_eye.xml")

    def faces(self, images: Sequence[Image]) -> list[Faces]:
        """Return the faces of each frame."""
        return [self._faces(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)) for image in images]

    def _faces(self, gray: NDArray[np.uint8]) -> Faces:
        small, scale = _shrunk(gray, gray.shape[0] / HAAR_HEIGHT)
        smallest = round(MIN_FACE * small.shape[0])
        found = self._cascade.detectMultiScale(small, 1.1, 5, minSize=(smallest, smallest))
        boxes: Boxes = np.asarray(found, dtype=np.float64).reshape(-1, 4) * scale
        eyes = [self._eyes_of(gray, box) for box in boxes]
        return Faces.of(boxes, np.array(eyes).reshape(-1, 2, 2))

    def _eyes_of(self, gray: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest eye of each half of a face's upper part; NaN where one of them is not found."""
        x, y, width, height = (round(value) for value in box)
        part, scale = _shrunk(gray[max(0, y + height // 5) : y + 3 * height // 5, max(0, x) : x + width], width / HAAR_EYES_PX)
        smallest, largest = ((size, size) for size in HAAR_EYE)
        found = np.asarray(self._eyes.detectMultiScale(part, 1.1, 3, 0, smallest, largest), dtype=np.float64).reshape(-1, 4)
        middle = found[:, :2] + found[:, 2:] / 2
        pair = np.full((2, 2), np.nan)
        for index, side in enumerate((middle[:, 0] < part.shape[1] / 2, middle[:, 0] >= part.shape[1] / 2)):
            if side.any():
                pair[index] = middle[side][np.argmax(found[side, 2])] * scale + (max(0, x), max(0, y + height // 5))
        return pair


class YuNet:
    """OpenCV's ``FaceDetectorYN`` (Wu et al. 2023): a small network with five landmarks a face.

    Parameters
    ----------
    path : Path
        Its weights, an ONNX file.
    """

    batch = 1

    def __init__(self, path: Path) -> None:
        try:
            weights_of, none = np.fromfile(path, np.uint8), np.empty(0, np.uint8)  # by its path only ASCII on Windows
            self._network = cv2.FaceDetectorYN.create("onnx", weights_of, none, (YUNET_WIDTH, YUNET_WIDTH), YUNET_SCORE)
        except (cv2.error, OSError) as error:
            raise DetectorError(f"{path}: holds no YuNet ({_first(error)}); run: emo-weights fetch yunet") from None
        self.name = f"yunet {weights.digest(path)} {YUNET_WIDTH} {YUNET_SCORE} {MIN_FACE}"

    def faces(self, images: Sequence[Image]) -> list[Faces]:
        """Return the faces of each frame."""
        return [self._faces(image) for image in images]

    def _faces(self, image: Image) -> Faces:
        small, scale = _shrunk(image, image.shape[1] / YUNET_WIDTH)
        self._network.setInputSize((small.shape[1], small.shape[0]))
        _, raw = self._network.detect(small)
        found = np.zeros((0, 15)) if raw is None else np.asarray(raw, dtype=np.float64)
        found = found[found[:, 3] >= MIN_FACE * small.shape[0]] * scale  # x, y, w, h, right eye, left eye, nose, mouth, score
        return Faces.of(found[:, :4], found[:, 4:8].reshape(-1, 2, 2))


def _cascade(name: str) -> cv2.CascadeClassifier:
    path = Path(cv2.data.haarcascades) / name  # type: ignore[attr-defined]
    cascade = cv2.CascadeClassifier()
    text = path.read_text(encoding="utf-8") if path.is_file() else ""  # on Windows OpenCV opens paths of ASCII alone
    stored = cv2.FileStorage(text, CASCADE_TEXT) if text else None  # its nodes live as long as it does
    if stored is None or not cascade.read(stored.getFirstTopLevelNode()):
        raise DetectorError(f"{path}: no such cascade; install 'opencv-python>=4.10,<5', OpenCV 5 has none")
    return cascade


def _shrunk(image: NDArray[np.uint8], factor: float) -> tuple[NDArray[np.uint8], float]:
    """Return a picture made smaller by a factor, and what its pixels are multiplied with; never made larger."""
    if factor <= 1 or not image.size:
        return image, 1.0
    small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), factor


def _first(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def make(name: str, *, path: Path | None = None) -> Detector:
    """Return a detector by name.

    Parameters
    ----------
    name : {"yolov8", "yunet", "haar"}
        Which.
    path : Path, optional
        Weights of one's own, instead of those of ``emo-weights``.

    Raises
    ------
    DetectorError
        When there is no such detector, or what it needs is not on this machine.
    """
    if name not in DETECTORS:
        raise DetectorError(f"detector = {name!r}: use {', '.join(DETECTORS)}")
    if why := missing(name, path=path):
        raise DetectorError(f"detector = {name}: {why}")
    if name == "haar":
        return Haar()
    known = path or weights.find(WEIGHTS[name])
    assert known is not None  # missing() has looked
    if name == "yunet":
        return YuNet(known)
    from models.face.yolo import Yolo  # ultralytics takes seconds

    return Yolo(known)


def missing(name: str, *, path: Path | None = None) -> str:
    """Return what a detector lacks on this machine, with the cure; empty when it can be used.

    Raises
    ------
    WeightsError
        When the weights that are here are not what they are pinned to be.
    """
    if name == "yolov8" and importlib.util.find_spec("ultralytics") is None:
        return "ultralytics is not installed; pip install 'emolab[yolo]' (AGPL-3.0)"
    if name in WEIGHTS and path is None and weights.find(WEIGHTS[name]) is None:
        return f"its weights are not on this machine; run: emo-weights fetch {WEIGHTS[name]}"
    return ""


def best() -> DetectorName:
    """Return the paper's detector where it can be used, else the next of :data:`DETECTORS` that can."""
    return next(name for name in DETECTORS if not missing(name))


def roll_deg(eyes: NDArray[np.float64]) -> float:
    """Return by how much the line between the eyes is turned against the horizontal.

    Parameters
    ----------
    eyes : ndarray, shape (2, 2)
        (x, y) of the eye that lies left in the picture, and of the other.

    Returns
    -------
    float
        Degrees, clockwise in the picture positive; 0 where eyes are not known or are no pair.

    Examples
    --------
    >>> roll_deg(np.array([[0.0, 0.0], [1.0, 0.1]])).__round__(1)
    5.7
    """
    dx, dy = eyes[1] - eyes[0]
    angle = float(np.degrees(np.arctan2(dy, dx)))
    return angle if abs(angle) <= MAX_ROLL_DEG else 0.0  # NaN compares false
