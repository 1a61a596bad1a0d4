"""The scalp map of any montage."""

import mne
import numpy as np
import pytest

from models.eeg import scalp_map
from models.eeg.scalp_map import Grid, grid_of

EPOC = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
MONTAGES = ("biosemi16", "biosemi64", "biosemi256", "GSN-HydroCel-128", "easycap-M1")


def known(montage: str) -> dict[str, np.ndarray]:
    positions: dict[str, np.ndarray] = mne.channels.make_standard_montage(montage).get_positions()["ch_pos"]
    return positions


def test_the_papers_electrodes_get_the_papers_cells_in_any_order() -> None:
    backwards = scalp_map.CHANNELS[::-1]
    grid = grid_of(backwards)
    assert (grid.n_rows, grid.n_columns) == (7, 5)
    assert dict(zip(grid.channels, grid.cells, strict=True)) == scalp_map.CELLS
    assert grid_of(scalp_map.CHANNELS) == scalp_map.PAPER
    assert scalp_map.PAPER.flat == scalp_map.flat_cells()


@pytest.mark.parametrize("montage", MONTAGES)
def test_no_two_electrodes_meet_and_neighbours_stay_neighbours(montage: str) -> None:
    positions = known(montage)
    places = scalp_map.projected(list(positions), positions)
    grid = grid_of(list(positions), places)
    assert len(set(grid.flat)) == len(positions)
    cells = np.array(grid.cells)
    for axis, of in ((0, -places[:, 1]), (1, places[:, 0])):
        assert np.corrcoef(cells[:, axis], of)[0, 1] > 0.97  # rows run from the nose, columns from the left


@pytest.mark.parametrize("channels", [EPOC, tuple(known("biosemi64"))])
def test_left_mirrors_right_and_the_midline_is_in_the_middle(channels: tuple[str, ...]) -> None:
    grid = grid_of(channels)
    cell = dict(zip(grid.channels, grid.cells, strict=True))
    for name, (row, column) in cell.items():
        row_2, column_2 = cell[scalp_map._mirrored(name)]
        assert abs(row - row_2) == 0, name
        assert abs(column - (grid.n_columns - 1 - column_2)) <= 1, name


@pytest.mark.parametrize("n", [1, 2, 3, 5, 14, 33, 100, 256])
def test_any_number_of_electrodes_fits(n: int) -> None:
    places = np.random.default_rng(n).uniform(-1, 1, (n, 2))
    grid = grid_of([f"E{i}" for i in range(n)], places)
    assert len(set(grid.cells)) == n
    assert min(grid.n_rows, grid.n_columns) >= 3


def test_the_vertex_is_in_the_middle_and_a_quarter_round_is_one() -> None:
    positions = {"Cz": (0, 0, 9.0), "T8": (9.0, 0, 0), "Fpz": (0, 9.0, 0), "below": (0, -9.0, -9.0)}
    np.testing.assert_allclose(scalp_map.projected(list(positions), positions), [[0, 0], [1, 0], [0, 1], [0, -1.5]], atol=1e-12)


def test_names_without_a_place_twice_or_none_are_refused() -> None:
    with pytest.raises(ValueError, match="'E999' has no known place"):
        grid_of(["Cz", "E999"])
    with pytest.raises(ValueError, match="Cz, Cz: give each a name"):
        grid_of(["Cz", "Cz"])
    with pytest.raises(ValueError, match="none"):
        grid_of([])


def test_a_grid_in_which_electrodes_meet_or_fall_out_is_refused() -> None:
    with pytest.raises(ValueError, match="2 channels have 1 cells"):
        Grid(channels=("Cz", "Pz"), cells=((0, 0), (0, 0)), n_rows=3, n_columns=3)
    with pytest.raises(ValueError, match=r"\(3, 0\) lies outside"):
        Grid(channels=("Cz",), cells=((3, 0),), n_rows=3, n_columns=3)
