"""The models that are kept: trained once more on everybody, written with their cards."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from models import bids, card, fold, predict
from models.dataset import Dataset, extractor_name
from models.evaluate import Features, LabelKind, MetricsRow, Modality
from models.splits import everybody
from models.train import features_of, model_of

LIBRARIES = ("emolab", "torch", "torchvision", "scikit-learn", "mne", "numpy")


def keep(
    root: Path,
    folder: Path,
    data: Dataset,
    *,
    kinds: Mapping[Features, Features],
    modalities: Sequence[Modality],
    labels: LabelKind,
    rows: Sequence[MetricsRow],
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Path]:
    """Train on everybody and write weights and cards.

    Parameters
    ----------
    root : Path
        The BIDS root, whose licence binds what was learnt from it.
    folder : Path
        Where the files go: ``eeg_pool96.safetensors`` with ``eeg_pool96.json`` beside it, and so on.
    data : Dataset
        What to learn from.
    kinds, modalities, labels, seed
        As in :func:`models.train.cross_validate`.
    rows : sequence of MetricsRow
        Scores of models trained the same way on parts of the data, for the cards.
    progress : callable
        Told how many kinds of features of how many are done.

    Returns
    -------
    list of Path
        The weights' files.
    """
    part = everybody(data.windows, data.labels, seed)
    described = bids.read_json(root / "dataset_description.json")
    written = []
    for kind, face_kind in kinds.items():
        given = fold.inputs(data, eeg_kind=kind, face_kind=face_kind, modalities=modalities)
        trained = fold.train(given, part, seed=seed)
        for modality in modalities:
            features = features_of(modality, kind, kinds)
            made = card.Card(
                modality=modality, model=model_of(modality, features), features=features,
                extractor="" if modality == "fusion" else extractor_name(modality, features), emotions=data.emotions,
                n_features=_n_features(given, modality), labels=labels, seed=seed, data_sha256=data.sha256,
                participants=tuple(sorted(set(given.participants.tolist()))), n_windows=len(data.windows),
                scores=tuple(asdict(row) for row in rows if (row.modality, row.features) == (modality, features)),
                settings=asdict(trained.fusion) if modality == "fusion" and trained.fusion else {},
                versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
                licence=str(described.get("License") or "as the dataset"), simulated=described.get("Simulated") is True,
            )  # fmt: skip
            written.append(card.save(folder, f"{modality}_{features}", _tensors(trained, modality), made))
        progress(len(written) // len(modalities), len(kinds))
    return written


def _n_features(given: fold.Inputs, modality: Modality) -> int:
    """Return the number of features per channel or frame."""
    if modality == "eeg" and given.eeg is not None:
        return int(given.eeg.shape[2])
    return int(np.prod(given.face.shape[2:])) if modality == "face" and given.face is not None else 0


def _tensors(trained: fold.Trained, modality: Modality) -> dict[str, Any]:
    if modality == "eeg" and trained.eeg is not None:
        return predict.eeg_tensors(trained.eeg)
    if modality == "face" and trained.face is not None:
        return predict.face_tensors(trained.face)
    return {}  # a fusion is a few numbers, which stand in its card
