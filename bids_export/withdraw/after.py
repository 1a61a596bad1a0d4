"""What is looked for when everything is done: by name and by what files say, apart from what removed it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bids_export import place, tables
from bids_export.withdraw import of_data, of_derivative, of_labrecorder
from bids_export.withdraw.hand import Scope, files_of
from bids_export.withdraw.links import is_below
from collector.lock import left_of, machine_folder
from protocol.folder import Session

VIDEOS = (".mkv", ".mp4", ".avi", ".mov", ".webm", ".wmv", ".m4v")


def of_folder(data: Path, label: str, scope: Scope, template: str | None) -> list[Path]:
    """Return what a data folder still has of a scope that was withdrawn, or nobody can tell: sessions that cannot be opened."""
    torn = of_data.unopened(data, label)
    agreed = [r.session_json for r in of_data.runs_of(data, label) if scope in Session.load(r.session_json).consent.scopes]
    theirs = of_labrecorder.files(data, template, label)
    if scope == "all":
        lock = left_of(machine_folder(), data / f"sub-{label}")
        return [*torn, *theirs, *([lock] if lock else [])]
    films = []
    if scope == "face":
        films = [
            path
            for path in files_of(data)
            if path.suffix.lower() in VIDEOS
            and (is_below(path, data, label) or any(path.is_relative_to(other) for other in theirs))
        ]
    return [*torn, *agreed, *films]


def of_dataset(root: Path, label: str, scope: Scope) -> list[Path]:
    """Return what a dataset still has of a scope that was withdrawn; derivatives in it are looked at on their own."""
    if scope == "all" or (scope == "share" and place.profile_of(root) == "shareable"):
        return [path for path in _outside(root) if is_below(path, root, label)]
    table = root / "participants.tsv"
    rows = tables.read_tsv(table)[1] if table.exists() else []
    agreed = any(r.get("participant_id") == f"sub-{label}" and scope in r.get("consent", "").split("+") for r in rows)
    faces = [p for p in _outside(root) if scope == "face" and is_below(p, root, label) and _is_face(p)]
    return [*([table] if agreed else []), *faces]


def of_computed(folder: Path, label: str, scope: Scope) -> list[Path]:
    """Return what a derivative still has of a scope that was withdrawn."""
    if scope == "all":
        return [path for path in files_of(folder) if is_below(path, folder, label)]
    return [] if scope == "share" else of_derivative.kept_of_scope(folder, label, scope)


def _outside(root: Path) -> Iterator[Path]:
    yield from (path for path in files_of(root) if path.relative_to(root).parts[0] != "derivatives")


def _is_face(path: Path) -> bool:
    return of_data.FACE in path.name or path.suffix.lower() in VIDEOS
