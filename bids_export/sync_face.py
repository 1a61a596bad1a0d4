"""The face around the cues: how far its lids are down, how bright it is.

Only the frames around the cues are decoded. A face is looked for once per cue; its eyes are then where they were, and a lid
that comes down makes them look less like themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bids_export.arrays import Floats
from bids_export.recording import Video
from collector.faces import HEIGHT, Box, Finder

Gray = NDArray[np.uint8]

CUE_S = (-0.1, 1.9)  # around a cue: a blink 0.2 to 0.6 s after it, seen by a camera that may be late
FLASH_S = (-0.4, 1.1)
EYE_SIZE = (0.20, 0.10)  # of the face's width and height
MOVES = 0.25  # of the eye's width: how far a head moves within two seconds
YUNET = "face_detection_yunet_2023mar.onnx"


@dataclass(frozen=True)
class Looked:
    """What was seen of a face around the cues; all arrays have the shape (n_frames,).

    ``closed`` is how far the lids were down, ``brightness`` the mean grey of the face; NaN where they were not looked at, and
    between stretches of frames.
    """

    times: Floats
    closed: Floats
    brightness: Floats
    eyes: str


def look(videos: Sequence[Video], cues: Floats, flashes: Floats) -> Looked:
    """Look at the face around the cues.

    Parameters
    ----------
    videos : sequence of Video
        All parts.
    cues, flashes : ndarray, shape (n,)
        LSL seconds.

    Returns
    -------
    Looked
    """
    finder = _Finder()
    times: list[float] = []
    closed: list[float] = []
    brightness: list[float] = []
    wanted = [(t + CUE_S[0], t + CUE_S[1], True) for t in cues.tolist()]
    wanted += [(a + FLASH_S[0], b + FLASH_S[1], False) for a, b in _stretches(flashes)]
    for start, stop, eyes in sorted(wanted):
        frames = [(t, gray) for video in videos for t, gray in _decoded(video, start, stop)]
        if len(frames) < 4:
            continue
        grays = [gray for _, gray in frames]
        values, light = np.full(len(frames), np.nan), [np.nan] * len(frames)
        if eyes:
            values = _open(grays, finder)
        else:
            face = finder.face(grays[0]) or finder.face(grays[-1])
            light = [_mean(gray, face) for gray in grays]
        times += [*(t for t, _ in frames), frames[-1][0] + 1e-6]  # a hole, so that no run goes on into the next stretch
        closed += [*values.tolist(), np.nan]
        brightness += [*light, np.nan]
    order = np.argsort(times, kind="stable")
    return Looked(np.array(times)[order], np.array(closed)[order], np.array(brightness)[order], finder.name)


def _stretches(flashes: Floats) -> list[tuple[float, float]]:
    """Return the first and the last of flashes that follow each other closely."""
    parts = np.split(np.sort(flashes), np.flatnonzero(np.diff(np.sort(flashes)) > FLASH_S[1] - FLASH_S[0]) + 1)
    return [(float(part[0]), float(part[-1])) for part in parts if len(part)]


def _decoded(video: Video, start: float, stop: float) -> Iterator[tuple[float, Gray]]:
    """Yield time and luminance of the frames between two moments, LSL seconds."""
    first, last = np.searchsorted(video.times, (start, stop))
    if first >= last:
        return
    pts, times = video.pts_s[first:last], video.times[first:last]
    with av.open(str(video.path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        container.seek(int(pts[0] * av.time_base))
        for frame in container.decode(stream):
            if frame.time is None or frame.time < pts[0] - 0.002:
                continue
            if frame.time > pts[-1] + 0.002:
                return
            row = int(np.argmin(np.abs(pts - frame.time)))
            if abs(pts[row] - frame.time) < 0.002:
                yield float(times[row]), _luminance(frame)


def _luminance(frame: av.VideoFrame) -> Gray:
    """Return the luminance of a frame; of planar formats as it lies there, ten times as fast as any conversion."""
    if not frame.format.name.startswith(("yuv4", "yuvj4", "gray")) or frame.format.components[0].bits != 8:
        return np.asarray(frame.to_ndarray(format="gray"), np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    return np.array(rows[: frame.height, : frame.width])


def _open(frames: Sequence[Gray], finder: _Finder) -> Floats:
    """Return how much the eyes look like open ones, shape (n_frames,); NaN where no frame shows them.

    Landmarks lie on shut eyes too, so the frame counts that most others are like: eyes are mostly open.
    """
    best = np.full(len(frames), np.nan)
    for reference in (frames[0], frames[-1], frames[len(frames) // 2]):
        if found := finder.open_eyes(reference):
            values = _likeness(frames, found, reference)
            best = values if np.isnan(best).all() or np.median(values) > np.median(best) else best
            if finder.only_open:
                break
    return best


def _likeness(frames: Sequence[Gray], eyes: Sequence[Box], reference: Gray) -> Floats:
    """Return how much the eyes of each frame look like those of one in which they are open, shape (n_frames,).

    The head may move: each eye is looked for next to where it was, and the best correlation counts.
    """
    total = np.zeros(len(frames))
    for left, top, width, height in eyes:
        x, y = round(MOVES * width), round(MOVES * width)
        open_eye = reference[top : top + height, left : left + width]
        for n, frame in enumerate(frames):
            near = frame[max(0, top - y) : top + height + y, max(0, left - x) : left + width + x]
            total[n] += cv2.matchTemplate(near, open_eye, cv2.TM_CCOEFF_NORMED).max()
    likeness: Floats = total / max(1, len(eyes))
    return likeness


def _mean(gray: Gray, face: Box | None) -> float:
    """Return the mean brightness of a face; of the whole picture where none was found: the screen lights the room too."""
    if face is None:
        return float(gray.mean())
    left, top, width, height = face
    return float(gray[top : top + height, left : left + width].mean())


class _Finder:
    """Finds a face: YuNet where its weights are there, else OpenCV's cascades."""

    def __init__(self) -> None:
        path = _yunet()
        self.name = "YuNet" if path else "Haar cascades"
        self.only_open = path is None  # the cascade of eyes does not see shut ones
        self._yunet = cv2.FaceDetectorYN.create(str(path), "", (320, 240), 0.6) if path else None
        self._haar = Finder()
        self._landmarks: dict[Box, tuple[tuple[float, float], ...]] = {}

    def face(self, gray: Gray) -> Box | None:
        """Return the largest face of a frame."""
        if self._yunet is None:
            return self._haar.largest(gray)
        scale = min(1.0, HEIGHT / gray.shape[0])
        small = gray
        if scale < 1:
            small = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        found = self._by_yunet(small)
        if found is None:
            return None
        box, marks = found
        left, top, width, height = (round(v / scale) for v in _inside(box, small.shape))
        whole = left, top, width, height
        self._landmarks[whole] = tuple((x / scale, y / scale) for x, y in marks)
        return whole

    def open_eyes(self, gray: Gray) -> list[Box]:
        """Return where the eyes of the largest face are; none when they are not seen; shut ones only by landmarks."""
        face = self.face(gray)
        if face is None:
            return []
        _, _, width, height = face
        seen = self._landmarks.get(face) or ((x + w / 2, y + h / 2) for x, y, w, h in self._haar.eyes(gray, face))
        w, h = round(EYE_SIZE[0] * width), round(EYE_SIZE[1] * height)
        return [(max(0, round(x - w / 2)), max(0, round(y - h / 2)), w, h) for x, y in seen]

    def _by_yunet(self, small: Gray) -> tuple[Box, tuple[tuple[float, float], ...]] | None:
        assert self._yunet is not None
        self._yunet.setInputSize((small.shape[1], small.shape[0]))
        _, found = self._yunet.detect(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR))
        if found is None or not len(found):
            return None
        best = max(found, key=lambda row: row[2] * row[3])
        box = (int(best[0]), int(best[1]), int(best[2]), int(best[3]))
        return box, ((float(best[4]), float(best[5])), (float(best[6]), float(best[7])))


def _inside(box: Box, shape: tuple[int, ...]) -> Box:
    left, top, width, height = box
    x, y = max(0, left), max(0, top)
    return x, y, max(1, min(left + width, shape[1]) - x), max(1, min(top + height, shape[0]) - y)


def _yunet() -> Path | None:
    """Return YuNet's weights where ``emo-weights fetch yunet`` put them."""
    given = os.environ.get("EMOLAB_WEIGHTS")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emolab" / "weights"
    path = (Path(given) if given else base) / YUNET
    return path if path.exists() else None
