"""One light and exactly one instruction, whatever is the matter. Pure.

Every thing that is the matter makes a case: a light, and what hands or one button do about it. The worst light is shown, and
of the cases that have it the first one in an order in which what loses data first stands first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from collector.instructions_en import ENGLISH
from collector.instructions_vi import VIETNAMESE
from collector.quality import LOST_LIMIT
from collector.situation import Situation, allowed, awaits_contact, blocking, contact_blocks, verifying
from protocol.messages import NEXT
from protocol.scene import Button, Finding, Instruction, Light, Trouble
from protocol.words_types import Language

__all__ = ["WORDS", "Situation", "allowed", "decide"]

WORDS: Mapping[Language, Mapping[str, str]] = {"en": ENGLISH, "vi": VIETNAMESE}
"""Texts by language and code, with ``{values}`` in them."""

FROZEN_S = 30.0  # a screen that has stood still for longer does not come back by itself
ARM = 90  # characters that are read at arm's length
SHOWN = 4  # sensors or clips that are named: more are not read at arm's length
_GRAVITY: Mapping[Light, int] = {"green": 0, "amber": 1, "red": 2}

# what loses data first stands first; a trouble that is not named here comes last, with the light of its level
_TROUBLES: tuple[tuple[str, Light], ...] = (
    ("collector/lost", "red"), ("collector/broken", "red"), ("disk/full", "red"), ("collector/silent", "red"),
    ("eeg/lost", "red"), ("eeg/flat", "red"), ("markers/unrecorded", "red"), ("window/lost", "red"), ("window/silent", "red"),
    ("window/frozen", "red"), ("twin/lost", "red"), ("counter/frozen", "red"), ("battery/critical", "red"),
    ("gate/lost", "amber"), ("camera/lost", "amber"), ("disk/low", "amber"), ("stream/lost", "amber"),
    ("quality/silent", "amber"), ("stream/duplicate", "amber"), ("suspended", "amber"), ("battery/low", "amber"),
    ("clock/step", "amber"), ("collector/slow", "amber"), ("page/lost", "amber"),
)  # fmt: skip
_RANK = {code: rank for rank, (code, _) in enumerate(_TROUBLES)}
_LIGHT = dict(_TROUBLES)
_LAST_WORDS = ("collector/lost", "collector/broken", "collector/silent", "collector/slow", "disk/full")  # matter to the end
_BUTTONS: Mapping[str, Button] = {"twin/lost": "abort"}
_HOPELESS = ("window/frozen", "window/silent")  # after FROZEN_S
_AFTER_THE_CLIP = ("battery/critical", "counter/frozen")  # what is to be done would spoil the clip that is shown
# they may stay as long as the session: START all the same
_LASTING = ("battery/low", "disk/low", "clock/step", "suspended", "stream/duplicate")
_DOING: Mapping[str, str] = {
    "": "session/opening", "starting": "session/opening", "waiting": "session/opening", "welcome": "session/reading",
    "baseline": "session/reading", "rating": "session/rating", "break": "session/break", "hold": "session/clip",
    "mood_repair": "session/last", "thanks": "session/last", "end": "session/last",
}  # fmt: skip

# findings about what was typed before the page came up: Check finds them again
_UNMENDED: Mapping[str, str] = {
    "participant/unknown": "preflight/participant", "participant/other": "preflight/participant",
    "study/changed": "preflight/changed",
}  # fmt: skip

Values = Mapping[str, object]


@dataclass(frozen=True)
class _Case:
    light: Light
    code: str
    button: Button = ""
    arg: str = ""
    values: Values = field(default_factory=dict)


def decide(situation: Situation) -> tuple[Light, Instruction]:
    """Return the light and the one thing to do.

    Parameters
    ----------
    situation : Situation
        How things stand.

    Returns
    -------
    light : {"green", "amber", "red"}
        Red: data are being lost, or nothing can go on before this is mended; amber: something is to be done; green: neither.
    instruction : Instruction
        Its button is one of ``allowed(situation)``, or empty: then it is for hands.

    Examples
    --------
    >>> light, instruction = decide(Situation("session", state="clip trial=3 target=fear", trial=3, n_trials=12))
    >>> light, instruction.text
    ('green', 'Nothing to do: clip 3 of 12.')
    """
    cases = list(_cases(situation))
    worst = max(_GRAVITY[case.light] for case in cases)
    case = next(case for case in cases if _GRAVITY[case.light] == worst)
    button: Button = case.button if case.button in allowed(situation) else ""
    text = WORDS[situation.language][case.code].format(**case.values)
    return case.light, Instruction(code=case.code, text=text, button=button, arg=case.arg if button else "")


def _cases(s: Situation) -> Iterator[_Case]:
    """Yield all that is the matter, then what comes next in the day's course; there is always something that comes next."""
    troubles = list(_troubles(s))
    yield from _resumption(s)
    yield from (case for lasting, case in troubles if not lasting)
    yield from _next(s)
    yield from (case for lasting, case in troubles if lasting)


