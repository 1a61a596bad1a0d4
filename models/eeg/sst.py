"""SST-EmotionNet: two streams of dense 3-D convolutions over maps of the scalp, one spectral, one temporal.

The paper's second comparison, written from Z. Jia et al., "SST-EmotionNet: Spatial-Spectral-Temporal Based Attention 3D Dense
Network for EEG Emotion Recognition", ACM Multimedia 2020, doi 10.1145/3394171.3413724: sections 3 (maps, attention, dense
blocks) and 4 (depths 16 and 22, growth rates 12 and 24, Dense 50, dropout 0.5, Adam 1e-4, batch 64, 50 epochs). What it does
not say was looked up in the authors' code: transitions halve the planes of the spectral stream alone (reduction 0.5, and 0 in
the temporal one), what goes into the temporal stream is 25 samples of the signal, and which weights have a penalty.

What goes in: differential entropy of five bands (spectral stream), and the signal at 25 moments (temporal stream), of each
electrode; the network spreads them over a 32x32 picture of the scalp. What differs from the authors' is listed in
``docs/models.md``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.bids import BidsError
from models.eeg import de, training
from models.eeg.recogniser import Model, Task
from models.eeg.scalp_map import PAPER, Grid
from models.eeg.training import Learner, Settings

GRID_PX = 32
N_MOMENTS = 25  # maps of the temporal stream: samples of the signal, evenly spaced over the window
N_BLOCKS = 3
BOTTLENECK = 4  # times the growth rate
N_HIDDEN = 50
DROPOUT = 0.5
BN_EPS = 1.1e-5  # of the authors' layers
MIN_SD = 1e-6

PENALTY = 2e-4  # the authors' l2 of 1e-4: Keras adds the square itself, Adam's weight decay half of it
PENALISED = ("*.first.0.weight", "*.rest.*.2.weight")  # the first convolutions, bottlenecks and transitions: theirs, too

SETTINGS = Settings(name="SST-EmotionNet", lr=1e-4, batch=64, epochs=50, weight_decay=PENALTY, decayed=PENALISED)
"""As its authors have it, but for the stop: they chose the epoch by the test data."""

Floats32 = NDArray[np.float32]


def model() -> Model:
    """Return the entry of the table."""
    return Model(
        name="sst", title="SST-EmotionNet", takes="windows", features="de", build=_build, prepare=prepare,
        learning=settings_for,
    )  # fmt: skip


def _build(task: Task) -> Learner:
    config = Config(n_classes=task.n_classes, grid=task.grid)
    return Learner(lambda: SstEmotionNet(config), task, settings_for(task.n_windows))


def settings_for(n_windows: int) -> Settings:
    """Return its authors' settings, with the rate of the preset ``small`` for fewer than about 1,000 windows."""
    return (
        SETTINGS
        if n_windows >= training.SMALL_BELOW
        else replace(SETTINGS, name=f"{SETTINGS.name}, small", lr=training.SMALL.lr)
    )


