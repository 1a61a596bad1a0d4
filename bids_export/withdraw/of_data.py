"""One participant in the data folder: the recordings, their reports, and what other recordings say of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bids_export.report.output import REPORTS
from bids_export.survey import check_quiet
from bids_export.withdraw import hand as hands
from bids_export.withdraw import of_labrecorder
from bids_export.withdraw.hand import TRASH, Hand, Scope, is_of, outermost, sweep
from bids_export.withdraw.links import is_below
from collector.lock import forget, left_of, machine_folder
from protocol import folder
from protocol.folder import FileRecord, FolderError, Manifest, Run, Session, sha256

FACE = "_recording-face"


def runs_of(data: Path, label: str) -> list[Run]:
    """Return the runs of a participant that have begun; damaged ones, which go with the others, are passed over."""
    found = []
    for path in sorted(data.glob(f"sub-{label}/ses-*/run-*/session.json")):
        try:
            found.append(folder.open_run(path.parent))
        except FolderError:
            continue
    return found


def unopened(data: Path, label: str) -> list[Path]:
    """Return a participant's ``session.json`` that cannot be opened: nobody could take a scope out of it."""
    opened = {run.path for run in runs_of(data, label)}
    return [p for p in sorted(data.glob(f"sub-{label}/ses-*/run-*/session.json")) if p.parent.resolve() not in opened]


def is_in(data: Path, label: str, template: str | None = None) -> bool:
    """Tell whether anything in a data folder is a participant's."""
    return any(_named(data, label)) or any(of_labrecorder.files(data, template, label))


def labels(data: Path, template: str | None = None) -> list[str]:
    """Return the participants of a data folder."""
    theirs = {label for label, _ in of_labrecorder.recordings(data, template)}
    return sorted(theirs | {path.name.removeprefix("sub-") for path in data.glob("sub-*") if path.is_dir()})


def faces(data: Path, label: str) -> list[Path]:
    """Return a participant's videos of the face, and tables of their frames, wherever in a data folder they lie."""
    return [path for path in sorted(data.rglob("*")) if FACE in path.name and not path.is_dir() and is_below(path, data, label)]


def withdraw(data: Path, label: str, scope: Scope, hand: Hand, *, template: str | None = None) -> None:
    """Remove a participant from a data folder, or take one scope from the consent.

    Parameters
    ----------
    data : Path
        The data folder.
    label : str
        The participant.
    scope : {"all", "face", "share", "train"}
        What is withdrawn.
    hand : Hand
        Notes what is done.
    template : str, optional
        Of LabRecorder's names, where the study has one.

    Raises
    ------
    RecordingError
        When the participant is being recorded at this moment.
    """
    runs = runs_of(data, label)
    for run in runs:
        check_quiet(run, now=time.time())
    if not hand.dry:
        sweep(data / TRASH)
    if scope == "face":
        for path in _reports(data, label):
            hand.remove(path)
    if scope != "all":
        for run in runs:
            _revoke(run, scope, hand)
        for path in faces(data, label) if scope == "face" else ():
            if path not in hand.removed:
                hand.remove(path)  # of a run that cannot be opened, a copy by hand
        return
    for path in _named(data, label):
        hand.remove(path)
    for path in of_labrecorder.files(data, template, label):
        if path not in hand.removed:
            hand.remove(path)
    _forget_replaced(data, label, hand)
    if lock := (left_of if hand.dry else forget)(machine_folder(), data / f"sub-{label}"):
        hand.changed.append(lock)


def _forget_replaced(data: Path, label: str, hand: Hand) -> None:
    """Take the participant out of the recordings of whoever was given their order of trials."""
    for other in (name for name in labels(data) if name != label):
        for run in runs_of(data, other):
            session = Session.load(run.session_json)
            if session.replaces == label:
                _rewrite(run, session.model_copy(update={"replaces": None}), hand)
        for path in sorted(data.glob(f"sub-{other}/ses-*/run-*/{folder.NOT_RECORDED}")):
            told = hands.read_json(path)
            if (
                isinstance(told, dict)
                and isinstance(session_ := told.get("session"), dict)
                and session_.get("replaces") == label
            ):
                hand.write(path, hands.as_json({**told, "session": {**session_, "replaces": None}}))


def _named(data: Path, label: str) -> list[Path]:
    """Return what is a participant's by its name: ``sub-07``, reports, files of LabRecorder's wherever they lie."""
    return outermost(data.rglob("*"), lambda path: is_of(path.name.lstrip("."), label))


def _reports(data: Path, label: str) -> Iterator[Path]:
    """Yield pages and measures of a participant's runs, and what a killed report left of them."""
    for path in sorted((data / REPORTS).rglob("*")):
        if path.is_file() and is_of(path.name.lstrip("."), label):
            yield path


def _revoke(run: Run, scope: Scope, hand: Hand) -> None:
    """Take a scope from the consent: first that, so that nothing is used from then on, then what it had allowed."""
    session = Session.load(run.session_json)
    scopes = tuple(s for s in session.consent.scopes if s != scope)
    if scopes != session.consent.scopes:
        _rewrite(run, session.model_copy(update={"consent": session.consent.model_copy(update={"scopes": scopes})}), hand)
    if scope == "face":
        for path in sorted(run.path.glob(f"*{FACE}*")):
            hand.remove(path)
    _mend(run, hand)


def _rewrite(run: Run, session: Session, hand: Hand) -> None:
    hand.write(run.session_json, session.model_dump_json(indent=2, by_alias=True) + "\n")
    _mend(run, hand)


def _mend(run: Run, hand: Hand) -> None:
    """Make the manifest name the files as they are now: without the face, and with another ``session.json``."""
    if not run.manifest_json.exists():
        return
    manifest = Manifest.load(run.manifest_json)
    files = tuple(
        _now(run, record) if record.path == run.session_json.name else record
        for record in manifest.files
        if FACE not in record.path or (run.path / record.path).exists()
    )
    if files != manifest.files:
        text = manifest.model_copy(update={"files": files}).model_dump_json(indent=2, by_alias=True)
        hand.write(run.manifest_json, text + "\n")


def _now(run: Run, record: FileRecord) -> FileRecord:
    path = run.path / record.path
    return FileRecord(path=record.path, size_B=path.stat().st_size, sha256=sha256(path))
