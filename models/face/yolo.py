"""YOLOv8 by ultralytics (AGPL-3.0), the paper's face detector, kept on a short lead.

Ultralytics looks up hosts, reports use, installs packages, and sets the threads of torch and OpenCV for the whole process.
Here it may do none of it: the variables are set before it is imported, and threads are as they were after every call.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models import weights
from models.face.detect import MIN_FACE, DetectorError, Faces, Image

WIDTH_PX = 320  # a face of a fifth of the height has 36 px then; 640 costs four times as much
SCORE = 0.35
OVERLAP = 0.5  # boxes that overlap more are one face
BATCH = 8
# what its loader raises for a file that is no checkpoint of its own
_LOADING = (
    OSError,
    EOFError,
    pickle.UnpicklingError,
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    ImportError,
)
_LEAD = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}


class Yolo:
    """A YOLOv8 network with one class, the face.

    Parameters
    ----------
    path : Path
        Its weights, a checkpoint of ultralytics. That is a pickle: only load one whose SHA-256 is known.
    """

    batch = BATCH

    def __init__(self, path: Path) -> None:
        with quiet() as ultralytics:
            try:
                self._model = ultralytics.YOLO(str(path), task="detect")
                n_classes = len(self._model.names)
            except _LOADING as error:
                raise DetectorError(
                    f"{path}: holds no YOLOv8 ({' '.join(str(error).split())[:120]}); run: emo-weights fetch yolov8n_face"
                ) from None
        if n_classes != 1:
            raise DetectorError(f"{path}: names = {n_classes} classes: a face detector has one; give it weights made for faces")
        self.name = f"yolov8 {weights.digest(path)} {WIDTH_PX} {SCORE} {OVERLAP} {MIN_FACE} {version('ultralytics')}"

    def faces(self, images: Sequence[Image]) -> list[Faces]:
        """Return the faces of each frame."""
        if not images:
            return []
        with quiet():
            results = self._model.predict(
                list(images), imgsz=WIDTH_PX, conf=SCORE, iou=OVERLAP, device="cpu", verbose=False, save=False, rect=True
            )
        smallest = MIN_FACE * images[0].shape[0]
        found = [np.asarray(result.boxes.xyxy.cpu().numpy(), dtype=np.float64) for result in results]
        return [Faces.of(_corners_to_size(corners, smallest)) for corners in found]


def _corners_to_size(corners: Any, smallest_px: float) -> Any:
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    return boxes[boxes[:, 3] >= smallest_px]


@contextmanager
def quiet() -> Iterator[Any]:
    """Give ultralytics, offline and mute; what it sets for the whole process is set back afterwards."""
    import torch

    folder = weights.folder().parent / "ultralytics"
    folder.mkdir(parents=True, exist_ok=True)
    threads, cv_threads, printed = torch.get_num_threads(), cv2.getNumThreads(), np.get_printoptions()
    before = dict(os.environ)
    os.environ.update(_LEAD, YOLO_CONFIG_DIR=str(folder))
    try:
        import ultralytics

        if ultralytics.settings["sync"]:
            ultralytics.settings["sync"] = False
        yield ultralytics
    finally:
        torch.set_num_threads(threads)
        cv2.setNumThreads(cv_threads)
        np.set_printoptions(**printed)
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
