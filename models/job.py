"""The whole of ``emo-train``: a BIDS root in, scores, figures, kept models and fused labels out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, get_args

import numpy as np

from models import bids, dataset, derivative, figures, keep, labels, splits, train
from models.dataset import Dataset, FeaturesWanted
from models.evaluate import Features, LabelKind, MetricsRow, Modality, save_rows
from models.fusion import decide
from models.train import Outcome
from models.windows import Where

OUT = Path("derivatives") / "emolab"
LABELLED_BY = "leave-one-subject-out"  # the labels come from this split where it is asked for: it is the honest one


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked for; the names are those of the command line."""

    root: Path
    out: Path | None = None
    models: tuple[Modality, ...] = ("eeg", "face", "fusion")
    features: tuple[FeaturesWanted, ...] = ("auto",)
    splits: tuple[str, ...] = ("window-random", "leave-one-subject-out")
    windows: Where = "all"
    labels: LabelKind = "target"
    seed: int = 1
    workers: int = 1

    def __post_init__(self) -> None:
        if "fusion" in self.models:  # it is never told without what it is made of
            object.__setattr__(self, "models", get_args(Modality))


@dataclass(frozen=True, kw_only=True, eq=False)
class Done:
    """What came of it: where it lies, the scores, the data behind them, and every file but the cache."""

    out: Path
    rows: tuple[MetricsRow, ...]
    data: Dataset
    files: tuple[Path, ...]


