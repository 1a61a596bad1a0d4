"""The paper's EEG classifier: a small convolutional network over the 7x5 scalp map of features (section 4.4).

Three convolutions (3x3, 2x2, 1x1), a max-pool, two fully connected layers. Where a channel carries many features ``map_cnn``
reduces them first by a 1x1 convolution, which the paper has not: it trains six times faster than a 3x3 over 2048 planes.
``map_cnn_full``, and ``jadhav``, are without it. The network holds the standardisation of its training data, so that its
weights are all that a prediction needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.eeg import scalp_map
from models.eeg.recogniser import Model, Task
from models.eeg.scalp_map import Grid
from models.eeg.training import Learner, Settings, settings_for

REDUCE_ABOVE = 256  # features per channel
JADHAV = Settings(name="jadhav", lr=1e-3, batch=64, patience=30)
MIN_SD = 1e-6  # a feature that varies less carries nothing (rows of the picture that are always black)


def model() -> Model:
    """Return the entry of the table."""
    return Model(name="map_cnn", title="paper's own", takes="features", features="", build=_build, learning=settings_for)


def full() -> Model:
    """Return the entry of the table: the same without the layer that reduces, as the paper has it."""
    return Model(
        name="map_cnn_full", title="paper's own, 3x3 over all features", takes="features", features="", build=_build_full,
        learning=settings_for,
    )  # fmt: skip


def jadhav() -> Model:
    """Return the entry of the table: the sizes and the training of Jadhav et al. 2023, the reference 12 of the paper."""
    return Model(
        name="jadhav", title="paper's own, Jadhav", takes="features", features="", build=_build_jadhav,
        learning=lambda n_windows: JADHAV,
    )  # fmt: skip


def _build(task: Task) -> Learner:
    config = Config(n_features=task.shape[1], n_classes=task.n_classes, grid=task.grid)
    return Learner(lambda: MapCnn(config), task, settings_for(task.n_windows))


def _build_full(task: Task) -> Learner:
    config = Config(n_features=task.shape[1], n_classes=task.n_classes, grid=task.grid, reduce=False)
    return Learner(lambda: MapCnn(config), task, settings_for(task.n_windows))


def _build_jadhav(task: Task) -> Learner:
    config = Config(
        n_features=task.shape[1], n_classes=task.n_classes, n_planes=(16, 32, 8), n_hidden=16, grid=task.grid, reduce=False
    )  # fmt: skip
    return Learner(lambda: MapCnn(config), task, JADHAV)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Shape of the network.

    Parameters
    ----------
    n_features : int
        Per channel: 2048 of InceptionV3, 96 of pool96.
    n_classes : int
        Emotions.
    n_planes : tuple of int
        Of the three convolutions; where features are reduced first, to as many as the first has.
    n_hidden : int
        Of the first fully connected layer.
    dropout : float
        Before each fully connected layer.
    grid : Grid
        Where the channels lie.
    reduce : bool
        Whether a 1x1 convolution stands before the others where a channel carries more than 256 features: the 3x3 then sees
        as many planes as it makes, and its weights over all features have no more than that rank.
    """

    n_features: int
    n_classes: int
    n_planes: tuple[int, int, int] = (64, 32, 16)
    n_hidden: int = 64
    dropout: float = 0.3
    grid: Grid = scalp_map.PAPER
    reduce: bool = True


class MapCnn(nn.Module):
    """Features of 28 channels to logits."""

    cells: Tensor
    mean: Tensor
    sd: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        first, second, third = config.n_planes
        n_cells = ((config.grid.n_rows - 1) // 2) * ((config.grid.n_columns - 1) // 2)  # after the 2x2 and the pooling
        reduce = config.reduce and config.n_features > REDUCE_ABOVE
        self.register_buffer("cells", torch.tensor(config.grid.flat), persistent=False)
        self.register_buffer("mean", torch.zeros(config.n_features))
        self.register_buffer("sd", torch.ones(config.n_features))
        self.reduce = nn.Conv2d(config.n_features, first, 1) if reduce else nn.Identity()
        self.convolutions = nn.Sequential(
            *_block(first if reduce else config.n_features, first, 3, padding=1),  # (n, 64, 7, 5)
            *_block(first, second, 2),  # (n, 32, 6, 4)
            *_block(second, third, 1),  # (n, 16, 6, 4)
            nn.MaxPool2d(2),  # (n, 16, 3, 2)
            nn.Flatten(),  # (n, 96)
        )
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(third * n_cells, config.n_hidden), nn.ReLU(), nn.Dropout(config.dropout),
            nn.Linear(config.n_hidden, config.n_classes),
        )  # fmt: skip

    def standardise_by(self, features: NDArray[np.float32]) -> None:
        """Take mean and standard deviation of every feature from training data, shape (n, 28, n_features).

        One scale for all channels: with one for each, differences between channels are lost, and the accuracy of pool96 on
        84 simulated windows (6 dB effect, leave-one-subject-out) fell from 0.92 to 0.56.
        """
        mean, sd = features.mean(axis=(0, 1), dtype=np.float64), features.std(axis=(0, 1), dtype=np.float64)
        self.mean = torch.from_numpy(mean.astype(np.float32))
        self.sd = torch.from_numpy(np.where(sd > MIN_SD, sd, 1).astype(np.float32))

    def to_map(self, features: Tensor) -> Tensor:
        """Put features (n, 28, d) on the scalp: (n, d, 7, 5); cells without an electrode are zero, the training mean."""
        standard = ((features - self.mean) / self.sd).transpose(1, 2)
        grid = self.config.grid
        flat = standard.new_zeros(*standard.shape[:2], grid.n_rows * grid.n_columns)
        return flat.index_copy(2, self.cells, standard).view(*standard.shape[:2], grid.n_rows, grid.n_columns)

    def _reduced(self, reduce: nn.Conv2d, features: Tensor) -> Tensor:
        """Return what `reduce` makes of the map, shape (n, 64, 7, 5), without a map of all features.

        Channel by channel, before they are placed: a map of 2048 planes, and a standardised copy of the features, would cost
        several times what the network costs. A cell without an electrode has the bias alone.
        """
        assert reduce.bias is not None
        grid, weight = self.config.grid, reduce.weight.flatten(1) / self.sd
        cells = functional.linear(features, weight, reduce.bias - weight @ self.mean).transpose(1, 2)
        empty = reduce.bias[:, None].expand(*cells.shape[:2], grid.n_rows * grid.n_columns)
        return empty.index_copy(2, self.cells, cells).view(*cells.shape[:2], grid.n_rows, grid.n_columns)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, shape (n, n_classes), of features, shape (n, 28, n_features)."""
        laid = self._reduced(self.reduce, features) if isinstance(self.reduce, nn.Conv2d) else self.to_map(features)
        out: Tensor = self.head(self.convolutions(laid))
        return out


def _block(n_in: int, n_out: int, size: int, padding: int = 0) -> tuple[nn.Module, ...]:
    return nn.Conv2d(n_in, n_out, size, padding=padding, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()
