"""The page's process: ``python -P -m collector.page``, as the launcher starts it."""

from __future__ import annotations

import logging
import os
import sys
import tempfile

from collector.signals import ending
from protocol import commands

PORT_VARIABLE = "EMOLAB_PAGE_PORT"
TOKEN_VARIABLE = "EMOLAB_PAGE_TOKEN"

log = logging.getLogger(__name__)


def main() -> int:
    """Serve until the launcher or a signal ends it."""
    try:
        port, token = int(os.environ[PORT_VARIABLE]), os.environ[TOKEN_VARIABLE]
    except (KeyError, ValueError):
        sys.stderr.write(f"{PORT_VARIABLE}, {TOKEN_VARIABLE}: are not set; emo-run starts the page\n")
        return commands.BAD_INPUT
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    with tempfile.TemporaryDirectory(prefix="emolab-page-") as folder:
        os.environ["NICEGUI_STORAGE_PATH"] = folder  # else NiceGUI would make a folder where the operator stands
        _serve(port, token)
    return 0


def _serve(port: int, token: str) -> None:
    from pylsl import local_clock

    from collector.page.board import Board
    from collector.page.server import serve
    from protocol import lsl
    from protocol.link import Link

    lsl.configure()
    link = Link.from_environment("page", now=local_clock)
    try:
        with ending(lambda name: log.info("ends: %s", name)):  # the server has its own ears, and gives the signal back
            serve(Board(link), token=token, port=port).run()
    finally:
        if link is not None:
            link.close()


if __name__ == "__main__":
    sys.exit(main())
