"""The session folder: names, ``session.json``, ``manifest.json``. The one owner of paths.

``DATA/sub-07/ses-01/run-01/`` is never overwritten; a repeat is a new run. ``session.json`` is written first: without it the
run never started. ``manifest.json`` is written last: without it the run is treated as recovered.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stimuli.manifest import sha256 as sha256  # what the manifests of clips and of runs are made with

SCHEMA = 1
CHOICE = "choice"  # the launcher's note of what a participant wants of a recording that was broken off: keep, withdraw
NOT_RECORDED = "not-recorded.json"
_LABEL = re.compile(r"[A-Za-z0-9]+", re.ASCII)
# Windows opens devices under these names, whatever their extension
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


class FolderError(ValueError):
    """A label, a path or a record of a session folder is not as it must be; the text is one line with the cure."""


def label(value: str, *, what: str) -> str:
    """Check a BIDS label (participant, session, task, run).

    Parameters
    ----------
    value : str
        What the user typed.
    what : str
        What it is, for the message.

    Returns
    -------
    str
        The label, unchanged.

    Raises
    ------
    FolderError
        For anything but 1 to 32 ASCII letters and digits, or a name that Windows keeps for a device.
    """
    if not _LABEL.fullmatch(value) or len(value) > 32 or value.lower() in _DEVICES:
        raise FolderError(f"{what} = {value!r}: use 1 to 32 letters and digits (A-Z a-z 0-9), as in 07")
    return value


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def save(self, path: Path) -> None:
        """Write the record as JSON, atomically: a temporary file, synced, then renamed."""
        text = self.model_dump_json(indent=2, by_alias=True)
        temporary = path.with_name(path.name + ".tmp")
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a record.

        Raises
        ------
        FolderError
            When the file is missing or is not such a record; one line with file, key and cure.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise FolderError(f"{path}: is missing") from None
        except (ValidationError, UnicodeDecodeError) as error:
            raise FolderError(f"{path}: {_first(error)}; it was edited or damaged: restore it from a copy") from None


def _first(error: ValidationError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"


class Person(_Record):
    """What the participant form asks; no names."""

    age_y: float | None = None
    sex: Literal["F", "M", "O", "n/a"] | None = None
    handedness: Literal["L", "R", "A", "n/a"] | None = None
    hair: str | None = None
    cap_size: str | None = None
    head_circumference_cm: float | None = None
    screening: dict[str, Literal["yes", "no"]] | None = None


class Consent(_Record):
    """What the participant agreed to."""

    version: str
    sheet_sha256: str | None = None
    signed_ref: str | None = None
    scopes: tuple[Literal["eeg", "face", "share", "train"], ...]
    t_wall: str


class Session(_Record):
    """``session.json``: who, what and when; written first, by the launcher.

    ``resumes`` is the ``uid`` of the run that this one goes on with, ``trials`` are then the numbers of those that were left.
    ``begun`` says how often earlier runs of the session began each trial, by its number. ``replaces`` is the excluded
    participant whose order of trials this one was given.
    """

    schema_: int = Field(default=SCHEMA, alias="schema")
    uid: str
    participant: str
    session: str
    run: str
    task: str
    simulated: bool
    study_sha256: str
    resumes: str | None = None
    trials: tuple[int, ...] | None = None
    begun: dict[int, int] = Field(default={})
    replaces: str | None = None
    created_wall: str
    created_lsl: float
    boot: str
    person: Person
    consent: Consent
    versions: dict[str, str]

    def model_post_init(self, _: Any) -> None:
        """Check every label, because paths are made of them."""
        for what in ("participant", "session", "run", "task"):
            label(getattr(self, what), what=what)


class NotRecorded(_Record):
    """``not-recorded.json``: a run that began and of which nothing was recorded, such as one whose headset was missing."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    reason: str
    session: Session


class FileRecord(_Record):
    """One file of a run with its size and hash; the path is relative to the run's folder."""

    path: str
    size_B: int
    sha256: str


class StreamRecord(_Record):
    """One stream of a recording; times in LSL seconds."""

    name: str
    id: int
    n: int
    n_lost: int | None
    t_first: float | None
    t_last: float | None


class Quality(_Record):
    """The verdict of the contact-quality rule; :mod:`collector.quality` computes it."""

    metric: Literal["CQ", "EQ"]
    over: Literal["recording", "clips"]
    threshold: float
    value: float | None
    coverage: float
    n: int
    per_sensor: dict[str, float]
    verdict: Literal["keep", "exclude", "not_judged"]
    reason: str


