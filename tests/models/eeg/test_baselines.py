"""Baselines: differential entropy with a linear model or a support vector machine, and the commonest class."""

import numpy as np
import pytest

from models.eeg import baselines
from models.eeg.recogniser import Task

RNG = np.random.default_rng(0)


def task(n_classes: int = 4, seed: int = 1) -> Task:
    return Task(shape=(28, 5), n_classes=n_classes, n_windows=200, seed=seed)


def planted(n: int, n_classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(n) % n_classes
    x = RNG.standard_normal((n, 28, 5)).astype(np.float32)
    for emotion in range(n_classes):
        x[labels == emotion, :, emotion % 5] += 1.0
    return x, labels


@pytest.mark.parametrize("build", [baselines.Logistic, baselines.Svm])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_what_is_planted_is_found(build: type, n_classes: int) -> None:
    x, y = planted(120, n_classes)
    model = build(task(n_classes)).fit(x[:80], y[:80], validation=(x[80:100], y[80:100]))
    said = model.predict_proba(x[100:])
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert (said.argmax(axis=1) == y[100:]).mean() > 0.9


@pytest.mark.parametrize("build", [baselines.Logistic, baselines.Svm])
@pytest.mark.parametrize("seen", [(0, 2, 3), (1, 3)])
def test_a_class_that_was_never_seen_is_never_said(build: type, seen: tuple[int, ...]) -> None:
    x, y = planted(120)
    known = np.isin(y, seen)
    model = build(task()).fit(x[known], y[known], validation=(x[known], y[known]))
    said = model.predict_proba(x)
    assert set(said.argmax(axis=1)) <= set(seen)
    np.testing.assert_array_equal(said[:, [k for k in range(4) if k not in seen]], 0)
    assert (said[known].argmax(axis=1) == y[known]).mean() > 0.9


def test_two_classes_have_the_probabilities_that_scikit_learn_gives_them() -> None:
    from sklearn.linear_model import LogisticRegression

    x, y = planted(60, 2)
    model = baselines.Logistic(task(2)).fit(x, y, validation=(x, y))
    flat = (x.reshape(60, -1) - x.reshape(60, -1).mean(axis=0)) / x.reshape(60, -1).std(axis=0)
    ours = model.predict_proba(x)
    by_strength = [
        LogisticRegression(C=c, class_weight="balanced", max_iter=2000).fit(flat, y).predict_proba(flat)
        for c in baselines.STRENGTHS
    ]
    assert min(np.abs(ours - theirs).max() for theirs in by_strength) < 1e-3


class OnlyRightAt:
    """Says the true class at one strength, and the wrong one at others."""

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def fit(self, x: np.ndarray, y: np.ndarray) -> "OnlyRightAt":
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0].astype(int) if self.strength == 0.1 else 1 - x[:, 0].astype(int)


def test_validation_chooses_the_strength() -> None:
    x = np.array([[0.0], [1.0], [1.0]])
    chosen = baselines._best(OnlyRightAt, baselines.STRENGTHS, x, np.array([0, 1, 1]), (x, np.array([0, 1, 1])))
    assert chosen.strength == 0.1


def test_the_commonest_class_of_training_and_validation_is_said_with_its_share() -> None:
    x, y = np.zeros((9, 1), np.float32), np.array([0, 0, 1, 1, 1, 1, 1, 2, 2])
    model = baselines.Majority(task(3)).fit(x[:6], y[:6], validation=(x[6:], y[6:]))
    np.testing.assert_allclose(model.predict_proba(x[:2]), np.tile([3 / 12, 6 / 12, 3 / 12], (2, 1)))
    assert model.prior == pytest.approx((0.25, 0.5, 0.25))


@pytest.mark.parametrize("build", [baselines.Logistic, baselines.Majority])
def test_what_is_kept_says_the_same_again_and_refuses_anothers_tensors(build: type) -> None:
    x, y = planted(40)
    model = build(task()).fit(x, y, validation=(x, y))
    again = build(task()).restore(model.tensors())
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))
    with pytest.raises(ValueError, match="is not there in the shape"):
        build(task(3)).restore(model.tensors())


def test_a_support_vector_machine_is_not_kept_for_it_holds_peoples_eeg() -> None:
    x, y = planted(40)
    model = baselines.Svm(task()).fit(x, y, validation=(x, y))
    assert not baselines.svm().kept
    with pytest.raises(TypeError, match="training data"):
        model.tensors()
