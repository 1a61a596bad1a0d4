"""A whole file out of a damaged one: what can be believed is copied chunk by chunk, and the footers are written anew."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from collector.xdf import checksums, codec, disk
from collector.xdf.codec import MAGIC, Tag, XdfError
from collector.xdf.scan import Piece
from collector.xdf.source import WINDOW_B, File
from collector.xdf.streams import State
from collector.xdf.survey import Progress, Report, Survey


def mend(path: Path, out: Path, *, progress: Progress = lambda done, total: None) -> Report:
    """Write what is whole in a file into a new one, with footers, and checksums beside it; in constant memory.

    Parameters
    ----------
    path : Path
        XDF file, ours or another recorder's; it is only read.
    out : Path
        Created; it appears under this name when it is complete and on the disk.
    progress : callable
        Is told how many bytes of how many are done.

    Returns
    -------
    Report
        What was found in ``path``, and what the damage cost.

    Raises
    ------
    XdfError
        When ``path`` is no XDF file, or none of its streams can be read.
    FileExistsError
        When ``out`` or its checksums exist: nothing is ever overwritten.
    DiskFullError, OSError
        When ``out`` does not fit; nothing is left of it.
    """
    for taken in (out, checksums.beside(out)):
        if taken.exists():
            raise FileExistsError(errno.EEXIST, "exists already; nothing is overwritten", str(taken))
    with checksums.of(path) as journal, File(path) as data, _New(out) as new:
        survey = Survey(data, journal, progress=progress)
        survey.run(new.keep)
        if not survey.streams.by_id:
            raise XdfError(f"{path}: no stream in it has a whole header, so nothing can be recovered")
        for stream_id, state in survey.streams.by_id.items():
            new.put(_footer(stream_id, state))
        new.publish()
        return survey.report()


def _footer(stream_id: int, state: State) -> bytes:
    times, values = state.offsets[::2], state.offsets[1::2]
    ends = (state.first, state.last) if state.n else (None, None)
    return codec.footer(stream_id, first=ends[0], last=ends[1], n=state.n, offsets=tuple(zip(times, values, strict=True)))


class _New:
    """A file and its checksums that appear when they are complete, or not at all."""

    def __init__(self, path: Path) -> None:
        self._path, self._size, self._begun = path, 0, False
        self._parts = [(p.with_name(f".{p.name}.{os.getpid()}.part"), p) for p in (checksums.beside(path), path)]
        self._open: list[BinaryIO] = []

    def __enter__(self) -> _New:
        try:
            with self._named():
                for part, _ in self._parts:
                    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
                    self._open.append(os.fdopen(handle, "wb", WINDOW_B))
                for file, start in zip(self._open, (checksums.MAGIC, MAGIC), strict=True):
                    file.write(start)
        except OSError:
            self._remove()
            raise
        self._size = len(MAGIC)
        return self

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Let errors of this disk name this file, not the one that is read."""
        try:
            yield
        except OSError as error:
            raise disk.told(error, self._path) from None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._remove()

    def _remove(self) -> None:
        for file in self._open:
            disk.attempt(lambda file: file.close(), file)  # what its buffer still holds may not fit either
        for part, _ in self._parts:
            part.unlink(missing_ok=True)

    def keep(self, piece: Piece) -> None:
        """Copy a whole chunk; footers are written anew, and a file's header that was lost is made up for."""
        if piece.tag == Tag.STREAM_FOOTER:
            return
        if not self._begun and piece.tag != Tag.FILE_HEADER:
            self.put(codec.file_header(datetime.now().astimezone().isoformat(timespec="seconds"))[len(MAGIC) :])
        self._begun = True
        start, stop = (0, piece.source.size) if piece.healed else (piece.start, piece.stop)
        crc = 0
        for at in range(start, stop, WINDOW_B):
            part = piece.source.view(at, min(stop, at + WINDOW_B))
            crc = zlib.crc32(part, crc)
            with self._named():
                self._open[1].write(part)
        self._note(stop - start, crc)

    def put(self, chunk: bytes) -> None:
        """Add a chunk of our own."""
        with self._named():
            self._open[1].write(chunk)
        self._note(len(chunk), zlib.crc32(chunk))

    def _note(self, length: int, crc: int) -> None:
        with self._named():
            self._open[0].write(checksums.pack(self._size, length, crc))
        self._size += length

    def publish(self) -> None:
        """Bring both to the disk, then give them their names, the recording last."""
        with self._named():
            for file in self._open:
                file.flush()
                os.fsync(file.fileno())
            for part, path in self._parts:
                disk.rename_new(part, path)
            disk.sync_folder(self._path.parent)
