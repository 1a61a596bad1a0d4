"""The participant's window on a virtual display, drawn in software: frames, marker stamps, sound against picture."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from protocol import trials
from protocol.folder import Run
from protocol.link import Hub
from tests import display
from tests.barcode_clips import write_clip
from tests.benchmarks.table import Row
from tests.protocol.window.test_person_live import BURST_AT_S, FRAMES_STUDY, Ears, Flips, begin, ears, recorder, sent
from tests.window_runs import Sitter, window

N_CLIPS, CLIP_S, FPS = 6, 5.0, 30
COMMAND = "python -P -m protocol RUN --study STUDY, under Xvfb with PulseAudio's null sink, recorded by parec"


def rows() -> list[Row]:
    """Play clips of 720p30 with a burst of sound each, and measure from outside."""
    with tempfile.TemporaryDirectory(prefix="bench-window-") as folder:
        run, heard = _play(Path(folder))
        clips = [row for row in trials.read(run.trials_csv) if row.kind == "clip"]
        flips = Flips.of(run)
        stamps_ms = _after_the_flip_ms(run)
        offsets_ms = [1000 * offset for offset in _offsets(run, heard, flips)]
    shown, dropped = sum(row.shown or 0 for row in clips), sum(row.dropped or 0 for row in clips)
    total = shown + dropped
    onsets_ms = [1000 * abs(row.onset_error_s or 0.0) for row in clips]
    median, worst = np.median(np.abs(offsets_ms)), np.max(np.abs(offsets_ms))
    return [
        Row(f"frames of {N_CLIPS} clips of {CLIP_S:g} s, 1280x720, {FPS} a second, accounted for",
            f"{total} of {N_CLIPS * round(CLIP_S * FPS)}: {shown} shown, {dropped} named as dropped", "all", command=COMMAND),
        Row("a marker's stamp after PsychoPy's own time of that flip, beyond the quickest of them",
            f"median {np.median(stamps_ms):.3f} ms, p99 {np.percentile(stamps_ms, 99):.3f} ms, {len(stamps_ms)} flips",
            "p99 under 1 ms", command=COMMAND),
        Row("sound against picture, from what the sound card played and the flips: absolute",
            f"median {median:.0f} ms, worst {worst:.0f} ms, {len(offsets_ms)} clips", "median under 100 ms", command=COMMAND),
        Row("the first frame's flip against the flip that was planned: absolute",
            f"median {np.median(onsets_ms):.1f} ms, worst {np.max(onsets_ms):.1f} ms", "", command=COMMAND),
    ]  # fmt: skip


def _play(root: Path) -> tuple[Run, Ears]:
    clips = {}
    for n in range(N_CLIPS):
        path = write_clip(root / f"clip{n}.mp4", n_frames=round(CLIP_S * FPS), size_px=(1280, 720), pitch_hz=_pitch_hz(n))
        clips[f"clip{n}"] = ("happiness", path, CLIP_S)
    text = FRAMES_STUDY.replace("clips_per_emotion = 1", f"clips_per_emotion = {N_CLIPS}")
    text = text.replace("[screen]", "[design]\nnever_twice_running = false\n[screen]")
    run, study = begin(root, text, clips)
    with ExitStack() as stack:
        env = stack.enter_context(display.laboratory(size_px=(1280, 720)))
        stack.enter_context(recorder(env))
        heard = stack.enter_context(ears(env))
        hub = Hub(now=time.monotonic)
        with window(run, study, env | hub.environment, "--twin") as process:
            Sitter(hub, {}).follow(process, limit_s=300)
        hub.close()
    return run, heard


def _pitch_hz(n: int) -> float:
    return 1340.0 + 600.0 * n


def _after_the_flip_ms(run: Run) -> np.ndarray:
    """Two clocks whose distance is not known: the smallest difference is taken for it."""
    cells = [line.split(",") for line in run.flips_csv.read_text("ascii").splitlines()[1:]]
    apart = np.array([float(c[1]) - float(c[2]) for c in cells])
    return 1000 * (apart - apart.min())


def _offsets(run: Run, heard: Ears, flips: Flips) -> list[float]:
    onsets = {m.keys["stim_id"]: t for m, t in sent(run) if m.name == "clip/onset"}
    found = []
    for name, onset in onsets.items():
        (at,) = heard.heard(_pitch_hz(int(name.removeprefix("clip"))))
        found.append(at - flips.first_of(round(BURST_AT_S * FPS), onset))
    return found
