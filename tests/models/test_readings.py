"""What stands behind a score, what scores say together, and what a later run leaves of an earlier one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import report, scores, splits, train
from models.dataset import Dataset
from models.eeg import inputs, scalp_map
from models.eeg.inputs import Source
from models.evaluate import MetricsRow
from models.scores import Scored
from tests.models import planted
from tests.models.test_metrics_rows import ROW

KINDS = {"pool96": "pool96"}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return planted.dataset(n_people=3, clips_per_emotion=2, face=0.0)


@pytest.fixture(scope="module")
def scored(data: Dataset) -> list[Scored]:
    made = [make(data.windows, data.labels, 1) for make in splits.SPLITS.values()]
    recipes = train.recipes(("nearest",), (), KINDS)  # type: ignore[arg-type]
    outcomes = train.cross_validate(data, splits=made, recipes=recipes, seed=1)
    return [one for outcome in outcomes for one in scores.scored(data, outcome, labels="target", seed=1)]


@pytest.fixture(scope="module")
def rested(data: Dataset) -> list[Scored]:
    windows = tuple(replace(window, shown="rest") if window.target == "neutral" else window for window in data.windows)
    made = [splits.SPLITS[name](windows, data.labels, 1) for name in ("leave-one-subject-out", splits.HEADLINE)]
    recipes = train.recipes(("nearest",), (), KINDS)  # type: ignore[arg-type]
    outcomes = train.cross_validate(replace(data, windows=windows), splits=made, recipes=recipes, seed=1)
    return [
        one for outcome in outcomes
        for one in scores.scored(replace(data, windows=windows), outcome, labels="target", seed=1)
    ]  # fmt: skip


def of(scored: list[Scored], split: str) -> Scored:
    return next(one for one in scored if one.row.split == split)


class TestRests:
    """The paper's own design: neutral is a cross on the screen, three times."""

    def test_the_row_says_that_the_headline_shares_their_screen_and_p_is_of_the_clips(self, rested: list[Scored]) -> None:
        row = of(rested, splits.HEADLINE).row
        assert row.shares == ("stimulus",) and row.p_stimuli is not None
        assert of(rested, "leave-one-subject-out").row.p_stimuli is None

    def test_the_readings_say_it_in_a_sentence_and_only_then(self, rested: list[Scored], scored: list[Scored]) -> None:
        (said,) = scores.readings([one.row for one in rested])
        assert said.endswith(scores.RESTS)
        assert not any(scores.RESTS in sentence for sentence in scores.readings([one.row for one in scored]))


