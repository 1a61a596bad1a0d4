"""What a recording writes to: the file, its own streams, and the reserve that is given back when the disk is full.

Any thread may write. The first write that the disk does not take ends the recording: the reserve makes room for it, for what
the other threads still hold, and for a clean end.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from collector.clocks import Offset
from collector.disk import Reserve
from collector.own import OwnStreams
from collector.xdf import Writer
from collector.xdf.codec import Values

log = logging.getLogger(__name__)

T = TypeVar("T")
FULL = "disk full"
CHUNK_S = 1.0  # what one write holds at most; the writer would cut longer ones at the same places


class Tape:
    """One recording on the disk.

    Parameters
    ----------
    xdf : Path
        The file, created; an existing one is never touched.
    uid : str
        Of the session.
    video : str or None
        Name of the video file, None without a camera.
    now : callable
        The LSL clock.

    Raises
    ------
    FileExistsError
        When the file exists.
    OSError
        When the disk cannot take even the beginning; nothing is left behind then.
    """

    def __init__(self, xdf: Path, *, uid: str, video: str | None, now: Callable[[], float]) -> None:
        self.path, self.fault = xdf, ""
        self._reserve = Reserve(xdf.parent)
        try:
            self.writer = Writer(xdf, now=now)
        except OSError:
            self._reserve.release()
            raise
        self.own = OwnStreams(self.writer, uid=uid, video=video, now=now)

    def samples(self, stream_id: int, stamps: NDArray[np.float64], values: Values, *, sfreq: float) -> None:
        """Append samples of a device, a chunk at a time: one that the disk refused is written again, none before it."""
        step = max(1, round(sfreq * CHUNK_S)) if sfreq else len(stamps)
        for i in range(0, len(stamps), step):
            self._chunk(stream_id, stamps[i : i + step], values[i : i + step])

    def _chunk(self, stream_id: int, stamps: NDArray[np.float64], values: Values) -> None:
        self.write(lambda: self.writer.samples(stream_id, stamps, values))

    def offset(self, stream_id: int, offset: Offset) -> None:
        """Append a measured clock offset."""
        self.write(lambda: self.own.offset(stream_id, offset))

    def frame(self, t: float, row: tuple[float, float, float, float]) -> None:
        """Append the times of a frame."""
        self.write(lambda: self.own.frame(t, row))

    def note(self, name: str, keys: dict[str, str] | None = None) -> None:
        """Append what happened."""
        self.write(lambda: self.own.note(name, keys))

    def write(self, what: Callable[[], T]) -> T:
        """Do a write; on a disk that has just become full once more, in the room that was kept back.

        Raises
        ------
        OSError
            When the disk does not take it even then.
        """
        try:
            return what()
        except OSError as error:
            if not self.full(error):
                raise
            return what()

    def full(self, error: OSError | None = None) -> bool:
        """Give the reserve back, because a write failed or hardly anything is free; returns whether there was any left."""
        why = FULL if error is None or error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
        self.fault = self.fault or f"{self.path.name}: {why}"
        released = self._reserve.release()
        if released:
            log.error("%s", self.fault)
        return released

    def close(self) -> None:
        """Write the last zero offsets, the last note and the footers. What the disk does not take is said, not raised."""
        try:
            self.write(self._last_words)
        except OSError as error:
            log.error("%s: the last note is missing: %s", self.path.name, error)
        self._reserve.release()  # for the footers, and for all that is written after them
        try:
            self.writer.close()
        except OSError as error:
            self.full(error)
            log.error("%s: footers are missing: %s", self.path.name, error)

    def _last_words(self) -> None:
        self.own.zero()
        self.own.note("recording/end")
