"""Late fusion of the recognisers' probabilities: pure functions over float64 log-probabilities.

The default is a log-linear pool, weighted by quality, with the prior divided out:
``log p(y) = log prior(y) + sum_m w_m (log p_m(y) - log prior_m(y))``, which for full weights is the product rule of
independent modalities (Kittler et al. 1998, eq. 7). ``prior_m`` is what a modality's probabilities assume, as its recogniser
states it: equal shares where training weighs the classes, whatever its training data held. Probabilities are calibrated by one
temperature per modality before they are pooled, and by one more after (Guo et al. 2017). A modality that is missing is left out
of the sum, never weighted 0: ``0 * -inf`` is not a number. Where all are missing there is no label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

Rule = Literal["pool", "mean", "product", "max"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TEMPERATURES = (0.25, 10.0)
"""Bounds: without them a temperature runs to 0 on separable and to infinity on chance predictions."""
PULL_CLIPS = 2.0
"""Pull of a temperature towards 1, in clips: windows of one clip are right or wrong together, so few clips say little."""
LOG_FLOOR = -60.0
"""A hard zero becomes e^-60: two modalities that exclude each other's class then tie instead of giving not-a-number."""
NO_LABEL = -1


class FusionError(ValueError):
    """The arrays do not fit together."""


@dataclass(frozen=True, kw_only=True)
class Fusion:
    """A rule with its fitted numbers.

    Parameters
    ----------
    rule : {"pool", "mean", "product", "max"}
        ``product`` is the pool without quality weights and without dividing by the prior.
    prior : tuple of float
        Share of every class in the training data; empty means equal shares.
    priors : mapping of str to tuple of float
        What each modality's probabilities assume; a modality not named assumes `prior`.
    temperatures : mapping of str to float
        One per modality; a modality not named has 1.
    final_temperature : float
        Applied to the pooled probabilities.
    """

    rule: Rule = "pool"
    prior: tuple[float, ...] = ()
    priors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    final_temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.rule not in get_args(Rule):
            raise FusionError(f"rule = {self.rule!r}: one of {', '.join(get_args(Rule))}")

    def apply(self, log_p: Mapping[str, ArrayLike], quality: Mapping[str, ArrayLike] | None = None) -> Floats:
        """Fuse new predictions; the arguments are those of :func:`fuse`."""
        pooled = fuse(
            log_p, quality, rule=self.rule, prior=self.prior or None, priors=self.priors, temperatures=self.temperatures
        )
        return temper(pooled, self.final_temperature)

    def stages(self, log_p: Mapping[str, ArrayLike], quality: Mapping[str, ArrayLike] | None = None) -> dict[str, Floats]:
        """Return what lies between the modalities and the fused probabilities, to be looked at.

        Returns
        -------
        dict of str to ndarray, shape (n, k)
            ``<modality>_calibrated``: after its temperature. ``fusion_uncalibrated``: the pool without any temperature.
        """
        cooled = {f"{name}_calibrated": temper(values, self.temperatures.get(name, 1.0)) for name, values in log_p.items()}
        plain = fuse(log_p, quality, rule=self.rule, prior=self.prior or None, priors=self.priors)
        return {**cooled, "fusion_uncalibrated": plain}


def log_probabilities(p: ArrayLike) -> Floats:
    """Return the logarithm of probabilities as float64; hard zeros become :data:`LOG_FLOOR`, missing rows stay NaN.

    Examples
    --------
    >>> log_probabilities([[1.0, 0.0]]).round(1).tolist()
    [[-0.0, -60.0]]
    """
    with np.errstate(divide="ignore"):
        return normalise(np.log(np.asarray(p, dtype=np.float64)))


def normalise(scores: ArrayLike) -> Floats:
    """Turn logits or unnormalised log-probabilities into log-probabilities (log-softmax over the last axis).

    Parameters
    ----------
    scores : array_like, shape (n, k)
        Minus infinity is a hard zero. A row with a NaN, and a row of nothing but minus infinity, is missing.

    Returns
    -------
    ndarray of float64, shape (n, k)
        Rows sum to 1 when exponentiated; missing rows are NaN throughout.

    Raises
    ------
    FusionError
        For plus infinity, or when the array has not two axes.
    """
    out: Floats = np.array(scores, dtype=np.float64)
    if out.ndim != 2 or out.shape[1] < 2:
        raise FusionError(f"scores have the shape {out.shape}: expected (windows, 2 or more classes)")
    if np.isposinf(out).any():
        raise FusionError("scores hold plus infinity: a network that has diverged")
    missing = np.isnan(out).any(axis=1) | np.isneginf(out).all(axis=1)
    out[missing] = 0.0
    out -= out.max(axis=1, keepdims=True)
    out = np.maximum(out, LOG_FLOOR)
    out -= logsumexp(out, axis=1, keepdims=True)
    out[missing] = np.nan
    return out


