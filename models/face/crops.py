"""From the face videos of a BIDS dataset to one array per window: frames by their times, faces, crops, features."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.bids import RecordingFiles
from models.cache import Arrays, cached, key_of
from models.face import detect, follow, video
from models.face.pixels import CROP_PX, POOL_COLUMNS, POOL_ROWS, centred, crop, pool96
from models.windows import Window

if TYPE_CHECKING:
    from models.face.patch_attention import Backbone

FaceFeatures = Literal["imagenet", "seeded", "pool96"]
Progress = Callable[[int, int], None]
Frames = Callable[[Path, Sequence[int]], Iterator[tuple[int, detect.Image]]]


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
    n_faces : ndarray of int64, shape (n_windows, n_frames), optional
        How many faces the frame shows: with two or more somebody else is in the picture.
    video : ndarray of int64, shape (n_windows, n_frames), optional
        Which of :func:`models.face.video.videos` it is of, from 0; -1 where there is none.
    """

    x: NDArray[np.float32]
    found: NDArray[np.bool_]
    frame_s: NDArray[np.float64]
    frame: NDArray[np.int64]
    kind: FaceFeatures
    n_faces: NDArray[np.int64] | None = None
    video: NDArray[np.int64] | None = None

    def of(self, rows: NDArray[np.int64]) -> FaceData:
        """Return the same of some windows."""
        return FaceData(
            x=self.x[rows], found=self.found[rows], frame_s=self.frame_s[rows], frame=self.frame[rows], kind=self.kind,
            n_faces=None if self.n_faces is None else self.n_faces[rows],
            video=None if self.video is None else self.video[rows],
        )  # fmt: skip

    @property
    def others(self) -> NDArray[np.float64]:
        """Share of the sampled frames that show more than one face, shape (n_windows,)."""
        share: NDArray[np.float64] = (np.zeros(self.found.shape) if self.n_faces is None else self.n_faces > 1).mean(axis=1)
        return share

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
    frame, n_faces = np.full((n, n_frames), -1, dtype=np.int64), np.zeros((n, n_frames), dtype=np.int64)
    of_video = np.full((n, n_frames), -1, dtype=np.int64)
    for done, files in enumerate(recordings):
        rows = [i for i, w in enumerate(windows) if _same(w, files)]
        if rows and "face" in files.scopes:
            times = np.array([video.sample_times(windows[i].t0_s, windows[i].t1_s, n_frames) for i in rows])
            for number, path in enumerate(video.videos(files)):
                part = _features_of(path, times, detector, backbone, cache, owner(files))
                at = np.ix_(rows, range(n_frames))
                use = part["frame"] >= 0  # a time belongs to one of the split videos
                part["video"] = np.full(use.shape, number)
                wholes = ((x, "x"), (found, "found"), (frame_s, "frame_s"), (frame, "frame"), (n_faces, "n_faces"))
                for whole, name in (*wholes, (of_video, "video")):
                    block = whole[at]
                    block[use] = part[name][use]
                    whole[at] = block
            if kind != "imagenet":
                x[rows] = centred(x[rows])
        if progress is not None:
            progress(done + 1, len(recordings))
    return FaceData(x=x, found=found, frame_s=frame_s, frame=frame, kind=kind, n_faces=n_faces, video=of_video)


def _same(window: Window, files: RecordingFiles) -> bool:
    return (window.participant, window.session, window.run) == (files.participant, files.session, files.run)


def owner(files: RecordingFiles) -> Arrays:
    """Return whose data a cache entry holds: it is a face, and must be found again when somebody withdraws."""
    return {"participant": np.array(files.participant), "session": np.array(files.session)}


@dataclass(frozen=True, eq=False)
class _Looked:
    """One frame that was looked at: its faces, and their crops."""

    boxes: detect.Boxes
    crops: tuple[detect.Image, ...]


