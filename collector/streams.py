"""LSL streams: which ones the study needs, which ones are there, and a thread for each that takes its samples."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pylsl
from numpy.typing import NDArray

from collector.clocks import Offset
from collector.losses import Losses
from collector.xdf import FORMATS, StreamHeader, XdfError, declare_drops, parse_header
from collector.xdf.codec import Values
from protocol import markers
from protocol.messages import StreamStatus
from protocol.study import Stream as Description
from protocol.study import Study

log = logging.getLogger(__name__)

PULL_S = 0.05  # how long samples wait in LSL's own buffer: 13 of them at 256 Hz make a chunk
BUFFER_S = 360  # LSL keeps this much for us while the disk stalls
_OPEN_S = 10.0
_MEASURE_S = 2.0  # the first measurement of a clock takes 0.64 s
_SILENT_S = 2.0
_SHOWN = 64  # values of the newest sample that the operator is sent
_VALUES_PER_PULL = 1 << 15  # a quarter of a megabyte; a stream of 64 channels at 2 kHz brings 6400 values in 50 ms
_TEXTS_PER_PULL = 256
_RATE_CHUNKS = 100  # the shown rate is the mean over about 5 s

Sink = Callable[[NDArray[np.float64], Values], None]


@dataclass(frozen=True)
class Wanted:
    """A stream to record.

    Parameters
    ----------
    kind : str
        What it is to us: ``eeg``, ``contact_quality``, ``eeg_quality``, ``markers``.
    description : Description
        How it is recognised.
    key : str
        Where in ``study.toml`` it is described.
    required : bool
        Recording does not begin without it.
    """

    kind: str
    description: Description
    key: str = ""
    required: bool = True

    def __str__(self) -> str:
        """Return the description in words."""
        asked = ", ".join(f"{k} = {v}" for k, v in self.description.model_dump().items() if v is not None)
        return f"{self.key} ({asked})" if self.key else asked


def wanted(study: Study, *, uid: str | None) -> tuple[Wanted, ...]:
    """Return what a study records; the window's markers are those of this session alone where its ``uid`` is known."""
    eeg = study.eeg
    devices = (
        ("eeg", eeg.stream, "eeg.stream"),
        ("contact_quality", eeg.contact_quality_stream, "eeg.contact_quality_stream"),
        ("eeg_quality", eeg.eeg_quality_stream, "eeg.eeg_quality_stream"),
    )
    own = Description(name=markers.STREAM_NAME, type=markers.STREAM_TYPE, source_id=f"emolab-{uid}" if uid else None)
    found = [Wanted(kind, description, key) for kind, description, key in devices if description is not None]
    return (*found, Wanted("markers", own, required=False))


def fits(description: Description, info: pylsl.StreamInfo) -> bool:
    """Tell whether a resolved stream is the one that is described."""
    pairs = (
        (description.name, info.name()), (description.type, info.type()),
        (description.host, info.hostname()), (description.source_id, info.source_id()),
    )  # fmt: skip
    return all(asked is None or asked == is_ for asked, is_ in pairs)


def in_words(infos: Sequence[pylsl.StreamInfo]) -> str:
    """List streams for a message."""
    said = sorted(
        f"{i.name()} (type {i.type()}, {i.channel_count()} channels, {i.nominal_srate():g} Hz, host {i.hostname()})"
        for i in infos
    )
    return "; ".join(said) or "none"


def whence(infos: Sequence[pylsl.StreamInfo]) -> str:
    """Say what tells streams of one name apart."""
    return " and ".join(sorted(f"host = {i.hostname()}, source_id = {i.source_id()}" for i in infos))


class Finder:
    """Looks for streams all the time, in LSL's own thread."""

    def __init__(self) -> None:
        self._resolver = pylsl.ContinuousResolver()

    def seen(self) -> list[pylsl.StreamInfo]:
        """Return the streams that answered within the last 5 s, at once."""
        found = {info.uid(): info for info in self._resolver.results()}
        return list(found.values())


def measure_offset(inlet: pylsl.StreamInlet, *, timeout_s: float = _MEASURE_S) -> Offset | None:
    """Measure the sender's clock; None where that did not succeed in time: an offset that was not measured is none."""
    from pylsl.lib import lib
    from pylsl.util import handle_error

    t_remote, rtt, error = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
    lib.lsl_time_correction_ex.restype = ctypes.c_double
    value = lib.lsl_time_correction_ex(
        inlet.obj, ctypes.byref(t_remote), ctypes.byref(rtt), ctypes.c_double(timeout_s), ctypes.byref(error)
    )
    try:
        handle_error(error)
    except RuntimeError as failed:  # the base of all that LSL raises; the next measurement may succeed
        log.info("clock offset not measured: %s", failed)
        return None
    offset = Offset(t_remote.value, float(value), rtt.value)
    return offset if np.isfinite([offset.t_remote, offset.value, offset.rtt]).all() else None


