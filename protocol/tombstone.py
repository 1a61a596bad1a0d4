"""What stays of a withdrawal: that somebody withdrew what and when, under a keyed hash of the label. No personal data."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocol import secret
from protocol.folder import FolderError, Session

Scope = Literal["all", "face", "share", "train"]
PARTS: tuple[Scope, ...] = ("face", "share", "train")
FOLDER = "withdrawn"


class Tombstone(BaseModel):
    """One withdrawal; without ``done`` it was not finished: the same command goes on with it.

    ``key`` tells which secret it was made with, and nothing of that; ``left`` is what links of theirs led to, and was not
    recognised as theirs: a person has to look into it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: int = Field(default=1, alias="schema")
    who: str
    scope: Scope
    begun: str
    done: str | None = None
    models: tuple[str, ...] = ()
    key: str | None = None
    left: tuple[str, ...] = ()


def folder_of(home: Path, *, is_data: bool) -> Path:
    """Return where tombstones lie: in the data folder, or beside a dataset without one."""
    return home / FOLDER if is_data else home.with_name(f".{home.name}.{FOLDER}")


def path_of(folder: Path, key: bytes, label: str, scope: Scope) -> Path:
    """Return where the tombstone of a withdrawal lies."""
    return folder / f"{secret.mark(key, f'withdrawn {label}')[:32]}_{scope}.json"


def new(path: Path, key: bytes, scope: Scope) -> Tombstone:
    """Return the tombstone of a withdrawal that begins."""
    return Tombstone(who=path.name.partition("_")[0], scope=scope, begun=now(), key=_name_of(key))


def load(path: Path) -> Tombstone | None:
    """Return a tombstone; None where there is none.

    Raises
    ------
    FolderError
        When the file is something else.
    """
    try:
        return Tombstone.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError):
        raise FolderError(f"{path}: is no tombstone; restore it from a copy, or remove it") from None


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


def key_of(home: Path) -> bytes | None:
    """Return the secret by which the tombstones of a data folder, or of a dataset without one, are recognised.

    Returns
    -------
    bytes or None
        None where there is no secret, and no tombstone either.

    Raises
    ------
    FolderError
        When tombstones are there without the secret that they were made with: nobody could tell any more who withdrew.
    """
    path, folders = secret.path_of(home), [folder_of(home, is_data=is_data) for is_data in (True, False)]
    stones = [stone for folder in folders for stone in sorted(folder.glob("*.json"))]
    cure = f"bring back the one that lay beside the folder (of a folder that was renamed or moved, too): as {path.name}"
    if not path.exists():
        if stones:
            raise FolderError(f"{path}: is missing, and without it nobody can tell who withdrew ({stones[0].parent}); {cure}")
        return None
    key = secret.read(path)
    for stone in stones:
        made_with = (load(stone) or Tombstone(who="", scope="all", begun="")).key
        if made_with is not None and made_with != _name_of(key):
            raise FolderError(f"{path}: is not the secret that {stone} was made with; {cure}")
    return key


def made_key(home: Path) -> bytes:
    """Return the secret of a folder, made where there is none and no tombstone needs an older one.

    Raises
    ------
    FolderError
        As :func:`key_of`.
    """
    return key_of(home) or secret.make(home)


def of(data: Path, label: str, scope: Scope) -> Tombstone | None:
    """Return the tombstone of a participant in a data folder; None where there is none.

    Raises
    ------
    FolderError
        As :func:`key_of`.
    """
    key = key_of(data)
    return None if key is None else load(path_of(folder_of(data, is_data=True), key, label, scope))


def check_label(data: Path, label: str, *, what: str) -> None:
    """Refuse a label whose participant has withdrawn: a new person under it would be taken for what came back of the other.

    Parameters
    ----------
    data : Path
        The data folder.
    label : str
        The participant.
    what : str
        What it is, for the message.

    Raises
    ------
    FolderError
        With the cure; as :func:`key_of`, too.
    """
    if stone := of(data, label, "all"):
        raise FolderError(
            f"{what} = {label!r}: withdrew on {stone.begun[:10]}, and the label stays theirs; give somebody else another one"
        )


def check(data: Path, sessions: Iterable[Session]) -> None:
    """Refuse recordings of a participant who has withdrawn, or with a scope that was, such as some that came from a copy.

    A scope that the participant agreed to anew, in a session after that, stands.

    Raises
    ------
    FolderError
        With the cure.
    """
    key = key_of(data)
    if key is None:
        return
    folder = folder_of(data, is_data=True)
    for session in sessions:
        label, where = session.participant, f"{data}/sub-{session.participant}"
        if stone := load(path_of(folder, key, label, "all")):
            raise FolderError(
                f"{where}: withdrew on {stone.begun[:10]}, and is here again: is it somebody else, then give them another "
                f"label; is it a copy of what was withdrawn, then run emo-withdraw {label} --data {data}, which removes it"
            )
        for scope in (scope for scope in PARTS if scope in session.consent.scopes):
            stone = load(path_of(folder, key, label, scope))
            if stone and _time(session.created_wall) < _time(stone.begun):
                raise FolderError(
                    f"{where}/ses-{session.session}/run-{session.run}: {scope} was withdrawn on {stone.begun[:10]}, and "
                    f"session.json has it again; run emo-withdraw {label} --scope {scope} --data {data}"
                )


def _name_of(key: bytes) -> str:
    return secret.mark(key, "which key")[:16]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
