"""The recorder: waits until everything flows, writes it down, and ends when the session does. It waits for nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from collector import clocks
from collector.camera import Camera, Capture, Previewer
from collector.clocks import Offset
from collector.desk import Desk
from collector.ending import End, Facts, ending
from collector.guard import Guard
from collector.inlets import Admitted, Inlets
from collector.intake import Sink
from collector.tape import Tape
from collector.wanted import Wanted, wanted
from collector.xdf.codec import Values
from protocol import markers
from protocol.markers import MarkerError
from protocol.messages import Command, Preview, Status
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
    reopen : callable, optional
        Opens the camera again when it is lost.
    launched : bool
        Whether a launcher started us. Then silence of both launcher and window ends the recording after a minute, even if
        neither was ever heard; else only signals, ``session/end``, or the loss of a window that there was, do.
    wait_s : float
        How long is waited for the required streams.
    streams : tuple of Wanted, optional
        Which streams, instead of the study's.
    """

    def __init__(
        self, target: Target, study: Study, *, now: Callable[[], float], desk: Desk, capture: Capture | None,
        reopen: Callable[[], Capture] | None = None, launched: bool = False, wait_s: float = 30.0,
        streams: tuple[Wanted, ...] | None = None,
    ) -> None:  # fmt: skip
        self._target, self._now, self._desk, self._launched, self._wait_s = target, now, desk, launched, wait_s
        self._wanted = streams if streams is not None else wanted(study, uid=target.uid or None)
        self._inlets = Inlets(self._wanted, now=now, counter=study.eeg.counter)
        self._texts: SimpleQueue[str] = SimpleQueue()
        self._facts = Facts()
        self._tape: Tape | None = None
        self._wake = threading.Event()  # never set: a wait that a signal's handler may interrupt
        self._t_wall = self._t_zero = self._t_begun = float("-inf")
        self._t_tick, self._stall_s, self._asked = now(), 0.0, ""
        self._camera: Camera | None = None
        if capture is not None and study.camera is not None:
            self._camera = Camera(
                capture, target.video, fps=study.camera.fps, now=now, on_row=self._frame, on_file=self._video,
                on_fault=self._video_ended, reopen=reopen, preview=Previewer(now=now) if desk.linked else None,
            )  # fmt: skip

        self._guard = Guard(target.xdf, desk=desk, inlets=self._inlets, camera=self._camera, study=study, now=now)

    def stop(self, reason: str) -> None:
        """Ask for the end; safe in a signal handler. The first reason stays."""
        self._asked = self._asked or reason

    def run(self) -> End:
        """Record until the end; afterwards :attr:`fault` says what broke, if anything did.

        Raises
        ------
        RefusedError
            When a required stream is missing; nothing was written then.
        FileExistsError
            When somebody else has begun to write the target meanwhile.
        OSError
            When the disk cannot take even the beginning.
        """
        self._desk.write("state", "searching", {"streams": [str(w) for w in self._wanted]})
        try:
            if self._camera:
                self._camera.start()
            if end := self._await_streams():
                return end
            tape = self._begin()
            while (end := ending(self._known(tape), self._now())) is None:
                self._tick(tape)
                self._wake.wait(TICK_S)
            self._desk.write("state", "closing", {"end": end.end, "reason": end.reason})
            return end
        finally:
            self._close()

    @property
    def recorded(self) -> bool:
        """Whether there is a file."""
        return self._tape is not None

    @property
    def fault(self) -> str:
        """What broke, if anything did."""
        return self._tape.fault if self._tape is not None else ""

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
                    f"not recording after {self._wait_s:.0f} s: {'; '.join(missing)}. Streams seen: {self._inlets.in_words()}. "
                    "Switch the device's LSL output on, or correct study.toml"
                )
            self._inlets.connect()
            self._desk.tell(self.status)
            self._desk.show(self._preview)
            self._wake.wait(TICK_S)
        return None

    def _missing(self) -> list[str]:
        missing = self._inlets.missing()
        if self._camera and not self._camera.flowing:
            missing.append(f"camera {self._camera.error or 'gives no frame'}")
        return missing

    def _begin(self) -> Tape:
        # a video's stream begins with its file: at its first frame, and again after each loss of the camera
        tape = self._tape = Tape(self._target.xdf, uid=self._target.uid, video=None, now=self._now)
        self._t_begun = self._t_zero = self._t_tick = self._now()
        tape.write(lambda: self._admit(tape))
        if self._camera:
            self._camera.record()
        self._inlets.measure(self._offset)
        tape.note("recording/start")
        self._desk.write("state", "recording", {"file": self._target.xdf.name, "streams": self._inlets.ids()}, sync=True)
        self._desk.tell(self.status, at_once=True)
        return tape

    # ---- what is written, each from a thread of its own -------------------------------------------------------------------

    def _sink(self, stream_id: int, wanted: Wanted, sfreq: float) -> Sink:
        def write(stamps: NDArray[np.float64], values: Values) -> None:
            assert self._tape is not None
            self._tape.samples(stream_id, stamps, values, sfreq=sfreq)
            if wanted.kind == "markers" and isinstance(values, list):
                for row in values:
                    self._texts.put(row[0])

        return write

    def _frame(self, t: float, row: tuple[float, float, float, float]) -> None:
        assert self._tape is not None
        self._tape.frame(t, row)

    def _video(self, path: Path) -> None:
        assert self._tape is not None
        tape = self._tape
        tape.write(lambda: tape.own.video(path.name))
        tape.note("video/file", {"file": path.name})

    def _video_ended(self, error: Exception) -> None:
        """A full disk ends the recording; anything else only the video."""
        if isinstance(error, OSError) and self._tape is not None:
            self._tape.full(error)

    def _offset(self, stream_id: int, offset: Offset) -> None:
        assert self._tape is not None
        self._tape.offset(stream_id, offset)

    # ---- while -----------------------------------------------------------------------------------------------------------

    def _tick(self, tape: Tape) -> None:
        self._stall_s = max(self._stall_s, self._now() - self._t_tick - TICK_S)
        self._t_tick = self._now()
        for command in self._desk.commands():
            self._obey(command)
        self._inlets.connect()
        self._read_markers()
        try:
            self._write_what_is_due(tape)
            self._guard.watch(tape, t_begun=self._t_begun, ended=self._facts.session_end is not None)
        except OSError as error:
            log.error("%s", error)  # the next look at the facts ends the recording
        self._desk.tell(self.status)
        self._desk.show(self._preview)

    def _obey(self, command: Command) -> None:
        if command.verb != "note":
            self.stop(command.reason or command.verb)
        elif self._tape is not None:
            self._tape.note(command.reason or "note", {"reason": command.arg})

    def _write_what_is_due(self, tape: Tape) -> None:
        """Headers of streams that came late, the wall clock once a second, own zero offsets as often as measured ones."""
        now = self._now()
        for one in tape.write(lambda: self._admit(tape)):
            self._tell_new(tape, one)
        if now - self._t_wall >= clocks.WALL_S:
            since, self._t_wall = self._t_wall, now
            notices = tape.write(tape.own.wall)
            for notice in notices:
                self._desk.write("note", notice.name, notice.keys)
            self._guard.clocks(notices, since=since)
        if now - self._t_zero >= clocks.OFFSETS_S:
            self._t_zero = now
            tape.write(tape.own.zero)

    def _admit(self, tape: Tape) -> list[Admitted]:
        return self._inlets.admit(tape.writer, self._sink)

    def _tell_new(self, tape: Tape, one: Admitted) -> None:
        """Write down which outlet a stream comes from, and whether it is known to be the one that was lost."""
        keys = {"stream": one.name, "id": str(one.id), "uid": one.uid, "source_id": one.source_id}
        name = "stream/resumed" if one.goes_on else "stream/new"
        if one.before is not None and not one.goes_on:
            keys["instead_of"] = str(one.before)
        self._desk.write("note", name, keys)
        tape.note(name, keys)

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

    def _known(self, tape: Tape) -> Facts:
        heard = [t for t in (self._inlets.t_window, self._desk.t_heard) if t is not None]
        if self._launched:
            heard.append(self._t_begun)
        return replace(self._facts, asked=self._asked, fault=tape.fault, t_alive=max(heard, default=None))

    def status(self) -> Status:
        """Return what the operator sees."""
        return self._guard.status(recording=self._tape is not None, t_begun=self._t_begun)

    def _preview(self) -> Preview | None:
        """Return the camera's newest picture."""
        picture = self._camera.preview.take() if self._camera and self._camera.preview else None
        return Preview(jpeg=picture.jpeg, t=picture.t) if picture else None

    # ---- after -----------------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        """Close in the order in which things depend on each other: camera and streams, then the file they write to."""
        if self._camera:
            self._camera.stop()
        self._inlets.stop()
        if self._tape is None:
            return
        self._tape.close()
        if self._tape.fault:  # it may have come with the very last write
            self._guard.tell_full(self._tape)
        self._desk.write("state", "closed", {"fault": self._tape.fault, "worst_stall_s": round(self._stall_s, 3)}, sync=True)
