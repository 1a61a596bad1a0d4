"""One participant in the data folder: the recordings, their reports, and what other recordings say of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bids_export.report.output import REPORTS
from bids_export.survey import check_quiet
from bids_export.withdraw.hand import TRASH, Hand, Scope, is_of, outermost, sweep
from protocol import folder
from protocol.folder import FileRecord, FolderError, Manifest, Run, Session, sha256


def runs_of(data: Path, label: str) -> list[Run]:
    """Return the runs of a participant that have begun; damaged ones, which go with the others, are passed over."""
    found = []
    for path in sorted(data.glob(f"sub-{label}/ses-*/run-*/session.json")):
        try:
            found.append(folder.open_run(path.parent))
        except FolderError:
            continue
    return found


def is_in(data: Path, label: str) -> bool:
    """Tell whether anything in a data folder is a participant's."""
    return any(_named(data, label))


def labels(data: Path) -> list[str]:
    """Return the participants of a data folder."""
    return sorted(path.name.removeprefix("sub-") for path in data.glob("sub-*") if path.is_dir())


def withdraw(data: Path, label: str, scope: Scope, hand: Hand) -> None:
    """Remove a participant from a data folder, or take one scope from the consent.

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
        return
    for path in _named(data, label):
        hand.remove(path)
    for run in (run for other in labels(data) if other != label for run in runs_of(data, other)):
        session = Session.load(run.session_json)
        if session.replaces == label:
            _rewrite(run, session.model_copy(update={"replaces": None}), hand)


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
        for path in sorted(run.path.glob("*_recording-face*")):
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
        if "_recording-face" not in record.path or (run.path / record.path).exists()
    )
    if files != manifest.files:
        text = manifest.model_copy(update={"files": files}).model_dump_json(indent=2, by_alias=True)
        hand.write(run.manifest_json, text + "\n")


def _now(run: Run, record: FileRecord) -> FileRecord:
    path = run.path / record.path
    return FileRecord(path=record.path, size_B=path.stat().st_size, sha256=sha256(path))
