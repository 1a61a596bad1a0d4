"""What every test of a fault needs: a way to report how often it was tried and how often it went well."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROWS_VARIABLE = "EMO_FAULTS_ROWS"  # names the file that gets a line for each row; `make faults` sets it
_reported = pytest.StashKey[bool]()


def _write(row: dict[str, Any]) -> None:
    if path := os.environ.get(ROWS_VARIABLE):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


@pytest.fixture
def fault_row(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Report a row of the results' table, before the assertion that may end the test: a failure stands in the table too."""

    def report(*, test: str, n: int, passed: int, note: str = "") -> None:
        request.node.stash[_reported] = True
        _write({"test": test, "n": int(n), "passed": int(passed), "note": note})

    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A test that reported nothing is not silent in the table: it passed once, failed, or was skipped, with the reason."""
    result = yield
    name = item.name.removeprefix("test_").replace("_", " ")
    if result.skipped and isinstance(result.longrepr, tuple):
        _write({"test": name, "n": 0, "passed": 0, "note": str(result.longrepr[2])})
    elif result.failed and not item.stash.get(_reported, False):
        _write({"test": name, "n": 1, "passed": 0, "note": f"failed in {result.when}"})
    elif result.when == "call" and result.passed and not item.stash.get(_reported, False):
        _write({"test": name, "n": 1, "passed": 1, "note": ""})
    return result
