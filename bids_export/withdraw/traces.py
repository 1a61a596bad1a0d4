"""Where a participant is still named: a search of every byte, also inside gzip, zip (so npz, too) and base64."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bids_export.withdraw.links import walk

BLOCK_B = 16_000_000
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")
LONG = 12  # a label of so many characters is no accident, wherever it stands


def pattern(label: str, others: Iterable[str] = ()) -> re.Pattern[bytes]:
    """Return what a participant is known by.

    Parameters
    ----------
    label : str
        Of BIDS; alone it is looked for where it is long, else as ``sub-07`` and ``"participant": "07"``.
    others : iterable of str
        More, such as the identifiers of runs.

    Examples
    --------
    >>> bool(pattern("07").search(b"x/sub-07_ses-01")), bool(pattern("07").search(b"sub-070"))
    (True, False)
    """
    texts = [f"sub-{label}", *([label] if len(label) >= LONG else []), *others]
    parts = [rb'"participant(?:_id)?"\s*:\s*"' + re.escape(label).encode() + b'"']
    for text in texts:
        parts.append(re.escape(text.encode()) + rb"(?![A-Za-z0-9])")
        parts += [re.escape(text.encode(code)) for code in ("utf-16-le", "utf-32-le")]  # numpy's texts are the latter
    return re.compile(b"|".join(parts))


def traces(folders: Sequence[Path], looked_for: re.Pattern[bytes], *, but: Sequence[Path] = ()) -> list[Path]:
    """Return the files below some folders that name somebody, in their path or in their bytes.

    Parameters
    ----------
    folders : sequence of Path
        Where to look.
    looked_for : pattern of bytes
        From :func:`pattern`.
    but : sequence of Path
        Folders that are not looked into.
    """
    found = []
    for folder in folders:
        for path in (p for p in walk(folder) if not any(p.is_relative_to(b) for b in but)):
            name = path.relative_to(folder).as_posix().encode()
            if looked_for.search(name) or any(_within(part, looked_for) for part in _parts(path)):
                found.append(path)
    return found


def _within(data: bytes, looked_for: re.Pattern[bytes]) -> bool:
    if looked_for.search(data):
        return True
    return any(looked_for.search(plain) for plain in _decoded(data))


def _decoded(data: bytes) -> Iterator[bytes]:
    for match in _BASE64.finditer(data):
        text = match.group().rstrip(b"=")
        try:
            yield base64.b64decode(text[: len(text) // 4 * 4])
        except binascii.Error:
            continue


def _parts(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file in blocks that overlap, then those of what is packed in it."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        yield from _blocks(iter(lambda: file.read(BLOCK_B), b""))
    try:
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                yield from _blocks(iter(lambda: packed.read(BLOCK_B), b""))
        elif head == b"PK\x03\x04":
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    with archive.open(member) as packed_member:
                        yield member.filename.encode()
                        yield from _blocks(iter(lambda: packed_member.read(BLOCK_B), b""))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        return  # damaged: what can be read of it was read as it lies there


def _blocks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield blocks, each with the end of the one before: nothing is missed at a seam."""
    before = b""
    for block in blocks:
        yield before + block
        before = block[-1024:]
