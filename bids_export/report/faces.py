"""Is there a face, and can it be seen? Some frames of a video, looked at by OpenCV's frontal-face cascade."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bids_export.arrays import Floats
from bids_export.report.facts import Faces, ReportError

N_SAMPLED = 60  # a share of 95 % is then known to some 6 points; two seconds of work
HEIGHT = 360  # px: larger frames are searched at this height: half the work, the same faces
MIN_FACE = 0.15  # of the height: a face 1 m from a webcam fills more
BLACK, WHITE = 5, 250  # grey levels beyond which a camera tells no more


def look(path: Path, pts_s: Floats, onsets: Floats, *, n: int = N_SAMPLED) -> Faces:
    """Look for a face in frames that are spread evenly over a video.

    Parameters
    ----------
    path : Path
        The video.
    pts_s, onsets : ndarray, shape (n_rows,)
        Times of its frames inside the file, and on the EEG's clock, seconds.
    n : int
        How many frames to look at, at most; the key frames next to even steps are taken, which need no others.

    Returns
    -------
    Faces
    """
    wanted = pts_s[np.unique(np.linspace(0, len(pts_s) - 1, n).round().astype(int))] if len(pts_s) else pts_s
    cascade = _cascade()
    seen: dict[float, tuple[bool, float, float]] = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for t in wanted.tolist():
            container.seek(int(t * av.time_base))
            frame = next(container.decode(stream), None)
            if frame is not None and frame.time is not None:
                seen.setdefault(frame.time, _looked(np.asarray(frame.to_ndarray(format="gray"), np.uint8), cascade))
    times = np.array(sorted(seen))
    found, brightness, clipped = np.array([seen[t] for t in times.tolist()]).reshape(-1, 3).T
    return Faces(
        onsets=np.interp(times, pts_s, onsets) if len(times) else times, found=found.astype(np.bool_), brightness=brightness,
        clipped=clipped,
    )  # fmt: skip


def _looked(gray: NDArray[np.uint8], cascade: cv2.CascadeClassifier) -> tuple[bool, float, float]:
    """Return whether there is a face, how bright it is, and how much of it is black or white; without one, of the frame."""
    box = find_face(gray, cascade)
    if box is not None:
        left, top, width, height = box
        gray = gray[top : top + height, left : left + width]
    return box is not None, float(gray.mean()), float(((gray <= BLACK) | (gray >= WHITE)).mean())


def find_face(gray: NDArray[np.uint8], cascade: cv2.CascadeClassifier) -> tuple[int, int, int, int] | None:
    """Return left, top, width and height of the largest face from the front in a frame (height, width); None without one."""
    scale = min(1.0, HEIGHT / gray.shape[0])
    if scale < 1:
        gray = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    smallest = round(MIN_FACE * gray.shape[0])
    found = cascade.detectMultiScale(gray, 1.1, 5, minSize=(smallest, smallest))
    best = max(found, key=lambda box: box[2] * box[3], default=None)
    if best is None:
        return None
    left, top, width, height = (round(int(v) / scale) for v in best)
    return left, top, width, height


def _cascade() -> cv2.CascadeClassifier:
    path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"  # type: ignore[attr-defined]
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise ReportError(f"{path}: no such cascade; install 'opencv-python>=4.10,<5': OpenCV 5 has none")
    return cascade
