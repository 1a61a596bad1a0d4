"""What computes InceptionV3: torch, or OpenVINO (extra ``fast``) in a precision that is said, never one it picks itself."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # torch takes seconds to load, and the names of the engines are wanted before
    import torch
    from torch import nn

Floats32 = NDArray[np.float32]
Engine = Literal["torch", "openvino-fp32", "openvino-bf16"]
ENGINES: tuple[str, ...] = get_args(Engine)
BATCH = 28  # pictures at once: the channels of one window
SIZE_PX = 229


class EngineError(RuntimeError):
    """The engine cannot be used here; the text is one line with the cure."""


def device() -> torch.device:
    """Return where torch computes: a graphics card where there is one."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def check(engine: str) -> None:
    """Refuse an engine that is not installed, before anything is computed.

    Raises
    ------
    EngineError
        With the cure.
    """
    if engine == "torch":
        return
    try:
        there = importlib.util.find_spec("openvino") is not None
    except ValueError:  # a module that was blocked has no specification
        there = False
    if not there:
        raise _missing(engine)


def _missing(engine: str) -> EngineError:
    return EngineError(f"engine = {engine}: OpenVINO is not installed; pip install 'emolab[fast]'")


def runner(network: nn.Module, engine: Engine = "torch") -> Callable[[Floats32], Floats32]:
    """Return a function from pictures, shape (n, 3, 229, 229), 0 to 1, to features, shape (n, n_features).

    Parameters
    ----------
    network : Module
        In evaluation mode; sees pictures from -1 to 1.
    engine : {"torch", "openvino-fp32", "openvino-bf16"}
        Features of one are not those of another to the last bit: the cache and the model's card say which.

    Raises
    ------
    EngineError
        When OpenVINO is not installed.
    """
    batch = _on_device(network) if engine == "torch" else _openvino(network, engine.removeprefix("openvino-"))

    def run(images: Floats32) -> Floats32:
        return np.concatenate([batch(images[i : i + BATCH] * 2 - 1) for i in range(0, len(images), BATCH)])

    return run


def _on_device(network: nn.Module) -> Callable[[Floats32], Floats32]:
    """Return what computes in fp32, also on a graphics card: convolutions there have 10 bits of fraction (TF32) by default."""
    import torch

    torch.backends.cudnn.allow_tf32 = False
    return functools.partial(_torch, network.to(device()))


def _torch(network: nn.Module, images: Floats32) -> Floats32:
    import torch

    with torch.inference_mode():
        laid = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
        out: Floats32 = network(laid.to(device())).cpu().numpy()
        return out


def _openvino(network: nn.Module, precision: str) -> Callable[[Floats32], Floats32]:
    import torch

    # its converter reports every use to its maker: without this module it takes a stub that reports nothing
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino
    except ImportError:
        raise _missing(f"openvino-{precision}") from None
    example = torch.zeros(1, 3, SIZE_PX, SIZE_PX)
    with torch.inference_mode():
        model = openvino.convert_model(network, example_input=example, input=[-1, 3, SIZE_PX, SIZE_PX])
    hints = {"INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[precision], "PERFORMANCE_HINT": "LATENCY"}
    compiled: Any = openvino.Core().compile_model(model, "CPU", hints | {"INFERENCE_NUM_THREADS": torch.get_num_threads()})
    return lambda images: np.array(compiled(images)[0], np.float32)
