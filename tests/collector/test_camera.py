"""The camera: every frame that is written has one row, whatever happens."""

import errno
import time
from pathlib import Path

import av
import numpy as np
import pytest

from collector.camera import CameraError, PacedFile, encoder, open_source
from collector.camera.times import FrameClock
from collector.camera.watchdog import Facts, is_due, is_lost
from collector.video import VideoWriter

from .fake_camera import SIZE, FakeCapture, Rows, Socket, camera, times, wait_for


def record(capture: FakeCapture, path: Path, rows: Rows, *, n: int, **options: object):
    made = camera(capture, path, rows, **options)
    made.start()
    made.record()
    wait_for(lambda: rows.n >= n, f"{n} frames")
    made.stop()
    return made


def test_frames_in_the_video_are_the_rows_with_the_same_times(tmp_path: Path) -> None:
    rows, capture = Rows(), FakeCapture()
    made = record(capture, tmp_path / "a.mkv", rows, n=40)
    stamps, (index, pts, driver, grab) = [t for t, _ in rows.all], np.array([row for _, row in rows.all]).T
    assert times(tmp_path / "a.mkv") == pytest.approx(pts.tolist())
    assert index.tolist() == list(range(rows.n))
    np.testing.assert_array_equal(stamps, driver)  # the driver is on the LSL clock, 5 ms before grab() returned
    assert (grab > driver).all()
    np.testing.assert_allclose(pts, driver - driver[0], atol=0.002)
    assert capture.released and made.n_dropped == 0
    assert (made.status().file, made.files, list(rows.files)) == ("a.mkv", (tmp_path / "a.mkv",), [tmp_path / "a.mkv"])


@pytest.mark.parametrize(
    "driver_ms",
    [lambda n: 0.0, lambda n: 33.3 * n, lambda n: float("nan"), lambda n: time.monotonic() * 1000 + 60_000],
    ids=["always zero", "since it was opened", "no number", "a minute ahead"],
)
def test_a_driver_that_lies_is_not_believed_and_what_it_said_is_kept(tmp_path: Path, driver_ms) -> None:
    rows = Rows()
    record(FakeCapture(driver_ms=driver_ms), tmp_path / "a.mkv", rows, n=10)
    stamps = [t for t, _ in rows.all]
    assert all(t == row[3] for t, row in rows.all) and (np.diff(stamps) > 0).all()
    assert not any(row[2] == row[3] for _, row in rows.all)
    assert times(tmp_path / "a.mkv") == pytest.approx([t - stamps[0] for t in stamps], abs=0.002)


@pytest.mark.parametrize(("driver_s", "believed"), [(999.001, True), (998.999, False), (1000.004, True), (1000.006, False)])
def test_a_drivers_time_counts_within_a_second_before_ours(driver_s: float, believed: bool) -> None:
    assert FrameClock().stamp(driver_s * 1000, 1000.0).t == (driver_s if believed else 1000.0)


def test_a_driver_that_repeats_itself_once_is_not_believed_again() -> None:
    clock = FrameClock()
    told = [clock.stamp(driver * 1000, 100 + n / 10).t for n, driver in enumerate((99.98, 100.08, 100.08, 100.28, 100.38))]
    assert told == pytest.approx([99.98, 100.08, 100.2, 100.3, 100.4])
    assert not clock.believed


def test_frames_of_a_camera_that_changes_between_5_and_60_a_second_keep_their_times(tmp_path: Path) -> None:
    rows = Rows()
    record(FakeCapture(pauses_s=(0.2, *[1 / 60] * 12, 0.1, 1 / 30)), tmp_path / "a.mkv", rows, n=45)
    found, stamps = times(tmp_path / "a.mkv"), np.array([t for t, _ in rows.all])
    assert len(found) == rows.n
    np.testing.assert_allclose(found, stamps - stamps[0], atol=0.0011)
    assert np.diff(stamps).max() > 5 * np.median(np.diff(stamps))


def test_an_encoder_that_is_too_slow_drops_frames_counts_them_and_keeps_rows_equal(tmp_path: Path) -> None:
    rows = Rows(pause_s=0.02)
    made = record(FakeCapture(pauses_s=0.001), tmp_path / "a.mkv", rows, n=10, queue_frames=2)
    assert made.n_dropped > 0
    assert len(times(tmp_path / "a.mkv")) == rows.n == made.n_frames


def test_frames_wait_in_bounded_memory_however_big_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "QUEUE_B", 5 * SIZE[0] * SIZE[1] * 3)
    rows = Rows(pause_s=0.02)
    made = camera(FakeCapture(), tmp_path / "a.mkv", rows)
    made.start()
    made.record()
    wait_for(lambda: made.n_dropped > 0, "a dropped frame")  # five fit, not 64
    assert made._encoder._queue.qsize() <= 5
    made.stop()
    assert len(times(tmp_path / "a.mkv")) == rows.n


def test_frames_before_the_recording_are_not_kept(tmp_path: Path) -> None:
    rows, capture = Rows(), FakeCapture()
    made = camera(capture, tmp_path / "a.mkv", rows)
    made.start()
    wait_for(lambda: made.t_last is not None, "a frame")
    assert not (tmp_path / "a.mkv").exists() and made.flowing
    made.stop()
    assert (rows.n, (tmp_path / "a.mkv").exists(), capture.released) == (0, False, True)


