"""Kept models at work: windows in, log-probabilities out (pure; files are read by :mod:`models.card`)."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from models.card import Card, CardError, Tensors
from models.eeg import table, variants
from models.eeg.inputs import Source
from models.eeg.recogniser import Task, predict_heard
from models.eeg.scalp_map import PAPER, Grid
from models.face import kept
from models.face.recogniser import pool_frames
from models.fusion import Fusion, log_probabilities

Floats = NDArray[np.float64]


def eeg(tensors: Tensors, card: Card, x: NDArray[np.float32]) -> Floats:
    """Predict from EEG.

    Parameters
    ----------
    tensors, card : Tensors, Card
        A kept EEG model.
    x : ndarray, shape (n_windows, ...)
        What the card's model takes: features of the kind that the card names, shape (n_windows, n_channels, n_features), or
        what :func:`eeg_inputs` makes of raw windows.

    Returns
    -------
    ndarray of float64, shape (n_windows, n_classes)
        Log-probabilities, in the order of ``card.emotions``; NaN for windows of NaN, which have no EEG.

    Raises
    ------
    CardError
        When the card is of another modality, or tensors or features do not fit.
    """
    if x.size == 0:  # nobody's EEG can be used, so that nobody knows what shape it would have
        x = np.full((len(x), *card.shape), np.nan, dtype=np.float32)
    _expect(card, "eeg", x.shape[-1])
    if x.shape[1:] != card.shape:
        raise CardError(f"shape = {list(card.shape)} in the card, {list(x.shape[1:])} in the data")
    task = Task(
        shape=card.shape, n_classes=len(card.emotions), n_windows=card.n_windows, seed=card.seed, grid=grid(card)
    )  # fmt: skip
    try:
        recogniser = table.named(card.model).build(task).restore(tensors)
    except (ValueError, KeyError) as error:
        raise CardError(f"tensors of another network than {card.model}: {str(error).splitlines()[0]}") from None
    return log_probabilities(predict_heard(recogniser, x, len(card.emotions)))


def grid(card: Card) -> Grid:
    """Return the electrodes that a model of the EEG takes; the paper's where its card names none.

    Raises
    ------
    CardError
        When the card's grid is none.
    """
    if (known := card.settings.get("grid")) is None:
        return PAPER
    try:
        return Grid(
            channels=tuple(known["channels"]), cells=tuple((int(row), int(column)) for row, column in known["cells"]),
            n_rows=int(known["n_rows"]), n_columns=int(known["n_columns"]),
            places=tuple((float(x), float(y)) for x, y in known["places"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise CardError(f"grid in the card: is no scalp map ({error})") from None


def source(card: Card) -> Source:
    """Return what a model of the EEG is given: its features, made as those it has learnt from.

    Raises
    ------
    CardError
        When the card names an engine or a spectrogram that there is not.
    """
    if table.named(card.model).takes != "features":
        return Source(card.model)
    try:
        return Source(
            card.features, engine=card.settings.get("engine", "torch"),
            variant=card.settings.get("spectrogram", variants.DEFAULT),
        )  # fmt: skip
    except ValueError as error:
        raise CardError(f"{error} (in the card)") from None


def eeg_inputs(card: Card, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn raw windows into what the card's model takes.

    Parameters
    ----------
    card : Card
        Of a model that takes windows.
    windows : ndarray, shape (n_windows, n_channels, 600)
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
    return log_probabilities(pool_frames(face_frames(tensors, card, features)))


def face_frames(tensors: Tensors, card: Card, features: NDArray[np.float32]) -> Floats:
    """Return probabilities of single frames, shape (n_windows, n_frames, n_classes); otherwise as :func:`face`."""
    _expect(card, "face", int(np.prod(features.shape[2:])))
    try:
        return kept.restore(tensors, model=card.model, n_classes=len(card.emotions)).frame_proba(features)
    except kept.KeptError as error:
        raise CardError(str(error)) from None


def fusion(card: Card) -> Fusion:
    """Return the fitted fusion of a card.

    Raises
    ------
    CardError
        When the card is of another modality.
    """
    _expect(card, "fusion", 0)
    priors = {name: tuple(shares) for name, shares in card.settings["priors"].items()}
    fitted = {field.name: card.settings[field.name] for field in fields(Fusion)}
    return Fusion(**{**fitted, "prior": tuple(card.settings["prior"]), "priors": priors})


def _expect(card: Card, modality: str, n_features: int) -> None:
    if card.modality != modality:
        raise CardError(f"modality = {card.modality} in the card: expected {modality}")
    if card.n_features != n_features:
        raise CardError(f"n_features = {card.n_features} in the card, {n_features} in the data")
