"""What the launcher knows of a session, as one message: whoever shows it (page, terminal) needs nothing else.

A scene is whole: a page that was closed, killed or opened late shows the truth with the first one that arrives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import msgspec

if TYPE_CHECKING:
    from protocol.study import Study

Light = Literal["green", "amber", "red"]
ScreenName = Literal["preflight", "contacts", "record", "finish"]
Button = Literal["", "start", "pause", "resume", "skip", "repeat", "abort", "check", "override", "stop"]
Choice = Literal["", "open", "keep", "withdraw"]
ContactState = Literal["none", "waiting", "checking", "ok", "no_blinks", "not_checked"]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the parts of a scene; texts for people are in the study's language."""


class Cap(Part, frozen=True):
    """What the study says of the cap: which sensors are analysed, where they sit, and what the EEG's numbers are.

    ``channels`` empty means all that the montage knows; ``line_freq`` in Hz.
    """

    montage: str
    channels: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    reference: str = ""
    ground: str = ""
    line_freq: int | None = None
    units: Literal["uV", "V"] = "uV"

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take it from a study."""
        eeg = study.eeg
        return cls(
            montage=eeg.montage, channels=eeg.channels, exclude=eeg.exclude, reference=eeg.reference or "",
            ground=eeg.ground or "", line_freq=eeg.line_freq, units=eeg.units,
        )  # fmt: skip


class Finding(Part, frozen=True):
    """One line of the preflight.

    ``text`` says what was found, with its value; ``cure`` what to do. ``blocks``: no start with it, unless it
    ``may_override`` and somebody typed why (``overridden``).
    """

    code: str
    light: Light
    text: str
    cure: str = ""
    blocks: bool = False
    may_override: bool = False
    overridden: str = ""


class Instruction(Part, frozen=True):
    """The one thing to do next; ``button`` is the command that does it, with ``arg``; empty for what hands do."""

    code: str
    text: str
    button: Button = ""
    arg: str = ""


class GateState(Part, frozen=True):
    """The contact gate: ``good`` of ``n`` analysed sensors reach the threshold; ``held_s`` counts towards ``hold_s``.

    ``overall`` is a share from 0 to 1, as ``threshold`` is; None while the device says nothing.
    """

    metric: Literal["CQ", "EQ"]
    threshold: float
    hold_s: float
    held_s: float = 0.0
    overall: float | None = None
    good: int = 0
    n: int = 0
    min_sensors: int | None = None
    green: bool = False
    required: bool = False
    overridden: str = ""


class Contact(Part, frozen=True):
    """Whether somebody wears the cap: cued blinks seen in frontal EEG; alpha power with eyes closed, relative to open."""

    state: ContactState = "none"
    n_cues: int = 0
    n_seen: int = 0
    alpha: float | None = None
    overridden: str = ""


class Trouble(Part, frozen=True):
    """An alarm that is on: since ``t_cause``, raised at ``t_raised`` (LSL seconds)."""

    code: str
    text: str
    level: Literal["warn", "stop"]
    t_cause: float
    t_raised: float


class Moment(Part, frozen=True):
    """Something on the session's timeline, ``t_s`` seconds after its start."""

    t_s: float
    kind: Literal["clip", "baseline", "sync", "rating", "break", "pause", "alarm", "note", "state"]
    text: str
    for_s: float | None = None


class File(Part, frozen=True):
    """A file of the finished run; ``verified``: its SHA-256 was compared with the manifest's, None: not yet."""

    name: str
    size_B: int
    verified: bool | None = None


class Said(Part, frozen=True):
    """The verdict: exit code, the line, its reasons, clips to repeat, the report's page, and what to type next.

    ``choice``: what the participant wants of a recording that was broken off; ``open`` until somebody has asked, empty where
    there is nothing to be asked.
    """

    exit: int
    verdict: Literal["keep", "repeat", "exclude", "not_judged", "aborted", "fault"]
    text: str
    reasons: tuple[str, ...] = ()
    repeat: tuple[int, ...] = ()
    report: str = ""
    next: str = ""
    choice: Choice = ""
    files: tuple[File, ...] = ()
