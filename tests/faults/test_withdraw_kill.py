"""kill -9 of a withdrawal, wherever it is: the same command completes it, and nothing of the participant is left."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bids_export import place
from bids_export.withdraw import hand, job
from protocol import tombstone
from tests.bids_export.test_withdraw import left, people
from tests.bids_export.withdrawn_lab import LABEL, Lab, build
from tests.faults.counts import count


def changes_on_the_disk(monkeypatch: pytest.MonkeyPatch, each: Callable[[], None]) -> None:
    """Call a function before every step that changes something."""
    for room, name in (
        (hand.Hand, "remove"), (hand.Hand, "write"), (tombstone, "save"), (place, "_move"), (place, "put"), (shutil, "rmtree"),
        (place, "_carry_over"), (Path, "rename"),
    ):  # fmt: skip
        plain = getattr(room, name)

        def step(*args: object, _plain: Callable[..., object] = plain, **kwargs: object) -> object:
            each()
            return _plain(*args, **kwargs)

        monkeypatch.setattr(room, name, step)


def asked(lab: Lab) -> job.Asked:
    return job.Asked(LABEL, lab.data, (lab.bids, lab.shared))


def copied(first: Lab, home: Path) -> Lab:
    """Return a copy to withdraw from."""
    shutil.copytree(first.home, home, symlinks=True)
    return Lab(home)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_withdrawal_that_is_killed_is_completed_by_the_next(tmp_path: Path, fault_row) -> None:
    first = build(tmp_path / "first")
    n_steps = steps_of(copied(first, tmp_path / "counted"))
    assert n_steps > 20
    n = count(4, 20)
    for k in range(n):
        share = (k + 0.5) / n
        lab = copied(first, tmp_path / f"killed-{k}")
        killed(lab, after=share * n_steps)
        assert left(lab.home), f"killed after {share:.0%}: it was completed before"
        completed(lab)
        shutil.rmtree(lab.home)
    fault_row(
        test="kill -9 of a withdrawal: the same command completes it", n=n, passed=n, note=f"{n_steps} changes of the disk"
    )


def steps_of(lab: Lab) -> int:
    """Withdraw to the end, and return how many changes of the disk that takes."""
    steps: list[None] = []
    with pytest.MonkeyPatch.context() as patch:
        changes_on_the_disk(patch, lambda: steps.append(None))
        job.withdraw(asked(lab))
    return len(steps)


def killed(lab: Lab, *, after: float) -> None:
    """Withdraw in a process that dies after some changes."""
    pid = os.fork()
    if pid == 0:  # this process ends as by kill -9: no `finally` is run
        taken = 0

        def die() -> None:
            nonlocal taken
            taken += 1
            if taken > after:
                os._exit(9)

        try:
            changes_on_the_disk(pytest.MonkeyPatch(), die)
            job.withdraw(asked(lab))
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


def completed(lab: Lab) -> None:
    """Withdraw again, and look for what is left."""
    done = job.withdraw(asked(lab))
    assert left(lab.home) == {}
    assert done.left == ()
    assert [Path(name).name for name in done.models] == ["eeg.safetensors", "face.safetensors"]
    assert list(people(lab.bids)) == ["sub-02", "sub-03"]
    assert not place.staging_of(lab.bids).exists()
