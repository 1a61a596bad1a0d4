"""The row of buttons: which stand on which screen, what each sends, and why START cannot be pressed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from collector.page.words import WORDS, Words
from protocol.messages import NEXT, Scene, Verb
from protocol.scene import ScreenName

ROWS: Mapping[ScreenName, tuple[Verb, ...]] = {
    "preflight": ("start", "check", "abort"),  # override stands beside the finding that it lifts
    "contacts": ("start", "check", "override", "note", "abort"),
    "record": ("resume", "pause", "repeat", "skip", "check", "override", "note", "abort"),
    "finish": ("keep", "withdraw", "stop"),
}
RARE: Mapping[ScreenName, frozenset[Verb]] = {  # seen only while they may be given
    "preflight": frozenset(),
    "contacts": frozenset({"override"}),
    "record": frozenset({"resume", "check", "override"}),
    "finish": frozenset({"keep", "withdraw"}),
}
KEYS: Mapping[Verb, str] = {
    "start": "S", "check": "C", "override": "O", "note": "N", "pause": "P", "resume": "R", "skip": "K", "repeat": "E",
    "abort": "A", "stop": "F", "keep": "Y", "withdraw": "W",
}  # fmt: skip
MIN_CHARS: Mapping[Verb, int] = {"abort": 3, "override": 3, "note": 1, "skip": 0}
"""Commands that ask for words first, and how many characters they need."""


@dataclass(frozen=True)
class Button:
    """A button: what it sends, how it is called, and whether it may be pressed or even should be."""

    verb: Verb
    arg: str
    label: str
    key: str
    enabled: bool
    primary: bool
    asks: int | None


def row(scene: Scene, *, silent: bool) -> list[dict[str, Any]]:
    """Return the buttons of the scene's screen, in order; none can be pressed while the launcher is silent."""
    return [asdict(button) for button in _row(scene, silent=silent)]


def _row(scene: Scene, *, silent: bool) -> Iterator[Button]:
    may, wanted = set(scene.buttons), scene.instruction.button
    standing = ROWS[scene.screen]
    more = [v for v in KEYS if v in may and v not in standing and v != "override"]
    for verb in (*standing, *more):
        rare = verb in RARE[scene.screen] or (verb == "pause" and "resume" in may)
        if verb in may or not rare:
            yield Button(
                verb=verb,
                arg=argument(scene, verb),
                label=WORDS[scene.language][f"button_{verb}"],
                key=KEYS[verb],
                enabled=verb in may and not silent,
                primary=verb == wanted,
                asks=MIN_CHARS.get(verb),
            )


def argument(scene: Scene, verb: Verb) -> str:
    """Return what a command says beside its name: the instruction's argument, or what the screen is about."""
    if scene.instruction.button == verb and scene.instruction.arg:
        return scene.instruction.arg
    match verb, scene.screen:
        case "override", "contacts":
            return "gate"
        case "override" | "check", "record":
            return "contact"
        case "resume", _ if scene.state.partition(" ")[0] == "hold":
            return NEXT
    return ""


def why_not(scene: Scene) -> str:
    """Return why START cannot be pressed, or nothing."""
    words: Words = WORDS[scene.language]
    if "start" not in ROWS[scene.screen] or "start" in scene.buttons:
        return ""
    blocking = [f for f in scene.findings if f.blocks and not f.overridden]
    if scene.screen == "preflight" and blocking:
        return words["blocked_one" if len(blocking) == 1 else "blocked_many"].format(n=len(blocking), text=blocking[0].text)
    if scene.screen == "contacts" and scene.gate and scene.gate.required and not scene.gate.green:
        return words["blocked_gate"]
    return words["blocked_other"]
