"""A file from front to back in constant memory: what is in it, what is damaged, and what that cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from collector.xdf import decode, source
from collector.xdf.checksums import Journal
from collector.xdf.codec import Tag, XdfError
from collector.xdf.scan import Piece, pieces
from collector.xdf.source import Source
from collector.xdf.streams import State, Streams

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many are done."""

# what these hold is no sample, whatever became of it
_NO_SAMPLES = (Tag.FILE_HEADER, Tag.CLOCK_OFFSET, Tag.BOUNDARY, Tag.STREAM_FOOTER)
_PROGRESS_B = 1 << 22


@dataclass(frozen=True)
class Damage:
    """Bytes that cannot be trusted.

    Parameters
    ----------
    start, stop : int
        Where they begin and end.
    why : str
        What is wrong with them.
    healed : bool
        They could be put right, so that nothing was lost.
    n_between : int
        Good bytes of other streams that lie between them.
    """

    start: int
    stop: int
    why: str
    healed: bool = False
    n_between: int = 0


@dataclass(frozen=True)
class StreamReport:
    """One stream; stamps are seconds on its own clock.

    Parameters
    ----------
    id : int
        In the file.
    name : str
        As LSL has it.
    n : int
        Whole samples.
    t_first, t_last : float or None
        Their ends.
    n_offsets : int
        Measured clock offsets.
    footer : bool
        The recorder closed it.
    n_lost : int
        Samples that the damage cost: as the footer counts them, or the damaged chunks themselves, or else as the stamps
        around the damage tell at the nominal rate.
    lost_s : float or None
        The same in seconds; None for a stream without a rate.
    exact : bool
        False where ``n_lost`` is an estimate, or there may be more.
    """

    id: int
    name: str
    n: int
    t_first: float | None
    t_last: float | None
    n_offsets: int
    footer: bool
    n_lost: int = 0
    lost_s: float | None = None
    exact: bool = True


