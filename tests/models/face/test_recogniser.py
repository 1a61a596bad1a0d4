"""Recognisers learn faces of people they have not seen, skip what is missing, and repeat exactly."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from models.face.crops import FaceFeatures
from models.face.detect import make
from models.face.follow import largest
from models.face.patch_attention import load_backbone
from models.face.pixels import centred, crop, pool96
from models.face.recogniser import FaceError, pool_frames
from models.face.recogniser import make as make_recogniser
from models.face.training import Network, Training, validation_mask
from tests.models.face.videos import EMOTIONS, face, moved

N_PEOPLE, N_CLIPS, N_FRAMES = 5, 2, 2
Data = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]


@cache
def _people() -> Data:
    """Return crops (windows, frames, 112, 112, 3), emotions and participants of a small drawn cohort."""
    rng, finder = np.random.default_rng(1), make("haar")
    crops, y, groups = [], [], []
    for person in range(N_PEOPLE):
        for emotion, name in enumerate(EMOTIONS):
            for _ in range(N_CLIPS):
                shown = face(name, seed=person, intensity=rng.uniform(0.7, 1.1))
                frames = [moved(shown, rng) for _ in range(N_FRAMES)]
                found = [seen.boxes for seen in finder.faces(frames)]
                crops.append([crop(frame, boxes[largest(boxes)]) for frame, boxes in zip(frames, found, strict=True)])
                y.append(emotion)
                groups.append(person)
    return np.array(crops), np.array(y), np.array(groups)


@cache
def _features(kind: FaceFeatures) -> NDArray[np.float32]:
    crops, y, groups = _people()
    flat = crops.reshape(-1, 112, 112, 3)
    values = pool96(flat) if kind == "pool96" else load_backbone().maps(flat)
    x = values.reshape(len(y), N_FRAMES, *values.shape[1:])
    return np.concatenate([centred(x[groups == person]) for person in range(N_PEOPLE)])


@pytest.mark.parametrize("kind", ["pool96", "seeded"])
def test_faces_of_unseen_people_are_recognised_well_above_chance(kind: FaceFeatures) -> None:
    x, (_, y, groups) = _features(kind), _people()
    right = 0
    for fold in ((0, 1), (2, 3, 4)):
        test = np.isin(groups, fold)
        learnt = make_recogniser(kind, 4, seed=1).fit(x[~test], y[~test], groups[~test])
        right += int((learnt.predict_proba(x[test]).argmax(axis=1) == y[test]).sum())
    assert right / len(y) >= 0.6, "chance is 0.25"


def test_shuffled_labels_teach_nothing() -> None:
    x, (_, y, groups) = _features("pool96"), _people()
    shuffled = np.concatenate([np.random.default_rng(person).permutation(y[groups == person]) for person in range(N_PEOPLE)])
    test = np.isin(groups, (0, 1))
    learnt = make_recogniser("pool96", 4, seed=1).fit(x[~test], shuffled[~test], groups[~test])
    assert (learnt.predict_proba(x[test]).argmax(axis=1) == shuffled[test]).mean() < 0.6


@pytest.mark.parametrize("kind", ["pool96", "seeded"])
def test_windows_without_a_face_are_not_predicted_and_do_not_disturb_the_others(kind: FaceFeatures) -> None:
    x, (_, y, groups) = _features(kind), _people()
    holes = x.copy()
    holes[3], holes[5, 0] = np.nan, np.nan
    learnt = make_recogniser(kind, 4, seed=1, training=Training(epochs=2)).fit(holes, y, groups)
    p = learnt.predict_proba(holes)
    assert np.isnan(p[3]).all() and np.isfinite(np.delete(p, 3, axis=0)).all()
    np.testing.assert_allclose(np.delete(p, 3, axis=0).sum(axis=1), 1)
    frames = learnt.frame_proba(holes)
    assert frames.shape == (len(y), N_FRAMES, 4)
    assert np.isnan(frames[5, 0]).all()
    np.testing.assert_allclose(p[5], frames[5, 1], rtol=1e-5)
    np.testing.assert_allclose(learnt.predict_proba(holes[10:11]), p[10:11], rtol=1e-4)


@pytest.mark.parametrize("kind", ["pool96", "seeded"])
def test_the_same_seed_gives_the_same_numbers(kind: FaceFeatures) -> None:
    x, (_, y, groups) = _features(kind), _people()
    first, again = (
        make_recogniser(kind, 4, seed=3, training=Training(epochs=2)).fit(x, y, groups).predict_proba(x) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_a_class_that_nobody_showed_is_nearly_impossible_but_a_number() -> None:
    x, (_, y, groups) = _features("pool96"), _people()
    seen = y != 2
    p = make_recogniser("pool96", 4, seed=1).fit(x[seen], y[seen], groups[seen]).predict_proba(x)
    assert p.shape == (len(y), 4) and (p[:, 2] < 1e-20).all() and np.isfinite(p).all()


def test_learning_from_no_faces_is_refused_with_the_reason() -> None:
    with pytest.raises(FaceError, match="found in 0 of 3 training windows"):
        make_recogniser("pool96", 4, seed=1).fit(np.full((3, 2, 96), np.nan, np.float32), [0, 1, 2], [1, 2, 3])


def test_channels_are_standardised_on_the_training_people_alone() -> None:
    network = Network(4, seed=1, standardise=True, training=Training(epochs=1))
    x, (_, y, groups) = _features("seeded")[:, 0], _people()
    assert np.abs(x).max() < 1e-4, "raw maps of a random backbone are tiny"
    held_out = validation_mask(groups, share=0.2, seed=1)
    network.fit(x, y, groups)
    inputs = network._inputs(x[~held_out]).numpy()
    np.testing.assert_allclose(inputs.mean(axis=(0, 2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(inputs.std(axis=(0, 2, 3)), 1, atol=1e-3)
    louder = x.copy()
    louder[held_out] *= 1000
    again = Network(4, seed=1, standardise=True, training=Training(epochs=1))
    again.fit(louder, y, groups)
    np.testing.assert_array_equal(network.mean, again.mean)


def test_the_best_epoch_is_kept_not_the_last() -> None:
    x, (_, y, groups) = _features("seeded")[:, 0], _people()
    scores: list[tuple[float, float]] = []

    class Watched(Network):
        def _score(self, inputs, labels):  # type: ignore[no-untyped-def]
            scores.append(super()._score(inputs, labels))
            return scores[-1]

    network = Watched(4, seed=1, standardise=True, training=Training(epochs=8, lr=3e-3))
    network.fit(x, y, groups)
    held_out = validation_mask(groups, share=0.2, seed=1)
    accuracy = (network.log_p(x[held_out]).argmax(axis=1) == y[held_out]).mean()
    assert accuracy == max(scores)[0] and len({score for score, _ in scores}) > 1


def test_given_validation_windows_decide_when_to_stop_and_no_weight_is_learnt_from_them() -> None:
    x, (_, y, groups) = _features("seeded"), _people()
    rest, stop_by = groups < 4, groups == 4

    def trained(labels: NDArray[np.int64], epochs: int) -> NDArray[np.float64]:
        learnt = make_recogniser("seeded", 4, seed=1, training=Training(epochs=epochs))
        learnt.fit(x[rest], y[rest], groups[rest], validation=(x[stop_by], labels[stop_by]))
        return learnt.predict_proba(x)

    np.testing.assert_array_equal(trained(y, 1), trained((y + 1) % 4, 1))
    assert not np.array_equal(trained(y, 8), trained((y + 1) % 4, 8))
    nobody = np.full_like(x[:2], np.nan)
    kept = make_recogniser("seeded", 4, seed=1, training=Training(epochs=1)).fit(x, y, groups, validation=(nobody, y[:2]))
    assert np.isfinite(kept.predict_proba(x)).all(), "validation without a face: people are held out instead"


def test_the_frames_of_a_window_are_averaged_in_log_probability() -> None:
    pooled = pool_frames([[[0.8, 0.2], [0.2, 0.8], [0.5, 0.5]], [[0.9, 0.1], [np.nan, np.nan], [0.9, 0.1]]])
    np.testing.assert_allclose(pooled, [[0.5, 0.5], [0.9, 0.1]])
    assert np.isnan(pool_frames(np.full((1, 2, 3), np.nan))).all()
    np.testing.assert_allclose(pool_frames([[[1.0, 0.0], [0.0, 1.0]]]), [[0.5, 0.5]])


def test_validation_holds_out_whole_people_where_there_are_three_or_more() -> None:
    groups = np.repeat(["01", "02", "03", "04", "05"], 4)
    mask = validation_mask(groups, share=0.2, seed=1)
    assert mask.sum() == 4 and len(set(groups[mask])) == 1
    few = validation_mask(np.repeat(["01", "02"], 10), share=0.2, seed=1)
    assert few.sum() == 4
