"""The twin through the real doors: LSL outlets that a real inlet reads, a camera, and an end at the session's end."""

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from collector.twin.knobs import Knobs
from collector.twin.portrait import Portrait
from collector.twin.sensors import CQ_NAME, EEG_LABELS, EEG_NAME, EQ_NAME, SENSORS
from collector.twin.timeline import State, Timeline
from protocol.markers import parse

from .studies import small_study

SEED = 5
DISPLAY_S = 0.5  # more than a marker needs from the window to the twin on a busy machine
READER = Path(__file__).parent / "live_reader.py"


@contextmanager
def headset(study: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """Start ``emo-twin live`` in an LSL session of its own."""
    environment = {**os.environ, "EMOLAB_LSL_SESSION": f"test-{uuid.uuid4().hex}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-m", "collector.twin", "live", str(study), "--participant-seed", str(SEED), *options]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process, environment
    finally:
        process.kill()
        process.communicate(timeout=10)


@pytest.mark.live
def test_a_real_inlet_reads_the_headset_and_it_ends_with_the_session(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study").path
    text = study.read_text(encoding="utf-8")
    study.write_text(text + '[screen]\nphotodiode = "top-left"\n[eeg]\nphotodiode = "Light"\n', encoding="utf-8")
    (tmp_path / "faults.toml").write_text(f"display_latency_s = {DISPLAY_S}\n")
    with headset(study, "--faults", str(tmp_path / "faults.toml")) as (process, environment):
        command = [sys.executable, "-P", str(READER), str(tmp_path / "read.npz"), str(SEED)]
        read = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert read.returncode == 0, read.stderr
        assert process.wait(timeout=30) == 0
    data = np.load(tmp_path / "read.npz")
    labels = re.findall(r"<label>(.*?)</label>", str(data["xml"]))
    assert tuple(labels) == (*EEG_LABELS, "Light")
    assert "<channel_format>double64</channel_format>" in str(data["xml"]) and "simulated" in str(data["xml"])

    values, stamps = data[f"{EEG_NAME}/values"], data[f"{EEG_NAME}/stamps"]
    assert values.shape[1] == 38 and len(values) > 6 * 256
    # the light of the clip's first and last flip, on the EEG's own clock
    rises = stamps[np.flatnonzero(np.diff(values[:, -1]) > 0) + 1]
    assert rises == pytest.approx(data["sent"][1:3] + DISPLAY_S, abs=1 / 256)
    assert np.diff(stamps) == pytest.approx(1 / 256, abs=1e-6)
    assert ((np.diff(values[:, 1]) % 256) == 1).all()
    transport = stamps + data["wall_minus_lsl"] - values[:, 0]
    assert abs(transport).max() < 0.05
    uv = values[:, 3 : 3 + len(SENSORS)]
    assert abs(uv.mean() - 4200) < 100 and uv.std(axis=0).min() > 3
    for name in (CQ_NAME, EQ_NAME):
        assert np.diff(data[f"{name}/stamps"]) == pytest.approx(0.5, abs=1e-6)
        assert (data[f"{name}/values"][:, 2] >= 80).all()

    # the beta bump of fear in the middle of the clip, against the time before
    onset, offset = data["sent"][1:3]
    during = uv[(stamps > onset + 1) & (stamps < offset)]
    before = uv[(stamps > onset - 3) & (stamps < onset)]

    def beta(x: np.ndarray) -> float:
        power = np.abs(np.fft.rfft((x - x.mean(axis=0)) * np.hanning(len(x))[:, None], axis=0)) ** 2
        freqs = np.fft.rfftfreq(len(x), 1 / 256)
        frontal = [SENSORS.index(s) for s in ("Fz", "F3", "F4")]
        return float(power[(freqs > 21) & (freqs < 25)][:, frontal].mean() / len(x))

    assert beta(during) > 1.3 * beta(before)


@pytest.mark.live
def test_the_camera_sees_the_clip_that_the_markers_name(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study").path
    with headset(study) as (_, environment):
        command = [sys.executable, "-P", str(READER), str(tmp_path / "read.npz"), str(SEED)]
        read = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert read.returncode == 0, read.stderr
    data = np.load(tmp_path / "read.npz")
    driver, grabbed = data["shots"].T
    periods = np.diff(driver) * 20
    assert periods == pytest.approx(np.round(periods), abs=1e-3) and (np.round(periods) >= 1).all()
    assert (grabbed - driver >= -1e-3).all()

    start, onset, offset = data["sent"][:3]
    course = Timeline(SEED, Knobs())
    course.add(start, parse(f"session/start participant={SEED}"))
    course.add(onset, parse("clip/onset trial=1 block=1 stim_id=fear01 target=fear"))
    course.add(offset, parse("clip/offset trial=1 block=1 stim_id=fear01 target=fear"))
    assert course.state_at(onset).face > 0.3
    portrait, calm = Portrait(SEED, size_px=(320, 240)), State("rest", start)

    def far(frame: np.ndarray, t: float, state: State) -> float:
        # the noise of a frame depends on its number, which only the camera knows
        drawn = cv2.GaussianBlur(portrait.frame(0, t, state), (0, 0), 1.5).astype(float)
        return float(np.abs(cv2.GaussianBlur(frame, (0, 0), 1.5) - drawn).mean())

    for t, frame in zip(driver[9::10], data["frames"], strict=True):
        if min(abs(t - onset), abs(t - offset)) > 0.6:
            shown = course.state_at(t)
            assert far(frame, t, shown) < 0.5
            if shown.kind == "clip":
                assert far(frame, t, calm) > 2 * far(frame, t, shown)


WATCHER = """
import json, sys, time
from protocol import lsl
lsl.configure()
import pylsl
resolver, seen, stop = pylsl.ContinuousResolver(prop="type", value="EEG", forget_after=1.0), {}, time.monotonic() + 40
while time.monotonic() < stop and not any("other" in name for name in seen.values()):
    seen |= {info.uid(): info.source_id() for info in resolver.results()}
    time.sleep(0.05)
print(json.dumps(list(seen.values())))
"""


@pytest.mark.live
def test_a_headset_drops_out_and_comes_back_as_itself_or_as_another_as_its_script_says(tmp_path: Path) -> None:
    (tmp_path / "faults.toml").write_text(
        "[[at]]\nkind = 'drop'\nat_s = 3\nfor_s = 2.5\nsince = 'device'\n"
        "[[at]]\nkind = 'returns_with_other_id'\nat_s = 8\nfor_s = 2.5\nsince = 'device'\n"
    )
    with headset(small_study(tmp_path / "study").path, "--faults", str(tmp_path / "faults.toml")) as (process, environment):
        watched = subprocess.run(
            [sys.executable, "-P", "-c", WATCHER], env=environment, capture_output=True, text=True, timeout=90, check=False
        )
        assert watched.returncode == 0, watched.stderr
        assert process.poll() is None
    own = f"twin-{SEED}-EEG"
    # every outlet that there was, in order: LSL gives each a uid of its own
    assert json.loads(watched.stdout) == [own, own, f"{own}-other"]


@pytest.mark.live
def test_the_headset_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with headset(small_study(tmp_path / "study").path) as (process, _):
        assert process.stderr is not None
        assert "participant seed 5" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_a_study_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with headset(tmp_path / "nowhere.toml") as (process, _):
        _, told = process.communicate(timeout=60)
    assert process.returncode == 2 and told.count("\n") == 1 and "nowhere.toml: no such file" in told
