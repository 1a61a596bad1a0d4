"""What is measured of LSL: which streams are there, and for some seconds every sample of the wanted ones, with its arrival."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pylsl
from numpy.typing import NDArray

from collector.wanted import Wanted, fits
from collector.xdf import FORMATS, StreamHeader, XdfError, parse_header

FIND_S = 5.0  # LSL finds what is there within 1.5 s; a busy machine takes longer
SETTLE_S = 1.5  # LSL asks every 0.5 s and not all answer at once: a second stream of the same name may be a little later
LISTEN_S = 3.0  # six readings of contact quality, 384 samples at 128 Hz
_FIRST_S = 5.0  # a burst of Chunk mode comes every 2 s
_OPEN_S = 4.0
_CLOCK_S = 4.0  # the first measurement of a clock takes 0.64 s
_LOOK_S = 0.1  # between two looks at LSL's list
_PULL_S = 0.01  # between two looks into an inlet: bursts are told by when they arrive
_VALUES = 1 << 15  # at one pull
_LOOKS = 3000  # into one inlet, at most

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """A stream as it was resolved."""

    name: str
    type: str
    host: str
    source_id: str
    uid: str
    n_channels: int
    sfreq: float

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.name} (type {self.type}, {self.n_channels} channels, {self.sfreq:g} Hz, host {self.host})"


@dataclass(frozen=True)
class Heard:
    """What came of one stream.

    Parameters
    ----------
    header : StreamHeader
        As its outlet describes it.
    stamps : ndarray, shape (n,)
        As sent, seconds on the sender's clock.
    values : ndarray, shape (n, n_channels)
        Numbers; shape (n, 0) for a stream of texts.
    arrivals : ndarray, shape (n_looks, 2)
        LSL seconds of each look that found samples, and how many.
    stall_s : float
        The longest time between two looks: what this computer did not look at cannot be held against the stream.
    watched_s : float
        From the first sample to the end.
    offset_s : float or None
        What must be added to the stamps to have our clock; None where it could not be measured.
    """

    header: StreamHeader
    stamps: Floats
    values: Floats
    arrivals: Floats
    stall_s: float
    watched_s: float
    offset_s: float | None

    @property
    def n(self) -> int:
        """How many samples."""
        return len(self.stamps)


@dataclass(frozen=True)
class Answer:
    """What became of one wanted stream: those that fit it, what was heard of the only one, or why it could not be reached."""

    wanted: Wanted
    fitting: tuple[Seen, ...]
    heard: Heard | None = None
    error: str = ""


@dataclass(frozen=True)
class Network:
    """All that was seen: every stream, how long our own took to be found (None: never), the LSL session, the answers."""

    seen: tuple[Seen, ...]
    own_s: float | None
    session: str
    answers: tuple[Answer, ...]


def listen(
    wanted: Sequence[Wanted], *, listen_s: float = LISTEN_S, find_s: float = FIND_S, settle_s: float = SETTLE_S
) -> Network:
    """Look for streams and listen to the wanted ones, all at the same time.

    Parameters
    ----------
    wanted : sequence of Wanted
        To be listened to; one that several streams fit, or none, is not.
    listen_s, find_s, settle_s : float
        Seconds: from the first sample on; for the required ones to appear; for copies to appear.
    """
    own = pylsl.StreamInfo(f"emolab-doctor-{uuid.uuid4().hex[:12]}", "Doctor", 1, 0, pylsl.cf_string, uuid.uuid4().hex)
    outlet = pylsl.StreamOutlet(own)
    me = outlet.get_info()
    infos, own_s = _resolved(wanted, me.uid(), find_s=find_s, settle_s=settle_s)
    with ThreadPoolExecutor(max(1, len(wanted))) as pool:
        answers = tuple(pool.map(lambda w: _answer(w, infos, listen_s), wanted))
    return Network(tuple(sorted(map(_seen, infos), key=str)), own_s, me.session_id(), answers)


def _resolved(
    wanted: Sequence[Wanted], own: str, *, find_s: float, settle_s: float
) -> tuple[list[pylsl.StreamInfo], float | None]:
    """Look until all required streams and our own are there, at least ``settle_s`` and at most ``find_s``."""
    resolver, waiting = pylsl.ContinuousResolver(), threading.Event()
    began, own_s = pylsl.local_clock(), None
    while True:
        waiting.wait(_LOOK_S)
        t, found = pylsl.local_clock() - began, {info.uid(): info for info in resolver.results()}
        own_s = t if own_s is None and own in found else own_s
        infos = [info for uid, info in found.items() if uid != own]
        there = all(any(fits(w.description, info) for info in infos) for w in wanted if w.required)
        if t >= find_s or (t >= settle_s and there and own_s is not None):
            return infos, own_s


def _seen(info: pylsl.StreamInfo) -> Seen:
    return Seen(
        info.name(), info.type(), info.hostname(), info.source_id(), info.uid(), info.channel_count(), info.nominal_srate()
    )  # fmt: skip


def _answer(wanted: Wanted, infos: Sequence[pylsl.StreamInfo], listen_s: float) -> Answer:
    fitting = [info for info in infos if fits(wanted.description, info)]
    seen = tuple(map(_seen, fitting))
    if len(fitting) != 1:
        return Answer(wanted, seen)
    try:
        return Answer(wanted, seen, hear(fitting[0], listen_s))
    except (pylsl.util.TimeoutError, pylsl.util.LostError, XdfError) as error:
        return Answer(wanted, seen, error=str(error) or type(error).__name__)


def hear(info: pylsl.StreamInfo, listen_s: float) -> Heard:
    """Take every sample of one stream for ``listen_s`` seconds from the first one on.

    Raises
    ------
    pylsl.util.TimeoutError, pylsl.util.LostError
        When it cannot be reached.
    XdfError
        When it does not describe itself.
    """
    inlet = pylsl.StreamInlet(info, recover=False)
    inlet.open_stream(timeout=_OPEN_S)
    header = parse_header(inlet.info(timeout=_OPEN_S).as_xml())
    offsets: list[float] = []
    measuring = threading.Thread(target=_measure, args=(inlet, offsets), name=f"clock of {header.name}", daemon=True)
    measuring.start()
    ear = _Ear(inlet, header)
    ear.take(listen_s)
    measuring.join(_CLOCK_S)
    inlet.close_stream()
    return ear.heard(offsets[0] if offsets else None)


def _measure(inlet: pylsl.StreamInlet, into: list[float]) -> None:
    try:
        into.append(float(inlet.time_correction(timeout=_CLOCK_S)))
    except (pylsl.util.TimeoutError, pylsl.util.LostError, RuntimeError):
        return  # not measured is a finding, not an error


class _Ear:
    """Looks into one inlet again and again."""

    def __init__(self, inlet: pylsl.StreamInlet, header: StreamHeader) -> None:
        self._inlet, self._header = inlet, header
        self._numbers = FORMATS[header.format] is not None
        self._stamps: list[Floats] = []
        self._values: list[Floats] = []
        self._arrivals: list[tuple[float, int]] = []
        self._stall_s = self._watched_s = 0.0

    def take(self, listen_s: float) -> None:
        waiting, last = threading.Event(), pylsl.local_clock()
        first, until = None, last + _FIRST_S
        for _ in range(_LOOKS):
            waiting.wait(_PULL_S)
            n, t = self._pull(), pylsl.local_clock()
            self._stall_s, last = max(self._stall_s, t - last), t
            if n:
                self._arrivals.append((t, n))
                if first is None:
                    first, until = t, t + listen_s
            if t >= until:
                break
        self._watched_s = 0.0 if first is None else last - first

    def _pull(self) -> int:
        at_once = max(1, _VALUES // self._header.n_channels)
        values, stamps = self._inlet.pull_chunk(timeout=0.0, max_samples=at_once, as_numpy=self._numbers)
        if len(stamps):
            self._stamps.append(np.array(stamps, np.float64))
            self._values.append(np.array(values, np.float64) if self._numbers else np.zeros((len(stamps), 0)))
        return len(stamps)

    def heard(self, offset_s: float | None) -> Heard:
        n_channels = self._header.n_channels if self._numbers else 0
        return Heard(
            self._header, np.concatenate([np.zeros(0), *self._stamps]),
            np.concatenate([np.zeros((0, n_channels)), *self._values]),
            np.array(self._arrivals, np.float64).reshape(-1, 2), self._stall_s, self._watched_s, offset_s,
        )  # fmt: skip
