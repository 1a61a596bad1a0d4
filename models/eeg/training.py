"""Training of the scalp-map network: the paper's settings, early stopping on validation, the best weights restored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.eeg.map_cnn import Config, MapCnn

Ints = NDArray[np.int64]

SMALL_BELOW = 1000  # windows; with fewer the paper's rate was measured to memorise and learn nothing


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the network is trained.

    Parameters
    ----------
    name : str
        What to print.
    lr, min_lr : float
        Learning rate of Adam, halved on a plateau of `patience_lr` epochs of the validation loss.
    epochs : int
        At most.
    patience : int
        Epochs without a better validation loss after which training stops.
    batch : int
        Windows.
    weight_decay : float
        Of Adam.
    """

    name: str = "paper"
    lr: float = 1e-4
    min_lr: float = 1e-6
    epochs: int = 100
    patience: int = 20
    patience_lr: int = 8
    batch: int = 32
    weight_decay: float = 0.0


PAPER = Settings()
"""The paper, section 5.3; patience and batch, where it is silent, are ours."""
SMALL = Settings(name="small", lr=1e-3)


def settings_for(n_windows: int) -> Settings:
    """Return the paper's settings, or ``small`` for fewer than about 1,000 windows."""
    return SMALL if n_windows < SMALL_BELOW else PAPER


def fit(
    features: NDArray[np.float32], labels: Ints, *, train: Ints, validation: Ints, n_classes: int, seed: int, settings: Settings
) -> MapCnn:
    """Train a network.

    Parameters
    ----------
    features : ndarray, shape (n_windows, 28, n_features)
        Of all windows; only those of `train` and `validation` are looked at.
    labels : ndarray of int, shape (n_windows,)
        Class of each window.
    train, validation : ndarray of int
        Rows to learn from (weights and standardisation), and rows that say when to stop.
    n_classes : int
        Emotions; may be more than those in `train`.
    seed : int
        Of the first weights, the batches and the dropout.
    settings : Settings
        Rates and patience.

    Returns
    -------
    MapCnn
        With the weights of the epoch with the lowest validation loss.
    """
    from skorch import NeuralNetClassifier
    from skorch.callbacks import EarlyStopping, LRScheduler
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = MapCnn(Config(n_features=features.shape[2], n_classes=n_classes))
        network.standardise_by(features[train])
        trainer = NeuralNetClassifier(
            network,
            classes=list(range(n_classes)),
            criterion=torch.nn.CrossEntropyLoss(weight=_class_weights(labels[train], n_classes)),
            optimizer=torch.optim.Adam,
            optimizer__weight_decay=settings.weight_decay,
            lr=settings.lr,
            max_epochs=settings.epochs,
            batch_size=settings.batch,
            iterator_train__shuffle=True,
            train_split=predefined_split(Dataset(features[validation], labels[validation])),
            callbacks=[
                LRScheduler(
                    policy=torch.optim.lr_scheduler.ReduceLROnPlateau, monitor="valid_loss", factor=0.5,
                    patience=settings.patience_lr, min_lr=settings.min_lr,
                ),
                EarlyStopping(monitor="valid_loss", patience=settings.patience, load_best=True, sink=lambda text: None),
            ],
            verbose=0,
        )  # fmt: skip
        trainer.fit(features[train], labels[train])
    fitted: MapCnn = trainer.module_
    return fitted.eval()


def _class_weights(labels: Ints, n_classes: int) -> torch.Tensor:
    """Return weights that make every class count the same, 1 on average over windows."""
    counts = np.maximum(np.bincount(labels, minlength=n_classes), 1)
    return torch.from_numpy((len(labels) / (n_classes * counts)).astype(np.float32))
