"""What is decided about the face before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

DetectorName = Literal["yolov8", "yunet", "haar"]
DETECTORS: tuple[DetectorName, ...] = get_args(DetectorName)
NetworkName = Literal["seed112", "pattlite224"]
NETWORKS: tuple[NetworkName, ...] = get_args(NetworkName)


@dataclass(frozen=True, kw_only=True)
class FaceSettings:
    """How faces are found and what learns them.

    Parameters
    ----------
    detector : {"yolov8", "yunet", "haar"}
        See :mod:`models.face.detect`.
    network : {"seed112", "pattlite224"}
        See :mod:`models.face.patch_attention`.
    n_frames : int
        Frames of a window that are looked at, evenly spaced.
    pretrain : Path or None
        Folder of face pictures to learn from first, see :mod:`models.face.image_folder`.
    adapt : bool
        Whether to go on learning from the dataset's own videos; without, the folder's recogniser predicts as it is.
    """

    detector: DetectorName = "haar"
    network: NetworkName = "seed112"
    n_frames: int = 5
    pretrain: Path | None = None
    adapt: bool = True
