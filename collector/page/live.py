"""What the page's components share of the live signals: one feed, one montage, and the slow work on them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from collector.page import head
from collector.page.blinks import blinks, frontal
from collector.page.board import Board
from collector.page.feed import Feed
from collector.page.ring import KEPT_S, Ring
from collector.page.signals import Columns, Filter, Floats, columns_hz, mains, spectrum, spread
from collector.page.tracer import Tracer
from protocol.scene import Cap

log = logging.getLogger(__name__)

MAINS_HZ = (50.0, 60.0)  # where the study does not say which
MAINS_UV = 20.0  # as large as the EEG itself: the report complains of the same
SLOW_S = 1.0  # between two looks for blinks
DETAIL_S = 0.25  # between two pictures of one sensor
TRACE_S = 4.0  # of its trace
_UNKNOWN_CAP = Cap(montage="")


@dataclass(frozen=True)
class Detail:
    """One sensor, closely.

    Parameters
    ----------
    name : str
        Its label.
    low, high : ndarray, shape (n_columns,)
        Least and greatest value per column of pixels, microvolts.
    freqs, density : ndarray, shape (n_freqs,)
        Its spectrum, Hz and microvolts squared per Hz, without any filter.
    mains : tuple of (float, float)
        Frequency and root mean square in microvolts, for each mains that the rate can carry.
    spread : float
        Microvolts, filtered.
    """

    name: str
    low: Floats
    high: Floats
    freqs: Floats
    density: Floats
    mains: tuple[tuple[float, float], ...]
    spread: float


class Live:
    """The feed and what is made of it; one for a board.

    Parameters
    ----------
    board : Board
        What the launcher says.
    now : callable
        The LSL clock.
    feed : Feed
        The samples.
    montage : callable
        From a montage's name to positions by label; a ``ValueError`` means that there is none.
    """

    def __init__(
        self, board: Board, *, now: Callable[[], float], feed: Feed,
        montage: Callable[[str], dict[str, tuple[float, float, float]]] = head.montage,
    ) -> None:  # fmt: skip
        self.board, self.feed, self._now, self._montage = board, feed, now, montage
        self.tracer = Tracer(feed, channels=self.channels, now=now)
        self.positions: dict[str, tuple[float, float, float]] = {}
        """Of the study's montage, once it was read."""
        self.chosen = ""
        """Label of the sensor that the operator looks at."""
        self.detail: Detail | None = None
        self.blinks: Floats | None = None
        """When somebody blinked, LSL seconds; None where no frontal sensor sends."""
        self._read = ""
        self._slow_at = self._detail_at = float("-inf")
        feed.jobs.append(self.work)

    @property
    def cap(self) -> Cap:
        """What the study says of the cap."""
        scene = self.board.scene
        return (scene.cap if scene else None) or _UNKNOWN_CAP

    @property
    def screen(self) -> str:
        """Which screen is shown."""
        return self.board.scene.screen if self.board.scene else ""

    def now(self) -> float:
        """Return LSL seconds."""
        return self._now()

    def channels(self, labels: Sequence[str]) -> tuple[list[str], float, tuple[float, ...]]:
        """Return which labels are drawn, the factor to microvolts, and the frequencies of the mains."""
        return head.sensors(labels, self.cap, self.positions), self.scale, self.line

    @property
    def scale(self) -> float:
        """The factor from the stream's unit to microvolts."""
        return 1e6 if self.cap.units == "V" else 1.0

    @property
    def line(self) -> tuple[float, ...]:
        """The frequencies at which there may be mains, Hz."""
        return (float(self.cap.line_freq),) if self.cap.line_freq else MAINS_HZ

    def choose(self, name: str) -> None:
        """Look at one sensor; the empty name looks at none."""
        self.chosen, self.detail, self._detail_at = name, None, float("-inf")

    def work(self) -> None:
        """Do what takes time; in the feed's thread, after each look for samples."""
        if self.cap.montage and self.cap.montage != self._read:
            self._read_montage(self.cap.montage)
        if self.screen in ("contacts", "record"):
            self.tracer.step()
        ring, t = self.feed.ring, self._now()
        if self.screen != "contacts" or ring is None:
            return
        if t - self._slow_at >= SLOW_S:
            self._slow_at, self.blinks = t, self._blinks(ring)
        if self.chosen and t - self._detail_at >= DETAIL_S:
            self._detail_at, chosen = t, self.chosen
            detail = self._detail(ring, chosen)
            if chosen == self.chosen:
                self.detail = detail

    def _read_montage(self, name: str) -> None:
        self._read = name
        try:
            self.positions = self._montage(name)
        except ValueError as error:
            log.warning("montage %s: %s", name, error)
            self.positions = {}
        self.tracer.again()

    def _newest(self, ring: Ring, labels: Sequence[str]) -> tuple[Floats, Floats]:
        with self.feed.lock:
            stamps, values = ring.newest(KEPT_S, labels)
        return stamps, values * self.scale

    def _blinks(self, ring: Ring) -> Floats | None:
        labels = head.sensors(ring.labels, self.cap, self.positions)
        front = frontal(labels)
        if not front:
            return None
        stamps, values = self._newest(ring, labels)
        return blinks(stamps, values, ring.sfreq, front=front)

    def _detail(self, ring: Ring, name: str) -> Detail | None:
        label = next((one for one in ring.labels if one.lower() == name.lower()), None)
        if label is None:
            return None
        stamps, values = self._newest(ring, [label])
        settings = self.tracer.settings
        filter_ = Filter(ring.sfreq, band=settings.band, notch=self.line if settings.notch else ())
        filtered = filter_.take(values)
        recent = stamps > (stamps[-1] if len(stamps) else 0.0) - TRACE_S
        strip = Columns(columns_hz(ring.sfreq)).take(stamps[recent], filtered[recent])
        freqs, density = spectrum(values[:, 0], ring.sfreq)
        hums = ((hz, mains(freqs, density, hz)) for hz in self.line)
        empty = np.zeros(0)
        return Detail(
            name=name, low=strip.low[:, 0] if strip else empty, high=strip.high[:, 0] if strip else empty, freqs=freqs,
            density=density, mains=tuple((hz, hum) for hz, hum in hums if hum is not None),
            spread=float(spread(filtered[recent])[0]),
        )  # fmt: skip


_lock = threading.Lock()
_lives: dict[Board, Live] = {}


def live(board: Board) -> Live:
    """Return what belongs to a board; the feed begins with the first call."""
    with _lock:
        if board not in _lives:
            import pylsl

            feed = Feed(lambda: board.status, now=pylsl.local_clock)
            _lives[board] = Live(board, now=pylsl.local_clock, feed=feed)
            feed.start()
        return _lives[board]


def use(board: Board, one: Live) -> None:
    """Let a board have this one, as tests do."""
    with _lock:
        _lives[board] = one


def choice(event: Any, *known: str) -> dict[str, Any]:
    """Return what a browser sent, as far as the keys are known and the values small."""
    asked = event.args if isinstance(event.args, dict) else {}
    return {
        k: v for k, v in asked.items() if k in known and (isinstance(v, bool | int) or (isinstance(v, str) and len(v) <= 64))
    }
