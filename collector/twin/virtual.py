"""A world on virtual time: clock, screen and outlet for :mod:`protocol.session`, with the simulated participant before it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

from collector.twin.knobs import random
from collector.twin.person import answer, response_s
from protocol.markers import Marker
from protocol.ports import Answer, Clip, Page, Played, Question, Stamp

_CLIP_FPS = 30.0  # of the clips: how many frames a simulated player has shown
_LOADING_S = 0.1  # from one screen to the next clip
_ONSET_ERROR_S = 0.0004  # standard deviation
_AUDIO_OFFSET_S = 0.002


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
    """

    def __init__(self, clock: VirtualClock, *, seed: int, refresh_hz: float, sound: bool) -> None:
        self._clock, self._refresh_hz, self._sound = clock, refresh_hz, sound
        self._rng = random(seed, "at the screen")

    def show(self, page: Page, *, on_flip: Callable[[Stamp], None] | None = None) -> Stamp:
        """Show a page for its time, or until the participant has read it."""
        shown = self._flip()
        if on_flip:
            on_flip(shown)
        self._clock.advance(response_s(self._rng) if page.duration_s is None else page.duration_s)
        return self._flip()

    def play(self, clip: Clip, *, on_onset: Callable[[Stamp], None], on_offset: Callable[[Played], None]) -> Played:
        """Play a clip in full."""
        self._clock.advance(_LOADING_S)
        onset = self._flip()
        on_onset(onset)
        duration_s = clip.stop_s - clip.start_s
        self._clock.advance(duration_s)
        played = Played(
            t_onset=onset, t_offset=self._flip(), shown=round(duration_s * _CLIP_FPS), dropped=0, repeated=0,
            onset_error_s=float(self._rng.normal(0, _ONSET_ERROR_S)),
            audio_offset_s=float(self._rng.normal(0, _AUDIO_OFFSET_S)) if self._sound else None, end="complete",
        )  # fmt: skip
        on_offset(played)
        return played

    def ask(self, question: Question, *, on_answer: Callable[[Answer], None]) -> Answer:
        """Ask the simulated participant."""
        shown = self._flip()
        self._clock.advance(response_s(self._rng))
        said = answer(question.name, dict(question.keys).get("target", ""), self._rng, choices=question.choices)
        given = Answer(said, shown, self._flip())
        on_answer(given)
        return given

    def _flip(self) -> Stamp:
        """Let time pass to the next flip, and return it."""
        now = self._clock.now()
        self._clock.advance(math.ceil(now * self._refresh_hz) / self._refresh_hz - now)
        return self._clock.now()
