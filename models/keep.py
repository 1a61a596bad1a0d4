"""The models that are kept: trained once more on everybody, written with their cards."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from models import bids, card, fold
from models.dataset import Dataset, extractor_name
from models.eeg import table
from models.evaluate import LabelKind, Modality
from models.face import kept as kept_face
from models.scores import Scored, stem
from models.splits import everybody
from models.train import Recipe, features_of, model_of
from models.weights import digest

log = logging.getLogger(__name__)

LIBRARIES = ("emolab", "torch", "torchvision", "scikit-learn", "skorch", "scipy", "mne", "numpy")


def keep(
    root: Path,
    folder: Path,
    data: Dataset,
    *,
    recipes: Sequence[Recipe],
    labels: LabelKind,
    scores: Sequence[Scored],
    seed: int,
    rules: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Path]:
    """Train on everybody and write weights and cards; those of an earlier run are removed.

    Parameters
    ----------
    root : Path
        The BIDS root, whose licence binds what was learnt from it.
    folder : Path
        Where the files go: ``eeg_pool96.safetensors`` with ``eeg_pool96.json`` beside it, and so on.
    data : Dataset
        What to learn from.
    recipes, labels, seed
        As in :func:`models.train.cross_validate`; controls, and baselines that are their training data, are not kept.
    scores : sequence of Scored
        Of models trained the same way on parts of the data, for the cards.
    rules : mapping, optional
        Which windows were left out, for the cards.
    progress : callable
        Told how many recipes of how many are done.

    Returns
    -------
    list of Path
        The weights' files.
    """
    remove_old(folder)
    part = everybody(data.windows, data.labels, seed)
    kept = [recipe for recipe in recipes if recipe.control == "none" and table.named(recipe.model).kept]
    written: dict[str, Path] = {}
    for done, recipe in enumerate(kept, start=1):
        given = fold.inputs(
            data, eeg_kind=recipe.source.key, face_kind=recipe.face, modalities=recipe.modalities, eeg_model=recipe.model,
            rule=recipe.rule,
        )  # fmt: skip
        trained = fold.train(given, part, seed=seed)
        for modality in _learnt(recipe, trained):
            mine = [one for one in scores if one.outcome.recipe == recipe and one.row.modality == modality]
            name = stem(recipe, modality)
            if name not in written:  # one face beside two kinds of EEG is one face
                made = _card(root, data, recipe, modality, given, trained, mine, labels=labels, seed=seed)
                also: Mapping[str, Any] = {"rules": rules} if rules and modality == "eeg" else {}
                if modality == "fusion":  # whose probabilities its numbers were fitted to
                    parts: tuple[Modality, ...] = ("eeg", "face")
                    also = {card.PARTS: {part: digest(written[stem(recipe, part)]) for part in parts}}
                made = replace(made, settings={**made.settings, **also})
                written[name] = card.save(folder, name, _tensors(trained, modality), made)
        progress(done, len(kept))
    return list(written.values())


def _learnt(recipe: Recipe, trained: fold.Trained) -> list[Modality]:
    """Return what is worth keeping: without faces to learn from there is no face, and its fusion would be the EEG's."""
    if trained.face is not None:
        return list(recipe.modalities)
    kept: list[Modality] = [modality for modality in recipe.modalities if modality == "eeg"]
    if lost := [stem(recipe, modality) for modality in recipe.modalities if modality not in kept]:
        log.warning("%s: not kept, no faces of two emotions to learn from", ", ".join(lost))
    return kept


def remove_old(folder: Path) -> None:
    """Remove the models of an earlier run: weights that have a card of ours beside them, and nothing else."""
    for weights in sorted(folder.glob("*.safetensors")):
        described = weights.with_suffix(".json")
        try:
            ours = described.is_file() and "intended_use" in json.loads(described.read_text(encoding="utf-8"))
        except ValueError:
            ours = False
        if ours:
            described.unlink()
            weights.unlink()


def _card(
    root: Path,
    data: Dataset,
    recipe: Recipe,
    modality: Modality,
    given: fold.Inputs,
    trained: fold.Trained,
    scores: Sequence[Scored],
    *,
    labels: LabelKind,
    seed: int,
) -> card.Card:
    described = bids.read_json(root / "dataset_description.json")
    features = features_of(modality, recipe.kind, recipe.face)
    return card.Card(
        modality=modality, model=model_of(modality, features, recipe.model, rule=recipe.rule), features=features,
        extractor="" if modality == "fusion" else extractor_name(modality, features, data.face.network), emotions=data.emotions,
        n_features=_n_features(given, modality), labels=labels, seed=seed, data_sha256=data.sha256,
        participants=tuple(sorted(set(given.participants.tolist()))), n_windows=len(data.windows),
        scores=tuple(asdict(one.row) for one in scores),
        settings={**_settings(recipe, modality, trained, len(given.labels)), **_also(data, recipe, modality)},
        versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        licence=str(described.get("License") or "as the dataset"), simulated=described.get("Simulated") is True,
        shape=given.eeg.shape[1:] if modality == "eeg" and given.eeg is not None else (),
    )  # fmt: skip


def _also(data: Dataset, recipe: Recipe, modality: Modality) -> dict[str, Any]:
    """Return what who labels new recordings must know: how features were made, and which recordings are not new."""
    if modality == "fusion":
        return {}
    folder = data.face.pretrain and data.face.pretrain.name  # its whole path is nobody's business
    found: dict[str, Any] = {"face": {**asdict(data.face), "pretrain": folder}}
    if modality == "eeg":
        found = {"engine": recipe.source.engine, "spectrogram": recipe.source.variant, "grid": asdict(data.grid)}
    return {**found, "recordings": _recordings(data)}


def _recordings(data: Dataset) -> dict[str, str]:
    """Return the participants of the recordings that were learnt from, by the digest of their samples."""
    used = {(window.participant, window.session, window.run) for window in data.windows}
    known = zip(data.eeg_sha256, data.recordings, strict=False)  # planted data have no samples
    return {digest: f.participant for digest, f in known if (f.participant, f.session, f.run) in used}


def _settings(recipe: Recipe, modality: Modality, trained: fold.Trained, n_windows: int) -> dict[str, Any]:
    if modality == "fusion":
        return asdict(trained.fusion) if trained.fusion else {}
    if modality == "eeg" and trained.eeg is not None:
        made = table.named(recipe.model)
        learnt = {} if made.learning is None else asdict(made.learning(n_windows))
        return {**made.settings, **learnt, "prior": list(trained.eeg.prior)}
    return {}


def _n_features(given: fold.Inputs, modality: Modality) -> int:
    """Return the number of features per channel or frame."""
    if modality == "eeg" and given.eeg is not None:
        return int(given.eeg.shape[-1])
    return int(np.prod(given.face.shape[2:])) if modality == "face" and given.face is not None else 0


def _tensors(trained: fold.Trained, modality: Modality) -> dict[str, Any]:
    if modality == "eeg" and trained.eeg is not None:
        return trained.eeg.tensors()
    if modality == "face" and trained.face is not None:
        return kept_face.tensors(trained.face)
    return {}  # a fusion is a few numbers, which stand in its card
