"""Traces: the EEG as it comes, with markers, scrolling; the script draws."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from collector.page.board import Board
from collector.page.live import choice, live
from collector.page.words import WORDS

SILENT_S = 1.5  # without a sample for longer is said in words
SCREENS = ("contacts", "record")


def build(board: Board) -> None:
    """Take in the operator's choice of filters and channels; who has just come chooses nothing, and gets all anew."""
    shared = live(board)
    ui.on("emolab-traces", lambda event: shared.tracer.choose(**choice(event, "band", "notch", "page")))


def payload(board: Board) -> dict[str, Any] | None:
    """Return the columns of pixels that were finished since the last call."""
    scene = board.scene
    if scene is None or scene.screen not in SCREENS:
        return None
    shared = live(board)
    found = shared.tracer.payload()
    if found is None:
        return {"names": [], "text": WORDS[scene.language]["trace_none"]}
    age_s = shared.feed.age_s()
    silent = age_s is not None and age_s > SILENT_S
    return {**found, "text": WORDS[scene.language]["trace_silent"].format(s=int(age_s or 0)) if silent else ""}
