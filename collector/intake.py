"""One LSL stream: an inlet pinned to one outlet, and the thread that empties it."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pylsl
from numpy.typing import NDArray

from collector.clocks import Offset
from collector.pump import Pump
from collector.tally import SHOWN, Tally
from collector.watch import is_silent, newest_s
from collector.xdf import FORMATS, StreamHeader, XdfError, declare_drops, parse_header
from collector.xdf.codec import Values
from protocol.messages import StreamStatus

log = logging.getLogger(__name__)

PULL_S = 0.25  # how long samples wait in LSL's own buffer: 64 of them at 256 Hz make a chunk; four looks a second are cheap
_EVENT_S = 0.05  # the same for streams without a rate: a marker may end the session
BUFFER_S = 360  # LSL keeps this much for us while the disk stalls
KEPT_S = 10.0  # what came before the file began: enough that nothing is missing at its start
_KEPT_EVENTS = 1000  # the same for streams without a rate
_OPEN_S = 5.0
_MEASURE_S = 2.0  # the first measurement of a clock takes 0.64 s
_VALUES_PER_PULL = 1 << 15  # a quarter of a megabyte; a stream of 64 channels at 2 kHz brings 6400 values in 50 ms
_TEXTS_PER_PULL = 256
_PULLS = 64  # in one look: after a stall there is more, and the other streams want their turn

Sink = Callable[[NDArray[np.float64], Values], None]


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
    """Takes what one outlet sends. It never looks for another one: who follows a lost outlet is not LSL's to decide.

    Until :meth:`release` the newest samples are kept here, so that none is missed at the start of the file.

    Parameters
    ----------
    info : pylsl.StreamInfo
        As resolved.
    kind : str
        What it is to us.
    now : callable
        The LSL clock.
    pump : Pump
        Looks again and again whether samples have come.
    counter : str or None
        Label of the sample counter, if it is a stream with one.
    """

    def __init__(
        self, info: pylsl.StreamInfo, kind: str, *, now: Callable[[], float], pump: Pump, counter: str | None = None
    ) -> None:
        self.kind, self.uid, self.name, self._now, self._counter = kind, info.uid(), info.name(), now, counter
        self.sfreq = float(info.nominal_srate())
        self.inlet = pylsl.StreamInlet(info, max_buflen=BUFFER_S, recover=False)
        self.header: StreamHeader | None = None
        self.tally: Tally | None = None
        self.xml = self.error = ""
        self.t_opened = self.t_heard = now()
        self._kept: deque[tuple[NDArray[np.float64], Values]] = deque()
        self._n_kept = 0
        self._release: tuple[Sink, Tally] | None = None
        self._ended = False
        self._pump, self._look_s = pump, PULL_S if self.sfreq else _EVENT_S
        self._t_looked = now()
        self._leave = threading.Event()  # nothing more to wait for: told to stop, or broken
        self._broken: Exception | None = None
        self._stopping, self._measuring, self._handing = threading.Event(), threading.Lock(), threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"lsl {self.name}", daemon=True)
        self._thread.start()

    @property
    def flowing(self) -> bool:
        """Whether its header is known and a sample has come."""
        return not self.error and self.tally is not None and self.tally.n > 0

    @property
    def ended(self) -> bool:
        """Whether its thread has ended and its inlet is closed."""
        return not self._thread.is_alive()

    @property
    def silent(self) -> bool:
        """Whether it says nothing though it should."""
        return is_silent(self._now() - self.t_heard, self.sfreq)

    def release(self, sink: Sink, tally: Tally) -> None:
        """Hand over what was kept, and from now on whatever comes; ``sink`` is called from another thread.

        ``tally`` is the intake's own, or that of the outlet which this one follows.
        """
        with self._handing:
            self._release = (sink, tally)
            if self._ended:  # an outlet that came and went between two looks
                self._hand_over()

    def measure(self) -> Offset | None:
        """Measure its clock; not from its own thread, which would wait."""
        with self._measuring:  # an inlet must not be closed while its clock is measured
            return measure_offset(self.inlet) if not self.error and not self._stopping.is_set() else None

    def ask_to_stop(self) -> None:
        """Begin to end, without waiting."""
        self._stopping.set()
        self._leave.set()

    def stop(self) -> None:
        """Take what has still come in, then end; within the time that opening an inlet may take."""
        self.ask_to_stop()
        self._thread.join(_OPEN_S + _MEASURE_S)

    def status(self) -> StreamStatus:
        """Return what the operator sees of it."""
        tally, t = self.tally, self._now()
        buffered = self.inlet.samples_available() / (BUFFER_S * (self.sfreq or 100)) if not self.error else 0.0
        n = tally.n if tally else 0
        return StreamStatus(
            name=self.name, uid=self.uid, kind=self.kind, sfreq_nominal_hz=self.sfreq, sfreq_hz=tally.rate_hz if tally else 0.0,
            age_s=t - self.t_heard if n else None, buffer_frac=min(1.0, buffered), n=n,
            n_lost=tally.n_lost if tally else None, last=tally.last if tally else (),
            labels=self.header.labels[:SHOWN] if self.header else (),
        )  # fmt: skip

    def _run(self) -> None:
        try:
            self._open()
            self._pump.add(self._look, self._look_s)
            self._leave.wait()
            self._pump.remove(self._look)
            if self._broken is not None:
                raise self._broken
            for _ in range(BUFFER_S):  # what has still come in
                if not self._pull():
                    break
        except pylsl.util.LostError:
            self._fail("its outlet is gone")
        except (pylsl.util.TimeoutError, XdfError, OSError) as error:
            self._fail(str(error) or type(error).__name__)
        except Exception as error:  # the edge of a thread: one that died unsaid would be missed by nobody
            self._fail(f"{type(error).__name__}: {error}")
            log.error("stream %s", self.name, exc_info=True)
        finally:
            self._end()

    def _look(self) -> None:
        """Take what has come; the pump calls this, and what breaks is for the stream's own thread."""
        try:
            for _ in range(_PULLS):
                if self._leave.is_set() or not self._pull():
                    return
        except Exception as error:  # noqa: BLE001  (handed on: the stream's own thread raises it again)
            self._broken = error
            self._leave.set()

    def _fail(self, why: str) -> None:
        self.error = why
        log.log(logging.INFO if self._stopping.is_set() else logging.WARNING, "stream %s: %s", self.name, self.error)

    def _end(self) -> None:
        with self._handing:
            self._ended = True
            try:
                self._hand_over()
            except OSError as error:  # the disk took no more: the recorder knows it from the same write
                log.error("stream %s: its last samples are lost: %s", self.name, error)
        with self._measuring:
            self.inlet.close_stream()

    def _open(self) -> None:
        self.inlet.open_stream(timeout=_OPEN_S)
        info = self.inlet.info(timeout=_OPEN_S)
        self.xml = declare_drops(info.as_xml())
        header = parse_header(self.xml)
        dtype = FORMATS[header.format]
        self._at_once = _TEXTS_PER_PULL if dtype is None else max(1, _VALUES_PER_PULL // header.n_channels)
        self._buffer = None if dtype is None else np.empty((self._at_once, header.n_channels), dtype)
        self.tally = Tally(header, now=self._now, counter=self._counter, moves=self.kind == "eeg")
        self.header = header  # last: who sees it may use the rest

    def _pull(self) -> bool:
        """Take what is there; returns whether there may be more."""
        values, stamps = self.inlet.pull_chunk(timeout=0.0, max_samples=self._at_once, dest_obj=self._buffer, as_numpy=True)
        now, since = self._now(), self._t_looked
        self._t_looked = now
        if len(stamps):
            self.t_heard = newest_s(len(stamps), self.sfreq, since=since, now=now)
            self._take(np.asarray(stamps, np.float64), values)
        with self._handing:
            self._hand_over()
        return len(stamps) == self._at_once

    def _take(self, stamps: NDArray[np.float64], raw: NDArray[Any]) -> None:
        values: Values
        if self._buffer is None:
            # bytes that are no UTF-8 stay readable as \xff instead of ending the recording
            values = [[text.decode("utf-8", "backslashreplace") for text in row] for row in raw]
        else:
            values = raw
        assert self.tally is not None
        self.tally.take(stamps, values)
        if self._release is None or self._kept:
            self._keep(stamps, values if isinstance(values, list) else values.copy())
        else:
            self._release[0](stamps, values)

    def _keep(self, stamps: NDArray[np.float64], values: Values) -> None:
        self._kept.append((stamps, values))
        self._n_kept += len(stamps)
        while self._n_kept - len(self._kept[0][0]) > (KEPT_S * self.sfreq or _KEPT_EVENTS):
            self._n_kept -= len(self._kept.popleft()[0])

    def _hand_over(self) -> None:
        """Give what was kept to whoever asked for it."""
        if self._release is None:
            return
        sink, tally = self._release
        kept, self._kept = self._kept, deque()
        for stamps, values in kept:
            sink(stamps, values)
        if tally is not self.tally:
            for stamps, values in kept:
                tally.take(stamps, values)
            self.tally = tally
