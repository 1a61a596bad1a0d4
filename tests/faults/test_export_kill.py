"""kill -9 of an export, wherever it is: the dataset is valid, and the next export completes it."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from bids_export import dataset, place, validate
from tests.bids_export.lab import Truth, Who, record
from tests.faults.counts import count

SHORT = Truth(duration_s=18.0, fps=2.0)
BLIND = Truth(duration_s=18.0, fps=0)
_EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.symlink", "shutil.copyfile")


def export(folder: Path) -> dataset.Export:
    return dataset.export(folder / "data", folder / "bids", dataset.Options())


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def killed_at(step: int | None, act: Callable[[], object]) -> int:
    """Act in a process of its own, which kills itself before its ``step``-th change of the disk; return how many it made."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        with os.fdopen(reading, "rb") as said:
            made = said.read()
        os.waitpid(child, 0)
        return len(made)
    os.close(reading)
    n = 0

    def look(event: str, args: tuple[object, ...]) -> None:
        nonlocal n
        if event not in _EVENTS or (event == "open" and not _writes(args)):
            return
        n += 1
        if n == step:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(writing, b".")

    try:
        sys.addaudithook(look)
        act()
    finally:
        os._exit(0)


def _writes(args: tuple[object, ...]) -> bool:
    _, mode, flags = args
    return bool(set(str(mode or "")) & set("wax+")) or (isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR)))


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with one participant, and recordings of two more sessions and a second run that it does not have yet."""
    folder = tmp_path_factory.mktemp("laboratory")
    record(folder / "data", SHORT, Who("01"))
    record(folder / "data", BLIND, Who("02"))
    export(folder)
    (folder / "bids/stimuli/mine.txt").write_text("mine", encoding="utf-8")
    (folder / "bids/sub-02/ses-01/eeg/sub-02_ses-01_photo.jpg").write_bytes(b"mine")
    record(folder / "data", BLIND, Who("02"))  # the session is to be written again, with both runs
    record(folder / "data", BLIND, Who("02", session="02"))
    record(folder / "data", SHORT, Who("03"))
    return folder


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("first", [False, True], ids=["update", "first-export"])
def test_an_export_that_is_killed_leaves_the_dataset_valid_and_the_next_one_completes_it(
    laboratory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault_row, *, first: bool
) -> None:
    official = validate.validate

    def fresh(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "data").symlink_to(laboratory / "data")
        if not first:
            copytree(laboratory / "bids", folder / "bids")
        return folder

    # the validator is asked about what a crash leaves, not about what the export is about to put in place
    monkeypatch.setattr(dataset.validate, "validate", lambda _: validate.Verdict((), "not asked"))
    reference = fresh("reference")
    before = tree(reference / "bids") if not first else {}
    n_changes = killed_at(None, lambda: export(reference))
    after = tree(reference / "bids")
    assert n_changes > 50
    assert before != after
    n_put = len([name for name in after if after[name] != before.get(name)])
    n = count(2, 20)
    points = [1 + round((k + 0.5) * n_changes / n) for k in range(n)]
    if not first:  # renaming is a few milliseconds of the whole: as many points again go there
        n = count(4, 20)
        points += [n_changes - 1 - round(k * 2 * n_put / n) for k in range(n)]
    seen: dict[frozenset[tuple[str, bytes]], bool] = {frozenset(): True, frozenset(before.items()): True}
    n_between = 0
    for step in points:
        folder = fresh(f"killed-{step}")
        killed_at(step, lambda folder=folder: export(folder))
        left = tree(folder / "bids") if (folder / "bids").exists() else {}
        as_is = frozenset(left.items())
        n_between += left not in (before, after)
        if as_is not in seen:
            seen[as_is] = official(folder / "bids").errors == ()
        assert seen[as_is], f"killed at {step} of {n_changes}: what is left is not valid"
        export(folder)
        assert tree(folder / "bids") == after, f"killed at {step} of {n_changes}: the next export does not complete it"
        assert not place.staging_of(folder / "bids").exists()
    assert first or n_between > 0, "no point lay between before and after: the test looks at nothing"
    what = "a first export" if first else "an export into a dataset"
    note = f"{n_between} of them left the dataset between before and after"
    fault_row(test=f"kill -9 of {what}: valid afterwards, completed by the next", n=len(points), passed=len(points), note=note)
