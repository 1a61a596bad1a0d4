"""The reader: strict, and fast for what our writer writes. Stamps come back as they were stored."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from collector.xdf import checksums, codec
from collector.xdf.codec import Values
from collector.xdf.decode import Block, Stamps
from collector.xdf.header import StreamHeader
from collector.xdf.scan import Piece, pieces
from collector.xdf.source import Memory
from collector.xdf.streams import State, Streams

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stream:
    """One stream of a file.

    Parameters
    ----------
    id : int
        Its id in the file.
    header : StreamHeader
        What it is.
    xml : str
        The header as it stands in the file.
    stamps : ndarray, shape (n_samples,)
        Seconds on the stream's own clock, as stored: neither synchronised nor smoothed.
    values : ndarray, shape (n_samples, n_channels), or list of list of str
        What was measured.
    offsets : ndarray, shape (n_offsets, 2)
        Measured clock offsets: time on the stream's own clock, and what to add to its stamps to get the recorder's.
    """

    id: int
    header: StreamHeader
    xml: str
    stamps: NDArray[np.float64]
    values: Values
    offsets: NDArray[np.float64]


class _Kept(State):
    """A stream whose samples are kept: where they lie in the file while all have stamps, decoded where they have not."""

    def __init__(self, header: StreamHeader, xml: str) -> None:
        super().__init__(header, xml)
        self.blocks: list[memoryview | Block] = []
        self.dtype = None if header.format == "string" else codec.record(header.format, header.n_channels)

    def hold(self, kept: list[Block], block: Block) -> None:
        kept.append(block)

    def keep(self, blocks: Iterable[Block]) -> None:
        self.blocks.extend(blocks)

    def take(self, piece: Piece) -> None:
        if self.blocks and isinstance(rows := self.blocks[-1], memoryview) and self.dtype is not None:
            self.last = float(np.frombuffer(rows, self.dtype)["stamp"][-1])
        super().take(piece)

    def take_rows(self, rows: memoryview, width: int) -> None:
        self.blocks.append(rows)  # joined at the end, not looked at one by one

    def stream(self, stream_id: int) -> Stream:
        """Join what was kept."""
        offsets = np.array(self.offsets, np.float64).reshape(-1, 2)
        if self.dtype is None:
            texts = cast(list[tuple[Stamps, list[list[str]]]], self.blocks)
            stamps = np.concatenate([np.empty(0), *(s for s, _ in texts)])
            return Stream(stream_id, self.header, self.xml, stamps, [row for _, rows in texts for row in rows], offsets)
        return Stream(stream_id, self.header, self.xml, *self._numbers(self.dtype), offsets)

    def _numbers(self, dtype: np.dtype[np.void]) -> tuple[Stamps, NDArray[np.generic]]:
        if all(isinstance(block, memoryview) for block in self.blocks):
            rows = np.frombuffer(b"".join(cast(list[memoryview], self.blocks)), dtype)
            return rows["stamp"].copy(), rows["values"].copy()
        parts = [_split(block, dtype) if isinstance(block, memoryview) else block for block in self.blocks]
        return np.concatenate([p[0] for p in parts]), np.concatenate([cast(NDArray[np.generic], p[1]) for p in parts])


def _split(block: memoryview, dtype: np.dtype[np.void]) -> tuple[Stamps, Values]:
    rows = np.frombuffer(block, dtype)
    return rows["stamp"], rows["values"]


def read(path: Path) -> dict[int, Stream]:
    """Read a whole file, checked chunk by chunk and, where its checksums lie beside it, by them.

    What is damaged is left out and said through :mod:`logging`; nothing is guessed in its place.

    Returns
    -------
    dict of int to Stream
        By id, in the order of the file.

    Raises
    ------
    XdfError
        When it is not an XDF file at all.
    """
    data, streams = Memory(path.read_bytes(), path.name), Streams(_Kept)
    with checksums.of(path) as journal:
        found = pieces(data, streams.judge, journal, streams.hurry(data, journal))
        for piece in found:
            _say(path, piece)
    return {stream_id: kept.stream(stream_id) for stream_id, kept in streams.by_id.items()}


def _say(path: Path, piece: Piece) -> None:
    if piece.why:
        log.warning("%s: bytes %d to %d left out: %s", path, piece.start, piece.stop, piece.why)
    elif piece.healed:
        log.warning("%s: bytes %d to %d: a flipped bit was put right, as the checksum says", path, piece.start, piece.stop)


def by_name(streams: Mapping[int, Stream], name: str) -> Stream | None:
    """Return the first stream of that name that has samples, else the first of that name, else None."""
    found = [s for s in streams.values() if s.header.name == name]
    return next((s for s in found if len(s.stamps)), found[0] if found else None)
