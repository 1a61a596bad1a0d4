"""How networks of torch learn: the paper's settings, early stopping on validation, the best weights restored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from models.eeg.engines import device
from models.eeg.recogniser import Floats, Floats32, Ints, Task, Tensors, equal_shares

SMALL_BELOW = 1000  # windows; with fewer a rate of 1e-4 was measured to memorise and learn nothing
PREDICTED_AT_ONCE = 64  # windows


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a network is trained.

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
    decayed : tuple of str
        Patterns of the names of the weights that have it; empty: all.
    """

    name: str = "paper"
    lr: float = 1e-4
    min_lr: float = 1e-6
    epochs: int = 100
    patience: int = 20
    patience_lr: int = 8
    batch: int = 32
    weight_decay: float = 0.0
    decayed: tuple[str, ...] = ()


PAPER = Settings()
"""The paper, section 5.3; patience and batch, where it is silent, are ours."""
SMALL = Settings(name="small", lr=1e-3)


def settings_for(n_windows: int) -> Settings:
    """Return the paper's settings, or ``small`` for fewer than about 1,000 windows."""
    return SMALL if n_windows < SMALL_BELOW else PAPER


class Learner:
    """Any network as a :class:`~models.eeg.recogniser.Recogniser`.

    Every class counts the same in training, however many windows it has, so that the probabilities assume equal shares:
    that is the ``prior`` which the recogniser states.

    Parameters
    ----------
    network : callable
        Makes the untrained network, which maps (n, ...) to logits (n, task.n_classes); see :mod:`models.eeg` for
        ``standardise_by`` and ``constrain``.
    task : Task
        What it is for.
    settings : Settings
        Rates and patience.
    """

    def __init__(self, network: Callable[[], nn.Module], task: Task, settings: Settings) -> None:
        self.make, self.task, self.settings = network, task, settings
        self.prior = equal_shares(task.n_classes)
        self.network: nn.Module | None = None

    def fit(self, x: Floats32, y: Ints, *, validation: tuple[Floats32, Ints]) -> Self:
        """Train; the network is left with the weights of the epoch that had the lowest validation loss.

        Parameters
        ----------
        x : ndarray, shape (n, ...)
            Windows to learn from: weights and standardisation.
        y : ndarray of int, shape (n,)
            Their classes.
        validation : tuple of (x, y)
            Windows that say when to stop, and nothing else.
        """
        with torch.random.fork_rng():
            torch.manual_seed(self.task.seed)
            network = self.make()
            if hasattr(network, "standardise_by"):
                network.standardise_by(x)  # type: ignore[operator]
            trainer = _trainer(network, self.task, self.settings, class_weights(y, self.task.n_classes), validation)
            trainer.fit(x, y)
        self.network = trainer.module_.eval().cpu()
        return self

    def predict_proba(self, x: Floats32) -> Floats:
        """Return probabilities, shape (n, n_classes); a window's do not depend on its companions."""
        if self.network is None:
            raise ValueError("predict_proba before fit or restore")
        parts = np.array_split(x, max(1, -(-len(x) // PREDICTED_AT_ONCE)))
        with torch.inference_mode():
            logits = torch.cat([self.network(torch.from_numpy(np.array(part))) for part in parts])
            out: Floats = functional.softmax(logits.double(), dim=1).numpy()
        return out

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the network's state."""
        if self.network is None:
            raise ValueError("tensors before fit or restore")
        return {name: value.numpy() for name, value in self.network.state_dict().items()}

    def restore(self, tensors: Tensors) -> Self:
        """Take a state that :meth:`tensors` returned.

        Raises
        ------
        ValueError
            When it is of another network.
        """
        with torch.random.fork_rng():
            network = self.make()
        try:
            network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()})
        except RuntimeError as error:
            raise ValueError(" ".join(str(error).split())[:160]) from None
        self.network = network.eval()
        return self


def _trainer(
    network: nn.Module, task: Task, settings: Settings, weights: torch.Tensor, validation: tuple[Floats32, Ints]
) -> Any:
    """Return skorch's training loop with the settings."""
    from skorch import NeuralNetClassifier
    from skorch.callbacks import Callback, EarlyStopping, LRScheduler
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    class Constrain(Callback):  # type: ignore[misc]
        """Keep weights within bounds after each step, where the network has any."""

        def on_batch_end(self, net: Any, *, training: bool = False, **_: Any) -> None:
            if training and hasattr(net.module_, "constrain"):
                net.module_.constrain()

    return NeuralNetClassifier(
        network,
        classes=list(range(task.n_classes)),
        criterion=nn.CrossEntropyLoss,
        criterion__weight=weights,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=0.0 if settings.decayed else settings.weight_decay,
        optimizer__param_groups=[(pattern, {"weight_decay": settings.weight_decay}) for pattern in settings.decayed],
        lr=settings.lr,
        max_epochs=settings.epochs,
        batch_size=settings.batch,
        iterator_train__shuffle=True,
        train_split=predefined_split(Dataset(*validation)),
        callbacks=[
            LRScheduler(
                policy=torch.optim.lr_scheduler.ReduceLROnPlateau, monitor="valid_loss", factor=0.5,
                patience=settings.patience_lr, min_lr=settings.min_lr,
            ),
            EarlyStopping(monitor="valid_loss", patience=settings.patience, load_best=True, sink=lambda text: None),
            Constrain(),
        ],
        callbacks__valid_acc=None,  # the loss decides
        callbacks__print_log=None,
        device=device(),
        verbose=0,
    )  # fmt: skip


def class_weights(labels: Ints, n_classes: int) -> torch.Tensor:
    """Return weights that make every class count the same, 1 on average over windows."""
    counts = np.maximum(np.bincount(labels, minlength=n_classes), 1)
    return torch.from_numpy((len(labels) / (n_classes * counts)).astype(np.float32))
