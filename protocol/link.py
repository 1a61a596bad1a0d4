"""The wire between the processes: the launcher binds a hub, window, collector and page connect a link to it.

ZeroMQ on 127.0.0.1. Sending never blocks and never raises for a peer that is gone: the collector waits for nobody.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import Self

import zmq

from protocol import messages
from protocol.messages import ADDRESS_VARIABLE, TOKEN_VARIABLE, Body, Envelope, MessageError, Who

_QUEUED = 1000  # messages that wait for a peer before new ones are dropped: a few minutes of beats


def _socket(kind: int) -> zmq.Socket[bytes]:
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(kind)
    socket.set(zmq.LINGER, 200)
    socket.set(zmq.SNDHWM, _QUEUED)
    socket.set(zmq.RCVHWM, _QUEUED)
    return socket


class Link:
    """A process's end of the wire.

    Parameters
    ----------
    who : str
        ``window``, ``collector`` or ``page``.
    address, token : str
        As the launcher gave them.
    now : callable
        The LSL clock, seconds.
    """

    def __init__(self, who: Who, *, address: str, token: str, now: Callable[[], float]) -> None:
        self.who, self._token, self._now = who, token, now
        self._socket = _socket(zmq.DEALER)
        self._socket.setsockopt(zmq.IDENTITY, who.encode())
        self._socket.connect(address)

    @classmethod
    def from_environment(cls, who: Who, *, now: Callable[[], float]) -> Self | None:
        """Connect where the launcher says, or return None where there is no launcher."""
        address, token = os.environ.get(ADDRESS_VARIABLE), os.environ.get(TOKEN_VARIABLE)
        return cls(who, address=address, token=token, now=now) if address and token else None

    def send(self, body: Body, *, id_: str | None = None) -> bool:
        """Send; returns False when the queue is full because nobody listens. With ``id_`` its answer is known again."""
        try:
            data = messages.encode(body, token=self._token, who=self.who, t_lsl=self._now(), id_=id_)
            self._socket.send(data, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def receive(self) -> list[Envelope]:
        """Return what has arrived, at once; what is no message of ours is dropped."""
        return [envelope for _, envelope in _drain(self._socket, self._token)]

    def close(self) -> None:
        """Close; what was sent still leaves for 0.2 s."""
        self._socket.close()


class Hub:
    """The launcher's end: binds a free port on loopback and makes the token.

    Parameters
    ----------
    now : callable
        The LSL clock, seconds.
    address, token : str, optional
        Of a launcher that died: its children connect again by themselves, and go on speaking to this one.

    Raises
    ------
    OSError
        When somebody else has the address.
    """

    def __init__(self, *, now: Callable[[], float], address: str | None = None, token: str | None = None) -> None:
        self._now, self.token = now, token or secrets.token_urlsafe(24)
        self._socket = _socket(zmq.ROUTER)
        # a process that comes back after a crash takes its old name over
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        if address:
            self._socket.bind(address)
        self.address = address or f"tcp://127.0.0.1:{self._socket.bind_to_random_port('tcp://127.0.0.1')}"

    @property
    def environment(self) -> dict[str, str]:
        """What a child needs to connect."""
        return {ADDRESS_VARIABLE: self.address, TOKEN_VARIABLE: self.token}

    def send(self, to: Who, body: Body, *, id_: str | None = None) -> None:
        """Send to one process, or drop it where that is not connected; sent twice with one ``id_`` it is one command."""
        data = messages.encode(body, token=self.token, who="launch", t_lsl=self._now(), id_=id_)
        self._socket.send_multipart([to.encode(), data], zmq.NOBLOCK)

    def receive(self, *, timeout_s: float = 0.0) -> list[Envelope]:
        """Return what has arrived, waiting at most ``timeout_s`` for the first."""
        if not self._socket.poll(round(timeout_s * 1000)):
            return []
        # the sender's name in the envelope must be the one that it connected with
        return [e for name, e in _drain(self._socket, self.token) if name == e.who.encode()]

    def close(self) -> None:
        """Close."""
        self._socket.close()


def _drain(socket: zmq.Socket[bytes], token: str) -> list[tuple[bytes, Envelope]]:
    found = []
    for _ in range(_QUEUED):
        try:
            *name, data = socket.recv_multipart(zmq.NOBLOCK)
            found.append((name[0] if name else b"", messages.decode(data, token=token)))
        except zmq.Again:
            break
        except MessageError:
            continue  # a stranger on loopback: refused without a word
    return found
