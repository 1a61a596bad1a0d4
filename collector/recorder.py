"""The recorder: waits until everything flows, writes it down, and ends when the session does. It waits for nobody."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from collector import clocks
from collector.camera import LOST_S, Camera, Capture
from collector.clocks import Offset
from collector.desk import Desk
from collector.ending import End, Facts, ending
from collector.inlets import Inlets
from collector.own import OwnStreams
from collector.streams import Sink, wanted
from collector.xdf import Writer
from collector.xdf.codec import Values
from protocol import markers
from protocol.markers import MarkerError
from protocol.messages import Command, DiskStatus, Status
from protocol.study import Study

log = logging.getLogger(__name__)

TICK_S = 0.1


class RefusedError(RuntimeError):
    """Something required is not there; the text names it and what was seen instead."""


@dataclass(frozen=True)
class Target:
    """Where a recording goes; ``uid`` is the session's, empty for a recording without a session."""

    xdf: Path
    video: Path
    uid: str = ""


class Recorder:
    """Records once.

    Parameters
    ----------
    target : Target
        Where to.
    study : Study
        Which streams.
    now : callable
        The LSL clock.
    desk : Desk
        The operator.
    capture : Capture or None
        An opened camera, None without one.
    launched : bool
        Whether somebody started us who may get lost; else only signals and ``session/end`` end the recording.
    wait_s : float
        How long is waited for the required streams.
    """

    def __init__(
        self, target: Target, study: Study, *, now: Callable[[], float], desk: Desk, capture: Capture | None,
        launched: bool = False, wait_s: float = 30.0,
    ) -> None:  # fmt: skip
        self._target, self._now, self._desk, self._launched, self._wait_s = target, now, desk, launched, wait_s
        self._wanted = wanted(study, uid=target.uid or None)
        self._inlets = Inlets(self._wanted, now=now, counter=study.eeg.counter)
        self._texts: SimpleQueue[str] = SimpleQueue()
        self._facts = Facts()
        self._writer: Writer | None = None
        self._own: OwnStreams | None = None
        self._wake = threading.Event()  # never set: a wait that a signal's handler may interrupt
        self._t_wall = self._t_zero = self._t_begun = float("-inf")
        self._asked = self.fault = ""
        self._camera: Camera | None = None
        if capture is not None and study.camera is not None:
            self._camera = Camera(capture, target.video, fps=study.camera.fps, now=now, on_row=self._frame)

    def stop(self, reason: str) -> None:
        """Ask for the end; safe in a signal handler. The first reason stays."""
        self._asked = self._asked or reason

    def run(self) -> End:
        """Record until the end; afterwards :attr:`fault` says what broke, if anything did.

        Raises
        ------
        RefusedError
            When a required stream is missing; nothing was written then.
        """
        self._desk.write("state", "searching", {"streams": [str(w) for w in self._wanted]})
        try:
            if self._camera:
                self._camera.start()
            if end := self._await_streams():
                return end
            self._begin()
            while (end := ending(self._known(), self._now())) is None:
                self._tick()
                self._wake.wait(TICK_S)
            self._desk.write("state", "closing", {"end": end.end, "reason": end.reason})
            return end
        finally:
            self._close()

    @property
    def recorded(self) -> bool:
        """Whether there is a file."""
        return self._writer is not None

    # ---- before ----------------------------------------------------------------------------------------------------------

    def _await_streams(self) -> End | None:
        """Wait until every required stream and the camera flow; an end when somebody asked for it meanwhile."""
        deadline = self._now() + self._wait_s
        while missing := self._missing():
            for command in self._desk.commands():
                self._obey(command)
            if self._asked:
                return End("aborted", self._asked)
            if self._now() > deadline:
                raise RefusedError(
                    f"not recording after {self._wait_s:.0f} s: {'; '.join(missing)}. Streams seen: {self._inlets.seen()}. "
                    "Switch the device's LSL output on, or correct study.toml"
                )
            self._inlets.connect()
            self._desk.tell(self.status)
            self._wake.wait(TICK_S)
        return None

    def _missing(self) -> list[str]:
        missing = self._inlets.missing()
        if self._camera and not self._camera.flowing:
            missing.append(f"camera {self._camera.error or 'gives no frame'}")
        return missing

    def _begin(self) -> None:
        self._writer = Writer(self._target.xdf, now=self._now)
        video = self._target.video.name if self._camera else None
        self._own = OwnStreams(self._writer, uid=self._target.uid, video=video, now=self._now)
        self._t_begun = self._t_zero = self._now()
        self._inlets.admit(self._writer, self._sink)
        if self._camera:
            self._camera.record()
        self._inlets.measure(self._offset)
        self._own.note("recording/start")
        self._desk.write("state", "recording", {"file": self._target.xdf.name, "streams": self._inlets.ids()}, sync=True)
        self._desk.tell(self.status, at_once=True)

    # ---- what is written, each from a thread of its own -------------------------------------------------------------------

    def _sink(self, stream_id: int, kind: str) -> Sink:
        def write(stamps: NDArray[np.float64], values: Values) -> None:
            assert self._writer is not None
            with self._disk():
                self._writer.samples(stream_id, stamps, values)
            if kind == "markers" and isinstance(values, list):
                for row in values:
                    self._texts.put(row[0])

        return write

    def _frame(self, t: float, row: tuple[float, float, float, float]) -> None:
        assert self._own is not None
        with self._disk():
            self._own.frame(t, row)

    def _offset(self, stream_id: int, offset: Offset) -> None:
        assert self._own is not None
        with self._disk():
            self._own.offset(stream_id, offset)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """End the recording when the disk takes no more: it says so within a tick, and what was written stays whole."""
        try:
            yield
        except OSError as error:
            self.fault = self.fault or f"{self._target.xdf.name}: {error.strerror or error}"
            raise

    # ---- while -----------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        for command in self._desk.commands():
            self._obey(command)
        self._inlets.connect()
        try:
            self._write_what_is_due()
            self._watch()
        except OSError as error:
            log.error("%s", error)  # the next look at the facts ends the recording
        self._read_markers()
        self._desk.tell(self.status)

    def _obey(self, command: Command) -> None:
        if command.verb != "note":
            self.stop(command.reason or command.verb)
        elif self._own is not None:
            self._note(command.reason or "note", {"reason": command.arg})

    def _write_what_is_due(self) -> None:
        """Headers of streams that came late, the wall clock once a second, own zero offsets as often as measured ones."""
        assert self._own is not None and self._writer is not None
        now = self._now()
        with self._disk():
            for name in self._inlets.admit(self._writer, self._sink):
                self._desk.write("note", "stream/new", {"stream": name})
            if now - self._t_wall >= clocks.WALL_S:
                self._t_wall = now
                self._own.wall()
            if now - self._t_zero >= clocks.OFFSETS_S:
                self._t_zero = now
                self._own.zero()

    def _read_markers(self) -> None:
        """Look whether the window said that the session ended."""
        while True:
            try:
                marker = markers.parse(self._texts.get_nowait())
            except Empty:
                return
            except MarkerError:
                continue  # it is recorded; that it is none of ours is no matter of the recorder's
            if marker.name == "session/end" and self._facts.session_end is None:
                end = End("complete" if marker.keys.get("end") == "complete" else "aborted", marker.keys.get("reason", ""))
                self._facts = Facts(session_end=end, t_session_end=self._now())
                self._desk.write("state", "session/end", {"end": end.end, "reason": end.reason})

    def _known(self) -> Facts:
        heard = [t for t in (self._inlets.t_window, self._desk.t_heard) if t is not None]
        if self._launched:
            heard.append(self._t_begun)
        return replace(self._facts, asked=self._asked, fault=self.fault, t_alive=max(heard, default=None))

    def _watch(self) -> None:
        """Tell the operator, and the recording, of streams and cameras that fall silent or come back."""
        for health in self._inlets.health():
            self._alarm("stream/lost", health.name, on=health.lost, why=health.why, t=health.t_heard)
        if self._camera:
            t_last = max(self._camera.t_last or 0.0, self._t_begun)
            lost = bool(self._camera.error) or self._now() - t_last > LOST_S
            self._alarm("camera/lost", "", on=lost, why=self._camera.error or "no frame", t=t_last)

    def _alarm(self, code: str, what: str, *, on: bool, why: str, t: float) -> None:
        if self._desk.alarm(f"{code} {what}".strip(), on=on, why=why, t=t):
            keys = {"stream": what} if what else {}
            self._note(code if on else code.replace("lost", "back"), {**keys, "reason": why} if on else keys)

    def _note(self, name: str, keys: dict[str, str]) -> None:
        assert self._own is not None
        with self._disk():
            self._own.note(name, keys)

    def status(self) -> Status:
        """Return what the operator sees."""
        disk = shutil.disk_usage(self._target.xdf.parent)
        return Status(
            recording=self._own is not None,
            streams=self._inlets.status(),
            disk=DiskStatus(free_B=disk.free, left_s=self._left_s(disk.free)),
            camera=self._camera.status() if self._camera else None,
        )

    def _left_s(self, free_B: int) -> float | None:
        """Return for how long the disk lasts at the rate so far."""
        written = sum(p.stat().st_size for p in (self._target.xdf, self._target.video) if p.exists())
        took = self._now() - self._t_begun
        return free_B * took / written if written and 1 < took < float("inf") else None

    # ---- after -----------------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        """Close in the order in which things depend on each other: camera and streams, then the file they write to."""
        if self._camera:
            self._camera.stop()
        self._inlets.stop()
        if self._writer is None or self._own is None:
            return
        try:
            with self._disk():
                self._own.zero()
                self._own.note("recording/end")
        except OSError as error:
            log.error("%s: %s", self._target.xdf.name, error)
        try:
            with self._disk():
                self._writer.close()
        except OSError as error:
            log.error("%s: the footers are missing: %s", self._target.xdf.name, error)
        self._desk.write("state", "closed", {"fault": self.fault}, sync=True)
