"""The face network: truncated MobileNetV2, patch extraction, self-attention within the sample, classes.

After Le and Nguyen (this project's paper, section 3) and PAtt-Lite (Ngwe et al. 2024), with one repair: PAtt-Lite's
attention runs across the batch, so that a face's output depends on the faces beside it. Here the tokens are the four
patches of one face.

Two layouts. ``seed112``, the paper's: MobileNetV2 without its last 29 Keras layers ends at ``block_13_project_BN``, that is
``mobilenet_v2().features[:15]``, 160 channels of 4 x 4 at 112 px, 697,792 parameters; PAtt-Lite's kernels (4, stride 4) cannot
follow there, so kernels of 2 make the four patches. ``pattlite224``, for comparison: faces enlarged to 224 px,
``features[:13]``, 96 channels of 14 x 14, and the original kernels.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.models import mobilenet_v2

from models.cache import key_of
from models.face.settings import NetworkName
from models.weights import WeightsError

BACKBONE_SEED = 20240229  # one for all runs, so that cached features stay valid
IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Shape of a network.

    Parameters
    ----------
    size_px : int
        Side of the faces that the backbone sees.
    layers : int
        Of ``mobilenet_v2().features``.
    channels, side : int
        What they give.
    kernels : ((int, int), (int, int))
        Size and stride of the two separable convolutions, which leave 2 x 2 patches.
    width : int
        Features a patch in the attention.
    """

    size_px: int
    layers: int
    channels: int
    side: int
    kernels: tuple[tuple[int, int], tuple[int, int]]
    width: int


LAYOUTS: Mapping[NetworkName, Layout] = {
    "seed112": Layout(size_px=112, layers=15, channels=160, side=4, kernels=((2, 1), (2, 2)), width=64),
    "pattlite224": Layout(size_px=224, layers=13, channels=96, side=14, kernels=((4, 4), (2, 2)), width=32),
}


def layout_of(shape: Sequence[int]) -> Layout:
    """Return the layout whose backbone gives maps of a shape (channels, side, side)."""
    return next(layout for layout in LAYOUTS.values() if (layout.channels, layout.side, layout.side) == tuple(shape))


@dataclass(frozen=True, eq=False)
class Backbone:
    """The frozen part, which sees every face once.

    Parameters
    ----------
    layers : nn.Module
        In eval mode, without gradients: weights and batch-norm buffers stay as they are.
    digest : str
        Of weights and buffers, for caches.
    layout : Layout
        Its shape.
    """

    layers: nn.Module
    digest: str
    layout: Layout

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of its maps."""
        return self.layout.channels, self.layout.side, self.layout.side

    def maps(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the feature maps of faces.

        Parameters
        ----------
        crops : ndarray of uint8, shape (n, 112, 112, 3)
            RGB.

        Returns
        -------
        ndarray of float32, shape (n, channels, side, side)
        """
        out = np.empty((len(crops), *self.shape), dtype=np.float32)
        mean, sd = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_SD).view(3, 1, 1)
        with torch.inference_mode():
            for start in range(0, len(crops), BATCH):
                batch = torch.from_numpy(crops[start : start + BATCH]).permute(0, 3, 1, 2).float() / 255
                if batch.shape[-1] != self.layout.size_px:
                    batch = interpolate(batch, size=self.layout.size_px, mode="bilinear", align_corners=False)
                out[start : start + BATCH] = self.layers((batch - mean) / sd).numpy()
        return out


def load_backbone(weights: Path | None = None, network: NetworkName = "seed112") -> Backbone:
    """Build the truncated MobileNetV2.

    Parameters
    ----------
    weights : Path, optional
        torchvision's ImageNet checkpoint (``emo-weights fetch mobilenet_v2``); without it the weights are random with a
        fixed seed, and features must be standardised on the training fold.
    network : {"seed112", "pattlite224"}
        Where it is cut off.

    Returns
    -------
    Backbone

    Raises
    ------
    WeightsError
        When the file holds another network.
    """
    layout = LAYOUTS[network]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(BACKBONE_SEED)
        whole = mobilenet_v2(weights=None)
    if weights is not None:
        try:
            whole.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        except (RuntimeError, AttributeError, TypeError, pickle.UnpicklingError) as error:
            reason = str(error).splitlines()[0]
            raise WeightsError(f"{weights}: holds no MobileNetV2 ({reason[:100]}); fetch it again") from None
    layers = whole.features[: layout.layers].eval().requires_grad_(False)
    return Backbone(layers, key_of(layout, *(value.numpy() for value in layers.state_dict().values())), layout)


class SeparableConv(nn.Sequential):
    """Depthwise then pointwise convolution, then ReLU.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    kernel : (int, int)
        Size and stride.
    padding : tuple of int
        Left, right, top, bottom.
    """

    def __init__(self, n_in: int, n_out: int, *, kernel: tuple[int, int], padding: tuple[int, int, int, int]) -> None:
        size, stride = kernel
        depthwise = nn.Conv2d(n_in, n_in, size, stride=stride, groups=n_in, bias=False)
        super().__init__(nn.ZeroPad2d(padding), depthwise, nn.Conv2d(n_in, n_out, 1), nn.ReLU())


def same(side: int, kernel: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the padding by which Keras' ``same`` keeps ``ceil(side / stride)`` rows: the odd one at the end."""
    size, stride = kernel
    total = max(0, (math.ceil(side / stride) - 1) * stride + size - side)
    return total // 2, total - total // 2, total // 2, total - total // 2


class SelfAttention(nn.Module):
    """Scaled dot-product attention between the tokens of one sample, with a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.scale = width**-0.5

    def forward(self, tokens: Tensor) -> Tensor:  # (n, tokens, width) -> the same
        """Let every token look at the tokens of its own sample."""
        scores = self.query(tokens) @ self.key(tokens).transpose(1, 2) * self.scale  # (n, tokens, tokens)
        mixed: Tensor = tokens + scores.softmax(dim=-1) @ self.value(tokens)
        return mixed


class PatchAttention(nn.Module):
    """The trained part: maps of one face -> logits.

    Parameters
    ----------
    n_classes : int
        Number of emotions.
    layout : Layout
        Which of the two.
    dropout : float
        Before the first fully connected layer.
    """

    def __init__(self, n_classes: int, *, layout: Layout = LAYOUTS["seed112"], dropout: float = 0.1) -> None:
        super().__init__()
        first, second = layout.kernels
        none, width = (0, 0, 0, 0), layout.width
        self.patches = nn.Sequential(  # (n, channels, side, side) -> (n, 256, 2, 2)
            SeparableConv(layout.channels, 256, kernel=first, padding=same(layout.side, first)),
            SeparableConv(256, 256, kernel=second, padding=none),
            nn.Conv2d(256, 256, 1),
            nn.ReLU(),
        )
        self.embed = nn.Sequential(nn.Dropout(dropout), nn.Linear(256, width), nn.ReLU(), nn.LayerNorm(width))
        self.attention = SelfAttention(width)
        self.classify = nn.Linear(width, n_classes)

    def forward(self, maps: Tensor) -> Tensor:  # (n, channels, side, side) -> (n, n_classes)
        """Return logits."""
        tokens = self.patches(maps).flatten(2).transpose(1, 2)  # (n, 4, 256): a token is a patch
        logits: Tensor = self.classify(self.attention(self.embed(tokens)).mean(dim=1))
        return logits
