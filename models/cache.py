"""Arrays on disk under a key of their content: what is expensive is computed once, what is damaged is computed again."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
log = logging.getLogger(__name__)


def key_of(*parts: object) -> str:
    """Return one key for everything that decides a value: files, settings, versions.

    Parameters
    ----------
    *parts : object
        A path stands for its bytes, an array for its type, shape and bytes, anything else for its ``repr``.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_digest(part) + b"\n")
    return digest.hexdigest()


def _digest(part: object) -> bytes:
    if isinstance(part, Path):
        with part.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    if isinstance(part, np.ndarray):
        head = f"{part.dtype.str}{part.shape}".encode()
        return hashlib.sha256(head + np.ascontiguousarray(part).tobytes()).digest()
    return hashlib.sha256(repr(part).encode()).digest()


def cached(folder: Path | None, key: str, compute: Callable[[], Mapping[str, NDArray[Any]]]) -> Arrays:
    """Return the arrays stored under a key, or compute and store them.

    Parameters
    ----------
    folder : Path or None
        Where entries lie, one ``<key>.npz`` each; None computes every time.
    key : str
        From :func:`key_of`.
    compute : callable
        Makes the arrays. Called when there is no entry or the entry is damaged, which is logged.

    Returns
    -------
    dict of str to ndarray
    """
    if folder is None:
        return dict(compute())
    if (stored := read(folder, key)) is not None:
        return stored
    arrays = dict(compute())
    write(folder, key, arrays)
    return arrays


def read(folder: Path, key: str) -> Arrays | None:
    """Return the arrays stored under a key; None where there are none, or damaged ones, which is logged."""
    path = folder / f"{key}.npz"
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}  # reading a member checks its CRC
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        log.warning("%s: damaged (%s); computed again", path, error)
        return None


def write(folder: Path, key: str, arrays: Arrays) -> None:
    """Store arrays under a key: beside the final name, then renamed, so that a reader never sees half an entry."""
    path = folder / f"{key}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # the stub takes the names for its own keyword
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
