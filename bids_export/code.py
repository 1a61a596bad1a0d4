"""Which code turned recordings into files: a digest that changes when a session may be written otherwise, and only then.

It covers the modules that write a session, whatever they import of these rooms, and the libraries that write. Comments,
docstrings and layout are not in it, nor is what only talks to people: a new word in a report writes no dataset again.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1]
WRITERS = ("bids_export.sessions", "bids_export.survey")
ROOMS = ("bids_export", "collector")  # what the others decide stands in the recording: study, markers, journal
LIBRARIES = ("mne", "mne-bids", "pybv", "av", "numpy")  # what they write is in the dataset


@cache
def digest() -> str:
    """Return the digest of the code that writes sessions."""
    made = hashlib.sha256(" ".join(f"{name} {version(name)}" for name in LIBRARIES).encode())
    for name, tree in sorted(modules().items()):
        made.update(f"{name} {ast.dump(tree)}".encode())
    return made.hexdigest()


def modules(house: Path = HOUSE) -> dict[str, ast.Module]:
    """Return the modules that write sessions, without comments and docstrings, by their dotted names."""
    found: dict[str, ast.Module] = {}
    wanted = [*WRITERS]
    while wanted:
        name = wanted.pop()
        path = _file(name, house)
        if path is None or name in found:
            continue
        found[name] = _bare(ast.parse(path.read_text(encoding="utf-8")))
        wanted += [part for part in _imported(found[name]) if part.split(".")[0] in ROOMS]
    return found


def _file(name: str, house: Path) -> Path | None:
    """Return the file of a module; None for a name that is something within one."""
    place = house.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.exists()), None)


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports: each module, and each name in it, which may be a module too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _bare(tree: ast.Module) -> ast.Module:
    """Return a module without its docstrings; the syntax tree holds no comments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                node.body = node.body[1:]
    return tree
