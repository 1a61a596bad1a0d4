"""Splits to predictions: every fold predicted by models that did not see it, finished folds kept while others are at work."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import cache, fold, scale
from models.dataset import Dataset
from models.eeg import table, variants
from models.eeg.engines import Engine
from models.eeg.inputs import BY_INCEPTION, PICTURED, Source
from models.evaluate import Control, Features, Modality, RowFeatures
from models.fold import Floats, LogP
from models.fusion import Rule
from models.splits import Fold, Split

Progress = Callable[[int, int], None]
Ints = NDArray[np.int64]

LIBRARIES = ("numpy", "torch", "scikit-learn", "skorch")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is trained together in a fold.

    Parameters
    ----------
    model : str
        Of the EEG; see :data:`models.eeg.table.MODELS`.
    kind : str
        Features of the EEG's pictures, or what the model says of windows.
    face : str
        Features of the face.
    modalities : tuple of {"eeg", "face", "fusion"}
        What is predicted; fusion trains both.
    control : str
        What is taken away from the EEG.
    rule : {"pool", "mean", "product", "max"}
        Of the fusion.
    engine : {"torch", "openvino-fp32", "openvino-bf16"}
        What computes InceptionV3, where its features are used.
    variant : str
        Which spectrograms, where pictures are made; see :mod:`models.eeg.variants`.
    """

    model: str
    kind: RowFeatures
    face: Features
    modalities: tuple[Modality, ...]
    control: Control = "none"
    rule: Rule = "pool"
    engine: Engine = "torch"
    variant: str = variants.DEFAULT

    @property
    def source(self) -> Source:
        """What the EEG's model is given."""
        if self.kind not in PICTURED:
            return Source(self.model, self.control)
        return Source(self.kind, self.control, self.engine if self.kind in BY_INCEPTION else "torch", self.variant)


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Predictions of one split by one recipe, out of fold.

    ``rows`` says which window each prediction is of: each at most once, but for ``train-one-test-others``. ``log_p`` holds an
    array of shape (n_predictions, n_classes) for each modality, NaN where the modality is missing; ``frame_p`` are the face's
    probabilities of single frames, shape (n_predictions, n_frames, n_classes), None without faces; ``fold`` names the fold that
    each prediction is of, ``by`` what made those of each fold: digests of its models and the numbers of its fusion.
    """

    recipe: Recipe
    split: Split
    rows: Ints
    log_p: LogP
    frame_p: Floats | None
    fold: NDArray[np.str_]
    by: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def features(self) -> RowFeatures:
        """Kind of the EEG's features."""
        return self.recipe.kind

    def only(self, rows: Ints) -> Outcome:
        """Return the predictions of some windows of the data set."""
        mine = np.isin(self.rows, rows)
        return replace(
            self, rows=self.rows[mine], log_p={name: values[mine] for name, values in self.log_p.items()},
            frame_p=None if self.frame_p is None else self.frame_p[mine], fold=self.fold[mine],
        )  # fmt: skip

    def by_window(self, n_windows: int) -> Outcome:
        """Return the same with one row for each window of the data set: NaN, and no fold, for those that are not predicted.

        Raises
        ------
        ValueError
            When a window is predicted more than once.
        """
        if len(np.unique(self.rows)) < len(self.rows):
            raise ValueError(f"split {self.split.name} predicts windows more than once")
        names = np.full(n_windows, "", dtype=self.fold.dtype)
        names[self.rows] = self.fold
        return replace(
            self,
            rows=np.arange(n_windows),
            log_p={name: _spread(values, self.rows, n_windows) for name, values in self.log_p.items()},
            frame_p=None if self.frame_p is None else _spread(self.frame_p, self.rows, n_windows),
            fold=names,
        )


def _spread(values: Floats, rows: Ints, n: int) -> Floats:
    out = np.full((n, *values.shape[1:]), np.nan)
    out[rows] = values
    return out


