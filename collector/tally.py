"""What has come of one stream so far: how much, how fast, what was lost, and the newest values."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.losses import Losses
from collector.xdf import FORMATS, StreamHeader

SHOWN = 64  # values of the newest sample that the operator is sent
_RATE_CHUNKS = 20  # the shown rate is the mean over about 5 s
_LOSSES_S = 0.5  # how often losses are counted: the operator is told twice a second


class Stillness:
    """Counts, for each channel, the samples up to the newest that all had its value.

    Parameters
    ----------
    n_channels : int
        Of the stream.

    Examples
    --------
    >>> still = Stillness(2)
    >>> still.take(np.array([[1.0, 5], [2, 5], [2, 5]]))
    >>> still.take(np.array([[2.0, 5], [2, 6]]))
    >>> still.n.tolist()
    [4, 1]
    """

    def __init__(self, n_channels: int) -> None:
        self.n = np.zeros(n_channels, np.int64)
        self._value = np.full(n_channels, np.nan)

    def take(self, values: NDArray[Any]) -> None:
        """Go on with a chunk, shape (n_samples, n_channels), at least one sample; what is no number moves."""
        newest = values[-1]
        moved = values != newest  # exactly: any amplifier has noise of its own
        trailing = np.where(moved.any(axis=0), np.argmax(moved[::-1], axis=0), len(values))
        goes_on = (trailing == len(values)) & (newest == self._value)
        self.n = np.where(goes_on, self.n + len(values), trailing)  # a new array: another thread may look at the old one
        self._value = newest.copy()


class Tally:
    """Counts one stream of a file; several inlets may feed it one after the other.

    Parameters
    ----------
    header : StreamHeader
        Its labels name the counter.
    now : callable
        The LSL clock.
    counter : str or None
        Label of the sample counter, where the stream may have one.
    moves : bool
        Whether its channels should move, and it is counted for how long they stand still.
    """

    def __init__(
        self, header: StreamHeader, *, now: Callable[[], float], counter: str | None, moves: bool = False
    ) -> None:  # fmt: skip
        self._now = now
        self._numbers = FORMATS[header.format] is not None
        self._sfreq = header.sfreq
        self._still = Stillness(header.n_channels) if moves and self._numbers and header.sfreq else None
        self._counter = header.labels.index(counter) if counter in header.labels and header.sfreq else None
        self._losses = Losses(header.sfreq) if self._counter is not None and self._numbers else None
        self._uncounted: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._counted_at = now()
        self._heard: deque[tuple[float, int]] = deque(maxlen=_RATE_CHUNKS)
        self._newest: NDArray[Any] | None = None
        self.n = 0

    def take(self, stamps: NDArray[np.float64], values: Any) -> None:
        """Go on with a chunk: stamps, shape (n_samples,), and values, shape (n_samples, n_channels) or lists of text."""
        t = self._now()
        self.n += len(stamps)
        self._heard.append((t, self.n))
        if not self._numbers:
            return
        self._newest = values[-1, :SHOWN].copy()
        if self._still is not None:
            self._still.take(values)
        if self._losses is not None:
            self._uncounted.append((np.array(values[:, self._counter], np.float64), stamps))
            if t - self._counted_at >= _LOSSES_S:
                self._count(self._losses)

    @property
    def last(self) -> tuple[float, ...]:
        """The newest sample's first values."""
        newest = self._newest
        return tuple(newest.astype(np.float64).tolist()) if newest is not None else ()

    @property
    def n_lost(self) -> int | None:
        """Samples that never arrived; None for a stream without a counter."""
        return self._losses.n if self._losses is not None else None

    @property
    def still_s(self) -> NDArray[np.float64] | None:
        """For how long each channel has not moved, seconds of samples, shape (n_channels,); None where nobody asks."""
        return self._still.n / self._sfreq if self._still is not None else None

    @property
    def rate_hz(self) -> float:
        """Samples per second, of late."""
        heard = list(self._heard)
        if len(heard) < 2 or heard[-1][0] <= heard[0][0]:
            return 0.0
        return (heard[-1][1] - heard[0][1]) / (heard[-1][0] - heard[0][0])

    def _count(self, losses: Losses) -> None:
        self._counted_at = self._now()
        counters, stamps = zip(*self._uncounted, strict=True)
        self._uncounted.clear()
        losses.take(np.concatenate(counters), np.concatenate(stamps))
