"""From the face videos of a BIDS dataset to one array per window: frames by their times, faces, crops, features."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.bids import RecordingFiles
from models.cache import Arrays, cached, key_of
from models.face import detect, video
from models.windows import Window

if TYPE_CHECKING:
    from models.face.patch_attention import Backbone

FaceFeatures = Literal["imagenet", "seeded", "pool96"]
Progress = Callable[[int, int], None]

CROP_PX = 112  # the paper, section 3
MARGIN = 0.1  # of the box, on every side: Haar's box cuts the chin
POOL_ROWS, POOL_COLUMNS = 12, 8
PART = slice(28, 96), slice(22, 90)  # rows and columns of a crop from the brows to the chin, without hair and background


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceData:
    """What the face recogniser gets, window by window.

    Parameters
    ----------
    x : ndarray of float32, shape (n_windows, n_frames, ...)
        Features of every sampled frame: (160, 4, 4) backbone maps, or 96 pooled pixels. NaN where no face was found. Those
        of no pretrained network (``seeded``, ``pool96``) are centred on each recording, see :func:`centred`.
    found : ndarray of bool, shape (n_windows, n_frames)
        Whether there is a face.
    frame_s : ndarray of float64, shape (n_windows, n_frames)
        Time of every sampled frame, seconds from the first EEG sample; NaN where the video has no frame.
    frame : ndarray of int64, shape (n_windows, n_frames)
        Its number in the video, from 0; -1 where there is none.
    kind : {"imagenet", "seeded", "pool96"}
        Which features.
    """

    x: NDArray[np.float32]
    found: NDArray[np.bool_]
    frame_s: NDArray[np.float64]
    frame: NDArray[np.int64]
    kind: FaceFeatures

    @property
    def coverage(self) -> NDArray[np.float64]:
        """Share of the sampled frames with a face, shape (n_windows,): the quality that fusion weighs by."""
        share: NDArray[np.float64] = self.found.mean(axis=1)
        return share


def face_features(
    recordings: Sequence[RecordingFiles],
    windows: Sequence[Window],
    *,
    kind: FaceFeatures = "pool96",
    backbone: Backbone | None = None,
    n_frames: int = 5,
    cache: Path | None = None,
    detector: str = "haar",
    progress: Progress | None = None,
) -> FaceData:
    """Sample every window's frames, find the faces and compute their features.

    Parameters
    ----------
    recordings : sequence of RecordingFiles
        Where the windows come from. Videos of participants without the consent scope ``face`` are not opened.
    windows : sequence of Window
        In any order; the result has the same.
    kind : {"imagenet", "seeded", "pool96"}
        ``pool96`` is the face's grey values averaged to 12 x 8: light, for tests and as a floor to compare with.
    backbone : Backbone, optional
        The frozen network of the other two kinds, from :func:`models.face.patch_attention.load_backbone`.
    n_frames : int
        Frames a window, evenly spaced.
    cache : Path, optional
        Folder for features; pictures of faces are not kept.
    detector : str
        See :func:`models.face.detect.make`.
    progress : callable, optional
        Called as ``progress(done, total)`` with recordings.

    Returns
    -------
    FaceData
        A window without a video or without a face is NaN throughout: missing, never a guess.

    Raises
    ------
    BidsError
        When a video or its frame table cannot be read.
    """
    shape = (POOL_ROWS * POOL_COLUMNS,) if backbone is None else backbone.shape
    if (kind == "pool96") != (backbone is None):
        raise ValueError(f"kind = {kind!r} {'needs no' if kind == 'pool96' else 'needs a'} backbone")
    n = len(windows)
    x = np.full((n, n_frames, *shape), np.nan, dtype=np.float32)
    found, frame_s = np.zeros((n, n_frames), dtype=bool), np.full((n, n_frames), np.nan)
    frame = np.full((n, n_frames), -1, dtype=np.int64)
    for done, files in enumerate(recordings):
        rows = [i for i, w in enumerate(windows) if _same(w, files)]
        if rows and "face" in files.scopes:
            times = np.array([video.sample_times(windows[i].t0_s, windows[i].t1_s, n_frames) for i in rows])
            for path in video.videos(files):
                part = _features_of(path, times, detector, backbone, cache, owner(files))
                at = np.ix_(rows, range(n_frames))
                use = part["frame"] >= 0  # a time belongs to one of the split videos
                for whole, name in ((x, "x"), (found, "found"), (frame_s, "frame_s"), (frame, "frame")):
                    block = whole[at]
                    block[use] = part[name][use]
                    whole[at] = block
            if kind != "imagenet":
                x[rows] = centred(x[rows])
        if progress is not None:
            progress(done + 1, len(recordings))
    return FaceData(x=x, found=found, frame_s=frame_s, frame=frame, kind=kind)


def _same(window: Window, files: RecordingFiles) -> bool:
    return (window.participant, window.session, window.run) == (files.participant, files.session, files.run)


def owner(files: RecordingFiles) -> Arrays:
    """Return whose data a cache entry holds: it is a face, and must be found again when somebody withdraws."""
    return {"participant": np.array(files.participant), "session": np.array(files.session)}


def crop(image: detect.Image, box: NDArray[np.float64], *, size_px: int = CROP_PX) -> detect.Image:
    """Cut the square around a face.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        BGR.
    box : ndarray, shape (4,)
        x, y, width, height.
    size_px : int
        Side of the result.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)
        RGB; beyond the frame's edge the edge is repeated.
    """
    x, y, width, height = box
    half = max(width, height) * (0.5 + MARGIN)
    left, top, side = round(x + width / 2 - half), round(y + height / 2 - half), max(1, round(2 * half))
    pad = max(0, -left, -top, left + side - image.shape[1], top + side - image.shape[0])
    if pad:
        image = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    square = image[top + pad : top + pad + side, left + pad : left + pad + side]
    small = cv2.resize(square, (size_px, size_px), interpolation=cv2.INTER_AREA if side > size_px else cv2.INTER_LINEAR)
    return np.ascontiguousarray(small[..., ::-1]).astype(np.uint8)


def pool96(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Average the grey values to 12 rows x 8 columns, with mean 0 and standard deviation 1 a face: light does not count.

    Parameters
    ----------
    crops : ndarray of uint8, shape (n, 112, 112, 3)
        RGB; the part from the brows to the chin is used.

    Returns
    -------
    ndarray of float32, shape (n, 96)
    """
    gray = crops[:, *PART].astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    small = [cv2.resize(image, (POOL_COLUMNS, POOL_ROWS), interpolation=cv2.INTER_AREA).ravel() for image in gray]
    flat = np.array(small, dtype=np.float32).reshape(-1, POOL_ROWS * POOL_COLUMNS)
    spread = flat.std(axis=1, keepdims=True)
    pooled: NDArray[np.float32] = (flat - flat.mean(axis=1, keepdims=True)) / np.maximum(
        spread, 1.0
    )  # below one grey level there is no face
    return pooled


