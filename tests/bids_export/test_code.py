"""A session is written again when the code that writes it has changed, and not when a comment has."""

import ast
import shutil
from pathlib import Path

import pytest

from bids_export import code


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what the digest looks at."""
    for room in code.ROOMS:
        shutil.copytree(code.HOUSE / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "page"))
    return tmp_path


def dumped(house: Path) -> dict[str, str]:
    return {name: ast.dump(tree) for name, tree in code.modules(house).items()}


def test_what_writes_a_session_is_in_and_what_talks_to_people_is_not() -> None:
    names = set(code.modules())
    assert {"bids_export.eeg", "bids_export.video", "bids_export.sync_face", "bids_export.timeline"} < names
    assert {"bids_export.labrecorder_markers", "collector.quality", "collector.xdf.decode"} < names
    assert not names & {
        "bids_export.cli",
        "bids_export.prose",
        "bids_export.front",
        "bids_export.place",
        "bids_export.report.page",
    }


def test_a_comment_a_docstring_and_a_blank_line_change_nothing_and_a_number_does(house: Path) -> None:
    before, path = dumped(house), house / "bids_export/sync_events.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"""Find blinks in frontal EEG.', '\n    """Find blinks.') + "\n# a word\n", encoding="utf-8")
    assert dumped(house) == before
    assert "BLINK_UV = 30.0" in text
    path.write_text(text.replace("BLINK_UV = 30.0", "BLINK_UV = 31.0"), encoding="utf-8")
    assert [name for name, tree in dumped(house).items() if tree != before[name]] == ["bids_export.sync_events"]


def test_a_module_that_a_writer_begins_to_use_is_in_from_then_on(house: Path) -> None:
    (house / "bids_export/new.py").write_text("x = 1\n", encoding="utf-8")
    assert "bids_export.new" not in dumped(house)
    path = house / "bids_export/eeg.py"
    path.write_text("from bids_export import new\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert "bids_export.new" in dumped(house)
