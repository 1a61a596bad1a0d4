"""An operator with a real browser: reads the page as a person does, presses its buttons, types.

``with browser() as b, Operator(b, url) as operator: ..``. One browser serves a whole module; every operator has a window and
cookies of its own. What left this machine would stand in ``operator.external``; what failed in the browser in
``operator.errors``.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

LIMIT_S = 20.0  # for anything that is waited for: a loaded machine draws slowly
START_S = 60.0  # for the server to listen
SIZES = {"1280x800": (1280, 800), "1920x1080": (1920, 1080)}


@contextmanager
def browser() -> Iterator[Any]:
    """Start Debian's Chromium without a window; skip the test where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium: is not installed")
    with sync_api.sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield program
        program.close()


@dataclass(frozen=True)
class Tile:
    """A stream's tile, as it is read."""

    name: str
    health: str
    text: str


class Operator:
    """A person before the page.

    Parameters
    ----------
    browser : playwright Browser
        From :func:`browser`.
    url : str
        As ``emo-run`` prints it, with the token.
    size : tuple of int
        Of the window, pixels.
    """

    def __init__(self, browser: Any, url: str, *, size: tuple[int, int] = (1280, 800)) -> None:
        self._context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        self.page = self._context.new_page()
        self.page.set_default_timeout(1000 * LIMIT_S)
        self.external: list[str] = []
        self.errors: list[str] = []
        self._ours = urlsplit(url).netloc
        self.page.on("request", self._asked)
        self.page.on("websocket", lambda socket: self._asked_for(socket.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        _wait_for_server(url)
        self.page.goto(url)
        self.page.wait_for_selector("body[data-screen]")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the window."""
        self._context.close()

    @property
    def screen(self) -> str:
        """``preflight``, ``contacts``, ``record`` or ``finish``; empty before the launcher has spoken."""
        return self.page.get_attribute("body", "data-screen") or ""

    @property
    def light(self) -> str:
        """``green``, ``amber`` or ``red``; ``unknown`` while the launcher is silent."""
        return self._one("light").get_attribute("data-light") or ""

    @property
    def instruction(self) -> str:
        """What the one instruction says."""
        return self._one("instruction").inner_text().strip()

    @property
    def code(self) -> str:
        """The code of the instruction."""
        return self._one("instruction").get_attribute("data-code") or ""

    @property
    def buttons(self) -> dict[str, bool]:
        """The buttons in the row, and whether each may be pressed."""
        return self.page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('#buttons button')].map(b => [b.dataset.command, !b.disabled]))"
        )

    @property
    def wanted(self) -> str:
        """The command of the highlighted button; empty where the instruction is for hands."""
        buttons = self.page.evaluate("[...document.querySelectorAll('button.primary')].map(b => b.dataset.command)")
        assert len(buttons) <= 1, f"more than one button is highlighted: {buttons}"
        return buttons[0] if buttons else ""

    @property
    def tiles(self) -> dict[str, Tile]:
        """The tiles of the streams, by name."""
        found = self.page.evaluate(
            "[...document.querySelectorAll('[data-test=tile]')].map(t => [t.dataset.name, t.dataset.health, t.innerText])"
        )
        return {name: Tile(name, health, " ".join(text.split())) for name, health, text in found}

    def text(self, test: str) -> str:
        """Return what stands in the first element with this ``data-test``; empty where it is not to be seen."""
        element = self.page.locator(f'[data-test="{test}"]').first
        return " ".join(element.inner_text().split()) if element.is_visible() else ""

    def texts(self, test: str) -> list[str]:
        """Return what stands in every element with this ``data-test``."""
        return [" ".join(text.split()) for text in self.page.locator(f'[data-test="{test}"]').all_inner_texts()]

    def press(self, verb: str, *, reason: str = "", arg: str | None = None) -> None:
        """Press the button of a command, and type what it asks for."""
        which = f'button[data-command="{verb}"]:not(:disabled)' + (f'[data-arg="{arg}"]' if arg is not None else "")
        self.page.locator(which).first.click()
        self._answer(reason)

    def key(self, key: str, *, reason: str = "") -> None:
        """Press a key of the keyboard, and type what it asks for."""
        self.page.keyboard.press(key)
        self._answer(reason)

    def note(self, text: str) -> None:
        """Write a note, with the key."""
        self.key("n", reason=text)

    def obey(self, *, reason: str = "as instructed") -> str:
        """Do what the instruction's button does; return its command, empty where the instruction is for hands."""
        # in one step: between a look and a click the session goes on, and the button may be another one
        verb: str = self.page.evaluate(
            "(b => { b?.click(); return b?.dataset.command ?? '' })(document.querySelector('button.primary:not(:disabled)'))"
        )
        if verb:
            self._answer(reason)
        return verb

    def wait(self, condition: Callable[[Operator], Any], *, limit_s: float = LIMIT_S, what: str = "") -> None:
        """Wait until something is to be seen."""
        for _ in range(round(limit_s * 20)):
            if condition(self):
                return
            self.page.wait_for_timeout(50)
        seen = f"screen {self.screen}, light {self.light}, instruction {self.instruction!r}, buttons {self.buttons}"
        raise AssertionError(f"{what or 'what was waited for'} did not come within {limit_s:g} s; seen: {seen}")

    def _one(self, test: str) -> Any:
        return self.page.locator(f'[data-test="{test}"]')

    def _answer(self, reason: str) -> None:
        """Type into the dialog, if one has opened."""
        if not self.page.locator("#ask[open]").count():
            return
        self.page.fill("#ask-text", reason)
        self.page.keyboard.press("Enter")

    def _asked(self, request: Any) -> None:
        self._asked_for(request.url)

    def _asked_for(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self._ours:
            self.external.append(url)


def _wait_for_server(url: str) -> None:
    """The launcher tells the address before anybody listens there."""
    parts = urlsplit(url)
    for _ in range(round(START_S / 0.2)):
        try:
            socket.create_connection((parts.hostname or "", parts.port or 80), 1.0).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"{parts.netloc}: nobody listens there after {START_S:g} s")
