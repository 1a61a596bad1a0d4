"""One recording from open devices to the manifest: what ``python -m collector`` and ``emo-record run`` do."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from collector.camera import Capture, open_source
from collector.desk import Desk
from collector.ending import End
from collector.finish import write_manifest
from collector.recorder import Recorder, Target
from protocol import folder, lsl
from protocol import study as study_file
from protocol.folder import FolderError, Run, Session
from protocol.journal import Journal
from protocol.link import Link
from protocol.study import Camera, Study

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # Ctrl-C, a polite end by the system, a closed terminal, Windows


class BrokenError(RuntimeError):
    """The recording ended because something broke; what was written until then is whole."""


def record_session(path: Path, *, study_path: Path | None = None, twin: bool = False, wait_s: float = 30.0) -> End:
    """Record into a session folder and write its manifest.

    Parameters
    ----------
    path : Path
        The run's folder, with ``session.json``.
    study_path : Path, optional
        The study, where the folder holds no frozen copy; files that it names lie beside it.
    twin : bool
        The simulated camera instead of the study's.
    wait_s : float
        How long is waited for the required streams.

    Raises
    ------
    RefusedError
        When a required stream is missing.
    BrokenError
        When the disk took no more.
    FolderError, StudyError, CameraError
        For bad input.
    """
    run = folder.open_run(path)
    study = study_file.load(run.study_toml if run.study_toml.exists() else study_path or run.study_toml)
    for written in (run.xdf, run.video(), run.manifest_json):
        if written.exists():
            raise FolderError(f"{written}: exists: this run was recorded; a repeat is a new run")
    lsl.configure()
    import pylsl

    now: Callable[[], float] = pylsl.local_clock
    record = Session.load(run.session_json)
    # without consent to the face no picture is taken at all
    capture = open_camera(study, twin=twin, base=study_path) if "face" in record.consent.scopes else None
    link = Link.from_environment("collector", now=now)
    target = Target(run.xdf, run.video(), record.uid)
    with Journal(run.journal("collector"), now=now) as journal:
        desk = Desk(link, journal, now=now)
        recorder = Recorder(target, study, now=now, desk=desk, capture=capture, launched=link is not None, wait_s=wait_s)
        try:
            with _signals(recorder.stop):  # until the manifest is written too
                end = recorder.run()
                if recorder.recorded:
                    _close_run(run, study, end, recorder.fault)
                    desk.write("state", "manifest", {"end": end.end, "reason": end.reason}, sync=True)
        finally:
            if link is not None:
                link.close()
    return end


def record_file(path: Path, study: Study, *, twin: bool = False, base: Path | None = None, wait_s: float = 30.0) -> End:
    """Record a study's streams into one XDF file (and the camera beside it) until Ctrl-C; errors as above.

    Without a session there is no manifest and no verdict.
    """
    for written in (path, path.with_suffix(".mkv")):
        if written.exists():
            raise FolderError(f"{written}: exists and is never overwritten; give another name")
    if not path.parent.is_dir():
        raise FolderError(f"{path.parent}: no such folder; make it first")
    lsl.configure()
    import pylsl

    desk = Desk(None, None, now=pylsl.local_clock)
    capture = open_camera(study, twin=twin, base=base)
    target = Target(path, path.with_suffix(".mkv"))
    recorder = Recorder(target, study, now=pylsl.local_clock, desk=desk, capture=capture, wait_s=wait_s)
    with _signals(recorder.stop):
        end = recorder.run()
    if recorder.fault:
        raise BrokenError(recorder.fault)
    return end


def open_camera(study: Study, *, twin: bool, base: Path | None) -> Capture | None:
    """Open the study's camera, or the simulated one; a video file is looked for beside the study file."""
    if study.camera is None:
        return None
    camera: Camera = study.camera
    source = "twin" if twin else camera.source
    if isinstance(source, str) and source != "twin" and base is not None:
        source = str(study_file.study_path(base).parent / source)
    return open_source(source, camera.size_px, camera.fps)


def _close_run(run: Run, study: Study, end: End, fault: str) -> None:
    try:
        write_manifest(run, study, end=end.end, reason=end.reason)
    except OSError as error:
        raise BrokenError(fault or f"{run.manifest_json}: {error.strerror or error}") from error
    if fault:
        raise BrokenError(fault)


@contextmanager
def _signals(stop: Callable[[str], None]) -> Iterator[None]:
    """Let signals end the recording in order; a second one changes nothing, because files want their time to be closed."""

    def handle(number: int, _: FrameType | None) -> None:
        stop(signal.Signals(number).name)

    caught = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    before = [signal.signal(number, handle) for number in caught]
    try:
        yield
    finally:
        for number, handler in zip(caught, before, strict=True):
            signal.signal(number, handler)
