"""EEG-ITNet: temporal filters of three lengths, spatial filters, and a causal temporal network (the paper's first comparison).

Written from A. Salami, J. Andreu-Perez and H. Gillmeister, "EEG-ITNet: An Explainable Inception Temporal Convolutional Network
for Motor Imagery Classification", IEEE Access 10, 2022, doi 10.1109/ACCESS.2022.3161489, section III. With the same weights it
computes what braindecode's ``EEGITNet`` (1.6.1 or newer) computes: ``tests/benchmarks/compare_itnet.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.eeg.recogniser import Model, Task
from models.eeg.training import Learner, Settings
from models.windows import SFREQ

RATE = 128.0  # Hz, at which its authors chose the lengths of the filters: 1/8, 1/4 and 1/2 s
BRANCHES = ((2, 16), (4, 32), (8, 64))  # temporal filters and their samples, of each inception branch
N_FILTERS = sum(n for n, _ in BRANCHES)  # 14
TAPS = 4  # of a temporal convolution
DILATIONS = (1, 2, 4, 8)
POOL = 4
WITHIN, ACROSS = 0.4, 0.2  # dropout, where those who are tested have been learnt from, and where they have not
SPATIAL_MAX_NORM = 1.0
HEAD_MAX_NORM = 0.25
MIN_SD = 1e-6

SETTINGS = Settings(name="EEG-ITNet", lr=1e-3, batch=32)
"""Adam and batches of 32 as its authors have it; they stop by the test data, we by validation."""


def model() -> Model:
    """Return the entry of the table."""
    return Model(
        name="itnet", title="EEG-ITNet", takes="windows", features="raw", build=_build, prepare=prepare,
        learning=lambda n_windows: SETTINGS,
    )  # fmt: skip


def _build(task: Task) -> Learner:
    config = Config(
        n_channels=task.shape[0], n_times=task.shape[1], n_classes=task.n_classes, dropout=WITHIN if task.within else ACROSS
    )  # fmt: skip
    return Learner(lambda: ItNet(config), task, SETTINGS)


def prepare(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return raw windows at 128 Hz, shape (n, n_channels, 384), of windows at 200 Hz, shape (n, n_channels, 600)."""
    from scipy.signal import resample_poly

    ratio = Fraction(RATE / SFREQ).limit_denominator(1000)
    out: NDArray[np.float32] = resample_poly(windows, ratio.numerator, ratio.denominator, axis=2, padtype="line")
    return out.astype(np.float32, copy=False)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Shape of the network.

    Parameters
    ----------
    n_channels, n_times, n_classes : int
        Of the windows, and emotions.
    dropout : float
        Its authors take 0.4 within a participant and 0.2 across participants.
    """

    n_channels: int
    n_times: int
    n_classes: int
    dropout: float = ACROSS


class ItNet(nn.Module):
    """Raw windows, shape (n, n_channels, n_times), to logits, shape (n, n_classes).

    Parameters
    ----------
    config : Config
        Shape of the network.

    Raises
    ------
    ValueError
        When a window is too short for the two poolings.
    """

    sd: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        if (n_left := config.n_times // POOL // POOL) < 1:
            raise ValueError(f"n_times = {config.n_times}: at least {POOL * POOL} samples are needed")
        self.register_buffer("sd", torch.ones(()))
        self.branches = nn.ModuleList(_branch(n, taps, config.n_channels) for n, taps in BRANCHES)
        self.pool = nn.Sequential(nn.AvgPool2d((1, POOL)), nn.Dropout(config.dropout))
        self.temporal = nn.Sequential(*(_Temporal(dilation, config.dropout) for dilation in DILATIONS))
        self.reduce = nn.Sequential(
            nn.Conv2d(N_FILTERS, N_FILTERS, 1), nn.BatchNorm2d(N_FILTERS), nn.ELU(), nn.AvgPool2d((1, POOL)),
            nn.Dropout(config.dropout), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(N_FILTERS * n_left, config.n_classes)
        self.to(memory_format=torch.channels_last)  # twice as fast on a CPU

    def standardise_by(self, windows: NDArray[np.float32]) -> None:
        """Take one standard deviation of all training windows, so that microvolts become numbers near 1."""
        self.sd = torch.tensor(max(float(windows.std(dtype=np.float64)), MIN_SD), dtype=torch.float32)

    def constrain(self) -> None:
        """Keep the norm of spatial filters and of the last layer within their authors' bounds."""
        with torch.no_grad():
            for branch in self.branches:
                _max_norm(branch.get_parameter("3.weight"), SPATIAL_MAX_NORM)
            _max_norm(self.head.weight, HEAD_MAX_NORM)

    def forward(self, windows: Tensor) -> Tensor:
        """Return logits, shape (n, n_classes)."""
        x = (windows / self.sd).unsqueeze(1)  # (n, 1, n_channels, n_times)
        x = torch.cat([branch(x) for branch in self.branches], dim=1)  # (n, 14, 1, n_times)
        x = self.temporal(self.pool(x))  # (n, 14, 1, n_times / 4)
        out: Tensor = self.head(self.reduce(x))  # (n, 14 * n_times / 16) before the head
        return out


def _branch(n_filters: int, taps: int, n_channels: int) -> nn.Sequential:
    """Return temporal filters, each with one filter over the channels."""
    return nn.Sequential(
        nn.ZeroPad2d(((taps - 1) // 2, taps // 2, 0, 0)),  # as long as before
        nn.Conv2d(1, n_filters, (1, taps), bias=False),
        nn.BatchNorm2d(n_filters),
        nn.Conv2d(n_filters, n_filters, (n_channels, 1), groups=n_filters, bias=False),
        nn.BatchNorm2d(n_filters),
        nn.ELU(),
    )


class _Temporal(nn.Module):
    """Two causal depthwise convolutions and a way past them."""

    def __init__(self, dilation: int, dropout: float) -> None:
        super().__init__()
        self.reach = (TAPS - 1) * dilation
        self.first = _causal(dilation, dropout)
        self.second = _causal(dilation, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return what comes out, of the same shape: a moment knows only what was before it."""
        out: Tensor = x + self.second(functional.pad(self.first(functional.pad(x, (self.reach, 0))), (self.reach, 0)))
        return out


def _causal(dilation: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(N_FILTERS, N_FILTERS, (1, TAPS), dilation=(1, dilation), groups=N_FILTERS, bias=False),
        nn.BatchNorm2d(N_FILTERS),
        nn.ELU(),
        nn.Dropout(dropout),
    )


def _max_norm(weight: Tensor, bound: float) -> None:
    """Shrink each filter whose norm is beyond the bound, in place."""
    weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=bound))
