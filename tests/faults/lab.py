"""Processes of one fault: fake amplifiers and recorders under an LSL session of their own, and what a recording must hold."""

import json
import mmap
import os
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from collector import xdf
from protocol import folder, journal
from protocol.folder import Consent, Person, Run, Session
from tests.faults.amplifier import WRAPS, values

LONGEST_S = 60.0
STUDY = """
[study]
name = "test"
[emotions]
fear = {{ hed = "Fearful", color = "#CC79A7" }}
neutral = {{ hed = "Emotionally-neutral", color = "#7F7F7F" }}
{camera}
[consent]
version = "1"
[eeg]
stream = {{ name = "eeg" }}
contact_quality_stream = false
eeg_quality_stream = false
other_streams = [{others}]
"""


class Lab:
    """Starts processes under one LSL session, or LSL's own defaults, and ends them."""

    def __init__(self, home: Path, *, stock: bool = False, within: Sequence[str] = ()) -> None:
        self.home, self.within = home, tuple(within)
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("EMOLAB_LSL", "LSLAPICFG"))}
        session = {} if stock else {"EMOLAB_LSL_SESSION": f"fault-{uuid.uuid4().hex}"}
        self.environment = {**plain, **session, "OMP_NUM_THREADS": "1"}
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, within: Sequence[str] | None = None, **environment: str) -> subprocess.Popen[str]:
        """Start a Python process; ``within`` goes before it, such as ``ip netns exec NAME``."""
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        argv = [*(self.within if within is None else within), sys.executable, *arguments]
        process = subprocess.Popen(argv, env=self.environment | environment, **pipes)
        self.processes.append(process)
        return process

    def amplifier(self, *streams: dict[str, Any], within: Sequence[str] | None = None) -> "Amplifier":
        """Start an amplifier with these streams."""
        return Amplifier(self, streams, within=within)

    def collector(self, run: Run, *options: str, **environment: str) -> subprocess.Popen[str]:
        """Start the collector on a session."""
        return self.start("-P", "-m", "collector", str(run.path), *options, **environment)

    def end(self) -> None:
        """End what still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()


@contextmanager
def lab(home: Path, **options: Any) -> Iterator[Lab]:
    """Yield a laboratory whose processes are ended."""
    made = Lab(home, **options)
    try:
        yield made
    finally:
        made.end()


class Amplifier:
    """A fake amplifier that runs."""

    def __init__(self, lab: Lab, streams: Sequence[dict[str, Any]], *, within: Sequence[str] | None) -> None:
        path = lab.home / f"published-{uuid.uuid4().hex}"
        path.write_bytes(struct.pack("<q", -1) * len(streams))
        with path.open("r+b") as file:
            self._published = mmap.mmap(file.fileno(), 0)
        program = str(Path(__file__).with_name("amplifier.py"))
        self.process = lab.start(program, json.dumps(list(streams)), str(path), within=within)
        self.start: float = self._answer()["start"]

    def published(self, place: int = 0) -> int:
        """Return the number of the last sample that was sent."""
        return int(struct.unpack_from("<q", self._published, 8 * place)[0])

    def tell(self, *command: Any) -> float:
        """Give a command and return when it was done, LSL seconds."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return float(self._answer()["t"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        found: dict[str, Any] = json.loads(line)
        return found


def study(others: Sequence[str] = (), *, camera: str = "") -> str:
    """Return a study file: the stream ``eeg``, and further ones by name."""
    text = STUDY.format(
        others=", ".join(f'{{ name = "{name}" }}' for name in others),
        camera=f'[camera]\nsource = "{camera}"\nsize_px = [160, 120]\nfps = 30' if camera else "",
    )
    return text if camera else "camera = false\n" + text


def session(data: Path, text: str, *, participant: str = "07") -> Run:
    """Make a run that is about to be recorded."""
    run = folder.create(data, participant=participant, session="01", task="emotion")
    Session(
        uid=uuid.uuid4().hex, participant=participant, session="01", run=run.run, task="emotion", simulated=True,
        study_sha256="0", resumes=None, created_wall="2026-01-01T00:00:00Z", created_lsl=0.0, boot="b", person=Person(),
        consent=Consent(version="1", scopes=("eeg", "face"), t_wall="2026-01-01T00:00:00Z"), versions={},
    ).save(run.session_json)  # fmt: skip
    run.study_toml.write_text(text)
    return run


def until(true: Callable[[], Any], *, at_most_s: float = LONGEST_S) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + at_most_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def recording(run: Run) -> bool:
    """Tell whether a collector has begun to record."""
    path = run.journal("collector")
    return path.exists() and any(row.name == "recording" for row in journal.read(path))


def numbers(stream: xdf.Stream) -> np.ndarray:
    """Return which samples a stream holds, after a look at every value of every one of them."""
    header, found = stream.header, np.asarray(stream.values)
    first = found[:, 0].astype(np.int64)
    assert header.format in WRAPS
    n = np.concatenate([first[:1], first[:1] + np.cumsum(np.diff(first) % WRAPS[header.format])]) if len(first) else first
    whole = np.asarray(values(0, int(n[-1]) + 1 if len(n) else 0, n_channels=header.n_channels, form=header.format))
    np.testing.assert_array_equal(found, whole[n])
    return n
