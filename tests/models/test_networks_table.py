"""The table of networks on the models' page is what the networks are."""

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def table() -> str:
    made: str = runpy.run_path(str(DOCS / "networks.py"))["markdown"]()
    return made


def test_it_has_not_been_typed_or_left_behind(table: str) -> None:
    page = (DOCS / "models.md").read_text(encoding="utf-8")
    assert page.split("<!-- networks -->")[1].split("<!-- /networks -->")[0].strip() == table, "run: make docs"


def test_parts_add_up_to_the_whole_and_the_heads_say_four_emotions(table: str) -> None:
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()[2:]]
    for name, _, parts, total in rows:
        counts = [int(part.rpartition("(")[2].rstrip(")").replace(",", "")) for part in parts.split("<br>") if "(" in part]
        if counts:
            assert sum(counts) == int(total.replace(",", "")), name
            assert parts.split("<br>")[-1].split(" (")[0].endswith(" 4"), name
    assert {name: total for name, _, _, total in rows}["`sst`"] == "1,573,236"
