"""How the patch-attention network learns, with the paper's settings and early stopping on people it does not learn from."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.fusion import Floats, normalise

if TYPE_CHECKING:
    from torch import Tensor

Frames = NDArray[np.float32]
Classes = NDArray[np.int64]
Start = Mapping[str, NDArray[Any]]  # weights of a network, to begin with

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Training:
    """The paper's settings (section 5.2): epochs, rates, early stopping.

    Where it is silent, ``clip_norm`` and ``patience_lr`` are those of PAtt-Lite. Its batches of 8 and patience of 5 are not
    taken over: frozen features of many frames are learnt in larger steps, and a few people's validation accuracy jumps.

    Parameters
    ----------
    epochs : int
        At most.
    lr, min_lr : float
        Learning rate, divided by 10 on a plateau of ``patience_lr`` epochs.
    patience : int
        Epochs without a better validation accuracy after which training stops; the best weights are restored.
    batch : int
        Frames.
    clip_norm : float
        Largest norm of the gradient.
    validation : float
        Share of the participants (of the windows, where there are fewer than 3 participants) that decides when to stop.
    """

    epochs: int = 30
    lr: float = 1e-3
    min_lr: float = 1e-6
    patience_lr: int = 3
    patience: int = 8
    batch: int = 32
    clip_norm: float = 3.0
    validation: float = 0.2


class Network:
    """The patch-attention network on cached backbone maps.

    Parameters
    ----------
    n_classes : int
        Number of emotions.
    seed : int
        Of weights, batches and validation.
    standardise : bool
        Per channel on the training data: raw maps of a random backbone are 1e-7 in size and teach nothing.
    training : Training
        Settings.
    start : mapping of str to ndarray, optional
        Weights to begin with, from a network that has learnt elsewhere.
    """

    def __init__(self, n_classes: int, *, seed: int, standardise: bool, training: Training, start: Start | None = None) -> None:
        self.n_classes = n_classes
        self.seed = seed
        self.standardise = standardise
        self.training = training
        self.start = start

    def fit(self, x: Frames, y: Classes, groups: NDArray[Any], validation: tuple[Frames, Classes] | None = None) -> None:
        """Learn; stop by the validation frames, or by people (or frames) held out of the training data.

        Parameters
        ----------
        x : ndarray, shape (n, channels, side, side) or (n, variants, channels, side, side)
            Maps; of several variants of a picture (mirrored, paler ..) each epoch draws one.
        y, groups : ndarray, shape (n,)
            Class and participant of each.
        validation : tuple of (x, y), optional
            Without variants.
        """
        import torch

        from models.face.patch_attention import PatchAttention, layout_of

        if validation is None:
            held_out = validation_mask(groups, share=self.training.validation, seed=self.seed)
            (x, y), validation = (x[~held_out], y[~held_out]), (x[held_out], y[held_out])
        self._measure(x)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.net = PatchAttention(self.n_classes, layout=layout_of(x.shape[-3:]))
            if self.start is not None:
                self.net.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in self.start.items()})
            inner, outer = ((self._inputs(maps), torch.from_numpy(labels)) for maps, labels in ((x, y), validation))
            self._train(inner, outer)

    def log_p(self, x: NDArray[np.float32]) -> Floats:
        """Return log-probabilities."""
        import torch

        self.net.eval()
        with torch.inference_mode():
            return normalise(self.net(self._inputs(x)).numpy())

    def _measure(self, x: NDArray[np.float32]) -> None:
        """Take mean and standard deviation of every channel over faces and positions."""
        shape = (1, x.shape[-3], 1, 1)
        if self.standardise:
            others = (*range(x.ndim - 3), -2, -1)
            self.mean = x.mean(axis=others, dtype=np.float64).reshape(shape)
            self.sd = np.maximum(x.std(axis=others, dtype=np.float64).reshape(shape), 1e-12)
        else:
            self.mean, self.sd = np.zeros(shape), np.ones(shape)

    def _inputs(self, x: NDArray[np.float32]) -> Tensor:
        import torch

        return torch.from_numpy(((x - self.mean) / self.sd).astype(np.float32))

    def _train(self, train: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor]) -> None:
        """Run the epochs and leave the network with the weights that did best on the held-out people."""
        import torch
        from torch.optim.lr_scheduler import ReduceLROnPlateau

        optimiser = torch.optim.Adam(self.net.parameters(), lr=self.training.lr)
        plateau = ReduceLROnPlateau(
            optimiser, mode="max", patience=self.training.patience_lr, min_lr=self.training.min_lr, threshold=1e-4
        )
        class_weights = balanced(train[1], self.n_classes)
        best, weights, waited = (-1.0, -np.inf), copy.deepcopy(self.net.state_dict()), 0
        for epoch in range(self.training.epochs):
            self._epoch(optimiser, *train, class_weights)
            score = self._score(*held_out)
            plateau.step(score[0])
            log.debug("epoch %d: held-out accuracy %.3f, loss %.3f", epoch, score[0], -score[1])
            waited += 1
            if score > best:
                waited = 0 if score[0] > best[0] else waited
                best, weights = score, copy.deepcopy(self.net.state_dict())
            if waited >= self.training.patience:
                break
        self.net.load_state_dict(weights)

    def _epoch(self, optimiser: Any, x: Tensor, y: Tensor, class_weights: Tensor) -> None:
        import torch

        self.net.train()
        for rows in torch.split(torch.randperm(len(y)), self.training.batch):
            maps = x[rows] if x.ndim == 4 else x[rows, torch.randint(x.shape[1], (len(rows),))]
            optimiser.zero_grad()
            loss: Tensor = torch.nn.functional.cross_entropy(self.net(maps), y[rows], weight=class_weights)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.training.clip_norm)
            optimiser.step()

    def _score(self, x: Tensor, y: Tensor) -> tuple[float, float]:
        """Return accuracy and minus the loss, the tie-breaker."""
        import torch

        self.net.eval()
        with torch.inference_mode():
            logits = self.net(x)
            loss = torch.nn.functional.cross_entropy(logits, y)
            return float((logits.argmax(dim=1) == y).double().mean()), -float(loss)


def balanced(y: Tensor, n_classes: int) -> Tensor:
    """Return weights by which every class counts the same: the network's probabilities then hold for equal shares.

    Parameters
    ----------
    y : Tensor of int64, shape (n,)
        Classes of the training data.
    n_classes : int
        Number of classes; one that does not occur gets the weight of one that occurs once.

    Returns
    -------
    Tensor of float32, shape (n_classes,)
    """
    import torch

    counts = torch.bincount(y, minlength=n_classes).clamp(min=1)
    return (len(y) / (n_classes * counts)).float()


def validation_mask(groups: NDArray[Any], *, share: float, seed: int) -> NDArray[np.bool_]:
    """Choose whom to hold out for early stopping.

    Parameters
    ----------
    groups : ndarray, shape (n,)
        Participant of every frame.
    share : float
        Of the participants, at least one; with fewer than 3 participants, of the frames.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where held out; both kinds occur.
    """
    rng = np.random.default_rng(seed)
    people = np.unique(groups)
    if len(people) >= 3:
        chosen = rng.choice(people, size=max(1, round(share * len(people))), replace=False)
        return np.isin(groups, chosen)
    mask = np.zeros(len(groups), dtype=bool)
    mask[rng.choice(len(groups), size=max(1, round(share * len(groups))), replace=False)] = True
    return mask
