"""Where a dataset goes: what is ours to change there, and how it is changed so that no crash leaves it half changed.

An export is made in a staging folder beside the dataset, on the same disk. What is to be done is then written down in one file,
and done by renaming alone: an export that dies before that changed nothing, one that dies later is completed by the next.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from bids_export import tables

NAME = "emolab"
DESCRIPTION = "dataset_description.json"
PROFILE = "Profile"  # a key of the description: who the dataset is for, where it is not for the laboratory
_LOCK, _NEW, _OLD, _PLAN = "lock", "new", "old", "plan.json"


class PlaceError(ValueError):
    """A dataset may not go where it was to go; the text is one line with the cure."""


@dataclass(frozen=True)
class Plan:
    """What is to be done to a dataset.

    Parameters
    ----------
    put : tuple of str
        Files and folders of the staging folder's ``new`` that go to the same place in the dataset, in this order.
    drop : tuple of str
        What leaves the dataset, after that.
    ours : mapping of str to tuple of str
        For a folder that is replaced or leaves: the files in it that an export made. All others are somebody's own, and stay.
    """

    put: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    ours: Mapping[str, Sequence[str]] = field(default_factory=dict)


def check(root: Path) -> None:
    """Refuse a folder that is not ours to change: anything but nothing, an empty folder, or a dataset of ours.

    Raises
    ------
    PlaceError
        When something else is there.
    """
    if not root.exists():
        return
    if not root.is_dir():
        raise PlaceError(f"{root}: is a file; name a folder for the dataset")
    if any(root.iterdir()) and not is_ours(root):
        raise PlaceError(f"{root}: is not empty and was not made by {NAME}; name a new folder for the dataset")


def check_kind(root: Path, *, simulated: bool) -> None:
    """Refuse to mix real and simulated data.

    Raises
    ------
    PlaceError
        When the dataset that is there is of the other kind.
    """
    if is_ours(root) and bool(tables.read_json(root / DESCRIPTION).get("Simulated")) != simulated:
        there, here = ("real", "simulated") if simulated else ("simulated", "real")
        raise PlaceError(f"{root}: holds {there} data, these are {here}; name another folder for the dataset")


def check_profile(root: Path, *, shareable: bool) -> None:
    """Refuse to mix what may be shared with what may not; what is to be shared is made whole, in a folder of its own.

    Raises
    ------
    PlaceError
        When something lies there that this export may not go on with.
    """
    there = profile_of(root) if root.is_dir() and any(root.iterdir()) else None
    if shareable and there is not None:
        raise PlaceError(f"{root}: is not empty; a dataset to be shared is made whole each time: name a new folder for it")
    if there == "shareable":
        raise PlaceError(
            f"{root}: {PROFILE} = shareable: it must not get what the laboratory alone may see; name another folder"
        )


def profile_of(root: Path) -> str:
    """Return who a dataset is for, by its description."""
    try:
        return str(tables.read_json(root / DESCRIPTION).get(PROFILE, "internal"))
    except (OSError, ValueError):
        return "internal"


def is_ours(root: Path) -> bool:
    """Tell whether a dataset was made by us."""
    try:
        made_by = tables.read_json(root / DESCRIPTION).get("GeneratedBy", [])
    except (OSError, ValueError):
        return False
    return isinstance(made_by, list) and any(isinstance(tool, dict) and tool.get("Name") == NAME for tool in made_by)


def staging_of(root: Path) -> Path:
    """Return the staging folder of a dataset."""
    return root.with_name(f".{root.name}.export")


@contextmanager
def staging(root: Path) -> Iterator[Path]:
    """Yield a folder on the disk of ``root`` to build in, its ``new``; it is gone afterwards.

    What an earlier export left there is completed where it had been written down, and thrown away where not.

    Raises
    ------
    PlaceError
        When another export into this dataset runs at this moment.
    """
    folder = staging_of(root)
    made = not root.parent.exists()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("wb") as lock:
        if not _locked(lock.fileno()):
            raise PlaceError(f"{root}: another export writes to it at this moment; wait for it to end")
        try:
            complete(root)
            (folder / _NEW).mkdir()
            yield folder / _NEW
        finally:
            if sys.platform == "win32":
                lock.close()  # an open file cannot be removed there
            _sweep(folder)
            if made and root.parent.is_dir() and not any(root.parent.iterdir()):
                root.parent.rmdir()


def complete(root: Path) -> None:
    """Do what an interrupted export had written down; throw away what it had not."""
    folder = staging_of(root)
    if (folder / _PLAN).exists():
        said = json.loads((folder / _PLAN).read_text(encoding="utf-8"))
        _carry_out(Plan(tuple(said["put"]), tuple(said["drop"]), said["ours"]), folder, root)
    _clear(folder)


def put(root: Path, plan: Plan) -> None:
    """Carry out a plan with what lies in the staging folder; whatever happens from here on, it will be carried out.

    A dataset that is not there yet is put in place by one rename; the plan is then not looked at.
    """
    folder = staging_of(root)
    for path in sorted((folder / _NEW).rglob("*")):
        _flush(path)
    if not root.exists() or not any(root.iterdir()):
        if sys.platform == "win32" and root.exists():
            root.rmdir()  # nothing is renamed onto a folder there
        (folder / _NEW).rename(root)
        return
    temporary = folder / f"{_PLAN}.tmp"
    tables.write_json(temporary, asdict(plan))
    _flush(temporary)
    temporary.rename(folder / _PLAN)
    _flush(folder)
    complete(root)


def _carry_out(plan: Plan, folder: Path, root: Path) -> None:
    """Carry out a plan; every step can be done again, by another export, from wherever this one stops."""
    for name in plan.put:
        new, old, here = folder / _NEW / name, folder / _OLD / name, root / name
        if new.exists():
            here.parent.mkdir(parents=True, exist_ok=True)
            if here.is_dir():
                _move(here, old)
            new.replace(here)
        _carry_over(old, here, plan.ours.get(name, ()))
    for name in plan.drop:
        if (root / name).exists():
            _move(root / name, folder / _OLD / name)
        _carry_over(folder / _OLD / name, root / name, plan.ours.get(name, ()))
        _prune(root / PurePosixPath(name).parent, root)


def _move(path: Path, old: Path) -> None:
    """Take something out of the dataset; what an interrupted export took out before is gone for good."""
    old.parent.mkdir(parents=True, exist_ok=True)
    _remove(old)
    path.rename(old)


def _carry_over(old: Path, here: Path, ours: Sequence[str]) -> None:
    """Bring files that no export made back to where they were."""
    mine = set(ours)
    for path in sorted(old.rglob("*")) if old.is_dir() else ():
        name = path.relative_to(old)
        if path.is_file() and name.as_posix() not in mine and not (here / name).exists():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(here / name)


def _prune(folder: Path, root: Path) -> None:
    """Remove folders that have become empty."""
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _sweep(folder: Path) -> None:
    """Remove the staging folder; the lock last."""
    if (folder / _PLAN).exists():
        return  # this export could not carry out its plan: the next one will
    _clear(folder)
    (folder / _LOCK).unlink(missing_ok=True)
    folder.rmdir()


def _clear(folder: Path) -> None:
    """Empty the staging folder: the plan first, without which nothing in it means anything."""
    (folder / _PLAN).unlink(missing_ok=True)
    for path in sorted(folder.iterdir()):
        if path.name != _LOCK:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until a file or a folder is on the disk: a rename must not get there first."""
    if sys.platform == "win32" and path.is_dir():
        return  # Windows flushes no folders
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)  # there it must be writable
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Lock a file until it is closed, or its process dies; False when somebody else holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
