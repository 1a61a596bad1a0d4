"""One participant is recorded by one launcher at a time.

The lock file names the processes that record: the launcher and its children, because a launcher's death ends nobody. It is
held while any of them lives. The file is never deleted, only emptied: two launchers that find it stale at the same moment
cannot delete each other's.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from collector.processes import birth
from protocol.journal import boot_id

NAME = "lock.json"


class LockedError(RuntimeError):
    """Somebody records this participant at this moment; the text is one line."""


@dataclass(frozen=True)
class Orphans:
    """What a launcher that died left.

    Parameters
    ----------
    run : Path or None
        Folder of the run; None where none had begun.
    processes : mapping of str to (int, str)
        All that it had started, by name: number, and mark of the beginning.
    living : tuple of str
        Those that live.
    """

    run: Path | None
    processes: Mapping[str, tuple[int, str]]
    living: tuple[str, ...]

    @property
    def recording(self) -> bool:
        """Whether a session goes on."""
        return self.run is not None and bool({"collector", "window"} & set(self.living))


def orphans(folder: Path, *, born: Callable[[int], str | None] = birth) -> Orphans | None:
    """Return what a dead launcher left running; None where nothing runs, or the launcher lives: then the lock refuses."""
    path = folder / NAME
    record = _parse(path.read_bytes()) if path.exists() else None
    if record is None or record.boot != boot_id():
        return None
    living = tuple(name for name, (pid, mark) in record.processes.items() if born(pid) == mark)
    if not living or "launcher" in living:
        return None
    return Orphans(Path(record.run) if record.run else None, record.processes, living)


class _Record(BaseModel):
    """Who holds a lock: each process by number and mark of its beginning."""

    model_config = ConfigDict(frozen=True)

    boot: str
    run: str
    processes: dict[str, tuple[int, str]]


class Lock:
    """The lock of one participant, as a context manager.

    Parameters
    ----------
    folder : Path
        ``DATA/sub-07``; made where it is not there.
    born : callable
        From a process number to the mark of its beginning, None where there is no such process.
    also : Lock, optional
        Another one that is held for as long, such as the machine's.
    what : str
        What is locked, in words.
    heirs : mapping of str to (int, str), optional
        Children of a launcher that died, which this one takes over: that they live keeps nobody out.

    Raises
    ------
    LockedError
        On entering, when another launcher or its children hold it.
    """

    def __init__(
        self, folder: Path, *, born: Callable[[int], str | None] = birth, also: Lock | None = None,
        what: str = "this participant is being recorded", heirs: Mapping[str, tuple[int, str]] | None = None,
    ) -> None:  # fmt: skip
        self.path, self._born, self._also, self._what = folder / NAME, born, also, what
        self._heirs = {name: held for name, held in (heirs or {}).items() if name != "launcher"}
        self._held: dict[str, tuple[int, str]] = {}
        self._run = ""

    def __enter__(self) -> Self:
        if self._also:
            self.look()
            self._also.__enter__()  # before ours: where it refuses, no folder is made
        try:
            self._take()
        except BaseException:
            if self._also:
                self._also.__exit__()
            raise
        return self

    def look(self) -> None:
        """Refuse for what is written already, and write nothing.

        Whoever records this participant is a better reason than a busy machine: that is said first.
        """
        if self.path.exists():
            self._refuse(self.path.read_bytes())
        if self._also:
            self._also.look()

    def _refuse(self, data: bytes) -> None:
        record = _parse(data)
        if record and self._is_held(record):
            raise LockedError(_refusal(self.path, self._what, record))

    def _take(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _exclusive(self.path) as file:
            self._refuse(file.read())
            self._held = {"launcher": self._named(os.getpid()), **self._heirs}
            self._write(file)

    def name(self, *, run: Path | None = None, pids: Mapping[str, int] | None = None) -> None:
        """Write down which run is recorded, and by which further processes."""
        self._run = str(run) if run else self._run
        self._held |= {who: self._named(pid) for who, pid in (pids or {}).items()}
        if self._also:
            self._also.name(run=run, pids=pids)
        with _exclusive(self.path) as file:
            self._write(file)

    def __exit__(self, *_: object) -> None:
        self._held.pop("launcher", None)
        # a child that would not end goes on holding the lock
        self._held = {who: (pid, mark) for who, (pid, mark) in self._held.items() if self._born(pid) == mark}
        with _exclusive(self.path) as file:
            self._write(file)
        if self._also:
            self._also.__exit__()

    def _named(self, pid: int) -> tuple[int, str]:
        return pid, self._born(pid) or ""

    def _write(self, file: IO[bytes]) -> None:
        file.seek(0)
        file.truncate()
        if self._held:
            record = _Record(boot=boot_id(), run=self._run, processes=self._held)
            file.write(record.model_dump_json().encode())
        file.flush()

    def _is_held(self, record: _Record) -> bool:
        taken_over = {tuple(held) for held in self._heirs.values()}
        others = [held for held in record.processes.values() if tuple(held) not in taken_over]
        return record.boot == boot_id() and any(self._born(pid) == mark for pid, mark in others)


def _parse(data: bytes) -> _Record | None:
    """Read a lock; an empty one, or one torn by a crash, is nobody's."""
    try:
        return _Record.model_validate_json(data)
    except ValidationError:
        return None


def machine_folder() -> Path:
    """Return where the lock of this machine's devices lies: one session at a time has the headset and the camera."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "emolab" / socket.gethostname()


def left_of(folder: Path, person: Path) -> Path | None:
    """Return the lock in a folder that a launcher which died has left, where its run lies in a participant's folder."""
    path = folder / NAME
    record = _parse(path.read_bytes()) if path.exists() else None
    if record is None or not record.run or not Path(record.run).is_relative_to(person):
        return None
    lives = record.boot == boot_id() and any(birth(pid) == mark for pid, mark in record.processes.values())
    return None if lives else path


def forget(folder: Path, person: Path) -> Path | None:
    """Empty a lock that :func:`left_of` finds, and return it; a lock that is held stays."""
    if left_of(folder, person) is None:
        return None
    with _exclusive(folder / NAME) as file:
        path = left_of(folder, person)  # a session may have begun in between
        if path is not None:
            file.truncate(0)
    return path


def _refusal(path: Path, what: str, record: _Record) -> str:
    who = ", ".join(f"{name} {pid}" for name, (pid, _) in record.processes.items())
    return f"{path}: {what} ({record.run or 'a run begins'}; processes {who}); let it end, or end these processes"


@contextmanager
def _exclusive(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading and writing while no other process does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        _guard(file.fileno())
        yield file  # closing gives the guard back


def _guard(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
