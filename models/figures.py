"""Confusion matrices as pictures: counts and shares in one, emotions by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    return _save(figure, path)


def confusions(path: Path, counts: Sequence[NDArray[np.int64]], emotions: Sequence[str], *, titles: Sequence[str]) -> Path:
    """Draw several confusion matrices beside each other as PNG, shares of the rows.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    counts : sequence of ndarray of int, shape (n_classes, n_classes)
        From :func:`count`.
    emotions : sequence of str
        Names of the classes.
    titles : sequence of str
        One for each.

    Returns
    -------
    Path
        The same path.
    """
    n = len(emotions)
    figure = Figure(figsize=(1.2 + (1.0 + 0.9 * n) * len(counts), 1.9 + 0.8 * n), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    for index, (axes, matrix, title) in enumerate(
        zip(figure.subplots(1, len(counts), squeeze=False)[0], counts, titles, strict=True)
    ):
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", color="white" if share > 0.5 else "black")
        axes.set_xticks(range(n), emotions, rotation=30, ha="right")
        axes.set_yticks(range(n), emotions if index == 0 else [""] * n)
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("predicted")
    figure.axes[0].set_ylabel("label")
    return _save(figure, path)


def over_time(path: Path, series: Mapping[str, Sequence[Mapping[str, float]]], *, chance: float) -> Path:
    """Draw accuracy against seconds since the clip's onset as PNG.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    series : mapping of str to sequence of mapping
        For each split its points: ``since_onset_s``, ``accuracy``, ``n``.
    chance : float
        Share of the most frequent label.

    Returns
    -------
    Path
        The same path.
    """
    figure = Figure(figsize=(7, 3.6), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, points in series.items():
        axes.plot([one["since_onset_s"] for one in points], [one["accuracy"] for one in points], marker="o", ms=3, label=name)
    axes.axhline(chance, color="grey", ls="--", lw=1, label="chance")
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("window begins, seconds since the clip's onset")
    axes.set_ylabel("accuracy")
    axes.legend(fontsize=8, ncols=2, frameon=False)
    return _save(figure, path)


def _save(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})  # no version in the file: the same numbers give the same bytes
    return path
