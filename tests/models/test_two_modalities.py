"""What fusion is for: each recogniser knows what the other cannot, or one of them is away."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import binomtest

from models import face_job, fold, keep, labels, splits, train
from models.evaluate import by_clip
from models.train import Outcome, cross_validate, recipes
from tests.models import planted

pytestmark = pytest.mark.usefixtures("few_epochs")

MODALITIES = ("eeg", "face", "fusion")


def _left_out(data: planted.Dataset) -> Outcome:
    split = splits.leave_one_subject_out(data.windows, data.labels, 1)
    (outcome,) = cross_validate(data, splits=[split], recipes=recipes((), MODALITIES, {"pool96": "pool96"}), seed=1)  # type: ignore[arg-type]
    return outcome.by_window(len(data.windows))


@pytest.fixture(scope="module")
def apart() -> tuple[planted.Dataset, Outcome]:
    """Return a cohort where sadness shows in the EEG only, and happiness in the face only."""
    data = planted.dataset(
        n_people=6, eeg_shows=("sadness", "fear", "neutral"), face_shows=("happiness", "fear", "neutral"), seed=4
    )
    return data, _left_out(data)


def test_fusion_beats_both_where_sadness_shows_in_the_eeg_only_and_happiness_in_the_face_only(
    apart: tuple[planted.Dataset, Outcome],
) -> None:
    data, outcome = apart
    clips = {name: by_clip(outcome.log_p[name], data.labels, [window.clip for window in data.windows]) for name in MODALITIES}
    right = {name: found.predicted == found.labels for name, found in clips.items()}
    for name, lost in (("eeg", "happiness"), ("face", "sadness")):
        recall = [right[name][clips[name].labels == planted.EMOTIONS.index(emotion)].mean() for emotion in (lost, "neutral")]
        assert sum(recall) < 1.5, f"the {name} does not tell {lost} from neutral"
        won, missed = (right["fusion"] & ~right[name]).sum(), (~right["fusion"] & right[name]).sum()
        p = binomtest(int(won), int(won + missed), alternative="greater").pvalue  # McNemar, exact, paired by trial
        print(f"fusion {right['fusion'].mean():.3f}, {name} {right[name].mean():.3f}, won {won}, missed {missed}, p {p:.2g}")
        assert p < 0.01 and right["fusion"].mean() > right[name].mean() + 0.1


def test_with_one_modality_missing_for_half_of_the_windows_there_are_labels_everywhere_and_they_are_flagged() -> None:
    data = planted.dataset(n_people=3, seed=5)
    faces = data.faces["pool96"]
    x, found = faces.x.copy(), faces.found.copy()
    x[::2], found[::2] = np.nan, False
    half = dataclasses.replace(data, faces={"pool96": dataclasses.replace(faces, x=x, found=found)})
    outcome = _left_out(half)
    rows = labels.rows(
        labels.Predictions(
            windows=half.windows, emotions=half.emotions, log_p={name: outcome.log_p[name] for name in MODALITIES},
            quality={"eeg": half.eeg_quality, "face": half.faces["pool96"].coverage}, fold=outcome.fold.tolist(),
        ),
        split="leave-one-subject-out",
    )  # fmt: skip
    windows = [row for row in rows if row["trial_type"].startswith("window/")]
    assert len(windows) == len(half.windows) and {row["label"] for row in rows} <= set(planted.EMOTIONS)
    assert sum(row["face_missing"] == "yes" for row in windows) == len(half.windows) / 2
    assert {row["eeg_missing"] for row in windows} == {"no"}
    for row in windows:
        if row["face_missing"] == "yes":
            assert row["p_face_fear"] == "n/a" and float(row["face_quality"]) == 0.0 and row["agreement"] == "n/a"


def test_the_fusion_says_what_lies_between_it_and_the_modalities(apart: tuple[planted.Dataset, Outcome]) -> None:
    _, outcome = apart
    assert {"eeg_calibrated", "face_calibrated", "fusion_uncalibrated"} < set(outcome.log_p)
    for name in ("eeg", "face"):
        raw, cooled = outcome.log_p[name], outcome.log_p[f"{name}_calibrated"]
        np.testing.assert_array_equal(raw.argmax(axis=1), cooled.argmax(axis=1))
        assert not np.allclose(raw, cooled)
    assert np.exp(outcome.log_p["fusion_uncalibrated"]).sum(axis=1) == pytest.approx(1)


def test_a_fold_without_faces_to_learn_from_has_none_and_is_fused_of_the_eeg() -> None:
    data = planted.dataset(n_people=3, seed=5)
    faces = data.faces["pool96"]
    x, found = faces.x.copy(), faces.found.copy()
    mine = np.array([window.participant == "01" for window in data.windows])
    x[~mine], found[~mine] = np.nan, False
    one = dataclasses.replace(data, faces={"pool96": dataclasses.replace(faces, x=x, found=found)})
    outcome = _left_out(one)
    there = {name: np.isfinite(outcome.log_p[name]).all(axis=1) for name in MODALITIES}
    assert there["eeg"].all() and there["fusion"].all()
    assert not there["face"].any(), "who has a face is tested without one to learn from; the others have none to look at"
    assert outcome.frame_p is not None and outcome.frame_p.shape == (len(mine), 3, 4) and np.isnan(outcome.frame_p).all()
    np.testing.assert_array_equal(outcome.log_p["fusion"].argmax(axis=1), outcome.log_p["eeg"].argmax(axis=1))
    told: list[str] = []
    face_job.tell_folds(one, [splits.leave_one_subject_out(one.windows, one.labels, 1)], told.append)
    (line,) = told
    assert line.startswith("face: leave-one-subject-out: ") and "sub-01" in line and "no faces of two emotions" in line
    face_job.tell_folds(data, [splits.leave_one_subject_out(data.windows, data.labels, 1)], told.append)
    assert told == [line], "where every fold has faces nothing is said"


def test_a_face_that_was_not_learnt_is_not_kept_and_neither_is_its_fusion(caplog: pytest.LogCaptureFixture) -> None:
    (recipe,) = recipes((), MODALITIES, {"pool96": "pool96"})  # type: ignore[arg-type]
    assert keep._learnt(recipe, fold.Trained()) == ["eeg"]
    assert "face_pool96, fusion_pool96: not kept, no faces of two emotions to learn from" in caplog.text
    assert train.without_faces([recipe, recipe]) == [dataclasses.replace(recipe, modalities=("eeg",))]
