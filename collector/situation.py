"""How a session stands, as far as an operator must know it, and which commands may be given then. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from protocol.messages import Verb
from protocol.scene import Contact, Finding, GateState, Said, Trouble
from protocol.words_types import Language

ScenePhase = Literal["preflight", "streams", "contacts", "session", "closing", "leaving", "finish", "ended"]


@dataclass(frozen=True)
class Situation:
    """All that decides about light and instruction; the launcher makes one for every scene.

    Parameters
    ----------
    phase : str
        Of the launcher.
    t : float
        Now, LSL seconds.
    state : str
        What is on the participant's screen, as the last beat said it; empty before the first.
    trial, n_trials : int or None, int
        The clip that is shown or was shown last, from 1, and how many there are.
    troubles : tuple of Trouble
        Alarms that are on.
    kinds : mapping of str to str
        What each stream is to us, by its name, as :class:`~protocol.messages.StreamStatus` says it: ``eeg``,
        ``contact_quality`` ..
    findings : tuple of Finding
        Of the preflight.
    checking : bool
        Whether the preflight runs at this moment.
    missing : tuple of str
        What is still awaited before the recording begins, by name.
    gate : GateState or None
        None where nothing reports contact quality.
    poor : tuple of str
        Labels of the analysed sensors below the gate's threshold, the worst first.
    contact : Contact
        Whether the cued blinks were seen.
    holding : bool
        Whether the session waits before its next trial because the launcher told it to (``pause`` with ``next``).
    recording : bool
        Whether the collector writes.
    lost_trial, lost_frac : int or None, float
        The last clip that lost EEG and may still be shown again, and the share of its samples that was lost.
    battery, battery_left_s : float or None
        Charge in percent, and for how long it lasts.
    disk_left_s : float or None
        For how long the disk lasts.
    left_s : float or None
        How long the rest of the session takes.
    stopping : bool
        Whether somebody has told the session to end.
    language : {"en", "vi"}
        Of the study.
    simulated : bool
        Whether the devices are the twin's.
    said : Said or None
        The verdict, once there is one.
    buttons : tuple of Verb or None
        The commands that may be given now; None: those of :func:`allowed`.
    """

    phase: ScenePhase
    t: float = 0.0
    state: str = ""
    trial: int | None = None
    n_trials: int = 0
    troubles: tuple[Trouble, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    checking: bool = False
    missing: tuple[str, ...] = ()
    gate: GateState | None = None
    poor: tuple[str, ...] = ()
    contact: Contact = field(default_factory=Contact)
    holding: bool = False
    recording: bool = False
    lost_trial: int | None = None
    lost_frac: float = 0.0
    battery: float | None = None
    battery_left_s: float | None = None
    disk_left_s: float | None = None
    left_s: float | None = None
    stopping: bool = False
    language: Language = "en"
    simulated: bool = False
    said: Said | None = None
    buttons: tuple[Verb, ...] | None = None


def allowed(situation: Situation) -> tuple[Verb, ...]:
    """Return the commands that may be given now, in the order in which a page shows them."""
    s = situation
    if s.buttons is not None:
        return s.buttons
    if s.phase in ("closing", "leaving", "ended") or (s.stopping and s.phase != "finish"):
        return ()
    match s.phase:
        case "preflight":
            return _some(
                ("start", not s.checking and not blocking(s)),
                ("check", not s.checking),
                ("override", can_override(s)),
                ("abort", True),
            )
        case "streams":
            return ("abort",)
        case "contacts":
            may = not gate_blocks(s) and not stops(s)
            return _some(("start", may), ("check", True), ("override", gate_blocks(s)), ("note", True), ("abort", True))
        case "session":
            waits = s.holding or paused(s)
            free = not contact_blocks(s) and not stops(s) and not awaits_contact(s)
            return _some(
                ("pause", not waits), ("resume", waits and free), ("skip", not s.holding), ("repeat", free),
                ("check", contact_blocks(s)), ("override", contact_blocks(s)), ("note", True), ("abort", True),
            )  # fmt: skip
    chosen = "" if s.said is None else s.said.choice  # finish
    may = s.said is not None and not verifying(s)
    return _some(("keep", bool(chosen)), ("withdraw", bool(chosen)), ("stop", may and chosen != "open"))


def _some(*buttons: tuple[Verb, bool]) -> tuple[Verb, ...]:
    return tuple(button for button, may in buttons if may)


def verifying(situation: Situation) -> bool:
    """Whether the files of the run are still being compared with its manifest, and none of them differs so far."""
    found = {file.verified for file in situation.said.files} if situation.said is not None else set()
    return None in found and False not in found


def blocking(situation: Situation) -> tuple[Finding, ...]:
    """Return the findings that still block the start."""
    return tuple(one for one in situation.findings if one.blocks and not one.overridden)


def can_override(situation: Situation) -> bool:
    """Whether a typed reason would lift something."""
    return not situation.checking and any(one.may_override for one in blocking(situation))


def gate_blocks(situation: Situation) -> bool:
    """Whether the contact gate keeps START from being pressed."""
    gate = situation.gate
    return gate is not None and gate.required and not gate.green and not gate.overridden


def contact_blocks(situation: Situation) -> bool:
    """Whether the first clip waits for somebody to wear the cap."""
    return situation.contact.state == "no_blinks" and not situation.contact.overridden


def awaits_contact(situation: Situation) -> bool:
    """Whether the session holds only until the cued blinks were looked for: it is let go by itself."""
    return situation.holding and situation.contact.state in ("waiting", "checking")


def stops(situation: Situation) -> bool:
    """Whether a trouble is on with which no clip may begin."""
    return any(one.level == "stop" for one in situation.troubles)


def paused(situation: Situation) -> bool:
    """Whether the session waits because somebody paused it."""
    return situation.state.partition(" ")[0] == "pause"
