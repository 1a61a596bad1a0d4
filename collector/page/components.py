"""The components of the page, and where each stands; the rule that they follow is told in :mod:`collector.page`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, cast

from collector.page.board import Board

Payload = dict[str, Any]


class Component(Protocol):
    """A module that draws a part of the page."""

    def build(self, board: Board) -> None:
        """Make the NiceGUI elements, for one browser."""

    def payload(self, board: Board) -> Payload | None:
        """Return what is shown now."""


@dataclass(frozen=True)
class Place:
    """Where a component stands: a slot of a screen."""

    screen: str
    slot: str


PLACES: Mapping[str, Place] = {
    "contacts": Place("contacts", "head"),
    "traces": Place("record", "traces"),
    "preview": Place("record", "preview"),
}
FRAME = ("frame", "preflight", "gate", "record", "finish")  # of the page itself: they draw what stands in screens.py


def load() -> dict[str, Component]:
    """Import every component."""
    names = [n for n in PLACES if find_spec(f"collector.page.{n}") is not None]
    return {name: cast(Component, import_module(f"collector.page.{name}")) for name in names}
