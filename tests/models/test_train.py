"""Folds to scores: honest ones see nothing of what they are tested on, leaky ones are caught."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models import card, fold, keep, predict, splits
from models.dataset import Dataset
from models.eeg import itnet, map_cnn, sst, table
from models.eeg.recogniser import Model, Task
from models.evaluate import MetricsRow
from models.face import kept as kept_face
from models.face.crops import FaceData
from models.scores import scored
from models.train import Outcome, cross_validate, features_of, recipes
from tests.models import planted

pytestmark = pytest.mark.usefixtures("few_epochs")

KINDS = {"pool96": "pool96"}
ALL = ("eeg", "face", "fusion")


def validate(data: Dataset, *names: str, modalities: Sequence[str] = ALL) -> list[Outcome]:
    made = [splits.SPLITS[name](data.windows, data.labels, 1) for name in names or ("leave-one-subject-out",)]
    return cross_validate(data, splits=made, recipes=recipes((), modalities, KINDS), seed=1)  # type: ignore[arg-type]


def scores(data: Dataset, outcome: Outcome) -> dict[str, MetricsRow]:
    return {one.row.modality: one.row for one in scored(data, outcome, labels="target", seed=1)}


@pytest.fixture(scope="module")
def strong() -> Dataset:
    return planted.dataset()


@pytest.fixture(scope="module")
def outcome(strong: Dataset) -> Outcome:
    return validate(strong)[0]


def test_a_planted_emotion_is_found_by_both_and_by_their_fusion(strong: Dataset, outcome: Outcome) -> None:
    found = scores(strong, outcome)
    assert set(found) == {"eeg", "face", "fusion"}
    for row in found.values():
        assert row.accuracy > 0.7 and row.chance == 0.25
        assert row.p_permutation is not None and row.p_permutation < 0.01
        assert (row.n_test, row.n_trials, row.n_participants) == (120, 60, 5)
        assert row.shares == ("stimulus",) and not row.leaky
        assert row.ci_low is not None and row.ci_high is not None and row.ci_low <= row.accuracy <= row.ci_high
    assert found["fusion"].accuracy >= max(found["eeg"].accuracy, found["face"].accuracy) - 0.05


def test_every_window_is_predicted_by_the_fold_that_left_its_participant_out(strong: Dataset, outcome: Outcome) -> None:
    assert outcome.fold.tolist() == [f"sub-{strong.windows[row].participant}" for row in outcome.rows]
    assert sorted(outcome.rows) == list(range(120))
    for log_p in outcome.log_p.values():
        np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1)
    assert outcome.frame_p is not None and outcome.frame_p.shape == (120, 3, 4)


def test_where_nothing_is_planted_nothing_is_found() -> None:
    data = planted.dataset(eeg=0, face=0, seed=3)
    for row in scores(data, validate(data)[0]).values():
        assert row.p_permutation is not None and row.p_permutation > 0.01


def test_clips_with_fingerprints_of_their_own_make_the_random_split_look_good_and_no_other() -> None:
    data = planted.dataset(eeg=0, face=0, fingerprint=3.0, n_people=6, seed=1)
    leaky, honest = validate(data, "window-random", "leave-one-subject-out", modalities=["eeg"])
    assert leaky.split.leaky and "trial" in leaky.split.shares
    assert scores(data, leaky)["eeg"].accuracy > 0.45
    row = scores(data, honest)["eeg"]
    assert row.accuracy < 0.4 and row.p_permutation is not None and row.p_permutation > 0.01


def test_the_labels_of_the_tested_participant_change_no_prediction(strong: Dataset, outcome: Outcome) -> None:
    """The detector of everything selected on test data: scaling, stopping, temperatures, priors."""
    mine = np.array([window.participant == "03" for window in strong.windows])
    spoilt = dataclasses.replace(strong, labels=np.where(mine, 3 - strong.labels, strong.labels))
    part = next(part for part in outcome.split.folds if part.name == "sub-03")
    given = fold.inputs(spoilt, eeg_kind="pool96", face_kind="pool96", modalities=ALL)  # type: ignore[arg-type]
    again = fold.predict(fold.train(given, part, seed=1 + outcome.split.folds.index(part)), given, part.test)
    for modality, log_p in outcome.log_p.items():
        np.testing.assert_array_equal(again.log_p[modality], log_p[mine[outcome.rows]])


def test_the_features_of_the_tested_participant_change_no_model(strong: Dataset, outcome: Outcome) -> None:
    part = outcome.split.folds[0]
    given = fold.inputs(strong, eeg_kind="pool96", face_kind="pool96", modalities=ALL)  # type: ignore[arg-type]
    assert given.eeg is not None and given.face is not None
    eeg, faces = given.eeg.copy(), given.face.copy()
    eeg[part.test], faces[part.test] = 1e6, -1e6
    spoilt = dataclasses.replace(given, eeg=eeg, face=faces)
    for ours, theirs in zip(*(_tensors(fold.train(either, part, seed=5)) for either in (given, spoilt)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


SHAPES = {"itnet": (28, 384), "sst": (28, 30), "de-logistic": (28, 5), "de-svm": (28, 5), "nearest": (28, 8), "jadhav": (28, 8)}


@pytest.mark.parametrize("model", SHAPES)
def test_nothing_but_training_and_validation_decides_what_a_model_becomes(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same detector for the other models of the EEG, in a fold of the headline, where many windows stand on no side."""
    for module in (itnet, sst, map_cnn):
        name = "JADHAV" if module is map_cnn else "SETTINGS"
        monkeypatch.setattr(module, name, dataclasses.replace(getattr(module, name), epochs=1))
    data = planted.dataset(n_people=3, clips_per_emotion=2)
    part = splits.leave_subject_and_stimulus_out(data.windows, data.labels, 1).folds[0]
    x = np.random.default_rng(0).standard_normal((len(data.labels), *SHAPES[model])).astype(np.float32)
    given = dataclasses.replace(_heard(data), eeg=x, eeg_model=model)
    learnt = np.isin(np.arange(len(x)), [*part.train, *part.validation])
    assert (~learnt).sum() > len(part.test)

    def said(rows: np.ndarray) -> np.ndarray:
        """Return what it says of the tested windows as they are, having been given other labels and values in some rows."""
        labels = np.where(rows, 3 - data.labels, data.labels)
        values = np.where(rows[:, None, None], np.float32(1e6), x)
        trained = fold.train(dataclasses.replace(given, labels=labels, eeg=values), part, seed=5)
        assert trained.eeg is not None
        return trained.eeg.predict_proba(x[part.test])

    honest = said(np.zeros(len(x), dtype=bool))
    np.testing.assert_array_equal(said(~learnt), honest)
    assert not np.array_equal(said(np.arange(len(x)) == part.train[0]), honest), "the test would not see a leak"


