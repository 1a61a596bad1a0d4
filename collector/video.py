"""The video file: Matroska with true frame times, readable after a crash up to its last half second."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

_TICK = Fraction(1, 1000)  # Matroska's own time base: frame times are true to half a millisecond
_KEYFRAME_S = 0.5  # after a crash a player needs a keyframe to go on from: at most this much is lost
# every packet leaves for the file at once, and a cluster is closed every half second: what a killed process leaves then opens
_CONTAINER = {"flush_packets": "1", "cluster_time_limit": "500"}
# one thread and no look-ahead: 9 % of a core for 640x480 at 30 fps, 23 % for 1280x720, and a frame is never held back
_ENCODER = {"preset": "ultrafast", "tune": "zerolatency", "threads": "1", "forced-idr": "1"}


class VideoError(ValueError):
    """A frame does not fit the video; the text says how."""


class VideoDiskError(OSError):
    """The disk does not take the video; ``errno`` says why. All but the last half second before is readable."""


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Turn what FFmpeg says of the disk, or of anything else, into errors of ours."""
    try:
        yield
    except OSError as error:  # PyAV's own are subclasses
        raise VideoDiskError(error.errno, error.strerror or str(error), str(path)) from error
    except av.FFmpegError as error:
        raise VideoError(f"{path.name}: {error}") from error


class VideoWriter:
    """Writes frames with their own times.

    Parameters
    ----------
    path : Path
        Created, with mode 0600; an existing file is never touched.
    size_px : (int, int)
        Width and height, both even.
    fps_nominal : float
        What the header says; the frames keep their own times.

    Raises
    ------
    VideoError
        For a size that H.264 in 4:2:0 cannot hold.
    FileExistsError
        When the file exists.
    """

    def __init__(self, path: Path, size_px: tuple[int, int], fps_nominal: float) -> None:
        width, height = size_px
        if width < 2 or height < 2 or width % 2 or height % 2:
            raise VideoError(f"{path.name}: size {width}x{height}: width and height must be even")
        self.path, self.size_px, self.n_frames = path, size_px, 0
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        self._container = av.open(str(path), "w", format="matroska", options=_CONTAINER)
        rate = Fraction(fps_nominal).limit_denominator(1000)
        self._stream = self._container.add_stream("libx264", rate=rate, options=dict(_ENCODER))
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = _TICK
        self._stream.codec_context.gop_size = max(1, round(fps_nominal * _KEYFRAME_S))
        self._pts, self._keyed = -1, -_KEYFRAME_S
        self._open = True

    def write(self, frame_bgr: NDArray[np.uint8], t_s: float) -> float:
        """Append a frame.

        Parameters
        ----------
        frame_bgr : ndarray of uint8, shape (height, width, 3)
            As OpenCV gives it.
        t_s : float
            Seconds since the first frame.

        Returns
        -------
        float
            The time that the container holds, seconds: ``t_s`` to the millisecond, later than the frame before.

        Raises
        ------
        VideoDiskError
            When the disk is full or gone. A half second of frames may be lost that was taken before.
        VideoError
            For a frame of another size, or one that cannot be encoded.
        """
        if frame_bgr.shape != (self.size_px[1], self.size_px[0], 3):
            raise VideoError(f"{self.path.name}: a frame has shape {frame_bgr.shape}, the video is {self.size_px}")
        # the encoder's own colours, by OpenCV: libswscale takes six times as long, a tenth of a core at 720p and 30 fps
        planes = np.asarray(cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        # two frames in one millisecond keep their order
        self._pts = max(self._pts + 1, round(t_s / _TICK))
        frame.pts, frame.time_base = self._pts, _TICK
        if t_s - self._keyed >= _KEYFRAME_S:  # by time, not by count: a camera may be slower than it says
            frame.pict_type, self._keyed = PictureType.I, t_s
        with _disk(self.path):
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        self.n_frames += 1
        return float(self._pts * _TICK)

    def close(self) -> None:
        """Flush and close; a second call does nothing.

        Raises
        ------
        VideoDiskError
            When the end does not fit onto the disk; all up to the last half second is there.
        """
        if not self._open:
            return
        self._open = False
        with _disk(self.path):
            try:
                for packet in self._stream.encode(None):
                    self._container.mux(packet)
            finally:
                self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