def temper(log_p: ArrayLike, temperature: float) -> Floats:
    """Divide log-probabilities by a temperature and normalise: above 1 is less sure, and the order never changes."""
    if not (np.isfinite(temperature) and temperature > 0):
        raise FusionError(f"temperature = {temperature}: must be positive")
    return normalise(normalise(log_p) / temperature)


def fuse(
    log_p: Mapping[str, ArrayLike],
    quality: Mapping[str, ArrayLike] | None = None,
    *,
    rule: Rule = "pool",
    prior: ArrayLike | None = None,
    priors: Mapping[str, ArrayLike] | None = None,
    temperatures: Mapping[str, float] | None = None,
) -> Floats:
    """Combine the modalities' log-probabilities window by window.

    Parameters
    ----------
    log_p : mapping of str to array_like, shape (n, k)
        Log-probabilities by modality, same windows and classes; a row of NaN: this modality is missing there.
    quality : mapping of str to array_like, shape (n,), optional
        0..1 by modality; 0 means missing, NaN means not known and counts as 1. Only its ratio between modalities
        matters, so that a lone modality keeps its own probabilities. Weighs the pool and the mean.
    rule : {"pool", "mean", "product", "max"}
        See :class:`Fusion`.
    prior : array_like, shape (k,), optional
        Shares of the classes in the training data, for the pool; equal when left out.
    priors : mapping of str to array_like, shape (k,), optional
        Shares that a modality's probabilities assume, for the pool; `prior` where not named.
    temperatures : mapping of str to float, optional
        One per modality, 1 where not named.

    Returns
    -------
    ndarray of float64, shape (n, k)
        Log-probabilities; NaN where every modality is missing.

    Raises
    ------
    FusionError
        When shapes differ, a quality lies outside 0..1, or a prior is not one.
    """
    if not log_p:
        raise FusionError("no modality given")
    tempered = [temper(values, (temperatures or {}).get(name, 1.0)) for name, values in log_p.items()]
    if len({values.shape for values in tempered}) > 1:
        raise FusionError(f"shapes differ: { {name: np.shape(values) for name, values in log_p.items()} }")
    stack = np.stack(tempered)  # (modalities, n, k)
    weights = _weights(stack, [(quality or {}).get(name) for name in log_p])
    missing = weights == 0
    stack[missing] = 0.0  # finite, and left out below by its weight
    if rule == "pool":
        log_prior = _log_prior(prior, stack.shape[2])
        assumed = np.stack([_log_prior((priors or {}).get(name, prior), stack.shape[2]) for name in log_p])
        pooled = log_prior + np.einsum("mn,mnk->nk", weights, stack - assumed[:, None])
    elif rule == "product":
        pooled = np.where(missing[..., None], 0.0, stack).sum(axis=0)
    elif rule == "mean":
        pooled = logsumexp(stack, b=np.broadcast_to(weights[..., None], stack.shape), axis=0)
    elif rule == "max":
        pooled = np.where(missing[..., None], -np.inf, stack).max(axis=0)
    else:
        raise FusionError(f"rule = {rule!r}: one of {', '.join(get_args(Rule))}")
    pooled[missing.all(axis=0)] = np.nan
    return normalise(pooled)


def _weights(stack: Floats, quality: list[ArrayLike | None]) -> Floats:
    """Return weights of shape (modalities, n): 0 where missing, the best modality that is there has 1."""
    n = stack.shape[1]
    weights = np.ones(stack.shape[:2])
    for row, values in zip(weights, quality, strict=True):
        if values is not None:
            given = np.asarray(values, dtype=np.float64)
            if given.shape != (n,) or not np.all(np.isnan(given) | ((given >= 0) & (given <= 1))):
                raise FusionError(f"quality: expected {n} values in 0..1")
            row[:] = np.where(np.isnan(given), 1.0, given)
    weights[np.isnan(stack).any(axis=2)] = 0.0
    best = weights.max(axis=0)
    weights /= np.where(best > 0, best, 1.0)
    return weights