def prepare(windows: Floats32) -> Floats32:
    """Return the differential entropy of the five bands and, after them, the signal at 25 moments.

    Parameters
    ----------
    windows : ndarray, shape (n, n_channels, 600)
        Microvolts at 200 Hz.

    Returns
    -------
    ndarray of float32, shape (n, n_channels, 30)
        Nats, then microvolts.
    """
    moments = np.linspace(0, windows.shape[2] - 1, N_MOMENTS, dtype=int)  # as the authors take them: no mean around them
    return np.concatenate([de.bands(windows), windows[:, :, moments]], axis=2, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One of the two streams.

    Parameters
    ----------
    n_maps : int
        Maps on top of each other: bands, or moments.
    depth : int
        Layers as the authors count them: three blocks of ``(depth - 4) / 6`` bottleneck layers.
    growth : int
        Planes that each layer adds.
    halved : bool
        A strided 5x5 convolution and pooling before the first block.
    reduction : float
        Share of the planes that each of the two transitions takes away.
    """

    n_maps: int
    depth: int
    growth: int
    halved: bool
    reduction: float

    @property
    def n_layers(self) -> int:
        """Of each block."""
        return (self.depth - 4) // N_BLOCKS // 2


@dataclass(frozen=True, kw_only=True)
class Config:
    """Shape of the network."""

    n_classes: int
    spectral: Stream = Stream(n_maps=len(de.BANDS), depth=16, growth=12, halved=False, reduction=0.5)
    temporal: Stream = Stream(n_maps=N_MOMENTS, depth=22, growth=24, halved=True, reduction=0.0)
    grid: Grid = PAPER


class SstEmotionNet(nn.Module):
    """What :func:`prepare` returns, shape (n, n_channels, 30), to logits, shape (n, n_classes)."""

    mean: Tensor
    sd: Tensor
    spread: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        n_maps = config.spectral.n_maps + config.temporal.n_maps
        self.register_buffer("mean", torch.zeros(n_maps))
        self.register_buffer("sd", torch.ones(n_maps))
        self.register_buffer("spread", torch.from_numpy(spread(config.grid)), persistent=False)
        self.spectral = _DenseStream(config.spectral)
        self.temporal = _DenseStream(config.temporal)
        self.head = nn.Sequential(
            nn.Linear(self.spectral.n_out + self.temporal.n_out, N_HIDDEN), nn.Dropout(DROPOUT),
            nn.Linear(N_HIDDEN, config.n_classes),
        )  # fmt: skip
        self.to(memory_format=torch.channels_last_3d)  # five times as fast on a CPU

    def standardise_by(self, values: Floats32) -> None:
        """Take mean and standard deviation of each kind of map from training data, shape (n, n_channels, 30)."""
        mean, sd = values.mean(axis=(0, 1), dtype=np.float64), values.std(axis=(0, 1), dtype=np.float64)
        self.mean = torch.from_numpy(mean.astype(np.float32))
        self.sd = torch.from_numpy(np.where(sd > MIN_SD, sd, 1).astype(np.float32))

    def to_maps(self, values: Tensor) -> Tensor:
        """Return pictures of the scalp, shape (n, 30, 32, 32); outside the electrodes they are 0, the training mean."""
        standard = ((values - self.mean) / self.sd).transpose(1, 2)  # (n, 30, n_channels)
        return (standard @ self.spread.T).view(len(values), -1, GRID_PX, GRID_PX)

    def forward(self, values: Tensor) -> Tensor:
        """Return logits, shape (n, n_classes)."""
        maps = self.to_maps(values).unsqueeze(1)  # (n, 1, 30, 32, 32)
        n_bands = self.config.spectral.n_maps
        both = torch.cat([self.spectral(maps[:, :, :n_bands]), self.temporal(maps[:, :, n_bands:])], dim=1)
        out: Tensor = self.head(both)
        return out


class _DenseStream(nn.Module):
    """Attention and a dense block, three times, halved in between: (n, 1, n_maps, 32, 32) to (n, n_out)."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        n = 2 * stream.growth
        depth, side = stream.n_maps, GRID_PX
        if stream.halved:
            self.first = nn.Sequential(
                nn.Conv3d(1, n, (3, 5, 5), stride=(1, 2, 2), padding=(1, 2, 2), bias=False), _norm(n), nn.ReLU(),
                nn.MaxPool3d(2, ceil_mode=True),
            )  # fmt: skip
            depth, side = -(-depth // 2), side // 4  # 13 maps of 8x8
        else:
            self.first = nn.Sequential(nn.Conv3d(1, n, (1, 3, 3), padding=(0, 1, 1), bias=False))
        parts: list[nn.Module] = []
        for block in range(N_BLOCKS):
            parts.append(_Attention(depth, side))
            for _ in range(stream.n_layers):
                parts.append(_Layer(n, stream.growth))
                n += stream.growth
            if block < N_BLOCKS - 1:
                n_left = int(n * (1 - stream.reduction))
                parts.append(nn.Sequential(_norm(n), nn.ReLU(), nn.Conv3d(n, n_left, 1, bias=False), nn.AvgPool3d(2)))
                n, depth, side = n_left, depth // 2, side // 2
        self.rest = nn.Sequential(*parts, _norm(n), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten())
        self.n_out = n

    def forward(self, maps: Tensor) -> Tensor:
        """Return features, shape (n, n_out)."""
        out: Tensor = self.rest(self.first(maps))
        return out


class _Layer(nn.Module):
    """A bottleneck, a convolution over the map, one across maps; what comes out is laid beside what went in."""

    def __init__(self, n_in: int, growth: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            _norm(n_in), nn.ReLU(), nn.Conv3d(n_in, BOTTLENECK * growth, 1, bias=False),
            _norm(BOTTLENECK * growth), nn.ReLU(),
            nn.Conv3d(BOTTLENECK * growth, growth, (1, 3, 3), padding=(0, 1, 1), bias=False),
            nn.Conv3d(growth, growth, (3, 1, 1), padding=(1, 0, 0), bias=False),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, n_in + growth, depth, side, side)."""
        return torch.cat([x, self.layer(x)], dim=1)


class _Attention(nn.Module):
    """Where on the scalp, and which of the maps: one gate each, from the mean over planes (section 3.3)."""

    def __init__(self, depth: int, side: int) -> None:
        super().__init__()
        self.where = nn.Linear(side * side, side * side)
        self.which = nn.Linear(depth, depth)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`, shape (n, planes, depth, side, side), weighted."""
        mean = x.mean(dim=1)  # (n, depth, side, side)
        where = torch.sigmoid(self.where(mean.mean(dim=1).flatten(1))).view(-1, 1, 1, *x.shape[3:])
        which = torch.sigmoid(self.which(mean.mean(dim=(2, 3)))).view(-1, 1, x.shape[2], 1, 1)
        return x * where * which


def _norm(n: int) -> nn.BatchNorm3d:
    return nn.BatchNorm3d(n, eps=BN_EPS)


@functools.cache
def spread(grid: Grid = PAPER) -> Floats32:
    """Return the weights that spread values of electrodes over a picture of the scalp.

    Cubic between the electrodes, on the azimuthal equidistant projection from the vertex; 0 outside their hull.

    Returns
    -------
    ndarray of float32, shape (32 * 32, n_channels)

    Raises
    ------
    BidsError
        When the electrodes enclose nothing.
    """
    from scipy.interpolate import griddata
    from scipy.spatial import QhullError

    places = grid.seen_from_above
    lines = np.linspace(places.min(), places.max(), GRID_PX)
    across, down = np.meshgrid(lines, lines[::-1])  # the forehead is on top
    to = (across.ravel(), down.ravel())
    try:
        out: Floats32 = griddata(places, np.eye(len(places)), to, method="cubic", fill_value=0.0).astype(np.float32)
    except QhullError:
        raise BidsError(f"--models = sst: {len(places)} electrodes enclose no part of the scalp; leave it out") from None
    return out