@pytest.mark.timeout(60)
def test_rows_that_cannot_be_written_end_the_video_and_stopping_does_not_hang(tmp_path: Path) -> None:
    class Full(Rows):
        def __call__(self, t: float, row: tuple[float, float, float, float]) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    told: list[Exception] = []
    made = camera(FakeCapture(), tmp_path / "a.mkv", Full(), on_fault=told.append)
    made.start()
    made.record()
    wait_for(lambda: bool(made.error), "the fault")
    made.stop()
    assert "No space left" in made.error and not made.flowing
    assert isinstance(told[0], OSError) and told[0].errno == errno.ENOSPC and len(told) == 1


@pytest.mark.timeout(60)
def test_a_video_whose_first_frame_cannot_be_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> float:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(VideoWriter, "write", full)
    made = camera(FakeCapture(), tmp_path / "a.mkv", Rows(), on_fault=lambda _: None)
    made.start()
    made.record()
    wait_for(lambda: bool(made.error), "the fault")
    made.stop()
    assert not (tmp_path / "a.mkv").exists()


def test_limits_of_the_watchdog() -> None:
    assert (is_lost(100.0, 101.49), is_lost(100.0, 101.51)) == (False, True)
    fails = Facts(t_tried=100.0, t_frame=105.0, t_failing=105.1)
    assert (is_due(fails, 105.59), is_due(fails, 105.61)) == (False, True)
    assert (is_due(Facts(100.0, t_failing=100.0), 100.99), is_due(Facts(100.0, t_failing=100.0), 101.01)) == (False, True)
    silent, hangs = Facts(t_tried=100.0), Facts(t_tried=100.0, t_frame=110.0)
    assert (is_due(silent, 105.9), is_due(silent, 106.1)) == (False, True)  # it may need seconds for its first frame
    assert (is_due(hangs, 115.9), is_due(hangs, 116.1)) == (False, True)
    assert not is_due(Facts(100.0, t_frame=200.0), 200.1)


@pytest.mark.parametrize("lies", [False, True], ids=["grab fails", "grab succeeds and there is nothing"])
def test_a_camera_that_gives_nothing_more_is_lost_and_what_came_is_kept(tmp_path: Path, lies: bool) -> None:
    ahead = [0.0]  # the clock is put forward: nobody waits two seconds here
    rows = Rows()
    capture = FakeCapture(stop_after=20, lies=lies)
    made = camera(capture, tmp_path / "a.mkv", rows, now=lambda: time.monotonic() + ahead[0])
    made.start()
    made.record()
    wait_for(lambda: rows.n == 20 or capture.n > 25, "the last frame")
    assert made.flowing
    ahead[0] = 2.1
    assert not made.flowing and made.status().fps_hz == 0  # a recording does not begin with it, though it gave frames once
    age_s = made.status().age_s
    assert age_s is not None and age_s > 2.0 and made.status().fps_nominal_hz == 30
    made.stop()
    assert len(times(tmp_path / "a.mkv")) == rows.n > 0


def test_a_camera_that_comes_back_goes_on_in_the_next_file_with_rows_of_its_own(tmp_path: Path) -> None:
    rows, socket = Rows(), Socket()
    made = camera(socket.capture, tmp_path / "x_video.mkv", rows, reopen=socket.open)
    made.start()
    made.record()
    for part in (1, 2, 3):
        wait_for(lambda part=part: len(rows.files) == part and rows.n > 10, "frames")
        if part < 3:
            first, before = socket.capture, socket.attempts
            socket.unplug()
            wait_for(lambda before=before: socket.attempts > before, "an attempt to open it")
            assert first.released
            socket.plugged = True
    made.stop()
    assert [path.name for path in rows.files] == ["x_video.mkv", "x_split-2_video.mkv", "x_split-3_video.mkv"]
    assert made.files == tuple(rows.files) and made.status().file == "x_split-3_video.mkv"
    for path, of_file in rows.files.items():
        assert times(path) == pytest.approx([row[1] for _, row in of_file]) and of_file[0][1][:2] == (0.0, 0.0)
        assert [row[0] for _, row in of_file] == list(range(len(of_file)))


def test_a_driver_that_hangs_is_given_up_and_its_late_frames_are_not_taken(tmp_path: Path) -> None:
    ahead, rows, socket = [0.0], Rows(), Socket()
    made = camera(socket.capture, tmp_path / "a.mkv", rows, reopen=socket.open, now=lambda: time.monotonic() + ahead[0])
    made.start()
    made.record()
    wait_for(lambda: rows.n > 5, "frames")
    hung = socket.capture
    hung.hanging.clear()
    wait_for(hung.hangs.is_set, "a grab that hangs")
    n_before = hung.n
    ahead[0] += 6.5
    wait_for(lambda: len(rows.files) == 2 and rows.n > 20, "the next file")
    hung.hanging.set()
    wait_for(lambda: hung.released, "the hung driver's end")
    made.stop()
    assert hung.n == n_before + 1
    assert [path.name for path in rows.files] == ["a.mkv", "a_split-2.mkv"]
    assert all((np.diff([t for t, _ in of_file]) > 0).all() for of_file in rows.files.values())


def test_frames_of_another_size_begin_the_next_file(tmp_path: Path) -> None:
    rows, capture = Rows(), FakeCapture()
    made = camera(capture, tmp_path / "a.mkv", rows)
    made.start()
    made.record()
    wait_for(lambda: rows.n > 3, "frames")
    capture.size = (32, 24)
    wait_for(lambda: len(rows.files) == 2 and rows.n > 10, "the next file")
    made.stop()
    assert all(len(times(path)) == len(of_file) for path, of_file in rows.files.items())


def test_an_odd_size_is_cut_to_an_even_one(tmp_path: Path) -> None:
    record(FakeCapture(size=(65, 49)), tmp_path / "a.mkv", Rows(), n=3)
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
