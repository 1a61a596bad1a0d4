"""One wanted stream over a whole recording: which of the outlets that fit it is read, and who follows one that was lost.

Nothing is guessed: two that fit are refused before the recording begins and told apart by uid while it runs; one that
cannot be told to be the one that was lost becomes a stream of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import pylsl

from collector.intake import Intake, Sink
from collector.pump import Pump
from collector.tally import Tally
from collector.wanted import Wanted, cure
from collector.watch import BESIDE_S, goes_on
from collector.xdf import StreamHeader

_SETTLE_S = 1.5  # LSL asks every 0.5 s and not all answer at once: a second stream of the same name may be a little later
_RETRY_S = 5.0  # an outlet that could not be opened is tried again after this long
_GONE_S = 1.0  # LSL goes on listing an outlet that has died: a lost one is not tried again before this
# an outlet that is listed and silent has had its cable pulled: its connection brings all that it kept once TCP tries again
_PATIENCE_S = 120.0
_FORGOTTEN_S = 6.0  # LSL lists an outlet for 5 s after its last answer: one that is listed for longer lives


class Slot:
    """The place of one wanted stream.

    Parameters
    ----------
    wanted : Wanted
        What belongs here.
    now : callable
        The LSL clock.
    pump : Pump
        Empties the inlets.
    counter : str or None
        Label of the sample counter.
    """

    def __init__(self, wanted: Wanted, *, now: Callable[[], float], pump: Pump, counter: str | None) -> None:
        self.wanted, self._now, self._pump = wanted, now, pump
        self._counter = counter if wanted.kind == "eeg" else None
        self.id: int | None = None
        """In the file, once there is something of it."""
        self.intake: Intake | None = None
        """That is read, or was until it was lost."""
        self.beside: set[str] = set()
        """Uids of outlets that fit as well and sent at the same time, the gone ones too: never merged with this one."""
        self.ambiguous = ""
        """Why none of the outlets that fit was opened, in words."""
        self._next: Intake | None = None  # opened, not yet admitted
        self._parting: list[Intake] = []  # given up before they were admitted; their threads still end
        self._last: tuple[StreamHeader, Tally] | None = None
        self._first_seen: dict[str, float] = {}
        self._left: dict[str, float] = {}  # when outlets that were recorded here were given up
        self._listed: set[str] = set()
        self._again: dict[str, float] = {}  # when an outlet that could not be opened is tried again
        self._unreachable = self._several = ""

    def look(self, fitting: list[pylsl.StreamInfo], *, begun: bool) -> None:
        """Look at the outlets that fit, and open the one that belongs here."""
        now = self._now()
        self._listed = {info.uid() for info in fitting}
        for info in fitting:
            self._first_seen.setdefault(info.uid(), now)
        if not begun and self.wanted.required and len(fitting) > 1:
            self._several = cure(fitting)
            return self._let_go()
        self._several = ""
        self._notice_others()
        self._clear_up(begun=begun)
        candidates = self._candidates(fitting)
        if self._next is not None and self._next.uid == self._lost and candidates and candidates[0].uid() != self._lost:
            self._let_go()  # the outlet that died is still listed, and another is there already
        if self._next is None and not self._alive():
            self._open(candidates)
        return None

    @property
    def flows(self) -> bool:
        """Whether nothing is awaited: it is recorded and sends, or was never there and need not be."""
        if self.intake is None:
            return not self.wanted.required and self._next is None
        return not self.intake.error and not self.intake.silent

    @property
    def copies(self) -> set[str]:
        """Uids of outlets that fit as well and are there at this moment."""
        return self.beside & self._listed

    def missing(self) -> str:
        """Return why it does not flow yet, in words; nothing when it does."""
        one = self._next
        if self._several:
            return f"{self.wanted} fits several streams {self._several}"
        if one is None:
            return f"{self.wanted} {self._unreachable or 'is not there'}"
        if not one.flowing:
            return f"{self.wanted} {self._unreachable or 'is there and sends nothing'}"
        settled = self._now() - self._first_seen[one.uid] >= _SETTLE_S
        return "" if settled else f"{self.wanted} has only just appeared"

    def ready(self) -> Intake | None:
        """Return the intake that waits for its place in the file; one that came and went has its place too."""
        one = self._next
        return one if one is not None and one.header is not None and (not one.error or (one.tally and one.tally.n)) else None

    def follows(self, intake: Intake) -> bool:
        """Tell whether an intake goes on where the one before was lost."""
        if self._last is None or intake.header is None:
            return False
        return goes_on(self._last[0], intake.header, beside=intake.uid in self.beside)

    def admit(self, intake: Intake, sink: Sink) -> None:
        """Let an intake's samples through to ``sink``."""
        assert intake.header is not None and intake.tally is not None
        tally = self._last[1] if self._last is not None and self.follows(intake) else intake.tally
        if self.intake is not None:
            self.intake.stop()
            self._left[self.intake.uid] = self._now()
        self._last, self.intake, self._next = (intake.header, tally), intake, None
        self.beside.discard(intake.uid)
        intake.release(sink, tally)

    def ask_to_stop(self) -> None:
        """Begin to end, without waiting."""
        for intake in self._both():
            intake.ask_to_stop()

    def stop(self) -> None:
        """End."""
        for intake in self._both():
            intake.stop()

    def _both(self) -> list[Intake]:
        return [*self._parting, *(intake for intake in (self.intake, self._next) if intake is not None)]

    @property
    def _lost(self) -> str:
        """Uid of the recorded outlet."""
        return self.intake.uid if self.intake is not None else ""

    def _let_go(self) -> None:
        if self._next is not None:
            self._next.ask_to_stop()
            self._parting = [one for one in self._parting if not one.ended] + [self._next]
            self._next = None

    def _alive(self) -> bool:
        """Whether the recorded outlet still sends, or may again."""
        if self.intake is None or self.intake.error:
            return False
        waits = self._lost in self._listed and self._now() - self.intake.t_heard < _PATIENCE_S
        return not self.intake.silent or waits

    def _notice_others(self) -> None:
        """Remember which outlets send beside the recorded one: heard for a while after the other was first seen.

        The one that was recorded before is listed for a while after its death: that is no second one.
        """
        if self.intake is None or self.intake.error or self.intake.silent:
            return
        for uid in self._listed - {self.intake.uid}:
            since = max(self._first_seen[uid], self._left.get(uid, -_FORGOTTEN_S) + _FORGOTTEN_S)
            if self.intake.t_heard - since > BESIDE_S:
                self.beside.add(uid)

    def _clear_up(self, *, begun: bool) -> None:
        """Drop an opened outlet that could not be reached, before another is tried; nothing of it is left behind."""
        one = self._next
        if one is not None and one.error and (not begun or self.ready() is None):
            self._unreachable = f"is listed and cannot be reached ({one.error})"
            self._again[one.uid] = self._now() + _RETRY_S
            self._let_go()
        elif one is not None and one.flowing:
            self._unreachable = ""

    def _candidates(self, fitting: list[pylsl.StreamInfo]) -> list[pylsl.StreamInfo]:
        """Return the outlets that may follow, the likeliest ones alone."""
        now = self._now()
        able = [info for info in fitting if now >= self._again.get(info.uid(), now)]
        others = [info for info in able if info.uid() != self._lost]
        if not others:
            # the same outlet, whose connection broke
            waited = self.intake is not None and now - max(self.intake.t_heard, self.intake.t_opened) > _GONE_S
            return able if waited else []
        source = self._last[0].source_id if self._last else ""
        same = [info for info in others if source and info.source_id() == source and info.uid() not in self.beside]
        apart = [info for info in others if info.uid() not in self.beside]
        return same or apart or others

    def _open(self, candidates: list[pylsl.StreamInfo]) -> None:
        self.ambiguous = ""
        if len(candidates) > 1 and self.wanted.required:
            self.ambiguous = f"several streams fit {cure(candidates)}"
        elif candidates:
            newest = max(candidates, key=lambda info: self._first_seen[info.uid()])
            self._next = Intake(newest, self.wanted.kind, now=self._now, pump=self._pump, counter=self._counter)
