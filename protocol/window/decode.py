"""A clip's frames and sound, decoded by PyAV in a thread of their own into a bounded queue."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

AHEAD_B = 48 * 2**20  # decoded frames that wait: 17 of 1280x720, so that a hiccup of half a second is not seen
MIN_AHEAD, MAX_AHEAD = 6, 60
SFREQ_AUDIO = 48000  # what sound cards and PulseAudio run at
# Sound is decoded from so long before the in point: codecs need a few packets to settle.
_PREROLL_S = 1.0
# Files are searched by times of decoding and by key frames, in AVI, MPEG-TS and MOV too late: then from further before,
# at last from the beginning.
_FURTHER_S = (0.0, 1.0, 10.0, math.inf)
_SAME_S = 0.001  # points are written to the millisecond, and so are the times of frames in Matroska
_FULL_S = 0.01  # how long the thread rests while enough frames wait


class ClipError(RuntimeError):
    """A clip cannot be decoded; the text says why."""


@dataclass(frozen=True)
class Frame:
    """One picture: ``pts_s`` and ``duration_s`` in seconds from the in point, ``rgb`` uint8, shape (height, width, 3).

    ``duration_s`` is 0 where the file does not tell it.
    """

    index: int
    pts_s: float
    rgb: NDArray[np.uint8]
    duration_s: float = 0.0


@dataclass(frozen=True)
class Format:
    """What a clip's pictures are like, upright; ``aspect`` is width / height as shown (pixels need not be square)."""

    width_px: int
    height_px: int
    aspect: float
    fps: float


def _open(path: Path) -> Any:
    try:
        return av.open(path)
    except (av.FFmpegError, OSError) as error:
        raise ClipError(f"{path.name}: {error}") from error


def _zero_s(container: Any) -> float:
    """Return where the file's own clock begins: not at 0 in what was cut from a broadcast."""
    return (container.start_time or 0) / av.time_base


def _decoded(container: Any, stream: Any, *, from_s: float, preroll_s: float = 0.0) -> Iterator[Any]:
    """Decode a stream from the piece on that lies at a point, or before it where there is one."""
    for further_s in _FURTHER_S:
        to_s = max(0.0, from_s - preroll_s - further_s)
        if to_s > 0 or further_s > 0:  # what is read from its beginning need not be searched: not every file can be
            container.seek(round((to_s + _zero_s(container)) * av.time_base), backward=True)
        pieces = container.decode(stream)
        first = next(pieces, None)
        if to_s == 0 or (first is not None and (first.time or 0.0) - _zero_s(container) <= from_s + _SAME_S):
            return iter(()) if first is None else chain((first,), pieces)
    raise AssertionError("the last try begins at the beginning")


def read_format(path: Path) -> Format:
    """Return size, shape and mean rate of a clip's pictures, as they are shown: a telephone's are stored lying.

    Raises
    ------
    ClipError
        When the file cannot be opened, or holds no pictures.
    """
    try:
        with _open(path) as container:
            if not container.streams.video:
                raise ClipError(f"{path.name}: has no pictures")
            video = container.streams.video[0]
            fps = float(video.average_rate or video.guessed_rate or 25)
            first = next(container.decode(video), None)
            if first is None:
                raise ClipError(f"{path.name}: has no picture that can be decoded")
            ratio, width, height = float(video.sample_aspect_ratio or 1), first.width, first.height
            if _quarters(first) % 2:
                return Format(height, width, height / (width * ratio), fps)
            return Format(width, height, width * ratio / height, fps)
    except av.FFmpegError as error:
        raise ClipError(f"{path.name}: {error}") from error


def _quarters(picture: Any) -> int:
    """Return by how many quarter turns, counterclockwise, a picture must be turned to stand upright."""
    return round(int(picture.rotation) / 90) % 4


def read_frames(path: Path, *, start_s: float, stop_s: float) -> Iterator[Frame]:
    """Yield the frames from ``start_s`` up to ``stop_s``, in order, upright.

    The first is the one that is to be seen at the in point; the one whose time the out point is, is not shown any more: two
    clips that are cut at the same point share no frame. No rate is assumed: each frame counts by its own time.

    Raises
    ------
    ClipError
        When a frame cannot be decoded; frames before it have been yielded.
    """
    try:
        with _open(path) as container:
            pictures = _inside(container, start_s=start_s, duration_s=stop_s - start_s)
            size: tuple[int, int] | None = None
            for index, (pts_s, picture) in enumerate(pictures):
                size = size or (picture.width, picture.height)
                if (picture.width, picture.height) != size:
                    raise ClipError(f"{path.name}: changes its size at {pts_s + start_s:.2f} s; convert it to one size")
                yield _frame(index, pts_s, picture)
    except av.FFmpegError as error:
        raise ClipError(f"{path.name}: {error}") from error


