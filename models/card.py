"""A kept model: weights as safetensors, and a JSON card that says what they are. Nothing else is ever loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluate import LabelKind, Modality, RowFeatures

Tensors = Mapping[str, NDArray[Any]]
SCHEMA = 1
PARTS = "parts"  # in the settings of a fusion's card: the SHA-256 of the weights of the recognisers that it fuses
INTENDED_USE = (
    "Research on emotion recognition with participants who agreed to it. Not for decisions about people, not for diagnosis: "
    "a label is what a model learnt from film clips in a laboratory, not what somebody feels."
)


class CardError(ValueError):
    """A file is no model of ours; the text is one line."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the weights beside it are.

    Parameters
    ----------
    modality, model, features : str
        As in a row of ``metrics.json``.
    extractor : str
        Which weights made the features (a SHA-256, or a seed).
    emotions : tuple of str
        Classes, in the order of the outputs.
    n_features : int
        Per channel or frame, 0 where it does not apply.
    shape : tuple of int
        Of one window, as the recogniser of the EEG takes it; empty for the others.
    labels : {"target", "rating", "agreeing"}
        What was learnt.
    seed, data_sha256, participants, n_windows : int, str, tuple, int
        What it was learnt from.
    scores : tuple of mapping
        The rows of ``metrics.json`` about models trained the same way on parts of the data.
    settings : mapping
        Numbers that are no tensors.
    versions : mapping
        Of the libraries.
    licence : str
        Of the data, which binds the weights.
    simulated : bool
        Whether the data are.
    withdrawn : int
        How many of those it has learnt from have withdrawn since: with any, it is not used until it is trained again.
    """

    modality: Modality
    model: str
    features: RowFeatures
    extractor: str
    emotions: tuple[str, ...]
    n_features: int
    labels: LabelKind
    seed: int
    data_sha256: str
    participants: tuple[str, ...]
    n_windows: int
    scores: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    licence: str
    simulated: bool
    shape: tuple[int, ...] = ()
    withdrawn: int = 0
    intended_use: str = INTENDED_USE
    schema: int = SCHEMA


def tensors_digest(tensors: Tensors) -> str:
    """Return the SHA-256 over names, types, shapes and values of tensors, in the order of their names."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        value = np.ascontiguousarray(tensors[name])
        total.update(f"{name} {value.dtype.str} {value.shape}\n".encode() + value.tobytes())
    return total.hexdigest()


def save(folder: Path, name: str, tensors: Tensors, card: Card) -> Path:
    """Write ``name.safetensors`` and ``name.json``, each whole or not at all; return the path of the weights."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    partial = path.with_suffix(".partial")
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, partial)
    partial.replace(path)
    partial.write_text(json.dumps(asdict(card), indent=2) + "\n", encoding="utf-8", newline="\n")
    partial.replace(path.with_suffix(".json"))
    return path


def load(path: Path) -> tuple[dict[str, NDArray[Any]], Card]:
    """Read what :func:`save` wrote.

    Raises
    ------
    CardError
        For any other file: weights without a card, pickles, cards of another schema.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        raw = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        tensors = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise CardError(f"{path}: is no model with its card ({' '.join(str(error).split())[:120]})") from None
    names = {field.name for field in fields(Card)}
    if not isinstance(raw, dict) or set(raw) | {"withdrawn"} != names or raw["schema"] != SCHEMA:
        raise CardError(f"{path.with_suffix('.json')}: is no model card of schema {SCHEMA}")
    lists = {name: tuple(raw[name]) for name in ("emotions", "participants", "scores", "shape")}
    return tensors, Card(**{**raw, **lists})
