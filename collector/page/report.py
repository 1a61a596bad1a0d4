"""The run's quality report, shown by the page: the one file that the scene names, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response

from collector.page.board import Board
from protocol.messages import Scene

# the report is whole in itself; its scripts run in a world of their own, which holds no cookie and reaches no server
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "media-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-scripts allow-popups allow-modals"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}


def answer(board: Board) -> Response:
    """Answer with the report of the run on the page."""
    path = of(board.scene) if board.scene else None
    if path is None:
        return PlainTextResponse("404: no report\n", 404)
    return FileResponse(path, media_type="text/html", headers=HEADERS)


def of(scene: Scene) -> Path | None:
    """Return where the report of this scene's run lies; None where there is none, or what is named is no report of that run."""
    if scene.said is None or not scene.said.report:
        return None
    path = Path(scene.said.report)
    name = rf"sub-{re.escape(scene.participant)}_ses-{re.escape(scene.session)}_(.+_)?run-{re.escape(scene.run)}_report\.html"
    if not path.is_absolute() or path.is_symlink() or not path.is_file() or not re.fullmatch(name, path.name):
        return None
    return path
