"""Writing the face video: processor time beside a camera's 30 frames a second, and what becomes of the frames and their times.

Each writer runs in a process of its own and gets the same pictures (a drawn face, moving, with a camera's noise), made
beforehand. What the capture costs without any writer is taken off.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from collector.camera import Camera
from collector.camera.preview import PERIOD_S, small_jpeg
from collector.twin.portrait import Portrait
from collector.twin.timeline import State
from tests.benchmarks.table import Row

SIZES = ((640, 480), (1280, 720))
FPS, SECONDS, PICTURES, ROUNDS = 30, 12, 60, 3
GAP_AT, GAP_S = 150, 0.5  # after this frame the camera says nothing for a while
LATENCY_S = 0.01  # from the driver's stamp to the frame's arrival


class Paced:
    """A camera that gives ready pictures at 30 frames a second, with true driver times."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        portrait = Portrait(7, size_px=size_px)
        state = State("clip", 0.0, "happiness", "x", 1, face=0.6)
        self._pictures = [portrait.frame(n, n / FPS, state).copy() for n in range(PICTURES)]
        self._start, self.n, self.t, self.ended = time.monotonic() + 0.2, 0, 0.0, threading.Event()

    def isOpened(self) -> bool:
        return True

    def grab(self) -> bool:
        if self.n >= FPS * SECONDS:
            self.ended.set()
            time.sleep(0.05)
            return False
        self.t = self._start + self.n / FPS + (GAP_S if self.n >= GAP_AT else 0.0)
        time.sleep(max(0.0, self.t + LATENCY_S - time.monotonic()))
        self.n += 1
        return True

    def retrieve(self) -> tuple[bool, Any]:
        return True, self._pictures[self.n % PICTURES].copy()

    def get(self, prop: int) -> float:
        return self.t * 1000 if prop == 0 else 0.0

    def release(self) -> None:
        self.ended.set()


def ours(source: Paced, path: Path) -> tuple[list[float], int]:
    """Record as the collector does; returns stamps of the rows and how many frames were dropped."""
    stamps: list[float] = []
    camera = Camera(source, path, fps=FPS, now=time.monotonic, on_row=lambda t, row: stamps.append(t))
    camera.start()
    camera.record()
    source.ended.wait()
    camera.stop()
    return stamps, camera.n_dropped


def nothing(source: Paced, path: Path) -> tuple[list[float], int]:
    """Take the frames and forget them."""
    while source.grab():
        source.retrieve()
    return [], 0


def opencv(source: Paced, path: Path) -> tuple[list[float], int]:
    """Write as most scripts do: OpenCV's mp4v, in the capture loop."""
    writer = cv2.VideoWriter(
        str(path.with_suffix(".mp4")), cv2.VideoWriter.fourcc(*"mp4v"), FPS, source.retrieve()[1].shape[1::-1]
    )
    stamps = []
    while source.grab():
        stamps.append(source.t)
        writer.write(source.retrieve()[1])
    writer.release()
    return stamps, 0


WRITERS: dict[str, Callable[[Paced, Path], tuple[list[float], int]]] = {"ours": ours, "none": nothing, "opencv": opencv}


def frame_times(path: Path) -> list[float]:
    """Return the times that the file holds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None and p.time_base]


def measure(writer: str, size_px: tuple[int, int]) -> dict[str, float]:
    """Run one writer here and now, and return processor seconds and what became of the frames."""
    cv2.setNumThreads(1)
    source = Paced(size_px)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.mkv"
        before = resource.getrusage(resource.RUSAGE_SELF)
        stamps, dropped = WRITERS[writer](source, path)
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if writer == "none":
            return {"cpu_s": cpu_s}
        found = np.sort(frame_times(path if path.exists() else path.with_suffix(".mp4")))
        n = min(len(found), len(stamps))
        wrong_s = np.abs(found[:n] - (np.array(stamps[:n]) - stamps[0])).max()
        return {"cpu_s": cpu_s, "dropped": dropped, "missing": FPS * SECONDS - len(found), "wrong_ms": 1000 * float(wrong_s)}


def _run(writer: str, size_px: tuple[int, int]) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.bench_camera", writer, *map(str, size_px)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows() -> list[Row]:
    """Compare our writer with OpenCV's at two sizes, in turns."""
    table = []
    for size_px in SIZES:
        found: dict[str, list[dict[str, float]]] = {writer: [] for writer in WRITERS}
        for _ in range(ROUNDS):
            for writer in WRITERS:
                found[writer].append(_run(writer, size_px))
        idle = statistics.median(one["cpu_s"] for one in found["none"])
        share = {w: (statistics.median(one["cpu_s"] for one in found[w]) - idle) / SECONDS for w in ("ours", "opencv")}
        mine, theirs = found["ours"], found["opencv"]
        name = f"{size_px[0]}x{size_px[1]} at {FPS} frames/s, {SECONDS} s"
        lost = f"{max(one['dropped'] for one in mine):.0f}, {max(one['missing'] for one in mine):.0f} of {FPS * SECONDS}"
        wrong, their_wrong = (max(one["wrong_ms"] for one in side) for side in (mine, theirs))
        gone = f"OpenCV {max(one['missing'] for one in theirs):.0f}"
        table += [
            Row(f"{name}: encoding, of one core", f"{share['ours']:.1%}", "", f"OpenCV mp4v {share['opencv']:.1%}"),
            Row(f"{name}: frames dropped, missing in the file", lost, "0, 0", gone),
            Row(f"{name}: worst error of a frame's time, with a gap of {GAP_S} s", f"{wrong:.1f} ms", "<= 1 ms",
                f"OpenCV {their_wrong:.0f} ms"),
        ]  # fmt: skip
    return [*table, preview()]


def preview() -> Row:
    """Measure what the operator's pictures of a large camera cost."""
    frame, n = Paced(SIZES[-1]).retrieve()[1], 100
    before = time.process_time()
    for _ in range(n):
        small_jpeg(frame)
    share = (time.process_time() - before) / n / PERIOD_S
    return Row(
        f"pictures for the operator, {1 / PERIOD_S:g} a second of {SIZES[-1][0]}x{SIZES[-1][1]}, of one core",
        f"{share:.1%}",
        "< 2 %",
    )


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], (int(sys.argv[2]), int(sys.argv[3])))))
