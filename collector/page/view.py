"""What the page shows of what it knows, as texts and numbers. Pure but for the board's clock; scripts only put it in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collector.page import commands
from collector.page.board import Board
from collector.page.tiles import tiles
from collector.page.words import WORDS, number
from protocol.messages import Scene, Status
from protocol.scene import Contact, GateState

Payload = dict[str, Any]
REFUSAL_S = 8.0  # how long an answer is shown
STATUS_S = 3.0  # the collector speaks twice a second


def words(board: Board) -> Payload:
    """Return every text in the session's language."""
    language = board.scene.language if board.scene else "en"
    return {"language": language, "texts": dict(WORDS[language]), "keys": dict(commands.KEYS)}


def deck(board: Board) -> Payload:
    """Return what stands on every screen: who, light, the one instruction, the buttons."""
    scene, silent_s = board.scene, board.silent_s
    if scene is None:
        return {"screen": "", "silent": int(silent_s) if silent_s else None}
    return {
        "screen": scene.screen,
        "phase": scene.phase,
        "seq": scene.seq,
        "simulated": scene.simulated,
        "silent": int(silent_s) if silent_s else None,
        "who": [scene.study, scene.participant, scene.session, scene.run],
        "light": scene.light if silent_s is None else "unknown",
        "instruction": {"code": scene.instruction.code, "text": scene.instruction.text},
        "buttons": commands.row(scene, silent=silent_s is not None),
        "why": commands.why_not(scene) if silent_s is None else "",
        "told": told(board, scene),
    }


def told(board: Board, scene: Scene) -> Payload | None:
    """Return what became of the last command, for a while: a refusal, or that a note was taken."""
    last = board.given[-1] if board.given else None
    if last is None or last.ack is None or board.now() - last.t > REFUSAL_S:
        return None
    texts = WORDS[scene.language]
    if last.ack.ok:
        return {"ok": True, "text": texts["noted"]} if last.command.verb == "note" else None
    refused = texts["refused_silent"] if last.ack.error == "silent" else texts["refused"].format(error=last.ack.error)
    return {"ok": False, "text": refused}


def findings(board: Board) -> Payload | None:
    """Return the lines of the preflight."""
    scene = board.scene
    if scene is None or scene.screen != "preflight":
        return None
    may = "override" in scene.buttons and board.silent_s is None
    wanted = scene.instruction.arg if scene.instruction.button == "override" else None
    shown = [
        {
            **msgspec.to_builtins(finding),
            "lifts": finding.may_override and finding.blocks and not finding.overridden and may,
            "primary": finding.code == wanted,
        }
        for finding in scene.findings
    ]
    return {"findings": shown}


def gate(board: Board) -> Payload | None:
    """Return the contact gate and the contact check."""
    scene = board.scene
    if scene is None or scene.screen != "contacts":
        return None
    return {"gate": _gate(scene.gate, scene) if scene.gate else None, "contact": _contact(scene.contact, scene)}


def contact_check(board: Board) -> Payload | None:
    """Return the contact check while a session is recorded: its cues come after START, and so does what they show."""
    scene = board.scene
    if scene is None or scene.screen != "record":
        return None
    return _contact(scene.contact, scene)


def _gate(state: GateState, scene: Scene) -> Payload:
    texts, language = WORDS[scene.language], scene.language
    threshold = number(100 * state.threshold, language)
    if state.overall is None:
        overall = texts["gate_unknown"].format(threshold=threshold)
    else:
        overall = texts["gate_overall"].format(overall=number(100 * state.overall, language), threshold=threshold)
    return {
        "green": state.green,
        "open": texts["gate_open" if state.green else "gate_holding" if state.held_s > 0 else "gate_shut"],
        "good": texts["gate_good"].format(good=state.good, n=state.n),
        "overall": overall,
        "overall_frac": state.overall,
        "threshold_frac": state.threshold,
        "held": texts["gate_held"].format(held=int(min(state.held_s, state.hold_s)), hold=number(state.hold_s, language)),
        "held_frac": min(1.0, state.held_s / state.hold_s) if state.hold_s else float(state.green),
        "required": texts["gate_required" if state.required else "gate_free"],
        "overridden": texts["gate_overridden"].format(reason=state.overridden) if state.overridden else "",
    }