@dataclass(frozen=True)
class Report:
    """What is in a file.

    Parameters
    ----------
    size_B : int
        Size of the file.
    n_chunks, n_verified : int
        Whole chunks, and how many of them match a checksum.
    streams : tuple of StreamReport
        In the order of the file.
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

    @property
    def n_bytes_lost(self) -> int:
        """Bytes that had to be left out."""
        return sum(d.stop - d.start - d.n_between for d in self.damage if not d.healed)


@dataclass
class _Cost:
    """What damage cost one stream; ``doubt`` is the stamp before damage of which nobody knows yet whose it was."""

    n: int = 0
    exact: bool = True
    doubt: float | None = None


class Survey:
    """Goes through a file once; afterwards it can report.

    Parameters
    ----------
    data : Source
        The file.
    journal : Journal or None
        Its checksums.
    progress : callable
        Is told how far it is.
    """

    def __init__(self, data: Source, journal: Journal | None, *, progress: Progress = lambda done, total: None) -> None:
        self.streams = Streams(State)
        self._data, self._journal, self._progress, self._told = data, journal, progress, 0
        self._damage: list[Damage] = []
        self._orphans: dict[int, tuple[Damage, int]] = {}
        self._costs: dict[int, _Cost] = {}
        self._n_chunks = self._n_verified = 0

    def run(self, keep: Callable[[Piece], None] = lambda piece: None) -> None:
        """Go through the file; ``keep`` is given every chunk that is whole, in order.

        Raises
        ------
        XdfError
            When it is no XDF file.
        """
        for piece in pieces(self._data, self.streams.judge, self._journal, self._hurry(keep)):
            if piece.why:
                self._damaged(piece)
            else:
                self._whole(piece)
                keep(piece)
            if piece.healed and not piece.why:
                self._add(Damage(piece.start, piece.stop, "a flipped bit in a header or its checksum, put right", healed=True))
        self._missing()

    def _hurry(self, keep: Callable[[Piece], None]) -> Callable[[int], int]:
        def each(start: int, stop: int, stream_id: int) -> None:
            piece = Piece(start, stop, self._data, tag=Tag.SAMPLES, stream_id=stream_id, verified=self._journal is not None)
            self._whole(piece)
            keep(piece)

        return self.streams.hurry(self._data, self._journal, each)

    def _whole(self, piece: Piece) -> None:
        self._n_chunks += 1
        self._n_verified += piece.verified
        if piece.tag == Tag.SAMPLES and piece.stream_id in self._costs:
            self._settle(self._costs[piece.stream_id], self.streams.by_id[piece.stream_id])
        if piece.stop - self._told > _PROGRESS_B:
            self._told = piece.stop
            self._progress(piece.stop, self._data.size)

    @staticmethod
    def _settle(cost: _Cost, state: State) -> None:
        """Estimate what was lost before the chunk that a stream has just gone on with."""
        if cost.doubt is not None and state.header.sfreq:
            cost.n += max(0, round((state.began - cost.doubt) * state.header.sfreq) - 1)
            cost.exact = False
        cost.doubt = None

    def _damaged(self, piece: Piece) -> None:
        if piece.tag in _OF_KNOWN and piece.stream_id is not None and piece.stream_id not in self.streams.by_id:
            self._orphan(piece)
            return
        self._add(Damage(piece.start, piece.stop, piece.why))
        known = piece.end == piece.stop or piece.stop == self._data.size
        if known and piece.tag in _NO_SAMPLES:
            return
        n = _announced(piece, self.streams.by_id) if known else None
        if n is not None:
            self._costs.setdefault(piece.stream_id or 0, _Cost()).n += n
            return
        for stream_id, state in self.streams.by_id.items():
            cost = self._costs.setdefault(stream_id, _Cost())
            cost.exact = False
            if state.n and cost.doubt is None:
                cost.doubt = state.last

    def _orphan(self, piece: Piece) -> None:
        """Put together what cannot be read because a stream's header is gone."""
        stream_id = piece.stream_id or 0
        first, n = self._orphans.get(stream_id, (Damage(piece.start, piece.start, ""), 0))
        between = first.n_between + piece.start - first.stop
        self._orphans[stream_id] = (replace(first, stop=piece.stop, n_between=between), n + 1)

    def _add(self, damage: Damage) -> None:
        last = self._damage[-1] if self._damage else None
        if last and last.stop == damage.start and last.why == damage.why and not damage.healed:
            self._damage[-1] = replace(last, stop=damage.stop)
        else:
            self._damage.append(damage)

    def _missing(self) -> None:
        """Compare with what the checksums and the footers say should be there."""
        at = self._journal.after(self._data.size - 1) if self._journal else None
        if at is not None and not any(d.stop == self._data.size for d in self._damage):
            self._add(Damage(self._data.size, self._data.size, "chunks that have checksums are missing behind the end"))
        for stream_id, state in self.streams.by_id.items():
            counted = state.footer.n if state.footer else None
            if counted is not None and counted > state.n and not self._damage:
                why = f"{counted - state.n} samples of stream {stream_id} are missing that its footer counts"
                self._add(Damage(self._data.size, self._data.size, why))

    def report(self) -> Report:
        """Return what was found."""
        orphans = [
            replace(damage, why=f"stream {stream_id} has no header, so its {n} chunks here cannot be read")
            for stream_id, (damage, n) in self._orphans.items()
        ]
        streams = tuple(self._stream(stream_id, state) for stream_id, state in self.streams.by_id.items())
        damage = tuple(sorted([*self._damage, *orphans], key=lambda d: d.start))
        return Report(self._data.size, self._n_chunks, self._n_verified, streams, damage)

    def _stream(self, stream_id: int, state: State) -> StreamReport:
        cost = self._costs.get(stream_id, _Cost())
        counted = state.footer.n if state.footer else None
        exact = counted is not None and counted >= state.n
        n_lost = counted - state.n if exact and counted is not None else cost.n
        header = state.header
        return StreamReport(
            stream_id, header.name, state.n,
            state.first if state.n else None, state.last if state.n else None,
            len(state.offsets) // 2, state.footer is not None,
            n_lost, n_lost / header.sfreq if header.sfreq else None, exact or cost.exact,
        )  # fmt: skip


_OF_KNOWN = (Tag.SAMPLES, Tag.CLOCK_OFFSET, Tag.STREAM_FOOTER)


def _announced(piece: Piece, states: dict[int, State]) -> int | None:
    """Return how many samples a damaged chunk says it holds, where its length and its stream agree with that."""
    state = states.get(piece.stream_id) if piece.stream_id is not None else None
    if piece.tag != Tag.SAMPLES or state is None:
        return None
    try:
        n, at = source.varlen(piece.source, piece.content)
    except XdfError:
        return None
    least, room = decode.least(state.header), piece.end - at
    stamps = 0 if state.header.format == "string" else 8
    fits = n * least <= room and (not stamps or room <= n * (least + stamps))
    return n if fits else None
