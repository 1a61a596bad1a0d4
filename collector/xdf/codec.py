"""Chunks of an XDF file as bytes, pure: no file is opened here.

A chunk is ``[length of the length][length][tag][content]``; numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

MAGIC = b"XDF:"
BOUNDARY = bytes.fromhex("43A546DCCBF5410FB30ED5467383CBE4")
STAMPED = 8  # the byte before a sample that has a stamp of its own: the stamp's size

FORMATS: Mapping[str, np.dtype[np.generic] | None] = {
    "float32": np.dtype("<f4"),
    "double64": np.dtype("<f8"),
    "int8": np.dtype("<i1"),
    "int16": np.dtype("<i2"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
    "string": None,
}
"""Channel formats of the specification with the dtype of one value."""

Values = NDArray[np.generic] | list[list[str]]
"""``ndarray, shape (n_samples, n_channels)``, or for text one list per sample."""


Bytes = bytes | memoryview


class XdfError(ValueError):
    """Bytes are not XDF, or values cannot be written as XDF; the text says where and what."""


class Tag(IntEnum):
    """What a chunk holds."""

    FILE_HEADER = 1
    STREAM_HEADER = 2
    SAMPLES = 3
    CLOCK_OFFSET = 4
    BOUNDARY = 5
    STREAM_FOOTER = 6


def varlen(n: int) -> bytes:
    """Encode a length as the specification's variable-length integer (1, 4 or 8 bytes)."""
    if n < 1 << 8:
        return b"\x01" + n.to_bytes(1, "little")
    if n < 1 << 32:
        return b"\x04" + n.to_bytes(4, "little")
    return b"\x08" + n.to_bytes(8, "little")


def read_varlen(data: Bytes, at: int) -> tuple[int, int]:
    """Decode a variable-length integer; returns it and where it ends.

    Raises
    ------
    XdfError
        When there is none at ``at``.
    """
    if at < len(data):
        size = data[at]
        if size in (1, 4, 8) and at + 1 + size <= len(data):
            return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size
    raise XdfError(f"byte {at}: no length")


def chunk(tag: Tag, content: bytes, stream_id: int | None = None) -> bytes:
    """Wrap content as a chunk, with the stream's id in front of it where the tag wants one."""
    body = content if stream_id is None else struct.pack("<I", stream_id) + content
    return varlen(len(body) + 2) + struct.pack("<H", tag) + body


def boundary() -> bytes:
    """Return a boundary chunk: where a reader finds its way again after damage."""
    return chunk(Tag.BOUNDARY, BOUNDARY)


def clock_offset(stream_id: int, t: float, value: float) -> bytes:
    """Return a clock-offset chunk; ``t`` is on the stream's own clock."""
    return chunk(Tag.CLOCK_OFFSET, struct.pack("<dd", t, value), stream_id)


def record(form: str, n_channels: int, *, stamped: bool = True) -> np.dtype[np.void]:
    """Return the layout of one numeric sample with (or without) its stamp."""
    values = [("values", FORMATS[form], (n_channels,))]
    return np.dtype([("size", "u1"), ("stamp", "<f8"), *values] if stamped else [("size", "u1"), *values])


def samples(stream_id: int, stamps: NDArray[np.float64], values: Values, *, form: str, n_channels: int) -> bytes:
    """Encode samples, each with its stamp, as one chunk.

    Parameters
    ----------
    stream_id : int
        The stream's id.
    stamps : ndarray, shape (n_samples,)
        Seconds on the stream's own clock, finite.
    values : ndarray, shape (n_samples, n_channels), or list of list of str
        What was measured.
    form : str
        A key of :data:`FORMATS`.
    n_channels : int
        Number of channels.

    Raises
    ------
    XdfError
        When shapes or values do not fit the stream.
    """
    if not np.isfinite(stamps).all():
        raise XdfError(f"stream {stream_id}: a stamp is not finite")
    if FORMATS[form] is None:
        body = _text(stream_id, stamps, values, n_channels)
    else:
        body = _numbers(stream_id, stamps, values, form, n_channels)
    return chunk(Tag.SAMPLES, varlen(len(stamps)) + body, stream_id)


def _numbers(stream_id: int, stamps: NDArray[np.float64], values: Values, form: str, n_channels: int) -> bytes:
    array = np.asarray(values)
    if array.shape != (len(stamps), n_channels):
        raise XdfError(f"stream {stream_id}: values have shape {array.shape}, not {(len(stamps), n_channels)}")
    dtype = FORMATS[form]
    assert dtype is not None
    # rounding to float32 is what a stream of float32 means; an integer that does not fit would become another one
    if not np.can_cast(array.dtype, dtype, casting="same_kind" if dtype.kind == "f" else "safe"):
        raise XdfError(f"stream {stream_id}: values are {array.dtype}, the stream holds {form}")
    rows = np.empty(len(stamps), record(form, n_channels))
    rows["size"], rows["stamp"], rows["values"] = STAMPED, stamps, array
    return rows.tobytes()


def _text(stream_id: int, stamps: NDArray[np.float64], values: Values, n_channels: int) -> bytes:
    if len(values) != len(stamps) or any(len(row) != n_channels for row in values):
        raise XdfError(f"stream {stream_id}: not {len(stamps)} samples of {n_channels} texts")
    parts = []
    for stamp, row in zip(stamps, values, strict=True):
        parts.append(struct.pack("<Bd", STAMPED, stamp))
        for text in row:
            data = text.encode("utf-8")
            parts += (varlen(len(data)), data)
    return b"".join(parts)


def file_header(created: str) -> bytes:
    """Return the start of a file: magic and header chunk; ``created`` is ISO 8601."""
    xml = f'<?xml version="1.0"?><info><version>1.0</version><datetime>{created}</datetime></info>'
    return MAGIC + chunk(Tag.FILE_HEADER, xml.encode())


def footer(stream_id: int, *, first: float | None, last: float | None, n: int, offsets: Sequence[tuple[float, float]]) -> bytes:
    """Return a stream's footer; a stream without samples has neither first nor last stamp."""
    ends = [f"<{name}_timestamp>{t!r}</{name}_timestamp>" for name, t in (("first", first), ("last", last)) if t is not None]
    pairs = [f"<offset><time>{t!r}</time><value>{value!r}</value></offset>" for t, value in offsets]
    xml = (
        f'<?xml version="1.0"?><info>{"".join(ends)}<sample_count>{n}</sample_count>'
        f"<clock_offsets>{''.join(pairs)}</clock_offsets></info>"
    )
    return chunk(Tag.STREAM_FOOTER, xml.encode(), stream_id)
