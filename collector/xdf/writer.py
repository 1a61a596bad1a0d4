"""The writer: every chunk is complete on the file or not there at all, and on the disk about a second later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collector.xdf import codec, disk
from collector.xdf.codec import Tag, Values, XdfError
from collector.xdf.header import StreamHeader, parse_header

BOUNDARY_S = 1.0  # damage costs a reader at most what lies between two boundaries
CHUNK_S = 1.0  # larger arrays are cut, so that one damaged chunk costs at most this much
_EVENTS_PER_CHUNK = 1000  # of a stream without a rate


@dataclass
class _Open:
    """What the footer of an open stream will say."""

    header: StreamHeader
    n: int = 0
    first: float | None = None
    last: float | None = None
    offsets: list[tuple[float, float]] = field(default_factory=list)


class Writer:
    """Writes one XDF file; any thread may call any method.

    Parameters
    ----------
    path : Path
        Created, with mode 0600; an existing file is never touched.
    now : callable
        Seconds of a monotonic clock, virtual in a simulation: it sets the pace of the boundary chunks.

    Raises
    ------
    FileExistsError
        When the file, or its checksums, exist.
    """

    def __init__(self, path: Path, *, now: Callable[[], float] = time.monotonic) -> None:
        self.path, self._now = path, now
        self._lock = threading.Lock()
        self._streams: dict[int, _Open] = {}
        start = codec.file_header(datetime.now().astimezone().isoformat(timespec="seconds"))
        self._file, self._crc = disk.create(path, start)
        self._bounded = now()
        self._closing = threading.Event()
        self._syncer = disk.Syncer(path, (self._file, self._crc))
        self._sync_thread = threading.Thread(target=self._syncer.run, args=(self._closing.wait,), name="xdf-sync", daemon=True)
        self._sync_thread.start()

    def add_stream(self, stream_id: int, xml: str) -> None:
        """Write a stream's header; samples may follow.

        Raises
        ------
        XdfError
            When the header cannot be read back or the id is taken.
        """
        header = parse_header(xml)
        with self._lock:
            if stream_id in self._streams:
                raise XdfError(f"{self.path.name}: stream id {stream_id} is taken")
            self._put(codec.chunk(Tag.STREAM_HEADER, xml.encode("utf-8"), stream_id))
            self._streams[stream_id] = _Open(header)

    def samples(self, stream_id: int, stamps: ArrayLike, values: Values) -> None:
        """Append samples; more than a second of them becomes several chunks.

        Parameters
        ----------
        stream_id : int
            As given to :meth:`add_stream`.
        stamps : array_like, shape (n_samples,)
            Seconds on the stream's own clock.
        values : ndarray, shape (n_samples, n_channels), or list of list of str
            What was measured.

        Raises
        ------
        XdfError
            When they do not fit the stream; nothing is written then.
        DiskFullError, OSError
            When the disk does not take them; the file then ends with its last whole chunk.
        """
        header, times = self._streams[stream_id].header, np.asarray(stamps, np.float64)
        step = max(1, round(header.sfreq * CHUNK_S)) if header.sfreq else _EVENTS_PER_CHUNK
        cuts = range(0, len(times), step)
        if len(values) != len(times):
            raise XdfError(f"stream {stream_id}: {len(values)} samples, {len(times)} stamps")
        # encoded outside the lock, all before the first is written
        chunks = [
            codec.samples(
                stream_id, times[i : i + step], values[i : i + step], form=header.format, n_channels=header.n_channels
            )
            for i in cuts
        ]
        with self._lock:
            for i, data in zip(cuts, chunks, strict=True):
                self._put(data, bound=i > 0)
                self._count(stream_id, times[i : i + step])

    def offset(self, stream_id: int, t: float, value: float) -> None:
        """Append a measured clock offset.

        Parameters
        ----------
        stream_id : int
            As given to :meth:`add_stream`.
        t : float
            When it was measured, on the stream's own clock (local time minus ``value``).
        value : float
            What must be added to the stream's stamps to get local time, seconds.

        Raises
        ------
        XdfError
            When either is not finite: an offset that was not measured is not written.
        """
        if not (np.isfinite(t) and np.isfinite(value)):
            raise XdfError(f"stream {stream_id}: clock offset {value} at {t} is not finite")
        with self._lock:
            self._put(codec.clock_offset(stream_id, t, value))
            self._streams[stream_id].offsets.append((float(t), float(value)))

    def close(self) -> None:
        """Write the footers and close, as far as the disk lets us; a second call does nothing.

        Raises
        ------
        DiskFullError, OSError
            When a footer does not fit onto the disk. The file is closed all the same, and all that was recorded is there.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        self._sync_thread.join()
        with self._lock:
            failed = [error for stream_id in self._streams if (error := disk.attempt(self._append, self._footer(stream_id)))]
            failed += disk.close(self._file, self._crc)
        if failed:
            raise disk.told(failed[0], self.path) from failed[0]

    def _footer(self, stream_id: int) -> bytes:
        open_ = self._streams[stream_id]
        return codec.footer(stream_id, first=open_.first, last=open_.last, n=open_.n, offsets=open_.offsets)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, data: bytes, *, bound: bool = False) -> None:
        """Append a chunk, and before it a boundary where one is due; the lock is held."""
        if self._closing.is_set():
            raise XdfError(f"{self.path.name}: is closed")
        self._syncer.raise_if_full()
        now = self._now()
        if bound or now - self._bounded >= BOUNDARY_S:
            self._append(codec.boundary())
            self._bounded = now
        self._append(data)

    def _append(self, data: bytes) -> None:
        disk.append(self._file, self._crc, data, path=self.path)

    def _count(self, stream_id: int, times: NDArray[np.float64]) -> None:
        open_ = self._streams[stream_id]
        open_.n += len(times)
        open_.first = float(times[0]) if open_.first is None else open_.first
        open_.last = float(times[-1])
