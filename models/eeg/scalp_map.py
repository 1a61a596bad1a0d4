"""The scalp seen from above as a picture: one cell per electrode, 7x5 for the paper's 28, and a grid for any other montage."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MONTAGE = "colin27_1020"
"""Of MNE-Python, where names alone must tell where electrodes are."""

# Rows from the forehead to the back of the head: Fp F FC C CP P O; None is a cell without an electrode.
GRID: tuple[tuple[str | None, ...], ...] = (
    (None, "Fp1", None, "Fp2", None),
    ("F7", "F3", "Fz", "F4", "F8"),
    ("FC5", "FC1", None, "FC2", "FC6"),
    ("T7", "C3", "Cz", "C4", "T8"),
    ("CP5", "CP1", None, "CP2", "CP6"),
    ("P7", "P3", "Pz", "P4", "P8"),
    (None, "O1", "Oz", "O2", None),
)
N_ROWS, N_COLUMNS = len(GRID), len(GRID[0])
CELLS: dict[str, tuple[int, int]] = {
    name: (row, column) for row, names in enumerate(GRID) for column, name in enumerate(names) if name is not None
}
CHANNELS: tuple[str, ...] = tuple(CELLS)
"""The 28 analysed electrodes, in reading order of the grid."""
MUSCLES = tuple(name for name in CHANNELS if name[0] in "FT")
"""Those over the muscles of forehead and temples: Fp, F, FC and T; 15 central, parietal and occipital ones are left."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where electrodes lie in a picture of the scalp.

    Parameters
    ----------
    channels : tuple of str
        In the order of the data.
    cells : tuple of (int, int)
        Row (0 is the forehead) and column (0 is left) of each.
    n_rows, n_columns : int
        Size of the picture; at least 3.
    places : tuple of (float, float)
        Of each seen from above, as :func:`projected` has them; empty where the names tell.

    Raises
    ------
    ValueError
        When two electrodes share a cell, or one lies outside.
    """

    channels: tuple[str, ...]
    cells: tuple[tuple[int, int], ...]
    n_rows: int
    n_columns: int
    places: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.places and len(self.places) != len(self.channels):
            raise ValueError(f"{len(self.channels)} channels have {len(self.places)} places")
        if len(self.cells) != len(self.channels) or len(set(self.cells)) < len(self.cells):
            raise ValueError(f"{len(self.channels)} channels have {len(set(self.cells))} cells; each needs one of its own")
        if outside := [cell for cell in self.cells if not (0 <= cell[0] < self.n_rows and 0 <= cell[1] < self.n_columns)]:
            raise ValueError(f"cell {outside[0]} lies outside a grid of {self.n_rows}x{self.n_columns}")

    @property
    def flat(self) -> list[int]:
        """Each channel's place in the flattened picture, row after row."""
        return [row * self.n_columns + column for row, column in self.cells]

    @property
    def seen_from_above(self) -> NDArray[np.float64]:
        """Places of the electrodes, shape (n_channels, 2), as :func:`projected` has them."""
        return np.array(self.places, float).reshape(-1, 2) if self.places else projected(self.channels)

    def over_muscles(self) -> NDArray[np.bool_]:
        """Say of each channel whether the nearest of the paper's electrodes lies over the forehead or a temple."""
        if self.channels == CHANNELS:
            return np.array([name in MUSCLES for name in CHANNELS])
        apart = np.square(self.seen_from_above[:, None] - projected(CHANNELS)[None]).sum(axis=2)
        return np.array([CHANNELS[nearest] in MUSCLES for nearest in apart.argmin(axis=1)])


PAPER = Grid(channels=CHANNELS, cells=tuple(CELLS.values()), n_rows=N_ROWS, n_columns=N_COLUMNS)
"""The paper's 7x5 map."""

FILLED = 0.8  # at most this share of a grid's cells holds an electrode, as in the paper's 28 of 35
SMALLEST = 3  # rows and columns, for the network's convolutions


def grid_of(channels: Sequence[str], places: NDArray[np.float64] | None = None) -> Grid:
    """Lay any montage out as a picture in which neighbours stay neighbours and no two electrodes meet.

    Parameters
    ----------
    channels : sequence of str
        Names.
    places : ndarray, shape (n_channels, 2), optional
        Of the electrodes seen from above, nose up; by default those of the names in :data:`MONTAGE`.

    Returns
    -------
    Grid
        The paper's for its 28 electrodes, in any order. For others each electrode gets the cell that keeps the sum of squared
        distances smallest (the assignment problem), in a grid of the paper's shape with an odd number of columns, so that
        the midline has one.

    Raises
    ------
    ValueError
        For no channel, a name twice, or a name whose place is not known.
    """
    names = tuple(channels)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"channels = {', '.join(names) or 'none'}: give each a name of its own")
    if set(names) == set(CHANNELS):
        return Grid(channels=names, cells=tuple(CELLS[name] for name in names), n_rows=N_ROWS, n_columns=N_COLUMNS)
    found = projected(names) if places is None else np.asarray(places, float)
    known = () if places is None else tuple((float(x), float(y)) for x, y in found)
    n_rows = max(SMALLEST, int(np.ceil(np.sqrt(len(names) / FILLED * N_ROWS / N_COLUMNS))))
    n_columns = max(SMALLEST, int(np.ceil(n_rows * N_COLUMNS / N_ROWS))) // 2 * 2 + 1
    cells = _assigned(found, n_rows, n_columns)
    return Grid(channels=names, cells=cells, n_rows=n_rows, n_columns=n_columns, places=known)


