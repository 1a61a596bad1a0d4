"""The scalp seen from above as a 7x5 picture: one cell per electrode."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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


def place(features: NDArray[np.float32], channels: Sequence[str] = CHANNELS) -> NDArray[np.float32]:
    """Put the feature vector of every channel into its cell.

    Parameters
    ----------
    features : ndarray, shape (n_windows, n_channels, n_features)
        One vector per channel.
    channels : sequence of str, length n_channels
        Names that stand in the grid.

    Returns
    -------
    ndarray, shape (n_windows, n_features, 7, 5)
        Cells without an electrode are zero, which is the mean where features are standardised.

    Raises
    ------
    ValueError
        For a name outside the grid, or another number of names than of channels.
    """
    if unknown := [name for name in channels if name not in CELLS]:
        raise ValueError(f"channel {unknown[0]!r} has no cell in the 7x5 grid")
    if len(channels) != features.shape[1]:
        raise ValueError(f"{len(channels)} channel names for {features.shape[1]} channels")
    rows, columns = np.array([CELLS[name] for name in channels]).T
    out = np.zeros((len(features), features.shape[2], N_ROWS, N_COLUMNS), np.float32)
    out[:, :, rows, columns] = features.transpose(0, 2, 1)
    return out
