"""What the report says of faces and of the fusion: the paper's Table 1 and Figure 5 redrawn, and the calibration."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models import figures
from models.calibration import calibration_error, reliability
from models.fusion import Floats

TABLE_1 = (92.0, 92.0, 92.0, 91.0)
"""Accuracy, precision, recall and F1 of Le & Nguyen (2025), percent, RAF-DB's four emotions."""
FIGURE_5 = (
    "The paper's Figure 5 is given as a picture without numbers; its text says: happiness and neutral are recognised best, "
    "sadness and fear worst; sadness is taken for neutral and for fear, and others more often for neutral than neutral "
    "for others."
)
DPI = 150
BEFORE_AFTER = (("eeg", "eeg_calibrated"), ("face", "face_calibrated"), ("fusion_uncalibrated", "fusion"))
NAMES = {"eeg": "EEG", "face": "face", "fusion_uncalibrated": "fusion"}


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceScore:
    """One line of Table 1: where the faces come from, four shares, and the confusion matrix behind them."""

    source: str
    accuracy: float
    precision: float
    recall: float
    f1_macro: float
    chance: float
    n: int
    emotions: tuple[str, ...]
    confusion: NDArray[np.int64]


def faces(folder: Path, scores: Sequence[FaceScore]) -> tuple[str, list[Path]]:
    """Return Table 1 with the paper's numbers above ours as HTML, and Figure 5 for each of ours.

    Parameters
    ----------
    folder : Path
        Of the pictures.
    scores : sequence of FaceScore
        Of folders of pictures, and of this dataset's own videos.
    """
    if not scores:
        return "", []
    head = ("faces", "whose numbers", "accuracy", "precision", "recall", "F1", "chance", "n")
    body = [("RAF-DB, four emotions, 80/20", "the paper's", *(f"{value:.0f}" for value in TABLE_1), "", "")]
    for one in scores:
        values = (one.accuracy, one.precision, one.recall, one.f1_macro, one.chance)
        body.append((one.source, "ours", *(f"{100 * value:.1f}" for value in values), str(one.n)))
    made = [
        figures.confusion(
            folder / f"figure-5_{index}.png", one.confusion, one.emotions, title=f"Faces: {one.source}",
            note=f"accuracy {one.accuracy:.0%}, macro-F1 {one.f1_macro:.0%}, chance {one.chance:.0%}",
        )
        for index, one in enumerate(scores, start=1)
    ]  # fmt: skip
    table = _table("Table 1 of Le & Nguyen (2025), percent", head, body, n_text=2)
    return table + f"<p class=note>{escape(FIGURE_5)}</p>" + "".join(map(_picture, made)), made


def calibration(folder: Path, log_p: Mapping[str, Floats], labels: NDArray[np.int64]) -> tuple[str, list[Path]]:
    """Return the calibration errors before and after the fitted temperatures as HTML, and the reliability diagram.

    Parameters
    ----------
    folder : Path
        Of the picture.
    log_p : mapping of str to ndarray, shape (n, n_classes)
        Out-of-fold predictions, with those of :meth:`models.fusion.Fusion.stages` among them.
    labels : ndarray of int, shape (n,)
        What was to be predicted.
    """
    pairs = [(before, after) for before, after in BEFORE_AFTER if before in log_p and after in log_p]
    if not pairs:
        return "", []
    body = [
        (NAMES[before], *(f"{100 * calibration_error(log_p[name], labels):.1f}" for name in (before, after)))
        for before, after in pairs
    ]
    path = _diagram(folder / "reliability.png", pairs, log_p, labels)
    table = _table(
        "Expected calibration error, percent (10 bins)", ("predictions", "before temperatures", "after"), body, n_text=1
    )
    note = (
        "<p class=note>Temperatures are fitted inside each fold, on windows that are not tested and from which no weight was "
        "learnt.</p>"
    )
    return table + note + _picture(path), [path]


def _diagram(path: Path, pairs: Sequence[tuple[str, str]], log_p: Mapping[str, Floats], labels: NDArray[np.int64]) -> Path:
    figure = Figure(figsize=(3.2 * len(pairs), 3.4), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (before, after) in zip(figure.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
        axes.plot([0, 1], [0, 1], color="grey", ls="--", lw=1)
        for name, text, colour in ((before, "before", "#c0392b"), (after, "after", "#2471a3")):
            sure, right, n = reliability(log_p[name], labels)
            axes.plot(sure[n > 0], right[n > 0], color=colour, lw=1, label=text)
            axes.scatter(sure[n > 0], right[n > 0], s=4 + 120 * n[n > 0] / n.sum(), color=colour)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_aspect("equal")
        axes.set_title(NAMES[before], fontsize=10)
        axes.set_xlabel("probability of the likeliest emotion", fontsize=8)
    figure.axes[0].set_ylabel("share that is right", fontsize=8)
    figure.axes[0].legend(fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    return path


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<p><img alt="{escape(path.stem)}" src="data:image/png;base64,{data}"></p>\n'


def _table(caption: str, head: Sequence[str], body: Sequence[Sequence[str]], *, n_text: int) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        marked = (f"<{tag}{' class=t' if index < n_text else ''}>{escape(cell)}</{tag}>" for index, cell in enumerate(cells))
        return f"<tr>{''.join(marked)}</tr>"

    return (
        f"<table><caption>{escape(caption)}</caption>{line(head, 'th')}{''.join(line(cells, 'td') for cells in body)}</table>\n"
    )