def _assigned(places: NDArray[np.float64], n_rows: int, n_columns: int) -> tuple[tuple[int, int], ...]:
    from scipy.optimize import linear_sum_assignment

    reach = np.maximum(np.abs(places).max(axis=0), np.finfo(float).tiny)  # the ears and the nose touch the picture's edges
    rows, columns = np.mgrid[:n_rows, :n_columns].reshape(2, -1)
    centres = np.stack([columns / (n_columns - 1) * 2 - 1, 1 - rows / (n_rows - 1) * 2], axis=1)
    apart = np.square((places / reach)[:, None] - centres[None]).sum(axis=2)
    # of equally good ways one is always the same: rounding must not choose
    _, chosen = linear_sum_assignment(apart.round(6))
    return tuple((int(rows[cell]), int(columns[cell])) for cell in chosen)


def projected(channels: Sequence[str], positions: Mapping[str, Sequence[float]] | None = None) -> NDArray[np.float64]:
    """Return electrodes seen from above: the azimuthal equidistant projection from the vertex.

    Parameters
    ----------
    channels : sequence of str
        Names.
    positions : mapping of str to three floats, optional
        x to the right, y to the nose, z up, from the middle of the head, any unit; by default those of :data:`MONTAGE`.

    Returns
    -------
    ndarray, shape (n_channels, 2)
        x to the right and y to the nose; 1 is a quarter of the way round the head.

    Raises
    ------
    ValueError
        When the place of a channel is not known.
    """
    known = _montage() if positions is None else positions
    if unknown := [name for name in channels if name not in known]:
        raise ValueError(f"channel {unknown[0]!r} has no known place on the scalp")
    x, y, z = np.array([known[name] for name in channels], float).T
    from_vertex = np.arctan2(np.hypot(x, y), z) / (np.pi / 2)
    around = np.arctan2(y, x)
    return np.stack([from_vertex * np.cos(around), from_vertex * np.sin(around)], axis=1)


@functools.cache
def _montage() -> dict[str, tuple[float, ...]]:
    """Return positions of a standard montage, from the middle of its electrodes' sphere."""
    import mne

    positions = mne.channels.make_standard_montage(MONTAGE).get_positions()["ch_pos"]
    places = np.array(list(positions.values()))
    # the sphere through all electrodes, by least squares: |p|^2 = 2 p.c + k
    solved, *_ = np.linalg.lstsq(np.column_stack([2 * places, np.ones(len(places))]), np.square(places).sum(axis=1), rcond=None)
    return _symmetric({name: place - solved[:3] for name, place in positions.items()})


def _symmetric(positions: Mapping[str, NDArray[np.float64]]) -> dict[str, tuple[float, ...]]:
    """Return what the 10-10 system means: left mirrors right, which no measured head does quite."""
    return {
        name: tuple(float(v) for v in (place + positions.get(_mirrored(name), place * MIRROR) * MIRROR) / 2)
        for name, place in positions.items()
    }


MIRROR = np.array([-1.0, 1.0, 1.0])


def _mirrored(name: str) -> str:
    """Return the electrode on the other side: odd numbers are left, even right.

    Examples
    --------
    >>> _mirrored("FC5"), _mirrored("C4"), _mirrored("Cz")
    ('FC6', 'C3', 'Cz')
    """
    stem = name.rstrip("0123456789")
    number = name[len(stem) :]
    return f"{stem}{int(number) + (1 if int(number) % 2 else -1)}" if number else name


def flat_cells(channels: Sequence[str] = CHANNELS) -> list[int]:
    """Return each channel's place in the flattened grid, row after row.

    Raises
    ------
    ValueError
        For a name outside the grid.

    Examples
    --------
    >>> flat_cells(["Fp1", "Cz"])
    [1, 17]
    """
    if unknown := [name for name in channels if name not in CELLS]:
        raise ValueError(f"channel {unknown[0]!r} has no cell in the 7x5 grid")
    return [CELLS[name][0] * N_COLUMNS + CELLS[name][1] for name in channels]
