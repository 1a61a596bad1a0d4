"""How pictures look: an emotion has its colour, its hatch and its marker, so that it is told without colour too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

INK, PALE, GRID = "#222222", "#666666", "#dddddd"
KEPT, OUT, UNSURE = "#0072B2", "#D55E00", "#666666"  # blue and vermilion: apart for colour-blind eyes, and in grey
WIDTH = 11.0  # inches
SHARES = "Blues_r"  # light = good: trouble is dark, on paper too
_HATCHES = ("///", "\\\\\\", "xx", "..", "++", "oo", "--", "**")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class Look:
    """How one emotion looks."""

    name: str
    color: str
    hatch: str
    marker: str


class Looks:
    """How the emotions of a study look; a target that the study does not know is grey.

    Parameters
    ----------
    emotions : mapping of str to str
        Colour of each, as ``#RRGGBB``.
    """

    def __init__(self, emotions: Mapping[str, str]) -> None:
        self.all = tuple(
            Look(name, color, _HATCHES[n % 8], _MARKERS[n % 8]) for n, (name, color) in enumerate(emotions.items())
        )  # fmt: skip
        self._named = {look.name: look for look in self.all}

    def of(self, target: str | None) -> Look:
        """Return the look of one."""
        return self._named.get(target or "", Look(target or "?", PALE, "", "."))

    def patches(self) -> list[Artist]:
        """Return handles for a legend of areas."""
        return [Patch(facecolor=tint(e.color), edgecolor=e.color, hatch=e.hatch, label=e.name) for e in self.all]

    def markers(self) -> list[Artist]:
        """Return handles for a legend of points."""
        return [
            Line2D([], [], linestyle="", marker=e.marker, color=e.color, markeredgecolor=INK, markersize=8, label=e.name)
            for e in self.all
        ]


def tint(color: str, share: float = 0.35) -> tuple[float, float, float]:
    """Return a colour mixed with white, so that text on it can be read.

    Examples
    --------
    >>> tint("#000000", 0.25)
    (0.75, 0.75, 0.75)
    """
    red, green, blue = (1 - share * (1 - int(color[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return red, green, blue


def figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure; inches."""
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def plain(axes: Axes, *, grid: str = "") -> None:
    """Leave away what carries nothing; ``grid`` is x, y or both."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    axes.tick_params(colors=INK, labelsize=9)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.8)  # type: ignore[arg-type]
        axes.set_axisbelow(True)


def counts(
    axes: Axes, n: NDArray[np.int_], share: NDArray[np.float64], *, top: float, rows: Sequence[str], columns: Sequence[str]
) -> None:
    """Write numbers, shape (n_rows, n_columns), on fields as dark as ``share`` of ``top``."""
    axes.imshow(share, cmap="Blues", vmin=0, vmax=top, aspect="auto")
    for (row, column), number in np.ndenumerate(n):
        ink = "white" if share[row, column] > 0.6 else INK if number else PALE
        axes.text(column, row, str(number), ha="center", va="center", color=ink, fontsize=11)
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, labelsize=9)
    axes.spines[:].set_visible(False)


def seconds(axes: Axes, duration_s: float) -> None:
    """Label an axis of time from 0 to the end of the recording, as m:ss."""
    step = next((s for s in (10, 30, 60, 120, 300, 600, 1200) if duration_s / s <= 12), 1800)
    ticks = [n * step for n in range(int(duration_s // step) + 1)]
    axes.set_xlim(0, max(duration_s, 1e-3))
    axes.set_xticks(ticks, [f"{t // 60}:{t % 60:02d}" for t in ticks])
    axes.set_xlabel("time in the recording (min:s)")


def legend(axes: Axes, handles: Sequence[Artist], *, columns: int = 8, y: float = 1.0) -> None:
    """Put a legend above a picture."""
    axes.legend(
        handles=list(handles), loc="lower left", bbox_to_anchor=(0, y), ncols=columns, frameon=False, fontsize=9,
        handlelength=2.2, handleheight=1.4, borderaxespad=0.2, columnspacing=1.4,
    )  # fmt: skip
