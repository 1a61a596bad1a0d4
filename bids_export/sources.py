"""Where recordings come from: runs of ours, and files of LabRecorder's in the same folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bids_export import labrecorder, recording, started
from bids_export.recording import Recording, RecordingError
from protocol import folder
from protocol.folder import Run, Session
from protocol.labrecorder import LabRun


@dataclass(frozen=True)
class Source:
    """What a data folder holds: its runs, by participant, session and number, and what was passed over, one line each."""

    runs: tuple[Run, ...]
    passed_over: tuple[str, ...] = ()


def find(data: Path, study: Path | None = None) -> Source:
    """Return the runs of a data folder.

    Parameters
    ----------
    data : Path
        The data folder.
    study : Path or None
        The study file that says what LabRecorder's files hold; None means the one in the data folder, if there is one.

    Raises
    ------
    RecordingError, StudyError, FolderError
        When there are none, or a folder with recordings has no ``session.json``.
    """
    if (data / "session.json").exists():
        raise RecordingError(f"{data}: is one run; name the data folder that holds sub-*/ses-*/run-*")
    empty = _not_recorded(data)
    others = labrecorder.find(data, study)
    ours = tuple(folder.find(data))
    taken_back = [run for run in ours if started.withdrawn(run)]
    runs = (*(run for run in ours if run not in taken_back), *others.runs)
    passed_over = (*empty, *(_taken_back(run) for run in taken_back), *others.passed_over)
    if not runs:
        passed = f" ({passed_over[0]})" if passed_over else ""
        raise RecordingError(
            f"{data}: holds no sub-*/ses-*/run-*/session.json{passed}; record with emo-run, or name another folder"
        )
    return Source(tuple(sorted(runs, key=lambda run: (run.participant, run.session, run.run))), passed_over)


def _taken_back(run: Run) -> str:
    where = run.path.relative_to(run.data).as_posix()
    cure = f"emo-withdraw {run.participant} --data {run.data}"
    return f"{where}: not exported: the participant withdrew it when the session was broken off; remove it with: {cure}"


def _not_recorded(data: Path) -> tuple[str, ...]:
    """Return the runs of which nothing was recorded, and why.

    Raises
    ------
    RecordingError, FolderError
        When a folder with recordings has no ``session.json``.
    """
    said = []
    for path in sorted(data.glob("sub-*/ses-*/run-*")):
        # an empty folder is a run whose launcher ended before it wrote its first file: nothing was recorded
        if not path.is_dir() or (path / "session.json").exists() or not any(path.iterdir()):
            continue
        if not (path / folder.NOT_RECORDED).exists() or list(path.glob("*_eeg*.xdf")):
            raise RecordingError(f"{path}: has no session.json: nobody knows whose data it is; move it out of {data}")
        reason = " ".join(folder.NotRecorded.load(path / folder.NOT_RECORDED).reason.split())
        said.append(f"{path.relative_to(data).as_posix()}: not exported: nothing was recorded ({reason})")
    return tuple(said)


def load(run: Run) -> Recording:
    """Read a run, whoever recorded it.

    Raises
    ------
    RecordingError, FolderError, StudyError, ManifestError, XdfError
        One line: file, key, value, cure.
    """
    return labrecorder.load(run) if isinstance(run, LabRun) else recording.load(run)


def uid(run: Run) -> str:
    """Return what a recording is recognised by, whatever its folder is called."""
    return labrecorder.uid_of(run) if isinstance(run, LabRun) else Session.load(run.session_json).uid
