"""What stays of a withdrawal: that somebody withdrew what and when, under a keyed hash of the label. No personal data."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bids_export import privacy
from bids_export.recording import RecordingError
from bids_export.withdraw.hand import Scope

FOLDER = "withdrawn"


class Tombstone(BaseModel):
    """One withdrawal; without ``done`` it was not finished: the same command goes on with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: int = Field(default=1, alias="schema")
    who: str
    scope: Scope
    begun: str
    done: str | None = None
    models: tuple[str, ...] = ()


def folder_of(home: Path, *, is_data: bool) -> Path:
    """Return where tombstones lie: in the data folder, or beside a dataset without one."""
    return home / FOLDER if is_data else home.with_name(f".{home.name}.{FOLDER}")


def path_of(folder: Path, key: bytes, label: str, scope: Scope) -> Path:
    """Return where the tombstone of a withdrawal lies."""
    return folder / f"{privacy.mark(key, f'withdrawn {label}')[:32]}_{scope}.json"


def load(path: Path) -> Tombstone | None:
    """Return a tombstone; None where there is none.

    Raises
    ------
    RecordingError
        When the file is something else.
    """
    try:
        return Tombstone.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError):
        raise RecordingError(f"{path}: is no tombstone; restore it from a copy, or remove it") from None


def save(path: Path, stone: Tombstone) -> None:
    """Write a tombstone, whole or not at all, for its owner's eyes alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(stone.model_dump_json(indent=2, by_alias=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def now() -> str:
    """Return the time, as it stands in tombstones."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def check(data: Path, labels: set[str]) -> None:
    """Refuse recordings of a participant who has withdrawn, such as some that came back from a copy.

    Raises
    ------
    RecordingError
        With the cure.
    """
    folder, secret = folder_of(data, is_data=True), privacy.secret_of(data)
    if not folder.is_dir() or not secret.exists():
        return
    key = privacy.read_key(secret)
    for label in sorted(labels):
        if stone := load(path_of(folder, key, label, "all")):
            raise RecordingError(
                f"{data}/sub-{label}: withdrew on {stone.begun[:10]}, and is here again; run "
                f"emo-withdraw {label} --data {data}; somebody else needs another label"
            )
