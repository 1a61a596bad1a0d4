"""Small pictures for the operator: fresh, few, and never in the way of a recording."""

import threading
import time
from pathlib import Path

import cv2
import numpy as np

from collector.camera import Previewer
from collector.camera.preview import PERIOD_S, STALE_S, WIDTH_PX, Picture, small_jpeg
from collector.desk import HEARD_S, Desk
from protocol.messages import Beat, Body, Envelope, Preview

from .fake_camera import FakeCapture, Rows, camera, times, wait_for


def opened(jpeg: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))


class Launcher:
    """Stands where the link stands."""

    def __init__(self) -> None:
        self.sent: list[Body] = []
        self.answers: list[Envelope] = []

    def send(self, body: Body) -> bool:
        self.sent.append(body)
        return True

    def receive(self) -> list[Envelope]:
        answers, self.answers = self.answers, []
        return answers

    def beat(self) -> None:
        self.answers.append(Envelope(token="", who="launch", t_lsl=0.0, type="Beat", body=Beat(state="session")))


def test_a_picture_is_small_and_shows_the_frame() -> None:
    for width, height in ((1280, 720), (640, 480), (1920, 1080), (320, 180), (160, 120)):
        frame = np.zeros((height, width, 3), np.uint8)
        frame[:, width // 2 :] = (0, 0, 200)
        picture = opened(small_jpeg(frame))
        assert picture.shape[1] == min(WIDTH_PX, width)
        assert abs(picture.shape[0] / picture.shape[1] - height / width) < 0.01
        assert picture[:, : picture.shape[1] // 2 - 8].max() < 20
        assert abs(picture[:, picture.shape[1] // 2 + 8 :, 2].astype(float).mean() - 200) < 10


def test_a_picture_is_given_once_and_never_when_it_is_old() -> None:
    t = [100.0]
    previewer = Previewer(now=lambda: t[0])
    previewer._picture = Picture(100.0, b"new")
    assert previewer.take() == (100.0, b"new") and previewer.take() is None
    previewer._picture = Picture(100.0, b"old")
    t[0] = 100.0 + STALE_S
    assert previewer.take() is None


def test_only_the_newest_frame_becomes_a_picture() -> None:
    made: list[int] = []

    def make(frame: np.ndarray) -> bytes:
        made.append(int(frame[0, 0, 0]))
        return bytes([made[-1]])

    previewer = Previewer(now=lambda: 0.0, make=make)
    for level in (1, 2, 3):
        previewer.give(0.0, np.full((2, 2, 3), level, np.uint8))
    previewer.start()
    wait_for(lambda: bool(made), "a picture")
    previewer.give(0.0, np.full((2, 2, 3), 4, np.uint8))
    time.sleep(3 * PERIOD_S)  # nobody takes the first: no second is made
    assert made == [3]
    assert previewer.take() == (0.0, b"\x03")
    wait_for(lambda: len(made) == 2, "the next picture")
    previewer.stop()
    assert made == [3, 4]


def test_a_preview_that_hangs_delays_and_loses_no_frame(tmp_path: Path) -> None:
    hangs = threading.Event()
    previewer = Previewer(now=time.monotonic, make=lambda frame: bytes(hangs.wait(60)))
    rows = Rows()
    cam = camera(FakeCapture(pauses_s=0.01, stop_after=60), tmp_path / "a.mkv", rows, preview=previewer)
    cam.record()
    cam.start()
    wait_for(lambda: rows.n == 60, "all frames")
    assert not hangs.is_set() and previewer.take() is None
    cam.stop()  # it hangs still, and nobody waits for it
    hangs.set()
    assert len(times(cam.path)) == 60 and cam.n_dropped == 0
    assert [row[0] for _, row in rows.all] == list(range(60))


def test_pictures_show_frames_before_the_recording_too(tmp_path: Path) -> None:
    previewer = Previewer(now=time.monotonic)
    cam = camera(FakeCapture(pauses_s=0.01), tmp_path / "a.mkv", Rows(), preview=previewer)
    cam.start()
    found: list[Picture] = []
    wait_for(lambda: bool((p := previewer.take()) and not found.append(p)) and len(found) == 2, "two pictures")
    cam.stop()
    assert found[1].t - found[0].t >= PERIOD_S - 0.1
    assert opened(found[0].jpeg).shape == (48, 64, 3)


def test_a_launcher_that_hangs_gets_no_pictures_that_would_stand_before_its_alarms() -> None:
    t = [0.0]
    launcher = Launcher()
    desk = Desk(launcher, None, now=lambda: t[0])  # type: ignore[arg-type]
    asked: list[float] = []

    def picture() -> Preview:
        asked.append(t[0])
        return Preview(jpeg=b"x", t=t[0])

    desk.show(picture)
    assert launcher.sent == asked == []  # never heard of
    launcher.beat()
    desk.commands()
    for _ in range(100):
        desk.show(picture)
        t[0] += 0.25
    assert len(launcher.sent) == len(asked) == round(HEARD_S / 0.25)
    launcher.beat()
    desk.commands()
    desk.show(picture)
    assert asked[-1] == t[0]


def test_without_a_launcher_nothing_is_made() -> None:
    desk = Desk(None, None, now=lambda: 0.0)
    desk.show(lambda: (_ for _ in ()).throw(AssertionError("asked for a picture")))
    assert not desk.linked
