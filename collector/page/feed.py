"""What the page hears of LSL by itself: inlets of its own for the EEG and the markers, in a thread of their own.

The recording knows nothing of it. Which outlets are meant the collector's status says, by uid: the page shows what is recorded,
never its double.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import pylsl

from collector.page.ring import KEPT_S, Ring
from collector.page.signals import Floats
from protocol.messages import Status

log = logging.getLogger(__name__)

LOOK_S = 0.08  # between two looks for samples: each tick of the page finds new ones
SEEK_S = 0.5  # between two looks for streams
AGAIN_S = 2.0  # an outlet that was lost is tried again after this, as long as the status names it
OPEN_S = 5.0
ELSEWHERE_S = 2.0  # stamps further from now than this are on a clock of their own: they are moved to where they arrive
VALUES_PER_PULL = 1 << 16


class Mark(NamedTuple):
    """A marker: LSL seconds and its text."""

    t: float
    text: str


class Inlet(Protocol):
    """One open stream."""

    labels: tuple[str, ...]
    sfreq: float

    def pull(self) -> tuple[Floats, Floats] | list[Mark]:
        """Return what has come, at once.

        Raises
        ------
        LostError
            When there will be no more.
        """

    def close(self) -> None:
        """Close."""


class LostError(Exception):
    """A stream is gone."""


def uids(status: Status | None) -> dict[str, str]:
    """Return the uid of the EEG and of the markers that are recorded; one that came back is listed last."""
    streams = status.streams if status else ()
    return {stream.kind: stream.uid for stream in streams if stream.kind in ("eeg", "markers")}


class Feed:
    """Follows the EEG and the markers of the recording. Any thread may look.

    Parameters
    ----------
    status : callable
        The newest status of the collector.
    now : callable
        The LSL clock.
    opener : callable, optional
        From uids to the inlets that could be opened.
    """

    def __init__(
        self, status: Callable[[], Status | None], *, now: Callable[[], float],
        opener: Callable[[str], Inlet | None] | None = None,
    ) -> None:  # fmt: skip
        self._status, self._now, self._open = status, now, opener or Opener(now)
        self.lock = threading.Lock()
        """Held while samples are added; hold it while you look."""
        self.ring: Ring | None = None
        """Of the EEG; another object for another stream."""
        self.marks: deque[Mark] = deque(maxlen=200)
        self.jobs: list[Callable[[], None]] = []
        """What is done after each look, in the feed's thread."""
        self._inlets: dict[str, tuple[str, Inlet]] = {}
        self._tried: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to follow; may be asked for more than once."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(OPEN_S)

    def age_s(self) -> float | None:
        """Return the seconds since the newest sample of the EEG was made, None before the first."""
        ring = self.ring
        return None if ring is None or ring.t_last is None else self._now() - ring.t_last

    def _run(self) -> None:
        sought = float("-inf")
        while not self._stopping.wait(LOOK_S):
            try:
                if self._now() - sought >= SEEK_S:
                    sought = self._now()
                    self.seek()
                self.look()
                for job in self.jobs:
                    job()
            except Exception:  # the edge of a thread: traces that stand still unsaid would look like a dead headset
                log.exception("signals are not shown")
                self._stopping.wait(AGAIN_S)
        for _, inlet in self._inlets.values():
            inlet.close()

    def seek(self) -> None:
        """Open what the status names and is not open; close what it no longer names."""
        wanted = uids(self._status())
        for kind, uid in wanted.items():
            current = self._inlets.get(kind)
            if current is not None and current[0] == uid:
                continue
            if self._now() - self._tried.get(uid, float("-inf")) < AGAIN_S:
                continue
            self._tried[uid] = self._now()
            inlet = self._open(uid)
            if inlet is None:
                continue
            if current is not None:
                current[1].close()
            self._inlets[kind] = uid, inlet
            if kind == "eeg":
                self.ring = Ring(inlet.labels, inlet.sfreq)

    def look(self) -> None:
        """Take what has come."""
        for kind, (uid, inlet) in list(self._inlets.items()):
            try:
                taken = inlet.pull()
            except LostError:
                log.info("%s: the page lost stream %s", kind, uid)
                inlet.close()
                del self._inlets[kind]
                self._tried[uid] = self._now()
                continue
            with self.lock:
                self._keep(taken)

    def _keep(self, taken: tuple[Floats, Floats] | list[Mark]) -> None:
        if isinstance(taken, list):
            self.marks.extend(taken)
            while self.marks and self.marks[0].t < self._now() - KEPT_S:
                self.marks.popleft()
        elif self.ring is not None:
            self.ring.take(*taken)


class Opener:
    """Opens LSL inlets by uid."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._resolver = pylsl.ContinuousResolver()

    def __call__(self, uid: str) -> Inlet | None:
        """Open one; None where it cannot be found or does not answer."""
        info = next((i for i in self._resolver.results() if i.uid() == uid), None)
        if info is None:
            return None
        try:
            return LslInlet(info, now=self._now)
        except (pylsl.util.TimeoutError, pylsl.util.LostError, OSError) as error:
            log.info("stream %s: %s", info.name(), error)
            return None


class LslInlet:
    """An inlet for display: times on this computer's clock, whatever the format, nothing recovered behind our back."""

    def __init__(self, info: pylsl.StreamInfo, *, now: Callable[[], float]) -> None:
        self._now, self._texts = now, info.channel_format() == pylsl.cf_string
        # on one computer there is one clock: to measure it would only add what a loaded machine is late by
        flags = 0 if info.hostname() == socket.gethostname() else pylsl.proc_clocksync
        self._inlet = pylsl.StreamInlet(info, max_buflen=round(KEPT_S), recover=False, processing_flags=flags)
        full = self._inlet.info(timeout=OPEN_S)
        names = full.get_channel_labels() or []
        self.labels = tuple(name or f"{n + 1}" for n, name in enumerate(names))[: info.channel_count()]
        self.sfreq = float(info.nominal_srate())
        self.labels += tuple(f"{n + 1}" for n in range(len(self.labels), info.channel_count()))
        self._at_once = max(1, VALUES_PER_PULL // info.channel_count())
        self._shift: float | None = None

    def pull(self) -> tuple[Floats, Floats] | list[Mark]:
        """Return what has come, at once; raises :class:`LostError` when there will be no more."""
        try:
            values, stamps = self._inlet.pull_chunk(timeout=0.0, max_samples=self._at_once, as_numpy=True)
        except pylsl.util.LostError as error:
            raise LostError from error
        times = np.asarray(stamps, np.float64)
        if len(times) and self._shift is None:
            off = self._now() - times[-1]
            self._shift = off if abs(off) > ELSEWHERE_S else 0.0
        times = times + (self._shift or 0.0)
        if self._texts:
            return [Mark(t, row[0].decode("utf-8", "replace")) for t, row in zip(times.tolist(), values, strict=True)]
        return times, np.asarray(values, np.float64).reshape(len(times), len(self.labels))

    def close(self) -> None:
        """Close."""
        self._inlet.close_stream()
