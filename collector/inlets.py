"""All streams of one recording together: found, opened, given their ids, watched, and their clocks measured."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pylsl
from numpy.typing import NDArray

from collector import clocks
from collector.clocks import Offset
from collector.intake import Intake, Sink
from collector.pump import Pump
from collector.slot import Slot
from collector.wanted import Wanted, fits, in_words
from collector.xdf import Writer
from protocol.messages import StreamStatus

log = logging.getLogger(__name__)

_JUDGING = ("contact_quality", "eeg_quality")  # kinds of streams in which the device speaks of itself
_LOOK_S = 0.25  # how often LSL's list of streams is looked at while something is awaited
_CALM_S = 0.5  # and while all flow: with eight streams a look costs a millisecond


@dataclass(frozen=True)
class Health:
    """Whether a stream sends what it should, and what it says.

    Parameters
    ----------
    name, kind : str
        Of the stream, and what it is to us.
    lost : bool
        Whether it is silent; ``why``, in words.
    t_heard : float
        When it last sent, LSL seconds.
    required : bool
        Whether the study does not record without it.
    labels, last : tuple
        Of its channels, and the newest sample's first values.
    n : int
        Samples so far.
    still_s : ndarray, shape (n_channels,), or None
        For how long each channel has not moved; None where it need not.
    """

    name: str
    kind: str
    lost: bool
    why: str
    t_heard: float
    required: bool = True
    labels: tuple[str, ...] = ()
    last: tuple[float, ...] = ()
    n: int = 0
    still_s: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Admitted:
    """A stream that is written from now on: a new one, or one that came back under its old id."""

    name: str
    id: int
    uid: str
    source_id: str
    before: int | None
    """Id of the stream that this one follows: its own when it goes on, another when it cannot be told to be the same."""

    @property
    def goes_on(self) -> bool:
        """Whether it goes on in the stream that there was."""
        return self.before == self.id


class Inlets:
    """The inlets of a recording; used from the recorder's thread, but for the measuring of clocks.

    Parameters
    ----------
    wanted : tuple of Wanted
        What is recorded.
    now : callable
        The LSL clock.
    counter : str or None
        Label of the EEG's sample counter.
    """

    def __init__(self, wanted: tuple[Wanted, ...], *, now: Callable[[], float], counter: str | None) -> None:
        self._now = now
        self._resolver = pylsl.ContinuousResolver()
        self._pump = Pump()
        self._slots = [Slot(w, now=now, pump=self._pump, counter=counter) for w in wanted]
        self._n_ids = 0
        self._ids: dict[Intake, int] = {}  # of those that are read at this moment
        self._begun = False
        self._t_looked = float("-inf")
        self.t_window: float | None = None
        self._stopping = threading.Event()
        self._measuring: threading.Thread | None = None

    def seen(self) -> list[pylsl.StreamInfo]:
        """Return the streams that answered within the last 5 s, at once."""
        found = {info.uid(): info for info in self._resolver.results()}
        return list(found.values())

    def in_words(self) -> str:
        """Return all streams on the network, in words."""
        return in_words(self.seen())

    def connect(self) -> None:
        """Open an inlet to every wanted stream that is there and has none."""
        calm = self._begun and all(slot.flows for slot in self._slots)
        if self._now() - self._t_looked < (_CALM_S if calm else _LOOK_S):
            return
        self._t_looked = self._now()
        seen = self.seen()
        for slot in self._slots:
            fitting = [info for info in seen if fits(slot.wanted.description, info)]
            if slot.wanted.kind == "markers" and fitting:
                self.t_window = self._now()
            slot.look(fitting, begun=self._begun)

    def missing(self) -> list[str]:
        """Return which required streams do not flow yet, in words."""
        return [why for slot in self._slots if slot.wanted.required and (why := slot.missing())]

    def admit(self, writer: Writer, sink: Callable[[int, Wanted, float], Sink]) -> list[Admitted]:
        """Give every stream that is ready its id and its header, and let its samples through; returns the new ones."""
        self._begun = True
        new = []
        for slot in self._slots:
            intake = slot.ready()
            if intake is None or intake.header is None:
                continue
            before = slot.id
            if not slot.follows(intake):
                self._n_ids += 1
                writer.add_stream(self._n_ids, intake.xml)
                slot.id = self._n_ids
            assert slot.id is not None
            slot.admit(intake, sink(slot.id, slot.wanted, intake.sfreq))
            self._ids = {i: n for i, n in self._ids.items() if n != before} | {intake: slot.id}
            new.append(Admitted(intake.name, slot.id, intake.uid, intake.header.source_id, before))
        return new

    def measure(self, write: Callable[[int, Offset], None]) -> None:
        """Begin to measure clocks, in a thread of its own, because a measurement may wait for seconds."""
        self._measuring = threading.Thread(target=self._measure_loop, args=(write,), name="clocks", daemon=True)
        self._measuring.start()

    def health(self) -> Iterator[Health]:
        """Say of every stream that was recorded whether it still sends."""
        for slot in self._slots:
            if slot.id is not None and slot.intake is not None:
                intake = slot.intake
                lost = bool(intake.error) or intake.silent
                why = "; ".join(part for part in (intake.error or "no sample", slot.ambiguous) if part)
                tally, header = intake.tally, intake.header
                assert tally is not None and header is not None  # it was admitted
                yield Health(
                    intake.name, intake.kind, lost, why, intake.t_heard, required=slot.wanted.required, labels=header.labels,
                    last=tally.last if intake.kind in _JUDGING else (), n=tally.n, still_s=tally.still_s,
                )  # fmt: skip

    def duplicates(self) -> Iterator[tuple[str, str]]:
        """Return name and uid of each stream that sends now beside one that is recorded and fits the same description."""
        for slot in self._slots:
            for uid in slot.copies:
                yield slot.intake.name if slot.intake else "", uid

    def status(self) -> tuple[StreamStatus, ...]:
        """Return what the operator sees: streams that are being received.

        The launcher lets the session begin when the window's markers are among them.
        """
        return tuple(s.intake.status() for s in self._slots if s.intake is not None and s.intake.header is not None)

    def ids(self) -> dict[str, int]:
        """Return the ids in the file by stream name and uid."""
        return {f"{intake.name} {intake.uid}": stream_id for intake, stream_id in self._ids.items()}

    def stop(self) -> None:
        """Take what has still come in, and end."""
        self._stopping.set()
        for slot in self._slots:
            slot.ask_to_stop()
        for slot in self._slots:
            slot.stop()
        self._pump.stop()
        if self._measuring is not None:
            self._measuring.join()

    def _measure_loop(self, write: Callable[[int, Offset], None]) -> None:
        last: dict[Intake, float] = {}
        while not self._stopping.is_set():
            ids = dict(self._ids)
            for intake, stream_id in ids.items():
                offset = None if self._stopping.is_set() else intake.measure()
                # LSL repeats its newest measurement until it has another
                if offset is None or last.get(intake) == offset.t_remote:
                    continue
                last[intake] = offset.t_remote
                try:
                    write(stream_id, offset)
                except OSError as error:  # the recorder knows it already and ends
                    return log.error("clock offset not written: %s", error)
            last = {intake: t for intake, t in last.items() if intake in ids}
            self._stopping.wait(clocks.OFFSETS_S)
        return None
