"""One recording from open devices to the manifest: what ``python -m collector`` and ``emo-record run`` do."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from collector import disk, signals
from collector.camera import Source
from collector.desk import Desk
from collector.ending import End
from collector.finish import write_manifest
from collector.recorder import Recorder, RefusedError, Target
from protocol import folder, lsl
from protocol import study as study_file
from protocol.estimate import bytes_per_s
from protocol.folder import Consent, FolderError, Run, Session
from protocol.journal import Journal
from protocol.link import Link
from protocol.study import Camera, Study

log = logging.getLogger(__name__)


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
    with _alone(run.path):
        # without consent to the face no picture is taken at all
        source = camera_source(study, twin=twin, base=study_path) if "face" in record.consent.scopes else None
        capture = source.open() if source else None
        link = Link.from_environment("collector", now=now)
        target = Target(run.xdf, run.video(), record.uid)
        with Journal(run.journal("collector"), now=now) as journal:
            desk = Desk(link, journal, now=now)
            recorder = Recorder(
                target, study, now=now, desk=desk, capture=capture, reopen=source.open if source else None,
                launched=link is not None, wait_s=wait_s,
            )  # fmt: skip
            try:
                with signals.ending(recorder.stop):  # until the manifest is written too
                    end = _run(recorder, target)
                    if recorder.recorded:
                        _close_run(run, study, end, recorder.fault)
                        desk.write("state", "manifest", {"end": end.end, "reason": end.reason}, sync=True)
            finally:
                if link is not None:
                    link.close()
    return end


def record_file(
    path: Path, study: Study, *, consent: Consent, twin: bool = False, base: Path | None = None, wait_s: float = 30.0,
    length_s: float = 3600.0,
) -> End:  # fmt: skip
    """Record a study's streams into one XDF file (and the camera beside it) until Ctrl-C; errors as above.

    Without a session there is no manifest and no verdict; what was agreed to lies beside the file.

    Parameters
    ----------
    path : Path
        The XDF file.
    study : Study
        Which streams, which camera.
    consent : Consent
        Without ``face`` in its scopes no picture is taken.
    twin : bool
        The simulated camera instead of the study's.
    base : Path, optional
        The study file; a camera that is a video file is looked for beside it.
    wait_s : float
        How long is waited for the required streams.
    length_s : float
        How much recording must fit onto the disk.
    """
    target = Target(path, path.with_suffix(".mkv"))
    agreed = path.with_suffix(".consent.json")
    for written in (target.xdf, target.video, agreed):
        if written.exists():
            raise FolderError(f"{written}: exists and is never overwritten; give another name")
    if not path.parent.is_dir():
        raise FolderError(f"{path.parent}: no such folder; make it first")
    face = "face" in consent.scopes
    wanted = study if face else study.model_copy(update={"camera": None})
    disk.check_room(path.parent, bytes_per_s(wanted) * length_s, length_s=length_s, what=f"--out {path}")
    lsl.configure()
    import pylsl

    desk = Desk(None, None, now=pylsl.local_clock)
    source = camera_source(wanted, twin=twin, base=base)
    capture = source.open() if source else None
    recorder = Recorder(
        target, wanted, now=pylsl.local_clock, desk=desk, capture=capture, reopen=source.open if source else None,
        wait_s=wait_s,
    )  # fmt: skip
    with signals.ending(recorder.stop), _written(agreed, consent, twin=twin, kept=lambda: recorder.recorded):
        end = _run(recorder, target)
    if recorder.fault:
        raise BrokenError(recorder.fault)
    return end


def camera_source(study: Study, *, twin: bool, base: Path | None) -> Source | None:
    """Return the study's camera, or the simulated one; a video file is looked for beside the study file."""
    if study.camera is None:
        return None
    camera: Camera = study.camera
    source = "twin" if twin else camera.source
    if isinstance(source, str) and source != "twin" and base is not None:
        source = str(study_file.study_path(base).parent / source)
    return Source(source, camera.size_px, camera.fps)


def _run(recorder: Recorder, target: Target) -> End:
    """Record; what a disk or another recorder refuses at the very beginning is said in words."""
    try:
        return recorder.run()
    except FileExistsError as error:
        raise FolderError(f"{error.filename or target.xdf}: another recorder writes it already; give another name") from None
    except OSError as error:
        if recorder.recorded:
            return End("aborted", recorder.fault)
        raise RefusedError(f"{target.xdf}: {error.strerror or error}; free some room, or choose another disk") from None


def _close_run(run: Run, study: Study, end: End, fault: str) -> None:
    try:
        write_manifest(run, study, end=end.end, reason=end.reason)
    except OSError as error:
        raise BrokenError(fault or f"{run.manifest_json}: {error.strerror or error}") from error
    if fault:
        raise BrokenError(fault)


@contextmanager
def _written(path: Path, consent: Consent, *, twin: bool, kept: Callable[[], bool]) -> Iterator[None]:
    """Write the consent before anything is recorded; it goes again where nothing was."""
    record = {"schema": 1, "simulated": twin, "consent": consent.model_dump(mode="json")}
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FolderError(f"{path}: another recorder writes it already; give another name") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
    try:
        yield
    finally:
        if not kept():
            path.unlink()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Refuse a run that another collector has at this moment: two of them would write one journal.

    The system gives the folder back when a process ends, however it ends. Windows knows no such lock: there the file itself,
    which nobody opens twice, is the guard.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderError(f"{path}: another collector records this run at this moment; let it end, or end it") from None
        yield
    finally:
        os.close(handle)
