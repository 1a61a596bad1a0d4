"""One camera over a whole recording: its threads, and what the operator is told of it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from collector.camera import watchdog
from collector.camera.encoder import QUEUE_FRAMES, Encoder, Item, Row
from collector.camera.grabber import Frame, Grabber
from collector.camera.preview import Previewer
from collector.camera.source import CameraError, Capture
from collector.camera.times import FrameTime

if TYPE_CHECKING:  # the wire's types come with the extra `lab`; a simulated cohort does without
    from protocol.messages import CameraStatus

log = logging.getLogger(__name__)

_LOOK_S = 0.1  # between two looks of the watchdog
_RATE_FRAMES = 60  # of how many frames the shown rate is the mean


def _nothing(_: object) -> None:
    """Be told what nobody asked for."""


class Camera:
    """Records one camera; when it is lost and comes back, into the next file.

    Parameters
    ----------
    capture : Capture
        Opened.
    path : Path
        The video, created at the first frame; later parts are named ``split-2``, ``split-3`` ..
    fps : float
        Nominal.
    now : callable
        The LSL clock.
    on_row : callable
        Gets a frame's stamp and its row ``[index, pts_s, driver_s, grab_s]``, from the encoder's thread.
    on_file : callable, optional
        Gets the path of each file before its first row, from the same thread.
    on_fault : callable, optional
        Gets what ended the video, such as an ``OSError`` of a full disk, from the same thread.
    reopen : callable, optional
        Opens the camera again; raises :class:`CameraError` while it cannot. Without it a camera that is lost stays lost.
    queue_frames : int
        How many frames may wait for the encoder before the next ones are dropped and counted.
    preview : Previewer, optional
        Gets every frame, also before :meth:`record`.
    """

    def __init__(
        self, capture: Capture, path: Path, *, fps: float, now: Callable[[], float], on_row: Callable[[float, Row], None],
        on_file: Callable[[Path], None] = _nothing, on_fault: Callable[[Exception], None] = _nothing,
        reopen: Callable[[], Capture] | None = None, queue_frames: int = QUEUE_FRAMES, preview: Previewer | None = None,
    ) -> None:  # fmt: skip
        self.preview, self._fps = preview, fps
        self.path, self._now, self._reopen, self._tell_fault = path, now, reopen, on_fault
        self._encoder = Encoder(
            path, fps=fps, on_file=on_file, on_row=on_row, on_fault=self._failed, queue_frames=queue_frames
        )  # fmt: skip
        self._stopping, self._recording = threading.Event(), threading.Event()
        self._times: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._t_frame: float | None = None
        self.error = ""
        """Why nothing more can be written, if so."""
        self._take = 1
        self._grabber = self._grab(capture)
        self._watching = threading.Thread(target=self._watch, name="camera-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to take frames; they are kept only after :meth:`record`."""
        self._grabber.start()
        self._watching.start()
        if self.preview is not None:
            self.preview.start()

    def record(self) -> None:
        """Keep the frames from now on."""
        self._encoder.start()
        self._recording.set()

    def stop(self) -> None:
        """Take no more frames, write those that were taken, close the file."""
        self._stopping.set()
        if self.preview is not None:
            self.preview.stop()
        if self._watching.ident is not None:
            self._watching.join(watchdog.LOST_S)
        self._grabber.stop(wait_s=watchdog.LOST_S)
        self._recording.clear()
        self._encoder.finish()

    @property
    def n_frames(self) -> int:
        """How many frames were written."""
        return self._encoder.n_frames

    @property
    def n_dropped(self) -> int:
        """How many frames were taken and not written."""
        return self._encoder.n_dropped

    @property
    def files(self) -> tuple[Path, ...]:
        """The files so far, in order."""
        return self._encoder.files

    @property
    def t_last(self) -> float | None:
        """LSL seconds at which the newest frame came in, None before the first."""
        return self._t_frame

    @property
    def flowing(self) -> bool:
        """Whether frames come at this moment."""
        t = self._t_frame
        return not self.error and t is not None and not watchdog.is_lost(t, self._now())

    def status(self) -> CameraStatus:
        """Return rate, losses and file for the operator."""
        from protocol.messages import CameraStatus

        times = list(self._times) if self.flowing else []
        fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
        t = self._t_frame
        return CameraStatus(
            fps_hz=fps, n_dropped=self.n_dropped, file=(self.files or (self.path,))[-1].name, fps_nominal_hz=self._fps,
            age_s=None if t is None else max(0.0, self._now() - t),
        )  # fmt: skip

    # ---- from the capture thread, the encoder's, and the watchdog's

    def _grab(self, capture: Capture | None) -> Grabber:
        take = self._take

        def on_frame(time: FrameTime, frame: Frame) -> None:
            if take != self._take:
                return  # a driver that hung and was given up: the camera was opened again meanwhile
            self._t_frame = time.grab_s
            self._times.append(time.t)
            if self._recording.is_set():
                self._encoder.give(Item(take, time, frame))
            if self.preview is not None:
                self.preview.give(time.t, frame)

        return Grabber(capture, now=self._now, on_frame=on_frame)

    def _failed(self, error: Exception) -> None:
        self.error = f"{(self.files or (self.path,))[-1].name}: {error}"
        self._tell_fault(error)

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            if self._reopen is not None and watchdog.is_due(self._grabber.facts, self._now()):
                self._open_again(self._reopen)

    def _open_again(self, reopen: Callable[[], Capture]) -> None:
        """Close the camera and open it; waits for nobody but the driver."""
        self._grabber.stop(wait_s=watchdog.RETRY_S)
        try:
            capture: Capture | None = reopen()
        except CameraError as error:
            log.info("camera: %s", error)
            capture = None
        self._take += 1
        self._times.clear()
        self._grabber = self._grab(capture)
        if self._stopping.is_set() and capture is not None:
            capture.release()
        else:
            self._grabber.start()
