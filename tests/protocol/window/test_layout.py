"""Sizes and places on the screen."""

from itertools import pairwise

import pytest

from protocol.window import layout
from protocol.window.layout import Box, Sheet

SHEETS = [Sheet(1920, 1080, 39), Sheet(1280, 720, 26), Sheet(640, 480, 17), Sheet(320, 240, 11)]


def inside(box: Box, sheet: Sheet) -> bool:
    return 0 <= box.left < box.right <= sheet.width_px and 0 <= box.top < box.bottom <= sheet.height_px


def overlap(a: Box, b: Box) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


def test_letters_keep_their_visual_angle_when_one_sits_farther_away() -> None:
    near = layout.sheet((1920, 1080), pixel_m=0.53 / 1920, distance_m=1.0).letter_px
    far = layout.sheet((1920, 1080), pixel_m=0.53 / 1920, distance_m=2.0).letter_px
    assert far == pytest.approx(2 * near, abs=1)


def test_letters_of_a_coarse_screen_keep_enough_pixels() -> None:
    assert layout.sheet((640, 480), pixel_m=0.53 / 640, distance_m=0.6).letter_px == 17


@pytest.mark.parametrize("sheet", SHEETS)
def test_nine_steps_stand_side_by_side_on_the_screen(sheet: Sheet) -> None:
    boxes = layout.columns(sheet, 9)
    assert all(inside(box, sheet) for box in boxes)
    assert all(a.right < b.left for a, b in pairwise(boxes))
    assert boxes[4].center[0] == pytest.approx(sheet.width_px / 2)


@pytest.mark.parametrize("sheet", SHEETS)
@pytest.mark.parametrize("n", range(2, 10))
def test_up_to_nine_buttons_stand_on_the_screen_without_overlap(sheet: Sheet, n: int) -> None:
    boxes = layout.rows(sheet, n, width_px=sheet.width_px * 0.8)
    assert len(boxes) == n
    assert all(inside(box, sheet) for box in boxes)
    assert not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("aspect", [0.5, 4 / 3, 16 / 9, 2.39])
@pytest.mark.parametrize("size_px", [(1280, 720), (640, 480), (480, 640)])
def test_a_letterboxed_clip_keeps_its_shape_and_touches_two_edges(aspect: float, size_px: tuple[int, int]) -> None:
    width, height = layout.letterbox(aspect, size_px)
    assert width / height == pytest.approx(aspect, rel=0.01)
    assert width == size_px[0] or height == size_px[1]
    assert width <= size_px[0] and height <= size_px[1]


def test_a_click_between_two_buttons_hits_none() -> None:
    boxes = (Box(0, 0, 10, 10), Box(20, 0, 30, 10))
    assert [layout.hit(boxes, x, 5) for x in (0, 9.9, 10, 15, 20, 30)] == [0, 0, None, None, 1, None]
