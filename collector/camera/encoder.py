"""The encoder thread: frames out of a bounded queue into video files, each frame with its row."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collector.camera.grabber import Frame
from collector.camera.times import FrameTime
from collector.video import VideoError, VideoWriter
from collector.xdf import XdfError

log = logging.getLogger(__name__)

QUEUE_FRAMES = 64  # two seconds at 30 fps: a disk that stalls for 50 ms fills two
QUEUE_B = 256 * 2**20  # of memory, whatever the size of a frame: 64 of 720p are 177 MB

Row = tuple[float, float, float, float]


@dataclass(frozen=True)
class Item:
    """A frame on its way to the file; ``take`` counts how often the camera was opened."""

    take: int
    time: FrameTime
    frame: Frame


def split_path(path: Path, n: int) -> Path:
    """Return the file of the ``n``-th part of a video, from 1; the first has the plain name.

    Examples
    --------
    >>> split_path(Path("sub-01_recording-face_video.mkv"), 2).name, split_path(Path("pilot.mkv"), 3).name
    ('sub-01_recording-face_split-2_video.mkv', 'pilot_split-3.mkv')
    """
    if n == 1:
        return path
    stem, kind = (path.stem.removesuffix("_video"), "_video") if path.stem.endswith("_video") else (path.stem, "")
    return path.with_name(f"{stem}_split-{n}{kind}{path.suffix}")


class Encoder:
    """Writes one video, in as many files as the camera was opened, or changed its size.

    Parameters
    ----------
    path : Path
        The first file.
    fps : float
        Nominal.
    on_file : callable
        Gets the path of each file before its first row.
    on_row : callable
        Gets a frame's stamp and its row ``[index, pts_s, driver_s, grab_s]``; index and pts count within the file.
    on_fault : callable
        Gets what ended the encoding; nothing is written after it.
    queue_frames : int
        How many frames may wait before the next ones are dropped and counted.

    All are called from the encoder's thread.
    """

    def __init__(
        self, path: Path, *, fps: float, on_file: Callable[[Path], None], on_row: Callable[[float, Row], None],
        on_fault: Callable[[Exception], None], queue_frames: int = QUEUE_FRAMES,
    ) -> None:  # fmt: skip
        self._first, self._fps, self._on_file, self._on_row, self._on_fault = path, fps, on_file, on_row, on_fault
        self._queue: queue.Queue[Item | None] = queue.Queue()
        self._most = queue_frames
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._video: VideoWriter | None = None
        self._open: Item | None = None  # the first frame of the file that is open
        self.files: tuple[Path, ...] = ()
        """That were begun, in order."""
        self.n_frames = self.n_dropped = 0
        self.failed = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def give(self, item: Item) -> None:
        """Hand a frame over; never waits: one for which there is no room is dropped and counted."""
        if self.failed or self._queue.qsize() >= min(self._most, max(2, QUEUE_B // item.frame.nbytes)):
            self.n_dropped += 1
        else:
            self._queue.put_nowait(item)

    def finish(self) -> None:
        """Write what was handed over, close the file, and wait for it."""
        if self._thread.ident is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                self._write(item)
            self._close()
        except (OSError, VideoError, XdfError) as error:
            self._fail(error)

    def _write(self, item: Item) -> None:
        if self._open is None or item.take != self._open.take or item.frame.shape != self._open.frame.shape:
            self._next_file(item)
        assert self._video is not None and self._open is not None
        width, height = self._video.size_px
        pts_s = self._video.write(item.frame[:height, :width], item.time.t - self._open.time.t)
        self._on_row(item.time.t, (float(self._video.n_frames - 1), pts_s, item.time.driver_s, item.time.grab_s))
        self.n_frames += 1

    def _next_file(self, item: Item) -> None:
        self._close()
        path = split_path(self._first, len(self.files) + 1)
        height, width = (n - n % 2 for n in item.frame.shape[:2])  # H.264 in 4:2:0 wants even sizes
        self._video, self._open = VideoWriter(path, (width, height), self._fps), item
        self.files = (*self.files, path)
        self._on_file(path)

    def _close(self) -> None:
        video, self._video = self._video, None
        if video is None:
            return
        try:
            video.close()
        finally:
            if not video.n_frames:  # its first frame did not get onto the disk: nobody could read it
                video.path.unlink(missing_ok=True)

    def _fail(self, error: Exception) -> None:
        """Say what happened, close what is open, and take what is left out of the queue."""
        self.failed = True
        log.error("video: %s", error)
        self._on_fault(error)
        try:
            self._close()
        except (OSError, VideoError) as second:  # a full disk says so again when the file is closed
            log.error("video: %s", second)
        while not self._queue.empty():
            self.n_dropped += self._queue.get() is not None
