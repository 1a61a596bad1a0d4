"""The reader: strict, and vectorised for what our writer writes. Stamps come back as they were stored."""

from __future__ import annotations

import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from collector.xdf import checksums, codec
from collector.xdf.codec import Tag, Values, XdfError
from collector.xdf.header import StreamHeader, parse_header
from collector.xdf.scan import Piece, pieces

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


@dataclass
class Gathered:
    """What a stream's chunks have held so far; numbers stay where they are in the file until they are joined."""

    header: StreamHeader
    xml: str
    last: float = 0.0
    blocks: list[memoryview | tuple[NDArray[np.float64], Values]] = field(default_factory=list)
    offsets: list[tuple[float, float]] = field(default_factory=list)

    def take(self, content: memoryview) -> None:
        """Check a samples chunk and keep it."""
        n, at = codec.read_varlen(content, 0)
        header = self.header
        step = 1 / header.sfreq if header.sfreq else 0.0
        if n == 0 and at == len(content):
            return
        if header.format == "string":
            stamps, values = codec.parse_text(content, at, n, n_channels=header.n_channels, last=self.last, step=step)
            self.blocks.append((stamps, values))
            self.last = float(stamps[-1])
            return
        dtype = codec.record(header.format, header.n_channels)
        if codec.fully_stamped(content, at, n, dtype):
            self.blocks.append(content[at:])
            self.last = struct.unpack_from("<d", content, len(content) - dtype.itemsize + 1)[0]
            return
        stamps, numbers = codec.parse_numbers(
            content, at, n, form=header.format, n_channels=header.n_channels, last=self.last, step=step
        )
        self.blocks.append((stamps, numbers))
        self.last = float(stamps[-1])

    def stream(self, stream_id: int) -> Stream:
        """Join what was gathered."""
        offsets = np.array(self.offsets, np.float64).reshape(-1, 2)
        if self.header.format == "string":
            texts = cast(list[tuple[NDArray[np.float64], list[list[str]]]], self.blocks)
            stamps = np.concatenate([np.empty(0), *(s for s, _ in texts)])
            return Stream(stream_id, self.header, self.xml, stamps, [row for _, rows in texts for row in rows], offsets)
        stamps, values = self._numbers()
        return Stream(stream_id, self.header, self.xml, stamps, values, offsets)

    def _numbers(self) -> tuple[NDArray[np.float64], NDArray[np.generic]]:
        dtype = codec.record(self.header.format, self.header.n_channels)
        if all(isinstance(block, memoryview) for block in self.blocks):
            rows = np.frombuffer(b"".join(cast(list[memoryview], self.blocks)), dtype)
            return rows["stamp"].copy(), rows["values"].copy()
        parts = [_split(block, dtype) if isinstance(block, memoryview) else block for block in self.blocks]
        return np.concatenate([p[0] for p in parts]), np.concatenate([cast(NDArray[np.generic], p[1]) for p in parts])


def _split(block: memoryview, dtype: np.dtype[np.void]) -> tuple[NDArray[np.float64], Values]:
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
    data = path.read_bytes()
    gathered: dict[int, Gathered] = {}
    for piece in pieces(data, path.name, checksums=checksums.load(path)):
        why = piece.why if piece.tag is None else take(gathered, memoryview(data), piece)
        if why:
            log.warning("%s: bytes %d to %d left out: %s", path, piece.start, piece.stop, why)
    return {stream_id: g.stream(stream_id) for stream_id, g in gathered.items()}


def by_name(streams: Mapping[int, Stream], name: str) -> Stream | None:
    """Return the first stream of that name that has samples, else the first of that name, else None."""
    found = [s for s in streams.values() if s.header.name == name]
    return next((s for s in found if len(s.stamps)), found[0] if found else None)


def take(gathered: dict[int, Gathered], data: memoryview, piece: Piece) -> str:
    """Keep what a whole chunk holds; returns why it cannot be kept, or nothing."""
    content = data[piece.content : piece.stop]
    try:
        if piece.tag == Tag.FILE_HEADER or piece.tag == Tag.BOUNDARY:
            return ""
        if len(content) < 4:
            raise XdfError("no stream id")
        stream_id, body = struct.unpack_from("<I", content)[0], content[4:]
        if piece.tag == Tag.STREAM_HEADER:
            if stream_id in gathered:
                raise XdfError(f"a second header of stream {stream_id}")
            xml = bytes(body).decode("utf-8", "replace")
            gathered[stream_id] = Gathered(parse_header(xml), xml)
        elif stream_id not in gathered:
            raise XdfError(f"stream {stream_id} has no header")
        elif piece.tag == Tag.SAMPLES:
            gathered[stream_id].take(body)
        elif piece.tag == Tag.CLOCK_OFFSET:
            gathered[stream_id].offsets.append(_offset(body))
    except XdfError as error:
        return str(error)
    return ""


def _offset(body: memoryview) -> tuple[float, float]:
    if len(body) != 16:
        raise XdfError(f"a clock offset of {len(body)} bytes")
    t, value = struct.unpack("<dd", body)
    if not (np.isfinite(t) and np.isfinite(value)):
        raise XdfError(f"clock offset {value} at {t} was not measured")
    return t, value