def _inside(container: Any, *, start_s: float, duration_s: float) -> Iterator[tuple[float, Any]]:
    """Yield pictures between two points, with their times from the first."""
    video, zero_s = container.streams.video[0], _zero_s(container) + start_s
    video.thread_type = "AUTO"
    before: Any = None
    for picture in _decoded(container, video, from_s=start_s):
        pts_s = (picture.time or 0.0) - zero_s
        if pts_s >= duration_s - _SAME_S:
            break
        if pts_s < -_SAME_S:
            before = picture  # between the key frame and the in point; the last of them may be what is seen there
            continue
        if before is not None and pts_s > _SAME_S:
            yield 0.0, before
        before = None
        yield max(0.0, pts_s), picture
    if before is not None:
        yield 0.0, before


def _frame(index: int, pts_s: float, picture: Any) -> Frame:
    rgb = picture.to_ndarray(format="rgb24")
    if quarters := _quarters(picture):
        rgb = np.ascontiguousarray(np.rot90(rgb, quarters))
    return Frame(index, pts_s, rgb, float(picture.duration * picture.time_base) if picture.duration else 0.0)


def read_sound(path: Path, *, start_s: float, stop_s: float) -> NDArray[np.float32] | None:
    """Decode the sound between two points.

    Returns
    -------
    ndarray of float32, shape (n_samples, 2), or None
        Stereo at :data:`SFREQ_AUDIO`, silent where the file has none; None for a clip without sound.

    Raises
    ------
    ClipError
        When the sound cannot be decoded.
    """
    n = round((stop_s - start_s) * SFREQ_AUDIO)
    try:
        with _open(path) as container:
            if not container.streams.audio:
                return None
            pieces, first = _resampled(container, zero_s=_zero_s(container) + start_s, start_s=start_s, stop_s=stop_s)
    except av.FFmpegError as error:
        raise ClipError(f"{path.name}: {error}") from error
    sound = np.zeros((n, 2), np.float32)
    if pieces:
        samples = np.concatenate(pieces)[max(0, -first) :]
        at = max(0, first)
        kept = samples[: max(0, n - at)]
        sound[at : at + len(kept)] = kept
    return sound


def _interleaved(piece: Any) -> NDArray[np.float32]:
    return np.asarray(piece.to_ndarray(), np.float32).reshape(-1, 2)


def _resampled(container: Any, *, zero_s: float, start_s: float, stop_s: float) -> tuple[list[NDArray[np.float32]], int]:
    """Return stereo pieces and the position of the first sample, counted from the in point."""
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=SFREQ_AUDIO)
    pieces: list[NDArray[np.float32]] = []
    first = 0
    for heard in _decoded(container, container.streams.audio[0], from_s=start_s, preroll_s=_PREROLL_S):
        t_s = (heard.time or 0.0) - zero_s
        if t_s >= stop_s - start_s:
            break
        if not pieces:
            first = round(t_s * SFREQ_AUDIO)
        pieces += map(_interleaved, resampler.resample(heard))
    pieces += map(_interleaved, resampler.resample(None))
    return pieces, first


class Decoder:
    """Decodes a clip ahead of the screen.

    The sound is decoded first, whole (23 MB a minute), because PsychPortAudio is handed it before the first frame shows.

    Parameters
    ----------
    path : Path
        The clip's file.
    start_s, stop_s : float
        In and out point, seconds within the file.
    with_sound : bool
        Whether the sound is wanted.
    """

    def __init__(self, path: Path, *, start_s: float, stop_s: float, with_sound: bool) -> None:
        self._path, self._start_s, self._stop_s, self._with_sound = path, start_s, stop_s, with_sound
        self.format: Format | None = None
        self.sound: NDArray[np.float32] | None = None
        self.error = ""
        self._ready, self._ending = threading.Event(), threading.Event()
        self._queue: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()  # bounded by :meth:`_put`
        self._ahead = MIN_AHEAD
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether the sound and the first frames are there, or decoding has ended."""
        return self._ready.is_set()

    def take(self) -> Frame | None:
        """Return the next frame.

        Raises
        ------
        queue.Empty
            When it is not decoded yet.
        ClipError
            When it cannot be decoded.
        """
        frame = self._queue.get_nowait()
        if frame is None:
            self._queue.put(None)  # asked again, the end is still the end
            if self.error:
                raise ClipError(self.error)
        return frame

    def close(self) -> None:
        """End the thread and let go of the file."""
        self._ending.set()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            self.format = read_format(self._path)
            size_B = self.format.width_px * self.format.height_px * 3
            self._ahead = min(MAX_AHEAD, max(MIN_AHEAD, AHEAD_B // size_B))
            if self._with_sound:
                self.sound = read_sound(self._path, start_s=self._start_s, stop_s=self._stop_s)
            for frame in read_frames(self._path, start_s=self._start_s, stop_s=self._stop_s):
                if not self._put(frame):
                    return
        except ClipError as error:
            self.error = str(error)
        except MemoryError:
            self.error = f"{self._path.name}: needs more memory than there is"
        finally:
            self._queue.put(None)
            self._ready.set()

    def _put(self, frame: Frame) -> bool:
        """Queue a frame as soon as there is room; False when the clip is to end."""
        while not self._ending.is_set():
            if self._queue.qsize() < self._ahead:
                self._queue.put(frame)
                return True
            self._ready.set()
            self._ending.wait(_FULL_S)
        return False
