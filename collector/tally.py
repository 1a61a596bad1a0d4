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
    """

    def __init__(self, header: StreamHeader, *, now: Callable[[], float], counter: str | None) -> None:
        self._now = now
        self._numbers = FORMATS[header.format] is not None
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
