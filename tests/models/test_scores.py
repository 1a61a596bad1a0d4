"""Scores, intervals and the permutation test, on cases whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from models import evaluate
from models.evaluate import Clips, bootstrap_interval, by_clip, permutation_p, permutation_p_stimuli, score


class TestScores:
    def test_a_worked_example(self) -> None:
        # class 0: 3 of 4 found, 4 named; class 1: 1 of 2 found, 2 named
        found = score([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0])
        assert found.accuracy == pytest.approx(4 / 6)
        assert found.recall == found.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2) / 2)
        assert found.precision == pytest.approx((3 / 4 + 1 / 2) / 2)
        assert found.f1_macro == pytest.approx((3 / 4 + 1 / 2) / 2)
        assert found.chance == pytest.approx(4 / 6)

    def test_always_naming_the_majority_is_chance_and_no_more(self) -> None:
        found = score([0] * 6 + [1] * 2 + [2] * 2, [0] * 10)
        assert found.accuracy == found.chance == 0.6
        assert found.balanced_accuracy == pytest.approx(1 / 3)
        assert found.f1_macro == pytest.approx(0.75 / 3)

    def test_a_class_that_is_named_but_does_not_occur_lowers_recall_only_by_its_misses(self) -> None:
        assert score([0, 0, 1, 1], [0, 2, 1, 1]).balanced_accuracy == pytest.approx(0.75)

    def test_nothing_to_score_is_said(self) -> None:
        with pytest.raises(ValueError, match="no predictions"):
            score([], [])


class TestInterval:
    def test_people_who_are_all_alike_leave_no_doubt(self) -> None:
        correct = [True, False] * 10
        assert bootstrap_interval(correct, np.repeat(["a", "b", "c", "d", "e"], 4), seed=1) == (0.5, 0.5)

    def test_it_is_over_people_not_windows(self) -> None:
        # 1000 windows each of one person always right and one always wrong: two people, so nearly no certainty
        correct = np.repeat([True, False], 1000)
        assert bootstrap_interval(correct, np.repeat(["a", "b"], 1000), seed=1) == (0.0, 1.0)

    def test_its_width_is_that_of_the_mean_over_people(self) -> None:
        rng = np.random.default_rng(0)
        rates = rng.uniform(0.2, 0.8, 40)
        correct = np.concatenate([np.arange(100) < rate * 100 for rate in rates])
        interval = bootstrap_interval(correct, np.repeat(np.arange(40), 100), seed=1)
        assert interval is not None
        assert interval[1] - interval[0] == pytest.approx(2 * 1.96 * rates.std() / np.sqrt(40), rel=0.1)

    def test_one_person_has_none(self) -> None:
        assert bootstrap_interval([True, False], ["a", "a"], seed=1) is None


class TestClips:
    def test_the_mean_of_the_log_probabilities_decides(self) -> None:
        # two windows lean to class 0 a little, one to class 1 strongly
        log_p = np.log([[0.6, 0.4], [0.6, 0.4], [0.1, 0.9], [0.9, 0.1]])
        clip_a, clip_b = ("01", "01", "01", 1), ("01", "01", "01", 2)
        found = by_clip(log_p, np.array([1, 1, 1, 0]), [clip_a, clip_a, clip_a, clip_b])
        assert found.predicted.tolist() == [1, 0]
        assert found.labels.tolist() == [1, 0]
        assert found.participants.tolist() == ["01", "01"]

    def test_windows_without_a_prediction_do_not_vote_and_empty_clips_are_left_out(self) -> None:
        log_p = np.log([[0.6, 0.4], [np.nan, np.nan], [np.nan, np.nan]])
        found = by_clip(log_p, np.array([1, 1, 0]), [("01", "", "", 1), ("01", "", "", 1), ("01", "", "", 2)])
        assert found.predicted.tolist() == [0]

    def test_a_clip_is_joined_for_each_fold_that_predicts_it(self) -> None:
        log_p = np.log([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8]])
        clip = ("01", "01", "01", 1)
        found = by_clip(log_p, np.array([0, 0, 0]), [clip] * 3, folds=["a", "a", "b"], stimuli=["s"] * 3)
        assert found.predicted.tolist() == [0, 1]
        assert found.showings is not None and found.showings.tolist() == [0, 0]
        assert found.stimuli is not None and found.stimuli.tolist() == ["s", "s"]


def clips(labels: list[int], predicted: list[int], people: list[str]) -> Clips:
    return Clips(np.array(labels), np.array(predicted), np.array(people))


class TestPermutation:
    def test_the_exact_answer_for_four_clips(self) -> None:
        # labels 0 1 2 3 named rightly: one order of 24 does as well
        p = permutation_p(clips([0, 1, 2, 3], [0, 1, 2, 3], ["a"] * 4), seed=1)
        assert p == pytest.approx(1 / 24, abs=0.01)

    def test_predictions_that_know_nothing_have_a_uniform_p(self) -> None:
        rng = np.random.default_rng(0)
        labels = np.tile(np.repeat(np.arange(4), 3), 6)
        people = np.repeat([f"{i}" for i in range(6)], 12)
        ps = np.array([permutation_p(Clips(labels, rng.integers(0, 4, 72), people), seed=i) for i in range(200)], dtype=float)
        assert np.mean(ps < 0.05) < 0.1
        assert np.mean(ps) == pytest.approx(0.55, abs=0.08)  # ties make it a little conservative

    def test_people_who_train_each_others_models_do_not_make_noise_significant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Leave-one-subject-out on noise: each one's labels teach the models of all others (nearest centroid)."""
        monkeypatch.setattr(evaluate, "N_PERMUTATIONS", 300)
        rng = np.random.default_rng(0)
        people = np.repeat([f"{i}" for i in range(5)], 12)
        ps = []
        for run in range(600):
            x = rng.standard_normal((60, 40))
            labels = np.concatenate([rng.permutation(np.repeat(np.arange(4), 3)) for _ in range(5)])
            likeness = np.where(people[:, None] != people[None], x @ x.T, 0.0)
            predicted = (likeness @ np.eye(4)[labels]).argmax(axis=1)
            ps.append(permutation_p(Clips(labels, predicted, people), seed=run))
        assert np.mean(np.array(ps, dtype=float) <= 0.05) <= 0.05, (
            "it is 0.07 where fixed predictions are taken for independent"
        )

    def test_clips_of_one_person_that_train_each_others_models_do_not_make_noise_significant(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Leave-trial-out on noise in one person: ten clips of each of four emotions, nearest centroid."""
        monkeypatch.setattr(evaluate, "N_PERMUTATIONS", 300)
        rng = np.random.default_rng(0)
        labels, ps = np.repeat(np.arange(4), 10), []
        for run in range(800):
            x, predicted = rng.standard_normal((4, 10, 20)), np.zeros((4, 10), dtype=np.int64)
            for fold in range(10):
                centroids = np.delete(x, fold, axis=1).mean(axis=1)
                predicted[:, fold] = ((x[:, fold, None] - centroids) ** 2).sum(axis=2).argmin(axis=1)
            ps.append(permutation_p(Clips(labels, predicted.ravel(), np.full(40, "a")), seed=run))
        found = np.array(ps, dtype=float)
        assert np.mean(found < 0.01) <= 0.01 and np.mean(found <= 0.05) <= 0.05, "it is 0.017 and 0.06 without the widening"

    def test_labels_are_permuted_within_people_only(self) -> None:
        # each person saw one emotion; naming the person's emotion says nothing about clips
        people = ["a"] * 8 + ["b"] * 8
        assert permutation_p(clips([0] * 8 + [1] * 8, [0] * 8 + [1] * 8, people), seed=1) is None
        # one person with two emotions makes it testable; the others only add hits to both sides
        mixed = clips([0] * 8 + [1] * 8 + [0, 1], [0] * 8 + [1] * 8 + [0, 1], [*people, "c", "c"])
        assert permutation_p(mixed, seed=1) == pytest.approx(0.5, abs=0.03)

    def test_a_clip_that_several_models_predict_is_one_clip(self) -> None:
        """Six models agree on four clips of one person: still one order of 24, however many votes."""
        labels = np.tile([0, 1, 2, 3], 6)
        found = Clips(labels, labels, np.array(["a"] * 24), showings=np.tile(np.arange(4), 6))
        assert permutation_p(found, seed=1) == pytest.approx(1 / 24, abs=0.01)
        counted_as_many = Clips(labels, labels, np.array(["a"] * 24))
        p = permutation_p(counted_as_many, seed=1)
        assert p is not None and p < 0.001

    def test_people_misled_by_the_same_film_are_one_witness(self) -> None:
        """Twelve films are named at random, but by all ten people alike, as where they carry fingerprints."""
        rng = np.random.default_rng(0)
        stimuli = np.tile([f"s{i}" for i in range(12)], 10)
        labels = np.tile(np.repeat(np.arange(4), 3), 10)
        people = np.repeat([f"p{i}" for i in range(10)], 12)
        clip_ps, film_ps = [], []
        for run in range(100):
            misled = Clips(labels, np.tile(rng.integers(0, 4, 12), 10), people, stimuli=stimuli)
            clip_ps.append(permutation_p(misled, seed=run))
            film_ps.append(permutation_p_stimuli(misled, seed=run))
        assert np.mean(np.array(clip_ps, dtype=float) < 0.01) > 0.05, "by clips, chance looks like a finding"
        assert np.mean(np.array(film_ps, dtype=float) < 0.01) <= 0.02

    def test_rests_that_everybody_knows_by_their_screen_prove_nothing(self) -> None:
        """Three clips of each of three emotions named at random, three rests rightly: what is new is at chance."""
        rng = np.random.default_rng(0)
        labels = np.tile(np.repeat(np.arange(4), 3), 6)
        rests, people = labels == 3, np.repeat([f"p{i}" for i in range(6)], 12)
        stimuli = np.where(rests, "rest/neutral", np.tile([f"s{i}" for i in range(12)], 6))
        predicted = np.where(rests, 3, rng.integers(0, 3, 72))
        blind = Clips(labels, predicted, people, stimuli=stimuli)
        p = permutation_p(blind, seed=1)
        assert p is not None and p < 0.01, "the screen alone looks like a finding"
        found = replace(blind, known=rests)
        clips_alone = [values[~rests] for values in (labels, predicted, people, stimuli)]
        alone = Clips(*clips_alone[:3], stimuli=clips_alone[3])
        for test in (permutation_p, permutation_p_stimuli):
            p = test(found, seed=1)
            assert p == test(alone, seed=1) and p is not None and p > 0.05

    def test_films_with_several_labels_have_no_p(self) -> None:
        rated = Clips(np.array([0, 1]), np.array([0, 1]), np.array(["a", "b"]), stimuli=np.array(["s", "s"]))
        assert permutation_p_stimuli(rated, seed=1) is None
        assert permutation_p_stimuli(clips([0, 1], [0, 1], ["a", "a"]), seed=1) is None

    def test_a_planted_leak_is_caught(self) -> None:
        """Nearest neighbours among windows find their own clip again, although nothing here depends on emotion."""
        rng = np.random.default_rng(0)
        people = np.repeat([f"{i}" for i in range(5)], 12)
        labels = np.concatenate([rng.permutation(np.repeat(np.arange(4), 3)) for _ in range(5)])
        fingerprint = rng.standard_normal((60, 20))
        windows = [fingerprint + 0.3 * rng.standard_normal((60, 20)) for _ in range(2)]  # two windows a clip

        def nearest(allowed: np.ndarray) -> np.ndarray:
            distance = np.linalg.norm(windows[1][:, None] - windows[0][None], axis=2)
            return labels[np.where(allowed, distance, np.inf).argmin(axis=1)]

        leaked = nearest(np.ones((60, 60), bool))
        honest = nearest(people[:, None] != people[None])
        p_leaked = permutation_p(Clips(labels, leaked, people), seed=1)
        p_honest = permutation_p(Clips(labels, honest, people), seed=1)
        assert p_leaked is not None and p_honest is not None
        assert p_leaked < 0.01 < p_honest
