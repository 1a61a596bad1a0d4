"""The participant is followed, and nobody else is taken for them."""

import numpy as np

from models.face.detect import Boxes
from models.face.follow import LOST_AFTER, participant


def _boxes(*rows: tuple[float, float, float]) -> Boxes:
    """Return square boxes (x, y, side)."""
    return np.array([(x, y, side, side) for x, y, side in rows], dtype=np.float64).reshape(-1, 4)


SEAT, DOOR = (100.0, 80.0, 60.0), (260.0, 70.0, 50.0)


def test_the_participant_is_the_same_whatever_the_order_of_the_boxes() -> None:
    assert participant([_boxes(SEAT, DOOR), _boxes(DOOR, SEAT), _boxes(SEAT)]) == [0, 1, 0]


def test_a_larger_face_that_comes_by_is_not_followed() -> None:
    near = (10.0, 10.0, 110.0)
    frames = [_boxes(SEAT)] * 10 + [_boxes(near, SEAT)] * 3 + [_boxes(SEAT)] * 10
    assert participant(frames) == [0] * 10 + [1] * 3 + [0] * 10


def test_somebody_in_the_first_frame_who_leaves_is_not_the_participant() -> None:
    assert participant([_boxes((240.0, 60.0, 90.0), SEAT), *[_boxes(SEAT)] * 5]) == [1, 0, 0, 0, 0, 0]


def test_while_only_an_onlooker_is_seen_there_is_no_face() -> None:
    frames = [_boxes(SEAT)] * 3 + [_boxes(DOOR)] * 2 + [_boxes()] * 2 + [_boxes(SEAT)]
    assert participant(frames) == [0, 0, 0, None, None, None, None, 0]


def test_a_head_that_moves_is_followed_step_by_step() -> None:
    frames = [_boxes((100.0 + 30 * step, 80.0, 60.0)) for step in range(8)]
    start = participant(frames)
    assert start.count(0) >= 5, "it begins in the middle of where the faces are"
    assert participant([_boxes(SEAT)] * 20 + frames)[-8:] == [0] * 8


def test_a_participant_who_has_moved_the_chair_is_found_again_after_a_while() -> None:
    frames = [_boxes(SEAT)] * 100 + [_boxes((300.0, 80.0, 60.0))] * (LOST_AFTER + 3)
    chosen = participant(frames)
    assert chosen[100 : 100 + LOST_AFTER - 1] == [None] * (LOST_AFTER - 1) and chosen[-4:] == [0] * 4


def test_frames_without_any_face_have_none() -> None:
    assert participant([_boxes(), _boxes()]) == [None, None] and participant([]) == []
