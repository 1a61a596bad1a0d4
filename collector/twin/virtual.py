"""A world on virtual time: clock, screen and outlet for :mod:`protocol.session`, with the simulated participant before it.

What interrupts a session is written down beforehand, as incidents: a pause, a clip that is shown again, a window that dies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from collector.twin.knobs import random
from collector.twin.person import answer, response_s
from protocol.markers import Marker
from protocol.ports import Answer, Asked, Clip, Page, Played, Question, Stamp, Stopped

_CLIP_FPS = 30.0  # of the clips: how many frames a simulated player has shown
_LOADING_S = 0.1  # from one screen to the next clip
_ONSET_ERROR_S = 0.0004  # standard deviation
_AUDIO_OFFSET_S = 0.002


class WindowLost(BaseException):
    """The window died in the middle of the session; as a crash, nothing in the session may catch it."""


@dataclass(frozen=True)
class Incident:
    """Something that interrupts a simulated session, once.

    Parameters
    ----------
    what : str
        ``pause`` (and go on), ``skip``, ``repeat``, ``abort``, ``crash``: the window dies and comes back, ``close``: the window
        is closed, ``fail``: the clip cannot be played.
    trial : int
        In which trial.
    during : str
        While its clip plays (or its rest, where a rest stands for a clip), while a question is asked, or in the rest
        after it.
    after_s : float
        Seconds after that began.
    for_s : float
        How long a pause, or a window's death, lasts.
    """

    what: Literal["pause", "skip", "repeat", "abort", "crash", "close", "fail"]
    trial: int
    during: Literal["clip", "rating", "rest"] = "clip"
    after_s: float = 1.0
    for_s: float = 10.0


class VirtualClock:
    """LSL time and wall time that pass when somebody lets them.

    Parameters
    ----------
    lsl_s : float
        LSL seconds at the beginning.
    wall_s : float
        Seconds since 1970 at the beginning.
    """

    def __init__(self, *, lsl_s: float, wall_s: float) -> None:
        self._lsl_s, self._ahead_s = lsl_s, wall_s - lsl_s

    def now(self) -> Stamp:
        """Return LSL seconds."""
        return self._lsl_s

    def wall(self) -> str:
        """Return the wall clock as ISO 8601 in UTC."""
        moment = datetime.fromtimestamp(self._lsl_s + self._ahead_s, UTC)
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def wall_at(self, t_lsl: float) -> float:
        """Return seconds since 1970 at an LSL time."""
        return t_lsl + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._lsl_s += max(0.0, seconds)


class VirtualOutlet:
    """Keeps the markers that a session sends, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[Stamp, Marker]] = []

    def push(self, marker: Marker, t_lsl: Stamp) -> None:
        """Take a marker with the stamp of its flip."""
        self.sent.append((t_lsl, marker))


class VirtualScreen:
    """A screen that flips on virtual time, watched by a simulated participant who answers.

    Parameters
    ----------
    clock : VirtualClock
        Its time passes here.
    seed : int
        The participant's.
    refresh_hz : float
        Of the screen.
    sound : bool
        Whether there is a sound card to be early or late.
    incidents : sequence of Incident
        What happens on the way.
    """

    def __init__(
        self, clock: VirtualClock, *, seed: int, refresh_hz: float, sound: bool, incidents: Sequence[Incident] = ()
    ) -> None:
        self._clock, self._refresh_hz, self._sound = clock, refresh_hz, sound
        self._rng = random(seed, "at the screen")
        self._left, self._pause_s = list(incidents), 0.0
        self.t_flip = clock.now()
        """LSL seconds of the last flip."""

    def show(self, page: Page, *, on_flip: Callable[[Stamp], None] | None = None) -> Stamp:
        """Show a page for its time, or until the participant has read it; a pause until the operator ends it."""
        shown = self._flip()
        if on_flip:
            on_flip(shown)
        if page.held:
            self._clock.advance(self._pause_s)
            raise Asked("resume", "operator")
        seconds = response_s(self._rng) if page.duration_s is None else page.duration_s
        if page.name.startswith("rest") and (incident := self._due(page.keys, "rest" if page.name == "rest" else "clip")):
            self._clock.advance(min(incident.after_s, seconds))
            self._happen(incident)
        self._clock.advance(seconds)
        return self._flip()

    def play(self, clip: Clip, *, on_onset: Callable[[Stamp], None], on_offset: Callable[[Played], None]) -> Played:
        """Play a clip in full, or until something happens."""
        self._clock.advance(_LOADING_S)
        incident = self._due(clip.keys, "clip") if clip.name == "clip" else None
        onset, duration_s = self._flip(), clip.stop_s - clip.start_s
        if incident is not None and incident.what == "fail":
            return Played(None, onset, 0, 0, 0, None, None, "failed", error="simulated: cannot be decoded")
        on_onset(onset)
        shown_s = duration_s if incident is None else min(incident.after_s, duration_s)
        self._clock.advance(shown_s)
        if incident is not None and incident.what in ("crash", "close"):
            self._happen(incident)
        played = Played(
            t_onset=onset, t_offset=self._flip(), shown=round(shown_s * _CLIP_FPS), dropped=0, repeated=0,
            onset_error_s=float(self._rng.normal(0, _ONSET_ERROR_S)),
            audio_offset_s=float(self._rng.normal(0, _AUDIO_OFFSET_S)) if self._sound else None,
            end="complete" if incident is None else "skipped" if incident.what == "skip" else "interrupted",
        )  # fmt: skip
        on_offset(played)
        if incident is not None:
            self._happen(incident)
        return played

    def ask(self, question: Question, *, on_answer: Callable[[Answer], None]) -> Answer | None:
        """Ask the simulated participant, who may be too slow where there is a limit."""
        shown = self._flip()
        if (incident := self._due(question.keys, "rating")) is not None:
            self._clock.advance(incident.after_s)
            self._happen(incident)
        thinks_s = response_s(self._rng)
        said = answer(question.name, dict(question.keys).get("target", ""), self._rng, choices=question.choices)
        if question.limit_s is not None and thinks_s > question.limit_s:
            self._clock.advance(question.limit_s)
            return None
        self._clock.advance(thinks_s)
        given = Answer(said, shown, self._flip())
        on_answer(given)
        return given

    def hold(self) -> str | None:
        """Nobody watches a cohort: it never holds."""
        return None

    def _due(self, keys: Sequence[tuple[str, str]], during: str) -> Incident | None:
        """Return what is to happen now, if anything is, and do not again."""
        trial = dict(keys).get("trial")
        found = next((i for i in self._left if trial == str(i.trial) and i.during == during), None)
        if found is not None:
            self._left.remove(found)
        return found

    def _happen(self, incident: Incident) -> None:
        self._pause_s = incident.for_s
        match incident.what:
            case "abort":
                raise Stopped("operator")
            case "close":
                raise Stopped("window closed", at_once=True)
            case "crash":
                self._flip()  # it flipped until it died
                raise WindowLost
            case "pause" | "skip" | "repeat":
                raise Asked(incident.what, "operator")

    def _flip(self) -> Stamp:
        """Let time pass to the next flip, and return it."""
        now = self._clock.now()
        self._clock.advance(math.ceil(now * self._refresh_hz) / self._refresh_hz - now)
        self.t_flip = self._clock.now()
        return self.t_flip
