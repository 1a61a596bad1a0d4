"""The fusion is arithmetic: what it must give on edges, and what it must win on simulated predictions."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.special import softmax

from models.fusion import (
    NO_LABEL,
    TEMPERATURES,
    Fusion,
    FusionError,
    Rule,
    decide,
    fit_fusion,
    fit_temperature,
    fuse,
    log_probabilities,
    normalise,
    prior_of,
    temper,
)

Floats = NDArray[np.float64]
RULES: Sequence[Rule] = ("pool", "mean", "product", "max")
NAN_ROW = [np.nan] * 3


def _p(fused: Floats) -> Floats:
    return np.exp(fused)


def test_two_agreeing_modalities_are_surer_than_one() -> None:
    one = log_probabilities([[0.6, 0.2, 0.2]])
    np.testing.assert_allclose(_p(fuse({"eeg": one, "face": one})), [[0.36 / 0.44, 0.04 / 0.44, 0.04 / 0.44]])


def test_the_rules_give_the_textbook_values() -> None:
    log_p = {"eeg": log_probabilities([[0.5, 0.3, 0.2]]), "face": log_probabilities([[0.1, 0.6, 0.3]])}
    product = np.array([0.05, 0.18, 0.06]) / 0.29
    np.testing.assert_allclose(_p(fuse(log_p, rule="product"))[0], product)
    np.testing.assert_allclose(_p(fuse(log_p, rule="mean"))[0], [0.3, 0.45, 0.25])
    np.testing.assert_allclose(_p(fuse(log_p, rule="max"))[0], np.array([0.5, 0.6, 0.3]) / 1.4)
    prior = np.array([0.5, 0.25, 0.25])
    np.testing.assert_allclose(_p(fuse(log_p, prior=prior))[0], (product / prior) / (product / prior).sum())


@pytest.mark.parametrize("rule", RULES)
def test_opposed_hard_zeros_tie_and_are_numbers(rule: Rule) -> None:
    fused = fuse({"eeg": log_probabilities([[1.0, 0.0]]), "face": [[-np.inf, 0.0]]}, rule=rule)
    np.testing.assert_allclose(_p(fused), [[0.5, 0.5]])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("gone", [NAN_ROW, [-np.inf] * 3, [np.nan, 0.0, 0.0]])
def test_a_missing_modality_leaves_the_others_probabilities_as_they_are(rule: Rule, gone: list[float]) -> None:
    face = log_probabilities([[0.7, 0.2, 0.1]])
    fused = fuse({"eeg": [gone], "face": face}, {"face": [0.2]}, rule=rule, prior=[0.8, 0.1, 0.1])
    np.testing.assert_allclose(_p(fused), [[0.7, 0.2, 0.1]])


@pytest.mark.parametrize("rule", RULES)
def test_quality_zero_means_missing(rule: Rule) -> None:
    log_p = {"eeg": log_probabilities([[0.0, 1.0]]), "face": log_probabilities([[0.9, 0.1]])}
    np.testing.assert_allclose(_p(fuse(log_p, {"eeg": [0.0]}, rule=rule)), [[0.9, 0.1]])


@pytest.mark.parametrize("rule", RULES)
def test_where_everything_is_missing_there_is_no_label_and_the_next_row_has_one(rule: Rule) -> None:
    fused = fuse({"eeg": [NAN_ROW, [0.0, -1.0, -2.0]], "face": [NAN_ROW, NAN_ROW]}, rule=rule)
    assert np.isnan(fused[0]).all() and not np.isnan(fused[1]).any()
    assert decide(fused).tolist() == [NO_LABEL, 0]


def test_quality_tips_the_pool_towards_the_better_modality() -> None:
    log_p = {"eeg": log_probabilities([[0.8, 0.2]]), "face": log_probabilities([[0.1, 0.9]])}
    assert decide(fuse(log_p)).tolist() == [1]
    assert decide(fuse(log_p, {"eeg": [1.0], "face": [0.5]})).tolist() == [0]
    assert decide(fuse(log_p, {"eeg": [0.5], "face": [np.nan]})).tolist() == [1], "unknown quality counts as 1"


def test_only_the_ratio_of_qualities_matters() -> None:
    log_p = {"eeg": log_probabilities([[0.8, 0.2]]), "face": log_probabilities([[0.3, 0.7]])}
    np.testing.assert_allclose(
        fuse(log_p, {"eeg": [0.8], "face": [0.4]}), fuse(log_p, {"eeg": [1.0], "face": [0.5]}), rtol=1e-12
    )


def test_dividing_by_the_prior_counts_it_once() -> None:
    prior = np.array([0.7, 0.3])
    same_as_prior = log_probabilities([prior])
    np.testing.assert_allclose(_p(fuse({"eeg": same_as_prior, "face": same_as_prior}, prior=prior)), [prior])
    assert _p(fuse({"eeg": same_as_prior, "face": same_as_prior}, rule="product"))[0, 0] > 0.84


@given(
    arrays(np.float64, (5, 4), elements=st.floats(-800, 800)),
    arrays(np.float64, (5, 4), elements=st.floats(-800, 800)),
    st.sampled_from(RULES),
)
def test_any_finite_scores_give_probabilities_that_sum_to_one(a: Floats, b: Floats, rule: Rule) -> None:
    fused = fuse({"eeg": a, "face": b}, {"eeg": np.full(5, 0.3)}, rule=rule)
    assert np.isfinite(fused).all()
    np.testing.assert_allclose(_p(fused).sum(axis=1), 1.0, rtol=1e-9)


def test_float32_scores_are_pooled_in_float64() -> None:
    assert fuse({"eeg": np.zeros((1, 3), dtype=np.float32)}).dtype == np.float64


def test_a_temperature_never_changes_the_order() -> None:
    log_p = normalise([[3.0, 1.0, -2.0]])
    for temperature in TEMPERATURES:
        assert np.argsort(temper(log_p, temperature)).tolist() == [[2, 1, 0]]
    assert temper(log_p, 10.0).max() < log_p.max() < temper(log_p, 0.25).max()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fuse({}), "no modality"),
        (lambda: fuse({"eeg": np.zeros((2, 3)), "face": np.zeros((2, 4))}), "shapes differ"),
        (lambda: fuse({"eeg": np.zeros((2, 3))}, {"eeg": [0.5, 1.5]}), "2 values in 0..1"),
        (lambda: fuse({"eeg": np.zeros((2, 3))}, prior=[0.5, 0.5, 0.0]), "3 positive shares"),
        (lambda: normalise([[np.inf, 0.0]]), "diverged"),
        (lambda: normalise([0.0, 1.0]), "shape"),
        (lambda: temper(np.zeros((1, 2)), 0.0), "must be positive"),
        (lambda: Fusion(rule="vote"), "one of pool, mean, product, max"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(call, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(FusionError, match=says):
        call()


def _simulated(rng: np.random.Generator, n: int, *, strength: float, scale: float = 1.0) -> tuple[Floats, Floats]:
    """Return labels and Gaussian logits: the true class lies `strength` higher; `scale` makes them falsely sure."""
    y = rng.integers(0, 4, n)
    logits = rng.normal(size=(n, 4))
    logits[np.arange(n), y] += strength
    return y, logits * scale * strength


def test_a_falsely_sure_modality_is_found_and_cooled() -> None:
    y, logits = _simulated(np.random.default_rng(1), 4000, strength=1.0, scale=3.0)
    assert fit_temperature(logits, y) == pytest.approx(3.0, rel=0.1)


def test_temperatures_stay_within_bounds_on_separable_and_on_chance_predictions() -> None:
    y = np.tile(np.arange(4), 10)
    assert TEMPERATURES[0] <= fit_temperature(10 * np.eye(4)[y], y) < 1
    rng = np.random.default_rng(2)
    assert 2 < fit_temperature(rng.normal(size=(40, 4)) * 20, y) <= TEMPERATURES[1]
    assert fit_temperature(np.full((40, 4), np.nan), y) == 1.0


def test_few_windows_hardly_move_the_temperature() -> None:
    logits, y = np.array([[2.0, 0.0]]), np.array([0])
    assert 0.5 < fit_temperature(logits, y, strength=1.0) < 1.0
    assert fit_temperature(logits, y, strength=100.0) == pytest.approx(1.0, abs=0.01)


def test_a_few_clips_of_many_windows_move_a_temperature_less_than_as_many_windows_of_their_own() -> None:
    """What windows of one clip have in common makes them right or wrong together: the fit must not take them for many."""
    rng = np.random.default_rng(12)
    worse = {"windows": 0.0, "clips": 0.0}
    for _ in range(20):
        y, of_clip = _simulated(rng, 6, strength=1.2)
        labels, logits, clips = np.repeat(y, 12), np.repeat(of_clip, 12, axis=0), np.repeat(np.arange(6), 12)
        y_test, test = _simulated(rng, 1000, strength=1.2)
        for kind, of in (("windows", None), ("clips", clips)):
            temperature = fit_fusion({"eeg": logits}, labels, clips=of).temperatures["eeg"]
            before, after = (-normalise(z)[np.arange(1000), y_test].mean() for z in (test, temper(test, temperature)))
            worse[kind] += float(after - before) / 20
    assert worse["clips"] < 0.5 * worse["windows"]
    alone = fit_fusion({"eeg": logits}, labels, clips=np.arange(len(labels))).temperatures["eeg"]
    assert alone == pytest.approx(fit_temperature(logits, labels, strength=2.0))


def test_fusion_beats_both_modalities_and_noise_does_not_hurt() -> None:
    rng = np.random.default_rng(3)
    n = 6000
    y, eeg = _simulated(rng, n, strength=1.2, scale=2.0)
    face = rng.normal(size=(n, 4))
    face[np.arange(n), y] += 1.5
    noise = rng.normal(size=(n, 4)) * 2
    half = slice(n // 2), slice(n // 2, n)

    def accuracy(log_p: dict[str, Floats]) -> float:
        fitted = fit_fusion({name: v[half[0]] for name, v in log_p.items()}, y[half[0]])
        return float((decide(fitted.apply({name: v[half[1]] for name, v in log_p.items()})) == y[half[1]]).mean())

    alone = {name: float((v[half[1]].argmax(axis=1) == y[half[1]]).mean()) for name, v in (("eeg", eeg), ("face", face))}
    assert accuracy({"eeg": eeg, "face": face}) > max(alone.values()) + 0.05
    assert accuracy({"eeg": noise, "face": face}) > alone["face"] - 0.02


def test_the_final_temperature_mends_the_confidence_of_the_pool() -> None:
    rng = np.random.default_rng(4)
    n = 4000
    y, shared = _simulated(rng, n, strength=1.0)
    twice = {"eeg": shared, "face": shared}  # the same evidence counted twice: falsely sure
    fitted = fit_fusion(twice, y, {"eeg": np.ones(n), "face": np.full(n, 0.9)})
    assert fitted.final_temperature == pytest.approx(1.9, rel=0.15)
    confidence = np.exp(fitted.apply(twice).max(axis=1)).mean()
    assert confidence == pytest.approx((decide(fitted.apply(twice)) == y).mean(), abs=0.03)


def test_a_skewed_prior_divided_out_saves_the_rare_classes() -> None:
    rng = np.random.default_rng(5)
    prior = np.array([0.55, 0.25, 0.04, 0.16])
    y = rng.choice(4, 8000, p=prior)
    logits = {}
    for name in ("eeg", "face"):
        evidence = rng.normal(size=(8000, 4))
        evidence[np.arange(8000), y] += 1.6
        logits[name] = normalise(1.6 * evidence + np.log(prior))

    def macro_recall(fused: Floats) -> float:
        return float(np.mean([(decide(fused)[y == c] == c).mean() for c in range(4)]))

    divided = fuse(logits, prior=prior)
    assert macro_recall(divided) > macro_recall(fuse(logits, rule="product")) + 0.03
    assert (decide(divided) == y).mean() > (decide(fuse(logits, rule="product")) == y).mean()


def test_abstaining_gives_no_label_below_the_threshold() -> None:
    log_p = log_probabilities([[0.9, 0.1], [0.55, 0.45], [0.6, 0.4]])
    assert decide(log_p, abstain_below=0.6 - 1e-9).tolist() == [0, NO_LABEL, 0]


def test_the_prior_counts_labels_and_none_is_zero() -> None:
    np.testing.assert_allclose(prior_of([0, 0, 1], 3), [3 / 6, 2 / 6, 1 / 6])


def test_normalise_equals_softmax() -> None:
    logits = np.random.default_rng(6).normal(size=(20, 5))
    np.testing.assert_allclose(np.exp(normalise(logits)), softmax(logits, axis=1))


def test_a_modality_that_assumes_equal_shares_is_not_divided_by_a_prior_that_it_never_had() -> None:
    """Bayes by hand: the training data hold 80 % of class 0; EEG was trained with class weights, the face was not."""
    prior, likelihood = np.array([0.8, 0.2]), {"eeg": np.array([0.3, 0.7]), "face": np.array([0.4, 0.6])}
    eeg, face = likelihood["eeg"] / likelihood["eeg"].sum(), likelihood["face"] * prior / (likelihood["face"] * prior).sum()
    posterior = prior * likelihood["eeg"] * likelihood["face"]
    log_p = {"eeg": np.log(eeg)[None], "face": np.log(face)[None]}
    fused = np.exp(fuse(log_p, prior=prior, priors={"eeg": (0.5, 0.5)}))[0]
    np.testing.assert_allclose(fused, posterior / posterior.sum())
    alone = np.exp(fuse({"eeg": log_p["eeg"]}, prior=prior, priors={"eeg": (0.5, 0.5)}))[0]
    np.testing.assert_allclose(alone, prior * eeg / (prior * eeg).sum())


def _two(rng: np.random.Generator, n: int, *, eeg: float, face: float) -> tuple[NDArray[np.int64], dict[str, Floats]]:
    """Return labels and the predictions of two recognisers; strength 0 is noise that is as sure of itself as strength 1.6."""
    y = rng.integers(0, 4, n)
    scores = {}
    for name, strength in (("eeg", eeg), ("face", face)):
        logits = rng.normal(size=(n, 4))
        logits[np.arange(n), y] += strength
        scores[name] = normalise(1.6 * logits)
    return y, scores


@pytest.mark.parametrize("noisy", ["eeg", "face"])
def test_with_one_modality_replaced_by_noise_the_fusion_is_no_worse_than_the_other_alone(noisy: str) -> None:
    rng = np.random.default_rng(9)
    strength = {"eeg": 1.6, "face": 1.6, noisy: 0.0}
    y_fit, held_out = _two(rng, 1000, **strength)
    y, log_p = _two(rng, 6000, **strength)
    fused = fit_fusion(held_out, y_fit).apply(log_p)
    better = max((decide(values) == y).mean() for values in log_p.values())
    assert (decide(fused) == y).mean() >= better - 0.02
    uncalibrated = (decide(fuse(log_p)) == y).mean()
    assert uncalibrated < better - 0.02, "it is the fitted temperature that saves it"


@pytest.mark.parametrize("rule", RULES)
def test_a_modality_that_is_missing_for_half_of_the_windows_leaves_labels_everywhere(rule: Rule) -> None:
    rng = np.random.default_rng(10)
    y, log_p = _two(rng, 6000, eeg=1.2, face=1.6)
    log_p["face"][::2] = np.nan
    fused = fit_fusion(log_p, y, rule=rule).apply(log_p)
    labels = decide(fused)
    assert (labels != NO_LABEL).all()
    np.testing.assert_array_equal(labels[::2], decide(log_p["eeg"][::2]))
    both, alone = (labels[1::2] == y[1::2]).mean(), (labels[::2] == y[::2]).mean()
    assert both > alone + 0.05
