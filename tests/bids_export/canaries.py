"""A search of every byte below a folder: names, contents, and what is packed in them. It shares no code with the product's."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]{40,}={0,2}")
_DEEP = 4


def found(folder: Path, needle: str | bytes) -> list[str]:
    """Return where a text or some bytes occur, as UTF-8, UTF-16 or UTF-32, also inside gzip, zip, npz, PNG and base64."""
    needles = [needle] if isinstance(needle, bytes) else [needle.encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le")]
    hits = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        parts = [name.encode(), *(unpacked(path.read_bytes()) if path.is_file() else ())]
        if any(one in part for part in parts for one in needles):
            hits.append(name)
    return hits


def unpacked(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """Yield bytes, and what is packed in them."""
    yield data
    if depth == _DEEP:
        return
    for inner in _inside(data):
        yield from unpacked(inner, depth + 1)


def _inside(data: bytes) -> Iterator[bytes]:
    try:
        if data[:2] == b"\x1f\x8b":
            yield gzip.decompress(data)
        elif data[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in archive.namelist():
                    yield name.encode()
                    yield archive.read(name)
        elif data[:8] == b"\x89PNG\r\n\x1a\n":
            yield from _texts_of_png(data)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error):
        pass
    for match in _BASE64.finditer(data):
        text = re.sub(rb"[\r\n=]", b"", match.group())
        yield from (base64.b64decode(text[start:][: (len(text) - start) // 4 * 4]) for start in range(4))


def _texts_of_png(data: bytes) -> Iterator[bytes]:
    at = 8
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + size]
        if kind == b"zTXt":
            yield zlib.decompress(body.partition(b"\0")[2][1:])
        at += 12 + size
