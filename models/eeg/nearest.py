"""One nearest neighbour: it recognises nothing but what it has seen, and so shows what a split lets it see.

Where windows of one clip stand on both sides, the nearest window is one of the same clip, and its label is right although
nothing about the emotion was found. Not kept: it would be the training data.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.eeg.recogniser import Floats, Floats32, Ints, Model, Task, Tensors

MIN_SD = 1e-6  # a feature that varies less carries nothing


def model() -> Model:
    """Return the entry of the table."""
    return Model(name="nearest", title="1-NN", takes="features", features="", build=Nearest, kept=False)


class Nearest:
    """The label of the nearest training window, all features standardised on the training windows.

    Parameters
    ----------
    task : Task
        What it is for.
    """

    prior: tuple[float, ...]

    def __init__(self, task: Task) -> None:
        self.task = task

    def fit(self, x: Floats32, y: Ints, *, validation: tuple[Floats32, Ints]) -> Self:
        """Remember the windows; there is nothing to stop early, so those of validation are learnt, too."""
        from sklearn.neighbors import KNeighborsClassifier

        both, labels = np.concatenate([x, validation[0]]), np.concatenate([y, validation[1]])
        flat = both.reshape(len(both), -1)
        self._mean, sd = flat.mean(axis=0), flat.std(axis=0)
        self._sd = np.where(sd > MIN_SD, sd, 1).astype(np.float32)
        self._neighbours = KNeighborsClassifier(n_neighbors=1).fit(self._flat(both), labels)
        counts = np.bincount(labels, minlength=self.task.n_classes) + 1.0
        self.prior = tuple(float(share) for share in counts / counts.sum())
        return self

    def predict_proba(self, x: Floats32) -> Floats:
        """Return 1 for the neighbour's label, 0 for the others, shape (n, n_classes)."""
        out: Floats = np.eye(self.task.n_classes)[self._neighbours.predict(self._flat(x))]
        return out

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Refuse: the tensors would be people's EEG."""
        raise TypeError("a nearest neighbour is not kept: it is its training data")

    def restore(self, tensors: Tensors) -> Self:
        """Refuse, as :meth:`tensors`."""
        raise TypeError("a nearest neighbour is not kept: it is its training data")

    def _flat(self, x: Floats32) -> Floats32:
        flat: Floats32 = (x.reshape(len(x), -1) - self._mean) / self._sd
        return flat
