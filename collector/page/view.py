"""What the page shows of what it knows, as texts and numbers; pure. Scripts put them where they belong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collector.page.board import Board

Payload = dict[str, Any]


def frame(board: Board) -> Payload:
    """Return what stands on every screen."""
    scene = board.scene
    return {"screen": scene.screen if scene else "", "silent": board.silent_s is not None}


SOURCES: Mapping[str, Callable[[Board], Payload | None]] = {"frame": frame}
