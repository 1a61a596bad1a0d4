"""Whose something is by its name, and what symbolic links lead to: recordings on another disk, objects of git-annex."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

GIT = ".git"
_MARK = "session.json"


def is_of(name: str, label: str) -> bool:
    """Tell whether a file or folder is a participant's by its name.

    Examples
    --------
    >>> is_of("sub-07_ses-01_eeg.json", "07"), is_of("sub-07", "07"), is_of("sub-070_eeg.json", "07")
    (True, True, False)
    """
    return f"sub-{label}" in name.partition(".")[0].split("_")


def is_below(path: Path, home: Path, label: str) -> bool:
    """Tell whether something in a folder is a participant's by its name, or by that of a folder there that it lies in."""
    return any(is_of(part.lstrip("."), label) for part in path.relative_to(home).parts)


def links(path: Path) -> list[Path]:
    """Return the links in a folder, the folder itself included, in order."""
    if path.is_symlink():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_symlink()) if path.is_dir() else []


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, through links too; each folder once, however many links lead to it."""
    seen: set[str] = set()
    for here, inside, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            inside.clear()
            continue
        seen.add(real)
        inside.sort()
        yield from (path for name in sorted(names) if (path := Path(here, name)).is_file())


def is_theirs(link: Path, target: Path, label: str, homes: Sequence[Path]) -> bool:
    """Tell whether what a link leads to is the participant's, and nobody else's.

    By the link's name (``sub-07_.._video.mkv``), by that of the target or a folder that it lies in, or because it holds
    their recordings. What a version control keeps is its own to remove, and a folder with somebody else's recordings stays.
    """
    if not label or GIT in target.parts or any(home.resolve().is_relative_to(target) for home in homes):
        return False
    if target.is_dir() and any(_is_others(path, label) for path in target.rglob("*")):
        return False
    above = {part for home in homes for part in home.resolve().parts}  # says nothing: everybody lies below it
    if any(is_of(part, label) for part in (link.name, *(part for part in target.parts if part not in above))):
        return True
    return target.is_dir() and any(_participant(path) == label for path in target.rglob(_MARK))


def is_looked_at(target: Path, homes: Sequence[Path]) -> bool:
    """Tell whether something lies where the closing search looks."""
    return GIT not in target.parts and any(target.is_relative_to(home.resolve()) for home in homes)


def _is_others(path: Path, label: str) -> bool:
    named = path.name.startswith("sub-") and not is_of(path.name, label)
    return named or (path.name == _MARK and _participant(path) not in (label, None))


def _participant(path: Path) -> str | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(said["participant"]) if isinstance(said, dict) and "participant" in said else None


def under_git(home: Path) -> Path | None:
    """Return the version control that a folder lies in; None where there is none."""
    return next((path / GIT for path in (home.resolve(), *home.resolve().parents) if (path / GIT).exists()), None)
