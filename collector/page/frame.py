"""The page's skeleton: the deck with light, instruction and buttons, and one section for every screen; scripts fill it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from nicegui import ui
from nicegui.events import GenericEventArguments

from collector.page import components, view
from collector.page.board import MAX_TEXT, VERBS, Board
from collector.page.ticker import Source
from protocol.scene import ScreenName

STATIC = Path(__file__).parent / "static"
SCREENS = get_args(ScreenName)


def sources() -> Mapping[str, Source]:
    """Return the payload of every part of the page, by its name."""
    return {**view.SOURCES, **{name: part.payload for name, part in components.load().items()}}


def build(board: Board) -> None:
    """Draw the page for one browser."""
    parts = components.load()
    _scripts(list(parts))
    ui.on("emolab-command", lambda event: obey(board, event))
    _markup("deck")
    with ui.element("main"):
        for screen in SCREENS:
            with ui.element("section").props(f'data-screen={screen} data-test="screen-{screen}" hidden'):
                _markup(screen)
                _slots(screen, parts, board)
    _markup("dialogs")


def obey(board: Board, event: GenericEventArguments) -> None:
    """Send what the browser asks for, where it is a command at all."""
    asked = event.args if isinstance(event.args, dict) else {}
    verb, reason, arg = (asked.get(key, "") for key in ("verb", "reason", "arg"))
    if verb in VERBS and all(isinstance(text, str) and len(text) <= MAX_TEXT for text in (reason, arg)):
        board.command(verb, reason, arg)


def _slots(screen: str, parts: Mapping[str, components.Component], board: Board) -> None:
    for name, part in parts.items():
        place = components.PLACES[name]
        if place.screen == screen:
            with ui.element("div").props(f"data-slot={place.slot}").classes("slot"):
                part.build(board)


def _markup(name: str) -> None:
    """Put a file of ours into the page; nothing of it comes from outside, so nothing is sanitised."""
    ui.html((STATIC / f"{name}.html").read_text(encoding="utf-8"), sanitize=False).classes(f"markup {name}")


def _scripts(names: list[str]) -> None:
    ui.add_head_html('<link rel="stylesheet" href="/static/page.css"><script src="/static/emolab.js"></script>')
    for name in (*view.SOURCES, *names):
        for kind, tag in (
            ("js", '<script defer src="/static/{}.js"></script>'),
            ("css", '<link rel="stylesheet" href="/static/{}.css">'),
        ):
            if (STATIC / f"{name}.{kind}").exists():
                ui.add_body_html(tag.format(name))
