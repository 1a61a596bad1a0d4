"""A camera for tests: it stalls, hangs, fails, lies about its times, changes its rate, is unplugged and plugged in again."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np

from collector.camera import Camera, CameraError

SIZE = (64, 48)


class FakeCapture:
    """Gives numbered frames: number ``n`` (from 1) is grey of level ``40 n mod 240``.

    Parameters
    ----------
    pauses_s : float or sequence of float
        Before each frame; a sequence is gone through again and again: a variable rate.
    driver_ms : callable, optional
        From the frame's number to what the driver says; by default the truth, 5 ms before the frame arrived.
    stop_after : int
        Number of the last frame; afterwards grab() fails.
    lies : bool
        After that, grab() goes on to report success, and retrieve() has nothing (as OpenCV does when a camera is unplugged).
    """

    def __init__(
        self,
        *,
        pauses_s: float | Sequence[float] = 0.002,
        driver_ms: Callable[[int], float] | None = None,
        stop_after: int = 10**9,
        lies: bool = False,
        size: tuple[int, int] = SIZE,
    ) -> None:
        self.n, self.stop_after, self.lies, self.size = 0, stop_after, lies, size
        self._pauses_s = [pauses_s] if isinstance(pauses_s, float) else list(pauses_s)
        self._driver_ms = driver_ms
        self.released, self.hanging, self.hangs = False, threading.Event(), threading.Event()
        self.hanging.set()
        self._arrived_s = time.monotonic()

    def isOpened(self) -> bool:
        return True

    def grab(self) -> bool:
        if not self.hanging.is_set():
            self.hangs.set()
        self.hanging.wait(60)  # clear() it, and the driver hangs in here
        time.sleep(self._pauses_s[self.n % len(self._pauses_s)])
        self.n += 1
        self._arrived_s = time.monotonic()
        return self.lies or self.n <= self.stop_after

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        if self.n > self.stop_after:
            return not self.lies, None
        return True, np.full((self.size[1], self.size[0], 3), (self.n * 40) % 240, np.uint8)

    def get(self, prop: int) -> float:
        return self._arrived_s * 1000 - 5.0 if self._driver_ms is None else self._driver_ms(self.n)

    def release(self) -> None:
        self.released = True

    def unplug(self) -> None:
        self.stop_after = self.n


class Socket:
    """Where a camera is plugged in: what `reopen` finds."""

    def __init__(self, make: Callable[[], FakeCapture] = FakeCapture) -> None:
        self._make, self.plugged, self.capture, self.attempts = make, True, make(), 0

    def open(self) -> FakeCapture:
        self.attempts += 1
        if not self.plugged:
            raise CameraError("camera.source = 0 in study.toml: cannot be opened; connect it or give another number")
        self.capture = self._make()
        return self.capture

    def unplug(self) -> None:
        self.plugged = False
        self.capture.unplug()


class Rows:
    """Collects rows by the file that they belong to."""

    def __init__(self, *, pause_s: float = 0.0) -> None:
        self.files: dict[Path, list[tuple[float, tuple[float, ...]]]] = {}
        self.pause_s = pause_s

    def file(self, path: Path) -> None:
        self.files[path] = []

    def __call__(self, t: float, row: tuple[float, float, float, float]) -> None:
        time.sleep(self.pause_s)
        self.files[list(self.files)[-1]].append((t, row))

    @property
    def n(self) -> int:
        return sum(len(rows) for rows in list(self.files.values()))

    @property
    def all(self) -> list[tuple[float, tuple[float, ...]]]:
        return [row for rows in self.files.values() for row in rows]


def wait_for(ready: Callable[[], bool], what: str) -> None:
    for _ in range(3000):
        if ready():
            return
        time.sleep(0.01)
    raise AssertionError(f"waited in vain: {what}")


def camera(capture: FakeCapture, path: Path, rows: Rows, **options: object) -> Camera:
    return Camera(
        capture, path, fps=30, **({"now": time.monotonic} | options), on_row=rows, on_file=rows.file
    )  # type: ignore[arg-type]  # fmt: skip


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(f.pts * f.time_base) for f in container.decode(video=0)]
