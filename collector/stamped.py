"""Lost samples of a stream without a counter, from its stamps alone. Pure.

Latency only ever adds: over some seconds the earliest stamps, the lower envelope, show where the stream stands, whether its
samples come one by one or in packets that are stamped on arrival. A stall rises above the envelope and is made up for by a
burst; a loss lifts the envelope for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MAD_TO_SD = 1.4826
MIN_FIT_S = 30.0  # below, a rate cannot be told from the noise of its stamps: the nominal one is taken
LEVEL_S = 4.0  # how much of either side of a stray stamp is compared; a stall's burst is over by then
HOLD_S = 0.25  # losses closer together than this are told as one
YOUNG_S = 1.0  # what rose less long ago may be a packet that is on its way
TRUST_S = 0.1  # so long a silence is shown at once all the same; radio latency jitters by less
BLOCK_S = 1.0  # the envelope's points: a packet ends within it
SPAN = 5  # blocks from which a rate is taken; a loss spoils only the spans that it lies in
CRYSTAL = 200e-6  # how far a clock may be from its nominal rate while it is not measured yet
RATE_OFF = 0.02  # spans that make the rate stray further are full of losses: the nominal one is taken
NOISES = 8.0  # a rise of the envelope by less than this many times its own noise is no loss
LEAST = 0.5  # samples: half of the smallest loss


@dataclass
class Envelope:
    """The earliest stamp of every second: how fast the stream runs, and how much its envelope moves by itself.

    Attributes
    ----------
    sfreq : float
        Nominal rate, Hz.
    rows, stamps : list
        Number of the row with the earliest stamp of each block, and that stamp in seconds.
    """

    sfreq: float
    rows: list[int] = field(default_factory=list)
    stamps: list[float] = field(default_factory=list)
    n: int = 0
    _rest: Floats = field(default_factory=lambda: np.empty(0))

    def take(self, stamps: Floats) -> None:
        """Go on with the stamps of a chunk, shape (n_samples,)."""
        rest = np.concatenate([self._rest, stamps])
        size = max(1, round(BLOCK_S * self.sfreq))
        whole = len(rest) // size * size
        blocks = rest[:whole].reshape(-1, size)
        first = np.argmin(blocks - np.arange(size) / self.sfreq, axis=1) + np.arange(len(blocks)) * size
        self.rows += (self.n + first).tolist()
        self.stamps += rest[first].tolist()
        self.n, self._rest = self.n + whole, rest[whole:]

    @property
    def rate(self) -> float | None:
        """Samples per second, measured; None in a stream that is too short, or too full of losses."""
        if len(self.rows) * BLOCK_S < MIN_FIT_S:
            return None
        rows, stamps = np.array(self.rows, np.float64), np.array(self.stamps)
        apart = stamps[SPAN:] - stamps[:-SPAN]
        rates = (rows[SPAN:] - rows[:-SPAN])[apart > 0] / apart[apart > 0]
        rate = float(np.median(rates)) if len(rates) else 0.0
        return rate if abs(rate / self.sfreq - 1) <= RATE_OFF else None

    def noise(self, rate: float) -> float:
        """Return by how many samples the envelope moves from one block to the next while nothing is lost; ``rate`` in Hz."""
        if len(self.rows) < 3:
            return 0.0
        late = np.array(self.stamps) * rate - np.array(self.rows)
        return MAD_TO_SD * float(np.median(np.abs(np.diff(late) - np.median(np.diff(late)))))


def steps_of(stamps: Floats, sfreq: float, envelope: Envelope | None = None) -> Integers:
    """Return by how many samples each row is after the one before: 1, and more where the envelope rose for good.

    Parameters
    ----------
    stamps : ndarray, shape (n_samples,)
        Seconds, finite, in the order of arrival.
    sfreq : float
        Nominal rate, Hz.
    envelope : Envelope, optional
        Of the stream so far, where ``stamps`` are its newest seconds only.

    Returns
    -------
    ndarray of int, shape (n_samples - 1,)
        A loss stands at the last early stamp before it: in a stream of packets that is between two of them.
    """
    steps = np.ones(max(0, len(stamps) - 1), dtype=np.int64)
    if not len(steps):
        return steps
    if envelope is None:
        envelope = Envelope(sfreq)
        envelope.take(stamps)
    for at, n in _rises(stamps, sfreq, envelope):
        steps[at] += n
    return steps


def _rises(stamps: Floats, sfreq: float, envelope: Envelope) -> Iterator[tuple[int, int]]:
    """Yield the row before each loss, and its size in samples."""
    rate, reach = envelope.rate, max(1, round(LEVEL_S * sfreq))
    late = (stamps - stamps[0]) * (rate or sfreq) - np.arange(len(stamps))
    limit = max(LEAST, NOISES * envelope.noise(rate or sfreq)) + (0.0 if rate else 2 * CRYSTAL * reach)
    before, after = floors(late, reach)
    hold, pos, end = max(1, round(HOLD_S * sfreq)), 0, len(late) - 1
    while pos < end:
        first = _first_rise(late, before, after, pos, reach, limit)
        if first is None:
            return
        level, seen = _level(late[max(pos, first + 1 - reach) : first + 1], sfreq, limit), min(first + hold, end - 1)
        rise = _stays(late, stamps, seen, reach) - level
        at = first + int(np.flatnonzero(late[first : seen + 1] < level + rise / 2)[-1:].sum())
        young = end - at < YOUNG_S * sfreq
        lost = rise > (limit + _height(late, after, first, reach) + TRUST_S * sfreq if young else limit)
        if lost:
            yield at, round(rise)
        pos = max(at, seen if lost else 0) + 1


def floors(late: Floats, reach: int) -> tuple[Floats, Floats]:
    """Return the lowest of the ``reach`` rows up to each row but the last, and of as many after it."""
    padded = np.concatenate([np.full(reach, np.inf), late, np.full(reach, np.inf)])
    # centred on row i, a window of `reach` rows covers i - reach // 2 .. i + (reach - 1) // 2
    lowest = ndimage.minimum_filter1d(padded, reach)
    to = np.arange(len(late) - 1) + reach
    return lowest[to - (reach - 1) // 2], lowest[to + 1 + reach // 2]


def _first_rise(late: Floats, before: Floats, after: Floats, pos: int, reach: int, limit: float) -> int | None:
    """Return the first row from ``pos`` on after which the floor is higher; rows before ``pos`` are another level's."""
    near = np.minimum.accumulate(late[pos : min(pos + reach, len(after))])
    found = np.flatnonzero(after[pos : pos + len(near)] - near > limit)
    if len(found):
        return pos + int(found[0])
    pos += len(near)
    size = 16 * reach
    for start in range(pos, len(after), size):
        found = np.flatnonzero(after[start : start + size] - before[start : start + size] > limit)
        if len(found):
            return start + int(found[0])
    return None


def _level(late: Floats, sfreq: float, limit: float) -> float:
    """Return where the stream stood: its floor, unless that is one stamp that is wrong."""
    size = max(1, round(BLOCK_S * sfreq))
    lowest = np.sort(np.minimum.reduceat(late[::-1], np.arange(0, len(late), size)))
    alone = len(lowest) > 1 and lowest[1] - lowest[0] > limit
    return float(lowest[int(alone)])


def _stays(late: Floats, stamps: Floats, at: int, reach: int) -> float:
    """Return the floor after row ``at``, over as many rows as it takes to see the end of a long stall's burst."""
    over = int(np.searchsorted(stamps, stamps[at + 1] + LEVEL_S))
    return float(late[at + 1 : max(at + 1 + reach, over)].min())


def _height(late: Floats, after: Floats, at: int, reach: int) -> float:
    """Return how high packets rise above the floor before row ``at``."""
    first = max(0, at - reach)
    return float(np.median(late[first:at] - after[first:at])) * 2 if at > first else 0.0
