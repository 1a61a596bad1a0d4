"""The pictures of these pages that need neither a screen nor a recording; ``make docs`` calls this.

The others are made by ``record.py`` beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import cv2
import mne
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from collector.twin.face import Identity, draw, expression
from models.eeg.scalp_map import PAPER, Grid, grid_of
from stimuli.scenes import scene_of

HERE = Path(__file__).parent
COLORS = {"happiness": "#E69F00", "sadness": "#0072B2", "fear": "#CC79A7", "neutral": "#7F7F7F"}
HEADSET = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")  # Emotiv's EPOC
GAP_PX = 6
LARGE_B = 140_000


def main() -> None:
    """Draw them all."""
    faces()
    clips()
    scalp_maps()


def faces() -> None:
    """Draw simulated people, one a row, with each emotion at full strength."""

    def cell(seed: int, emotion: str) -> Image.Image:
        return photo(draw(Identity.of(seed), expression(emotion, 1.0), size_px=(213, 160)))

    save("faces.png", grid([[cell(seed, emotion) for emotion in COLORS] for seed in (1, 4, 6)]))


def clips() -> None:
    """Draw a frame of one clip of each emotion."""

    def still(number: int, emotion: str) -> Image.Image:
        paint = scene_of(emotion, number, COLORS[emotion]).painter((320, 180), np.random.default_rng(1))
        return photo(paint(2.0))

    save("clips.png", grid([[still(n, emotion) for n, emotion in enumerate(COLORS)]]))


def scalp_maps() -> None:
    """Draw the grids on which the EEG recogniser lays the electrodes: the paper's, and those of two other montages."""
    scalp_map((figure := canvas(3.2, 4.2)).add_subplot(), PAPER)
    save("scalp-map.png", drawn(figure))
    cap = tuple(mne.channels.make_standard_montage("biosemi64").ch_names)
    left, right = (figure := canvas(8.2, 4.8)).subplots(1, 2, width_ratios=[1, 1.6])
    scalp_map(left, grid_of(HEADSET), "14 of a headset")
    scalp_map(right, grid_of(cap), "64 of a cap")
    save("scalp-maps.png", drawn(figure))


def scalp_map(axes: Axes, grid: Grid, title: str = "") -> None:
    """Draw one grid."""
    cells = dict(zip(grid.cells, grid.channels, strict=True))
    axes.imshow(
        [[(row, column) in cells for column in range(grid.n_columns)] for row in range(grid.n_rows)],
        cmap="Blues", vmin=-0.2, vmax=2.4,
    )  # fmt: skip
    for row, column in np.ndindex(grid.n_rows, grid.n_columns):
        name = cells.get((row, column))
        color = "black" if name else "#999999"
        axes.text(column, row, name or "0", ha="center", va="center", color=color, fontsize=10 if grid.n_columns < 7 else 8)
    axes.set_xticks(np.arange(grid.n_columns + 1) - 0.5, [])
    axes.set_yticks(np.arange(grid.n_rows + 1) - 0.5, [])
    axes.grid(color="white", linewidth=2)
    axes.tick_params(length=0)
    axes.set_xlabel("back of the head")
    axes.set_title(f"{title}\nforehead" if title else "forehead", fontsize=10)


def save(name: str, picture: Image.Image, *, dither: Image.Dither = Image.Dither.NONE) -> None:
    """Write a small PNG; one that would be large has 256 colours, rare ones among them."""
    path, picture = HERE / name, picture.convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > LARGE_B:
        palette = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE)
        picture.quantize(palette=palette, dither=dither).save(path, optimize=True)


def grid(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Put pictures of one size side by side."""
    width, height = (side + GAP_PX for side in rows[0][0].size)
    sheet = Image.new("RGB", (width * len(rows[0]) - GAP_PX, height * len(rows) - GAP_PX), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(picture, (x * width, y * height))
    return sheet


def photo(bgr: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Image.Image:
    """Return a picture of OpenCV's."""
    return Image.fromarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def canvas(width_in: float, height_in: float) -> Figure:
    """Return a figure that needs no screen."""
    figure = Figure(figsize=(width_in, height_in), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def drawn(figure: Figure) -> Image.Image:
    """Return a figure as a picture."""
    file = BytesIO()
    figure.savefig(file, format="png")
    return Image.open(file)


if __name__ == "__main__":
    main()