class Intake:
    """One stream: an inlet and the thread that empties it.

    Until :meth:`release` its samples are kept here, so that none is missed between the first and the start of the file.

    Parameters
    ----------
    info : pylsl.StreamInfo
        As resolved.
    kind : str
        What it is to us.
    now : callable
        The LSL clock.
    counter : str or None
        Label of the sample counter, if it is a stream with one.
    """

    def __init__(self, info: pylsl.StreamInfo, kind: str, *, now: Callable[[], float], counter: str | None = None) -> None:
        self.kind, self.uid, self.name, self._now, self._counter_label = kind, info.uid(), info.name(), now, counter
        self.sfreq = float(info.nominal_srate())
        self.inlet = pylsl.StreamInlet(info, max_buflen=BUFFER_S)
        self.header: StreamHeader | None = None
        self.xml = self.error = ""
        self.n, self.last, self.t_heard = 0, (), now()
        self._heard: deque[tuple[float, int]] = deque(maxlen=_RATE_CHUNKS)
        self._losses: Losses | None = None
        self._pending: list[tuple[NDArray[np.float64], Values]] = []
        self._sink: Sink | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lsl {self.name}", daemon=True)
        self._thread.start()

    last: tuple[float, ...]

    @property
    def flowing(self) -> bool:
        """Whether its header is known and a sample has come."""
        return self.header is not None and self.n > 0

    @property
    def silent_s(self) -> float:
        """For how long a stream with a rate may be silent before that is an alarm."""
        return max(_SILENT_S, 3 / self.sfreq) if self.sfreq else float("inf")

    def release(self, sink: Sink) -> None:
        """Hand over what was kept, and from now on whatever comes; ``sink`` is called from the stream's thread."""
        self._sink = sink

    def measure(self) -> Offset | None:
        """Measure its clock; not from its own thread, which would wait."""
        return measure_offset(self.inlet) if not self.error else None

    def ask_to_stop(self) -> None:
        """Begin to end, without waiting."""
        self._stopping.set()

    def stop(self) -> None:
        """Take what has still come in, then end."""
        self._stopping.set()
        self._thread.join(_OPEN_S)
        self.inlet.close_stream()

    def status(self) -> StreamStatus:
        """Return what the operator sees of it."""
        t = self._now()
        buffered = self.inlet.samples_available() / (BUFFER_S * (self.sfreq or 100)) if not self.error else 0.0
        return StreamStatus(
            name=self.name, uid=self.uid, kind=self.kind, sfreq_nominal_hz=self.sfreq, sfreq_hz=self._rate(),
            age_s=t - self.t_heard if self.n else None, buffer_frac=min(1.0, buffered), n=self.n,
            n_lost=self._losses.n if self._losses else None, last=self.last,
        )  # fmt: skip

    def _rate(self) -> float:
        heard = list(self._heard)
        if len(heard) < 2 or heard[-1][0] <= heard[0][0]:
            return 0.0
        return (heard[-1][1] - heard[0][1]) / (heard[-1][0] - heard[0][0])

    def _run(self) -> None:
        try:
            self.inlet.open_stream(timeout=_OPEN_S)
            info = self.inlet.info(timeout=_OPEN_S)
            self.xml = declare_drops(info.as_xml())
            self.header = parse_header(self.xml)
            self._prepare(self.header)
            while not self._stopping.is_set():
                if not self._pull():
                    self._stopping.wait(PULL_S)
            for _ in range(BUFFER_S):  # what has still come in
                if not self._pull():
                    break
            self._flush()
        except (pylsl.util.TimeoutError, pylsl.util.LostError, XdfError, OSError) as error:
            self.error = f"{self.name}: {error}"
            log.error("stream %s", self.error)
        except Exception as error:  # the edge of a thread: one that died unsaid would be missed by nobody
            self.error = f"{self.name}: {type(error).__name__}: {error}"
            log.error("stream %s", self.error, exc_info=True)

    def _prepare(self, header: StreamHeader) -> None:
        if self._counter_label in header.labels and header.sfreq:
            self._counter = header.labels.index(self._counter_label or "")
            self._losses = Losses(header.sfreq)
        dtype = FORMATS[header.format]
        self._at_once = _TEXTS_PER_PULL if dtype is None else max(1, _VALUES_PER_PULL // header.n_channels)
        self._buffer = None if dtype is None else np.empty((self._at_once, header.n_channels), dtype)

    def _pull(self) -> bool:
        """Take what is there; returns whether there may be more."""
        values, stamps = self.inlet.pull_chunk(timeout=0.0, max_samples=self._at_once, dest_obj=self._buffer, as_numpy=True)
        if len(stamps):
            self._take(np.asarray(stamps, np.float64), values)
        else:
            self._flush()
        return len(stamps) == self._at_once

    def _take(self, stamps: NDArray[np.float64], raw: NDArray[Any]) -> None:
        values: Values
        if self._buffer is None:
            # bytes that are no UTF-8 stay readable as \xff instead of ending the recording
            values = [[text.decode("utf-8", "backslashreplace") for text in row] for row in raw]
        else:
            values = raw
            self.last = tuple(float(v) for v in raw[-1, :_SHOWN])
        self.n += len(stamps)
        self.t_heard = self._now()
        self._heard.append((self.t_heard, self.n))
        if self._losses is not None:
            self._losses.take(np.asarray(raw[:, self._counter], np.float64), stamps)
        if self._sink is None:
            self._pending.append((stamps, values if isinstance(values, list) else values.copy()))
            return
        self._flush()
        self._sink(stamps, values)

    def _flush(self) -> None:
        if self._sink is not None and self._pending:
            for stamps, values in self._pending:
                self._sink(stamps, values)
            self._pending.clear()
