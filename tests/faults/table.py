"""The table of what was broken on purpose: rows from a test run, merged into docs/faults.md.

``python tests/faults/table.py ROWS`` replaces the whole table; with ``--merge`` only the rows of the tests that ran.
"""

import json
import re
import sys
from pathlib import Path

from tests.benchmarks.table import ROOT, cells, machine, today

PAGE = ROOT / "docs" / "faults.md"
COLUMNS = ("test", "n", "passed", "note", "date", "machine")
HEAD = """# What was broken on purpose

Written by `make faults`, which tries every fault as often as the column n says; `make test` tries each of them a few times.
Where fewer passed than were tried, a fault is open. The tests are in `tests/faults/`.
"""


def old_rows(page: Path) -> dict[str, tuple[str, ...]]:
    """Read the table that is there, by test."""
    lines = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    split = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in lines if line.startswith("| ")]
    rows = [tuple(cell.strip().replace("\\|", "|") for cell in row) for row in split]
    return {row[0]: row for row in rows if len(row) == len(COLUMNS) and row[0] not in ("test", "---")}


def new_rows(jsonl: Path) -> dict[str, tuple[str, ...]]:
    """Read what a run of the tests reported."""
    found = [json.loads(line) for line in jsonl.read_text(encoding="utf-8").splitlines()]
    return {row["test"]: (*(str(row[name]) for name in COLUMNS[:4]), today(), machine()) for row in found}


def page(rows: dict[str, tuple[str, ...]]) -> str:
    """Return the page."""
    table = [COLUMNS, ("---",) * len(COLUMNS), *(rows[test] for test in sorted(rows))]
    return f"{HEAD}\n" + "\n".join(cells(row) for row in table) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page."""
    jsonl = Path(arguments[-1])
    kept = old_rows(PAGE) if "--merge" in arguments else {}
    PAGE.write_text(page(kept | new_rows(jsonl)), encoding="utf-8")
    print(f"{PAGE}: {len(kept | new_rows(jsonl))} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
