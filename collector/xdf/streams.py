"""What a file's chunks say of its streams, taken one by one: headers, samples, offsets, footers."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import numpy as np

from collector.xdf import decode
from collector.xdf.checksums import Journal
from collector.xdf.codec import Tag, XdfError, record
from collector.xdf.decode import Block
from collector.xdf.header import StreamHeader, parse_header, root_of
from collector.xdf.plain import plain
from collector.xdf.scan import Hurry, Piece
from collector.xdf.source import Source

_stamp = struct.Struct("<d").unpack_from


class State:
    """One stream, as far as it has been read; samples are counted, not kept.

    Parameters
    ----------
    header : StreamHeader
        What it is.
    xml : str
        The header as it stands in the file.
    """

    def __init__(self, header: StreamHeader, xml: str) -> None:
        self.header, self.xml = header, xml
        self.n, self.first, self.last = 0, float("nan"), 0.0
        self.began = float("nan")  # the first stamp of the newest chunk
        self.offsets = array("d")
        self.footer: Footer | None = None

    def take(self, piece: Piece) -> None:
        """Go on with a samples chunk."""
        n, last, began = 0, self.last, float("nan")
        kept: list[Block] = []
        for block in decode.samples(piece.source, piece.content, piece.end, self.header, last=self.last):
            began = began if n else float(block[0][0])
            n, last = n + len(block[0]), float(block[0][-1])
            self.hold(kept, block)
        self.keep(kept)
        if n:
            self.first = self.first if self.n else began
            self.n, self.last, self.began = self.n + n, last, began

    def take_rows(self, rows: memoryview, width: int) -> None:
        """Go on with samples of ``width`` bytes that all have a stamp."""
        self.began, self.last = _stamp(rows, 1)[0], _stamp(rows, len(rows) - width + 1)[0]
        self.first = self.first if self.n else self.began
        self.n += len(rows) // width

    def hold(self, kept: list[Block], block: Block) -> None:
        """Put a block aside until its chunk has shown to be whole."""

    def keep(self, blocks: Iterable[Block]) -> None:
        """Keep the samples of a whole chunk."""


class Footer:
    """What a footer says of its stream; what it does not say is None."""

    def __init__(self, xml: bytes) -> None:
        count = root_of(xml).findtext("sample_count")
        try:
            self.n = int(count) if count is not None else None
        except ValueError:
            raise XdfError(f"sample_count = {str(count)[:40]!r} in a footer") from None


S = TypeVar("S", bound=State)


class Streams(Generic[S]):
    """The streams of a file by id, in the order of their headers.

    Parameters
    ----------
    new : callable
        Makes the state of a stream from its header.
    """

    def __init__(self, new: Callable[[StreamHeader, str], S]) -> None:
        self.by_id: dict[int, S] = {}
        self._new, self._widths = new, dict[int, int]()

    def hurry(self, data: Source, journal: Journal | None, each: Callable[[int, int, int], None] | None = None) -> Hurry:
        """Return what takes the usual chunks of a file; ``each`` is told start, end and stream of every one."""

        def take(at: int) -> int:
            for stop, stream_id, rows in plain(data, at, self._widths, journal):
                self.by_id[stream_id].take_rows(rows, self._widths[stream_id])
                if each is not None:
                    each(at, stop, stream_id)
                at = stop
            return at

        return take

    def judge(self, piece: Piece) -> str:
        """Take what a whole chunk holds; returns why it cannot be taken, or nothing."""
        try:
            self._take(piece)
        except XdfError as error:
            return str(error)
        return ""

    def _take(self, piece: Piece) -> None:
        if piece.tag == Tag.FILE_HEADER:
            root_of(_bytes(piece))
        if piece.stream_id is None:
            return
        if piece.tag == Tag.STREAM_HEADER:
            if piece.stream_id in self.by_id:
                raise XdfError(f"a second header of stream {piece.stream_id}")
            xml = _bytes(piece).decode("utf-8", "replace")
            header = parse_header(xml)
            self.by_id[piece.stream_id] = self._new(header, xml)
            if header.format != "string":
                self._widths[piece.stream_id] = record(header.format, header.n_channels).itemsize
            return
        if piece.stream_id not in self.by_id:
            raise XdfError(f"stream {piece.stream_id} has no header")
        state = self.by_id[piece.stream_id]
        if piece.tag == Tag.SAMPLES:
            state.take(piece)
        elif piece.tag == Tag.CLOCK_OFFSET:
            state.offsets.extend(_offset(_bytes(piece)))
        else:
            state.footer = Footer(_bytes(piece))


def _bytes(piece: Piece) -> bytes:
    return bytes(piece.source.view(piece.content, piece.end))


def _offset(body: bytes) -> tuple[float, float]:
    if len(body) != 16:
        raise XdfError(f"a clock offset of {len(body)} bytes")
    t, value = struct.unpack("<dd", body)
    if not (np.isfinite(t) and np.isfinite(value)):
        raise XdfError(f"clock offset {value} at {t} was not measured")
    return t, value
