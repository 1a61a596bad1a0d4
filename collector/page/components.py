"""The components of the page, and where each stands; the rule that they follow is told in :mod:`collector.page`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, cast

from collector.page.board import Board
from protocol.scene import ScreenName

Payload = dict[str, Any]


class Component(Protocol):
    """A module that draws a part of the page."""

    def build(self, board: Board) -> None:
        """Make the NiceGUI elements, for one browser."""

    def payload(self, board: Board) -> Payload | None:
        """Return what is shown now."""


PLACES: Mapping[str, tuple[ScreenName, ...]] = {
    "contacts": ("contacts",),
    "traces": ("contacts", "record"),
    "preview": ("contacts", "record"),
}
"""The screens on which a component is seen: one slot, ``[data-slot=NAME]``, which moves with the screen (page.css)."""

PANELS: Mapping[str, ScreenName] = {
    "findings": "preflight",
    "gate": "contacts",
    "gauges": "record",
    "contact_check": "record",
    "tiles": "record",
    "timeline": "record",
    "verdict": "finish",
}
"""Slots that the page itself fills, and their screens."""


def load() -> dict[str, Component]:
    """Import every component."""
    names = [n for n in PLACES if find_spec(f"collector.page.{n}") is not None]
    return {name: cast(Component, import_module(f"collector.page.{name}")) for name in names}
