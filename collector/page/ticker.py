"""Ten times a second: take what the launcher sent, ask the components what they show, and tell the browsers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from nicegui import Client

from collector.page.board import Board

PERIOD_S = 0.1
NEWS = "t"  # a payload with this key is never held back as a repetition

Payload = dict[str, Any]
Source = Callable[[Board], Payload | None]

log = logging.getLogger(__name__)


class Changes:
    """What of the payloads one browser has not seen yet."""

    def __init__(self) -> None:
        self._seen: dict[str, Payload] = {}

    def of(self, payloads: Mapping[str, Payload]) -> dict[str, Payload]:
        """Return the payloads that differ from what was returned before."""
        new = {
            name: p
            for name, p in payloads.items()
            if self._seen.get(name) is not p and (NEWS in p or self._seen.get(name) != p)
        }
        self._seen.update(new)
        return new


class Ticker:
    """Counts the updates of the page; a browser that is connected misses none.

    Parameters
    ----------
    board : Board
        What is known.
    sources : mapping of str to callable
        The payload of every component, by its name.
    """

    def __init__(self, board: Board, sources: Mapping[str, Source]) -> None:
        self._board, self._sources = board, sources
        self._newest: dict[str, Payload] = {}
        self._browsers: dict[str, Changes] = {}
        self._broken: set[str] = set()
        self.seq = 0

    async def run(self) -> None:
        """Tick until cancelled, at times that do not drift."""
        due = time.monotonic()
        while True:
            self.tick()
            # a tick that was late is not made up for: the browser wants the newest, not two at once
            due = max(due + PERIOD_S, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def tick(self) -> None:
        """Update every browser once."""
        self._board.pump()
        for name, source in self._sources.items():
            if (payload := self._ask(name, source)) is not None:
                self._newest[name] = payload
        connected = {id_: client for id_, client in Client.instances.items() if client.has_socket_connection}
        self._browsers = {id_: self._browsers.get(id_, Changes()) for id_ in connected}
        for id_, client in connected.items():
            update = {"seq": self.seq, **self._browsers[id_].of(self._newest)}
            client.run_javascript(f"emolab.update({msgspec.json.encode(update).decode()})")
        self.seq += 1

    def _ask(self, name: str, source: Source) -> Payload | None:
        try:
            payload = source(self._board)
        except Exception:  # whatever it is, the other parts of the page go on
            if name not in self._broken:
                log.exception("%s: is not shown", name)
            self._broken.add(name)
            return None
        self._broken.discard(name)
        return payload
