"""Kept models at work: windows in, log-probabilities out (pure; files are read by :mod:`models.card`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.card import Card, CardError, Tensors
from models.eeg import table
from models.eeg.recogniser import Task
from models.face.recogniser import FaceRecogniser, Linear
from models.face.training import Classes, Frames, Network
from models.fusion import Fusion, log_probabilities, normalise

Floats = NDArray[np.float64]


def eeg(tensors: Tensors, card: Card, x: NDArray[np.float32]) -> Floats:
    """Predict from EEG.

    Parameters
    ----------
    tensors, card : Tensors, Card
        A kept EEG model.
    x : ndarray, shape (n_windows, ...)
        What the card's model takes: features of the kind that the card names, shape (n_windows, 28, n_features), or what
        :func:`eeg_inputs` makes of raw windows.

    Returns
    -------
    ndarray of float64, shape (n_windows, n_classes)
        Log-probabilities, in the order of ``card.emotions``.

    Raises
    ------
    CardError
        When the card is of another modality, or tensors or features do not fit.
    """
    _expect(card, "eeg", x.shape[-1])
    if x.shape[1:] != card.shape:
        raise CardError(f"shape = {list(card.shape)} in the card, {list(x.shape[1:])} in the data")
    task = Task(shape=card.shape, n_classes=len(card.emotions), n_windows=card.n_windows, seed=card.seed)
    try:
        recogniser = table.named(card.model).build(task).restore(tensors)
    except (ValueError, KeyError) as error:
        raise CardError(f"tensors of another network than {card.model}: {str(error).splitlines()[0]}") from None
    return log_probabilities(recogniser.predict_proba(x))


def eeg_inputs(card: Card, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn raw windows into what the card's model takes.

    Parameters
    ----------
    card : Card
        Of a model that takes windows.
    windows : ndarray, shape (n_windows, 28, 600)
        Microvolts at 200 Hz, mains notched, 1 to 51 Hz.

    Raises
    ------
    CardError
        When its model takes features of pictures.
    """
    model = table.named(card.model)
    if model.takes != "windows":
        raise CardError(f"model = {card.model} in the card: takes features ({card.features}), not windows")
    return windows if model.prepare is None else model.prepare(windows)


def face_tensors(recogniser: FaceRecogniser) -> dict[str, NDArray[Any]]:
    """Return everything that a face recogniser needs to predict."""
    frames = recogniser.frames
    if isinstance(frames, Network):
        weights = {name: value.numpy() for name, value in frames.net.state_dict().items()}
        return {**weights, "mean": frames.mean.astype(np.float32), "sd": frames.sd.astype(np.float32)}
    if isinstance(frames, Linear):
        scaler, regression = frames.pipeline[0], frames.pipeline[1]
        return {
            "mean": scaler.mean_, "sd": scaler.scale_, "classes": regression.classes_,
            "coefficients": regression.coef_, "intercepts": regression.intercept_,
        }  # fmt: skip
    raise TypeError(f"no way to keep a {type(frames).__name__}")


def face(tensors: Tensors, card: Card, features: NDArray[np.float32]) -> Floats:
    """Predict from face features.

    Parameters
    ----------
    tensors, card : Tensors, Card
        A kept face model.
    features : ndarray, shape (n_windows, n_frames, ...)
        Of the kind that the card names; NaN where there is no face.

    Returns
    -------
    ndarray of float64, shape (n_windows, n_classes)
        Log-probabilities; NaN where no frame has a face.

    Raises
    ------
    CardError
        When the card is of another modality, or the features do not fit.
    """
    _expect(card, "face", int(np.prod(features.shape[2:])))
    frames = _Logistic(tensors, len(card.emotions)) if card.model == "logistic" else _Patches(tensors, len(card.emotions))
    return log_probabilities(FaceRecogniser(frames, len(card.emotions)).predict_proba(features))


@dataclass(frozen=True)
class _Logistic:
    """A logistic regression from its tensors."""

    tensors: Tensors
    n_classes: int

    def fit(self, x: Frames, y: Classes, groups: NDArray[Any], validation: tuple[Frames, Classes] | None = None) -> None:
        raise TypeError("a kept model is not trained again")

    def log_p(self, x: NDArray[np.float32]) -> Floats:
        t = self.tensors
        known = (x.astype(np.float64) - t["mean"]) / t["sd"] @ t["coefficients"].T + t["intercepts"]
        if known.shape[1] == 1:  # scikit-learn keeps one row for two classes
            known = np.hstack([np.zeros_like(known), known])
        logits = np.full((len(x), self.n_classes), -np.inf)
        logits[:, t["classes"]] = known
        return normalise(logits)


@dataclass(frozen=True)
class _Patches:
    """A patch-attention network from its tensors."""

    tensors: Tensors
    n_classes: int

    def fit(self, x: Frames, y: Classes, groups: NDArray[Any], validation: tuple[Frames, Classes] | None = None) -> None:
        raise TypeError("a kept model is not trained again")

    def log_p(self, x: NDArray[np.float32]) -> Floats:
        import torch

        from models.face.patch_attention import PatchAttention

        weights = {name: np.array(value) for name, value in self.tensors.items() if name not in ("mean", "sd")}
        network = PatchAttention(self.n_classes)
        network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        network.eval()
        standard = ((x - self.tensors["mean"]) / self.tensors["sd"]).astype(np.float32)
        with torch.inference_mode():
            return normalise(network(torch.from_numpy(standard)).numpy())


def fusion(card: Card) -> Fusion:
    """Return the fitted fusion of a card.

    Raises
    ------
    CardError
        When the card is of another modality.
    """
    _expect(card, "fusion", 0)
    priors = {name: tuple(shares) for name, shares in card.settings["priors"].items()}
    return Fusion(**{**card.settings, "prior": tuple(card.settings["prior"]), "priors": priors})


def _expect(card: Card, modality: str, n_features: int) -> None:
    if card.modality != modality:
        raise CardError(f"modality = {card.modality} in the card: expected {modality}")
    if card.n_features != n_features:
        raise CardError(f"n_features = {card.n_features} in the card, {n_features} in the data")
