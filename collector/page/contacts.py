"""Contacts: the head with a dot for every sensor, what to wet first, and one sensor closely."""

from __future__ import annotations

from typing import Any

import numpy as np
from nicegui import ui

from collector.page import head
from collector.page.board import Board
from collector.page.live import MAINS_UV, Detail, Live, choice, live
from collector.page.signals import Floats
from collector.page.words import WORDS, number
from protocol.messages import Scene, Status
from protocol.scene import Cap

THRESHOLD = 0.8  # of a study without a gate: the paper's rule
DECIBELS = (-20.0, 40.0)  # of the spectrum that is drawn: from the noise of an amplifier to blinks and mains
Payload = dict[str, Any]


def build(board: Board) -> None:
    """Take in which sensor a browser looks at; the script draws the rest."""
    shared = live(board)
    ui.on("emolab-sensor", lambda event: shared.choose(str(choice(event, "name").get("name", ""))))


def payload(board: Board) -> Payload | None:
    """Return the state of every contact, and the sensor that is looked at."""
    scene = board.scene
    if scene is None or scene.screen != "contacts":
        return None
    return shown(live(board), scene, board.status, since_s=board.age_s(Status))


def shown(live: Live, scene: Scene, status: Status | None, *, since_s: float) -> Payload:
    """Return what the head shows. Pure but for what ``live`` has found."""
    cap, gate, texts = live.cap, scene.gate, WORDS[scene.language]
    metric, threshold = (gate.metric, gate.threshold) if gate else ("CQ", THRESHOLD)
    reading = head.reading(status, cap, metric, since_s=since_s)
    shares = reading.shares or dict.fromkeys(_of_eeg(live, cap))
    worst = head.worst(shares, threshold)
    states = {name: head.state(share, threshold) for name, share in shares.items()}
    wanted = texts["cap_wanted"].format(threshold=number(100 * threshold, scene.language))
    return {
        "sensors": [[name, states[name], share if share is None else round(100 * share)] for name, share in shares.items()],
        "places": _places(live, cap, list(shares)),
        "metric": texts[f"cap_{metric}"],
        "overall": None if reading.overall is None else number(100 * reading.overall, scene.language),
        "reached": reading.overall is not None and reading.overall >= threshold - 1e-9,
        "wanted": wanted,
        "count": texts["cap_count"].format(good=sum(s == "good" for s in states.values()), n=len(states)),
        "worst": worst,
        "advice": _advice(worst, states.values(), texts),
        "blink": _blink(live, scene, texts),
        "chosen": live.chosen,
        "detail": _detail(live.detail, scene) if live.chosen else None,
    }


def _of_eeg(live: Live, cap: Cap) -> list[str]:
    """Return the sensors of a device that says nothing of its contacts."""
    ring = live.feed.ring
    return head.sensors(ring.labels, cap, live.positions) if ring is not None else []


def _places(live: Live, cap: Cap, names: list[str]) -> Payload:
    marks = {"reference": cap.reference, "ground": cap.ground}
    at = {what: head.named(text, live.positions) for what, text in marks.items() if text}
    flat = head.places([*names, *(label for label in at.values() if label)], live.positions)
    return {
        "at": {name: list(flat[name]) for name in names if name in flat},
        "radius": round(head.dot_radius([flat[name] for name in names if name in flat]), 4),
        "marks": [
            [what, text, list(flat[label]) if (label := at[what]) in flat else None] for what, text in marks.items() if text
        ],
        "beside": [name for name in names if name not in flat] if live.positions or not cap.montage else [],
    }


def _advice(worst: list[str], states: Any, texts: Any) -> str:
    if worst:
        return str(texts["cap_wet"].format(names=", ".join(worst)))
    known = [s for s in states if s != "unknown"]
    return str(texts["cap_wet_none"] if known else texts["cap_silent"])


def _blink(live: Live, scene: Scene, texts: Any) -> Payload:
    if live.feed.ring is None or live.blinks is None:
        return {"state": "blind", "text": texts["cap_blink_blind"] if live.feed.ring is not None else ""}
    if not len(live.blinks):
        return {"state": "ask", "text": texts["cap_blink_ask"]}
    ago = number(max(0.0, live.now() - live.blinks[-1]), scene.language)
    return {"state": "seen", "text": texts["cap_blink_seen"].format(s=ago, n=len(live.blinks))}


def _detail(detail: Detail | None, scene: Scene) -> Payload | None:
    if detail is None:
        return None
    texts, language = WORDS[scene.language], scene.language
    bars = []
    for hz, uv in detail.mains:
        key = "cap_mains_high" if uv > MAINS_UV else "cap_mains"
        text = texts[key].format(hz=number(hz, language), uv=number(uv, language, digits=1))
        bars.append({"hz": hz, "uv": round(uv, 1), "high": uv > MAINS_UV, "text": text})
    return {
        "name": detail.name,
        "low": _rounded(detail.low),
        "high": _rounded(detail.high),
        "step_hz": float(detail.freqs[1]) if len(detail.freqs) > 1 else 0.0,
        "db": _rounded(np.clip(10 * np.log10(np.maximum(detail.density, 1e-12)), *DECIBELS)),
        "range": list(DECIBELS),
        "mains": bars,
        "spread": texts["cap_spread"].format(uv=number(detail.spread, language, digits=1)),
    }


def _rounded(values: Floats) -> list[float | None]:
    """Return values with one decimal; a gap is None."""
    return [None if np.isnan(v) else round(v, 1) for v in values.tolist()]
