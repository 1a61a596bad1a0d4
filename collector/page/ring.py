"""The last seconds of one stream, and of the markers: what traces and spectra are drawn from."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from collector.page.signals import Floats

KEPT_S = 10.0


class Ring:
    """Keeps the newest samples of a stream.

    Parameters
    ----------
    labels : sequence of str
        Of its channels.
    sfreq : float
        Nominal samples a second.
    """

    def __init__(self, labels: Sequence[str], sfreq: float) -> None:
        self.labels, self.sfreq = tuple(labels), sfreq
        self._at = {label: n for n, label in reversed(list(enumerate(labels)))}  # the first of two of one name
        self._chunks: deque[tuple[Floats, Floats]] = deque()
        self.n = 0
        """How many samples have come in all."""

    @property
    def t_last(self) -> float | None:
        """LSL seconds of the newest sample, None before the first."""
        return float(self._chunks[-1][0][-1]) if self._chunks else None

    def take(self, stamps: Floats, values: Floats) -> None:
        """Add samples, shapes (n_times,) and (n_times, n_channels), and forget those older than :data:`KEPT_S`."""
        if not len(stamps):
            return
        self._chunks.append((stamps, values))
        self.n += len(stamps)
        while self._chunks and self._chunks[0][0][-1] < stamps[-1] - KEPT_S:
            self._chunks.popleft()

    def newest(self, seconds: float, labels: Sequence[str]) -> tuple[Floats, Floats]:
        """Return stamps (n_times,) and values (n_times, n_labels) of the last seconds; unknown labels are an error."""
        columns = [self._at[label] for label in labels]
        since = (self.t_last or 0.0) - seconds
        found = [(t, v[:, columns]) for t, v in self._chunks if t[-1] > since]
        if not found:
            return np.zeros(0), np.zeros((0, len(columns)))
        stamps, values = np.concatenate([t for t, _ in found]), np.concatenate([v for _, v in found])
        return stamps[stamps > since], values[stamps > since]

    def since(self, n: int, labels: Sequence[str]) -> tuple[Floats, Floats]:
        """Return the samples that came after the ``n``-th, as far as they are kept; shapes as :meth:`newest`."""
        columns = [self._at[label] for label in labels]
        found: list[tuple[Floats, Floats]] = []
        missing = self.n - n
        for stamps, values in reversed(self._chunks):
            if missing <= 0:
                break
            found.insert(0, (stamps[-missing:], values[-missing:, columns]))
            missing -= len(stamps)
        if not found:
            return np.zeros(0), np.zeros((0, len(columns)))
        return np.concatenate([t for t, _ in found]), np.concatenate([v for _, v in found])
