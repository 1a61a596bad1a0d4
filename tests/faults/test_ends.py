"""How recordings end: signals, a closed terminal, a second recorder on one target, an end without a launcher."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from collector import xdf
from protocol import markers
from protocol.folder import Manifest
from tests import terminals
from tests.faults.counts import count
from tests.faults.lab import LONGEST_S, Lab, lab, numbers, session, study, until

RECORD = "import sys; from collector.cli import main; sys.argv[0] = 'emo-record'; main()"
ROUNDS = count(1, 5)
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


def is_whole(path: Path, *, at_least: int = 64) -> bool:
    """Closed, undamaged, and without a gap."""
    report = xdf.check(path)
    n = numbers(xdf.by_name(xdf.read(path), "eeg"))
    return report.closed and report.damage == () and len(n) >= at_least and bool((np.diff(n) == 1).all())


def growing(path: Path) -> Callable[[], bool]:
    return lambda: path.exists() and path.stat().st_size > 20_000


def alone(room: Lab, out: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    """Start emo-record run."""
    path = out.parent / "study.toml"
    path.write_text(study())
    return room.start(
        "-c", RECORD, "run", str(path), "--out", str(out), "--consent", "eeg", "--minutes", "1", *options, **environment
    )


@pytest.mark.live
def test_signals_end_a_session_and_a_file_in_order(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    right = dict.fromkeys(SIGNALS, 0)
    for n in range(ROUNDS):
        runs = {which: session(tmp_path / f"{which}{n}", study()) for which in SIGNALS}
        outs = {which: tmp_path / f"{which}{n}" / "pilot.xdf" for which in SIGNALS}
        with lab(tmp_path) as room:
            room.amplifier({"name": "eeg"})
            pairs = {which: (room.collector(runs[which]), alone(room, outs[which])) for which in SIGNALS}
            until(lambda runs=runs, outs=outs: all(growing(p)() for p in (*outs.values(), *(run.xdf for run in runs.values()))))
            for which, pair in pairs.items():
                for process in pair:
                    process.send_signal(getattr(signal, which))
                    process.send_signal(getattr(signal, which))  # impatient
            codes = {which: [process.wait(LONGEST_S) for process in pair] for which, pair in pairs.items()}
        for which, run in runs.items():
            manifest = Manifest.load(run.manifest_json)
            whole = is_whole(run.xdf) and is_whole(outs[which]) and (manifest.end, manifest.reason) == ("aborted", which)
            right[which] += whole and codes[which] == [1, 0]
    for which in SIGNALS:
        fault_row(test=f"{which} ends a recording", n=ROUNDS, passed=right[which], note="session and single file: whole")
    assert right == dict.fromkeys(SIGNALS, ROUNDS)


@pytest.mark.live
def test_a_closed_terminal_ends_the_recorder_in_order(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    out = tmp_path / "pilot.xdf"
    terminals.needed()
    with lab(tmp_path) as room:
        room.amplifier({"name": "eeg"})
        (tmp_path / "study.toml").write_text(study())
        pid, terminal = pty.fork()
        if pid == 0:
            argv = [sys.executable, "-c", RECORD, "run", str(tmp_path / "study.toml"), "--out", str(out), "--consent", "eeg"]
            os.execve(sys.executable, [*argv, "--minutes", "1"], room.environment)
        until(growing(out))
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    right = os.waitstatus_to_exitcode(status) == 0 and is_whole(out)
    fault_row(
        test="the terminal is closed", n=1, passed=int(right), note="emo-record run: closed, nothing missing, exit code 0"
    )
    assert right


@pytest.mark.live
def test_of_two_recorders_on_one_target_one_is_refused(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    run, out = session(tmp_path / "data", study()), tmp_path / "pilot.xdf"
    with lab(tmp_path) as room:
        # both wait for the amplifier, so that both are ready to write at the same moment
        rivals = [[room.collector(run) for _ in range(2)], [alone(room, out) for _ in range(2)]]
        until(lambda: all(any(p.poll() is not None for p in pair) for pair in rivals))  # the one that came second
        room.amplifier({"name": "eeg"})
        until(lambda: growing(run.xdf)() and growing(out)())
        told = []
        for pair in rivals:
            until(lambda pair=pair: any(p.poll() is not None for p in pair))
            loser = next(p for p in pair if p.poll() is not None)
            _, said = loser.communicate()
            told.append((loser.returncode, said.strip().splitlines()[-1]))
            winner = next(p for p in pair if p is not loser)
            winner.terminate()
            winner.wait(LONGEST_S)
        again = room.collector(run)
        _, said = again.communicate(timeout=LONGEST_S)
        told.append((again.returncode, said.strip()))
    right = [
        code == 2 and word in said
        for (code, said), word in zip(told, ("another collector", "give another name", "a repeat is a new run"), strict=True)
    ]
    whole = (
        is_whole(run.xdf)
        and is_whole(out)
        and json.loads(out.with_suffix(".consent.json").read_text())["consent"]["scopes"] == ["eeg"]
    )
    fault_row(
        test="two recorders, same target",
        n=3,
        passed=sum(right) if whole else 0,
        note="refused in one line; the other file is whole",
    )
    assert all(right), told
    assert whole


@pytest.mark.live
def test_without_a_launcher_a_recording_ends_on_the_marker(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    out = tmp_path / "pilot.xdf"
    window = {"name": markers.STREAM_NAME, "type": markers.STREAM_TYPE, "n_channels": 1, "sfreq": 0.0, "format": "string"}
    with lab(tmp_path) as room:
        room.amplifier({"name": "eeg"})
        stimuli = room.amplifier(window | {"source_id": "my-program"})
        recorder = alone(room, out)
        until(growing(out))
        until(lambda: xdf.by_name(xdf.read(out), markers.STREAM_NAME) is not None)
        for text in ("clip/onset trial=1 block=1 stim_id=a target=fear", "session/end end=complete"):
            stimuli.tell("say", markers.STREAM_NAME, text)
        code = recorder.wait(LONGEST_S)
    found = [row[0] for row in xdf.by_name(xdf.read(out), markers.STREAM_NAME).values]
    right = code == 0 and is_whole(out) and found[-1] == "session/end end=complete" and len(found) == 2
    fault_row(test="session/end without a launcher", n=1, passed=int(right), note="the recording ends by itself")
    assert right
