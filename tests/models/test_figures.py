"""A confusion matrix counts what it should and can be looked at."""

from pathlib import Path

import cv2
import numpy as np

from models.figures import confusion, count


def test_rows_are_labels_and_columns_are_predictions() -> None:
    assert count([0, 0, 0, 1, 2], [0, 2, 2, 1, 0], 3).tolist() == [[1, 0, 2], [0, 1, 0], [1, 0, 0]]


def test_windows_without_a_label_or_a_prediction_are_not_counted() -> None:
    assert count([0, -1, 1], [-1, 0, 1], 2).tolist() == [[0, 0], [0, 1]]


def test_the_picture_is_dark_where_the_shares_are_high_and_the_same_every_time(tmp_path: Path) -> None:
    counts = np.array([[18, 1, 1, 0], [2, 15, 0, 3], [0, 0, 0, 0], [0, 4, 1, 15]])
    names = ("happiness", "sadness", "fear", "neutral")
    path = confusion(tmp_path / "figures" / "a.png", counts, names, title="face", note="accuracy 0.80, chance 0.33")
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert image is not None and image.shape[0] > 500 and image.shape[1] > 600
    assert image.min() < 60, "the diagonal's dark blue"
    again = confusion(tmp_path / "b.png", counts, names, title="face", note="accuracy 0.80, chance 0.33")
    assert path.read_bytes() == again.read_bytes()
    other = confusion(tmp_path / "c.png", counts.T, names, title="face", note="accuracy 0.80, chance 0.33")
    assert path.read_bytes() != other.read_bytes()


def test_eight_long_names_fit(tmp_path: Path) -> None:
    names = [f"emotion_number_{n}" for n in range(8)]
    assert confusion(tmp_path / "a.png", np.eye(8, dtype=np.int64), names, title="t").stat().st_size > 10_000