def _next(s: Situation) -> Iterator[_Case]:
    match s.phase:
        case "finish":
            yield _finish(s)
        case "ended":
            yield _Case("green", "ended")
        case "closing" | "leaving":
            yield _Case("green", "closing")
        case _ if s.stopping:
            yield _Case("amber", "session/stopping")
        case "preflight":
            yield from _preflight(s)
        case "streams":
            yield _Case("amber", "streams/missing" if s.missing else "streams/wait", values={"names": _few(s, s.missing)})
        case "contacts":
            yield from _contacts(s)
        case "session":
            yield from _session(s)


# ---- troubles --------------------------------------------------------------------------------------------------------------


def _troubles(s: Situation) -> Iterator[tuple[bool, _Case]]:
    """Yield the alarms, what loses data first first, and whether each may last; near the end most do not matter any more."""
    if s.phase in ("finish", "ended"):
        return
    ending = s.stopping or s.phase in ("closing", "leaving")
    told = sorted(((_code(s, one), one) for one in s.troubles), key=lambda pair: (_rank(pair[0]), pair[1].t_cause))
    for code, one in told:
        if not ending or code in _LAST_WORDS:
            yield code in _LASTING, _trouble(s, code, one)


def _trouble(s: Situation, code: str, one: Trouble) -> _Case:
    age_s = max(0.0, s.t - one.t_cause)
    light: Light = "red" if one.level == "stop" else _LIGHT.get(code, "amber")
    values = {
        "name": one.code.partition(" ")[2] or one.code, "text": one.text or one.code, "age": round(age_s),
        "sensors": _few(s, s.poor) or _words(s)["all sensors"], "percent": _number(s.battery),
        "left": _minutes(s, s.disk_left_s if code.startswith("disk") else s.battery_left_s),
    }  # fmt: skip
    if code in _HOPELESS and age_s > FROZEN_S:
        return _Case(light, f"{code}/long", "abort", values=values)
    if code in _AFTER_THE_CLIP and s.phase == "session" and _name(s.state) == "clip":
        return _Case(light, f"{code}/soon", values=values)
    if code in _LASTING and s.phase == "contacts" and "start" in allowed(s):
        return _Case(light, f"{code}/start", "start", values=values)
    return _Case(light, code if code in _RANK else "other", _BUTTONS.get(code, ""), values=values)


def _code(s: Situation, one: Trouble) -> str:
    """Return which instruction belongs to an alarm: one stream is not as another."""
    code, _, name = one.code.partition(" ")
    kind = s.kinds.get(name, "")
    if code == "stream/lost" and kind == "eeg":
        return "eeg/lost"
    if code == "stream/lost" and kind in ("contact_quality", "eeg_quality"):
        return "quality/silent"
    return code


def _rank(code: str) -> int:
    return _RANK.get(code, len(_RANK))


# ---- what comes next -------------------------------------------------------------------------------------------------------


def _preflight(s: Situation) -> Iterator[_Case]:
    """Findings that block, in their order, then those that warn; START when nothing blocks."""
    if s.checking:
        yield _Case("amber", "preflight/checking")
        return
    for one in blocking(s):
        code = _UNMENDED.get(one.code)
        if code is not None:
            yield _Case("red", code, "abort", values={"text": _sentence(one.text)})
        else:
            yield _Case("red", "preflight/blocked", "check", values={"text": _finding(one)})
    warned = [one for one in s.findings if one.light != "green" and not one.blocks]
    if warned:
        text = {"text": _finding(warned[0]), "n": len(warned)}
        yield _Case("amber", "preflight/warned" if len(warned) == 1 else "preflight/several", "start", values=text)
    yield _Case("green", "preflight/start", "start")