def recipes(
    models: Sequence[str],
    modalities: Sequence[Modality],
    kinds: Mapping[Features, Features],
    *,
    controls: Sequence[Control] = (),
    rule: Rule = "pool",
    engine: Engine = "torch",
    variant: str = variants.DEFAULT,
) -> list[Recipe]:
    """Return what is to be trained.

    Parameters
    ----------
    models : sequence of str
        Of the EEG, besides or instead of the paper's own.
    modalities : sequence of {"eeg", "face", "fusion"}
        Of the paper's own recognisers; ``eeg`` is its model of the EEG.
    kinds : mapping of EEG features to face features
        From :func:`models.dataset.resolve`.
    controls : sequence of str
        Trained in addition, for every model of the EEG.
    rule : str
        Of the fusion.
    engine, variant : str
        How features of the EEG's pictures are made, as in :class:`Recipe`.

    Returns
    -------
    list of Recipe
        The paper's own first.
    """
    own = tuple(modalities)
    made = [
        Recipe(model=table.PAPERS_OWN, kind=kind, face=face, modalities=own, rule=rule) for kind, face in kinds.items() if own
    ]
    for name in models:
        found = table.named(name)
        for kind, face in kinds.items() if found.takes == "features" else ():
            made.append(Recipe(model=name, kind=kind, face=face, modalities=("eeg",)))
        if found.takes == "windows":
            made.append(Recipe(model=name, kind=found.features or "raw", face="pool96", modalities=("eeg",)))
    eeg = [recipe for recipe in made if "eeg" in recipe.modalities]
    made += [replace(recipe, modalities=("eeg",), control=control) for control in controls for recipe in eeg]
    return [replace(recipe, engine=engine, variant=variant) for recipe in made]


def without_faces(recipes: Sequence[Recipe]) -> list[Recipe]:
    """Return the recipes without what needs a face; those that are of nothing else are left out."""
    heard = [replace(recipe, modalities=("eeg",)) for recipe in recipes if "eeg" in recipe.modalities]
    return list(dict.fromkeys(heard))


