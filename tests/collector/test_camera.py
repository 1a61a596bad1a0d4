"""The camera: every frame that is written has one row, whatever happens."""

import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest

from collector.camera import Camera, CameraError, PacedFile, frame_time, open_source
from collector.video import VideoWriter

SIZE = (64, 48)


class FakeCapture:
    """Gives numbered frames; ``driver`` lies or tells, ``stop_after`` unplugs it."""

    def __init__(self, *, pause_s: float = 0.002, driver_ms: float | None = None, stop_after: int = 10**9, size=SIZE) -> None:
        self.n, self.pause_s, self.driver_ms, self.stop_after, self.size = 0, pause_s, driver_ms, stop_after, size
        self.released = False

    def isOpened(self) -> bool:
        return True

    def grab(self) -> bool:
        time.sleep(self.pause_s)
        self.n += 1
        return self.n <= self.stop_after

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.full((self.size[1], self.size[0], 3), (self.n * 40) % 240, np.uint8)

    def get(self, prop: int) -> float:
        return time.monotonic() * 1000 - 5.0 if self.driver_ms is None else self.driver_ms

    def release(self) -> None:
        self.released = True


class Rows:
    """Collects rows; ``enough`` is set once there are so many."""

    def __init__(self, wanted: int, *, pause_s: float = 0.0) -> None:
        self.stamps: list[float] = []
        self.rows: list[tuple[float, ...]] = []
        self.wanted, self.pause_s, self.enough = wanted, pause_s, threading.Event()

    def __call__(self, t: float, row: tuple[float, float, float, float]) -> None:
        time.sleep(self.pause_s)
        self.stamps.append(t)
        self.rows.append(row)
        if len(self.rows) >= self.wanted:
            self.enough.set()


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(f.pts * f.time_base) for f in container.decode(video=0)]


def record(capture: FakeCapture, path: Path, rows: Rows, **options: int) -> Camera:
    camera = Camera(capture, path, fps=30, now=time.monotonic, on_row=rows, **options)
    camera.start()
    camera.record()
    assert rows.enough.wait(30)
    camera.stop()
    return camera


def test_frames_in_the_video_are_the_rows_with_the_same_times(tmp_path: Path) -> None:
    rows, capture = Rows(40), FakeCapture()
    camera = record(capture, tmp_path / "a.mkv", rows)
    index, pts, driver, grab = np.array(rows.rows).T
    assert times(tmp_path / "a.mkv") == pytest.approx(pts.tolist())
    assert index.tolist() == list(range(len(rows.rows)))
    np.testing.assert_array_equal(rows.stamps, driver)  # the driver is on the LSL clock, 5 ms before grab() returned
    assert (grab > driver).all()
    np.testing.assert_allclose(pts, driver - driver[0], atol=0.002)
    assert capture.released
    assert camera.n_dropped == 0
    assert camera.status().file == "a.mkv"


def test_a_driver_on_another_clock_is_not_believed(tmp_path: Path) -> None:
    rows = Rows(5)
    record(FakeCapture(driver_ms=33.0), tmp_path / "a.mkv", rows)
    assert all(t == row[3] and row[2] == 0.033 for t, row in zip(rows.stamps, rows.rows, strict=True))


@pytest.mark.parametrize(("driver_ms", "t"), [(999_001.0, 999.001), (998_999.0, 1000.0), (0.0, 1000.0), (float("nan"), 1000.0)])
def test_a_drivers_time_counts_within_a_second_of_ours(driver_ms: float, t: float) -> None:
    assert frame_time(driver_ms, 1000.0).t == t


def test_an_encoder_that_is_too_slow_drops_frames_counts_them_and_keeps_rows_equal(tmp_path: Path) -> None:
    rows = Rows(10, pause_s=0.02)
    camera = record(FakeCapture(pause_s=0.001), tmp_path / "a.mkv", rows, queue_frames=2)
    assert camera.n_dropped > 0
    assert len(times(tmp_path / "a.mkv")) == len(rows.rows) == camera.n_frames


def test_frames_before_the_recording_are_not_kept(tmp_path: Path) -> None:
    rows, capture = Rows(3), FakeCapture()
    camera = Camera(capture, tmp_path / "a.mkv", fps=30, now=time.monotonic, on_row=rows)
    camera.start()
    while camera.t_last is None:
        time.sleep(0.001)
    assert not (tmp_path / "a.mkv").exists()
    camera.stop()
    assert (rows.rows, (tmp_path / "a.mkv").exists(), capture.released) == ([], False, True)


@pytest.mark.timeout(60)
def test_rows_that_cannot_be_written_end_the_video_and_stopping_does_not_hang(tmp_path: Path) -> None:
    def full(t: float, row: tuple[float, ...]) -> None:
        raise OSError(28, "No space left on device")

    camera = Camera(FakeCapture(), tmp_path / "a.mkv", fps=30, now=time.monotonic, on_row=full)
    camera.start()
    camera.record()
    for _ in range(1000):
        if camera.error:
            break
        time.sleep(0.01)
    camera.stop()
    assert "No space left" in camera.error


def test_a_camera_that_gives_nothing_more_is_lost_and_what_came_is_kept(tmp_path: Path) -> None:
    clock = [0.0]

    def now() -> float:
        clock[0] += 0.05  # every look at the clock is a twentieth of a second: nobody waits two seconds here
        return clock[0]

    rows = Rows(20)
    camera = Camera(FakeCapture(stop_after=20, driver_ms=-1e9), tmp_path / "a.mkv", fps=30, now=now, on_row=rows)
    camera.start()
    camera.record()
    for _ in range(3000):
        if camera.error:
            break
        time.sleep(0.01)
    camera.stop()
    assert camera.error == "no frame for 2 s"
    assert camera.t_last is not None
    assert not camera.flowing  # a recording does not begin with it, though it gave frames once
    assert len(times(tmp_path / "a.mkv")) == len(rows.rows) > 0


def test_an_odd_size_is_cut_to_an_even_one(tmp_path: Path) -> None:
    record(FakeCapture(size=(65, 49)), tmp_path / "a.mkv", Rows(3))
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (64, 48)


def test_a_video_file_stands_where_a_camera_would_and_begins_again_at_its_end(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "in.mkv", SIZE, 30) as video:
        for i in range(4):
            video.write(np.full((48, 64, 3), 60 * i, np.uint8), i / 30)
    source = open_source(str(tmp_path / "in.mkv"), SIZE, 1000)
    assert isinstance(source, PacedFile)
    levels = [float(source.retrieve()[1].mean()) for _ in range(8) if source.grab()]
    source.release()
    np.testing.assert_allclose(levels, [0, 60, 120, 180] * 2, atol=6)
    assert source.get(0) == 0.0


def test_a_camera_that_is_not_there_is_refused_with_the_key(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match=r"camera.source = .*missing.mkv.* in study.toml"):
        open_source(str(tmp_path / "missing.mkv"), SIZE, 30)
