"""What a launcher leaves for the one that takes its session over: address and tokens, in a file that its owner alone may read.

It lies beside the lock, never in a run's folder: what is handed on with data must hold no key.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

NAME = "lock-link.json"


class Baton(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the children are spoken to, and how they were started.

    ``port`` and ``page_token`` are the page's, empty where there is none; ``environment`` what all children got.
    """

    address: str
    token: str
    port: int = 0
    page_token: str = ""
    environment: dict[str, str] = {}
    windowed: bool = False
    effect: float = 1.0
    override: str = ""
    preflight: bool = True

    def save(self, folder: Path) -> None:
        """Write it, for its owner alone."""
        temporary = folder / f"{NAME}.tmp"
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(self))
        temporary.replace(folder / NAME)


def load(folder: Path) -> Baton | None:
    """Read it; None where there is none, or it is damaged."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Baton)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def drop(folder: Path) -> None:
    """Remove it: the session is over, and its keys open nothing any more."""
    (folder / NAME).unlink(missing_ok=True)
