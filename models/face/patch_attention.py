"""The face network: truncated MobileNetV2, patch extraction, self-attention within the sample, classes.

After Le and Nguyen (this project's paper, section 3) and PAtt-Lite (Ngwe et al. 2024), with one repair: PAtt-Lite's
attention runs across the batch, so that a face's output depends on the faces beside it. Here the tokens are the four
patches of one face.

MobileNetV2 without its last 29 Keras layers ends at ``block_13_project_BN``: ``mobilenet_v2().features[:15]``, 160
channels of 4 x 4 at 112 px, 697,792 parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models import mobilenet_v2

from models.cache import key_of

LAYERS = 15  # of mobilenet_v2().features
CHANNELS, SIDE = 160, 4  # what they give at 112 px
BACKBONE_SEED = 20240229  # one for all runs, so that cached features stay valid
IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 64


@dataclass(frozen=True, eq=False)
class Backbone:
    """The frozen part, which sees every face once.

    Parameters
    ----------
    layers : nn.Module
        In eval mode, without gradients: weights and batch-norm buffers stay as they are.
    digest : str
        Of weights and buffers, for caches.
    """

    layers: nn.Module
    digest: str
    shape: tuple[int, int, int] = (CHANNELS, SIDE, SIDE)

    def maps(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the feature maps of faces.

        Parameters
        ----------
        crops : ndarray of uint8, shape (n, 112, 112, 3)
            RGB.

        Returns
        -------
        ndarray of float32, shape (n, 160, 4, 4)
        """
        out = np.empty((len(crops), *self.shape), dtype=np.float32)
        mean, sd = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_SD).view(3, 1, 1)
        with torch.inference_mode():
            for start in range(0, len(crops), BATCH):
                batch = torch.from_numpy(crops[start : start + BATCH]).permute(0, 3, 1, 2).float() / 255
                out[start : start + BATCH] = self.layers((batch - mean) / sd).numpy()
        return out


def load_backbone(weights: Path | None = None) -> Backbone:
    """Build the truncated MobileNetV2.

    Parameters
    ----------
    weights : Path, optional
        torchvision's ImageNet checkpoint (``emo-weights fetch mobilenet_v2``); without it the weights are random with a
        fixed seed, and features must be standardised on the training fold.

    Returns
    -------
    Backbone
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(BACKBONE_SEED)
        whole = mobilenet_v2(weights=None)
    if weights is not None:
        whole.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    layers = whole.features[:LAYERS].eval().requires_grad_(False)
    return Backbone(layers, key_of(*(value.numpy() for value in layers.state_dict().values())))


class SeparableConv(nn.Sequential):
    """Depthwise then pointwise convolution, kernel 2, then ReLU."""

    def __init__(self, n_in: int, n_out: int, *, stride: int) -> None:
        same = [nn.ZeroPad2d((0, 1, 0, 1))] if stride == 1 else []  # as Keras pads an even kernel
        depthwise = nn.Conv2d(n_in, n_in, 2, stride=stride, groups=n_in, bias=False)
        super().__init__(*same, depthwise, nn.Conv2d(n_in, n_out, 1), nn.ReLU())


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
    """The trained part, ``seed112``: maps of one face -> logits.

    Parameters
    ----------
    n_classes : int
        Number of emotions.
    width : int
        Features a token.
    dropout : float
        Before the first fully connected layer.
    """

    def __init__(self, n_classes: int, *, width: int = 64, dropout: float = 0.1) -> None:
        super().__init__()
        self.patches = nn.Sequential(  # (n, 160, 4, 4) -> (n, 256, 2, 2)
            SeparableConv(CHANNELS, 256, stride=1), SeparableConv(256, 256, stride=2), nn.Conv2d(256, 256, 1), nn.ReLU()
        )  # fmt: skip
        self.embed = nn.Sequential(nn.Dropout(dropout), nn.Linear(256, width), nn.ReLU(), nn.LayerNorm(width))
        self.attention = SelfAttention(width)
        self.classify = nn.Linear(width, n_classes)

    def forward(self, maps: Tensor) -> Tensor:  # (n, 160, 4, 4) -> (n, n_classes)
        """Return logits."""
        tokens = self.patches(maps).flatten(2).transpose(1, 2)  # (n, 4, 256): a token is a patch
        logits: Tensor = self.classify(self.attention(self.embed(tokens)).mean(dim=1))
        return logits
