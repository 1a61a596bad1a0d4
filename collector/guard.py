"""The guard of a recording: what falls silent, comes back or fills up is told to the operator and noted in the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from collector.camera import Camera
from collector.camera.watchdog import is_lost
from collector.clocks import Notice
from collector.desk import Desk
from collector.inlets import Inlets
from collector.tape import Tape
from collector.vitals import Level, Vitals
from collector.watch import disk_state, lasts_s
from protocol.messages import DiskStatus, Status
from protocol.study import Study


class Guard:
    """Looks at everything that can fail; used from the recorder's thread.

    Parameters
    ----------
    xdf : Path
        The file; its disk is watched.
    desk : Desk
        The operator.
    inlets : Inlets
        The streams.
    camera : Camera or None
        None without one.
    study : Study
        What its streams should say.
    now : callable
        The LSL clock.
    """

    def __init__(
        self, xdf: Path, *, desk: Desk, inlets: Inlets, camera: Camera | None, study: Study, now: Callable[[], float]
    ) -> None:  # fmt: skip
        self._xdf, self._desk, self._inlets, self._camera, self._now = xdf, desk, inlets, camera, now
        self._vitals = Vitals(study)
        self._copied: set[str] = set()  # names of streams of which a second one was seen

    def watch(self, tape: Tape, *, t_begun: float, ended: bool) -> None:
        """Tell of a full disk, and of streams and cameras that fall silent or come back.

        Parameters
        ----------
        tape : Tape
            Gets the notes.
        t_begun : float
            When the recording began, LSL seconds.
        ended : bool
            Whether the session has ended: the window closes its outlet when it has said its last word.
        """
        self._watch_disk(tape, t_begun)
        for health in self._inlets.health():
            if not (health.kind == "markers" and ended):
                level = self._vitals.level(health)
                self._alarm(tape, "stream/lost", health.name, on=health.lost, why=health.why, t=health.t_heard, level=level)
            for one in self._vitals.look(health):
                self._alarm(tape, one.code, "", on=one.on, why=one.why, t=one.t_cause, level=one.level)
        self._watch_copies(tape)
        if self._camera:
            t_last = max(self._camera.t_last or 0.0, t_begun)
            lost = bool(self._camera.error) or is_lost(t_last, self._now())
            self._alarm(tape, "camera/lost", "", on=lost, why=self._camera.error or "no frame", t=t_last)

    def clocks(self, notices: Sequence[Notice], *, since: float) -> None:
        """Tell of a wall clock that was set after ``since``, LSL seconds; what the clocks did is noted in the file already."""
        self._vitals.clock(notices, since=since)
        step = self._vitals.clocks(self._now())
        self._desk.alarm(step.code, on=step.on, why=step.why, t=step.t_cause)

    def tell_full(self, tape: Tape) -> None:
        """Tell that the disk took no more."""
        self._desk.alarm("disk/full", on=True, why=tape.fault, level="stop")

    def status(self, *, recording: bool, t_begun: float) -> Status:
        """Return what the operator sees."""
        free = self._free()
        return Status(
            recording=recording,
            streams=self._inlets.status(),
            disk=DiskStatus(free_B=free, left_s=self._left_s(free, t_begun)),
            camera=self._camera.status() if self._camera else None,
        )

    def _watch_copies(self, tape: Tape) -> None:
        """Tell of a second outlet of a stream, and that it is gone."""
        copies: dict[str, str] = {}
        for name, uid in self._inlets.duplicates():
            copies.setdefault(name, f"uid {uid} sends beside it, not recorded")
        self._copied |= copies.keys()
        for name in self._copied:
            self._alarm(tape, "stream/duplicate", name, on=name in copies, why=copies.get(name, ""))

    def _watch_disk(self, tape: Tape, t_begun: float) -> None:
        free = self._free()
        state = "full" if tape.fault else disk_state(free, self._left_s(free, t_begun))
        if state == "full":
            tape.full()
            self.tell_full(tape)
        else:
            self._alarm(tape, "disk/low", "", on=state == "low", why=f"{free / 1e6:.0f} MB left", t=self._now())

    def _alarm(
        self, tape: Tape, code: str, what: str, *, on: bool, why: str, t: float | None = None, level: Level = "warn"
    ) -> None:  # fmt: skip
        if self._desk.alarm(f"{code} {what}".strip(), on=on, why=why, t=t, level=level):
            keys = {"stream": what} if what else {}
            over = code.replace("lost", "back") if "lost" in code else f"{code}/over"
            tape.note(code if on else over, {**keys, "reason": why} if on else keys)

    def _free(self) -> int:
        return shutil.disk_usage(self._xdf.parent).free

    def _left_s(self, free_B: int, t_begun: float) -> float | None:
        files = (self._xdf, *(self._camera.files if self._camera else ()))
        written = sum(p.stat().st_size for p in files if p.exists())
        return lasts_s(free_B, written, self._now() - t_begun)
