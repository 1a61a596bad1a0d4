"""The secret of a data folder: by it dates are shifted and withdrawals recognised. It lies beside the folder, never in it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from protocol.folder import FolderError

KEY_B = 32


def path_of(data: Path) -> Path:
    """Return where the secret of a data folder lies: beside it, so that it goes neither with the data nor with a dataset."""
    return data.with_name(f".{data.name}.secret")


def make(data: Path) -> bytes:
    """Return the secret of a data folder, made where there is none; for its owner's eyes alone.

    Raises
    ------
    FolderError
        When it is no secret of ours.
    """
    path = path_of(data)
    if not path.exists():
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_B) + "\n")
        try:
            os.link(temporary, path)  # unlike a rename it never replaces the secret of another export
        except FileExistsError:
            pass  # which was there first: that one holds
        finally:
            temporary.unlink()
    return read(path)


def read(path: Path) -> bytes:
    """Return the secret that lies in a file.

    Raises
    ------
    FolderError
        When it is no secret of ours.
    """
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (ValueError, UnicodeDecodeError):
        key = b""
    if len(key) != KEY_B:
        raise FolderError(f"{path}: is no secret of {KEY_B} bytes in hexadecimal; restore it from a copy, or remove it")
    return key


def mark(key: bytes, text: str) -> str:
    """Return a keyed hash: without the key nobody can try out which label it belongs to."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
