"""Face recognisers with scikit-learn's two methods: ``fit(x, y, groups)`` and ``predict_proba(x)``.

Every sampled frame is a training sample with its window's label; the frames of a window are averaged in log-probability.
Windows without a face are left out of training and predicted as NaN.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.bids import BidsError
from models.face.crops import FaceFeatures
from models.face.training import Classes, Frames, Network, Start, Training
from models.fusion import Floats, log_probabilities, normalise


class FaceError(BidsError):
    """The faces cannot be learnt from; the text is one line with the cure."""


class FrameModel(Protocol):
    """Learns single frames."""

    def fit(self, x: Frames, y: Classes, groups: NDArray[Any], validation: tuple[Frames, Classes] | None = None) -> None:
        """Learn from frames of shape (n, ...), and stop by the validation frames where there are any."""
        ...

    def log_p(self, x: Frames) -> Floats:
        """Return log-probabilities of shape (n, n_classes)."""
        ...


class FaceRecogniser:
    """A frame model applied to windows of frames; make one with :func:`make`.

    Parameters
    ----------
    frames : FrameModel
        What learns. With every class counted the same, so that its probabilities hold for equal shares.
    """

    def __init__(self, frames: FrameModel, n_classes: int) -> None:
        self.frames = frames
        self.n_classes = n_classes

    @property
    def prior(self) -> tuple[float, ...]:
        """Shares of the classes that the probabilities hold for."""
        return (1 / self.n_classes,) * self.n_classes

    def fit(self, x: Frames, y: ArrayLike, groups: ArrayLike, validation: tuple[Frames, ArrayLike] | None = None) -> Self:
        """Learn.

        Parameters
        ----------
        x : ndarray of float32, shape (n_windows, n_frames, ...)
            As in :class:`models.face.crops.FaceData`; NaN where there is no face.
        y : array_like of int, shape (n_windows,)
            Class of every window, 0..n_classes-1.
        groups : array_like, shape (n_windows,)
            Participant of every window.
        validation : tuple of (x, y), optional
            Other windows, by which training stops; without them the network holds out participants of its own. No weight
            is learnt from them.

        Raises
        ------
        FaceError
            When there are no faces, or faces of one class alone.
        """
        found, (faces, per_frame) = _found(x), _faces(x, y)
        owner = np.repeat(np.asarray(groups)[:, None], x.shape[1], axis=1)[found]
        if not teaches(x, y):
            raise FaceError(
                f"faces: found in {int(found.any(axis=1).sum())} of {len(x)} training windows, of {len(np.unique(per_frame))} "
                "emotions; at least two are needed: look at the videos, or train without faces"
            )
        stop_by = None if validation is None else _faces(*validation)
        self.frames.fit(faces, per_frame, owner, stop_by if stop_by is not None and len(stop_by[1]) else None)
        return self

    def frame_proba(self, x: Frames) -> Floats:
        """Return probabilities of every frame, shape (n_windows, n_frames, n_classes); NaN where there is no face."""
        found = _found(x)
        out = np.full((*found.shape, self.n_classes), np.nan)
        if found.any():
            out[found] = np.exp(self.frames.log_p(x[found]))
        return out

    def predict_proba(self, x: Frames) -> Floats:
        """Return probabilities of every window, shape (n_windows, n_classes); NaN where no frame has a face."""
        return pool_frames(self.frame_proba(x))


def teaches(x: Frames, y: ArrayLike) -> bool:
    """Return whether windows show faces of two emotions at least; the arguments are those of :meth:`FaceRecogniser.fit`."""
    return len(np.unique(np.asarray(y)[_found(x).any(axis=1)])) >= 2


def pool_frames(frame_p: ArrayLike) -> Floats:
    """Average the frames of a window in log-probability.

    Parameters
    ----------
    frame_p : array_like, shape (n_windows, n_frames, n_classes)
        Probabilities; NaN where there is no face.

    Returns
    -------
    ndarray of float64, shape (n_windows, n_classes)
        NaN where no frame has a face.
    """
    values: Floats = np.asarray(frame_p, dtype=np.float64)
    log_p = log_probabilities(values.reshape(-1, values.shape[-1])).reshape(values.shape)
    found = np.asarray(np.isfinite(log_p).all(axis=-1))
    total = np.where(found[..., None], log_p, 0.0).sum(axis=1)
    mean = total / np.maximum(found.sum(axis=1), 1)[:, None]
    mean[~found.any(axis=1)] = np.nan
    pooled: Floats = np.exp(normalise(mean))
    return pooled


def make(
    kind: FaceFeatures,
    n_classes: int,
    *,
    seed: int,
    training: Training | None = None,
    start: Start | None = None,
) -> FaceRecogniser:
    """Return an untrained recogniser for one kind of features.

    Parameters
    ----------
    kind : {"imagenet", "seeded", "pool96"}
        ``pool96`` gets a logistic regression, the other two the patch-attention network.
    n_classes : int
        Number of emotions.
    seed : int
        Of weights, batches and validation.
    training : Training, optional
        The network's settings.
    start : mapping of str to ndarray, optional
        Weights of a network that has learnt elsewhere, to go on from; for a network only.
    """
    if kind == "pool96":
        return FaceRecogniser(Linear(n_classes), n_classes)
    network = Network(n_classes, seed=seed, standardise=kind == "seeded", training=training or Training(), start=start)
    return FaceRecogniser(network, n_classes)


def _found(x: Frames) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(x.reshape(*x.shape[:2], -1)).all(axis=2))


def _faces(x: Frames, y: ArrayLike) -> tuple[Frames, Classes]:
    """Return the frames that show a face, shape (n, ...), with the labels of their windows."""
    found = _found(x)
    return x[found], np.repeat(np.asarray(y, dtype=np.int64)[:, None], x.shape[1], axis=1)[found]


class Linear:
    """Logistic regression on standardised pixels."""

    def __init__(self, n_classes: int, *, c: float = 0.05) -> None:
        self.n_classes = n_classes
        self.c = c

    def fit(self, x: Frames, y: Classes, groups: NDArray[Any], validation: tuple[Frames, Classes] | None = None) -> None:
        """Learn; there is nothing to stop early."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=self.c, max_iter=2000, class_weight="balanced"))
        self.pipeline.fit(x.astype(np.float64), y)

    def log_p(self, x: Frames) -> Floats:
        """Return log-probabilities; a class that was not in the training data gets the floor."""
        p = np.zeros((len(x), self.n_classes))
        p[:, self.pipeline.classes_] = self.pipeline.predict_proba(x.astype(np.float64))
        return log_probabilities(p)
