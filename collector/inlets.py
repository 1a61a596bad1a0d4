"""All streams of one recording together: found, opened, given their ids, watched, and their clocks measured."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pylsl

from collector import clocks
from collector.clocks import Offset
from collector.streams import Finder, Intake, Sink, Wanted, fits, in_words, whence
from collector.xdf import Writer
from protocol.messages import StreamStatus

log = logging.getLogger(__name__)

_LOOK_S = 0.25  # how often LSL's list of streams is looked at
_SETTLE_S = 1.5  # LSL asks every 0.5 s and not all answer at once: a second stream of the same name may be a little later


@dataclass(frozen=True)
class Health:
    """Whether a stream sends what it should; ``t_heard`` is when it last did."""

    name: str
    lost: bool
    why: str
    t_heard: float


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
        self._wanted, self._now, self._counter = wanted, now, counter
        self._finder = Finder()
        self._all: list[tuple[Wanted, Intake]] = []
        self._ids: dict[Intake, int] = {}
        self._several: dict[str, str] = {}
        self._t_opened: dict[str, float] = {}
        self._t_looked = float("-inf")
        self.t_window: float | None = None
        self._stopping = threading.Event()
        self._measuring: threading.Thread | None = None

    def connect(self) -> None:
        """Open an inlet to every wanted stream that is there and has none."""
        if self._now() - self._t_looked < _LOOK_S:
            return
        self._t_looked = self._now()
        seen, newest = self._finder.seen(), self._newest()
        for w in self._wanted:
            fitting = [info for info in seen if fits(w.description, info)]
            if w.kind == "markers" and fitting:
                self.t_window = self._now()
            if not self._ids and w.required:
                self._tell_apart(w, fitting, newest.get(w.kind))
            taken = w.kind in newest and not newest[w.kind].error
            if fitting and not taken and w.kind not in self._several:
                self._t_opened[w.kind] = self._now()
                self._all.append((w, Intake(fitting[0], w.kind, now=self._now, counter=self._counter)))

    def _tell_apart(self, w: Wanted, fitting: list[pylsl.StreamInfo], intake: Intake | None) -> None:
        """Before the file begins: where several streams fit one description the user must say which; none is guessed."""
        if len(fitting) < 2:
            self._several.pop(w.kind, None)
            return
        self._several[w.kind] = whence(fitting)
        if intake is not None:
            intake.stop()
            self._all = [(other, one) for other, one in self._all if one is not intake]

    def missing(self) -> list[str]:
        """Return which required streams do not flow yet, in words."""
        newest, said = self._newest(), []
        for w in self._wanted:
            intake = newest.get(w.kind)
            if not w.required:
                continue
            if w.kind in self._several:
                said.append(f"{w} fits several streams ({self._several[w.kind]}): name the right one's host or source_id")
            elif intake is None:
                said.append(f"{w} is not there")
            elif intake.error or not intake.flowing:
                said.append(f"{w} {intake.error or 'is there and sends nothing'}")
            elif self._now() - self._t_opened[w.kind] < _SETTLE_S:
                said.append(f"{w} has only just appeared")
        return said

    def seen(self) -> str:
        """Return all streams on the network, in words."""
        return in_words(self._finder.seen())

    def admit(self, writer: Writer, sink: Callable[[int, str], Sink]) -> list[str]:
        """Give every stream that is ready its id and its header, let its samples through; returns the names of the new ones."""
        new = []
        for w, intake in self._all:
            if intake in self._ids or intake.header is None:
                continue
            self._ids[intake] = len(self._ids) + 1
            writer.add_stream(self._ids[intake], intake.xml)
            intake.release(sink(self._ids[intake], w.kind))
            new.append(intake.name)
        return new

    def measure(self, write: Callable[[int, Offset], None]) -> None:
        """Begin to measure clocks, in a thread of its own, because a measurement may wait for seconds."""
        self._measuring = threading.Thread(target=self._measure_loop, args=(write,), name="clocks", daemon=True)
        self._measuring.start()

    def health(self) -> Iterator[Health]:
        """Say of every recorded stream whether it sends; of one that came back, its newest inlet counts."""
        now = self._now()
        for intake in self._newest().values():
            lost = bool(intake.error) or now - intake.t_heard > intake.silent_s
            yield Health(intake.name, lost, intake.error or "no sample", intake.t_heard)

    def status(self) -> tuple[StreamStatus, ...]:
        """Return what the operator sees: streams that are being received.

        The launcher lets the session begin when the window's markers are among them.
        """
        return tuple(intake.status() for intake in self._newest().values() if intake.header is not None)

    def ids(self) -> dict[str, int]:
        """Return the ids in the file by stream name and uid."""
        return {f"{intake.name} {intake.uid}": stream_id for intake, stream_id in self._ids.items()}

    def stop(self) -> None:
        """Take what has still come in, and end."""
        self._stopping.set()
        if self._measuring is not None:
            self._measuring.join()  # an inlet must not be closed while its clock is measured
        for _, intake in self._all:
            intake.ask_to_stop()
        for _, intake in self._all:
            intake.stop()

    def _newest(self) -> dict[str, Intake]:
        return {w.kind: intake for w, intake in self._all}

    def _measure_loop(self, write: Callable[[int, Offset], None]) -> None:
        last: dict[Intake, float] = {}
        while not self._stopping.is_set():
            for intake, stream_id in list(self._ids.items()):
                offset = None if self._stopping.is_set() else intake.measure()
                # LSL repeats its newest measurement until it has another
                if offset is None or last.get(intake) == offset.t_remote:
                    continue
                last[intake] = offset.t_remote
                try:
                    write(stream_id, offset)
                except OSError as error:  # the recorder knows it already and ends
                    return log.error("clock offset not written: %s", error)
            self._stopping.wait(clocks.OFFSETS_S)
        return None
