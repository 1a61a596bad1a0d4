"""Checksums beside an XDF file, because XDF has none of its own and readers take a flipped bit for a measurement.

``<file>.crc``: 16 bytes of magic, then one record of 16 bytes per chunk: offset, length, CRC-32.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from collector.xdf.codec import XdfError
from collector.xdf.source import File, Source

MAGIC = b"emolab-xdf-crc1\n"
RECORD = np.dtype([("offset", "<u8"), ("length", "<u4"), ("crc", "<u4")])
_AT_ONCE = 4096  # records in memory


def beside(path: Path) -> Path:
    """Return where the checksums of an XDF file lie."""
    return path.parent / f"{path.name}.crc"


def record(offset: int, chunk: bytes | memoryview) -> bytes:
    """Return the record of one chunk."""
    return pack(offset, len(chunk), zlib.crc32(chunk))


def pack(offset: int, length: int, crc: int) -> bytes:
    """Return a record."""
    return struct.pack("<QII", offset, length, crc)


@contextmanager
def of(path: Path) -> Iterator[Journal | None]:
    """Open the checksums of an XDF file; None where there are none.

    Raises
    ------
    XdfError
        When the file beside it holds something else.
    """
    if not beside(path).exists():
        yield None
        return
    with File(beside(path)) as source:
        yield Journal(source)


class Journal:
    """The checksums beside a file, read once from front to back, as the file is.

    A record that does not begin where the one before ended, or that the next one does not follow, was damaged itself: it
    is passed over, and its chunk counts as one without a checksum.

    Parameters
    ----------
    source : Source
        The ``.crc`` file; a torn last record, as a crash leaves it, is dropped.

    Raises
    ------
    XdfError
        When it holds something else.
    """

    def __init__(self, source: Source) -> None:
        magic = bytes(source.view(0, len(MAGIC)))
        if magic != MAGIC[: len(magic)]:
            raise XdfError(f"{source.name}: holds no checksums; it was damaged: move it away to read the recording without it")
        self._records = _sound(source)
        self._next = next(self._records, None)

    def at(self, offset: int) -> tuple[int, int] | None:
        """Return length and CRC-32 of the chunk at an offset; None where no record says so. Offsets must ascend."""
        while self._next is not None and self._next[0] < offset:
            self._next = next(self._records, None)
        if self._next is None or self._next[0] != offset:
            return None
        return self._next[1:]

    def after(self, offset: int) -> int | None:
        """Return the first offset behind ``offset`` that a record names."""
        self.at(offset + 1)
        return self._next[0] if self._next else None


def _sound(source: Source) -> Iterator[tuple[int, int, int]]:
    """Yield offset, length and CRC-32 of the records that agree with both neighbours."""
    n = max(0, source.size - len(MAGIC)) // RECORD.itemsize
    for first in range(0, n, _AT_ONCE):
        before, behind = max(0, first - 1), min(n, first + _AT_ONCE + 1)
        start, stop = (len(MAGIC) + k * RECORD.itemsize for k in (before, behind))
        records = np.frombuffer(source.view(start, stop), RECORD)
        follows = records["offset"][:-1] + records["length"][:-1] == records["offset"][1:]
        sound = np.append(True, follows) & np.append(follows, True) & (records["length"] > 0)
        here = slice(first - before, first - before + _AT_ONCE)
        kept = records[here][sound[here]]
        yield from zip(kept["offset"].tolist(), kept["length"].tolist(), kept["crc"].tolist(), strict=True)


def flip_back(chunk: bytes, crc: int) -> bytes | None:
    """Return the chunk with the one bit put right whose flipping explains its wrong CRC-32; None when no single bit does.

    When the bit stands in the CRC-32 itself the chunk is returned as it is.

    A CRC is linear: what a flipped bit changes in it depends only on how far it stands from the end, and CRC-32 tells any
    two bits apart (Koopman 2002, "32-bit cyclic redundancy codes for Internet applications").
    """
    syndrome = zlib.crc32(chunk) ^ crc
    if syndrome.bit_count() == 1:
        return chunk
    zero = zlib.crc32(b"\0")
    table = np.array([zlib.crc32(bytes([byte])) ^ zero for byte in range(256)], np.uint32)
    register = table[1 << np.arange(8)]
    for at in range(len(chunk) - 1, -1, -1):
        if (hit := register == syndrome).any():
            return chunk[:at] + bytes([chunk[at] ^ 1 << int(np.argmax(hit))]) + chunk[at + 1 :]
        register = register >> np.uint32(8) ^ table[register & np.uint32(0xFF)]
    return None
