"""The page's web server: NiceGUI behind the guard, on loopback alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.staticfiles import StaticFiles

from collector.page import frame, report
from collector.page.board import Board
from collector.page.guard import Guard
from collector.page.ticker import Ticker
from protocol.messages import Scene

ADDRESS = "127.0.0.1"
STATIC = Path(__file__).parent / "static"
RECONNECT_S = 10.0  # a browser that lost the server for less goes on where it was
ORPHAN_S = 1800.0  # a launcher that is started again finds the page; after so long nobody will


class PageServer(uvicorn.Server):
    """A web server that ends when nobody will speak with it any more.

    Parameters
    ----------
    config : uvicorn.Config
        What it serves, and where.
    board : Board
        Knows when the launcher spoke last.
    """

    def __init__(self, config: uvicorn.Config, board: Board) -> None:
        super().__init__(config)
        self._board = board

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end; asked ten times a second."""
        return await super().on_tick(counter) or self._board.age_s(Scene) > ORPHAN_S


def application(board: Board, *, token: str, port: int) -> Guard:
    """Return the guarded page, which ticks as long as it is served."""
    ticker = Ticker(board, frame.sources())

    @contextlib.asynccontextmanager
    async def ticking(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(ticker.run())
        yield
        task.cancel()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=ticking)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_api_route("/report", lambda: report.answer(board))
    ui.run_with(
        app,
        root=lambda: frame.build(board),
        title="emolab",
        favicon=STATIC / "icon.svg",
        tailwind=False,
        reconnect_timeout=RECONNECT_S,
        message_history_length=200,
        binding_refresh_interval=None,
        show_welcome_message=False,
    )
    return Guard(app, token=token, port=port)


def serve(board: Board, *, token: str, port: int) -> uvicorn.Server:
    """Return the server, which listens on loopback once it runs."""
    config = uvicorn.Config(
        application(board, token=token, port=port),
        host=ADDRESS,
        port=port,
        log_level="warning",
        access_log=False,  # it would name the token
        server_header=False,
        proxy_headers=False,  # nobody stands between
        ws_max_size=2**16,
        timeout_graceful_shutdown=1,
    )
    return PageServer(config, board)