def _contact(contact: Contact, scene: Scene) -> Payload:
    texts = WORDS[scene.language]
    alpha = contact.alpha
    return {
        "state": contact.state,
        "text": texts[f"contact_{contact.state}"].format(seen=contact.n_seen, cues=contact.n_cues),
        "alpha": texts["contact_alpha"].format(alpha=number(alpha, scene.language, digits=1)) if alpha is not None else "",
        "overridden": texts["gate_overridden"].format(reason=contact.overridden) if contact.overridden else "",
    }


def gauges(board: Board) -> Payload | None:
    """Return the row of figures above a recording."""
    scene = board.scene
    if scene is None or scene.screen != "record":
        return None
    texts, language = WORDS[scene.language], scene.language
    # the clock goes on between two scenes, but not when the launcher has died
    t_s = scene.t_s + (board.age_s(Scene) if scene.recording and board.silent_s is None else 0.0)
    if scene.trial is None:
        clip = texts["clip_none"].format(n=scene.n_trials)
    else:
        clip = texts["clip_of"].format(trial=scene.trial, n=scene.n_trials)
    battery = texts["battery_value"].format(percent=number(scene.battery, language)) if scene.battery is not None else ""
    left = scene.battery_left_s
    return {
        "recording": scene.recording,
        "t_s": int(t_s),
        "time": f"{int(t_s) // 3600:d}:{int(t_s) // 60 % 60:02d}:{int(t_s) % 60:02d}",
        "clip": clip,
        "doing": state_word(scene),
        "disk": disk(board.status, scene),
        "battery": battery or texts["unknown"],
        "battery_title": texts["battery_left"].format(min=number(left // 60, language))
        if left is not None
        else texts["battery"],
        "troubles": [t.text for t in scene.troubles if t.text != scene.instruction.text],
    }


def state_word(scene: Scene) -> str:
    """Return what is on the participant's screen, in words."""
    head = scene.state.partition(" ")[0]
    texts = WORDS[scene.language]
    return texts.get(f"state_{head}") or texts.get(f"state_{head.partition('/')[0]}") or texts["state_page"]


def disk(status: Status | None, scene: Scene) -> str:
    """Return the room on the disk, as minutes of recording where the collector knows how fast it fills."""
    texts, language = WORDS[scene.language], scene.language
    if status is None or status.disk is None:
        return texts["unknown"]
    if status.disk.left_s is None:
        return texts["disk_free"].format(gb=number(status.disk.free_B / 1e9, language, digits=1))
    return texts["disk_left"].format(min=number(status.disk.left_s // 60, language))


def streams(board: Board) -> Payload | None:
    """Return the tiles."""
    scene, status = board.scene, board.status
    if scene is None or scene.screen != "record":
        return None
    if status is None:
        return {"tiles": [], "silent": ""}
    since_s = board.age_s(Status)
    silent = WORDS[scene.language]["tiles_silent"].format(s=int(since_s)) if since_s > STATUS_S else ""
    return {"tiles": tiles(status, scene.language, since_s=since_s), "silent": silent}


def timeline(board: Board) -> Payload | None:
    """Return what has happened so far."""
    scene = board.scene
    if scene is None or scene.screen != "record":
        return None
    return {"moments": msgspec.to_builtins(scene.timeline)}


def verdict(board: Board) -> Payload | None:
    """Return how the session ended."""
    scene = board.scene
    if scene is None or scene.screen != "finish":
        return None
    texts, said = WORDS[scene.language], scene.said
    if said is None:
        return {"verdict": ""}
    files = [
        {"name": f.name, "size": size(f.size_B, scene), "verified": f.verified}
        for f in said.files
    ]  # fmt: skip
    good = sum(f.verified is True for f in said.files)
    return {
        "verdict": said.verdict,
        "title": texts[f"verdict_{said.verdict}"].format(clips=", ".join(map(str, said.repeat))),
        "text": said.text,
        "reasons": list(said.reasons),
        "report": bool(said.report),
        "next": said.next,
        "files": files,
        "verified": texts["files_verified"].format(good=good, n=len(files)) if files else "",
    }


def size(n_bytes: int, scene: Scene) -> str:
    """Return a file's size in the unit that fits."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{number(n_bytes / factor, scene.language, digits=1)}\u202f{unit}"
    return f"{n_bytes}\u202fB"


SOURCES: Mapping[str, Callable[[Board], Payload | None]] = {
    "words": words,
    "deck": deck,
    "findings": findings,
    "gate": gate,
    "gauges": gauges,
    "contact_check": contact_check,
    "tiles": streams,
    "timeline": timeline,
    "verdict": verdict,
}
"""The page's own parts, in the order in which a browser draws them."""
