"""Pretrained weights: which there are, where they lie, and the only code of this project that downloads anything.

``emo-weights fetch NAME`` gets a file and checks it against its pinned SHA-256; ``--from DIR`` takes it from a folder instead,
for a machine without a network. Everything else only looks: :func:`find` returns the file, or None when it is not here.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import http.client
import os
import shutil
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
        All 64 hexadecimal digits.
    size_B : int
        Of the file.
    licence : str
        Of the weights, as far as the publisher says.
    used_for : str
        One line for people.
    """

    name: str
    url: str
    sha256: str
    size_B: int
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
        sha256="7ebf99e03e254b273379b23edca7ec0da9f48273b23a332b93c1c99d49e86e8f",
        size_B=14_258_573,
        licence="BSD-3-Clause (torchvision); trained on ImageNet",
        used_for="backbone of the face recogniser",
    ),
    Weights(
        name="inception_v3",
        url="https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
        sha256="0cc3c7bd75056d25e46cba549dc184522069b81e9787eff6df84f397bd52a5ef",
        size_B=108_949_747,
        licence="BSD-3-Clause (torchvision); trained on ImageNet",
        used_for="features of the EEG recogniser",
    ),
    Weights(
        name="yunet",
        url="https://huggingface.co/opencv/face_detection_yunet/resolve/3cc26e7f1014a5ee5d74a42acee58bafc9d0a310/"
        "face_detection_yunet_2023mar.onnx",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        size_B=232_589,
        licence="MIT (OpenCV Zoo); trained on WIDER FACE",
        used_for="face detector yunet",
    ),
    Weights(
        name="yolov8n_face",
        # of commit e9588ce, whose whole name is not known here: addresses take no short ones, so the checksum alone pins it
        url="https://huggingface.co/Bingsu/adetailer/resolve/main/face_yolov8n.pt",
        sha256="30e7adcf03c1e250ffce66a9ff5324358c311f02a093f93f5424d650803ce077",
        size_B=6_207_800,
        licence="Apache-2.0 as its page says; made with ultralytics, AGPL-3.0",
        used_for="face detector yolov8 (the paper's), with the extra 'yolo'",
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
    if (found := digest(path)) != weights.sha256:
        raise WeightsError(
            f"{path}: sha256 = {found}: expected {weights.sha256}; delete it and run: emo-weights fetch {weights.name}"
        )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file; one that has not changed is not read again."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


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
        When the download breaks off or the disk is full (what came stays for the next attempt), or the file is another one
        than pinned (nothing is kept).
    """
    path = into / weights.file
    if path.is_file():
        check(path, weights)
        return path
    part = path.with_name(path.name + ".part")
    try:
        _need(into, weights.size_B - (part.stat().st_size if part.is_file() else 0))
        _download(weights.url, part, progress)
    except (OSError, http.client.HTTPException) as error:  # urllib.error.URLError is an OSError
        raise WeightsError(f"{weights.url}: {_reason(error, into)}") from None
    return _pinned(part, path, weights)


def take(weights: Weights, source: Path, into: Path) -> Path:
    """Copy a file out of a folder, for a machine without a network.

    Parameters
    ----------
    weights : Weights
        Which.
    source : Path
        Folder that holds the file under its own name.
    into : Path
        Folder; made when it does not exist.

    Returns
    -------
    Path
        The file, checked. It appears under its name only when it is whole and right.

    Raises
    ------
    WeightsError
        When it is not there, the disk is full, or it is another file than pinned.
    """
    given, path = source / weights.file, into / weights.file
    if not given.is_file():
        raise WeightsError(f"{given}: is not there; get it on another machine from {weights.url}")
    part = path.with_name(path.name + ".part")
    try:
        _need(into, weights.size_B)
        shutil.copyfile(given, part)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise WeightsError(f"{given}: {_reason(error, into)}") from None
    return _pinned(part, path, weights)


def _need(into: Path, size_B: int) -> None:
    """Make the folder, and say before anything is moved that the disk is too full."""
    into.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(into).free < size_B:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _reason(error: Exception, into: Path) -> str:
    """Return what went wrong and the cure."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        cure = f"make room, or name another folder with {FOLDER_VARIABLE}, and run the same command again"
        return f"no space is left in {into}; {cure}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return f"{reason}; what came is kept, run the same command again to go on"


def _pinned(part: Path, path: Path, weights: Weights) -> Path:
    """Give a file its name when it is the right one; keep nothing otherwise."""
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != weights.sha256:
        part.unlink()
        raise WeightsError(
            f"{weights.file}: sha256 = {found}: expected {weights.sha256}; nothing was kept: try again, or ask who serves it"
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
