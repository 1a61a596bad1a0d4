"""Opening the operator's page in a browser. Its address holds a key, and every user of the machine may read a command line."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Callable
from html import escape
from pathlib import Path

NAME = "operator-page.html"
_SNAPS = Path("/snap/bin")  # browsers from there see neither the temporary folder nor anything hidden
_PAGE = """<!doctype html>
<meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url={url}">
<title>emolab</title><p><a href="{url}">The operator's page</a></p>
"""


def folder(*, snaps: Path = _SNAPS) -> Path | None:
    """Return where a browser can read files of ours: the home folder under snaps; None where any folder will do."""
    return Path.home() if snaps.is_dir() else None


def browse(url: str, *, where: Path, opens: Callable[[str], object] = webbrowser.open) -> None:
    """Open an address in the browser by way of a file for its owner's eyes alone, whose own name is no secret.

    Parameters
    ----------
    url : str
        Of the page, with its key.
    where : Path
        An empty folder that is removed with the launcher.
    opens : callable
        Takes the file's address.
    """
    path = where / NAME
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(_PAGE.format(url=escape(url)))
    opens(path.as_uri())