class TestWhatStandsBehind:
    def test_the_confusion_matrix_counts_what_the_row_says(self, scored: list[Scored]) -> None:
        for one in scored:
            assert one.confusion.sum() == one.row.n_test
            assert one.confusion.trace() / one.row.n_test == pytest.approx(one.row.accuracy)

    def test_participants_are_scored_each_and_together_make_the_row(self, scored: list[Scored]) -> None:
        one = of(scored, "leave-one-subject-out")
        assert sorted(one.by_participant) == ["01", "02", "03"]
        each = [one.by_participant[name]["accuracy"] for name in one.by_participant]
        assert np.mean(each) == pytest.approx(one.row.accuracy), "all have the same number of windows"
        assert set(one.by_participant["01"]) >= {"accuracy", "balanced_accuracy", "precision", "recall", "f1_macro", "chance"}

    def test_one_for_all_others_counts_predictions_and_clips_once(self, scored: list[Scored]) -> None:
        row = of(scored, "train-one-test-others").row
        assert (row.n_test, row.n_trials, row.n_participants) == (48 * 2, 24, 3)

    def test_accuracy_is_told_by_where_the_window_begins_in_its_clip(self, data: Dataset) -> None:
        """Only the second window of each clip carries the emotion."""
        late = [window.t0_s % 10 == 3 for window in data.windows]
        x = data.eeg["pool96"].copy()
        x[~np.array(late)] = np.random.default_rng(5).standard_normal((~np.array(late)).sum() * 28 * 8).reshape(-1, 28, 8)
        windows = tuple(
            replace(window, since_onset_s=3.0 * is_late) for window, is_late in zip(data.windows, late, strict=True)
        )
        data = replace(data, windows=windows, eeg={"pool96": x})
        made = splits.leave_one_subject_out(data.windows, data.labels, 1)
        recipes = train.recipes(("nearest",), (), KINDS)  # type: ignore[arg-type]
        (outcome,) = train.cross_validate(data, splits=[made], recipes=recipes, seed=1)
        (one,) = scores.scored(data, outcome, labels="target", seed=1)
        first, second = one.by_second
        assert (first["since_onset_s"], first["n"], second["since_onset_s"], second["n"]) == (0, 24, 3, 24)
        assert second["accuracy"] > first["accuracy"] + 0.2

    def test_leaky_rows_have_no_p_and_stimuli_have_one_where_they_are_held_out(self, scored: list[Scored]) -> None:
        for one in scored:
            row = one.row
            assert (row.p_permutation is None) == row.leaky == (row.split == "window-random")
            assert (row.p_stimuli is None) == (row.leaky or "stimulus" in row.shares)

    def test_no_two_rows_share_the_name_of_a_file(self, data: Dataset) -> None:
        kinds = {"imagenet": "seeded", "seeded": "seeded", "pool96": "pool96"}
        recipes = train.recipes(("nearest",), ("eeg", "face", "fusion"), kinds, controls=("below-30-hz",))  # type: ignore[arg-type]
        named = [(recipe, modality, scores.stem(recipe, modality)) for recipe in recipes for modality in recipe.modalities]
        different = {(m, r.kind if m != "face" else "", r.face if m != "eeg" else "", r.control, r.model) for r, m, _ in named}
        assert len({name for *_, name in named}) == len(different)
        assert {name for *_, name in named} >= {"fusion_imagenet+seeded", "fusion_seeded", "face_seeded", "eeg_imagenet"}


def rows(**p: float | None) -> list[MetricsRow]:
    """Rows of one recogniser by split; what is not named is at chance."""
    made = []
    for name in splits.SPLITS:
        key = name.replace("-", "_")
        share = () if name == splits.HEADLINE else ("participant",)
        leaky = name == "window-random"
        value = 0.5 if p.get(key) is None else p[key]
        low = 0.6 if value and value < 0.01 else 0.2
        made.append(
            MetricsRow(**ROW | {"split": name, "leaky": leaky, "shares": share, "p_permutation": None if leaky else value,
                                "ci_low": low, "p_stimuli": p.get("p_stimuli")})
        )  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({}, "nothing was recognised"),
        ({"window_random": 0.001}, "it knows the recordings, not the emotions"),
        ({"window_random": 0.001, "leave_one_subject_out": 0.001}, "it knows the clips, not the emotions"),
        ({"leave_stimulus_out": 0.001}, "better than chance for new clips in people it has learnt, not for new people"),
        ({"leave_subject_and_stimulus_out": 0.001}, "better than chance for new people who watch new clips"),
        ({"leave_subject_and_stimulus_out": 0.001, "p_stimuli": 0.3}, "nothing was recognised"),
        ({"leave_trial_out": 0.001}, "better than chance by leave-trial-out only"),
    ],
)
def test_scores_are_read_together_and_by_the_strictest_test(found: dict[str, float], says: str) -> None:
    (sentence,) = scores.readings(rows(**found))
    assert says in sentence


def test_one_split_alone_has_nothing_to_be_read_with() -> None:
    assert scores.readings(rows()[:1]) == []


