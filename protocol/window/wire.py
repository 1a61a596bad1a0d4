"""The window's end of the wire, in a thread of its own: beats that go on while the screen is busy, keys, commands.

A launcher that is gone ends nobody: the session goes on without it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Self

from protocol.link import Link
from protocol.messages import NEXT, Ack, Beat, Command, Envelope, Press
from protocol.ports import Asked, Stopped, Wish

BEAT_S = 0.25
WAITED_FOR_S = 5.0  # the launcher says once a second that the session shall wait; one that died says nothing
_LISTEN_S = 0.01  # how soon a press or a command is seen
_ENDS = ("abort", "stop")
_WISHES: Mapping[str, Wish] = {"pause": "pause", "resume": "resume", "skip": "skip", "repeat": "repeat"}
_OBEYED = ("start", *_WISHES, *_ENDS)


class Wire:
    """Beats, and what came in since one last looked.

    Parameters
    ----------
    link : Link or None
        None where there is no launcher: then nothing is sent and nothing comes.
    twin : bool
        Whether keys of the simulated participant are accepted.
    hold : str, optional
        Why a window before this one was to hold, if it was not let go.
    """

    def __init__(self, link: Link | None, *, twin: bool, hold: str | None = None) -> None:
        self._link, self._twin = link, twin
        self._lock, self._changed, self._closing = threading.Lock(), threading.Event(), threading.Event()
        self._beat = Beat(state="starting")
        self._presses: deque[str] = deque()
        self._stop: Stopped | None = None
        self._wishes: deque[Asked] = deque()
        self._hold = hold
        self._started = link is None
        self._t_waits = float("-inf")
        self._seen: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        if link is not None:
            self._thread.start()

    def take_stop(self) -> Stopped | None:
        """Return why the session is to end, in the words of the command, once; where nothing more can be shown, always."""
        with self._lock:
            stop = self._stop
            if stop is not None and not stop.at_once:
                self._stop = None
            return stop

    def take_wish(self) -> Asked | None:
        """Return what else was asked for by command since the last call, oldest first."""
        with self._lock:
            return self._wishes.popleft() if self._wishes else None

    @property
    def hold(self) -> str | None:
        """Why the session is to hold before its next trial; None once it is let go."""
        with self._lock:
            return self._hold

    @property
    def started(self) -> bool:
        """Whether the session may begin: the launcher said so, or there is none to ask."""
        with self._lock:
            return self._started

    @property
    def waited_for(self) -> bool:
        """Whether the launcher lives and has the session wait: an operator looks at the contacts, and begins it."""
        with self._lock:
            return time.monotonic() - self._t_waits < WAITED_FOR_S

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """End the session, as a command would; of several reasons the first stays, but one that leaves no time goes first."""
        with self._lock:
            if self._stop is None or (at_once and not self._stop.at_once):
                self._stop = Stopped(reason, at_once=at_once)

    def flipped(self, n: int, t_lsl: float) -> None:
        """Tell the next beat of a flip."""
        with self._lock:
            self._beat = Beat(state=self._beat.state, n_flip=n, t_flip=t_lsl)

    def enter(self, state: str) -> None:
        """Tell what is on the screen from now on: sent at once. What was pressed before does not count for it."""
        with self._lock:
            self._beat = Beat(state=state, n_flip=self._beat.n_flip, t_flip=self._beat.t_flip)
            self._presses.clear()
        self._changed.set()

    def presses(self) -> list[str]:
        """Return the simulated participant's keys since the last call."""
        with self._lock:
            pressed = list(self._presses)
            self._presses.clear()
        return pressed

    def close(self) -> None:
        """Send the last beat and end the thread."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        """Own the link: a ZeroMQ socket belongs to one thread."""
        assert self._link is not None
        quiet_s = BEAT_S
        while not self._closing.is_set():
            if self._changed.is_set() or quiet_s >= BEAT_S:
                self._changed.clear()
                self._send_beat(self._link)
                quiet_s = 0.0
            for envelope in self._link.receive():
                self._receive(self._link, envelope)
            self._changed.wait(_LISTEN_S)
            quiet_s += _LISTEN_S
        self._send_beat(self._link)
        self._link.close()

    def _send_beat(self, link: Link) -> None:
        with self._lock:
            beat = self._beat
        link.send(beat)

    def _receive(self, link: Link, envelope: Envelope) -> None:
        if isinstance(envelope.body, Press) and self._twin:
            with self._lock:
                self._presses.append(envelope.body.key)
        elif isinstance(envelope.body, Press):
            link.send(Ack(of=envelope.id, ok=False, error="keys come over the wire only with --twin"))
        elif isinstance(envelope.body, Beat):  # the launcher's, which comes as long as nobody has begun
            with self._lock:
                self._t_waits = time.monotonic()
        elif isinstance(envelope.body, Command):
            self._obey(link, envelope.id, envelope.body)

    def _obey(self, link: Link, id_: str, command: Command) -> None:
        """Do a command once, however often it is sent, and answer each time."""
        known = command.verb in _OBEYED
        if known and id_ not in self._seen:
            self._seen.add(id_)
            self._do(command)
        link.send(Ack(of=id_, ok=known, error="" if known else f"{command.verb}: the window obeys {', '.join(_OBEYED)}"))

    def _do(self, command: Command) -> None:
        reason = command.reason or command.verb
        if command.verb in _ENDS:
            return self.stop(reason, at_once=command.verb == "stop")
        if command.arg == NEXT and command.verb in ("pause", "resume"):
            with self._lock:
                self._hold = reason if command.verb == "pause" else None
            return None
        with self._lock:
            if command.verb in _WISHES:
                self._wishes.append(Asked(_WISHES[command.verb], reason))
            else:
                self._started = True
        return None
