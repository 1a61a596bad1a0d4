"""What removes and rewrites, or only says what it would: every step can be done again from wherever it stopped."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bids_export import tables
from bids_export.tables import NA
from bids_export.withdraw import links
from bids_export.withdraw.links import is_of as is_of
from protocol.tombstone import Scope as Scope  # one word for all who withdraw

TRASH = ".withdrawn"  # a folder leaves by one rename into it, and is then removed: never half there under its name


class WithdrawError(ValueError):
    """A withdrawal that cannot be done as asked; the text is one line with the cure."""


@dataclass
class Hand:
    """Removes and rewrites files; with ``dry`` it only notes which.

    ``label`` is the participant, ``homes`` are the folders that are withdrawn from. ``changed`` and ``removed`` are what was
    done, ``models`` the weights that have learnt from the participant, ``notes`` what a person has to do or know, ``left`` what
    a link of theirs led to and nobody may remove unasked: ``tell_left`` is told before the link goes.
    """

    dry: bool = False
    label: str = ""
    homes: tuple[Path, ...] = ()
    tell_left: Callable[[Path], None] = lambda _: None
    removed: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    models: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: list[Path] = field(default_factory=list)
    _followed: set[Path] = field(default_factory=set)

    def remove(self, path: Path) -> None:
        """Remove a file, or a folder with everything in it, and before that what links in it lead to."""
        self.follow(path)
        self.removed += sorted(p for p in path.rglob("*") if p.is_file()) if is_folder(path) else [path]
        if self.dry:
            return
        if not is_folder(path):
            path.unlink(missing_ok=True)
            return
        trash = path.parent / TRASH
        sweep(trash)
        path.rename(trash)
        sweep(trash)

    def follow(self, path: Path) -> None:
        """Remove what the links in a folder lead to, such as recordings on another disk; a link that went first would hide it.

        What is not theirs by its name or its content, and what a version control keeps, is left, and said.
        """
        for link in links.links(path):
            target = link.resolve()
            if not self.dry and not target.exists():
                sweep(target.parent / TRASH)  # what a removal that was killed left
            if target in self._followed or not target.exists() or target.is_relative_to(path.parent.resolve() / path.name):
                continue
            self._followed.add(target)
            if links.is_theirs(link, target, self.label, self.homes):
                try:
                    self.remove(target)
                    continue
                except OSError as error:
                    self.notes.append(f"{target}: could not be removed ({error.strerror})")
            elif links.is_looked_at(target, self.homes):
                continue
            self.left.append(target)
            self.tell_left(target)

    def write(self, path: Path, text: str) -> None:
        """Give a file another text, whole or not at all, with the rights that it had."""
        self.changed.append(path)
        if self.dry:
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        tables.write_text(temporary, text)
        shutil.copymode(path, temporary)
        temporary.replace(path)


def is_folder(path: Path) -> bool:
    """Tell a folder from a link to one."""
    return path.is_dir() and not path.is_symlink()


def sweep(trash: Path) -> None:
    """Remove what an earlier removal left."""
    if is_folder(trash):
        shutil.rmtree(trash)


def without_rows(path: Path, label: str) -> str | None:
    """Return a table without a participant's rows; None where it has none, or names no participants."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    if not lines or "participant_id" not in lines[0].split("\t"):
        return None
    column = lines[0].split("\t").index("participant_id")
    kept = [line for line in lines if [*line.split("\t"), *[""] * column][column] not in (f"sub-{label}", label)]
    return None if len(kept) == len(lines) else "\n".join(kept) + "\n"


def with_consent(path: Path, label: str, scope: Scope) -> str | None:
    """Return ``participants.tsv`` with one scope less in a participant's consent; None where nothing changes."""
    columns, rows = tables.read_tsv(path)
    mine = [row for row in rows if row.get("participant_id") == f"sub-{label}" and scope in row.get("consent", "").split("+")]
    if not mine:
        return None
    for row in mine:
        row["consent"] = "+".join(s for s in row["consent"].split("+") if s != scope) or NA
    return "\n".join(["\t".join(columns), *("\t".join(row[name] for name in columns) for row in rows)]) + "\n"


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, in order."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def read_json(path: Path) -> Any:
    """Return what a file of JSON holds; None where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def as_json(content: Mapping[str, Any]) -> str:
    """Return JSON as it stands in files."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def outermost(paths: Iterable[Path], chosen: Callable[[Path], bool]) -> list[Path]:
    """Return the chosen paths, without those that lie in another one of them."""
    found: list[Path] = []
    for path in sorted(paths):
        if chosen(path) and not any(path.is_relative_to(other) for other in found):
            found.append(path)
    return found