class Manifest(_Record):
    """``manifest.json``: what a finished run consists of; written last."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    session_uid: str
    end: Literal["complete", "aborted", "recovered"]
    reason: str = ""
    closed_wall: str
    files: tuple[FileRecord, ...] = Field(default=())
    streams: tuple[StreamRecord, ...] = Field(default=())
    quality: Quality | None = None


@dataclass(frozen=True)
class Run:
    """The paths of one run.

    Parameters
    ----------
    data : Path
        The study's data folder.
    participant, session, run, task : str
        BIDS labels.

    Raises
    ------
    FolderError
        When a label is not a label.
    """

    data: Path
    participant: str
    session: str
    run: str
    task: str

    def __post_init__(self) -> None:
        for what in ("participant", "session", "run", "task"):
            label(getattr(self, what), what=what)

    @property
    def path(self) -> Path:
        """Folder of this run."""
        return self.data / f"sub-{self.participant}" / f"ses-{self.session}" / f"run-{self.run}"

    @property
    def stem(self) -> str:
        """The start of every BIDS-like file name."""
        return f"sub-{self.participant}_ses-{self.session}_task-{self.task}_run-{self.run}"

    @property
    def session_json(self) -> Path:
        """Written first."""
        return self.path / "session.json"

    @property
    def manifest_json(self) -> Path:
        """Written last."""
        return self.path / "manifest.json"

    @property
    def study_toml(self) -> Path:
        """Frozen copy of the study file."""
        return self.path / "study.toml"

    @property
    def clips_tsv(self) -> Path:
        """Frozen copy of the study's table of clips."""
        return self.path / "clips.tsv"

    @property
    def xdf(self) -> Path:
        """All LSL streams."""
        return self.path / f"{self.stem}_eeg.xdf"

    @property
    def recovered_xdf(self) -> Path:
        """What `emo-record recover` has made of all LSL streams after a crash."""
        return self.xdf.with_name(f"{self.xdf.stem}-recovered.xdf")

    @property
    def recording(self) -> Path:
        """The file to read all LSL streams from: the recovered one where there is one."""
        return self.recovered_xdf if self.recovered_xdf.exists() else self.xdf

    @property
    def trials_csv(self) -> Path:
        """The trial table that PsychoPy users expect."""
        return self.path / f"{self.stem}_trials.csv"

    @property
    def psydat(self) -> Path:
        """PsychoPy's own record of the experiment."""
        return self.path / f"{self.stem}.psydat"

    @property
    def flips_csv(self) -> Path:
        """Every flip of the window, on the LSL clock and on PsychoPy's."""
        return self.path / f"{self.stem}_flips.csv"

    def video(self, split: int | None = None) -> Path:
        """Return the face video; ``split`` counts from 1 when the camera had to be reopened."""
        part = "" if split is None else f"_split-{split}"
        return self.path / f"{self.stem}_recording-face{part}_video.mkv"

    def journal(self, who: Literal["window", "collector", "launch"]) -> Path:
        """Return the journal of one process."""
        return self.path / f"journal-{who}.jsonl"

    def videos(self) -> list[Path]:
        """Return the videos that exist, in the order in which they were recorded."""
        splits = self.path.glob(f"{self.stem}_recording-face_split-*_video.mkv")
        numbered = sorted(splits, key=lambda p: int(p.name.split("_split-")[1].split("_")[0]))
        return [p for p in (self.video(), *numbered) if p.exists()]


def create(data: Path, *, participant: str, session: str, task: str) -> Run:
    """Make the next run's folder, by exclusive mkdir, so that two launchers never share one.

    Returns
    -------
    Run
        Its folder exists, is empty and readable by its owner alone.
    """
    session_folder = Run(data, participant, session, "01", task).path.parent
    for path in (data, session_folder.parent, session_folder):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)  # mode is that of the last alone: one after the other
    for n in range(1, 1000):
        run = Run(data, participant, session, f"{n:02d}", task)
        if run.session_json.exists():
            continue
        try:
            run.path.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return run
    raise FolderError(f"{run.path.parent}: holds 999 runs; use another session label")


def shelve(run: Run, reason: str) -> Path:
    """Take a run in which nothing was recorded out of the data: its ``session.json`` becomes ``not-recorded.json``.

    Journals and logs stay beside it, and its number is not used again.

    Returns
    -------
    Path
        The file, with the reason and what ``session.json`` held.
    """
    path = run.path / NOT_RECORDED
    NotRecorded(reason=reason, session=Session.load(run.session_json)).save(path)
    run.session_json.unlink()
    return path


def find(data: Path) -> Iterator[Run]:
    """Yield every run below ``data`` that has begun (has a ``session.json``), in order."""
    for path in sorted(data.glob("sub-*/ses-*/run-*/session.json")):
        yield open_run(path.parent)


def open_run(path: Path) -> Run:
    """Return the run that lies in a folder.

    Raises
    ------
    FolderError
        When there is no ``session.json``, or the folder does not lie where its ``session.json`` says.
    """
    path = path.resolve()
    if not (path / "session.json").exists():
        raise FolderError(f"{path}: no session.json, so this run never started; name a folder like DATA/sub-07/ses-01/run-01")
    record = Session.load(path / "session.json")
    run = Run(path.parents[2], record.participant, record.session, record.run, record.task)
    if run.path != path:
        raise FolderError(
            f"{path}/session.json: says {run.path.relative_to(run.data)}; put the folder back where it was recorded"
        )
    return run
