"""The drawn face: found, readable, blinking, and always the same."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from collector.twin.blinks import Blinks
from collector.twin.camera import TwinCamera
from collector.twin.face import NEUTRAL, Identity, Image, draw, expression
from collector.twin.knobs import Faults, Knobs
from collector.twin.portrait import Portrait
from collector.twin.timeline import State

from .helpers import EMOTIONS, FIRST_S, T0, timeline

SIZE = (320, 240)
HAAR = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")


def fear(strength: float) -> State:
    return State("clip", 0.0, "fear", "fear01", 1, face=strength)


def found(frame: Image) -> bool:
    smallest = frame.shape[0] // 4
    return len(HAAR.detectMultiScale(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), 1.1, 5, minSize=(smallest, smallest))) > 0


@pytest.mark.parametrize("size_px", [(640, 480), (320, 240)])
def test_opencv_finds_the_face_in_95_of_100_frames(size_px: tuple[int, int]) -> None:
    hits = []
    for person in range(6):
        portrait = Portrait(1000 + person, size_px=size_px)
        for n in range(10):
            state = State("clip", 0.0, EMOTIONS[n % 4], "x", n, face=0.3 + 0.08 * n)
            hits.append(found(portrait.frame(n, 2 + 7.3 * n, state)))
        blink = Blinks(1000 + person).between(0, 100)[0]
        hits.append(found(portrait.frame(99, blink, State("rest", 0.0))))
    assert np.mean(hits) >= 0.95


def test_a_frame_depends_on_seed_number_time_and_state_alone() -> None:
    frame = Portrait(5, size_px=SIZE).frame(30, 2.0, fear(1.0))
    other = Portrait(5, size_px=SIZE)
    other.frame(3, 1.0, fear(0.4))
    assert np.array_equal(frame, other.frame(30, 2.0, fear(1.0)))
    assert not np.array_equal(frame, other.frame(31, 2.0, fear(1.0)))
    assert frame.shape == (240, 320, 3) and frame.dtype == np.uint8


def test_without_effect_the_face_knows_nothing_of_the_clips_emotion() -> None:
    portrait, none = Portrait(5, size_px=SIZE), Knobs(effect=0.0)
    seen, other = (timeline(5, none, targets) for targets in (EMOTIONS, EMOTIONS[::-1]))
    for n, t in enumerate(np.arange(T0 + FIRST_S, T0 + FIRST_S + 40, 3.7)):
        assert np.array_equal(portrait.frame(n, t, seen.state_at(t)), portrait.frame(n, t, other.state_at(t)))


def test_a_stronger_emotion_moves_the_face_further_and_it_needs_time_to_come() -> None:
    portrait = Portrait(5, size_px=SIZE)

    def moved(t_s: float, strength: float) -> float:
        still = portrait.frame(1, t_s, State("clip", 0.0, "neutral", "x", 1)).astype(int)
        return float(np.abs(portrait.frame(1, t_s, fear(strength)) - still).mean())

    t_s = 1.0
    assert moved(t_s, 0.0) == 0.0
    assert moved(t_s, 1.0) > moved(t_s, 0.5) > moved(t_s, 0.25) > 0.0
    assert moved(0.1, 1.0) < moved(0.5, 1.0)


def test_an_emotion_that_the_face_does_not_know_leaves_it_neutral() -> None:
    portrait = Portrait(5, size_px=SIZE)
    disgust = State("clip", 0.0, "disgust", "x", 1, face=1.0)
    assert np.array_equal(portrait.frame(1, 1.0, disgust), portrait.frame(1, 1.0, State("rest", 0.0)))
    assert expression("disgust", 1.0) == NEUTRAL


def eyes(frame: Image) -> int:
    """Count the eyes that OpenCV sees in the upper half of the face."""
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_eye_tree_eyeglasses.xml")
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    x, y, w, h = HAAR.detectMultiScale(grey, 1.1, 5, minSize=(120, 120))[0]
    return len(cascade.detectMultiScale(grey[y : y + h // 2, x : x + w], 1.1, 3))


def test_the_lids_close_at_a_blink_and_with_eyes_closed() -> None:
    calm, asleep = State("rest", 0.0), State("eyes_closed", 0.0)
    seen = []
    for seed in range(8):
        portrait, blink = Portrait(seed, size_px=(640, 480)), Blinks(seed).between(0, 60)[0]
        moments = ((blink - 0.5, calm), (blink, calm), (blink - 0.5, asleep))
        seen.append([eyes(portrait.frame(1, t, state)) for t, state in moments])
    opened, blinking, sleeping = np.array(seen).T
    assert (opened == 2).mean() >= 0.9
    assert (blinking == 0).mean() >= 0.9 and (sleeping == 0).mean() >= 0.9


def test_people_look_different() -> None:
    one, two = (draw(Identity.of(seed), NEUTRAL, size_px=SIZE).astype(int) for seed in (1, 2))
    assert np.abs(one - two).mean() > 10
    wide = draw(replace(Identity.of(1), eye_u=0.5), NEUTRAL, size_px=SIZE).astype(int)
    assert np.abs(one - wide).max() > 30


class Time:
    """A clock that runs when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 500.0

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def camera(time: Time, faults: Faults | None = None) -> TwinCamera:
    knobs = Knobs(face_absent=0.0)
    course = timeline(5, knobs, EMOTIONS)
    return TwinCamera(SIZE, 25.0, seed=5, knobs=knobs, faults=faults, now=time.now, sleep=time.sleep, timeline=course)


def test_the_camera_answers_as_opencvs_does() -> None:
    time = Time()
    device = camera(time)
    assert device.isOpened()
    assert (device.get(cv2.CAP_PROP_FRAME_WIDTH), device.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (320.0, 240.0)
    assert device.get(cv2.CAP_PROP_FPS) == 25.0 and device.get(cv2.CAP_PROP_BRIGHTNESS) == 0.0
    assert device.set(cv2.CAP_PROP_FRAME_WIDTH, 320) and not device.set(cv2.CAP_PROP_FPS, 60)
    ok, frame = device.read()
    assert ok and frame is not None and frame.shape == (240, 320, 3)
    device.release()
    assert not device.isOpened() and device.read() == (False, None) and not device.grab()


def test_frames_come_at_the_cameras_pace_and_those_nobody_took_are_lost() -> None:
    time = Time()
    device, stamps = camera(time), []
    for n in range(20):
        assert device.grab()
        stamps.append(device.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        if n == 9:
            time.now_s += 0.5
    steps = np.diff(stamps) * 25  # half a second is 12.5 frames
    assert steps == pytest.approx([1] * 9 + [12] + [1] * 9)
    assert stamps[-1] == pytest.approx(time.now_s - 0.03)  # of which it takes so much to get here


def test_a_slow_camera_stamps_later_than_it_exposes() -> None:
    time = Time()
    device = camera(time, Faults(camera_latency_s=0.08))
    device.grab()
    assert device.get(cv2.CAP_PROP_POS_MSEC) / 1000 == pytest.approx(500.08)
    assert time.now_s == pytest.approx(500.11)


def test_the_camera_shows_what_the_markers_say() -> None:
    time = Time()
    time.now_s = T0 + FIRST_S + 2  # in the first clip: happiness
    device = camera(time)
    _, happy = device.read()
    assert happy is not None
    t = T0 + FIRST_S + 2
    state = timeline(5, Knobs(face_absent=0.0), EMOTIONS).state_at(t)
    assert state.face > 0 and np.array_equal(happy, Portrait(5, size_px=SIZE).frame(0, t, state))
