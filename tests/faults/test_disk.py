"""A disk that fills up at any moment: told within 2 s, everything before readable, the end in order, the exit code not zero."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from collector import xdf
from protocol.folder import Manifest, Run
from protocol.link import Hub
from protocol.messages import Alarm, Status
from tests.faults.counts import count
from tests.faults.lab import LONGEST_S, Amplifier, Lab, lab, numbers, session, study, until

FILLS = count(2, 30)
GREEDY_EVERY = 2  # each second filler takes what is given back too, again and again
TOLD_S = 2.0
HELD_S = 0.5  # what LSL still held for us, when even the reserve was taken
SFREQ = 256.0
SIZE = "48m"  # the reserve and a few minutes of EEG
SEED = 7


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a small tmpfs; skipped by name where that is not permitted."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(
            f"no tmpfs can be mounted here ({done.stderr.strip()}): ENOSPC is injected in tests/collector/test_tape.py alone"
        )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Take every byte that is free."""
    with (disk / "filler").open("ab", buffering=0) as file:
        try:
            free = os.statvfs(disk)
            os.posix_fallocate(file.fileno(), file.tell(), max(1, free.f_bavail * free.f_frsize))
            file.seek(0, os.SEEK_END)
        except OSError:
            pass  # somebody else took it meanwhile
        try:
            for _ in range(64):
                file.write(bytes(4096))
        except OSError:
            return


def heard(hub: Hub, said: list, which: Callable[[object], bool]) -> bool:
    said.extend(hub.receive(timeout_s=0.01))
    return any(which(envelope.body) for envelope in said)


def one(room: Lab, amplifier: Amplifier, disk: Path, after_s: float, *, greedy: bool) -> dict[str, object]:
    """Let one recording meet a full disk, and return what was right."""
    run, hub, said = session(disk / "data", study()), Hub(now=time.monotonic), []
    collector = room.collector(run, **hub.environment)
    until(lambda: heard(hub, said, lambda body: isinstance(body, Status) and body.recording))
    time.sleep(after_s)
    t_full, published = time.monotonic(), amplifier.published()
    fill(disk)
    deadline = time.monotonic() + LONGEST_S
    while collector.poll() is None:
        assert time.monotonic() < deadline, "it never ended"
        if greedy:
            fill(disk)
        said.extend(hub.receive(timeout_s=0.002))
    said.extend(hub.receive(timeout_s=0.1))
    hub.close()
    alarm = next((e.t_lsl for e in said if isinstance(e.body, Alarm) and e.body.code == "disk/full"), float("inf"))
    _, err = collector.communicate()
    return {
        "code": collector.returncode,
        "told_s": alarm - t_full,
        "err": err.strip().splitlines()[-1],
        **judged(run, published, greedy=greedy),
    }


def judged(run: Run, published: int, *, greedy: bool) -> dict[str, object]:
    stream = xdf.by_name(xdf.read(run.xdf), "eeg")
    n = numbers(stream) if stream is not None else np.empty(0)
    report = xdf.check(run.xdf)
    whole = bool(len(n)) and bool((np.diff(n) == 1).all()) and n[-1] >= published - SFREQ * (HELD_S if greedy else 0.0)
    # where the reserve was left to us, the file is closed and the run has its manifest
    closed = greedy or (report.closed and Manifest.load(run.manifest_json).reason.endswith("disk full"))
    return {"readable": whole and report.damage == (), "closed": closed}


@pytest.mark.live
def test_a_disk_that_fills_up_costs_nothing_that_was_recorded(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    waits = np.random.default_rng(SEED).uniform(0.0, 3.0, FILLS)
    found = []
    with lab(tmp_path) as room:
        amplifier = room.amplifier({"name": "eeg"})
        for n, after_s in enumerate(waits.tolist()):
            with small_disk(tmp_path / f"disk{n}") as disk:
                found.append(one(room, amplifier, disk, after_s, greedy=n % GREEDY_EVERY == GREEDY_EVERY - 1))
    right = [
        r["code"] == 3 and r["told_s"] <= TOLD_S and r["readable"] and r["closed"] and "disk full" in str(r["err"])
        for r in found
    ]
    fault_row(
        test="the disk fills up", n=FILLS, passed=sum(right),
        note=f"tmpfs; told at worst after {max(r['told_s'] for r in found):.2f} s; every second filler takes the reserve too",
    )  # fmt: skip
    assert all(right), [one for one, well in zip(found, right, strict=True) if not well]


def test_a_recording_does_not_begin_where_it_does_not_fit(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    (tmp_path / "study.toml").write_text(study())
    with small_disk(tmp_path / "disk") as disk, lab(tmp_path) as room:
        program = "import sys; from collector.cli import main; sys.argv[0] = 'emo-record'; main()"
        out = str(disk / "pilot.xdf")
        recorder = room.start(
            "-c", program, "run", str(tmp_path / "study.toml"), "--out", out, "--consent", "eeg", "--minutes", "60"
        )
        _, said = recorder.communicate(timeout=LONGEST_S)
        left = list(disk.iterdir())
    right = (
        recorder.returncode == 2 and len(said.splitlines()) == 1 and "60 min may take" in said.splitlines()[-1] and left == []
    )
    fault_row(
        test="a recording that does not fit onto the disk", n=1, passed=int(right), note="refused in one line, nothing written"
    )
    assert right, said
