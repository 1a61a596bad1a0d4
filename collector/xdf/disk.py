"""A file and its checksums on the disk: chunks are added whole or not at all, and brought to the disk every second."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collector.xdf import checksums, codec

log = logging.getLogger(__name__)

SYNC_S = 1.0  # a loss of power costs at most this much and what the disk has under way
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

sync = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have no fdatasync


class DiskFullError(OSError):
    """The disk, or the quota, takes no more. The file ends with its last whole chunk, and may be closed."""


def told(error: OSError, path: Path) -> OSError:
    """Return an error of the disk with the file's name; one that says that it is full as :class:`DiskFullError`."""
    if isinstance(error, FileExistsError):
        return error
    kind = DiskFullError if error.errno in _FULL else OSError
    return kind(error.errno, error.strerror or str(error), str(path))


@dataclass
class End:
    """The end of an open file."""

    handle: int
    size: int = 0
    torn: bool = False

    def append(self, data: bytes) -> None:
        """Add all of it or nothing; a short write is what a disk that fills up does first."""
        if self.torn:
            self.cut(self.size)
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self.handle, left) :]
        except OSError:
            self.cut(self.size)  # a torn chunk would be read as numbers
            raise
        self.size += len(data)

    def cut(self, size: int) -> None:
        """Take back what was written behind ``size``."""
        self.size, self.torn = size, True  # when the disk refuses this too it is tried again before the next chunk
        os.ftruncate(self.handle, size)
        self.torn = False


def append(file: End, crc: End, data: bytes, *, path: Path) -> None:
    """Add one chunk and its checksum: both, or neither.

    Raises
    ------
    DiskFullError, OSError
        When the disk does not take them.
    """
    start = file.size
    try:
        file.append(data)
        try:
            crc.append(checksums.record(start, data))
        except OSError:
            file.cut(start)
            raise
    except OSError as error:
        raise told(error, path) from error


def create(path: Path, start: bytes) -> tuple[End, End]:
    """Create a file that begins with ``start``, and its checksums; or neither.

    Raises
    ------
    FileExistsError
        When one of them exists.
    DiskFullError, OSError
        When the disk does not take them.
    """
    magic = len(codec.MAGIC)
    try:
        file = _create(path, start)
        try:
            crc = _create(checksums.beside(path), checksums.MAGIC + checksums.record(magic, start[magic:]))
        except OSError:
            os.close(file.handle)
            path.unlink()
            raise
    except OSError as error:
        raise told(error, path) from None
    sync_folder(path.parent)
    return file, crc


def _create(path: Path, start: bytes) -> End:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
    end = End(os.open(path, flags, 0o600))
    try:
        end.append(start)
    except OSError:
        os.close(end.handle)
        path.unlink()
        raise
    return end


def sync_folder(folder: Path) -> None:
    """Bring a new name to the disk, not only to the folder's cached copy."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def rename_new(part: Path, path: Path) -> None:
    """Give a complete file its name, unless that is taken.

    Raises
    ------
    FileExistsError
        When it is taken.
    """
    try:
        os.link(part, path)  # unlike a rename, it never replaces what has come there meanwhile
    except FileExistsError:
        raise FileExistsError(errno.EEXIST, "exists already; nothing is overwritten", str(path)) from None
    except OSError:  # exFAT and some network disks have no links
        if path.exists():
            raise FileExistsError(errno.EEXIST, "exists already; nothing is overwritten", str(path)) from None
        part.rename(path)
    else:
        part.unlink()


def attempt(action: Callable[..., None], argument: object) -> OSError | None:
    """Return the error of the disk that an action ended with, if it did."""
    try:
        action(argument)
    except OSError as error:
        return error
    return None


def close(*ends: End) -> list[OSError]:
    """Bring files to the disk and close them all, whatever the disk says; returns what it said."""
    tried = [attempt(action, end.handle) for end in ends for action in (os.fsync, os.close)]
    return [error for error in tried if error is not None]


class Syncer:
    """Brings a file and its checksums to the disk once a second, from a thread of its own: it can take 50 ms.

    Parameters
    ----------
    path : Path
        For messages.
    ends : tuple of End
        The file first: checksums that are on the disk speak of chunks that are there.
    """

    def __init__(self, path: Path, ends: tuple[End, ...]) -> None:
        self._path, self._ends, self._full = path, ends, False

    def run(self, wait: Callable[[float], bool]) -> None:
        """Sync every time that ``wait``, called with seconds, returns False; end when it returns True."""
        synced = -1
        while not wait(SYNC_S):
            size = self._ends[0].size
            if size != synced and self._sync():
                synced = size

    def _sync(self) -> bool:
        try:
            for end in self._ends:
                sync(end.handle)
        except OSError as error:
            log.error("%s: could not be brought to the disk: %s", self._path, error)
            self._full = error.errno in _FULL  # some disks say so only now; other errors may pass, and recording goes on
            return False
        self._full = False
        return True

    def raise_if_full(self) -> None:
        """Say that what was taken before has not reached the disk.

        Raises
        ------
        DiskFullError
            Until a later sync succeeds.
        """
        if self._full:
            raise DiskFullError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