def cross_validate(
    data: Dataset,
    *,
    splits: Sequence[Split],
    recipes: Sequence[Recipe],
    seed: int,
    workers: int = 1,
    scheduler: str | None = None,
    finished: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> list[Outcome]:
    """Train and test every fold of every split by every recipe.

    Parameters
    ----------
    data : Dataset
        With what the recipes need.
    splits : sequence of Split
        Over the windows of `data`.
    recipes : sequence of Recipe
        From :func:`recipes`.
    seed : int
        The same seed gives the same predictions, wherever they are made.
    workers, scheduler
        As in :class:`models.scale.Where`; one fold each at a time.
    finished : Path or None
        Folder of folds that are done: they are written there as they come, and those of a run that was killed are not trained
        again. Nothing is read that other data, other code or another seed has made.
    progress : callable
        Told how many folds of how many are done.

    Returns
    -------
    list of Outcome
        For each recipe, each split.
    """
    given = [_inputs(data, recipe) for recipe in recipes]
    jobs = [
        (number, split, part, seed + index)
        for number, _ in enumerate(recipes)
        for split in splits
        for index, part in enumerate(split.folds)
    ]
    keys = _keys(data, given, recipes, jobs) if finished is not None else [""] * len(jobs)
    results: dict[int, fold.Predicted] = {}
    if finished is not None:
        results = {n: _predicted(arrays) for n, key in enumerate(keys) if (arrays := cache.read(finished, key)) is not None}
    progress(len(results), len(jobs))
    waiting = [n for n in range(len(jobs)) if n not in results]
    tasks = [(jobs[n][0], jobs[n][2], jobs[n][3]) for n in waiting]
    for index, predicted in scale.each(_predict_fold, tasks, shared=given, where=scale.Where(workers, scheduler)):
        results[waiting[index]] = predicted
        if finished is not None:
            cache.write(finished, keys[waiting[index]], _arrays(predicted))
        progress(len(results), len(jobs))
    return [
        _outcome(recipe, split, [results[n] for n, job in enumerate(jobs) if job[0] == number and job[1] is split])
        for number, recipe in enumerate(recipes)
        for split in splits
    ]


def _inputs(data: Dataset, recipe: Recipe) -> fold.Inputs:
    return fold.inputs(
        data, eeg_kind=recipe.source.key, face_kind=recipe.face, modalities=recipe.modalities, eeg_model=recipe.model,
        rule=recipe.rule,
    )  # fmt: skip


def _predict_fold(given: fold.Inputs, part: Fold, seed: int) -> fold.Predicted:
    trained = fold.train(given, part, seed=seed)
    return replace(fold.predict(trained, given, part.test), by=fold.made_by(trained, given))


def _outcome(recipe: Recipe, split: Split, predicted: Sequence[fold.Predicted]) -> Outcome:
    frame_p = [part.frame_p for part in predicted if part.frame_p is not None]
    return Outcome(
        recipe=recipe,
        split=split,
        rows=np.concatenate([part.test for part in split.folds]),
        log_p={name: np.concatenate([part.log_p[name] for part in predicted]) for name in _told(recipe, predicted)},
        frame_p=np.concatenate(frame_p) if frame_p else None,
        fold=np.concatenate([np.full(len(part.test), part.name) for part in split.folds]),
        by={part.name: one.by for part, one in zip(split.folds, predicted, strict=True)},
    )


def _told(recipe: Recipe, predicted: Sequence[fold.Predicted]) -> Sequence[str]:
    """Return the names of what is predicted; with a fusion also what lies between it and the modalities."""
    return list(predicted[0].log_p) if "fusion" in recipe.modalities else recipe.modalities


def _keys(
    data: Dataset, given: Sequence[fold.Inputs], recipes: Sequence[Recipe], jobs: Sequence[tuple[int, Split, Fold, int]]
) -> list[str]:
    """Return what each fold's predictions depend on, as one key each."""
    about = [
        cache.key_of(
            _code(),
            [version(name) for name in LIBRARIES],
            recipe,
            data.sha256,
            mine.labels,
            mine.eeg,
            mine.eeg_quality,
            mine.face,
            mine.grid,
            _start(mine),
        )
        for recipe, mine in zip(recipes, given, strict=True)
    ]
    return [cache.key_of(about[n], part.train, part.validation, part.test, seed) for n, _, part, seed in jobs]


def _start(mine: fold.Inputs) -> str:
    start = mine.face_start or {}
    return cache.key_of(mine.face_adapt, *(part for name in sorted(start) for part in (name, start[name])))


@functools.cache
def _code() -> str:
    """Return a digest of this room's source: what another version of it has trained is not ours."""
    return cache.key_of(*sorted(Path(__file__).parent.rglob("*.py")))


def _arrays(predicted: fold.Predicted) -> cache.Arrays:
    frames = {} if predicted.frame_p is None else {"frame_p": predicted.frame_p}
    log_p = {f"log_p_{name}": values for name, values in predicted.log_p.items()}
    return {**log_p, **frames, "by": np.array(json.dumps(predicted.by))}


def _predicted(arrays: cache.Arrays) -> fold.Predicted:
    log_p = {name.removeprefix("log_p_"): values for name, values in arrays.items() if name.startswith("log_p_")}
    return fold.Predicted(log_p=log_p, frame_p=arrays.get("frame_p"), by=json.loads(str(arrays["by"])))


def model_of(modality: Modality, features: RowFeatures, model: str = table.PAPERS_OWN, *, rule: Rule = "pool") -> str:
    """Return the name of what is trained."""
    if modality == "face":
        return "logistic" if features == "pool96" else "patch_attention"
    return model if modality == "eeg" else rule


def features_of(modality: Modality, kind: RowFeatures, face: Features) -> RowFeatures:
    """Return what a row says of its features; a fusion of pretrained and seeded ones counts as seeded."""
    if modality == "eeg" or face == kind:
        return kind
    return face if modality == "face" else "seeded"