def centred(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract a recording's mean face, so that what is left is the expression and not the person.

    No label is looked at. On simulated faces of people not seen in training it took the seeded network from 42 % to 78 %
    (chance 25 %): without pretraining, features differ more between persons than between expressions.

    Parameters
    ----------
    x : ndarray of float32, shape (n_windows, n_frames, ...)
        One recording's features; NaN where there is no face.

    Returns
    -------
    ndarray of float32, same shape
        With mean 0 over the faces.
    """
    found = np.isfinite(x.reshape(*x.shape[:2], -1)).all(axis=2)
    return x - x[found].mean(axis=0, dtype=np.float64).astype(np.float32) if found.any() else x


def _crops_of(path: Path, times_s: NDArray[np.float64], finder: detect.Detector) -> Arrays:
    """Return ``crops`` (n_found, 112, 112, 3), ``found``, ``frame`` and ``frame_s`` (windows, frames) of one video."""
    numbers, onsets = video.read_frame_times(path)
    rows = video.nearest_frames(onsets, times_s)
    there = rows >= 0
    frame = np.full(rows.shape, -1, dtype=np.int64)
    frame[there] = numbers[rows[there]]
    faces: dict[int, detect.Image] = {}
    for index, image in video.decode(path, sorted(set(frame[there].tolist()))) if there.any() else ():
        if (box := detect.largest(finder.boxes(image))) is not None:
            faces[index] = crop(image, box)
    found = np.isin(frame, list(faces))
    crops = [faces[int(index)] for index in frame[found]]
    return {
        "crops": np.array(crops, dtype=np.uint8).reshape(-1, CROP_PX, CROP_PX, 3),
        "found": found,
        "frame": frame,
        "frame_s": np.where(there, onsets[rows] if len(onsets) else np.nan, np.nan),
    }


@functools.lru_cache(maxsize=1)
def _crops_once(key: str, path: Path, times_s: tuple[tuple[float, ...], ...], detector: str) -> Arrays:
    """Keep one video's crops in memory for the next kind of features; pictures of faces are not written to disk."""
    return _crops_of(path, np.array(times_s), detect.make(detector))


def _features_of(
    path: Path, times_s: NDArray[np.float64], detector: str, backbone: Backbone | None, cache: Path | None, whose: Arrays
) -> Arrays:
    """Return ``x``, ``found``, ``frame`` and ``frame_s`` of one video, from the cache where it has them."""
    table = video.frame_table(path)
    finder = detect.make(detector).name
    crops_key = key_of("crops", _code(), finder, path, table if table.is_file() else None, times_s)

    def compute() -> Arrays:
        seen = _crops_once(crops_key, path, tuple(map(tuple, times_s.tolist())), detector)
        values = pool96(seen["crops"]) if backbone is None else backbone.maps(seen["crops"])
        x = np.full((*times_s.shape, *values.shape[1:]), np.nan, dtype=np.float32)
        x[seen["found"]] = values
        return {"x": x, **{name: seen[name] for name in ("found", "frame", "frame_s")}, **whose}

    return cached(cache, key_of("features", crops_key, "pool96" if backbone is None else backbone.digest), compute)


@functools.cache
def _code() -> str:
    """Return a digest of what makes features: a changed line makes new ones, nobody has to raise a number."""
    folder = Path(__file__).parent
    sources = (folder / name for name in ("crops.py", "detect.py", "patch_attention.py", "video.py"))
    return key_of(*sources, cv2.__version__, version("torch"), version("torchvision"))
