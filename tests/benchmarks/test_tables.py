"""Tables of measurements and of faults replace their own place in a page and nothing else."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.table import Row, between, markdown
from tests.faults import table


def test_a_table_has_the_columns_that_are_filled() -> None:
    said = markdown([Row("reading", "2 s", "3 s"), Row("a|b", "1", "")])
    assert said.splitlines() == [
        "| what | figure | target |",
        "| --- | --- | --- |",
        "| reading | 2 s | 3 s |",
        "| a\\|b | 1 |  |",
    ]


def test_a_topic_is_replaced_between_its_markers_and_the_rest_of_the_page_stays() -> None:
    page = between("# Page\n", "reading", "one")
    assert between(page, "reading", "two") == page.replace("one", "two")
    assert between(page, "other", "x").startswith(page.rstrip())


def test_a_run_of_some_tests_replaces_their_rows_and_keeps_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "PAGE", tmp_path / "faults.md")
    for n, arguments in ((5, []), (7, ["--merge"])):
        rows = [{"test": f"cut {n}", "n": n, "passed": n, "note": "a|b"}, {"test": "kill", "n": n, "passed": 4, "note": ""}]
        (tmp_path / "rows").write_text("".join(json.dumps(row) + "\n" for row in rows))
        table.main([*arguments, str(tmp_path / "rows")])
    kept = table.old_rows(tmp_path / "faults.md")
    assert {test: row[1:4] for test, row in kept.items()} == {
        "cut 5": ("5", "5", "a|b"), "cut 7": ("7", "7", "a|b"), "kill": ("7", "4", ""),
    }  # fmt: skip
