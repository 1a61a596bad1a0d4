"""kill -9 of the collector at random instants: at most a second is lost, and nothing is invented."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
import pyxdf
from typer.testing import CliRunner

from collector import cli, xdf
from collector.video import VideoWriter
from protocol.folder import Run
from tests.faults.counts import count
from tests.faults.lab import Amplifier, Lab, lab, numbers, recording, session, study, until

KILLS = count(3, 200)
LANES = count(3, 4)  # collectors at once: they take from one amplifier
LOST_S = 1.0
SFREQ = 256.0
SEED = 5


@dataclass(frozen=True)
class Kill:
    """A collector that was killed: its run, when, and what the amplifier had sent by then."""

    run: Run
    t: float
    published: int


def kill(room: Lab, amplifier: Amplifier, run: Run, after_s: float) -> Kill:
    collector = room.collector(run)
    until(lambda: recording(run))
    time.sleep(after_s)
    killed = Kill(run, time.monotonic(), amplifier.published())
    collector.kill()
    collector.communicate()
    return killed


def eeg_is_right(killed: Kill, recovered: Path) -> bool:
    """Every sample is the amplifier's, none is missing in between, and the last one is late enough."""
    stream = xdf.by_name(xdf.read(recovered), "eeg")
    if stream is None or not len(stream.stamps):
        return False
    n = numbers(stream)  # looks at every value
    theirs = next(s for s in pyxdf.load_xdf(str(recovered), dejitter_timestamps=False)[0] if s["info"]["name"][0] == "eeg")
    assert theirs["time_series"].tolist() == stream.values.tolist()
    return bool((np.diff(n) == 1).all() and n[-1] >= killed.published - LOST_S * SFREQ and xdf.check(recovered).damage == ())


def video_is_right(killed: Kill, recovered: Path) -> bool:
    """The frames that a player shows and that have their row go on until a second before the kill."""
    frames = xdf.by_name(xdf.read(recovered), "emolab-frames")
    if frames is None or not killed.run.video().exists():
        return False
    with av.open(str(killed.run.video())) as container:
        shown = [float(f.pts * f.time_base) for f in container.decode(video=0)]
    both = min(len(shown), len(frames.stamps))
    assert shown[:both] == pytest.approx(np.asarray(frames.values)[:both, 1])
    return bool(both) and killed.t - float(frames.stamps[both - 1]) <= LOST_S


@pytest.mark.live
@pytest.mark.alone
def test_a_collector_that_is_killed_has_lost_at_most_a_second(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    face = tmp_path / "face.mkv"
    with VideoWriter(face, (160, 120), 30) as video:
        for i in range(30):
            video.write(np.full((120, 160, 3), 8 * i, np.uint8), i / 30)
    waits = np.random.default_rng(SEED).uniform(1.2, count(3, 6), KILLS)
    runs = [session(tmp_path / "data", study(camera=str(face)), participant=f"{n:03d}") for n in range(KILLS)]
    with lab(tmp_path) as room, ThreadPoolExecutor(LANES) as pool:
        amplifier = room.amplifier({"name": "eeg"})
        kills = list(pool.map(lambda one: kill(room, amplifier, *one), zip(runs, waits.tolist(), strict=True)))
    right, worst_s = [], 0.0
    for killed in kills:
        recovered = killed.run.path / "recovered.xdf"
        result = CliRunner().invoke(cli.app, ["recover", str(killed.run.xdf), "--out", str(recovered)])
        assert result.exit_code == 0, result.output
        right.append((eeg_is_right(killed, recovered), video_is_right(killed, recovered)))
        last = numbers(xdf.by_name(xdf.read(recovered), "eeg"))[-1]
        worst_s = max(worst_s, (killed.published - last) / SFREQ)
    fault_row(
        test="kill -9 of the collector", n=KILLS, passed=sum(eeg and video for eeg, video in right),
        note=f"EEG and video end at most 1.0 s before the kill (EEG at worst {worst_s:.2f} s), no invented sample",
    )  # fmt: skip
    assert right == [(True, True)] * KILLS
