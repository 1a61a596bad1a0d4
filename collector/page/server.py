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

ADDRESS = "127.0.0.1"
STATIC = Path(__file__).parent / "static"
RECONNECT_S = 10.0  # a browser that lost the server for less goes on where it was


def application(board: Board, *, token: str, port: int) -> Guard:
    """Return the guarded page."""
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
        ws_max_size=2**16,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
