"""What an export remembers of each session, so that the next one leaves it alone: what it was made from, and what was made.

The receipt lies at ``sourcedata/sub-07/ses-01/export.json``, in the dataset itself. It holds what the tables at the dataset's
front say of the session, so that a session is added to a dataset without reading the recordings of the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bids_export import code
from bids_export.recording import RecordingError
from protocol.folder import Quality, Run, Session, sha256
from protocol.labrecorder import LabRun
from protocol.study import ContactQuality, Study

SOURCE = "sourcedata"
FILE = "export.json"
SCHEMA = 1
_SMALL_B = 1_000_000  # tables and sidecars are compared byte by byte, signals by their size


class _Record(BaseModel):
    # what a later release adds is passed over; what it changes raises the schema
    model_config = ConfigDict(frozen=True, extra="ignore")


class About(_Record):
    """What makes recordings one study: of two that differ in it no dataset can be made."""

    name: str
    task: str
    emotions: tuple[str, ...]
    contact_quality: ContactQuality

    @classmethod
    def of(cls, study: Study, task: str) -> Self:
        """Take it from a study."""
        return cls(
            name=study.study.name, task=task, emotions=tuple(study.emotions), contact_quality=study.contact_quality
        )  # fmt: skip


class ClipFacts(_Record):
    """One clip that was shown: a row of ``stimuli.tsv``; None is unknown."""

    stim_id: str
    target: str
    duration: float | None = None
    start: float | None = None
    filename: str | None = None
    sha256: str | None = None
    license: str | None = None
    redistributable: bool | None = None
    source: str | None = None


class RunFacts(_Record):
    """What is known of a run without its arrays.

    ``judged_s`` are the seconds that the rule looks at; ``complete`` are the trials that were shown in full; ``missing`` is
    what another recorder's recording lacks, line by line.
    """

    session: Session
    about: About
    end: str
    clips: tuple[ClipFacts, ...]
    quality: Quality
    judged_s: float
    has_eeg: bool
    has_video: bool
    has_readings: bool
    complete: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """The start of its files' names."""
        s = self.session
        return f"sub-{s.participant}_ses-{s.session}_task-{s.task}_run-{s.run}"


class FileRecord(_Record):
    """A file that was made."""

    size_B: int
    sha256: str


class Receipt(_Record):
    """What was made of a session; no files where it is only listed."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    key: str
    runs: tuple[RunFacts, ...]
    files: dict[str, FileRecord] = {}

    def text(self) -> str:
        """Return it as JSON."""
        return self.model_dump_json(indent=1, by_alias=True) + "\n"


def path_of(participant: str, session: str) -> str:
    """Return where a session's receipt lies in the dataset."""
    return f"{folder_of(participant, session)}/{FILE}"


def folder_of(participant: str, session: str) -> str:
    """Return where the sources of a session lie in the dataset."""
    return f"{SOURCE}/sub-{participant}/ses-{session}"


def load_all(root: Path) -> dict[tuple[str, str], Receipt]:
    """Return the receipts of a dataset by participant and session.

    Raises
    ------
    RecordingError
        When one cannot be read: without it its session, which may be nowhere else, would drop out of the dataset's tables.
    """
    found = {}
    for path in sorted(root.glob(f"{SOURCE}/sub-*/ses-*/{FILE}")):
        who = path.parts[-3].removeprefix("sub-"), path.parts[-2].removeprefix("ses-")
        found[who] = _load(path)
    return found


def _load(path: Path) -> Receipt:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        schema = content.get("schema") if isinstance(content, dict) else None
        if isinstance(schema, int) and schema > SCHEMA:
            raise RecordingError(f"{path}: schema = {schema}: a later release wrote it; this one reads {SCHEMA}; update emolab")
        return Receipt.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except ValueError as error:
        if isinstance(error, RecordingError):
            raise
        why = f"not JSON ({error})"
    raise RecordingError(
        f"{path}: {why}; restore it from a copy, or delete it if DATA has the recordings: they are exported again"
    )


def key_of(runs: Sequence[Run], *, profile: str = "internal") -> str:
    """Return what a session is recognised by: its recordings, the study, the profile, and the code that exports it.

    A finished run is its manifest, which holds the hash of every file; of one without a manifest every byte is read.
    """
    digest = hashlib.sha256(f"{SCHEMA} {profile} {code.digest()}".encode())
    for run in runs:
        for path in (run.session_json, run.study_toml, run.clips_tsv, run.trials_csv, run.manifest_json):
            digest.update(f"{run.run}/{path.name} {sha256(path) if path.exists() else None}\n".encode())
        if isinstance(run, LabRun):
            digest.update(f"{run.run}/revoked {run.revoked}\n".encode())
        for path in (run.recording, *run.videos()):
            finished = run.manifest_json.exists() or not path.exists()
            size = path.stat().st_size if path.exists() else None
            digest.update(f"{run.run}/{path.name} {size if finished else sha256(path)}\n".encode())
    return digest.hexdigest()


def files_of(root: Path, paths: Iterable[Path]) -> dict[str, FileRecord]:
    """Return the records of files, by their place in the dataset."""
    return {
        path.relative_to(root).as_posix(): FileRecord(size_B=path.stat().st_size, sha256=sha256(path)) for path in sorted(paths)
    }


def intact(root: Path, receipt: Receipt) -> bool:
    """Tell whether everything that was made still lies there as it was made."""
    return all(_same(root / name, record) for name, record in receipt.files.items())


def _same(path: Path, record: FileRecord) -> bool:
    try:
        size: Any = path.stat().st_size
    except OSError:
        return False
    return size == record.size_B and (size > _SMALL_B or sha256(path) == record.sha256)
