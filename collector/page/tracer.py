"""From samples to what is drawn of them: filtered, in columns of pixels, a page of channels at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from collector.page.feed import Feed
from collector.page.ring import KEPT_S, Ring
from collector.page.signals import HOLD_S, Columns, Filter, Floats, Strip, columns_hz

PER_PAGE = 32
TENTHS = 10.0  # values are sent as whole tenths of a microvolt: short texts
MOST = 32_000  # tenths of a microvolt: what is beyond leaves every screen


@dataclass(frozen=True)
class Settings:
    """What the operator chose."""

    band: bool = True
    notch: bool = True
    page: int = 0


@dataclass
class _Drawn:
    """What is being drawn: of one stream, with one choice of filters and channels."""

    ring: Ring
    settings: Settings
    names: tuple[str, ...]
    filter: Filter
    columns: Columns
    scale: float
    n: int = 0
    strips: list[Strip] = field(default_factory=list)
    t: float | None = None


class Tracer:
    """Cuts the feed's EEG into columns; used from the feed's thread, but for :meth:`payload` and what the operator chooses.

    Parameters
    ----------
    feed : Feed
        The samples.
    channels : callable
        From a stream's labels to those that are drawn, the factor to microvolts, and the frequencies of the mains.
    now : callable
        The LSL clock.
    """

    def __init__(
        self, feed: Feed, *, channels: Callable[[Sequence[str]], tuple[list[str], float, tuple[float, ...]]],
        now: Callable[[], float],
    ) -> None:  # fmt: skip
        self._feed, self._channels, self._now = feed, channels, now
        self._lock = threading.Lock()
        self._settings, self._again = Settings(), True
        self._drawn: _Drawn | None = None
        self._all: list[str] = []
        self._epoch = 0
        self._line: tuple[float, ...] = ()

    @property
    def settings(self) -> Settings:
        """What the operator chose."""
        return self._settings

    def choose(self, **chosen: Any) -> None:
        """Take the operator's choice of :class:`Settings`; everything is drawn anew."""
        self._settings = replace(self._settings, **chosen)
        self._again = True

    def again(self) -> None:
        """Draw everything anew, for a browser that has nothing yet."""
        self._again = True

    def step(self) -> None:
        """Cut what has come since the last step."""
        ring = self._feed.ring
        if ring is None:
            return
        with self._lock:
            drawn = self._drawn
            if drawn is None or self._again or drawn.ring is not ring:
                drawn = self._begin(ring)
            with self._feed.lock:
                stamps, values = ring.since(drawn.n, drawn.names)
                drawn.n = ring.n
            if len(stamps):
                self._cut(drawn, stamps, values * drawn.scale)

    def _begin(self, ring: Ring) -> _Drawn:
        self._again, self._epoch = False, self._epoch + 1
        self._all, scale, self._line = self._channels(ring.labels)
        pages = self.pages
        self._settings = replace(self._settings, page=self._settings.page % pages)
        chosen = self._settings
        names = tuple(self._all[chosen.page * PER_PAGE : (chosen.page + 1) * PER_PAGE])
        filter_ = Filter(ring.sfreq, band=chosen.band, notch=self._line if chosen.notch else ())
        self._drawn = _Drawn(ring, chosen, names, filter_, Columns(columns_hz(ring.sfreq)), scale)
        return self._drawn

    @property
    def pages(self) -> int:
        """How many pages of channels there are."""
        return max(1, -(-len(self._all) // PER_PAGE))

    def _cut(self, drawn: _Drawn, stamps: Floats, values: Floats) -> None:
        """Filter and cut; after a gap the filter begins anew, or its ringing would be drawn as EEG."""
        holes = np.flatnonzero(np.diff(stamps, prepend=stamps[0] if drawn.t is None else drawn.t) > HOLD_S)
        for part_t, part in zip(np.split(stamps, holes), np.split(values, holes), strict=True):
            if not len(part_t):
                continue
            if drawn.t is not None and part_t[0] - drawn.t > HOLD_S:
                drawn.filter.forget()
            strip = drawn.columns.take(part_t, drawn.filter.take(part))
            if strip is not None and len(strip.low):
                drawn.strips.append(strip)
            drawn.t = float(part_t[-1])

    def payload(self) -> dict[str, Any] | None:
        """Return the columns that were finished since the last call; None where there is no stream."""
        with self._lock:
            drawn = self._drawn
            if drawn is None:
                return None
            strips, drawn.strips = drawn.strips, []
        with self._feed.lock:
            marks = list(self._feed.marks)
        rate = drawn.columns.rate
        return {
            "t": drawn.t,
            "epoch": self._epoch,
            "rate": rate,
            "seconds": KEPT_S,
            "names": drawn.names,
            "now": round(self._now() * rate),
            "marks": [[round(mark.t * rate), mark.text] for mark in marks],
            "band": drawn.settings.band,
            "notch": drawn.settings.notch,
            "line": self._line,
            "page": drawn.settings.page,
            "pages": self.pages,
            **_numbers(strips),
        }


def _numbers(strips: list[Strip]) -> dict[str, Any]:
    """Return strips that follow each other as whole numbers: ``low`` and ``high`` per channel, ``gaps`` as column offsets."""
    for n in range(len(strips) - 1, 0, -1):
        if strips[n].first != strips[n - 1].first + len(strips[n - 1].low):
            strips = strips[n:]  # the clock leapt: what was before is off the screen
            break
    if not strips:
        return {"first": 0, "low": [], "high": [], "gaps": []}
    low, high = np.concatenate([s.low for s in strips]), np.concatenate([s.high for s in strips])
    gaps = np.flatnonzero(np.isnan(low).any(axis=1)).tolist() if low.size else []
    return {"first": strips[0].first, "low": _tenths(low), "high": _tenths(high), "gaps": gaps}


def _tenths(values: Floats) -> list[list[int]]:
    whole: list[list[int]] = np.clip(np.round(np.nan_to_num(values) * TENTHS), -MOST, MOST).astype(np.int32).T.tolist()
    return whole
