"""Room on the disk: asked for before a recording, and kept back for its end."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

SPARE = 1.2  # the planned need + 20 % must fit
RESERVE_B = 16 * 2**20  # what a clean stop writes: footers, manifest, journals, the trial table; some are a megabyte at most


class RoomError(ValueError):
    """A recording does not fit onto the disk; one line with the cure, and nothing was written."""


def needed(recording_B: float) -> int:
    """Return how many bytes must be free for a recording of this size.

    Examples
    --------
    >>> needed(100e6) - RESERVE_B
    120000000
    """
    return round(recording_B * SPARE) + RESERVE_B


def check_room(folder: Path, recording_B: float, *, length_s: float, what: str) -> None:
    """Refuse a folder on whose disk a recording does not fit.

    Parameters
    ----------
    folder : Path
        Exists.
    recording_B : float
        Planned size, bytes.
    length_s : float
        Planned length, seconds, for the message.
    what : str
        The option that named the folder.

    Raises
    ------
    RoomError
        With need and room.
    """
    refuse(shutil.disk_usage(folder).free, recording_B, length_s=length_s, what=what)


def refuse(free_B: float, recording_B: float, *, length_s: float, what: str) -> None:
    """Decide as :func:`check_room` does, with the free bytes given."""
    if free_B < needed(recording_B):
        raise RoomError(
            f"{what}: {free_B / 2**30:.2f} GiB are free, and a recording of {length_s / 60:.0f} min may take "
            f"{needed(recording_B) / 2**30:.2f} GiB; free some, or choose another disk"
        )


class Reserve:
    """Bytes of a disk that nobody else can take, until they are given back.

    They are a file without a name, so that a process that is killed leaves nothing behind.

    Parameters
    ----------
    folder : Path
        On the disk.
    size_B : int
        How many.

    Raises
    ------
    OSError
        When they are not free.
    """

    def __init__(self, folder: Path, size_B: int = RESERVE_B) -> None:
        path = folder / f".reserve-{os.getpid()}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_TEMPORARY", 0)  # Windows: gone when it is closed
        self._handle: int | None = os.open(path, flags, 0o600)
        self._lock = threading.Lock()
        try:
            _allocate(self._handle, size_B)
        except OSError:
            self.release()
            raise
        finally:
            if os.name == "posix":
                path.unlink()

    def release(self) -> bool:
        """Give the bytes back; returns whether they were still held. Any thread may call it."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is None:
            return False
        os.close(handle)
        return True


def _allocate(handle: int, size_B: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size_B)
        return
    block = bytes(2**20)
    for _ in range(0, size_B, len(block)):
        os.write(handle, block)
