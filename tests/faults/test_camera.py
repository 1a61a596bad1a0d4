"""A camera that is unplugged and plugged in again, and a disk that takes no more video: the EEG goes on, frames are rows."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from collector import xdf
from collector.recorder import TICK_S
from collector.twin.told import FAULTS_VARIABLE
from collector.video import VideoDiskError, VideoWriter
from protocol import journal, markers
from protocol.folder import Manifest, Run, Session
from protocol.journal import Row
from tests.collector.fake_camera import FakeCapture, Rows, camera, wait_for
from tests.faults.counts import count
from tests.faults.lab import lab, numbers, recording, session, study, until

PLUGS = count(3, 20)
EVERY_S, GONE_S = 4.6, 2.6  # from one unplugging to the next; how long each lasts
LOST_S = 1.5  # and told before two seconds are over
FPS = 30
FILLS = count(3, 30)
SEED = 11


def shown(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(f.pts * f.time_base) for f in container.decode(video=0)]


def alarms(run: Run) -> list[Row]:
    return [row for row in journal.read(run.journal("collector")) if row.kind == "alarm" and row.name == "camera/lost"]


def frames_are_rows(run: Run) -> bool:
    """Each file has the stream that names it, with a row for every frame, at the frame's own time."""
    streams = {
        dict(s.header.desc)["file"]: s for s in xdf.read(run.xdf).values() if s.header.name == "emolab-frames"
    }  # fmt: skip
    assert list(streams) == [path.name for path in run.videos()]
    for path in run.videos():
        rows = np.asarray(streams[path.name].values)
        assert shown(path) == pytest.approx(rows[:, 1].tolist()) and rows[:, 0].tolist() == list(range(len(rows)))
        assert np.diff(streams[path.name].stamps).min() > 0
    return True


@pytest.mark.live
@pytest.mark.timeout(int(120 + 3 * PLUGS * EVERY_S))
def test_a_camera_that_is_unplugged_is_told_within_2_s_and_goes_on_in_the_next_file(
    tmp_path: Path, fault_row: Callable[..., None]
) -> None:
    script = tmp_path / "faults.toml"
    script.write_text(
        "\n".join(f"[[at]]\nkind = 'camera_unplug'\nat_s = {1 + n * EVERY_S}\nfor_s = {GONE_S}" for n in range(PLUGS))
    )
    run = session(tmp_path / "data", study(camera="twin"))
    window = {
        "name": markers.STREAM_NAME, "type": markers.STREAM_TYPE, "n_channels": 1, "sfreq": 0.0, "format": "string",
        "source_id": f"emolab-{Session.load(run.session_json).uid}",
    }  # fmt: skip
    with lab(tmp_path) as room:
        amplifier = room.amplifier({"name": "eeg"}, window)
        collector = room.collector(run, **{FAULTS_VARIABLE: str(script)})
        until(lambda: recording(run) and run.video().exists())
        time.sleep(1.5)  # the camera's own look at the window's markers
        start = amplifier.tell("say", markers.STREAM_NAME, "session/start participant=07")
        until(lambda: sum(row.data["cleared"] for row in alarms(run)) >= PLUGS, at_most_s=60 + 2 * PLUGS * EVERY_S)
        time.sleep(0.5)
        published = amplifier.published()
        amplifier.tell("say", markers.STREAM_NAME, "session/end end=complete")
        assert collector.wait(60) == 0, collector.communicate()[1]

    raised = [row for row in alarms(run) if not row.data["cleared"]]
    closed = next(row for row in journal.read(run.journal("collector")) if row.name == "closed")
    slack_s = TICK_S + float(closed.data["worst_stall_s"])
    late = [row.t_lsl - row.data["t_cause"] - LOST_S for row in raised]
    off = [row.data["t_cause"] - (start + 1 + n * EVERY_S) for n, row in enumerate(raised)]
    told = [0 <= s <= slack_s + 0.05 for s in late]
    eeg = xdf.by_name(xdf.read(run.xdf), "eeg")
    assert eeg is not None
    n = numbers(eeg)
    fault_row(
        test="camera unplugged and plugged in again", n=PLUGS, passed=sum(told),
        note=f"EEG goes on; alarm at worst {LOST_S + max(late):.2f} s after the last frame; {len(run.videos())} files, "
        "frames = rows in each",
    )  # fmt: skip
    assert told == [True] * PLUGS, (late, slack_s)
    assert all(-0.3 - slack_s < t < 0.1 for t in off), off  # the last frame came just before the unplugging
    assert (np.diff(n) == 1).all() and n[-1] >= published
    assert len(run.videos()) == PLUGS + 1 and frames_are_rows(run)
    listed = {record.path for record in Manifest.load(run.manifest_json).files}
    assert listed >= {path.name for path in run.videos()}
    notes = xdf.by_name(xdf.read(run.xdf), "emolab-notes")
    assert notes is not None
    said = [markers.decode(row[0])[0] for row in notes.values]
    assert [said.count(name) for name in ("camera/lost", "camera/back", "video/file")] == [PLUGS, PLUGS, PLUGS + 1]


