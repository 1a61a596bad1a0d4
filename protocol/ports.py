"""What the session state machine needs from the world: a clock, a screen, an outlet.

The real window and the simulated participant both stand behind these, so that :mod:`protocol.session` runs in front of a
person and, on virtual time, in a simulation of a whole cohort.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from protocol.markers import Marker

Stamp = float
"""LSL seconds of the flip that brought something onto the screen."""


class Clock(Protocol):
    """LSL time; virtual in a simulation."""

    def now(self) -> Stamp:
        """Return LSL seconds."""
        ...


class Outlet(Protocol):
    """Where markers go: an LSL outlet, or a list."""

    def push(self, marker: Marker, t_lsl: Stamp) -> None:
        """Send a marker with the stamp of its flip."""
        ...


class Stopped(Exception):  # noqa: N818  (not an error: somebody ended the session)
    """Escape, a closed window or a command ended the session.

    Parameters
    ----------
    reason : str
        Why, in a word.
    at_once : bool
        Nothing more can be shown: the window was closed, or the system wants the process to end.
    """

    def __init__(self, reason: str, *, at_once: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.at_once = reason, at_once


Wish = Literal["pause", "resume", "skip", "repeat"]
CLIP_LOST = "clip/lost"
"""The reason to hold (:meth:`Screen.hold`) that says: the clip shown last lost too much of its EEG to be used."""
"""What may be asked for while something is on the screen."""


class Asked(Exception):  # noqa: N818  (not an error: somebody pressed a key)
    """What is on the screen was interrupted by a key or a command: for a pause, to go on, to be left out, or to begin again."""

    def __init__(self, wish: Wish, reason: str) -> None:
        super().__init__(f"{wish}: {reason}")
        self.wish, self.reason = wish, reason


@dataclass(frozen=True)
class Page:
    """A calm screen.

    Parameters
    ----------
    name : str
        ``welcome``, ``baseline/eyes_open``, ``fixation``, ``rest``, ``thanks`` ..: what the journal and the beat call it.
    text : str
        What stands there, in the participant's language; empty with ``cross``.
    cross : bool
        A fixation cross instead of text.
    duration_s : float or None
        How long; None waits for the participant's key (space).
    keys : mapping as a tuple of pairs
        More words for the beat, such as the trial and its target (the simulated participant reads them).
    level : str
        ``white`` or ``black``: the whole screen in one luminance, a step of the sync phase; ``""``: as every page.
    cue : bool
        The cue to blink stands there instead of a cross.
    tones : bool
        A tone at the page's first flip and another when it ends: for closed eyes.
    progress : tuple of int, optional
        Trials done, and all of them, as dots.
    held : bool
        Only an operator ends it, not the participant's key: a pause.
    until_let_go : bool
        Of those one that ends as soon as nothing asks the session to hold any more (:meth:`Screen.hold`), by no key.
    """

    name: str
    text: str = ""
    cross: bool = False
    duration_s: float | None = None
    keys: tuple[tuple[str, str], ...] = ()
    level: Literal["", "white", "black"] = ""
    cue: bool = False
    tones: bool = False
    progress: tuple[int, int] | None = None
    held: bool = False
    until_let_go: bool = False


@dataclass(frozen=True)
class Clip:
    """A clip to play, as the manifest has it; seconds within the file. ``name`` is what the beat calls it."""

    path: Path
    stim_id: str
    target: str
    start_s: float
    stop_s: float
    keys: tuple[tuple[str, str], ...] = ()
    name: Literal["clip", "practice", "mood_repair"] = "clip"


@dataclass(frozen=True)
class Played:
    """What became of a clip. Stamps are LSL seconds of flips; ``lost`` are the frames that were dropped, by index."""

    t_onset: Stamp | None
    t_offset: Stamp
    shown: int
    dropped: int
    repeated: int
    onset_error_s: float | None
    audio_offset_s: float | None
    end: Literal["complete", "skipped", "failed", "interrupted"]
    error: str = ""
    lost: tuple[int, ...] = ()


@dataclass(frozen=True)
class Question:
    """One rating screen.

    Parameters
    ----------
    name : str
        ``valence``, ``arousal``, ``dominance``, ``emotion`` ..
    text : str
        The question in the participant's language.
    choices : tuple of str
        What may be answered: ``"1"`` .. ``"9"`` or emotion names; also what is stored.
    labels : tuple of str
        What stands beside each choice, in the participant's language.
    limit_s : float, optional
        Seconds after which it goes unanswered.
    """

    name: str
    text: str
    choices: tuple[str, ...]
    labels: tuple[str, ...]
    keys: tuple[tuple[str, str], ...] = ()
    limit_s: float | None = None


@dataclass(frozen=True)
class Answer:
    """What the participant answered; ``response_s`` after the flip that brought the question."""

    answer: str
    t_shown: Stamp
    t_answer: Stamp

    @property
    def response_s(self) -> float:
        """Seconds from the question's flip to the answer."""
        return self.t_answer - self.t_shown


class Screen(Protocol):
    """What the participant looks at.

    Every method raises :class:`Stopped` when the session is to end, and :class:`Asked` when somebody asked for a pause, to
    skip or to repeat; :meth:`play` has then taken the clip off the screen and told ``on_offset``, if the clip had begun.
    """

    def show(self, page: Page, *, on_flip: Callable[[Stamp], None] | None = None) -> Stamp:
        """Show a page for its time; ``on_flip`` runs at its first flip. Returns when it ended."""
        ...

    def play(self, clip: Clip, *, on_onset: Callable[[Stamp], None], on_offset: Callable[[Played], None]) -> Played:
        """Play a clip; ``on_onset`` runs at the flip of its first frame, ``on_offset`` at the flip that clears its last."""
        ...

    def ask(self, question: Question, *, on_answer: Callable[[Answer], None]) -> Answer | None:
        """Ask; ``on_answer`` runs at the flip that takes the question away. None when nobody answered in time."""
        ...

    def hold(self) -> str | None:
        """Return why the session is to hold before its next trial; None, as always where nobody watches, lets it go on."""
        ...
