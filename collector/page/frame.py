"""The page's skeleton: the deck with light, instruction and buttons, and a slot for everything else; scripts fill it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from nicegui import ui
from nicegui.events import GenericEventArguments

from collector.page import components, view
from collector.page.board import MAX_TEXT, VERBS, Board
from collector.page.ticker import Source

STATIC = Path(__file__).parent / "static"


def sources() -> Mapping[str, Source]:
    """Return the payload of every part of the page, by its name."""
    return {**view.SOURCES, **{name: part.payload for name, part in components.load().items()}}


def build(board: Board) -> None:
    """Draw the page for one browser."""
    parts = components.load()
    _scripts(["dialogs", *view.SOURCES, *parts])
    ui.on("emolab-command", lambda event: obey(board, event))
    _markup("deck")
    with ui.element("div").props("id=screens"):
        for name, screen in components.PANELS.items():
            _slot(name, (screen,))
        for name, part in parts.items():
            with _slot(name, components.PLACES[name]):
                part.build(board)
    _markup("dialogs")


def obey(board: Board, event: GenericEventArguments) -> None:
    """Send what the browser asks for, where it is a command at all."""
    asked = event.args if isinstance(event.args, dict) else {}
    verb, reason, arg = (asked.get(key, "") for key in ("verb", "reason", "arg"))
    if verb in VERBS and all(isinstance(text, str) and len(text) <= MAX_TEXT for text in (reason, arg)):
        board.command(verb, reason, arg)


def _slot(name: str, screens: Iterable[str]) -> ui.element:
    return ui.element("section").props(f'data-slot={name} data-screens="{" ".join(screens)}" hidden').classes("slot")


def _markup(name: str) -> None:
    """Put a file of ours into the page; nothing of it comes from outside, so nothing is sanitised."""
    ui.html((STATIC / f"{name}.html").read_text(encoding="utf-8"), sanitize=False).classes(name)


def _scripts(names: Iterable[str]) -> None:
    """Load what the parts bring; in the order in which they are drawn, after the page's own."""
    ui.add_head_html('<link rel="stylesheet" href="/static/page.css"><script src="/static/emolab.js"></script>')
    for name in names:
        if (STATIC / f"{name}.css").exists():
            ui.add_head_html(f'<link rel="stylesheet" href="/static/{name}.css">')
        if (STATIC / f"{name}.js").exists():
            ui.add_body_html(f'<script defer src="/static/{name}.js"></script>')
