"""A launcher that decides nothing: it shows the page the scenes that a test gives it, and keeps what the page commands."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from typing import Self

from protocol.link import Hub
from protocol.lsl import SESSION_VARIABLE
from protocol.messages import Ack, Beat, Body, Command, Envelope, Scene, Status

PERIOD_S = 0.1
START_S = 40.0


class Launcher:
    """Starts the page, sends it the newest scene ten times a second, acknowledges and keeps its commands."""

    def __init__(self) -> None:
        self.hub = Hub(now=time.monotonic)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.token = secrets.token_urlsafe(24)
        self.scene: Scene | None = None
        self.status: Status | None = None
        self.beat: Beat | None = None
        self.extra: list[Body] = []
        self.speaks = True
        self.refuses = ""
        self.commands: list[Command] = []
        self.ids: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="launcher")
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.start_page()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_page(gently=True)
        self._over.set()
        self._thread.join()
        self.hub.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def start_page(self) -> None:
        session = os.environ.get(SESSION_VARIABLE) or f"test-{secrets.token_hex(8)}"
        env = {**os.environ, **self.hub.environment, SESSION_VARIABLE: session}
        env |= {"EMOLAB_PAGE_PORT": str(self.port), "EMOLAB_PAGE_TOKEN": self.token, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen([sys.executable, "-P", "-m", "collector.page"], env=env)
        for _ in range(round(START_S / 0.1)):
            if self.process.poll() is not None:
                raise RuntimeError(f"the page ended with {self.process.returncode}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError("the page did not start")

    def kill_page(self, *, gently: bool = False) -> int:
        assert self.process is not None
        (self.process.terminate if gently else self.process.kill)()
        return self.process.wait(20)

    def show(self, scene: Scene, status: Status | None = None) -> None:
        self.scene, self.status, self.speaks = scene, status or self.status, True

    def _run(self) -> None:
        seq = 0
        while not self._over.wait(PERIOD_S):
            for envelope in self.hub.receive():
                self._answer(envelope)
            bodies = [self.scene, self.status, self.beat, *self.extra]
            for body in bodies if self.speaks else ():
                if isinstance(body, Scene):
                    body = _numbered(body, seq)
                    seq += 1
                if body is not None:
                    self.hub.send("page", body)
            self.extra.clear()

    def _answer(self, envelope: Envelope) -> None:
        if isinstance(envelope.body, Command):
            self.commands.append(envelope.body)
            self.ids.append(envelope.id)
            self.hub.send("page", Ack(of=envelope.id, ok=not self.refuses, error=self.refuses))


def _numbered(scene: Scene, seq: int) -> Scene:
    import msgspec

    return msgspec.structs.replace(scene, seq=seq)
