"""Tasks here, in processes and on a Dask cluster: the same rows, one thread each, and a run that was killed goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import job, scale, scores, splits, train
from models.bids import BidsError
from models.evaluate import MetricsRow
from tests.models import bids_root, planted

distributed = pytest.importorskip("distributed")

KINDS = {"pool96": "pool96"}
BOTH = train.recipes((), ("eeg", "face", "fusion"), KINDS)  # type: ignore[arg-type]
N_PEOPLE = 4
LIGHT = train.recipes(("nearest",), (), KINDS)  # type: ignore[arg-type]


def rows(
    recipes: list[train.Recipe], *, workers: int = 1, scheduler: str | None = None, finished: Path | None = None
) -> list[MetricsRow]:
    data = planted.dataset(n_people=2, clips_per_emotion=2)
    made = [splits.leave_one_subject_out(data.windows, data.labels, 1)]
    outcomes = train.cross_validate(
        data, splits=made, recipes=recipes, seed=1, workers=workers, scheduler=scheduler, finished=finished
    )
    return [one.row for outcome in outcomes for one in scores.scored(data, outcome, labels="target", seed=1)]


@pytest.fixture(scope="module")
def alone() -> list[MetricsRow]:
    return rows(BOTH)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Dask scheduler with two workers, each a process, as docs/scale.md starts them."""
    folder = tmp_path_factory.mktemp("dask")
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        with (folder / f"{len(started)}.log").open("wb") as log:
            started.append(
                subprocess.Popen([sys.executable, "-m", "dask", *words], stdout=log, stderr=log, env=env, cwd=folder)
            )

    where = folder / "scheduler.json"
    common = ("--no-dashboard", "--scheduler-file", str(where))
    start("scheduler", "--port", "0", "--host", "127.0.0.1", *common)
    try:
        for _ in range(2):
            start("worker", "--nthreads", "1", "--no-nanny", "--local-directory", str(folder), *common)
        address = _address(where)
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
        yield address
    finally:
        for process in reversed(started):
            # not asked to end: a worker first finishes what it is at, which nobody waits for any more
            process.kill()
        for process in started:
            process.wait(60)


def _address(where: Path) -> str:
    """Return where the scheduler is; its file is there before what it says is."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            return str(json.loads(where.read_text())["address"])
        except (FileNotFoundError, json.JSONDecodeError):
            time.sleep(0.1)
    raise TimeoutError(f"{where}: no scheduler wrote it")


@pytest.mark.slow
@pytest.mark.timeout(400)
class TestTheSameRows:
    def test_whatever_the_number_of_processes(self, alone: list[MetricsRow]) -> None:
        assert rows(BOTH, workers=2) == alone

    def test_on_a_dask_cluster(self, alone: list[MetricsRow], cluster: str) -> None:
        assert rows(BOTH, scheduler=cluster) == alone


def double(shared: int, other: int) -> int:
    import torch

    return shared * other * torch.get_num_threads()


def test_results_say_which_task_they_are_of_and_shared_things_are_sent_once() -> None:
    scale.one_thread()
    assert dict(scale.each(double, [(0, 1), (1, 2), (0, 3)], shared=[10, 100])) == {0: 10, 1: 200, 2: 30}


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "CONNECT_S", 0.5)
    with pytest.raises(BidsError, match=r"--scheduler = tcp://127.0.0.1:9: no Dask scheduler answers .*dask scheduler"):
        list(scale.each(double, [(1, 2)], where=scale.Where(scheduler="tcp://127.0.0.1:9")))


class TestFoldsThatAreDone:
    def test_are_not_trained_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = rows(LIGHT, finished=tmp_path)
        assert first == rows(LIGHT)
        monkeypatch.setattr(train, "_predict_fold", None)  # nothing is left to call it for
        assert rows(LIGHT, finished=tmp_path) == first

    def test_of_other_data_or_code_are_no_use(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        rows(LIGHT, finished=tmp_path)
        before = len(list(tmp_path.iterdir()))
        monkeypatch.setattr(train, "_code", lambda: "another line was changed")
        rows(LIGHT, finished=tmp_path)
        assert len(list(tmp_path.iterdir())) == 2 * before

    def test_a_damaged_one_is_trained_again(self, tmp_path: Path) -> None:
        first = rows(LIGHT, finished=tmp_path)
        min(tmp_path.iterdir()).write_bytes(b"half")
        assert rows(LIGHT, finished=tmp_path) == first


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_run_that_was_killed_goes_on_where_it_was_and_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    root = bids_root.write_root(tmp_path / "bids", participants=[f"{n:02d}" for n in range(1, N_PEOPLE + 1)])
    command = [
        sys.executable, "-P", "-m", "models", str(root), "--models", "eeg", "--features", "pool96", "--workers", "1",
        "--splits", "leave-one-subject-out",
    ]  # fmt: skip
    folds = root / job.OUT / "cache" / job.FOLDS
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    with (tmp_path / "log").open("wb") as log:
        first = subprocess.Popen(command, stdout=log, stderr=log, env=env, start_new_session=True)
        deadline = time.monotonic() + 200
        while not list(folds.glob("*.npz")) and first.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(first.pid, signal.SIGKILL)
        assert first.wait(30) == -signal.SIGKILL
    done = {path: path.stat().st_mtime_ns for path in folds.glob("*.npz")}
    assert 1 <= len(done) < N_PEOPLE and not (root / job.OUT / "metrics.json").exists()

    seen: list[dict[Path, int]] = []

    options = job.Options(root=root, models=("eeg",), features=("pool96",), splits=("leave-one-subject-out",))
    again = job.run(options, Quiet(lambda: seen.append({path: path.stat().st_mtime_ns for path in folds.glob("*.npz")})))
    assert {path: seen[0][path] for path in done} == done, "finished folds were kept"
    assert not folds.exists(), "a run that is done has nothing to go on with"
    fresh = job.run(job.Options(**{**options.__dict__, "out": tmp_path / "fresh"}), Quiet(lambda: None))
    assert again.rows == fresh.rows


class Quiet:
    """Steps that nobody watches; looks once when folds begin."""

    def __init__(self, look: object) -> None:
        self.look = look

    def step(self, what: str) -> Quiet:
        if "folds" in what:
            self.look()  # type: ignore[operator]
        return self

    def __enter__(self) -> object:
        return lambda done, total: None

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, line: str) -> None:
        pass
