"""Splits to scores: every fold predicted by models that did not see it, and each score beside chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from models import fold
from models.dataset import Dataset
from models.evaluate import Features, LabelKind, MetricsRow, Modality, bootstrap_interval, by_clip, permutation_p, score
from models.fold import Floats, LogP
from models.splits import Fold, Split

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Predictions of one split with one kind of features, out of fold.

    ``log_p`` holds an array of shape (n_windows, n_classes) for each modality, NaN where the split does not test a window or
    the modality is missing; ``frame_p`` are the face's probabilities of single frames, shape (n_windows, n_frames, n_classes),
    None without faces; ``fold`` names the fold that tested each window, empty where none did.
    """

    features: Features
    split: Split
    log_p: LogP
    frame_p: Floats | None
    fold: NDArray[np.str_]


def cross_validate(
    data: Dataset,
    *,
    splits: Sequence[Split],
    kinds: Mapping[Features, Features],
    modalities: Sequence[Modality],
    seed: int,
    workers: int = 1,
    progress: Progress = lambda done, total: None,
) -> list[Outcome]:
    """Train and test every fold of every split with every kind of features.

    Parameters
    ----------
    data : Dataset
        With the features that `kinds` names.
    splits : sequence of Split
        Over the windows of `data`.
    kinds : mapping of EEG features to face features
        From :func:`models.dataset.resolve`.
    modalities : sequence of {"eeg", "face", "fusion"}
        What to predict; fusion trains both.
    seed : int
        The same seed gives the same predictions, whatever the number of workers.
    workers : int
        Processes, one fold each at a time.
    progress : callable
        Told how many folds of how many are done.

    Returns
    -------
    list of Outcome
        For each kind of features, each split.
    """
    from joblib import Parallel, delayed

    given = {
        kind: fold.inputs(data, eeg_kind=kind, face_kind=face_kind, modalities=modalities) for kind, face_kind in kinds.items()
    }
    outcomes = [_empty(given[kind], kind, split, modalities) for kind in kinds for split in splits]
    jobs = [(outcome, part, seed + index) for outcome in outcomes for index, part in enumerate(outcome.split.folds)]
    work = (delayed(_predict_fold)(given[outcome.features], part, fold_seed) for outcome, part, fold_seed in jobs)
    results = Parallel(n_jobs=workers, return_as="generator")(work)
    for done, ((outcome, part, _), predicted) in enumerate(zip(jobs, results, strict=True), start=1):
        outcome.fold[part.test] = part.name
        for modality, log_p in outcome.log_p.items():
            log_p[part.test] = predicted.log_p[modality]
        if outcome.frame_p is not None and predicted.frame_p is not None:
            outcome.frame_p[part.test] = predicted.frame_p
        progress(done, len(jobs))
    return outcomes


def _empty(given: fold.Inputs, kind: Features, split: Split, modalities: Sequence[Modality]) -> Outcome:
    n, k = len(given.labels), given.n_classes
    return Outcome(
        features=kind,
        split=split,
        log_p={name: np.full((n, k), np.nan) for name in modalities},
        frame_p=None if given.face is None else np.full((n, given.face.shape[1], k), np.nan),
        fold=np.full(n, "", dtype=f"<U{max(len(part.name) for part in split.folds)}"),
    )


def _predict_fold(given: fold.Inputs, part: Fold, seed: int) -> fold.Predicted:
    return fold.predict(fold.train(given, part, seed=seed), given, part.test)


def rows_of(
    data: Dataset, outcome: Outcome, *, kinds: Mapping[Features, Features], labels: LabelKind, seed: int
) -> list[MetricsRow]:
    """Score an outcome, one row a modality that predicted anything."""
    return [
        _row(data, outcome, modality, log_p, features=features_of(modality, outcome.features, kinds), labels=labels, seed=seed)
        for modality in get_args(Modality)
        if (log_p := outcome.log_p.get(modality)) is not None and np.isfinite(log_p).any()
    ]


def _row(
    data: Dataset, outcome: Outcome, modality: Modality, log_p: Floats, *, features: Features, labels: LabelKind, seed: int
) -> MetricsRow:
    there = np.flatnonzero((outcome.fold != "") & np.isfinite(log_p).all(axis=1))
    truth, guess = data.labels[there], log_p[there].argmax(axis=1)
    windows = [data.windows[row] for row in there]
    people = [window.participant for window in windows]
    clips = by_clip(log_p[there], truth, [window.clip for window in windows])
    low, high = bootstrap_interval(truth == guess, people, seed=seed) or (None, None)
    return MetricsRow(
        modality=modality, model=model_of(modality, features), split=outcome.split.name, leaky=outcome.split.leaky,
        labels=labels, **asdict(score(truth, guess)), ci_low=low, ci_high=high, p_permutation=permutation_p(clips, seed=seed),
        n_test=len(there), n_trials=len(clips.labels), n_participants=len(set(people)), features=features,
        shares=outcome.split.shares, seed=seed, data_sha256=data.sha256,
    )  # fmt: skip


def model_of(modality: Modality, features: Features) -> str:
    """Return the name of what is trained."""
    if modality == "face":
        return "logistic" if features == "pool96" else "patch_attention"
    return "map_cnn" if modality == "eeg" else "pool"


def features_of(modality: Modality, kind: Features, kinds: Mapping[Features, Features]) -> Features:
    """Return what a row says of its features; a fusion of pretrained and seeded ones counts as seeded."""
    if modality == "eeg" or kinds[kind] == kind:
        return kind
    return kinds[kind] if modality == "face" else "seeded"
