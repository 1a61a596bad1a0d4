"""The video file keeps every frame at its own time."""

import errno
import stat
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from collector.video import VideoDiskError, VideoError, VideoWriter

SIZE = (64, 48)


def grey(level: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), level, np.uint8)


def frames(path: Path) -> list[tuple[float, float]]:
    """Return time and brightness of every frame."""
    with av.open(str(path)) as container:
        return [(float(f.pts * f.time_base), float(f.to_ndarray(format="gray").mean())) for f in container.decode(video=0)]


def test_frames_keep_their_times_and_their_order_through_a_gap(tmp_path: Path) -> None:
    times = [*(i / 30 for i in range(30)), *(5 + i / 7.3 for i in range(20))]
    levels = [20 + 4 * i for i in range(50)]
    with VideoWriter(tmp_path / "a.mkv", SIZE, 30) as video:
        told = [video.write(grey(level), t) for t, level in zip(times, levels, strict=True)]
    found = frames(tmp_path / "a.mkv")
    assert [t for t, _ in found] == pytest.approx(told)
    np.testing.assert_allclose(told, times, atol=0.00051)
    np.testing.assert_allclose([level for _, level in found], levels, atol=4)


def test_frames_of_one_millisecond_or_going_back_stay_in_order(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mkv", SIZE, 30) as video:
        told = [video.write(grey(i), t) for i, t in enumerate([0.0, 0.0001, 0.0002, -1.0, 0.5])]
    assert told == [0.0, 0.001, 0.002, 0.003, 0.5]
    assert [t for t, _ in frames(tmp_path / "a.mkv")] == told


def test_a_keyframe_stands_at_least_every_half_second_of_a_slow_camera(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mkv", SIZE, 30) as video:
        for i in range(20):
            video.write(grey(i), i * 0.2)
    with av.open(str(tmp_path / "a.mkv")) as container:
        keys = [float(f.pts * f.time_base) for f in container.decode(video=0) if f.key_frame]
    assert max(np.diff(keys)) <= 0.6 + 1e-9


def test_a_killed_process_leaves_a_video_that_opens(tmp_path: Path) -> None:
    program = f"""
import os, numpy as np
from pathlib import Path
from collector.video import VideoWriter
video = VideoWriter(Path({str(tmp_path / "a.mkv")!r}), (64, 48), 30)
noise = np.random.default_rng(0)
for i in range(90):
    video.write(noise.integers(0, 255, (48, 64, 3), dtype=np.uint8), i / 30)
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == -9
    assert len(frames(tmp_path / "a.mkv")) >= 90 - 16  # half a second, and a frame


class FullDisk:
    """A container on a disk that takes nothing more, also when it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def mux(self, packet: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        self.closed += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_an_error_of_its_own_also_on_close(tmp_path: Path) -> None:
    video = VideoWriter(tmp_path / "a.mkv", SIZE, 30)
    video.write(grey(1), 0.0)
    real, video._container = video._container, FullDisk()  # type: ignore[assignment]
    full = video._container
    with pytest.raises(VideoDiskError) as written:
        video.write(grey(2), 0.1)
    with pytest.raises(VideoDiskError) as closed:
        video.close()
    video.close()  # once is enough
    assert written.value.errno == closed.value.errno == errno.ENOSPC and full.closed == 1  # type: ignore[attr-defined]
    assert video.n_frames == 1
    real.close()


def test_the_video_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with VideoWriter(path, SIZE, 30) as video:
        video.write(grey(1), 0.0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        VideoWriter(path, SIZE, 30)
    assert path.read_bytes() == before


def test_odd_sizes_and_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="65x48"):
        VideoWriter(tmp_path / "odd.mkv", (65, 48), 30)
    assert not (tmp_path / "odd.mkv").exists()
    with VideoWriter(tmp_path / "a.mkv", SIZE, 30) as video, pytest.raises(VideoError, match="shape"):
        video.write(np.zeros((10, 10, 3), np.uint8), 0.0)
