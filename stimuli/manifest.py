"""The table of clips, ``clips.tsv``: which file, which part of it, which emotion it is to elicit.

Clips may not be redistributable, so the table travels without them: hash, licence and address say which file is meant.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("file", "sha256", "stim_id", "target", "start_s", "stop_s", "licence", "source")
OPTIONAL = ("redistributable",)
UNKNOWN_SHA256 = 64 * "0"  # of a clip that is not there yet
_STIM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_TARGET = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_YES_NO = re.compile(r"yes|no", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LONGEST_S = 7200.0  # a clip of over two hours is a slip of the pen, such as milliseconds


class ManifestError(ValueError):
    """The table of clips cannot be used; the text is one line: file, line, key, value, cure."""


@dataclass(frozen=True)
class Entry:
    """One clip.

    Parameters
    ----------
    file : Path
        Absolute.
    stim_id : str
        Its name in markers, events and results.
    target : str
        The emotion that it is to elicit.
    start_s, stop_s : float
        The part that is played, seconds within the file.
    sha256 : str
        Of the file, 64 lower-case hexadecimal digits.
    licence, source : str
        Under which terms, and from where.
    where : str
        File and line of the table, for messages.
    redistributable : bool
        Whether the clip may be passed on, in a dataset for one; else only hash, licence, source and ``stim_id`` travel.
    """

    file: Path
    stim_id: str
    target: str
    start_s: float
    stop_s: float
    sha256: str
    licence: str = "n/a"
    source: str = "n/a"
    where: str = ""
    redistributable: bool = False

    @property
    def duration_s(self) -> float:
        """Seconds that are played."""
        return self.stop_s - self.start_s


def load(path: Path) -> tuple[Entry, ...]:
    """Read the table; the clips themselves are not looked at.

    Parameters
    ----------
    path : Path
        Tab-separated, UTF-8, with :data:`COLUMNS` and perhaps :data:`OPTIONAL` in any order; files are named relative to its
        folder.

    Returns
    -------
    tuple of Entry
        In the order of the lines.

    Raises
    ------
    ManifestError
        With the first fault: file, line, key, value, cure.
    """
    entries, faults = read(path)
    if faults:
        raise ManifestError(faults[0])
    return entries


def read(path: Path) -> tuple[tuple[Entry, ...], list[str]]:
    """Read the table with all its faults, one line each.

    Raises
    ------
    ManifestError
        When there is no such table at all, or its columns are not ours.
    """
    entries: list[Entry] = []
    faults: list[str] = []
    for number, cells in _rows(path):
        where = f"{path}, line {number}"
        try:
            entries.append(_entry(cells, folder=path.parent.resolve(), where=where))
        except ManifestError as error:
            faults.append(f"{where}: {error}")
    faults += [f"{e.where}: stim_id = {e.stim_id!r}: stands twice; give every clip its own" for e in _repeated(entries)]
    if not entries and not faults:
        faults.append(f"{path}: names no clip; add one line per clip")
    return tuple(entries), faults


def verify(entries: Iterable[Entry], *, hashes: bool = True) -> None:
    """Check that every clip is there and, with ``hashes``, that it is the one that the table means.

    Raises
    ------
    ManifestError
        With the first fault: file, line, key, value, cure.
    """
    for entry in entries:
        if fault := fault_of(entry, hashes=hashes):
            raise ManifestError(fault)


def fault_of(entry: Entry, *, hashes: bool = True) -> str | None:
    """Return what is wrong with a clip's file, in one line, or None."""
    if not _is_file(entry.file):
        return f"{entry.where}: file = {str(entry.file)!r}: no such file; put the clip there" + _from(entry)
    if hashes and (found := sha256(entry.file)) != entry.sha256:
        if entry.sha256 == UNKNOWN_SHA256:
            return f"{entry.where}: sha256 = 000..: is not filled in; write {found} if you mean {entry.file.name}"
        return (
            f"{entry.where}: sha256 = {entry.sha256[:12]}..: {entry.file.name} has {found[:12]}..: it is another file; "
            f"restore the clip{_from(entry)}, or write {found} if the new one is meant"
        )
    return None


