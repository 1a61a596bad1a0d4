"""The scanner: cuts a file into chunks and finds its way again after damage."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from collector.xdf import checksums, codec
from collector.xdf.checksums import Journal
from collector.xdf.codec import BOUNDARY, MAGIC, Tag, XdfError
from collector.xdf.source import WINDOW_B, Memory, Source

# a boundary chunk up to its uuid: length of the length, length, tag
_BOUNDARY_CHUNK = codec.boundary()
_HEAD_B = 15  # the longest start of a chunk: its length, its tag, a stream's id
_XML_MAX_B = 1 << 26  # a header or footer that claims more is damaged: the longest real ones have some hundred kB
_FOREIGN_MAX = 8
_HEALED_MAX_B = 1 << 16
_TAGS = {int(tag): tag for tag in Tag}
_XML = (Tag.FILE_HEADER, Tag.STREAM_HEADER, Tag.STREAM_FOOTER)
_OF_STREAM = (Tag.STREAM_HEADER, Tag.SAMPLES, Tag.CLOCK_OFFSET, Tag.STREAM_FOOTER)


@dataclass(frozen=True)
class Piece:
    """A stretch of a file.

    Parameters
    ----------
    start, stop : int
        Where it lies in the file.
    source : Source
        What holds it: the file, or a chunk of which one flipped bit was put right.
    content, end : int
        Where the content of the chunk begins in ``source``, behind the tag and the stream's id, and where it ends; 0 for bytes
        that announce no end.
    tag : Tag or None
        What it is; None for bytes that are no chunk.
    stream_id : int or None
        Whose it is.
    why : str
        Why it cannot be believed; empty for a whole chunk.
    healed : bool
        A flipped bit was put right.
    verified : bool
        It matches its checksum.
    """

    start: int
    stop: int
    source: Source
    content: int = 0
    end: int = 0
    tag: Tag | None = None
    stream_id: int | None = None
    why: str = ""
    healed: bool = False
    verified: bool = False


Judge = Callable[[Piece], str]
"""Takes what a whole chunk holds; returns why it cannot, or nothing."""


Hurry = Callable[[int], int]
"""Takes whole chunks from an offset on, as many as it knows to be whole; returns the offset behind them."""


def pieces(data: Source, judge: Judge, journal: Journal | None = None, hurry: Hurry = int) -> Iterator[Piece]:
    """Cut a file into chunks, without a byte left out: what is no chunk, or cannot be taken, says why.

    After damage the checksums tell where the next chunk begins; without them the next boundary is looked for, unless a chunk
    begins right behind the damaged one.

    Parameters
    ----------
    data : Source
        The file.
    judge : callable
        Takes each chunk.
    journal : Journal, optional
        Its checksums.
    hurry : callable
        Takes the usual chunks, which are then not yielded; by default none.

    Raises
    ------
    XdfError
        When the file does not begin as XDF does.
    """
    if bytes(data.view(0, len(MAGIC))) != MAGIC:
        raise XdfError(f"{data.name}: does not begin with {MAGIC.decode()!r}, so it is no XDF file")
    at = len(MAGIC)
    while (at := hurry(at)) < data.size:
        piece = _next(data, at, judge, journal)
        yield piece
        at = piece.stop


def _next(data: Source, at: int, judge: Judge, journal: Journal | None) -> Piece:
    record = journal.at(at) if journal else None
    if record is not None:
        return _recorded(data, at, judge, *record)
    piece = frame(data, at)
    following = journal.after(at) if journal else None
    overlong = following is not None and piece.stop > following
    why = piece.why or ("its length is not what the checksums say" if overlong else judge(piece))
    return replace(piece, why=why, stop=_resumed(data, piece, following)) if why else piece


def _recorded(data: Source, at: int, judge: Judge, length: int, crc: int) -> Piece:
    """Return the piece at ``at``, of which there is a checksum."""
    if at + length > data.size:
        return replace(frame(data, at), stop=data.size, why="the chunk is cut off")
    if crc_of(data, at, at + length) != crc:
        healed = _healed(data, at, length, crc)
        if healed is None:
            return replace(frame(data, at), stop=at + length, why="does not match its checksum")
        piece = frame(healed, 0)
        return replace(piece, start=at, stop=at + length, healed=True, verified=True, why=piece.why or judge(piece))
    piece = frame(data, at, verified=True)
    agrees = piece.stop == at + length
    why = piece.why or (judge(piece) if agrees else "its length is not what its checksum says")
    return replace(piece, stop=at + length, why=why) if why else piece


def _healed(data: Source, at: int, length: int, crc: int) -> Memory | None:
    """Return a stream's header with its one flipped bit put right: without it no sample of the stream can be read."""
    chunk = bytes(data.view(at, at + min(length, _HEALED_MAX_B + 1)))
    if length > _HEALED_MAX_B or b"<info" not in chunk:
        return None
    fixed = checksums.flip_back(chunk, crc)
    return Memory(fixed, data.name) if fixed and frame(Memory(fixed, data.name), 0).tag == Tag.STREAM_HEADER else None


def _resumed(data: Source, piece: Piece, following: int | None) -> int:
    """Return where the next chunk begins after one that cannot be believed."""
    if following is not None:
        return following
    if piece.end and piece.end <= data.size and _begins(data, piece.end):
        return piece.end
    found = data.find(_BOUNDARY_CHUNK, piece.start + 1)
    return found if found >= 0 else data.size


def _begins(data: Source, at: int) -> bool:
    """Tell whether a chunk of the specification begins at ``at``, behind at most some that are of another."""
    for _ in range(_FOREIGN_MAX):
        if at == data.size:
            return True
        piece = frame(data, at)
        if piece.tag is not None or not at < piece.end <= data.size:
            return not piece.why
        at = piece.end
    return False


def crc_of(data: Source, start: int, stop: int) -> int:
    """Return the CRC-32 of a stretch."""
    crc = 0
    for at in range(start, stop, WINDOW_B):
        crc = zlib.crc32(data.view(at, min(stop, at + WINDOW_B)), crc)
    return crc


def frame(data: Source, at: int, *, verified: bool = False) -> Piece:
    """Return the chunk that begins at ``at``, its content not looked into; ``why`` says what is wrong with it."""
    head = data.view(at, at + _HEAD_B)
    try:
        length, used = codec.read_varlen(head, 0)
    except XdfError:
        return Piece(at, data.size, data, why="no length where a chunk should begin")
    start, end = at + used, at + used + length
    code = int.from_bytes(head[used : used + 2], "little")
    tag = _TAGS.get(code)
    stream_id = None
    if tag in _OF_STREAM and length >= 6 and len(head) >= used + 6:
        stream_id = int.from_bytes(head[used + 2 : used + 6], "little")
    content = start + (2 if stream_id is None else 6)
    why = _misframed(tag, code, length, stream_id) or ("the chunk is cut off" if end > data.size else "")
    if tag == Tag.BOUNDARY and not why and data.view(content, end) != BOUNDARY:
        why = "a boundary that is none"
    return Piece(at, min(end, data.size), data, content, end, tag, stream_id, why, verified=verified)


def _misframed(tag: Tag | None, code: int, length: int, stream_id: int | None) -> str:
    if length < 2:
        return "a chunk without a tag"
    if tag is None:
        return f"tag {code} is none of the specification's"
    if tag in _XML and length > _XML_MAX_B:
        return f"{length} bytes of XML are more than is believed"
    if tag in _OF_STREAM and stream_id is None:
        return "a chunk without a stream's id"
    return ""
