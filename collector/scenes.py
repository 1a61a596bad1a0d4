"""From what the launcher knows to the one message that a page needs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from collector import alarm_words
from collector.crew import Phase, Picture
from collector.instructions import decide
from collector.situation import Situation, allowed
from protocol.messages import Scene, Status
from protocol.scene import Cap, Moment, ScreenName
from protocol.words_types import Language

EVERY_S = 0.4  # at least twice a second
SCREENS: dict[Phase, ScreenName] = {
    "preflight": "preflight", "streams": "contacts", "contacts": "contacts", "session": "record", "closing": "record",
    "leaving": "record", "finish": "finish", "ended": "finish",
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What does not change while a launcher lives."""

    study: str
    participant: str
    session: str
    language: Language = "en"
    simulated: bool = False
    n_trials: int = 0
    cap: Cap | None = None


@dataclass(frozen=True)
class Known:
    """How a stage of the session stands.

    Parameters
    ----------
    situation : Situation
        What decides about light, instruction and buttons.
    status : Status or None
        What the collector last said.
    run : str
        Label of the run; empty before there is one.
    t_s : float
        Seconds since the beginning.
    timeline : tuple of Moment
        What has happened.
    """

    situation: Situation
    status: Status | None = None
    run: str = ""
    t_s: float = 0.0
    timeline: tuple[Moment, ...] = field(default=())


def scene(header: Header, known: Known, *, seq: int) -> Scene:
    """Return the scene of how things stand."""
    s = known.situation
    light, instruction = decide(s)
    troubles = tuple(alarm_words.told(one, s.language) for one in s.troubles)
    return Scene(
        seq=seq, screen=SCREENS[s.phase], phase=s.phase, light=light, instruction=instruction, study=header.study,
        participant=header.participant, session=header.session, run=known.run, language=header.language,
        simulated=header.simulated, t_s=known.t_s, recording=s.recording, state=s.state, trial=s.trial,
        n_trials=header.n_trials, buttons=allowed(s), findings=s.findings, gate=s.gate, contact=s.contact, battery=s.battery,
        battery_left_s=s.battery_left_s, troubles=troubles, timeline=known.timeline, said=s.said, cap=header.cap,
    )  # fmt: skip


def picture(known: Known, shown: Scene) -> Picture:
    """Return what the terminal shows of it."""
    return Picture(
        known.situation.phase, known.situation.state, known.status, known.t_s, light=shown.light, instruction=shown.instruction
    )


def is_news(shown: Scene | None, new: Scene) -> bool:
    """Tell whether a page has to know at once; that time passes alone is no news."""
    if shown is None:
        return True
    still = {"seq": 0, "t_s": 0.0}
    return bool(msgspec.structs.replace(shown, **still) != msgspec.structs.replace(new, **still))
