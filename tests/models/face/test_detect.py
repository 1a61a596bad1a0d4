"""The detector finds the face that is there, in any frame size, and none where there is none."""

import numpy as np
import pytest

from collector.twin.face import Identity, draw, expression
from models.face.detect import DetectorError, largest, make
from tests.models.face.videos import face, plain


@pytest.mark.parametrize("size_px", [(320, 240), (640, 480), (1280, 720)])
def test_the_face_is_found_where_it_was_drawn_in_every_frame_size(size_px: tuple[int, int]) -> None:
    image = draw(Identity.of(3), expression("fear", 0.8), size_px=size_px)
    box = largest(make("haar").boxes(image))
    assert box is not None
    x, y, width, height = box / size_px[1]  # in heights of the picture
    assert abs(x + width / 2 - size_px[0] / size_px[1] / 2) < 0.05
    assert 0.40 < y + height / 2 < 0.60 and 0.3 < width < 0.7


def test_the_detector_is_deterministic_and_says_what_it_is() -> None:
    haar = make("haar")
    np.testing.assert_array_equal(haar.boxes(face()), make("haar").boxes(face()))
    assert haar.name.startswith("haar ")


def test_no_face_is_no_box() -> None:
    boxes = make("haar").boxes(plain(128))
    assert boxes.shape == (0, 4)
    assert largest(boxes) is None


def test_of_two_faces_the_larger_counts() -> None:
    boxes = np.array([[0.0, 0, 40, 40], [50, 0, 60, 60], [0, 50, 50, 50]])
    np.testing.assert_array_equal(largest(boxes), [50, 0, 60, 60])  # type: ignore[arg-type]


def test_a_detector_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(DetectorError, match="detector = 'cascade9': use haar"):
        make("cascade9")
