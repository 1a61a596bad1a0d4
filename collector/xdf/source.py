"""Where chunks are read from: bytes in memory, or a file of any size through a window."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from collector.xdf.codec import XdfError, read_varlen

WINDOW_B = 1 << 20
_VARLEN_B = 9  # the longest variable-length integer


class Source(Protocol):
    """Bytes with a length; what is asked for beyond the end is not returned."""

    name: str
    size: int

    def view(self, start: int, stop: int) -> memoryview:
        """Return the bytes from ``start`` to before ``stop``."""

    def ahead(self, start: int) -> memoryview:
        """Return what is in memory from ``start`` on, at least some bytes before the end."""

    def find(self, what: bytes, start: int) -> int:
        """Return where ``what`` next stands, or -1."""


class Memory:
    """Bytes."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name, self.size, self._data, self._view = name, len(data), data, memoryview(data)

    def view(self, start: int, stop: int) -> memoryview:
        """Return the bytes from ``start`` to before ``stop``; nothing is copied."""
        return self._view[start:stop]

    def ahead(self, start: int) -> memoryview:
        """Return all from ``start`` on."""
        return self._view[start:]

    def find(self, what: bytes, start: int) -> int:
        """Return where ``what`` next stands, or -1."""
        return self._data.find(what, start)


class File:
    """A file of any size; of it, one window is in memory, and what is asked for at once.

    The size is that of the moment of opening: a file may be read while it is being written.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._file = path.open("rb", buffering=0)
        self.size = self._file.seek(0, 2)
        self._start, self._window = 0, memoryview(b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def view(self, start: int, stop: int) -> memoryview:
        """Return the bytes from ``start`` to before ``stop``; they stay as they are when the window moves on."""
        stop = min(stop, self.size)
        if not self._start <= start <= stop <= self._start + len(self._window):
            self._start, self._window = start, memoryview(self._read(start, max(stop - start, WINDOW_B)))
        return self._window[start - self._start : stop - self._start]

    def ahead(self, start: int) -> memoryview:
        """Return the rest of the window, or the next one."""
        if not self._start <= start < self._start + len(self._window):
            self.view(start, start + 1)
        return self._window[start - self._start :]

    def _read(self, start: int, n: int) -> bytes:
        self._file.seek(start)
        parts = []
        while n > 0 and (part := self._file.read(n)):
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def find(self, what: bytes, start: int) -> int:
        """Return where ``what`` next stands, or -1."""
        while start < self.size:
            found = bytes(self.view(start, start + WINDOW_B)).find(what)
            if found >= 0:
                return start + found
            start += WINDOW_B - len(what) + 1
        return -1


def varlen(source: Source, at: int) -> tuple[int, int]:
    """Decode a variable-length integer; returns it and where it ends.

    Raises
    ------
    XdfError
        When there is none at ``at``.
    """
    try:
        n, used = read_varlen(source.view(at, at + _VARLEN_B), 0)
    except XdfError:
        raise XdfError(f"byte {at}: no length") from None
    return n, at + used
