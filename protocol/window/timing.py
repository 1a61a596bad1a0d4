"""Measures a window by itself: its flips, how late markers are heard, sound against picture. Prints one line of JSON.

``python -P -m protocol.window.timing STUDY SECONDS``; nothing is recorded, and no stranger hears the markers: they are sent in
an LSL session of their own.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import threading
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pylsl

from protocol import lsl
from protocol.markers import Marker
from protocol.ports import Clip, Stopped
from protocol.study_files import StudyFiles, load_study
from protocol.window import pictures
from protocol.window.display import Display
from protocol.window.errors import WindowError
from protocol.window.habits import FlipLog
from protocol.window.outlet import MarkerOutlet
from protocol.window.player import Player
from protocol.window.sound import SoundError, Speaker
from protocol.window.wire import Wire

EVERY = 6  # flips from marker to marker
CLIPS, CLIP_S = 2, 3.0  # how many clips are played, and how much of each
_OPEN_S = 10.0
_PULL_S = 0.2
_LINGER_S = 1.0  # the last markers are still under way


class _Ear:
    """Receives the markers in a thread of its own, and says when each arrived."""

    def __init__(self, uid: str) -> None:
        found = pylsl.resolve_byprop("uid", uid, timeout=_OPEN_S)
        if not found:
            raise WindowError("LSL: the window's own markers are not found; see: emo-doctor")
        self._inlet = pylsl.StreamInlet(found[0])
        self._inlet.open_stream(timeout=_OPEN_S)
        self.heard: list[tuple[float, float]] = []
        """Stamp and arrival, LSL seconds."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="markers", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            sample, stamp = self._inlet.pull_sample(timeout=_PULL_S)
            if sample is not None:
                self.heard.append((float(stamp), float(pylsl.local_clock())))

    def close(self) -> None:
        """End."""
        self._over.wait(_LINGER_S)
        self._over.set()
        self._thread.join()


def measure(files: StudyFiles, *, seconds: float) -> dict[str, Any]:
    """Open the study's window and measure.

    Raises
    ------
    WindowError
        When there is no window, or LSL does not find its own.
    Stopped
        When somebody presses Escape.
    """
    lsl.configure(f"timing-{uuid.uuid4().hex}")
    screen = files.study.screen
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        flips = stack.enter_context(FlipLog(folder / "flips.csv"))
        wire = stack.enter_context(Wire(None, twin=False))
        outlet = MarkerOutlet(uuid.uuid4().hex)
        ear = _Ear(outlet.uid)
        speaker, why = _speaker()
        if speaker is not None:
            stack.enter_context(closing(speaker))
        display = Display(screen, size_px=screen.size_px, fullscreen=screen.fullscreen, wire=wire, flips=flips)
        stack.enter_context(closing(display))
        gc.collect()
        gc.freeze()
        display.put(pictures.blank(display.sheet))
        stamps = _flips(display, outlet, seconds)
        ear.close()
        played = [asdict(Player(display, speaker).play(clip, on_onset=_nothing, on_offset=_nothing)) for clip in _clips(files)]
        sheet = display.sheet
        return {
            "size_px": [sheet.width_px, sheet.height_px], "refresh_hz": screen.refresh_hz, "refresh": asdict(display.refresh),
            "flips": stamps, "psychopy": _psychopy(folder / "flips.csv", stamps), "markers": ear.heard,
            "device": speaker.name if speaker else "", "no_sound": why, "clips": played,
        }  # fmt: skip


def _flips(display: Display, outlet: MarkerOutlet, seconds: float) -> list[float]:
    """Flip for some seconds, with a marker on every few flips; return their stamps."""

    def push(stamp: float) -> None:
        outlet.push(Marker("session/start"), stamp)

    until, stamps = display.now() + seconds, list[float]()
    while display.now() < until:
        stamps.append(display.flip_page(push if not len(stamps) % EVERY else None))
    return stamps


def _psychopy(path: Path, stamps: Sequence[float]) -> list[float]:
    """Return PsychoPy's own time of the same flips, on its clock."""
    lines = [line.split(",") for line in path.read_text(encoding="ascii").splitlines()[1:]]
    theirs = {f"{float(cells[1]):.6f}": float(cells[2]) for cells in lines}
    return [theirs[f"{stamp:.6f}"] for stamp in stamps]


def _speaker() -> tuple[Speaker | None, str]:
    try:
        return Speaker(now=Display.now), ""
    except SoundError as error:
        return None, str(error)


def _clips(files: StudyFiles) -> list[Clip]:
    return [replace(clip, stop_s=min(clip.stop_s, clip.start_s + CLIP_S)) for clip in list(files.clips.values())[:CLIPS]]


def _nothing(_: object) -> None:
    """Be told what is measured elsewhere."""


def main(arguments: Sequence[str]) -> int:
    """Print what was measured, or why it could not be."""
    try:
        told = measure(load_study(Path(arguments[0]), hashes=False), seconds=float(arguments[1]))
    except (WindowError, Stopped) as error:
        told = {"error": str(error) or "stopped"}
    sys.stdout.write("\n" + json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
