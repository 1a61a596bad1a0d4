"""What a recogniser of EEG is: the contract between a model's file and everything that trains, scores and keeps models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from models.eeg.scalp_map import PAPER, Grid
from models.evaluate import RowFeatures

if TYPE_CHECKING:  # which loads torch
    from models.eeg.training import Settings

Floats32 = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Tensors = Mapping[str, NDArray[Any]]
Takes = Literal["windows", "features"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a recogniser is built for.

    Parameters
    ----------
    shape : tuple of int
        Of one window, as it is given to ``fit``.
    n_classes : int
        Emotions; the labels are 0..n_classes-1, and not all of them need occur in training.
    n_windows : int
        Those of training and validation: fewer than about 1,000 call for other settings.
    seed : int
        Of everything that is drawn.
    grid : Grid
        Where the channels lie.
    within : bool
        Whether those who will be tested are among those who are learnt from.
    """

    shape: tuple[int, ...]
    n_classes: int
    n_windows: int
    seed: int
    grid: Grid = PAPER
    within: bool = False


class Recogniser(Protocol):
    """Learns windows, and says how likely each emotion is."""

    prior: tuple[float, ...]
    """The shares of the classes that its probabilities assume, known after ``fit``: equal ones where training weighs the
    classes to count the same, those of the training data where it does not. A fusion divides by this, not by a prior that
    somebody else had."""

    def fit(self, x: Floats32, y: Ints, *, validation: tuple[Floats32, Ints]) -> Self:
        """Learn from windows `x`, shape (n, *task.shape), with labels `y`, shape (n,); stop by the validation windows."""
        ...

    def predict_proba(self, x: Floats32) -> Floats:
        """Return probabilities, shape (n, n_classes)."""
        ...

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return everything that prediction needs, for safetensors."""
        ...

    def restore(self, tensors: Tensors) -> Self:
        """Take what :meth:`tensors` returned, instead of ``fit``.

        Raises
        ------
        ValueError
            When it is of another network.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Model:
    """A recogniser that can be asked for by name.

    Parameters
    ----------
    name : str
        On the command line, in rows and in names of files.
    title : str
        In tables for people.
    takes : {"windows", "features"}
        What it is given; see :mod:`models.eeg`.
    features : str
        What rows say it learns from; empty for a model that takes features, since the extractor's name stands there.
    build : callable
        Task to an untrained recogniser.
    prepare : callable or None
        Raw windows, shape (n, n_channels, 600), to what it learns from, shape (n, ...), each window by itself.
    kept : bool
        Whether ``emo-train`` keeps it trained on everybody; a baseline is only scored.
    settings : mapping
        What the card says of its configuration.
    learning : callable or None
        Number of windows of training and validation to how its network learns from so many; None for what is no network.
    """

    name: str
    title: str
    takes: Takes
    features: RowFeatures | Literal[""]
    build: Callable[[Task], Recogniser]
    prepare: Callable[[Floats32], Floats32] | None = None
    kept: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    learning: Callable[[int], Settings] | None = None


def predict_heard(recogniser: Recogniser, x: Floats32, n_classes: int) -> Floats:
    """Predict the windows that have EEG.

    Parameters
    ----------
    recogniser : Recogniser
        Trained.
    x : ndarray, shape (n, ...)
        Windows; one that is not finite throughout has no EEG.
    n_classes : int
        Emotions.

    Returns
    -------
    ndarray, shape (n, n_classes)
        Probabilities; NaN without EEG.
    """
    heard = np.isfinite(x).all(axis=tuple(range(1, x.ndim))) & (x.size > 0)
    if heard.all():
        return recogniser.predict_proba(x)
    out = np.full((len(x), n_classes), np.nan)
    if heard.any():
        out[heard] = recogniser.predict_proba(x[heard])
    return out


def equal_shares(n_classes: int) -> tuple[float, ...]:
    """Return the prior of a recogniser whose training weighs the classes to count the same."""
    return (1 / n_classes,) * n_classes
