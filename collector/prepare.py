"""Before a session: everything that can be wrong is found before anything is written; then ``session.json`` comes first."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from collector import disk
from collector.disk import RoomError
from collector.resuming import Left, look, origin
from protocol import folder, schedule, study, tombstone
from protocol.estimate import estimate
from protocol.folder import Consent, Person, Run, Session
from protocol.journal import boot_id, wall_now
from protocol.schedule import Trial
from protocol.study import Study
from protocol.study_files import StudyFiles, load_study, manifest_path

_PACKAGES = ("emolab", "psychopy", "pylsl", "av", "opencv-python", "numpy")


class PrepareError(ValueError):
    """The session cannot begin; the text is one line with the cure, and nothing was written."""


@dataclass(frozen=True)
class Frozen:
    """The study file and its table of clips, byte by byte as the plan was made of them."""

    study: bytes
    clips: bytes


@dataclass(frozen=True)
class Plan:
    """A session that may begin.

    Parameters
    ----------
    files : StudyFiles
        Study and clips, checked against each other and by hash.
    trials : tuple of Trial
        The participant's order.
    data : Path
        Where the sessions lie, absolute.
    participant, session : str
        BIDS labels.
    twin : bool
        Simulated devices and participant.
    left : Left
        What earlier runs of this session left.
    replaces : str or None
        The excluded participant whose order this one has.
    resumes : bool
        Whether this run goes on with the last one.
    frozen : Frozen or None
        What it was made of; None of a session that has begun already, whose folder holds it.
    """

    files: StudyFiles
    trials: tuple[Trial, ...]
    data: Path
    participant: str
    session: str
    twin: bool
    left: Left
    replaces: str | None = None
    resumes: bool = False
    frozen: Frozen | None = None

    @property
    def study(self) -> Study:
        """The study."""
        return self.files.study

    @property
    def folder(self) -> Path:
        """Folder of the participant."""
        return self.data / f"sub-{self.participant}"


def participant_folder(study_path: Path, participant: str, session: str, data: Path | None) -> Path:
    """Return where a participant's sessions lie, without a look at anything.

    Raises
    ------
    FolderError
        When a label is none.
    """
    folder.label(session, what="--session")
    return _where(study_path, data) / f"sub-{folder.label(participant, what='--participant')}"


def _where(study_path: Path, data: Path | None) -> Path:
    return (data or study.study_path(study_path).parent / "data").absolute()


def check(
    study_path: Path, *, participant: str, session: str, data: Path | None, twin: bool, replaces: str | None = None
) -> Plan:  # fmt: skip
    """Find everything that keeps a session from beginning. Writes nothing.

    Raises
    ------
    FolderError, StudyError, ManifestError, ScheduleError, PrepareError
        One line: file, key, value, cure.
    """
    folder.label(participant, what="--participant")
    folder.label(session, what="--session")
    files = load_study(study_path)
    camera = files.study.camera
    if camera and camera.source == "twin" and not twin:
        raise PrepareError(f'{files.path}: camera.source = "twin": is a simulated camera; name a device, or run with --twin')
    frozen = _frozen(files)
    where = _where(study_path, data)
    for what, label in (("--participant", participant), ("--replaces", replaces)):
        if label is not None:
            tombstone.check_label(where, label, what=what)
    if replaces is not None:
        replaces = origin(where, folder.label(replaces, what="--replaces"))
    replaces = replaces or _replaced(where, participant, session)
    trials = schedule.plan(files.study, files.entries, participant, replaces=replaces)
    _check_sheet(files)
    left = look(where, participant, session, trials)
    plan = Plan(files, trials, where, participant, session, twin, left, replaces, frozen=frozen)
    _check_folder(plan)
    return plan


def _frozen(files: StudyFiles) -> Frozen:
    return Frozen(files.path.read_bytes(), manifest_path(files.study, files.path).read_bytes())


def is_changed(plan: Plan) -> bool:
    """Whether study or table of clips are not any more what the plan was made of: trials and form would be the old ones."""
    try:
        return plan.frozen is not None and _frozen(plan.files) != plan.frozen
    except OSError:
        return True


def _replaced(data: Path, participant: str, session: str) -> str | None:
    """Return whose order earlier runs of this session had: it stays."""
    paths = sorted(data.glob(f"sub-{participant}/ses-{session}/run-*/session.json"))
    return Session.load(paths[-1]).replaces if paths else None


def sheet(plan: Plan) -> Path | None:
    """Return the information sheet, if the study names one."""
    return _sheet(plan.files)


def _sheet(files: StudyFiles) -> Path | None:
    name = files.study.consent.sheet
    return files.path.parent / name if name else None


def _check_sheet(files: StudyFiles) -> None:
    path = _sheet(files)
    if path is not None and not path.is_file():
        raise PrepareError(
            f"{files.path}: consent.sheet = {files.study.consent.sheet!r}: is not there; put the sheet beside it"
        )


def _check_folder(plan: Plan) -> None:
    nearest = next(path for path in (plan.data, *plan.data.parents) if path.exists())
    if not nearest.is_dir():
        raise PrepareError(f"--data = {plan.data}: {nearest} is a file; name a folder")
    if not os.access(nearest, os.W_OK):
        raise PrepareError(f"--data = {plan.data}: may not be written to; choose another folder, or change its rights")
    if not plan.folder.resolve().is_relative_to(plan.data.resolve()):
        raise PrepareError(f"{plan.folder}: is a link that leads out of the data folder; remove it")
    check_disk(plan, free_bytes=shutil.disk_usage(nearest).free)


def check_disk(plan: Plan, *, free_bytes: int) -> None:
    """Refuse a disk on which the session does not fit.

    Raises
    ------
    PrepareError
        With need and room.
    """
    size = estimate(plan.study, plan.files.entries)
    try:
        disk.refuse(free_bytes, size.disk_B, length_s=size.length_s, what=f"--data = {plan.data}")
    except RoomError as error:
        raise PrepareError(str(error)) from None


def needed_bytes(plan: Plan) -> int:
    """Return how many bytes must be free on the disk."""
    return disk.needed(estimate(plan.study, plan.files.entries).disk_B)


def check_display(environment: Mapping[str, str], *, platform: str = sys.platform) -> None:
    """Refuse to begin where no window can be opened.

    Raises
    ------
    PrepareError
        With the cure.
    """
    if platform.startswith("linux") and not environment.get("DISPLAY"):
        raise PrepareError(
            "DISPLAY = nothing: the participant's window needs a screen; run this on the desktop, "
            'or try it without one: xvfb-run -a -s "-screen 0 1280x720x24 +extension GLX" emo-run ..'
        )


def begin(plan: Plan, person: Person, consent: Consent, *, now: Callable[[], float]) -> tuple[Run, Session]:
    """Make the run's folder, write ``session.json`` into it first, then the frozen study and its table of clips.

    Returns
    -------
    Run, Session
        The run has begun.

    Raises
    ------
    PrepareError
        When the study was changed since the plan was made; nothing was written.
    """
    frozen = plan.frozen or _frozen(plan.files)
    if is_changed(plan):
        raise PrepareError(f"{plan.files.path}: was changed after it had been checked; start emo-run again")
    run = folder.create(plan.data, participant=plan.participant, session=plan.session, task=plan.study.study.task)
    session = Session(
        uid=uuid.uuid4().hex, participant=run.participant, session=run.session, run=run.run, task=run.task,
        simulated=plan.twin, study_sha256=hashlib.sha256(frozen.study).hexdigest(), created_wall=wall_now(), created_lsl=now(),
        boot=boot_id(), person=person, consent=consent, versions=versions(), begun=plan.left.begun, replaces=plan.replaces,
        resumes=plan.left.last[1].uid if plan.resumes else None,
        trials=tuple(trial.trial for trial in plan.left.trials) if plan.resumes else None,
    )  # fmt: skip
    session.save(run.session_json)
    run.study_toml.write_bytes(frozen.study)
    run.clips_tsv.write_bytes(frozen.clips)
    return run, session


def versions() -> dict[str, str]:
    """Return the versions of what records, by package."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "n/a"
    return found
