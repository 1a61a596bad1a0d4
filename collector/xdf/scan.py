"""The scanner: cuts a file into chunks and finds its way again after damage. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collector.xdf import codec
from collector.xdf.codec import BOUNDARY, MAGIC, Tag, XdfError

# a boundary chunk up to its uuid: length of the length, length, tag
_BOUNDARY_START = codec.boundary()[: -len(BOUNDARY)]


@dataclass(frozen=True)
class Piece:
    """A whole chunk, or bytes that are none: then ``tag`` is None and ``why`` says so."""

    start: int
    stop: int
    tag: Tag | None
    content: int = 0
    why: str = ""


def pieces(data: bytes, name: str, *, checksums: Mapping[int, tuple[int, int]] | None = None) -> Iterator[Piece]:
    """Cut a file into chunks; after bytes that are no chunk the next boundary is looked for.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        For messages.
    checksums : mapping of int to (int, int), optional
        Length and CRC-32 of the chunk at each offset.

    Raises
    ------
    XdfError
        When the file does not begin as XDF does.
    """
    if data[: len(MAGIC)] != MAGIC:
        raise XdfError(f"{name}: does not begin with {MAGIC.decode()!r}, so it is no XDF file")
    at, view = len(MAGIC), memoryview(data)
    while at < len(data):
        piece = _piece(data, at)
        if piece.tag is not None and checksums is not None and at in checksums:
            length, crc = checksums[at]
            if length != piece.stop - at or zlib.crc32(view[at : piece.stop]) != crc:
                stop = at + length if length <= len(data) - at else piece.stop
                piece = Piece(at, stop, None, why="does not match its checksum")
        yield piece
        at = piece.stop


def _piece(data: bytes, at: int) -> Piece:
    try:
        length, content = codec.read_varlen(data, at)
        stop = content + length
        if length < 2 or stop > len(data):
            raise XdfError("the chunk is cut off" if length >= 2 else "a chunk without a tag")
        tag = int.from_bytes(data[content : content + 2], "little")
        if tag not in Tag.__members__.values():
            raise XdfError(f"tag {tag}")
        if tag == Tag.BOUNDARY and data[content + 2 : stop] != BOUNDARY:
            raise XdfError("a boundary that is none")
    except XdfError as error:
        found = data.find(_BOUNDARY_START + BOUNDARY, at + 1)
        return Piece(at, found if found >= 0 else len(data), None, why=str(error))
    return Piece(at, stop, Tag(tag), content + 2)
