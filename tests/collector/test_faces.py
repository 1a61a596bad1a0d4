"""Faces in a picture: counted, lit, sharp, alive."""

import cv2
import numpy as np
import pytest

from collector import faces
from collector.faces import BRIGHT, DARK, Finder, Image, exposure, is_frozen, judge, sharpness
from collector.twin.portrait import Portrait
from collector.twin.timeline import State

SIZE = (320, 240)


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder()


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return Portrait(1001, size_px=SIZE)


def seen(portrait: Portrait, n: int = 0, *, kind: str = "rest") -> Image:
    return portrait.frame(n, 2 + 7.3 * n, State(kind, 0.0)).copy()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def one(portrait: Portrait) -> Image:
    return seen(portrait)


def test_one_face_with_open_eyes_in_ordinary_light_is_ok(finder: Finder, one: Image) -> None:
    look = finder.look(one)
    [(left, top, width, height)] = look.faces
    assert abs(left + width / 2 - 160) < 30 and abs(top + height / 2 - 120) < 30
    assert 0.3 < look.face_height == height / 240 < 0.8
    assert look.eyes and all(left <= x and x + w <= left + width and y < top + height / 2 for x, y, w, _ in look.eyes)
    assert look.size_px == SIZE and finder.look(one, eyes=False).eyes == ()
    assert judge(look) == "ok"


def test_a_larger_picture_has_its_face_in_the_same_place(finder: Finder, one: Image) -> None:
    [small] = finder.look(one).faces
    [large] = finder.look(np.asarray(cv2.resize(one, None, fx=3, fy=3), np.uint8)).faces
    assert np.allclose(np.array(large) / 3, small, atol=8)


def test_shut_eyes_are_not_seen(finder: Finder, portrait: Portrait) -> None:
    assert finder.look(seen(portrait, kind="eyes_closed")).eyes == ()


def test_two_people_are_several(finder: Finder, one: Image) -> None:
    other = seen(Portrait(1004, size_px=SIZE))
    both = np.hstack([one, other])
    look = finder.look(both)
    assert len(look.faces) == 2 and judge(look) == "several"
    behind = np.hstack([one, np.full((240, 200, 3), 120, np.uint8)])
    behind[60:180, 340:500] = cv2.resize(other, (160, 120), interpolation=cv2.INTER_AREA)
    assert judge(finder.look(behind)) == "several"


def test_an_empty_chair_is_none(finder: Finder) -> None:
    wall = np.random.default_rng(1).normal(130, 12, (240, 320, 3)).clip(0, 255).astype(np.uint8)
    look = finder.look(wall)
    assert look.faces == look.eyes == () and look.face_height == 0 and judge(look) == "none"


@pytest.mark.parametrize(("gain", "word"), [(0.1, "dark"), (1.0, "ok"), (3.5, "bright")])
def test_light_is_told_in_a_word(finder: Finder, one: Image, gain: float, word: str) -> None:
    assert judge(finder.look(np.clip(one * gain, 0, 255).astype(np.uint8))) == word


def test_a_lens_cap_is_dark_and_not_a_missing_person(finder: Finder) -> None:
    assert judge(finder.look(np.zeros((240, 320, 3), np.uint8))) == "dark"


def test_a_dark_room_round_a_lit_face_is_ok(finder: Finder, one: Image) -> None:
    """What counts is the face: participants sit in the dark before a screen."""
    [(left, top, width, height)] = finder.look(one).faces
    mask = np.zeros((240, 320, 1))
    mask[top - 20 : top + height + 20, left - 20 : left + width + 20] = 1
    dim = (one * (0.05 + 0.95 * mask)).astype(np.uint8)
    assert exposure(dim[..., 0]).mean < 0.6 * exposure(one[..., 0]).mean and judge(finder.look(dim)) == "ok"


def test_the_limits_themselves_will_do() -> None:
    look = faces.Look(((0, 0, 9, 9),), (), faces.Exposure(DARK, 0.2, 0.2), 1.0, SIZE)
    assert judge(look) == "ok"
    for lit, word in (
        (faces.Exposure(DARK - 0.1, 0, 0), "dark"), (faces.Exposure(BRIGHT + 0.1, 0, 0), "bright"),
        (faces.Exposure(100, 0.21, 0), "dark"), (faces.Exposure(100, 0, 0.21), "bright"),
    ):  # fmt: skip
        assert judge(faces.Look(((0, 0, 9, 9),), (), lit, 1.0, SIZE)) == word


def test_a_mouth_inside_a_face_is_no_second_person(finder: Finder, portrait: Portrait) -> None:
    for n in range(12):
        frame = portrait.frame(n, 2 + 7.3 * n, State("clip", 0.0, "fear", "x", 1, face=1.2))
        assert judge(finder.look(frame)) == "ok"


def test_a_blurred_picture_is_less_sharp(one: Image) -> None:
    gray = np.asarray(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), np.uint8)
    assert sharpness(np.asarray(cv2.GaussianBlur(gray, (0, 0), 3), np.uint8)) < 0.2 * sharpness(gray)


def test_noise_alone_keeps_a_picture_from_being_frozen(portrait: Portrait) -> None:
    first, second = portrait.frame(1, 2.0, State("rest", 0.0)).copy(), portrait.frame(2, 2.0, State("rest", 0.0)).copy()
    assert not is_frozen(first, second)
    assert is_frozen(first, first.copy())
    assert not is_frozen(first, first[:100])
