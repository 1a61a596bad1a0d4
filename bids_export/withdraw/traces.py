"""Where a participant is still named: a search of every byte, inside gzip, zip (so npz, too) and base64 as well."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, cast

from bids_export.withdraw.links import walk
from bids_export.withdraw.texts import names

BLOCK_B = 16_000_000
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")
DEEP = 4  # base64 of a gzip in a zip in a page: so many wrappings are opened
_TABLES = {".tsv", ".csv"}
_Stream = IO[bytes] | gzip.GzipFile
LONG = 12  # a label of so many characters is no accident, wherever it stands


def pattern(label: str, others: Iterable[str] = ()) -> re.Pattern[bytes]:
    """Return what a participant is known by.

    Parameters
    ----------
    label : str
        Of BIDS; alone it is looked for where it is long, else as ``sub-07`` and ``"participant": "07"``, and by
        :mod:`bids_export.withdraw.texts`.
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


@dataclass(frozen=True)
class Traces:
    """What somebody is known by: a pattern for all bytes, the label for texts that say what their values are."""

    label: str
    others: tuple[str, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """What is looked for in every byte."""
        return pattern(self.label, self.others)

    def below(self, folders: Sequence[Path], *, but: Sequence[Path] = ()) -> list[Path]:
        """Return the files below some folders, or behind links there, that name somebody, in their path or in their bytes.

        Parameters
        ----------
        folders : sequence of Path
            Where to look.
        but : sequence of Path
            Folders that are not looked into.
        """
        found = []
        for folder in folders:
            for path in (p for p in walk(folder) if not any(p.is_relative_to(b) for b in but)):
                if self.pattern.search(path.relative_to(folder).as_posix().encode()) or self._are_in(path):
                    found.append(path)
        return found

    def _are_in(self, path: Path) -> bool:
        is_table = bool(_TABLES & set(path.suffixes))
        with path.open("rb") as file:
            return any(
                self.pattern.search(part) or (whole and names(part, self.label, is_table=is_table))
                for part, whole in _parts(file)
            )


def _parts(stream: _Stream, depth: int = 0) -> Iterator[tuple[bytes, bool]]:
    """Yield the bytes of a stream in blocks, and whether one is all of it; then those of what is packed in it."""
    head = b""
    for n, (block, is_whole) in enumerate(_blocks(stream)):
        head = head or block[:4]
        yield block, is_whole and n == 0
        for decoded in _decoded(block) if depth < DEEP else ():
            yield from _parts(io.BytesIO(decoded), depth + 1)
    if depth < DEEP:
        yield from _packed(stream, head, depth)


def _packed(stream: _Stream, head: bytes, depth: int) -> Iterator[tuple[bytes, bool]]:
    try:
        if head[:2] == b"\x1f\x8b":
            stream.seek(0)
            with gzip.GzipFile(fileobj=stream) as inner:
                yield from _parts(inner, depth + 1)
        elif head == b"PK\x03\x04":
            with zipfile.ZipFile(cast("IO[bytes]", stream)) as archive:
                for member in archive.infolist():
                    yield member.filename.encode(), False
                    with archive.open(member) as packed_member:
                        yield from _parts(packed_member, depth + 1)
    except (OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile):
        return  # damaged, or locked: what can be read of it was read as it lies there


def _decoded(data: bytes) -> Iterator[bytes]:
    for match in _BASE64.finditer(data):
        text = match.group().rstrip(b"=")
        try:
            yield base64.b64decode(text + b"=" * (-len(text) % 4))
        except binascii.Error:
            yield base64.b64decode(text[: len(text) // 4 * 4])


def _blocks(stream: _Stream) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks, each with the end of the one before: nothing is missed at a seam; and whether there is but one."""
    before = b""
    while block := stream.read(BLOCK_B):
        yield before + block, len(block) < BLOCK_B and not before
        before = block[-1024:]
