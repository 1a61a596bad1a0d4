"""The trial table."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from protocol import trials
from protocol.trials import TrialRow, TrialTable

ROW = TrialRow(
    participant="07", session="01", run="01", trial=1, block=1, stim_id="fear02", target="fear",
    clip_started=1234.5678901234567, clip_stopped=1240.1,
    shown=180, dropped=0, repeated=1, onset_error_s=0.0012, audio_offset_s=-0.0065, end="complete",
    valence=3, arousal=9, dominance=None, rating="other", valence_rt=1.25, arousal_rt=0.5, dominance_rt=None, rating_rt=2.0,
)  # fmt: skip
BARE = TrialRow(
    participant="07", session="01", run="01", trial=2, block=1, stim_id="sad01", target="sadness", end="interrupted"
)


def test_rows_read_back_equal_to_the_last_bit(tmp_path: Path) -> None:
    table = TrialTable(tmp_path / "trials.csv")
    table.append(ROW)
    table.append(BARE)
    assert trials.read(tmp_path / "trials.csv") == [ROW, BARE]


def test_each_row_is_on_the_disk_as_the_trial_ends(tmp_path: Path) -> None:
    table = TrialTable(tmp_path / "trials.csv")
    assert trials.read(tmp_path / "trials.csv") == []
    table.append(ROW)
    assert trials.read(tmp_path / "trials.csv") == [ROW]


def test_the_columns_are_named_as_psychopy_s_users_know_them(tmp_path: Path) -> None:
    TrialTable(tmp_path / "trials.csv").append(ROW)
    with (tmp_path / "trials.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["clip.started"], row["clip.stopped"]) == ("1234.5678901234567", "1240.1")
    assert (row["valence"], row["valence.rt"], row["dominance"], row["rating"]) == ("3", "1.25", "", "other")


def test_a_table_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "trials.csv"
    TrialTable(path).append(ROW)
    path.write_bytes(path.read_bytes() + b"07,01,01,2,1,sad")
    assert trials.read(path) == [ROW]
    TrialTable(path).append(BARE)
    assert trials.read(path) == [ROW, BARE]


@pytest.mark.parametrize("cut", [0, 5, 60])
def test_a_torn_heading_is_written_anew(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "trials.csv"
    TrialTable(path)
    path.write_bytes(path.read_bytes()[:cut])
    TrialTable(path).append(ROW)
    assert trials.read(path) == [ROW]


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trials.csv").write_text("a,b\n1,2\n")
    with pytest.raises(trials.TrialsError, match=r"trials\.csv, line 1: columns = "):
        trials.read(tmp_path / "trials.csv")


@pytest.mark.parametrize(("cell", "bad"), [("180", "many"), ("complete", ""), ("fear02,", "")])
def test_a_damaged_row_is_refused(tmp_path: Path, cell: str, bad: str) -> None:
    path = tmp_path / "trials.csv"
    TrialTable(path).append(replace(ROW))
    path.write_text(path.read_text().replace(cell, bad))
    with pytest.raises(trials.TrialsError, match="edited or damaged"):
        trials.read(path)
