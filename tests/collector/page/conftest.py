"""One page and one browser for all live tests of it."""

from collections.abc import Iterator

import pytest

from tests.collector.page.launcher import Launcher
from tests.page import browser


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    with Launcher() as started:
        yield started


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    with browser() as program:
        yield program
