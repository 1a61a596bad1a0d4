"""Fused labels: the rows say what the arrays say, and the derivative is valid BIDS as its own root."""

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models import derivative, label_words, labels
from models.bids import BidsError, RecordingFiles
from models.derivative import Faces, Provenance, write
from models.face.crops import FaceData
from models.fusion import log_probabilities
from models.labels import Predictions, Row
from models.windows import Window

EMOTIONS = ("happiness", "fear")
NAN = [np.nan, np.nan]
PROVENANCE = Provenance(
    split="leave-one-subject-out", leaky=False, labels="target", models={"eeg": "map_cnn", "face": "logistic"},
    features={"eeg": "pool96", "face": "pool96"}, rule="pool", seed=1, data_sha256="ab" * 32,
    folds={"01": {"sha256": {"eeg": "cd"}}, "02": {"sha256": {"eeg": "ef"}}},
)  # fmt: skip


def _window(trial: int, t0_s: float, target: str = "fear", participant: str = "01", rating: str | None = "happiness") -> Window:
    return Window(
        participant=participant, session="01", run="01", trial=trial, stim_id=f"{target}{trial:02d}", target=target,
        rating=rating, t0_s=t0_s, t1_s=t0_s + 3,
    )  # fmt: skip


def _predictions(fold: tuple[str, ...] = ("01", "01", "01", "01")) -> Predictions:
    """Return two windows of clip 1, one of clip 2 without a face, one of clip 3 without anything."""
    return Predictions(
        windows=[_window(1, 10.0), _window(1, 13.0), _window(2, 40.0, "happiness"), _window(3, 70.0, rating=None)],
        emotions=EMOTIONS,
        log_p={
            "eeg": log_probabilities([[0.5, 0.5], [0.2, 0.8], [0.7, 0.3], NAN]),
            "face": log_probabilities([[0.9, 0.1], [0.1, 0.9], NAN, NAN]),
            "fusion": log_probabilities([[0.9, 0.1], [0.04, 0.96], [0.7, 0.3], NAN]),
        },
        quality={"eeg": np.array([1.0, 1.0, 0.5, 0.5]), "face": np.array([1.0, 0.6, 0.0, 0.0])},
        fold=fold,
    )


def _rows(abstain_below: float = 0.0) -> list[Row]:
    return labels.rows(_predictions(), split="leave-one-subject-out", abstain_below=abstain_below)


def test_every_clip_has_a_row_and_its_windows_below_it() -> None:
    assert [(row["onset"], row["duration"], row["trial_type"]) for row in _rows()] == [
        ("10.000000", "6.000000", "clip/fear"),
        ("10.000000", "3.000000", "window/fear"),
        ("13.000000", "3.000000", "window/fear"),
        ("40.000000", "3.000000", "clip/happiness"),
        ("40.000000", "3.000000", "window/happiness"),
        ("70.000000", "3.000000", "clip/fear"),
        ("70.000000", "3.000000", "window/fear"),
    ]


def test_target_rating_and_label_stand_apart() -> None:
    second = _rows()[1]
    assert (second["target"], second["rating"], second["label"]) == ("fear", "happiness", "happiness")
    assert (_rows()[2]["target"], _rows()[2]["rating"], _rows()[2]["label"]) == ("fear", "happiness", "fear")
    assert _rows()[-1]["rating"] == "n/a"


def test_the_numbers_of_a_window_are_those_of_the_arrays() -> None:
    row = _rows()[2]
    assert float(row["p_eeg_fear"]) == pytest.approx(0.8, abs=1e-6)
    assert float(row["p_face_fear"]) == pytest.approx(0.9, abs=1e-6)
    assert float(row["p_fused_happiness"]) == pytest.approx(0.04, abs=1e-6)
    assert float(row["margin"]) == pytest.approx(0.92, abs=1e-6)
    assert float(row["entropy"]) == pytest.approx(-(0.04 * np.log2(0.04) + 0.96 * np.log2(0.96)), abs=1e-6)
    assert (row["agreement"], row["eeg_quality"], row["face_quality"]) == ("yes", "1.000000", "0.600000")
    assert (row["split"], row["fold"], row["out_of_fold"]) == ("leave-one-subject-out", "01", "yes")


def test_a_clip_pools_its_windows_in_log_probability() -> None:
    clip = _rows()[0]
    odds = np.sqrt(0.9 / 0.1 * 0.04 / 0.96)
    assert float(clip["p_fused_happiness"]) == pytest.approx(odds / (1 + odds), abs=1e-6)
    assert clip["label"] == "fear" and float(clip["face_quality"]) == pytest.approx(0.8)


def test_a_missing_face_is_flagged_and_no_number_is_made_up() -> None:
    row = _rows()[4]
    assert (row["eeg_missing"], row["face_missing"], row["label"]) == ("no", "yes", "happiness")
    assert {row[name] for name in ("p_face_fear", "agreement", "divergence")} == {"n/a"}


