"""InceptionV3 as a frozen extractor: one 229x229 picture in, 2048 numbers out.

With ImageNet weights where they lie on this machine. Without, seeded features: random filters whose batch norms are replaced by
one gain each, so that every layer keeps the differences between pictures, channels of the layer included. (A gain for every
channel, the usual calibration, throws away which filters respond at all, and was measured to be worse.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.inception import BasicConv2d, Inception3

from models.eeg import engines, spectrogram, variants
from models.eeg.engines import Engine, Floats32
from models.windows import WINDOW_S, WINDOW_SAMPLES

N_FEATURES = 2048
SEED = 20261122
N_CALIBRATION = 64  # pictures of seeded pink noise

Features = Literal["imagenet", "seeded"]


@dataclass(frozen=True)
class Extractor:
    """A frozen network and what its features are called.

    ``weights`` identifies the weights, and ``engine`` what computes them, in cache keys and model cards.
    """

    features: Features
    weights: str
    engine: Engine
    run: Callable[[Floats32], Floats32]

    def __call__(
        self,
        windows: Floats32,
        *,
        below_hz: float | None = None,
        variant: str = variants.DEFAULT,
        progress: Callable[[int], None] = lambda n: None,
    ) -> Floats32:
        """Return the features of windows, shape (n_windows, n_channels, 2048); as :func:`models.eeg.variants.each_window`."""
        return variants.each_window(
            windows, self.run, n_features=N_FEATURES, below_hz=below_hz, variant=variant, progress=progress
        )


def extractor(weights: Path | None, *, engine: Engine = "torch") -> Extractor:
    """Build the extractor.

    Parameters
    ----------
    weights : Path or None
        A state dict of torchvision's ``inception_v3``; None makes seeded features.
    engine : Engine
        What computes; see :mod:`models.eeg.engines`.

    Raises
    ------
    ValueError
        When the file holds the weights of another network.
    EngineError
        When the engine is not installed.
    """
    run = engines.runner(fused(network(weights)), engine)
    if weights is None:
        return Extractor("seeded", f"seeded-{SEED}", engine, run)
    with weights.open("rb") as stream:
        return Extractor("imagenet", hashlib.file_digest(stream, "sha256").hexdigest(), engine, run)


def network(weights: Path | None) -> Inception3:
    """Return InceptionV3 without its head, with the weights of a file or with seeded ones, batch norms and all.

    Raises
    ------
    ValueError
        When the file holds the weights of another network.
    """
    out = _network()
    if weights is None:
        _seed(out)
        return out
    state = torch.load(weights, map_location="cpu", weights_only=True)
    try:
        out.load_state_dict({name: value for name, value in state.items() if not name.startswith(("AuxLogits.", "fc."))})
    except (RuntimeError, AttributeError) as error:
        raise ValueError(f"{weights}: holds no InceptionV3 ({str(error).splitlines()[0]}); fetch it again") from None
    return out


def _network() -> Inception3:
    """Return InceptionV3 without its head and without its auxiliary classifier."""
    with torch.random.fork_rng(devices=[]):
        network = Inception3(aux_logits=False, transform_input=False, init_weights=False)
    network.fc = nn.Identity()
    return network.eval().requires_grad_(False)


def _seed(network: Inception3) -> None:
    """Fill a network with seeded filters, and set one gain per batch norm in one pass over fixed pictures."""
    generator = torch.Generator().manual_seed(SEED)
    hooks = []
    for block in network.modules():
        if isinstance(block, BasicConv2d):
            nn.init.kaiming_normal_(block.conv.weight, nonlinearity="relu", generator=generator)
            hooks.append(block.bn.register_forward_pre_hook(_set_gain))
    with torch.inference_mode():
        network(
            torch.from_numpy(calibration_images() * 2 - 1)
        )  # all at once: a gain is set by the first batch that comes along
    for hook in hooks:
        hook.remove()


def _set_gain(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Make a batch norm divide by the root mean square of its first input, over everything: one number."""
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.zero_()
    norm.running_var.fill_(float(inputs[0].square().mean()))


def calibration_images() -> NDArray[np.float32]:
    """Return the fixed pictures of the gains: spectrograms of seeded pink noise, shape (64, 3, 229, 229)."""
    n_times = 4 * WINDOW_SAMPLES
    shaped = np.random.default_rng(SEED).standard_normal((N_CALIBRATION, n_times // 2 + 1, 2))
    amplitude = 1 / np.sqrt(np.maximum(np.arange(n_times // 2 + 1), 1))
    noise = np.fft.irfft(shaped @ np.array([1, 1j]) * amplitude, n_times, axis=-1).astype(np.float32)
    bands = spectrogram.scale(spectrogram.split_bands(noise))
    return spectrogram.images(spectrogram.segment(bands, [WINDOW_S])[0])


def fused(network: Inception3) -> nn.Module:
    """Fold each batch norm into its convolution, and lay the weights out for the CPU's fast path."""
    for block in network.modules():
        if isinstance(block, BasicConv2d):
            block.conv = fuse_conv_bn_eval(block.conv, block.bn)
            block.bn = nn.Identity()
    fused: nn.Module = network.to(memory_format=torch.channels_last)
    return fused