class Steps(Protocol):
    """Where progress is told."""

    def step(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Begin a step; what it gives is called with (done, total)."""
        ...

    def say(self, line: str) -> None:
        """Tell a line that matters."""
        ...


def run(options: Options, steps: Steps) -> Done:
    """Train, score and write.

    Nothing is written before the design has been checked: consent, windows, emotions, participants, splits.

    Parameters
    ----------
    options : Options
        What is asked for.
    steps : Steps
        Where progress is told.

    Returns
    -------
    Done

    Raises
    ------
    BidsError
        When the root, or the folder to write to, cannot be used for what is asked.
    """
    out = options.out or options.root / OUT
    recordings = bids.find_recordings(options.root)
    derivative.check(out)
    planned = dataset.preview(recordings, where=options.windows, kind=options.labels)
    names = [dataset.name_of(window, options.labels) for window in planned]
    codes = np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)
    for name in options.splits:
        splits.SPLITS[name](planned, codes, options.seed)
    kinds = dataset.resolve(options.features)
    if bids.read_json(options.root / "dataset_description.json").get("Simulated") is True:
        steps.say("simulated data: nothing here says anything about people")
    _announce(options.models, kinds, len(planned), steps)
    data = _load(recordings, options, kinds, out / derivative.CACHE, steps)
    with steps.step("training and testing folds") as progress:
        outcomes = train.cross_validate(
            data, splits=[splits.SPLITS[name](data.windows, data.labels, options.seed) for name in options.splits],
            kinds=kinds, modalities=options.models, seed=options.seed, workers=options.workers, progress=progress,
        )  # fmt: skip
    scored = [
        (outcome, row)
        for outcome in outcomes
        for row in train.rows_of(data, outcome, kinds=kinds, labels=options.labels, seed=options.seed)
    ]
    return _write(options, out, data, scored, kinds, steps)


def _load(
    recordings: Sequence[bids.RecordingFiles], options: Options, kinds: Mapping[Features, Features], cache: Path, steps: Steps
) -> Dataset:
    wanted = set(options.models)
    with steps.step("reading recordings and computing features") as progress:
        data = dataset.load(
            recordings,
            eeg=tuple(kinds) if {"eeg", "fusion"} & wanted else (),
            faces=tuple(dict.fromkeys(kinds.values())) if {"face", "fusion"} & wanted else (),
            where=options.windows, kind=options.labels, cache=cache, workers=options.workers, progress=progress,
        )  # fmt: skip
    for (reason, emotion), n in sorted(data.dropped.items()):
        steps.say(f"left out: {n} x {emotion}: {reason}")
    for kind, faces in data.faces.items():
        if not faces.found.any():
            raise bids.BidsError(
                f"{options.root}: no face was found in any of {len(data.windows)} windows (features {kind}); "
                "train without faces: --models eeg"
            )
    return data


def _announce(models: Collection[Modality], kinds: Mapping[Features, Features], n_windows: int, steps: Steps) -> None:
    """Say in a line each what is not as in the paper."""
    for modality, name, found in (("eeg", "inception_v3", tuple(kinds)), ("face", "mobilenet_v2", tuple(kinds.values()))):
        if "seeded" in found and {modality, "fusion"} & set(models):
            steps.say(
                f"{modality}: no ImageNet weights of {name} are used: seeded features instead, which know less "
                f"(weights come with: emo-weights fetch {name})"
            )
    from models.eeg.training import SMALL_BELOW, settings_for  # loads torch, which takes seconds: not for bad input

    if n_windows < SMALL_BELOW:
        small = settings_for(n_windows)
        steps.say(f"eeg: {n_windows} windows are few: preset '{small.name}', learning rate {small.lr:g} instead of the paper's")


def _write(
    options: Options,
    out: Path,
    data: Dataset,
    scored: Sequence[tuple[Outcome, MetricsRow]],
    kinds: Mapping[Features, Features],
    steps: Steps,
) -> Done:
    """Write labels first, since they make the folder a derivative of ours; then scores, figures and models."""
    rows = [row for _, row in scored]
    tables = _write_labels(options, out, data, [outcome for outcome, _ in scored], kinds)
    save_rows(out / "metrics.json", rows)
    pictures = [_draw(out / "figures", data, outcome, row) for outcome, row in scored]
    with steps.step("training the models that are kept") as progress:
        kept = keep.keep(
            options.root, out / "models", data, kinds=kinds, modalities=options.models, labels=options.labels, rows=rows,
            seed=options.seed, progress=progress,
        )  # fmt: skip
    return Done(out=out, rows=tuple(rows), data=data, files=(out / "metrics.json", *tables, *pictures, *kept))


def _draw(folder: Path, data: Dataset, outcome: Outcome, row: MetricsRow) -> Path:
    """Draw a row's confusion matrix."""
    return figures.confusion(
        folder / f"{row.modality}_{row.features}_{row.split}.png",
        figures.count(data.labels, decide(outcome.log_p[row.modality]), len(data.emotions)),
        data.emotions,
        title=f"{row.modality} ({row.model}, {row.features}), {row.split}",
        note=f"accuracy {row.accuracy:.0%}, chance {row.chance:.0%}{', a leaky split' if row.leaky else ''}",
    )


def _write_labels(
    options: Options, out: Path, data: Dataset, outcomes: Sequence[Outcome], kinds: Mapping[Features, Features]
) -> tuple[Path, ...]:
    """Write the labels of the first kind of features, by the honest split where it was asked for.

    The kind that scores best is not looked for: that would be a choice by test data.
    """
    first = next(iter(kinds))
    mine = [outcome for outcome in outcomes if outcome.features == first]
    chosen = next((outcome for outcome in mine if outcome.split.name == LABELLED_BY), mine[0])
    alone = next(iter(chosen.log_p.values()))  # with one modality there is nothing to fuse: its word is the label
    faces = data.faces.get(kinds[first])
    return derivative.write(
        out,
        root=options.root,
        recordings=data.recordings,
        predictions=labels.Predictions(
            windows=data.windows,
            emotions=data.emotions,
            log_p={"fusion": alone, **chosen.log_p},
            quality={"eeg": data.eeg_quality} | ({} if faces is None else {"face": faces.coverage}),
            fold=chosen.fold.tolist(),
        ),
        provenance=derivative.Provenance(
            split=chosen.split.name,
            leaky=chosen.split.leaky,
            labels=options.labels,
            models={name: train.model_of(name, train.features_of(name, first, kinds)) for name in options.models},
            features={name: train.features_of(name, first, kinds) for name in options.models},
            rule="pool" if "fusion" in chosen.log_p else "none",
            seed=options.seed,
            data_sha256=data.sha256,
        ),
        faces=None if faces is None or chosen.frame_p is None else derivative.Faces(data=faces, frame_p=chosen.frame_p),
    )
