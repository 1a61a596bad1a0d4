"""A small study and real emo-run processes in a laboratory of their own: for tests of whole live sessions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector import processes
from protocol import folder, journal
from protocol.folder import Run

BIN = Path(sys.executable).parent
SMALL = (
    "--clips-per-emotion", "1", "--clip-duration", "3", "--clip-size", "320x240", "--camera-size", "320x240",
    "--camera-fps", "15",
)  # fmt: skip
LONGEST_S = 200.0


@dataclass(frozen=True)
class Ended:
    """A launcher that has ended."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """What ``--json`` printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def run(self) -> Run:
        """The run that it recorded."""
        return folder.open_run(Path(self.record["run"]))


def command(name: str, *options: str, env: Mapping[str, str]) -> Ended:
    """Run one of our commands to its end."""
    done = subprocess.run(
        [str(BIN / name), *options], env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST_S,
        check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


def make_study(home: Path, *, env: Mapping[str, str]) -> Path:
    """Make the demo's study in small: four clips of 3 s, a baseline of 3 s, two cues and two steps of light."""
    study = home / "study"
    made = command("emo-study", "new", str(study), "--preset", "demo", *SMALL, env=env)
    assert made.code == 0, made.err
    text = (study / "study.toml").read_text(encoding="utf-8")
    for long, short in (("baseline = 8.0", "baseline = 3.0"), ("blinks = 6", "blinks = 2"), ("flashes = 6", "flashes = 2")):
        assert long in text
        text = text.replace(long, short)
    (study / "study.toml").write_text(text, encoding="utf-8")
    return study


class Live:
    """A launcher that runs."""

    def __init__(self, process: subprocess.Popen[str], run: Run) -> None:
        self.process, self.run = process, run

    def states(self) -> list[str]:
        """The window's states so far."""
        path = self.run.journal("window")
        return [row.name for row in journal.read(path) if row.kind == "state"] if path.exists() else []

    def pid(self, who: str) -> int:
        """Number of a child."""
        return self._held()[who]

    def pid_of(self, who: str) -> int | None:
        """Number of a child, None before it was started."""
        return self._held().get(who)

    def pids(self) -> list[int]:
        """Numbers of all children so far."""
        return [pid for who, pid in self._held().items() if who != "launcher"]

    def _held(self) -> dict[str, int]:
        path = self.run.path.parents[1] / "lock.json"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return {who: pid for who, (pid, _) in json.loads(text)["processes"].items()} if text else {}

    def end(self) -> Ended:
        """Wait until it has ended."""
        out, err = self.process.communicate(timeout=LONGEST_S)
        return Ended(self.process.returncode, out, err)


@contextmanager
def headset(study: Path, *, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a simulated headset that no launcher started."""
    process = subprocess.Popen(
        [str(BIN / "emo-twin"), "live", str(study)], env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=LONGEST_S)


@contextmanager
def launched(study: Path, data: Path, *options: str, env: Mapping[str, str], participant: str = "07") -> Iterator[Live]:
    """Start emo-run; end it, and what it started, if a test failed halfway."""
    argv = [str(BIN / "emo-run"), str(study), "--participant", participant, "--data", str(data), "--json"]
    argv += ["--no-page", "--skip-preflight", *options]
    process = subprocess.Popen(
        argv, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    live = Live(process, Run(data, participant, "01", "01", "emotion"))
    try:
        yield live
    finally:
        _end(live)


def _end(live: Live) -> None:
    if live.process.poll() is not None:
        return
    children = live.pids()
    live.process.kill()
    live.process.communicate()
    for pid in children:
        if processes.birth(pid) is not None:
            os.killpg(pid, signal.SIGKILL)