@pytest.mark.parametrize("name", splits.SPLITS)
def test_a_model_is_told_whether_those_who_are_tested_are_known(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody is where everybody is learnt from for the models that are kept."""
    tasks: list[Task] = []
    build = table.named("majority").build
    made = Model(name="x", title="", takes="features", features="", build=lambda task: tasks.append(task) or build(task))  # type: ignore[func-returns-value]
    monkeypatch.setattr(table, "named", lambda name: made)
    data = planted.dataset(n_people=3, clips_per_emotion=2)
    for part in (*splits.SPLITS[name](data.windows, data.labels, 1).folds, splits.everybody(data.windows, data.labels, 1)):
        fold.train(_heard(data), part, seed=1)
    known = name in ("window-random", "leave-trial-out", "leave-stimulus-out")
    assert [task.within for task in tasks] == [known] * (len(tasks) - 1) + [False]


def _heard(data: Dataset) -> fold.Inputs:
    return fold.inputs(data, eeg_kind="pool96", face_kind="pool96", modalities=("eeg",))


def _tensors(trained: fold.Trained) -> list[np.ndarray]:
    assert trained.eeg is not None and trained.face is not None and trained.fusion is not None
    numbers = np.array([*trained.fusion.temperatures.values(), trained.fusion.final_temperature])
    return [*trained.eeg.tensors().values(), *kept_face.tensors(trained.face).values(), numbers]


def test_a_window_without_a_face_is_not_scored_for_the_face_and_falls_back_to_eeg() -> None:
    data = planted.dataset(n_people=3)
    x = data.faces["pool96"].x.copy()
    x[::4] = np.nan
    found = np.isfinite(x).all(axis=2)
    before = data.faces["pool96"]
    gone: dict[str, FaceData] = {"pool96": dataclasses.replace(before, x=x, found=found)}
    data = dataclasses.replace(data, faces=gone)
    outcome = validate(data)[0]
    assert np.isnan(outcome.log_p["face"][::4]).all()
    assert np.isfinite(outcome.log_p["fusion"]).all()
    rows = scores(data, outcome)
    assert (rows["face"].n_test, rows["fusion"].n_test) == (54, 72)


def test_a_fusion_of_pretrained_and_seeded_features_is_called_seeded() -> None:
    assert features_of("fusion", "imagenet", "imagenet") == "imagenet"
    assert features_of("fusion", "imagenet", "seeded") == "seeded"
    assert features_of("face", "imagenet", "seeded") == "seeded"
    assert features_of("eeg", "imagenet", "seeded") == "imagenet"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, strong: Dataset, outcome: Outcome) -> Path:
    root = tmp_path_factory.mktemp("kept")
    (root / "dataset_description.json").write_text('{"License": "CC-BY-4.0", "Simulated": true}')
    made = recipes((), ALL, KINDS)  # type: ignore[arg-type]
    keep.keep(
        root,
        root / "models",
        strong,
        recipes=made,
        labels="target",
        scores=scored(strong, outcome, labels="target", seed=1),
        seed=1,
    )
    return root / "models"


class TestKeptModels:
    def test_what_is_loaded_predicts_as_what_was_trained(self, folder: Path, strong: Dataset) -> None:
        given = fold.inputs(strong, eeg_kind="pool96", face_kind="pool96", modalities=ALL)  # type: ignore[arg-type]
        trained = fold.train(given, splits.everybody(strong.windows, strong.labels, 1), seed=1)
        expected = fold.predict(trained, given, np.arange(120)).log_p
        found = {
            "eeg": predict.eeg(*card.load(folder / "eeg_pool96.safetensors"), strong.eeg["pool96"]),
            "face": predict.face(*card.load(folder / "face_pool96.safetensors"), strong.faces["pool96"].x),
        }
        fused = predict.fusion(card.load(folder / "fusion_pool96.safetensors")[1]).apply(
            found, {"eeg": strong.eeg_quality, "face": strong.faces["pool96"].coverage}
        )
        for modality, log_p in {**found, "fusion": fused}.items():
            np.testing.assert_allclose(log_p, expected[modality], atol=1e-6)

    def test_the_card_says_what_it_learnt_from_and_what_it_is_worth(self, folder: Path) -> None:
        _, made = card.load(folder / "eeg_pool96.safetensors")
        assert made.emotions == planted.EMOTIONS and made.licence == "CC-BY-4.0" and made.simulated
        assert made.participants == ("01", "02", "03", "04", "05") and made.n_windows == 120
        assert [score["modality"] for score in made.scores] == ["eeg"]
        assert "Not for decisions about people" in made.intended_use
        assert made.versions["torch"]

    def test_a_model_of_another_modality_or_shape_is_refused(self, folder: Path, strong: Dataset) -> None:
        loaded = card.load(folder / "eeg_pool96.safetensors")
        with pytest.raises(card.CardError, match="modality = eeg in the card: expected face"):
            predict.face(*loaded, strong.faces["pool96"].x)
        with pytest.raises(card.CardError, match="n_features = 8 in the card, 3 in the data"):
            predict.eeg(*loaded, strong.eeg["pool96"][:, :, :3])

    @pytest.mark.parametrize("damage", ["no card", "pickle", "other schema"])
    def test_nothing_else_is_ever_loaded(self, folder: Path, tmp_path: Path, damage: str) -> None:
        path = tmp_path / "eeg.safetensors"
        weights, text = (folder / "eeg_pool96.safetensors").read_bytes(), (folder / "eeg_pool96.json").read_text()
        path.write_bytes(b"\x80\x04pickle" if damage == "pickle" else weights)
        if damage != "no card":
            path.with_suffix(".json").write_text(
                text.replace('"schema": 1', '"schema": 2') if damage == "other schema" else text
            )
        with pytest.raises(card.CardError, match=r"eeg\.(safetensors|json): is no model"):
            card.load(path)
