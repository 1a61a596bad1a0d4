"""The camera: a capture thread stamps, a bounded queue, an encoder thread writes. Capturing never waits for encoding.

Every frame in the video has one row in the frame stream, written after it, by the same thread.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import av
import numpy as np
from numpy.typing import NDArray

from collector.video import VideoWriter
from collector.xdf import StreamHeader, XdfError

if TYPE_CHECKING:  # the wire's types come with the extra `lab`; a simulated cohort does without
    from protocol.messages import CameraStatus

log = logging.getLogger(__name__)

STREAM_NAME = "emolab-frames"
QUEUE_FRAMES = 64  # two seconds at 30 fps, 180 MB at 720p: a disk that stalls for 50 ms fills two
TRUST_S = 1.0  # a driver's time further than this from the LSL clock is on another clock
LOST_S = 2.0  # without a frame for this long the camera is gone
_POS_MSEC = 0  # cv2.CAP_PROP_POS_MSEC
_RETRY_S = 0.01
_RATE_FRAMES = 60  # of how many frames the shown rate is the mean

Frame = NDArray[np.uint8]


class CameraError(RuntimeError):
    """A camera cannot be opened or gives no frames; one line with the cure."""


class Capture(Protocol):
    """What is used of ``cv2.VideoCapture``; anything with these methods is a camera."""

    def isOpened(self) -> bool:  # noqa: N802  (OpenCV's name)
        """Tell whether frames can come."""
        ...

    def grab(self) -> bool:
        """Wait for the next frame."""
        ...

    def retrieve(self) -> tuple[bool, Any]:
        """Return the frame that was grabbed, BGR."""
        ...

    def get(self, prop: int, /) -> float:
        """Return a property."""
        ...

    def release(self) -> None:
        """Close."""
        ...


@dataclass(frozen=True)
class FrameTime:
    """When a frame was taken.

    Parameters
    ----------
    t : float
        Best known time on the LSL clock: the driver's where it is on that clock, else ``grab_s``.
    driver_s : float
        As the driver says, seconds, whatever its clock; 0 where it says nothing.
    grab_s : float
        LSL seconds right after ``grab()`` returned.
    """

    t: float
    driver_s: float
    grab_s: float


def frame_time(driver_ms: float, grab_s: float) -> FrameTime:
    """Choose between the driver's time and ours.

    Examples
    --------
    >>> frame_time(999_980.0, 1000.0).t
    999.98
    >>> frame_time(33.0, 1000.0).t
    1000.0
    """
    driver_s = driver_ms / 1000
    return FrameTime(driver_s if abs(driver_s - grab_s) < TRUST_S else grab_s, driver_s, grab_s)


def frames_header(file: str, *, uid: str = "") -> StreamHeader:
    """Return the header of the frame stream; ``file`` is the video's name beside the XDF.

    Rows are ``[index, pts_s, driver_s, grab_s]``; the sample's stamp is the frame's best time. Without a nominal rate,
    because pyxdf would smooth the times of a stream that has one.
    """
    return StreamHeader(
        STREAM_NAME, "VideoFrames", 4, 0.0, "double64", labels=("index", "pts_s", "driver_s", "grab_s"),
        units=("count", "seconds", "seconds", "seconds"), source_id=f"{STREAM_NAME}-{uid}", uid=uid, desc=(("file", file),),
    )  # fmt: skip


class Camera:
    """Records one camera into one file.

    Parameters
    ----------
    capture : Capture
        Opened.
    path : Path
        The video, created at the first frame.
    fps : float
        Nominal.
    now : callable
        The LSL clock.
    on_row : callable
        Gets a frame's stamp and its row ``[index, pts_s, driver_s, grab_s]``, from the encoder thread.
    queue_frames : int
        How many frames may wait for the encoder before the next ones are dropped and counted.
    """

    def __init__(
        self, capture: Capture, path: Path, *, fps: float, now: Callable[[], float],
        on_row: Callable[[float, tuple[float, float, float, float]], None], queue_frames: int = QUEUE_FRAMES,
    ) -> None:  # fmt: skip
        self._capture, self.path, self._fps, self._now, self._on_row = capture, path, fps, now, on_row
        self._queue: queue.Queue[tuple[FrameTime, Frame] | None] = queue.Queue(queue_frames)
        self._stopping, self._recording = threading.Event(), threading.Event()
        self._times: deque[float] = deque(maxlen=_RATE_FRAMES)
        self.n_dropped = self.n_frames = 0
        self.error = ""
        self._capturing = threading.Thread(target=self._capture_loop, name="camera", daemon=True)
        self._encoding = threading.Thread(target=self._encode_loop, name="encoder", daemon=True)

    def start(self) -> None:
        """Begin to take frames; they are kept only after :meth:`record`."""
        self._capturing.start()

    def record(self) -> None:
        """Keep the frames from now on."""
        self._encoding.start()
        self._recording.set()

    def stop(self) -> None:
        """Take no more frames, write those that were taken, close the file."""
        self._stopping.set()
        self._join(self._capturing, LOST_S)
        if self._encoding.ident is not None:
            self._finish_queue()
            self._encoding.join()
        # a driver that hangs in grab() cannot be released: its thread is a daemon and ends with the process
        if not self._capturing.is_alive():
            self._capture.release()

    @property
    def t_last(self) -> float | None:
        """LSL seconds of the newest frame, None before the first."""
        return self._times[-1] if self._times else None

    @property
    def flowing(self) -> bool:
        """Whether frames come at this moment."""
        t = self.t_last
        return not self.error and t is not None and self._now() - t <= LOST_S

    def status(self) -> CameraStatus:
        """Return rate, losses and file for the operator."""
        from protocol.messages import CameraStatus

        times = list(self._times)
        fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
        return CameraStatus(fps_hz=fps, n_dropped=self.n_dropped, file=self.path.name)

    def _join(self, thread: threading.Thread, timeout_s: float) -> None:
        if thread.ident is not None:
            thread.join(timeout_s)

    def _finish_queue(self) -> None:
        """Tell the encoder that nothing follows; it empties the queue, so there will be room."""
        while self._encoding.is_alive():
            try:
                return self._queue.put(None, timeout=0.1)
            except queue.Full:
                continue
        return None

    def _capture_loop(self) -> None:
        t_good = self._now()
        while not self._stopping.is_set():
            taken = self._take()
            if taken is None:
                if self._now() - t_good > LOST_S:
                    return self._fail(f"no frame for {LOST_S:.0f} s")
                self._stopping.wait(_RETRY_S)
                continue
            t_good = taken[0].grab_s
            self._times.append(taken[0].t)
            if self._recording.is_set():
                self._hand_over(taken)
        return None

    def _take(self) -> tuple[FrameTime, Frame] | None:
        if not self._capture.grab():
            return None
        stamp = frame_time(0.0, self._now())  # before anything else costs time
        stamp = frame_time(float(self._capture.get(_POS_MSEC)), stamp.grab_s)
        good, frame = self._capture.retrieve()
        return (stamp, cast(Frame, frame)) if good and frame is not None else None

    def _hand_over(self, taken: tuple[FrameTime, Frame]) -> None:
        if self.error:
            return
        try:
            self._queue.put_nowait(taken)
        except queue.Full:
            self.n_dropped += 1

    def _encode_loop(self) -> None:
        first = self._queue.get()
        if first is None:
            return
        try:
            height, width = (n - n % 2 for n in first[1].shape[:2])  # H.264 in 4:2:0 wants even sizes
            with VideoWriter(self.path, (width, height), self._fps) as video:
                item: tuple[FrameTime, Frame] | None = first
                while item is not None:
                    self._encode(video, item, t_first=first[0].t)
                    item = self._queue.get()
        except (OSError, ValueError, av.FFmpegError, XdfError) as error:
            self._fail(f"{self.path.name}: {error}")
            self._drain()

    def _encode(self, video: VideoWriter, item: tuple[FrameTime, Frame], *, t_first: float) -> None:
        stamp, frame = item
        width, height = video.size_px
        pts_s = video.write(frame[:height, :width], stamp.t - t_first)
        self._on_row(stamp.t, (float(self.n_frames), pts_s, stamp.driver_s, stamp.grab_s))
        self.n_frames += 1

    def _fail(self, why: str) -> None:
        log.error("camera: %s", why)
        self.error = self.error or why

    def _drain(self) -> None:
        """Take what is left out of the queue, so that stopping does not wait for it."""
        while not (self._stopping.is_set() and self._queue.empty()):
            try:
                self.n_dropped += self._queue.get(timeout=0.1) is not None
            except queue.Empty:
                continue


class PacedFile:
    """A video file that stands where a camera would: frames come at its rate, again from the start at its end.

    Parameters
    ----------
    path : Path
        The file.
    fps : float
        How fast frames come.
    """

    def __init__(self, path: Path, fps: float) -> None:
        import cv2

        self._file, self._period_s, self._due = cv2.VideoCapture(str(path)), 1 / fps, time.monotonic()

    def isOpened(self) -> bool:  # noqa: N802  (OpenCV's name)
        """Tell whether the file could be opened."""
        return bool(self._file.isOpened())

    def grab(self) -> bool:
        """Wait until the next frame is due."""
        self._due = max(self._due + self._period_s, time.monotonic() - 1.0)
        time.sleep(max(0.0, self._due - time.monotonic()))
        if self._file.grab():
            return True
        self._file.set(1, 0)  # cv2.CAP_PROP_POS_FRAMES: from the start
        return bool(self._file.grab())

    def retrieve(self) -> tuple[bool, Any]:
        """Return the frame."""
        return cast(tuple[bool, Any], self._file.retrieve())

    def get(self, prop: int) -> float:
        """Return a property; its position is no time of a driver's."""
        return 0.0 if prop == _POS_MSEC else float(self._file.get(prop))

    def release(self) -> None:
        """Close."""
        self._file.release()