class TestThePage:
    def test_it_has_the_papers_numbers_beside_ours_and_marks_the_leak(
        self, data: Dataset, scored: list[Scored], tmp_path: Path
    ) -> None:
        own = [replace(one, row=replace(one.row, model="map_cnn")) for one in scored]
        pictures = report.draw(tmp_path / "figures", own, data.emotions)
        text = report.write(tmp_path / "scores.html", own, data, pictures).read_text()
        for number in ("98.71", "98.77", "98.72"):
            assert number in text
        assert "window-random (leaky, as the paper)" in text and "LEAKY: too good" in text
        assert f"{100 * of(own, splits.HEADLINE).row.accuracy:.2f}" in text
        assert text.count("<img ") == len(pictures)
        assert "94.61" not in text, "EEG-ITNet was not trained: the paper's number for it would have nothing beside it"

    def test_figure_6_is_drawn_by_both_splits(self, data: Dataset, scored: list[Scored], tmp_path: Path) -> None:
        own = [replace(one, row=replace(one.row, model="map_cnn")) for one in scored]
        names = {path.name for path in report.draw(tmp_path, own, data.emotions)}
        assert "figure-6_pool96.png" in names
        image = cv2.imread(str(tmp_path / "figure-6_pool96.png"))
        assert image is not None and image.shape[1] > 1.3 * image.shape[0]

    @pytest.mark.parametrize("split", ["window-random", splits.HEADLINE])
    def test_with_one_of_them_figure_6_is_of_that_one(
        self, data: Dataset, scored: list[Scored], tmp_path: Path, split: str
    ) -> None:
        own = [replace(one, row=replace(one.row, model="map_cnn")) for one in scored if one.row.split == split]
        assert "figure-6_pool96.png" in {path.name for path in report.draw(tmp_path, own, data.emotions)}
        image = cv2.imread(str(tmp_path / "figure-6_pool96.png"))
        assert image is not None and image.shape[1] < 1.3 * image.shape[0]

    def test_pictures_of_an_earlier_run_are_gone_and_what_others_wrote_is_kept(
        self, data: Dataset, scored: list[Scored], tmp_path: Path
    ) -> None:
        (tmp_path / "face_imagenet_window-random.png").write_bytes(b"old")
        (tmp_path / "notes.txt").write_text("mine")
        made = report.draw(tmp_path, scored[:1], data.emotions)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["notes.txt", *(path.name for path in made)])

    def test_what_stands_behind_is_written_as_json(self, data: Dataset, scored: list[Scored], tmp_path: Path) -> None:
        scores.save(tmp_path / "scores.json", scored, data.emotions)
        told = json.loads((tmp_path / "scores.json").read_text())
        assert told["emotions"] == list(data.emotions) and len(told["scores"]) == len(scored)
        assert told["scores"][0]["confusion"] == scored[0].confusion.tolist()


class TestControls:
    def test_muscles_are_under_28_minus_15_sites(self) -> None:
        left = [name for name in scalp_map.CHANNELS if name not in scalp_map.MUSCLES]
        assert left == ["C3", "Cz", "C4", "CP5", "CP1", "CP2", "CP6", "P7", "P3", "Pz", "P4", "P8", "O1", "Oz", "O2"]

    def test_what_muscles_may_reach_leaves_no_trace(self) -> None:
        x = np.random.default_rng(0).standard_normal((3, 28, 5)).astype(np.float32)
        gone = scalp_map.PAPER.over_muscles()
        other = x.copy()
        other[:, gone] += 100
        np.testing.assert_array_equal(inputs.blank(x, gone), inputs.blank(other, gone))
        np.testing.assert_array_equal(inputs.blank(x, gone)[:, ~gone], x[:, ~gone])

    def test_nothing_above_30_hz_is_left_for_a_logarithm_to_find(self) -> None:
        seconds = np.arange(600) / 200
        low, high = (np.sin(2 * np.pi * hertz * seconds).astype(np.float32)[None, None] for hertz in (10.0, 40.0))
        left = inputs.low_pass(low + 50 * high, 30.0)
        np.testing.assert_allclose(left, low, atol=1e-4)
        np.testing.assert_allclose(left, inputs.low_pass(low, 30.0), atol=1e-4)

    def test_a_control_has_a_name_of_its_own_in_data_and_files(self) -> None:
        (own, control) = train.recipes((), ("eeg",), KINDS, controls=("below-30-hz",))  # type: ignore[arg-type]
        assert (own.source.key, control.source.key) == ("pool96", "pool96@below-30-hz")
        assert scores.stem(control, "eeg") == "eeg_pool96_below-30-hz"
        with pytest.raises(ValueError, match="control = 'loud'"):
            Source("pool96", "loud")  # type: ignore[arg-type]
