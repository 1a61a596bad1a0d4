"""The usual chunk, quickly: some samples of numbers, each with its stamp. As strict as the scanner, which takes the others."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping

from collector.xdf.checksums import Journal
from collector.xdf.codec import STAMPED, Tag
from collector.xdf.source import Source

# by the length's length: length of the length, length, tag, stream id, length of the number of samples, that number
_HEADS = {1: struct.Struct("<BBHIBB"), 4: struct.Struct("<BIHIBB")}
_HEAD_B = 13
_STAMPED = bytes([STAMPED]) * 256


def plain(data: Source, at: int, widths: Mapping[int, int], journal: Journal | None) -> Iterator[tuple[int, int, memoryview]]:
    """Yield the chunks from ``at`` on that are usual and whole; the first that is not ends it.

    Parameters
    ----------
    data : Source
        The file.
    at : int
        Where a chunk begins.
    widths : mapping of int to int
        Bytes of a sample with its stamp, by stream id.
    journal : Journal or None
        Checksums: with them, a chunk without one is not usual.

    Yields
    ------
    stop : int
        Where the chunk ends.
    stream_id : int
    rows : memoryview
        Its samples, as they lie in the file.
    """
    while at < data.size:
        view = data.ahead(at)
        here = 0
        while here + _HEAD_B < len(view) and (head := _HEADS.get(view[here])):
            size, length, tag, stream_id, k, n = head.unpack_from(view, here)
            width = widths.get(stream_id, 0)
            content, stop = here + head.size, here + 1 + size + length
            if tag != Tag.SAMPLES or k != 1 or not n or stop - content != n * width:
                return
            if stop > len(view):
                break
            if view[content:stop:width].tobytes() != _STAMPED[:n]:
                return
            if journal is not None and journal.at(at + here) != (stop - here, zlib.crc32(view[here:stop])):
                return
            yield at + stop, stream_id, view[content:stop]
            here = stop
        if here == 0:
            return
        at += here