def open_source(source: int | str, size_px: tuple[int, int], fps: float) -> Capture:
    """Open a camera.

    Parameters
    ----------
    source : int or str
        Number of the device, a video file, or ``"twin"``.
    size_px : (int, int)
        Width and height that are asked for; the device may give others.
    fps : float
        Frames per second that are asked for.

    Raises
    ------
    CameraError
        When it cannot be opened.
    """
    if source == "twin":
        from collector.twin.camera import TwinCamera

        return TwinCamera(size_px, fps)
    capture: Capture = _device(source, size_px, fps) if isinstance(source, int) else PacedFile(Path(source), fps)
    if not capture.isOpened():
        raise CameraError(f"camera.source = {source!r} in study.toml: cannot be opened; connect it or give another number")
    return capture


def _device(number: int, size_px: tuple[int, int], fps: float) -> Capture:
    import cv2

    device = cv2.VideoCapture(number)
    # most cameras give 720p at 30 fps as MJPG alone: uncompressed frames do not fit through USB 2
    device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    for prop, value in (
        (cv2.CAP_PROP_FRAME_WIDTH, size_px[0]),
        (cv2.CAP_PROP_FRAME_HEIGHT, size_px[1]),
        (cv2.CAP_PROP_FPS, fps),
    ):
        device.set(prop, value)
    return cast(Capture, device)
