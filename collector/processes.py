"""Child processes: each in a group of its own, its output in a file, its end in three steps.

Ctrl-C in a terminal goes to the whole foreground group: children in sessions of their own are ended in our order instead.
Their output goes to files, not pipes, because a pipe's death with the launcher would end them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_TAIL_BYTES = 4096
_ASK_AGAIN_S = 1.0
UNKNOWN = 70  # exit code of an adopted child of which nothing tells how it ended; none of ours ends with it


class Process(Protocol):
    """What is asked of a process: that of :class:`subprocess.Popen`, and of one that somebody else had started."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    def poll(self) -> int | None:
        """Return its exit code; None while it lives."""
        ...

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class Adopted:
    """A process that another launcher started: its number and mark tell it, its exit code nobody learns.

    Parameters
    ----------
    pid, mark
        As :func:`birth` tells them.
    judge : callable
        From what it left to the exit code that it should have had; None where nothing tells.
    """

    def __init__(self, pid: int, mark: str, *, judge: Callable[[], int | None] = lambda: None) -> None:
        self.pid, self._mark, self._judge = pid, mark, judge
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code as it is judged, :data:`UNKNOWN` where nothing tells; None while it lives."""
        if self._code is None and birth(self.pid) != self._mark:
            judged = self._judge()
            self._code = UNKNOWN if judged is None else judged
        return self._code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it lives."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, if it lives."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


@dataclass(frozen=True)
class Child:
    """A process that was started.

    Parameters
    ----------
    name : str
        ``window``, ``collector``, ``twin``.
    process : Process
        The process.
    log : Path
        Where its output goes.
    """

    name: str
    process: Process
    log: Path

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self.process.pid

    @property
    def code(self) -> int | None:
        """Exit code, negative for a signal; None while it lives."""
        return self.process.poll()

    def last_words(self) -> str:
        """Return the last line that it printed, or an empty text."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                lines = file.read().decode("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def how(self) -> str:
        """Say how it ended, in words."""
        if self.code is None:
            return "runs"
        if self.code == UNKNOWN:
            return "has ended, nobody saw how"
        if self.code < 0:
            return f"was ended by {signal.Signals(-self.code).name}"
        return f"ended with exit code {self.code}"

    def why(self) -> str:
        """Say how it ended, with its last words; those of one that was killed are no reason."""
        words = self.last_words()
        if not words:
            return self.how()
        return self.how() + (f"; the last line of {self.log.name}: " if (self.code or 0) < 0 else ": ") + words


def start(
    name: str, argv: Sequence[str], *, environment: Mapping[str, str], log: Path, out: Path | None = None
) -> Child:  # fmt: skip
    """Start a process in a group (and, where there are such, a session) of its own.

    Parameters
    ----------
    name : str
        What it is called.
    argv : sequence of str
        Program and arguments.
    environment : mapping of str to str
        Added to our own environment; the token travels here, because every user of the machine can read ``argv``.
    log : Path
        Gets its output, appended.
    out : Path, optional
        Gets its standard output alone, from the beginning.
    """
    with ExitStack() as stack:
        err = stack.enter_context(log.open("ab"))
        said = stack.enter_context(out.open("wb")) if out else err
        process = _popen(list(argv), env={**os.environ, **environment}, out=said.fileno(), err=err.fileno())
    return Child(name, process, log)


def _popen(argv: list[str], *, env: dict[str, str], out: int, err: int) -> subprocess.Popen[bytes]:
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        return subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, creationflags=flags)
    return subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)


def terminate(child: Child) -> None:
    """Ask the operating system to end a child; it can still close its files."""
    if child.code is not None:
        return
    if sys.platform == "win32":
        child.process.send_signal(signal.CTRL_BREAK_EVENT)  # what the process itself sees as SIGBREAK
    else:
        child.process.send_signal(signal.SIGTERM)


def kill(child: Child) -> None:
    """End a child and all that it started, at once."""
    if child.code is not None:
        return
    if sys.platform == "win32":
        child.process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):  # it ended between the question and the answer
            os.killpg(child.process.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Patience:
    """Seconds that a child is given at each step of its end."""

    asked: float = 15.0
    terminated: float = 10.0


class Stop:
    """Ends one child step by step without waiting: asks, then terminates, then kills.

    Parameters
    ----------
    child : Child
        Whom.
    ask : callable or None
        Asks in its own language, and again every second: it may still have been connecting. None begins with terminating.
    now : callable
        Seconds, monotonic.
    patience : Patience
        How long it is given.
    """

    def __init__(self, child: Child, ask: Callable[[], None] | None, *, now: Callable[[], float], patience: Patience) -> None:
        self.child, self._now, self._patience = child, now, patience
        self.step, self._ask = "asked" if ask else "terminated", ask
        self._deadline = now() + (patience.asked if ask else patience.terminated)
        self._again = now() + _ASK_AGAIN_S
        if ask:
            ask()
        else:
            terminate(child)

    def look(self) -> str | None:
        """Go one step further where patience ran out; returns the step that was taken: ``terminated``, ``killed`` or None."""
        if self.child.code is not None:
            return None
        if self._now() < self._deadline:
            self._repeat()
            return None
        return self._terminate() if self.step == "asked" else self._kill()

    def hasten(self) -> None:
        """Lose patience: the next look terminates. A hammered Ctrl-C kills nobody: files want their time to be closed."""
        if self.step == "asked":
            self._deadline = self._now()

    def _repeat(self) -> None:
        if self._ask and self.step == "asked" and self._now() >= self._again:
            self._again = self._now() + _ASK_AGAIN_S
            self._ask()

    def _terminate(self) -> str:
        self.step, self._deadline = "terminated", self._now() + self._patience.terminated
        terminate(self.child)
        return self.step

    def _kill(self) -> str | None:
        if self.step == "killed":
            return None
        self.step = "killed"
        kill(self.child)
        return self.step


def birth(pid: int) -> str | None:
    """Return a mark of when a process began, or None where no process of this number runs.

    Number and mark together name one process, because numbers are used again; where the system tells no mark it is empty.
    """
    if sys.platform == "win32":
        return "" if _alive_windows(pid) else None
    if Path("/proc/self/stat").exists():
        return _birth_linux(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it lives, and belongs to somebody else
    return ""


def _birth_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name before may hold anything; then state .. start time in ticks (proc(5))
    return None if fields[0] in "ZX" else fields[19]


def _alive_windows(pid: int) -> bool:
    """Ask by handle: on Windows ``os.kill(pid, 0)`` would send Ctrl-C."""
    import ctypes

    kernel32 = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = kernel32.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel32.CloseHandle(handle)
    return code.value == 259  # STILL_ACTIVE
