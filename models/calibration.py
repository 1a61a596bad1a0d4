"""How far probabilities can be believed: of ten windows said to be 70 % happy, seven should be. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from models.fusion import Floats, Ints, normalise


def calibration_error(log_p: ArrayLike, y: ArrayLike, *, n_bins: int = 10) -> float:
    """Return the expected calibration error: how far the probability of the likeliest class lies from the share that is right.

    Parameters
    ----------
    log_p : array_like, shape (n, k)
        Predictions; missing rows are left out.
    y : array_like, shape (n,)
        Labels.
    n_bins : int
        Bins of equal width (Guo et al. 2017, eq. 3).

    Returns
    -------
    float
        0..1, 0 for a perfect calibration; NaN without any prediction.

    Examples
    --------
    >>> calibration_error(np.log([[0.75, 0.25]] * 4), [0, 0, 0, 1])
    0.0
    """
    sure, right, n = reliability(log_p, y, n_bins=n_bins)
    return float((n * np.abs(sure - right)).sum() / n.sum()) if n.sum() else float("nan")


def reliability(log_p: ArrayLike, y: ArrayLike, *, n_bins: int = 10) -> tuple[Floats, Floats, Ints]:
    """Return for bins of the likeliest class's probability: its mean, the share that is right, and how many there are.

    Parameters
    ----------
    log_p, y, n_bins
        As in :func:`calibration_error`.

    Returns
    -------
    sure, right : ndarray, shape (n_bins,)
        0 in an empty bin.
    n : ndarray of int, shape (n_bins,)
        Predictions in the bin.
    """
    held_out, labels = normalise(log_p), np.asarray(y, dtype=np.int64)
    seen = ~np.isnan(held_out).any(axis=1)
    held_out, labels = held_out[seen], labels[seen]
    p = np.exp(held_out.max(axis=1))
    bins = np.minimum((p * n_bins).astype(np.int64), n_bins - 1)
    n = np.bincount(bins, minlength=n_bins)
    many = np.maximum(n, 1)
    sure = np.bincount(bins, weights=p, minlength=n_bins) / many
    right = np.bincount(bins, weights=(held_out.argmax(axis=1) == labels).astype(np.float64), minlength=n_bins) / many
    return sure, right, n
