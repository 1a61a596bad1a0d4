"""What a window that comes back finds in its own journal: where the session stood, and what is known of the open trial. Pure.

Whatever was on the screen when the window died counts as interrupted; what the participant had answered stays answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol import markers
from protocol.journal import Row
from protocol.markers import Marker
from protocol.ports import Answer, Stamp

MEASURED: Mapping[str, type[int] | type[float]] = {
    "shown": int, "dropped": int, "repeated": int, "onset_error_s": float, "audio_offset_s": float,
}  # fmt: skip
"""What a player measures of a clip: the keys of ``clip/offset`` and the columns of the trial table."""

BEGUN = ("clip", "rest_trial", "practice", "mood_repair")
"""States with which an attempt begins; each carries ``attempt``."""

HOLD = "hold"
"""The state of a session that waits before its next trial until it is let go."""


@dataclass
class Known:
    """What is known of one attempt at a trial."""

    attempt: int = 0
    t_onset: Stamp | None = None
    t_offset: Stamp | None = None
    end: str | None = None
    measured: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    skipped: bool = False
    repeat: bool = False  # somebody wants to have it begun again
    written: bool = False  # its row stands in the table

    @property
    def begun(self) -> bool:
        """Whether the clip was begun."""
        return self.attempt > 0

    @property
    def open(self) -> bool:
        """Whether the clip has still to be played, or played again."""
        return self.end in (None, "interrupted") and not self.skipped

    @property
    def ended(self) -> str:
        """How it ended, in the words of the trial table."""
        return self.end or ("skipped" if self.skipped else "interrupted")


@dataclass
class Past:
    """Where a session stood.

    Parameters
    ----------
    done : set of str
        Steps that came to their end.
    sent : set of str
        Names of markers that went out.
    attempts : dict
        How often each trial's clip, or another step's, was begun, by the step's name.
    known : Known
        Of the open trial.
    open : tuple, optional
        The marker that began what was on the screen, and its stamp.
    paused : bool
        In the middle of a pause, or holding.
    holding : str, optional
        Why the session is to hold before its next trial, if it is.
    held : bool
        The pause is such a hold.
    n_cue, n_flash : int
        Cues and luminance steps so far.
    abort : str, optional
        Why the session was to end.
    end : str, optional
        How the session ended.
    last : tuple, optional
        The last marker with its stamp: the window may have died before it left.
    t_last : float
        The last sign of life, LSL seconds.
    """

    done: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    attempts: dict[str, int] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    open: tuple[Marker, Stamp] | None = None
    paused: bool = False
    holding: str | None = None
    held: bool = False
    n_cue: int = 0
    n_flash: int = 0
    abort: str | None = None
    end: str | None = None
    last: tuple[Marker, Stamp] | None = None
    t_last: Stamp = 0.0

    @property
    def began(self) -> bool:
        """Whether there is anything to come back to."""
        return self.last is not None

    def enter(self, state: str) -> None:
        """Take in a transition."""
        self.held = state == HOLD

    def mark(self, marker: Marker, stamp: Stamp) -> None:
        """Take in a marker."""
        keys = marker.keys
        self.sent.add(marker.name)
        self.last, self.t_last = (marker, stamp), max(self.t_last, stamp)
        if marker.name.endswith("/onset") or keys.get("phase") == "onset":
            self.open = (marker, stamp)
        elif marker.name.endswith("/offset") or keys.get("phase") == "offset":
            self.open = None
        match marker.name:
            case "pause":
                self.paused = True
            case "resume":
                self.paused = False
            case "abort":
                self.abort = keys.get("reason", "")
            case "session/end":
                self.end = keys["end"]
            case "skip":
                self.known.skipped = self.known.begun and self.known.open
            case "sync/cue":
                self.n_cue = int(keys["n"])
            case "sync/flash":
                self.n_flash = int(keys["n"])
            case "clip/onset" | "rest/onset":
                self.known.t_onset = stamp
            case "clip/offset" | "rest/offset":
                self._ended(keys, stamp)
            case "rating":
                shown = stamp - float(keys["response_s"])
                self.known.answers[keys["question"]] = Answer(keys["answer"], shown, stamp)

    def _ended(self, keys: Mapping[str, str], stamp: Stamp) -> None:
        self.known.t_offset, self.known.end = stamp, keys["end"]
        self.known.measured = {name: kind(keys[name]) for name, kind in MEASURED.items() if name in keys}

    def begin(self, step: str, attempt: int) -> None:
        """Take in that a clip is about to begin."""
        self.attempts[step] = attempt
        self.known = Known(attempt)

    def wish(self, wish: str) -> None:
        """Take in what was asked for: a trial is repeated once its clip was begun."""
        self.known.repeat |= wish == "repeat" and self.known.begun

    def again(self) -> None:
        """Take in that the trial is begun again."""
        self.known = Known()

    def finish(self, step: str) -> None:
        """Take in that a step came to its end."""
        self.done.add(step)
        self.known = Known()

    def reopen(self, step: str) -> None:
        """Take in that a step is to be done once more."""
        self.done.discard(step)
        self.known = Known()


def read(rows: Iterable[Row], *, t_flip: Stamp = 0.0) -> Past:
    """Return where the session of a journal stood.

    Parameters
    ----------
    rows : iterable of Row
        The window's journal.
    t_flip : float
        The last flip that was written down, LSL seconds.

    Returns
    -------
    Past
        Empty for an empty journal.
    """
    past = Past()
    for row in rows:
        past.t_last = max(past.t_last, row.t_lsl)
        if row.kind == "state":
            past.enter(row.name)
        if row.name == "marker" and row.kind == "note":
            past.mark(markers.parse(row.data["text"]), float(row.data["t"]))
        elif row.name == "done" and row.kind == "note":
            past.finish(row.data["step"])
        elif row.name == "row" and row.kind == "note":
            past.known.written = True
        elif row.name == "again" and row.kind == "note":
            past.again()
        elif row.name == "reopen" and row.kind == "note":
            past.reopen(row.data["step"])
        elif row.name == "hold" and row.kind == "command":
            past.holding = row.data["reason"]
        elif row.kind == "command":
            past.wish(row.name)
        elif row.kind == "state" and row.name == "abort":
            past.abort = row.data["reason"]
        elif row.kind == "state" and row.name in BEGUN:
            past.begin(row.data["step"], int(row.data.get("attempt", 1)))
    past.t_last = max(past.t_last, t_flip)
    return past
