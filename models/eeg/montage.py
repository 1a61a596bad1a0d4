"""Where electrodes are: those of the paper's map, those of a recording, and which of them a data set is looked at with."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from models.bids import BidsError, RecordingFiles, one_line, read_json, read_table
from models.eeg import scalp_map
from models.eeg.scalp_map import PAPER, Grid

Place = NDArray[np.float64]
Montage = Literal["auto", "paper", "own"]
MONTAGES: tuple[str, ...] = get_args(Montage)

RADIUS_M = 0.095  # of the sphere on which electrodes of two montages meet
NEAR_M = 0.025  # an electrode so near to a site of the map has recorded it; sites are 35 mm apart
UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001}


def n_needed(grid: Grid) -> int:
    """Return how many of a grid's electrodes must be good: with fewer most of the picture would be made up."""
    return -(-len(grid.channels) // 2)


def choose(recordings: Sequence[RecordingFiles], wanted: Montage = "auto") -> Grid:
    """Decide with which electrodes a data set is looked at.

    Parameters
    ----------
    recordings : sequence of RecordingFiles
        All of the data set.
    wanted : {"auto", "paper", "own"}
        ``paper``: the 28 of the paper, where others are interpolated onto; ``own``: those that most recordings have, on a grid
        of their own; ``auto``: the paper's where every recording has at least half of them, else its own.

    Raises
    ------
    BidsError
        When nobody knows where the electrodes are.
    """
    if wanted == "paper" or (wanted == "auto" and all(n_sites(files) >= n_needed(PAPER) for files in recordings)):
        return PAPER
    return own(recordings)


def n_sites(files: RecordingFiles) -> int:
    """Return how many sites of the paper's map have an electrode, by name or near to them; good or bad."""
    names = electrodes(files)
    absent = [name for name in PAPER.channels if name not in names]
    places = sites(files, names) if absent else {}
    return len(PAPER.channels) - sum(not is_near(name, places) for name in absent)


def own(recordings: Sequence[RecordingFiles]) -> Grid:
    """Lay out the electrodes that more than half of the recordings have, and whose place is known.

    Raises
    ------
    BidsError
        When there is none.
    """
    count = Counter(name for files in recordings for name in electrodes(files))
    common = [name for name, n in count.items() if 2 * n > len(recordings)]
    if set(common) == set(PAPER.channels):
        return PAPER
    if common and set(common) <= set(_standard()):
        return scalp_map.grid_of(common)
    places: dict[str, Place] = {}
    for files in recordings:  # an electrode is where the first recording that knows has it
        places = sites(files, common) | places
    known = [name for name in common if name in places]
    if not known:
        raise BidsError(
            f"{recordings[0].sibling('_channels.tsv')}: name: the places of {len(common)} electrodes are not known; name them "
            "as the 10-05 system does, or give them in electrodes.tsv"
        )
    return scalp_map.grid_of(known, scalp_map.projected(known, places))  # type: ignore[arg-type]  # arrays of three floats


def electrodes(files: RecordingFiles) -> list[str]:
    """Return the names of a recording's EEG channels, good or bad; without a table those that a montage knows."""
    path = files.sibling("_channels.tsv")
    if path.is_file():
        return [row["name"] for row in read_table(path, "name", "type") if row["type"].upper() == "EEG"]
    import mne

    try:
        names: list[str] = mne.io.read_raw(files.eeg, preload=False, verbose="ERROR").ch_names
    except (OSError, ValueError, RuntimeError) as error:
        raise BidsError(f"{files.eeg}: cannot be read ({one_line(error)}); export the recording again") from None
    return [name for name in names if name in _standard()]


def sites(files: RecordingFiles, names: Sequence[str], grid: Grid = PAPER) -> dict[str, Place]:
    """Return where the electrodes of a recording, and those of a grid, lie on one sphere, metres.

    Parameters
    ----------
    files : RecordingFiles
        The recording; names that no montage knows are looked for in its ``electrodes.tsv``.
    names : sequence of str
        Electrodes of the recording.
    grid : Grid
        Whose electrodes are wanted, too.

    Returns
    -------
    dict of str to ndarray, shape (3,)
        x to the right, y to the nose, z up; an electrode whose place nobody knows is not in it.
    """
    standard = _standard()
    laid = dict(zip(grid.channels, _raised(grid.seen_from_above), strict=True)) if grid.places else {}
    found = {**laid, **{name: standard[name] for name in (*grid.channels, *names) if name in standard}}
    if unknown := [name for name in names if name not in found]:
        measured = _on_sphere(_measured(files))
        found |= {name: measured[name] for name in unknown if name in measured}
    return found


def is_near(name: str, places: Mapping[str, Place], grid: Grid = PAPER) -> bool:
    """Return whether an electrode that is none of the grid's own lies at the place of one that is."""
    return any(other not in grid.channels and np.linalg.norm(place - places[name]) < NEAR_M for other, place in places.items())


@functools.cache
def _standard() -> dict[str, Place]:
    import mne

    known = mne.channels.make_standard_montage(scalp_map.MONTAGE).get_positions()["ch_pos"]
    return _on_sphere({name: np.asarray(place, dtype=np.float64) for name, place in known.items()})


def _raised(flat: NDArray[np.float64]) -> Place:
    """Put places seen from above, as :func:`models.eeg.scalp_map.projected` has them, back onto the sphere."""
    angle = np.hypot(*flat.T) * np.pi / 2
    around = np.arctan2(flat[:, 1], flat[:, 0])
    unit = np.column_stack([np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), np.cos(angle)])
    out: Place = RADIUS_M * unit
    return out


def _measured(files: RecordingFiles) -> dict[str, Place]:
    """Return the places in ``electrodes.tsv``, metres; none where there is no such table."""
    found: dict[str, Place] = {}
    for path in sorted(files.eeg.parent.glob("*_electrodes.tsv"))[:1]:
        about = read_json(path.with_name(path.name.replace("_electrodes.tsv", "_coordsystem.json")))
        unit = UNITS_M.get(str(about.get("EEGCoordinateUnits", "m")), 1.0)
        nose_first = str(about.get("EEGCoordinateSystem", "")) in ("CTF", "EEGLAB")  # x to the nose, y to the left
        for row in read_table(path, "name", "x", "y", "z"):
            try:
                x, y, z = (float(row[axis]) * unit for axis in "xyz")
            except ValueError:
                continue  # n/a: not measured
            if np.isfinite([x, y, z]).all():
                found[row["name"]] = np.array([-y, x, z] if nose_first else [x, y, z])
    return found


def _on_sphere(places: dict[str, Place]) -> dict[str, Place]:
    """Fit a sphere to electrodes, and put them on one of a fixed size around the origin."""
    if len(places) < 4:  # no sphere
        return {}
    points = np.array(list(places.values()))
    # |p - c|^2 = r^2 is linear in c and r^2 - |c|^2
    system = np.column_stack([2 * points, np.ones(len(points))])
    centre = np.linalg.lstsq(system, np.square(points).sum(axis=1), rcond=None)[0][:3]
    away = points - centre
    unit = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    return dict(zip(places, RADIUS_M * unit, strict=True))
