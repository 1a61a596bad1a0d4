"""Is a file whole? Streams, samples, and every damage with its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from collector.xdf import checksums
from collector.xdf.codec import Tag
from collector.xdf.reader import Gathered, take
from collector.xdf.scan import pieces


@dataclass(frozen=True)
class Damage:
    """Bytes that cannot be trusted."""

    start: int
    stop: int
    why: str


@dataclass(frozen=True)
class StreamReport:
    """One stream; stamps are seconds on its own clock."""

    id: int
    name: str
    n: int
    t_first: float | None
    t_last: float | None
    n_offsets: int
    footer: bool


@dataclass(frozen=True)
class Report:
    """What :func:`check` found.

    Parameters
    ----------
    size_B : int
        Size of the file.
    n_chunks, n_verified : int
        Whole chunks, and how many of them match a checksum.
    closed : bool
        Every stream has its footer: the recorder ended as it should.
    damage : tuple of Damage
        Empty for a whole file.
    """

    size_B: int
    n_chunks: int
    n_verified: int
    streams: tuple[StreamReport, ...]
    damage: tuple[Damage, ...]

    @property
    def closed(self) -> bool:
        """Whether the recorder ended as it should."""
        return bool(self.streams) and all(s.footer for s in self.streams)


def check(path: Path) -> Report:
    """Read a file as :func:`collector.xdf.read` does and say what is in it and what is not whole.

    Raises
    ------
    XdfError
        When it is not an XDF file at all.
    """
    data, sums = path.read_bytes(), checksums.load(path)
    gathered: dict[int, Gathered] = {}
    damage, footers, n_chunks, n_verified = [], set(), 0, 0
    for piece in pieces(data, path.name, checksums=sums):
        why = piece.why if piece.tag is None else take(gathered, memoryview(data), piece)
        if why:
            damage.append(Damage(piece.start, piece.stop, why))
            continue
        n_chunks += 1
        n_verified += sums is not None and piece.start in sums
        if piece.tag == Tag.STREAM_FOOTER:
            footers.add(int.from_bytes(data[piece.content : piece.content + 4], "little"))
    missing = [Damage(o, o + n, "is missing") for o, (n, _) in (sums or {}).items() if o + n > len(data)]
    streams = tuple(_report(i, g, footer=i in footers) for i, g in gathered.items())
    return Report(len(data), n_chunks, n_verified, streams, tuple(damage + missing))


def _report(stream_id: int, gathered: Gathered, *, footer: bool) -> StreamReport:
    stream = gathered.stream(stream_id)
    first, last = (float(stream.stamps[0]), float(stream.stamps[-1])) if len(stream.stamps) else (None, None)
    return StreamReport(stream_id, stream.header.name, len(stream.stamps), first, last, len(stream.offsets), footer)
