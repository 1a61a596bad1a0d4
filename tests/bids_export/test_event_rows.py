"""Rows of events.tsv."""

from pathlib import Path

import pytest

from bids_export import events
from bids_export.events import Event


def test_rows_read_back_equal_and_sorted(tmp_path: Path) -> None:
    rows = [
        Event(onset=12.5, duration=6.0, trial_type="clip/fear", trial=1, block=1, stim_id="fear02",
              target="fear", end="complete"),
        Event(onset=0.0, duration=3.25, trial_type="baseline/eyes_open"),
        Event(onset=19.000001, duration=0.0, trial_type="rating", valence=3, arousal=9, rating="other", looked_away=True,
              response_time=1.5, frames_shown=180, frames_dropped=0),
    ]  # fmt: skip
    events.write(tmp_path / "events.tsv", rows)
    assert events.read(tmp_path / "events.tsv") == [rows[1], rows[0], rows[2]]


def test_the_columns_are_those_of_the_schema() -> None:
    assert events.COLUMNS == (
        "onset", "duration", "trial_type", "trial", "block", "stim_id", "target", "valence", "arousal", "dominance", "liking",
        "rating",
        "intensity", "familiarity", "looked_away", "response_time", "frames_shown", "frames_dropped", "attempt", "end",
    )  # fmt: skip


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.tsv").write_text("onset\tduration\n", encoding="utf-8")
    with pytest.raises(events.EventsError, match="columns are"):
        events.read(tmp_path / "events.tsv")