def test_without_both_there_is_no_label_and_that_is_not_an_abstention() -> None:
    row = _rows()[-1]
    assert (row["label"], row["margin"], row["entropy"], row["abstained"]) == ("n/a", "n/a", "n/a", "no")
    assert (row["eeg_missing"], row["face_missing"]) == ("yes", "yes")


def test_an_unsure_fusion_abstains_and_says_so() -> None:
    rows = _rows(abstain_below=0.8)
    assert [(row["label"], row["abstained"]) for row in rows if row["trial_type"].startswith("window")] == [
        ("happiness", "no"), ("fear", "no"), ("n/a", "yes"), ("n/a", "no"),
    ]  # fmt: skip


def test_windows_that_no_fold_tested_have_no_row() -> None:
    rows = labels.rows(_predictions(("", "01", "02", "")), split="s")
    assert [(row["onset"], row["fold"]) for row in rows] == [
        ("13.000000", "01"), ("13.000000", "01"), ("40.000000", "02"), ("40.000000", "02"),
    ]  # fmt: skip
    assert labels.rows(_predictions(("",) * 4), split="s") == []


def test_every_column_is_described_and_nothing_else() -> None:
    assert set(label_words.describe(EMOTIONS)) == set(labels.columns(EMOTIONS)) and labels.columns(EMOTIONS) == tuple(
        _rows()[0]
    )
    assert tuple(label_words.describe_frames(EMOTIONS)) == labels.frame_columns(EMOTIONS)


def _alone(*names: str) -> Predictions:
    full = _predictions()
    return replace(full, log_p={name: full.log_p[name] for name in names})


def test_without_a_fusion_nothing_stands_in_its_columns() -> None:
    (_, first, *_) = labels.rows(_alone("face"), split="s")
    assert (first["p_fused_fear"], first["label"], first["label_by"]) == ("n/a", "happiness", "face")
    assert float(first["margin"]) == pytest.approx(0.8, abs=1e-6) and first["p_eeg_fear"] == "n/a"
    (_, both, *_) = labels.rows(_alone("eeg", "face"), split="s")
    assert (both["p_fused_fear"], both["label"], both["label_by"], both["margin"]) == ("n/a",) * 4
    assert float(both["p_face_happiness"]) == pytest.approx(0.9, abs=1e-6) and both["abstained"] == "no"


def test_calibrated_probabilities_and_others_in_the_picture_have_columns_of_their_own() -> None:
    full = _predictions()
    cool = {"face": log_probabilities([[0.7, 0.3], [0.3, 0.7], NAN, NAN])}
    (clip, first, *_) = labels.rows(replace(full, calibrated=cool, others=np.array([0.5, 0.0, 0.0, 0.0])), split="s")
    assert float(first["c_face_happiness"]) == pytest.approx(0.7, abs=1e-6) and first["c_eeg_fear"] == "n/a"
    assert float(first["p_face_happiness"]) == pytest.approx(0.9, abs=1e-6), "the raw ones stay"
    assert (first["other_faces"], clip["other_faces"]) == ("0.500000", "0.250000")


def test_a_window_that_was_learnt_from_is_not_called_out_of_fold() -> None:
    rows = labels.rows(replace(_predictions(), seen=[True, False, False, False]), split="s")
    assert [row["out_of_fold"] for row in rows] == ["no", "no", "yes", "yes", "yes", "yes", "yes"], "a clip with one such too"


def test_the_divergence_is_zero_for_equals_and_one_for_opposites() -> None:
    assert labels.divergence(np.array([0.3, 0.7]), np.array([0.3, 0.7])) == 0.0
    assert labels.divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1.0)


def test_arrays_of_other_shapes_are_refused() -> None:
    good = _predictions()
    with pytest.raises(ValueError, match="do not fit together"):
        Predictions(windows=good.windows[:3], emotions=EMOTIONS, log_p=good.log_p, quality=good.quality, fold=good.fold)


def _faces() -> Faces:
    frame: NDArray[np.int64] = np.array([[5, 9], [20, 24], [-1, -1], [-1, -1]])
    frame_p = np.array([[[0.9, 0.1], NAN], [[0.2, 0.8], [0.1, 0.9]], [NAN, NAN], [NAN, NAN]])
    data = FaceData(
        x=np.zeros((4, 2, 96), np.float32), found=np.isfinite(frame_p).all(axis=2),
        frame_s=np.where(frame >= 0, frame / 15, np.nan), frame=frame, kind="pool96", video=np.where(frame >= 20, 1, 0),
    )  # fmt: skip
    return Faces(data=data, frame_p=frame_p)


@pytest.fixture
def source(tmp_path: Path) -> tuple[Path, RecordingFiles]:
    """Return a BIDS root with what labels need to know of it."""
    root = tmp_path / "bids"
    stem = "sub-01_ses-01_task-emotion_run-01"
    eeg = root / "sub-01" / "ses-01" / "eeg" / f"{stem}_eeg.vhdr"
    eeg.parent.mkdir(parents=True)
    description = {"Name": "Four emotions", "Authors": ["A B", "C D"], "License": "CC0", "Simulated": True}
    (root / "dataset_description.json").write_text(json.dumps(description))
    (eeg.parent / f"{stem}_eeg.json").write_text(json.dumps({"TaskName": "emotion", "Instructions": "Watch."}))
    screen = {"StimulusPresentation": {"SoftwareName": "PsychoPy", "ScreenDistance": 0.6}}
    (eeg.parent / f"{stem}_events.json").write_text(json.dumps(screen))
    (root / "sub-01/ses-01/beh").mkdir()
    for part in ("1", "2"):
        (root / f"sub-01/ses-01/beh/{stem}_recording-face_split-{part}_video.mkv").touch()
    files = RecordingFiles(participant="01", session="01", run="01", eeg=eeg, scopes=frozenset(("eeg", "face", "train")))
    return root, files


