"""Checksums beside an XDF file, because XDF has none of its own and readers take a flipped bit for a measurement.

``<file>.crc``: 16 bytes of magic, then one record of 16 bytes per chunk: offset, length, CRC-32.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from collector.xdf.codec import XdfError

MAGIC = b"emolab-xdf-crc1\n"
RECORD = np.dtype([("offset", "<u8"), ("length", "<u4"), ("crc", "<u4")])


def beside(path: Path) -> Path:
    """Return where the checksums of an XDF file lie."""
    return path.with_name(path.name + ".crc")


def record(offset: int, chunk: bytes | memoryview) -> bytes:
    """Return the record of one chunk."""
    return np.array((offset, len(chunk), zlib.crc32(chunk)), RECORD).tobytes()


def load(path: Path) -> dict[int, tuple[int, int]] | None:
    """Read the checksums of an XDF file.

    Parameters
    ----------
    path : Path
        The XDF file.

    Returns
    -------
    dict or None
        Length and CRC-32 of the chunk at each offset; None where there are none. A torn last record, as a crash leaves
        it, is dropped.

    Raises
    ------
    XdfError
        When the file beside it holds something else.
    """
    if not beside(path).exists():
        return None
    data = beside(path).read_bytes()
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise XdfError(f"{beside(path)}: holds no checksums; it was damaged: move it away to read {path.name} without it")
    whole = max(0, len(data) - len(MAGIC)) // RECORD.itemsize
    records = np.frombuffer(data, RECORD, whole, len(MAGIC)) if whole else np.empty(0, RECORD)
    pairs = zip(records["length"].tolist(), records["crc"].tolist(), strict=True)
    return dict(zip(records["offset"].tolist(), pairs, strict=True))
