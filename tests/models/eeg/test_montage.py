"""Which electrodes a data set is looked at with, and where they are."""

from pathlib import Path

import numpy as np
import pytest

from models import bids, dataset
from models.bids import BidsError
from models.eeg import montage, recording, scalp_map
from models.eeg.inputs import Source
from models.eeg.montage import choose
from models.eeg.scalp_map import CHANNELS, PAPER
from tests.models import bids_root

EPOC = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")  # 12 of the paper's 28
MADE_UP = tuple(f"E{index + 1}" for index in range(9))
# three by three: E1 is front left, E5 the vertex
PLACES = [(x, y, (1.5 - x * x - y * y) ** 0.5) for y in (0.7, 0.0, -0.7) for x in (-0.7, 0.0, 0.7)]


def write(root: Path, participant: str, names: tuple[str, ...], *, bad: tuple[str, ...] = ()) -> None:
    wave = np.random.default_rng(0).standard_normal(1280) * 10  # one field over the whole head, stronger to the end of the list
    event = {"onset": 1.0, "duration": 3.0, "trial_type": "clip/fear", "trial": 1, "target": "fear", "end": "complete"}
    eeg = np.outer(np.linspace(1, 2, len(names)), wave)
    bids_root.write_recording(root, participant, eeg, [event], names=names, bad=bad)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root of two people, whose recordings a test writes."""
    (tmp_path / "dataset_description.json").write_text("{}")
    bids_root.write_participants(tmp_path, [("01", "yes", "train"), ("02", "yes", "train")])
    return tmp_path


def place(root: Path, participant: str, names: tuple[str, ...] = MADE_UP) -> None:
    rows = ["\t".join(map(str, (name, *xyz))) for name, xyz in zip(names, PLACES, strict=False)]
    path = root / f"sub-{participant}/ses-01/eeg/sub-{participant}_ses-01_electrodes.tsv"
    path.write_text("\n".join(["name\tx\ty\tz", *rows]) + "\n")


def test_the_papers_28_are_taken_where_every_recording_has_half_of_them(root: Path) -> None:
    write(root, "01", CHANNELS[:14])
    write(root, "02", (*CHANNELS, "FT9", "FT10"))
    assert choose(bids.find_recordings(root)) is PAPER


def test_otherwise_the_electrodes_that_most_recordings_have_get_a_map_of_their_own(root: Path) -> None:
    write(root, "01", EPOC)
    write(root, "02", EPOC, bad=EPOC[:3])  # bad ones count: they are there
    grid = choose(bids.find_recordings(root))
    assert grid.channels == EPOC and len(set(grid.cells)) == 14
    assert choose(bids.find_recordings(root), "paper") is PAPER


def test_own_is_what_is_recorded_whatever_the_paper_has(root: Path) -> None:
    more = (*CHANNELS[:20], "FT9", "FT10")
    write(root, "01", more)
    write(root, "02", more[1:])
    assert choose(bids.find_recordings(root), "own").channels == more[1:], "Fp1 has one of two recordings only"
    write(root, "01", CHANNELS[::-1])
    write(root, "02", CHANNELS[::-1])
    assert choose(bids.find_recordings(root), "own") is PAPER


def test_electrodes_with_names_of_their_own_lie_where_the_table_says(root: Path) -> None:
    for participant in ("01", "02"):
        write(root, participant, MADE_UP)
        place(root, participant)
    grid = choose(bids.find_recordings(root))
    assert grid.channels == MADE_UP
    rows, columns = np.array(grid.cells).reshape(3, 3, 2).transpose(2, 0, 1)
    assert (np.diff(rows, axis=0) > 0).all() and (np.diff(columns, axis=1) > 0).all()
    assert list(grid.over_muscles()) == [True] * 3 + [False] * 6


def test_electrodes_that_nobody_can_place_are_one_line(root: Path) -> None:
    write(root, "01", MADE_UP)
    write(root, "02", MADE_UP)
    with pytest.raises(BidsError, match=r"channels\.tsv: name: the places of 9 electrodes are not known; .*electrodes\.tsv"):
        choose(bids.find_recordings(root))


def test_a_recording_lacking_an_electrode_of_that_map_has_it_interpolated_and_with_most_lacking_is_refused(root: Path) -> None:
    write(root, "01", MADE_UP)
    place(root, "01")
    write(root, "02", MADE_UP, bad=("E5",))
    one, two = bids.find_recordings(root)
    grid = choose([one, two], "own")
    whole, lacking = (recording.load(files, grid=grid) for files in (one, two))
    assert whole.eeg.shape == lacking.eeg.shape == (9, 1000)
    assert (whole.interpolated, lacking.interpolated) == ((), ("E5",))
    np.testing.assert_allclose(lacking.eeg[4], whole.eeg[4], atol=0.05 * whole.eeg[4].std())
    write(root, "02", MADE_UP, bad=MADE_UP[:5])
    with pytest.raises(BidsError, match="4 of the map's 9 channels are good, 5 are needed"):
        recording.load(two, grid=grid)


def test_a_place_seen_from_above_comes_back_onto_the_sphere() -> None:
    grid = scalp_map.grid_of(EPOC, scalp_map.projected(EPOC))
    raised = dict(zip(EPOC, montage._raised(grid.seen_from_above), strict=True))
    np.testing.assert_allclose(scalp_map.projected(EPOC, raised), grid.seen_from_above, atol=1e-12)  # type: ignore[arg-type]
    np.testing.assert_allclose(np.linalg.norm(list(raised.values()), axis=1), montage.RADIUS_M)


def test_features_and_quality_are_those_of_the_map_and_the_control_leaves_what_is_far_from_muscles(tmp_path: Path) -> None:
    root = bids_root.write_root(tmp_path / "root", participants=["01"], clips_per_emotion=1, names=EPOC)
    recordings = bids.find_recordings(root)
    grid = choose(recordings)
    sources = [Source("pool96"), Source("pool96", "without-frontal-temporal")]
    data = dataset.load(recordings, eeg=sources, grid=grid)
    whole, control = (data.eeg[source.key] for source in sources)
    assert whole.shape == (4, 14, 96) and set(data.eeg_quality) == {1.0}
    kept = [EPOC.index(name) for name in ("P7", "O1", "O2", "P8")]
    np.testing.assert_array_equal(control[:, kept], whole[:, kept])
    gone = [index for index in range(14) if index not in kept]
    np.testing.assert_allclose(control[:, gone], np.repeat(whole[:, kept].mean(axis=1, keepdims=True), 10, axis=1), rtol=1e-5)