def look(path: Path, times_s: NDArray[np.float64], finder: detect.Detector, *, frames: Frames | None = None) -> Arrays:
    """Return the participant's face at given times of a video, which is decoded once.

    Parameters
    ----------
    path : Path
        The video, with the table of its frames' times beside it.
    times_s : ndarray, shape (n_windows, n_frames)
        Seconds from the first EEG sample.
    finder : Detector
        What finds faces.
    frames : callable
        What decodes: :func:`models.face.video.decode` where left out; for a few times :func:`models.face.video.pick`.

    Returns
    -------
    dict of str to ndarray
        ``crops`` (n_found, 112, 112, 3), and of shape (n_windows, n_frames): ``found``, ``frame``, ``frame_s``, ``n_faces``.

    Raises
    ------
    BidsError
        When the video or its table cannot be read.
    """
    numbers, onsets = video.read_frame_times(path)
    rows = video.nearest_frames(onsets, times_s)
    there = rows >= 0
    frame = np.full(rows.shape, -1, dtype=np.int64)
    frame[there] = numbers[rows[there]]
    looked = _look((frames or video.decode)(path, sorted(set(frame[there].tolist()))), finder) if there.any() else {}
    chosen = dict(zip(looked, follow.participant([seen.boxes for seen in looked.values()]), strict=True))
    faces = {index: looked[index].crops[row] for index, row in chosen.items() if row is not None}
    found = np.isin(frame, list(faces))
    count = {index: len(seen.boxes) for index, seen in looked.items()}
    return {
        "crops": np.array([faces[int(index)] for index in frame[found]], dtype=np.uint8).reshape(-1, CROP_PX, CROP_PX, 3),
        "found": found,
        "frame": frame,
        "frame_s": np.where(there, onsets[rows] if len(onsets) else np.nan, np.nan),
        "n_faces": np.array([count.get(int(index), 0) for index in frame.ravel()], dtype=np.int64).reshape(frame.shape),
    }


def _look(frames: Iterator[tuple[int, detect.Image]], finder: detect.Detector) -> dict[int, _Looked]:
    """Find the faces of frames, some at a time."""
    looked: dict[int, _Looked] = {}
    while batch := list(itertools.islice(frames, finder.batch)):
        for (index, image), seen in zip(batch, finder.faces([image for _, image in batch]), strict=True):
            turns = [detect.roll_deg(eyes) for eyes in seen.eyes]
            cut = (crop(image, box, roll_deg=turn) for box, turn in zip(seen.boxes, turns, strict=True))
            looked[index] = _Looked(seen.boxes, tuple(cut))
    return looked


@functools.lru_cache(maxsize=1)
def _crops_once(key: str, path: Path, times_s: tuple[tuple[float, ...], ...], detector: str) -> Arrays:
    """Keep one video's crops in memory for the next kind of features; pictures of faces are not written to disk."""
    return look(path, np.array(times_s), detect.make(detector))


def _features_of(
    path: Path, times_s: NDArray[np.float64], detector: str, backbone: Backbone | None, cache: Path | None, whose: Arrays
) -> Arrays:
    """Return ``x``, ``found``, ``frame``, ``frame_s`` and ``n_faces`` of one video, from the cache where it has them."""
    table = video.frame_table(path)
    finder = detect.make(detector).name
    crops_key = key_of("crops", _code(), finder, path, table if table.is_file() else None, times_s)

    def compute() -> Arrays:
        seen = _crops_once(crops_key, path, tuple(map(tuple, times_s.tolist())), detector)
        values = pool96(seen["crops"]) if backbone is None else backbone.maps(seen["crops"])
        x = np.full((*times_s.shape, *values.shape[1:]), np.nan, dtype=np.float32)
        x[seen["found"]] = values
        return {"x": x, **{name: seen[name] for name in ("found", "frame", "frame_s", "n_faces")}, **whose}

    return cached(cache, key_of("features", crops_key, "pool96" if backbone is None else backbone.digest), compute)


@functools.cache
def _code() -> str:
    """Return a digest of what makes features: a changed line makes new ones, nobody has to raise a number."""
    folder = Path(__file__).parent
    sources = (
        folder / name
        for name in ("crops.py", "detect.py", "follow.py", "pixels.py", "patch_attention.py", "video.py", "yolo.py")
    )
    return key_of(*sources, cv2.__version__, version("torch"), version("torchvision"))
