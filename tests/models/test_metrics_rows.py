"""Rows of metrics.json."""

from pathlib import Path

import pytest

from models.evaluate import MetricsError, MetricsRow, load_rows, save_rows

ROW = {
    "modality": "eeg", "model": "map-cnn", "split": "leave-one-subject-out", "leaky": False, "labels": "target",
    "accuracy": 0.5, "balanced_accuracy": 0.5, "precision": 0.4, "recall": 0.5, "f1_macro": 0.45, "chance": 0.25, "ci_low": 0.4,
    "ci_high": None, "p_permutation": 0.01, "n_test": 84, "n_trials": 84, "n_participants": 7, "features": "seeded",
    "shares": ("stimulus",), "seed": 1, "data_sha256": "ab",
}  # fmt: skip


def test_rows_read_back_equal(tmp_path: Path) -> None:
    rows = [MetricsRow(**ROW), MetricsRow(**(ROW | {"modality": "fusion", "shares": ("trial", "participant")}))]
    save_rows(tmp_path / "metrics.json", rows)
    assert load_rows(tmp_path / "metrics.json") == rows


@pytest.mark.parametrize("key", ["modality", "labels", "features", "control"])
def test_an_unknown_word_is_refused(key: str) -> None:
    with pytest.raises(MetricsError, match=f"{key} = 'magic'"):
        MetricsRow(**(ROW | {key: "magic"}))


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('[{"modality": "eeg"}]')
    with pytest.raises(MetricsError, match=r"metrics\.json: is no list of metrics rows"):
        load_rows(tmp_path / "metrics.json")


@pytest.mark.parametrize("text", ['[{"modality":', "", None])
def test_half_a_file_and_none_are_one_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(MetricsError, match=r"metrics\.json: is no JSON .*train again with emo-train") as told:
        load_rows(tmp_path / "metrics.json")
    assert "\n" not in str(told.value)
