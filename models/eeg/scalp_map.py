"""The scalp seen from above as a 7x5 picture: one cell per electrode."""

from __future__ import annotations

from collections.abc import Sequence

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
