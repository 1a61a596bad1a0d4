"""Where a dataset goes: made beside its place, put there when it is whole; what is not ours is left alone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bids_export import tables

NAME = "emolab"
DESCRIPTION = "dataset_description.json"


class PlaceError(ValueError):
    """A dataset may not go where it was to go; the text is one line with the cure."""


def check(root: Path) -> None:
    """Refuse a folder that is not ours to replace: anything but nothing, an empty folder, or a dataset of ours.

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
    """Refuse to replace real data by simulated data, or the other way round.

    Raises
    ------
    PlaceError
        When the dataset that is there is of the other kind.
    """
    if is_ours(root) and bool(tables.read_json(root / DESCRIPTION).get("Simulated")) != simulated:
        there, here = ("real", "simulated") if simulated else ("simulated", "real")
        raise PlaceError(f"{root}: holds {there} data, these are {here}; name another folder for the dataset")


def is_ours(root: Path) -> bool:
    """Tell whether a dataset was made by us."""
    try:
        made_by = tables.read_json(root / DESCRIPTION).get("GeneratedBy", [])
    except (OSError, ValueError):
        return False
    return isinstance(made_by, list) and any(isinstance(tool, dict) and tool.get("Name") == NAME for tool in made_by)


@contextmanager
def building(root: Path) -> Iterator[Path]:
    """Yield a folder on the disk of ``root`` to build in; it is gone afterwards, unless :func:`put` moved it."""
    root.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{root.name}.partial-", dir=root.parent))
    try:
        built = folder / root.name
        built.mkdir()
        yield built
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put(built: Path, root: Path) -> None:
    """Put a finished dataset in its place.

    A dataset of ours that lies there makes room; what it holds besides an export (``derivatives``, notes of the user's) moves
    into the new one, so that nothing is lost but what was exported anew.
    """
    if not root.exists():
        built.rename(root)
        return
    old = built.with_name(f"{root.name}.old")
    root.rename(old)
    try:
        built.rename(root)
    except OSError:
        old.rename(root)
        raise
    for entry in sorted(old.iterdir()):
        if not entry.name.startswith("sub-") and not (root / entry.name).exists():
            entry.rename(root / entry.name)