@contextmanager
def tiny_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a small tmpfs; skipped by name where that is not permitted."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(
            f"no tmpfs can be mounted here ({done.stderr.strip()}): ENOSPC is injected in tests/collector/test_video.py alone"
        )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 255, (120, 160, 3), dtype=np.uint8)


def test_a_video_on_a_full_disk_says_so_and_what_came_before_is_readable(
    tmp_path: Path, fault_row: Callable[..., None]
) -> None:
    """The disk is filled by somebody else after a random number of frames; half a second of frames may be lost."""
    right = []
    for k, n_before in enumerate(np.random.default_rng(SEED).integers(20, 80, FILLS).tolist()):
        with tiny_disk(tmp_path / f"disk{k}", "4m") as disk:
            video, told = VideoWriter(disk / "a.mkv", (160, 120), FPS), []
            for i in range(n_before):
                told.append(video.write(noise(i), i / FPS))
            with (disk / "filler").open("wb", buffering=0) as filler:
                free = os.statvfs(disk)
                os.posix_fallocate(filler.fileno(), 0, max(1, free.f_bavail * free.f_frsize))
            with pytest.raises(VideoDiskError) as full:
                for i in range(n_before, n_before + 200):
                    told.append(video.write(noise(i), i / FPS))
            assert full.value.errno == errno.ENOSPC and full.value.filename == str(disk / "a.mkv")
            try:
                video.close()
            except VideoDiskError as second:  # it says so twice, or not
                assert second.errno == errno.ENOSPC
            found = shown(disk / "a.mkv")
            # between a second that was on the disk before and all that was told to be written
            right.append(found == pytest.approx(told[: len(found)]) and len(found) >= n_before - 0.5 * FPS - 1)
    fault_row(test="the disk is full of video", n=FILLS, passed=sum(right), note="tmpfs; at most 0.5 s of frames lost")
    assert right == [True] * FILLS


def test_a_camera_on_a_full_disk_ends_with_a_typed_error_and_every_readable_frame_has_its_row(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "1m") as disk:
        rows, told = Rows(), []
        made = camera(FakeCapture(pauses_s=0.001, size=(320, 240)), disk / "a.mkv", rows, on_fault=told.append)
        filler = (disk / "filler").open("wb", buffering=0)
        made.start()
        made.record()
        wait_for(lambda: rows.n > 60, "frames")
        free = os.statvfs(disk)
        os.posix_fallocate(filler.fileno(), 0, max(1, free.f_bavail * free.f_frsize))
        wait_for(lambda: bool(told), "the fault")
        made.stop()
        filler.close()
        assert isinstance(told[0], VideoDiskError) and told[0].errno == errno.ENOSPC and "a.mkv" in made.error
        found = shown(disk / "a.mkv")
        assert found == pytest.approx([row[1] for _, row in rows.all[: len(found)]]) and len(found) >= 45


@pytest.mark.parametrize("fps", [5, 30, 60])
def test_a_video_of_a_process_that_is_killed_is_readable_up_to_a_second_before(tmp_path: Path, fps: int) -> None:
    program = f"""
import os, numpy as np
from pathlib import Path
from collector.video import VideoWriter
video = VideoWriter(Path({str(tmp_path / "a.mkv")!r}), (160, 120), {fps})
for i in range({4 * fps}):
    video.write(np.random.default_rng(i).integers(0, 255, (120, 160, 3), dtype=np.uint8), i / {fps})
os.kill(os.getpid(), 9)
"""
    killed = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert killed.returncode == -9
    assert shown(tmp_path / "a.mkv")[-1] >= (4 * fps - 1) / fps - 1.0
