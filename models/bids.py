"""A BIDS root as the models see it: who may be used, and where their files lie."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

EXTENSIONS = (".vhdr", ".edf", ".bdf", ".set")
YES = {"yes", "true", "1"}
Row = dict[str, str]


class BidsError(ValueError):
    """A BIDS root cannot be used; the text is one line: file, key, value, cure."""


@dataclass(frozen=True, kw_only=True)
class RecordingFiles:
    """Where one recording of one participant lies; labels are those of BIDS without their prefix, empty where absent."""

    participant: str
    session: str
    run: str
    eeg: Path
    scopes: frozenset[str]

    @property
    def stem(self) -> str:
        """Return what the names of the recording's files begin with, such as ``sub-01_ses-01_task-emotion_run-01``."""
        return self.eeg.name.rpartition("_")[0]

    def sibling(self, ending: str, folder: str = "eeg") -> Path:
        """Return another file of the recording, such as ``sibling("_recording-face_video.mkv", "beh")``."""
        return self.eeg.parent.parent / folder / f"{self.stem}{ending}"


def find_recordings(root: Path, *, scope: str | None = "train") -> tuple[RecordingFiles, ...]:
    """List the recordings that may be used: of people who are included and agreed to it.

    Parameters
    ----------
    root : Path
        A BIDS root with the columns ``included`` and ``consent`` in ``participants.tsv``.
    scope : str or None
        What they must have agreed to; None asks for nothing more than to be recorded.

    Returns
    -------
    tuple of RecordingFiles
        In the order of ``participants.tsv``, at least one.

    Raises
    ------
    BidsError
        When it is no such root, or nobody may be used.
    """
    if not (root / "dataset_description.json").is_file():
        raise BidsError(f"{root}: is no BIDS root (no dataset_description.json); make one with: emo-export DATA BIDS_ROOT")
    path = root / "participants.tsv"
    people = read_table(path, "participant_id", "included", "consent")
    found = [files for row in people if _may(row, scope) for files in _recordings_of(root, row)]
    if not found:
        agreed = "" if scope is None else f"consents to '{scope}' "
        raise BidsError(
            f"{path}: included, consent: of {len(people)} participants none is included, {agreed}and has EEG; "
            "see the column exclusion_reason"
        )
    return tuple(found)


def _may(row: Row, scope: str | None) -> bool:
    return row["included"].lower() in YES and (scope is None or scope in row["consent"].split("+"))


def _recordings_of(root: Path, row: Row) -> Iterable[RecordingFiles]:
    folder = root / row["participant_id"]
    for path in (path for pattern in ("eeg", "ses-*/eeg") for path in sorted(folder.glob(f"{pattern}/*_eeg.*"))):
        if path.suffix in EXTENSIONS and _scan_included(path):
            labels = dict(part.split("-", 1) for part in path.stem.split("_") if "-" in part)
            yield RecordingFiles(
                participant=labels["sub"], session=labels.get("ses", ""), run=labels.get("run", ""), eeg=path,
                scopes=frozenset(row["consent"].split("+")),
            )  # fmt: skip


def _scan_included(path: Path) -> bool:
    """Return whether ``scans.tsv``, where there is one, keeps this recording: one session may fail where another passed."""
    session = path.parent.parent
    prefix = "_".join(part for part in path.stem.split("_") if part.startswith(("sub-", "ses-")))
    table = session / f"{prefix}_scans.tsv"
    if not table.is_file():
        return True
    name = path.relative_to(session).as_posix()
    verdicts = [row.get("included", "n/a") for row in read_table(table, "filename") if row["filename"] == name]
    return all(verdict.lower() in YES | {"n/a"} for verdict in verdicts)


def read_table(path: Path, *columns: str) -> list[Row]:
    """Read a TSV of BIDS, cells as text.

    Raises
    ------
    BidsError
        When it is missing, is no table, or lacks one of the columns.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise BidsError(f"{path}: is missing; export the recording again") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise BidsError(f"{path}: is no table ({one_line(error)}); export the recording again") from None
    if absent := [name for name in columns if name not in table]:
        raise BidsError(f"{path}: {absent[0]}: no such column; export the data with emo-export")
    return [{str(name): str(cell) for name, cell in row.items()} for row in table.to_dict("records")]


def read_json(path: Path) -> dict[str, object]:
    """Read a sidecar; empty where there is none.

    Raises
    ------
    BidsError
        When it is no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BidsError(f"{path}: is no JSON ({one_line(error)}); export the recording again") from None
    if not isinstance(value, dict):
        raise BidsError(f"{path}: is no JSON object; export the recording again")
    return value


def emotions(recordings: Sequence[RecordingFiles], present: Iterable[str]) -> tuple[str, ...]:
    """Return the classes in the order of the study, as ``events.json`` gives it; the others follow by alphabet."""
    names = set(present)
    target = read_json(recordings[0].sibling("_events.json")).get("target", {})
    levels = target.get("Levels", {}) if isinstance(target, dict) else {}
    return (*(name for name in levels if name in names), *sorted(names - set(levels)))


def data_digest(recordings: Sequence[RecordingFiles]) -> str:
    """Return the SHA-256 over the names and contents of all files of the recordings."""
    total = hashlib.sha256()
    for path in sorted({path for files in recordings for path in files.eeg.parent.parent.glob(f"*/{files.stem}_*")}):
        with path.open("rb") as stream:
            total.update(f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def one_line(error: Exception) -> str:
    """Return the text of an exception on one line, shortened."""
    return " ".join(str(error).split())[:160]
