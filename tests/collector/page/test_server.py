"""The server's own end."""

import asyncio

import pytest
import uvicorn

from collector.page.board import Board
from collector.page.server import ORPHAN_S, PageServer
from tests.collector.page import scenes
from tests.collector.page.test_board import Clock, Wire


@pytest.mark.parametrize(("silence_s", "ends"), [(ORPHAN_S - 1, False), (ORPHAN_S + 1, True)])
def test_a_page_that_nobody_spoke_to_for_very_long_ends(silence_s: float, ends: bool) -> None:
    wire, clock = Wire(), Clock()
    board = Board(wire, now=clock)
    clock.t += 10_000
    wire.coming = [scenes.record()]
    board.pump()
    server = PageServer(uvicorn.Config("none:app"), board)
    clock.t += silence_s
    assert asyncio.run(server.on_tick(1)) is ends
