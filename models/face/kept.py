"""A face recogniser out of what was kept of it, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.face.recogniser import FaceRecogniser, Linear
from models.face.training import Classes, Frames, Network
from models.fusion import Floats, normalise

Tensors = Mapping[str, NDArray[Any]]


class KeptError(ValueError):
    """The tensors are of something else; one line."""


def tensors(recogniser: FaceRecogniser) -> dict[str, NDArray[Any]]:
    """Return everything that a face recogniser needs to predict."""
    frames = recogniser.frames
    if isinstance(frames, Network):
        weights = {name: value.numpy() for name, value in frames.net.state_dict().items()}
        return {**weights, "mean": frames.mean.astype(np.float32), "sd": frames.sd.astype(np.float32)}
    if isinstance(frames, Linear):
        scaler, regression = frames.pipeline[0], frames.pipeline[1]
        return {
            "mean": scaler.mean_, "sd": scaler.scale_, "classes": regression.classes_,
            "coefficients": regression.coef_, "intercepts": regression.intercept_,
        }  # fmt: skip
    raise TypeError(f"no way to keep a {type(frames).__name__}")


def restore(kept: Tensors, *, model: str, n_classes: int) -> FaceRecogniser:
    """Return a recogniser that predicts.

    Parameters
    ----------
    kept : mapping of str to ndarray
        From :func:`tensors`.
    model : {"logistic", "patch_attention"}
        What they are of.
    n_classes : int
        Emotions.

    Raises
    ------
    KeptError
        When they are of something else.
    """
    needed = {"logistic": {"mean", "sd", "classes", "coefficients", "intercepts"}, "patch_attention": {"mean", "sd"}}
    if model not in needed or needed[model] - set(kept):
        raise KeptError(f"tensors of another model than {model}")
    frames = _Logistic(kept, n_classes) if model == "logistic" else _Patches(kept, n_classes)
    return FaceRecogniser(frames, n_classes)


@dataclass(frozen=True)
class _Kept:
    tensors: Tensors
    n_classes: int

    def fit(self, x: Frames, y: Classes, groups: NDArray[Any], validation: tuple[Frames, Classes] | None = None) -> None:
        raise TypeError("a kept model is not trained again")


class _Logistic(_Kept):
    """A logistic regression from its tensors."""

    def log_p(self, x: Frames) -> Floats:
        t = self.tensors
        known = (x.astype(np.float64) - t["mean"]) / t["sd"] @ t["coefficients"].T + t["intercepts"]
        if known.shape[1] == 1:  # scikit-learn keeps one row for two classes
            known = np.hstack([np.zeros_like(known), known])
        logits = np.full((len(x), self.n_classes), -np.inf)
        logits[:, t["classes"]] = known
        return normalise(logits)


class _Patches(_Kept):
    """A patch-attention network from its tensors."""

    def log_p(self, x: Frames) -> Floats:
        import torch

        from models.face.patch_attention import PatchAttention, layout_of

        weights = {name: np.array(value) for name, value in self.tensors.items() if name not in ("mean", "sd")}
        network = PatchAttention(self.n_classes, layout=layout_of(x.shape[1:]))
        try:
            network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        except RuntimeError as error:
            raise KeptError(f"tensors of another network than patch_attention: {str(error).splitlines()[0]}") from None
        network.eval()
        standard = ((x - self.tensors["mean"]) / self.tensors["sd"]).astype(np.float32)
        with torch.inference_mode():
            return normalise(network(torch.from_numpy(standard)).numpy())
