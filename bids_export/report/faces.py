"""Is there a face, and can it be seen? Some frames of a video, looked at by OpenCV's frontal-face cascade."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from bids_export.arrays import Floats
from bids_export.report.facts import Faces, ReportError
from collector.faces import FacesError, Finder, exposure

N_SAMPLED = 60  # a share of 95 % is then known to some 6 points; two seconds of work


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
    finder = _finder()
    seen: dict[float, tuple[bool, float, float]] = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for t in wanted.tolist():
            container.seek(int(t * av.time_base))
            frame = next(container.decode(stream), None)
            if frame is not None and frame.time is not None:
                seen.setdefault(frame.time, _looked(np.asarray(frame.to_ndarray(format="gray"), np.uint8), finder))
    times = np.array(sorted(seen))
    found, brightness, clipped = np.array([seen[t] for t in times.tolist()]).reshape(-1, 3).T
    return Faces(
        onsets=np.interp(times, pts_s, onsets) if len(times) else times, found=found.astype(np.bool_), brightness=brightness,
        clipped=clipped,
    )  # fmt: skip


def _looked(gray: NDArray[np.uint8], finder: Finder) -> tuple[bool, float, float]:
    """Return whether there is a face, how bright it is, and how much of it is black or white; without one, of the frame."""
    face = finder.largest(gray)
    lit = exposure(gray, face)
    return face is not None, lit.mean, lit.black + lit.white


def _finder() -> Finder:
    try:
        return Finder()
    except FacesError as error:
        raise ReportError(str(error)) from None
