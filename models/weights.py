"""Pretrained weights: which there are, where they lie, and the only code of this project that downloads anything.

``emo-weights fetch NAME`` gets a file and checks it against its pinned SHA-256. Everything else only looks: :func:`find`
returns the file, or None when it is not on this machine.
"""

from __future__ import annotations

import functools
import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[int, int | None], None]

FOLDER_VARIABLE = "EMOLAB_WEIGHTS"
CHUNK_B = 1 << 18
TIMEOUT_S = 60.0


class WeightsError(ValueError):
    """A file of weights is unknown, damaged or could not be fetched; the text is one line with the cure."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One file of weights.

    Parameters
    ----------
    name : str
        What the commands call it.
    url : str
        Where it is fetched from.
    sha256 : str
        All 64 hexadecimal digits, or the first 8 where the publisher names no more (torchvision's file names).
    licence : str
        Of the weights, as far as the publisher says.
    used_for : str
        One line for people.
    """

    name: str
    url: str
    sha256: str
    licence: str
    used_for: str

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.url.rpartition("/")[2]


KNOWN = (
    Weights(
        name="mobilenet_v2",
        url="https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth",
        sha256="7ebf99e0",
        licence="BSD-3-Clause (torchvision); trained on ImageNet",
        used_for="backbone of the face recogniser",
    ),
    Weights(
        name="inception_v3",
        url="https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
        sha256="0cc3c7bd75056d25e46cba549dc184522069b81e9787eff6df84f397bd52a5ef",
        licence="BSD-3-Clause (torchvision); trained on ImageNet",
        used_for="features of the EEG recogniser",
    ),
)


def named(name: str) -> Weights:
    """Return weights by name.

    Raises
    ------
    WeightsError
        When there are none of that name.
    """
    for weights in KNOWN:
        if weights.name == name:
            return weights
    raise WeightsError(f"NAME = {name}: no such weights; use one of {', '.join(weights.name for weights in KNOWN)}")


def folder() -> Path:
    """Return where weights lie: ``$EMOLAB_WEIGHTS``, else the user's cache folder as the system has it."""
    if given := os.environ.get(FOLDER_VARIABLE):
        return Path(given).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "emolab" / "weights"


def find(name: str) -> Path | None:
    """Return a file of weights that is on this machine; never downloads.

    Parameters
    ----------
    name : str
        Of :data:`KNOWN`.

    Returns
    -------
    Path or None
        None when it has not been fetched.

    Raises
    ------
    WeightsError
        When the name is unknown, or the file is not what it is pinned to be.
    """
    weights = named(name)
    path = folder() / weights.file
    if not path.is_file():
        return None
    check(path, weights)
    return path


def check(path: Path, weights: Weights) -> None:
    """Compare a file with its pin.

    Raises
    ------
    WeightsError
        When they differ.
    """
    stat = path.stat()
    found = _sha256(path, stat.st_size, stat.st_mtime_ns)
    if not found.startswith(weights.sha256):
        raise WeightsError(
            f"{path}: sha256 = {found}: expected {weights.sha256}{'...' if len(weights.sha256) < 64 else ''}; "
            f"delete it and run: emo-weights fetch {weights.name}"
        )


@functools.lru_cache(maxsize=32)
def _sha256(path: Path, size_B: int, mtime_ns: int) -> str:  # part of the cache's key
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(weights: Weights, into: Path, *, progress: Progress = lambda done_B, total_B: None) -> Path:
    """Download a file, going on where an earlier attempt stopped.

    Parameters
    ----------
    weights : Weights
        Which.
    into : Path
        Folder; made when it does not exist.
    progress : callable
        Called as ``progress(done_B, total_B)``; the total is None where the server does not say.

    Returns
    -------
    Path
        The file, checked. It appears under its name only when it is whole and right.

    Raises
    ------
    WeightsError
        When the download breaks off (what came stays for the next attempt), the disk is full, or the file is another
        one than pinned (nothing is kept).
    """
    path = into / weights.file
    if path.is_file():
        check(path, weights)
        return path
    part = path.with_name(path.name + ".part")
    try:
        into.mkdir(parents=True, exist_ok=True)
        _download(weights.url, part, progress)
    except (OSError, http.client.HTTPException) as error:  # urllib.error.URLError is an OSError
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise WeightsError(f"{weights.url}: {reason}; what came is kept, run the same command again to go on") from None
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(weights.sha256):
        part.unlink()
        raise WeightsError(
            f"{weights.url}: sha256 = {found}: expected {weights.sha256}; nothing was kept: try again, or ask who serves it"
        )
    part.replace(path)
    return path


def _download(url: str, part: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # nothing is left to fetch: the caller compares the hash
        raise
    with response, part.open("ab" if response.status == http.HTTPStatus.PARTIAL_CONTENT else "wb") as file:
        done, length = file.tell(), response.headers.get("Content-Length")
        total = done + int(length) if length else None
        while chunk := response.read(CHUNK_B):
            file.write(chunk)
            done += len(chunk)
            progress(done, total)
    if total is not None and done < total:
        raise ConnectionError(f"the connection was lost at {done} of {total} bytes")


def main() -> None:
    """Run ``emo-weights``."""
    from models.weights_cli import run

    run()