def write(path: Path, entries: Sequence[Entry]) -> None:
    """Write a table beside its clips."""
    folder = path.parent.resolve()
    rows = [
        (
            e.file.relative_to(folder).as_posix(), e.sha256, e.stim_id, e.target, e.start_s, e.stop_s, e.licence, e.source,
            "yes" if e.redistributable else "no",
        )
        for e in entries
    ]  # fmt: skip
    lines = ["\t".join(map(str, row)) + "\n" for row in ((*COLUMNS, *OPTIONAL), *rows)]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for the disk
        return False


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return line number and cells by column."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file; stimuli.manifest in the study file names the table of clips") from None
    except (UnicodeDecodeError, OSError) as error:
        raise ManifestError(f"{path}: is not a text file in UTF-8 ({type(error).__name__}); save it as one") from None
    header = [cell.strip() for cell in lines[0].split("\t")]
    if sorted(set(header) | set(OPTIONAL)) != sorted((*COLUMNS, *OPTIONAL)) or len(set(header)) < len(header):
        wanted = f"{' '.join(COLUMNS)}, and {' '.join(OPTIONAL)} where you like"
        raise ManifestError(f"{path}, line 1: columns = {str(header)[:200]}: write, separated by tabs: {wanted}")
    return [(n, _cells(path, n, header, line)) for n, line in enumerate(lines[1:], 2) if line.strip()]


def _cells(path: Path, number: int, header: Sequence[str], line: str) -> dict[str, str]:
    cells = line.split("\t")
    if len(cells) != len(header):
        raise ManifestError(f"{path}, line {number}: has {len(cells)} cells: {len(header)} columns need {len(header)}")
    return dict(zip(header, (cell.strip() for cell in cells), strict=True))


def _entry(cells: Mapping[str, str], *, folder: Path, where: str) -> Entry:
    start_s, stop_s = (_seconds(key, cells[key]) for key in ("start_s", "stop_s"))
    if stop_s <= start_s:
        raise ManifestError(f"stop_s = {cells['stop_s']}: is not after start_s = {cells['start_s']}")
    return Entry(
        file=_inside(folder, cells["file"]),
        sha256=_matching("sha256", cells["sha256"].lower(), _SHA256, "64 hexadecimal digits, as sha256sum prints them"),
        stim_id=_matching("stim_id", cells["stim_id"], _STIM_ID, "1 to 64 letters, digits, - and _"),
        target=_matching("target", cells["target"], _TARGET, "an emotion of the study file, in small letters"),
        start_s=start_s, stop_s=stop_s, licence=cells["licence"] or "n/a", source=cells["source"] or "n/a", where=where,
        redistributable=_matching("redistributable", cells.get("redistributable") or "no", _YES_NO, "yes or no") == "yes",
    )  # fmt: skip


def _inside(folder: Path, name: str) -> Path:
    """Return the file's path; a table from elsewhere must not reach outside its own folder."""
    cure = "name a file below the folder of the table, with / between folders"
    if not name or "\\" in name or not name.isprintable() or Path(name).is_absolute():
        raise ManifestError(f"file = {name[:80]!r}: {cure}")
    try:
        path = (folder / name).resolve()
    except (OSError, RuntimeError):  # a link that leads to itself
        path = folder
    if not path.is_relative_to(folder) or path == folder:
        raise ManifestError(f"file = {name[:80]!r}: leaves the folder; {cure} (links that lead outside do not count)")
    return path


def _matching(key: str, value: str, pattern: re.Pattern[str], wanted: str) -> str:
    if not pattern.fullmatch(value):
        raise ManifestError(f"{key} = {value[:80]!r}: write {wanted}")
    return value


def _seconds(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= _LONGEST_S:
        raise ManifestError(f"{key} = {text[:80]!r}: write seconds within the file, from 0 to {_LONGEST_S:.0f}")
    return value


def _repeated(entries: Iterable[Entry]) -> list[Entry]:
    seen: set[str] = set()
    return [e for e in entries if e.stim_id in seen or seen.add(e.stim_id)]  # type: ignore[func-returns-value]


def _from(entry: Entry) -> str:
    return "" if entry.source == "n/a" else f" (source: {entry.source})"
