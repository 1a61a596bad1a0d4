"""kill -9 of page, launcher and window in turn during one recording: no sample is lost, and the session ends kept."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import pyxdf

from collector import baton
from protocol import journal, markers
from tests import display, live_runs, page
from tests.faults.counts import count
from tests.faults.operating import address
from tests.live_runs import Ended, Live
from tests.page import Operator

PageError = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup").Error

ROUNDS = count(1, 20)
LONGEST_S = 150.0
EEG = "EmotivDataStream-EEG"


@pytest.fixture(scope="module")
def lab() -> Iterator[dict[str, str]]:
    with display.laboratory() as env:
        yield env


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with page.browser() as found:
        yield found


@pytest.fixture(scope="module")
def study(lab: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return live_runs.make_study(tmp_path_factory.mktemp("kills"), env=lab)


def until(live: Live, there: Callable[[], object]) -> None:
    """Wait for something in a running session."""
    deadline = time.monotonic() + LONGEST_S
    while not there():
        assert live.process.poll() is None, live.process.communicate()
        assert time.monotonic() < deadline, live.states()
        time.sleep(0.05)


def obey(live: Live, operator: Operator, there: Callable[[], object]) -> None:
    """Press what the page highlights, until something is there."""

    def step() -> object:
        with suppress(PageError):  # the page's server was killed, or the button changed before it was pressed
            operator.obey()
        return there()

    until(live, step)


def kill(live: Live, who: str) -> int:
    pid = live.pid(who)
    os.kill(pid, signal.SIGKILL)
    return pid


def open_to_others(live: Live) -> dict[str, int]:
    """Return which processes listen where other machines could reach them, and at how many ports."""
    found: dict[str, int] = {}
    for who in ("launcher", "page", "collector", "window", "twin"):
        listening = [c for c in psutil.Process(live.pid(who)).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        outside = {c.laddr.port for c in listening if not ip_address(c.laddr.ip).is_loopback}
        if outside:
            found[who] = len(outside)
    return found


def shown(live: Live, n_clips: int) -> Callable[[], bool]:
    path = live.run.journal("window")
    return lambda: path.exists() and path.read_text(encoding="utf-8").count("clip/onset") >= n_clips


def killed_in_turn(study: Path, lab: dict[str, str], browser: Any, participant: str) -> tuple[Live, Ended]:
    """One session in which page, launcher and window die."""
    data, options = study.parent / "data", ("--twin", "--page")
    with (
        live_runs.launched(study, data, *options, env=lab, participant=participant) as first,
        Operator(browser, address(first)) as operator,
    ):
        obey(first, operator, lambda: "baseline/eyes_open" in first.states())
        old = kill(first, "page")
        until(first, lambda: first.pid_of("page") not in (old, None))
        obey(first, operator, shown(first, 1))
        assert open_to_others(first).keys() <= {"window", "twin"}, "who sends by LSL, which listens everywhere"
        window = first.pid("window")
        first.process.kill()
        first.process.communicate()
        with live_runs.launched(study, data, *options, env=lab, participant=participant) as second:
            until(second, lambda: second.pid_of("launcher") == second.process.pid)
            assert second.pid("window") == window, "the session went on"
            obey(second, operator, shown(second, 2))
            kill(second, "window")
            obey(second, operator, second.run.manifest_json.exists)
            while second.process.poll() is None:  # the verdict comes, and then Finish
                with suppress(PageError):
                    operator.obey()
                time.sleep(0.2)
            return second, second.end()


def whole(live: Live, ended: Ended) -> list[str]:
    """Say what is not as it must be."""
    found, _ = pyxdf.load_xdf(str(live.run.xdf), synchronize_clocks=False, dejitter_timestamps=False)
    (eeg,) = [stream for stream in found if stream["info"]["name"][0] == EEG]
    labels = [channel["label"][0] for channel in eeg["info"]["desc"][0]["channels"][0]["channel"]]
    counter = eeg["time_series"][:, labels.index("Counter")]
    steps = set(np.unique(np.diff(counter) % (counter.max() + 1)))
    rows = [row for row in journal.read(live.run.journal("window")) if (row.kind, row.name) == ("note", "marker")]
    ends = [markers.parse(row.data["text"]).keys for row in rows if row.data["text"].startswith("clip/offset")]
    complete = {int(keys["trial"]) for keys in ends if keys["end"] == "complete"}
    checks = {
        f"counter steps {steps}": steps == {1.0}, f"clips {complete}": complete == {1, 2, 3, 4},
        f"code {ended.code}: {ended.err}": ended.code == 0,
        f"end {ended.record['end']}": ended.record["end"] == "complete",
        f"verdict {ended.record['message']}": ended.record["quality"]["verdict"] == "keep",
        "rejoined": "rejoined" in [row.name for row in journal.read(live.run.journal("launch"))],
        "keys are gone": not (live.run.path.parents[1] / baton.NAME).exists(),
        "nothing runs": (live.run.path.parents[1] / "lock.json").read_text() == "",
    }  # fmt: skip
    return [what for what, right in checks.items() if not right]


@pytest.mark.live
@pytest.mark.alone
def test_page_launcher_and_window_are_killed_in_turn(
    lab: dict[str, str], study: Path, browser: Any, fault_row: Callable[..., None]
) -> None:
    wrong = [whole(*killed_in_turn(study, lab, browser, f"{n + 20}")) for n in range(ROUNDS)]
    passed = sum(not one for one in wrong)
    fault_row(test="kill -9 of page, launcher and window in turn", n=ROUNDS, passed=passed, note="no sample lost; kept")
    assert passed == ROUNDS, wrong