def _write(source: tuple[Path, RecordingFiles]) -> Path:
    root, files = source
    out = root / "derivatives" / "emolab"
    write(out, root=root, recordings=[files], predictions=_predictions(), provenance=PROVENANCE, faces=_faces())
    return out


def test_the_derivative_passes_the_official_validator_as_its_own_root(source: tuple[Path, RecordingFiles]) -> None:
    out = _write(source)
    for name in ("figures/a.png", "models/eeg.safetensors", "cache/ab.npz", "metrics.json", "report.html"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).touch()
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent)) or "bids-validator-deno"
    done = subprocess.run([validator, str(out), "--format", "json"], capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in found if issue.get("severity") == "error"] == []
    assert done.returncode == 0
    (out / "notes.txt").touch()
    done = subprocess.run([validator, str(out), "--format", "json"], capture_output=True, text=True, check=False)
    assert done.returncode != 0, "the validator does look at this folder"


def test_the_tables_can_be_read_back_by_anybody(source: tuple[Path, RecordingFiles]) -> None:
    out = _write(source)
    events = out / "sub-01/ses-01/eeg/sub-01_ses-01_task-emotion_run-01_desc-fused_events.tsv"
    with events.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 7 and rows[0]["label"] == "fear"
    sidecar = json.loads(events.with_suffix(".json").read_text())
    assert set(rows[0]) < set(sidecar)
    assert sidecar["Provenance"]["data_sha256"] == "ab" * 32
    assert sidecar["Provenance"]["folds"] == {"01": {"sha256": {"eeg": "cd"}}}, "those that made these labels"
    assert sidecar["Provenance"]["features"] == {"eeg": "pool96", "face": "pool96"}
    assert sidecar["StimulusPresentation"]["SoftwareName"] == "PsychoPy"
    frames = out / "sub-01/ses-01/beh/sub-01_ses-01_task-emotion_run-01_desc-face_beh.tsv"
    with frames.open(encoding="utf-8", newline="") as file:
        seen = list(csv.DictReader(file, delimiter="\t"))
    assert [(row["frame"], row["face_detected"]) for row in seen] == [("5", "1"), ("9", "0"), ("20", "1"), ("24", "1")]
    videos = [f"sub-01_ses-01_task-emotion_run-01_recording-face_split-{part}_video.mkv" for part in "1122"]
    assert [row["video"] for row in seen] == videos, "frames are numbered within each of them"
    assert float(seen[0]["frame_time"]) == pytest.approx(5 / 15, abs=1e-6)
    assert seen[1]["p_face_fear"] == "n/a" and float(seen[3]["p_face_fear"]) == pytest.approx(0.9)
    assert json.loads(frames.with_suffix(".json").read_text())["TaskName"] == "emotion"


def test_simulated_data_say_so_in_the_derivative_too(source: tuple[Path, RecordingFiles]) -> None:
    out = _write(source)
    description = json.loads((out / "dataset_description.json").read_text())
    assert description["Simulated"] is True and description["DatasetLinks"] == {"raw": "../.."}
    assert "simulated" in (out / "README.md").read_text()


def test_the_readme_says_that_scaling_has_seen_the_whole_recording(source: tuple[Path, RecordingFiles]) -> None:
    said = " ".join((_write(source) / "README.md").read_text().split())
    assert "on the whole of each recording, those of tested participants included" in said


def test_a_second_run_replaces_the_tables_of_the_first(source: tuple[Path, RecordingFiles]) -> None:
    out = _write(source)
    stale = out / "sub-09/ses-01/eeg/sub-09_ses-01_task-emotion_run-01_desc-fused_events.tsv"
    stale.parent.mkdir(parents=True)
    stale.touch()
    (out / "metrics.json").write_text("[]")
    _write(source)
    assert not stale.exists() and (out / "metrics.json").exists()


def test_a_folder_of_somebody_else_is_refused_and_left_alone(source: tuple[Path, RecordingFiles]) -> None:
    root, _ = source
    other = root / "derivatives" / "emolab"
    other.mkdir(parents=True)
    (other / "dataset_description.json").write_text(json.dumps({"Name": "fmriprep", "GeneratedBy": [{"Name": "fMRIPrep"}]}))
    with pytest.raises(BidsError, match=r"emolab: holds something that emolab did not make; name another folder with --out"):
        _write(source)
    assert [path.name for path in other.iterdir()] == ["dataset_description.json"]
    derivative.check(root / "new")