def _log_prior(prior: ArrayLike | None, k: int) -> Floats:
    shares = np.full(k, 1 / k) if prior is None else np.asarray(prior, dtype=np.float64)
    if shares.shape != (k,) or not (np.isfinite(shares).all() and (shares > 0).all() and np.isclose(shares.sum(), 1)):
        raise FusionError(f"prior = {shares.tolist()}: expected {k} positive shares that sum to 1")
    logs: Floats = np.log(shares)
    return logs


def prior_of(y: ArrayLike, k: int) -> tuple[float, ...]:
    """Return the share of every class, with one extra of each so that none is 0 (Laplace)."""
    counts = np.bincount(np.asarray(y, dtype=np.int64), minlength=k) + 1.0
    return tuple(float(share) for share in counts / counts.sum())


def fit_temperature(log_p: ArrayLike, y: ArrayLike, *, strength: float = 1.0) -> float:
    """Find the temperature with the best likelihood on held-out predictions.

    Parameters
    ----------
    log_p : array_like, shape (n, k)
        Predictions for people whom the recogniser did not see. Missing rows are left out.
    y : array_like, shape (n,)
        Their labels.
    strength : float
        Of the pull towards 1: that many windows' worth of ``0.5 * log(T)**2``.

    Returns
    -------
    float
        Within :data:`TEMPERATURES`; 1 without any prediction.
    """
    from scipy.optimize import minimize_scalar  # half a second, which --help need not wait for

    held_out, labels = normalise(log_p), np.asarray(y, dtype=np.int64)
    seen = ~np.isnan(held_out).any(axis=1)
    if not seen.any():
        return 1.0
    held_out, labels = held_out[seen], labels[seen]

    def loss(log_t: float) -> float:
        fitted = temper(held_out, float(np.exp(log_t)))
        return float(-fitted[np.arange(len(labels)), labels].sum() + strength * 0.5 * log_t**2)

    found = minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded")
    return float(np.clip(np.exp(found.x), *TEMPERATURES))


def fit_fusion(
    log_p: Mapping[str, ArrayLike],
    y: ArrayLike,
    quality: Mapping[str, ArrayLike] | None = None,
    *,
    rule: Rule = "pool",
    prior: ArrayLike | None = None,
    priors: Mapping[str, tuple[float, ...]] | None = None,
    clips: ArrayLike | None = None,
) -> Fusion:
    """Fit the temperatures inside a fold.

    Parameters
    ----------
    log_p : mapping of str to array_like, shape (n, k)
        Predictions on the fold's *training* participants by recognisers that did not see them (an inner split by
        participant); never on the fold's test participants.
    y : array_like, shape (n,)
        Labels of those windows, 0..k-1.
    quality, rule, prior, priors
        As in :func:`fuse`; the prior is counted from ``y`` when left out.
    clips : array_like, shape (n,), optional
        Which showing of a clip each window belongs to; left out: each window is one of its own.

    Returns
    -------
    Fusion
        To be applied to the fold's test windows.
    """
    k = np.shape(next(iter(log_p.values())))[1]
    shares = prior_of(y, k) if prior is None else tuple(float(share) for share in np.asarray(prior))
    n_windows = np.shape(y)[0]
    pull = 1.0 if clips is None else PULL_CLIPS * n_windows / max(1, len(np.unique(np.asarray(clips))))
    temperatures = {name: fit_temperature(values, y, strength=pull) for name, values in log_p.items()}
    pooled = fuse(log_p, quality, rule=rule, prior=shares, priors=priors, temperatures=temperatures)
    return Fusion(
        rule=rule, prior=shares, priors=dict(priors or {}), temperatures=temperatures,
        final_temperature=fit_temperature(pooled, y, strength=pull),
    )  # fmt: skip


def decide(log_p: ArrayLike, *, abstain_below: float = 0.0) -> Ints:
    """Return the likeliest class of every window.

    Parameters
    ----------
    log_p : array_like, shape (n, k)
        Fused log-probabilities.
    abstain_below : float
        Give no label where the likeliest class has a smaller probability than this.

    Returns
    -------
    ndarray of int64, shape (n,)
        :data:`NO_LABEL` where everything is missing or the fusion abstains.
    """
    fused = normalise(log_p)
    missing = np.isnan(fused).any(axis=1)
    fused[missing] = 0.0
    no_label = missing | (np.exp(fused.max(axis=1)) < abstain_below)
    return np.where(no_label, NO_LABEL, fused.argmax(axis=1)).astype(np.int64)