def _contacts(s: Situation) -> Iterator[_Case]:
    gate = s.gate
    if gate is None:
        yield _Case("green", "contacts/ungated", "start")
    elif gate.green or gate.overridden:
        yield _Case("green", "contacts/start", "start")
    elif gate.held_s > 0:
        yield _Case("amber", "contacts/hold", values={"left": max(1, math.ceil(gate.hold_s - gate.held_s))})
    elif gate.overall is None:
        yield _Case("amber", "contacts/silent")
    else:
        sensors = _few(s, s.poor) or _words(s)["all sensors"]
        code = "contacts/required" if gate.required else "contacts/poor"
        yield _Case("amber", code, "" if gate.required else "start", values={"sensors": sensors})


def _resumption(s: Situation) -> Iterator[_Case]:
    """A session that waits goes on by a button, unless something stops it: that is redder."""
    may = allowed(s)
    again = s.lost_trial is not None and s.lost_frac > LOST_LIMIT
    if s.phase != "session" or "resume" not in may:
        return
    if again and "repeat" in may:
        yield _Case("amber", "repeat", "repeat", values={"trial": s.lost_trial, "lost": round(100 * s.lost_frac)})
    else:
        yield _Case("amber", "resume/held" if s.holding else "resume/paused", "resume", NEXT if s.holding else "")


def _session(s: Situation) -> Iterator[_Case]:
    contact = s.contact
    if contact_blocks(s):
        yield _Case("red", "contact/no_blinks", "check", "contact", {"seen": contact.n_seen, "cues": contact.n_cues})
    if contact.state == "not_checked" and not contact.overridden and s.trial is None and s.state:
        yield _Case("amber", "contact/not_checked")
    doing = _name(s.state)
    gate = s.gate
    if doing == "break" and gate is not None and not gate.green and s.poor:
        yield _Case("amber", "session/wet", values={"sensors": _few(s, s.poor)})
    if awaits_contact(s):
        yield _Case("green", "contact/checking")
    code = _DOING.get(doing, "session/clip" if s.trial else "session/before")
    needs_trial = code in ("session/clip", "session/rating") and s.trial is None
    yield _Case("green", "session/before" if needs_trial else code, values={"trial": s.trial, "n": s.n_trials})


def _finish(s: Situation) -> _Case:
    if s.said is None:
        return _Case("green", "finish/judging")
    if s.said.choice == "open":
        return _Case("amber", "finish/aborted")
    if differing := [file.name for file in s.said.files if file.verified is False]:
        return _Case("red", "finish/differs", "stop", values={"names": _few(s, differing)})
    if verifying(s):
        return _Case("green", "finish/verifying")
    light: Light = {"keep": "green", "exclude": "red", "fault": "red"}.get(s.said.verdict, "amber")  # type: ignore[assignment]
    clips = _few(s, tuple(str(clip) for clip in s.said.repeat))
    values = {"text": _sentence(s.said.text), "clips": clips, "next": s.said.next}
    chosen = {"keep": "kept", "withdraw": "withdrawn"}.get(s.said.choice, "nothing")
    code = chosen if s.said.verdict == "aborted" else s.said.verdict
    return _Case(light, f"finish/{code}", "stop", values=values)


# ---- values in words -------------------------------------------------------------------------------------------------------


def _name(state: str) -> str:
    return state.partition(" ")[0].partition("/")[0]


def _words(s: Situation) -> Mapping[str, str]:
    return WORDS[s.language]


def _few(s: Situation, names: Sequence[str]) -> str:
    """List names, a few of them: nobody reads thirty sensors at arm's length."""
    more = len(names) - SHOWN
    said = ", ".join(names[:SHOWN])
    return f"{said} {_words(s)['and more'].format(n=more)}" if more > 0 else said


def _finding(one: Finding) -> str:
    """Return what was found and what to do; only the latter where both cannot be read at arm's length."""
    both = " ".join(_sentence(part) for part in (one.text, one.cure) if part)
    return both if len(both) <= ARM or not one.cure else _sentence(one.cure)


def _sentence(text: str) -> str:
    """Return a text with its full stop."""
    return text if not text or text[-1] in ".!?" else f"{text}."


def _number(value: float | None) -> str:
    return "?" if value is None else str(round(value))


def _minutes(s: Situation, seconds: float | None) -> str:
    return _words(s)["unknown time" if seconds is None else "minutes"].format(n=round((seconds or 0.0) / 60))
