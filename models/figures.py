"""Confusion matrices as pictures: counts and shares in one, emotions by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

DPI = 150


def count(labels: ArrayLike, predicted: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Count how often each class was taken for each.

    Parameters
    ----------
    labels, predicted : array_like of int, shape (n,)
        Classes; windows without a label or a prediction (-1) are left out.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of int64, shape (n_classes, n_classes)
        Rows are labels, columns predictions.

    Examples
    --------
    >>> count([0, 0, 1, 1], [0, 1, 1, -1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    truth, guess = np.asarray(labels, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    there = (truth >= 0) & (guess >= 0)
    flat = np.bincount(truth[there] * n_classes + guess[there], minlength=n_classes**2)
    return flat.reshape(n_classes, n_classes).astype(np.int64)


def confusion(path: Path, counts: NDArray[np.int64], emotions: Sequence[str], *, title: str, note: str = "") -> Path:
    """Draw a confusion matrix as PNG.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    counts : ndarray of int, shape (n_classes, n_classes)
        From :func:`count`.
    emotions : sequence of str
        Names of the classes.
    title : str
        What was predicted how.
    note : str
        One line below, such as the accuracy beside chance, or that the split leaks.

    Returns
    -------
    Path
        The same path.
    """
    n = len(emotions)
    sums = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(sums, 1)
    figure = Figure(figsize=(2.2 + 1.0 * n, 1.9 + 0.9 * n), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{counts[row, column]}\n{share:.0%}" if sums[row, 0] else "-"
        axes.text(column, row, text, ha="center", va="center", color="white" if share > 0.5 else "black", fontsize=11)
    axes.set_xticks(range(n), emotions, rotation=30 if n > 4 else 0, ha="right" if n > 4 else "center")
    axes.set_yticks(range(n), [f"{name}\n(n = {total})" for name, total in zip(emotions, sums[:, 0], strict=True)])
    axes.set_xlabel(f"predicted\n{note}" if note else "predicted")
    axes.set_ylabel("label")
    axes.set_title(title)
    figure.colorbar(image, ax=axes, label="share of the row", shrink=0.8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})  # no version in the file: the same numbers give the same bytes
    return path
