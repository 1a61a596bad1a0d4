"""The pictures of faces and clips show what they were given, and the tables say it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models import clips, face_report
from models.fusion import log_probabilities

EMOTIONS = ("happiness", "sadness", "fear", "neutral")


def _clip(p_face: list[list[float]], face: np.ndarray | None) -> clips.Clip:
    p = np.array(p_face)
    return clips.Clip(title="trial 1", face=face, since_s=np.arange(len(p) + 1) * 3.0, p={"face": p, "fusion": p})


def _share(image: np.ndarray, colour: str) -> float:
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return float((np.abs(image.astype(int) - rgb[::-1]).max(axis=2) < 12).mean())


def test_the_picture_of_a_clip_shows_the_face_and_the_probabilities_as_areas(tmp_path: Path) -> None:
    red = np.zeros((112, 112, 3), np.uint8)
    red[..., 0] = 200
    p = [[0.75, 0.25, 0, 0], [0.75, 0.25, 0, 0]]
    path = clips.draw(tmp_path / "a.png", [_clip(p, red), _clip([[np.nan] * 4] * 2, None)], EMOTIONS, title="sub-01")
    image = cv2.imread(str(path))
    assert image is not None
    happy, sad = (_share(image, clips.COLOURS[name]) for name in ("happiness", "sadness"))
    assert happy > 0.1 and happy / sad == pytest.approx(3, rel=0.1)
    assert _share(image, "#c80000") > 0.01 and _share(image, clips.COLOURS["fear"]) < 0.002, "only in the legend"


def test_table_one_has_the_papers_numbers_above_ours(tmp_path: Path) -> None:
    ours = face_report.FaceScore(
        source="folder, seeded, split official", accuracy=0.5, precision=0.41, recall=0.42, f1_macro=0.43, chance=0.25, n=8,
        emotions=EMOTIONS, confusion=np.eye(4, dtype=np.int64) * 2,
    )  # fmt: skip
    text, pictures = face_report.faces(tmp_path, [ours])
    cells = [part.partition("<")[0] for part in text.split("<td")]
    assert [cell.rpartition(">")[2] for cell in cells if cell.startswith(">9")] == ["92", "92", "92", "91"]
    for value in ("50.0", "41.0", "42.0", "43.0", "25.0"):
        assert f">{value}<" in text
    assert [path.name for path in pictures] == ["figure-5_1.png"] and pictures[0].stat().st_size > 5000
    assert face_report.faces(tmp_path, []) == ("", [])


def test_the_calibration_error_stands_before_and_after_beside_the_diagram(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400)
    right = np.eye(4)[np.where(rng.random(400) < 0.6, labels, (labels + 1) % 4)]
    sure, fair = log_probabilities(0.96 * right + 0.01), log_probabilities(0.6 * right + (1 - right) * 0.4 / 3)
    text, pictures = face_report.calibration(tmp_path, {"face": sure, "face_calibrated": fair}, labels)
    before, after = (float(cell.partition("<")[0]) for cell in text.split("<td>")[1:3])
    assert before == pytest.approx(37, abs=5) and after < 5
    assert ">EEG<" not in text and [path.name for path in pictures] == ["reliability.png"]
    assert face_report.calibration(tmp_path, {"eeg": sure}, labels) == ("", [])
