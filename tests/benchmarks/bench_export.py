"""How long a session takes from its folder to a validated dataset and to a verdict, and a big dataset to be listed."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bids_export import dataset, receipts
from bids_export.report.from_bids import Dataset
from tests.benchmarks import bench_report
from tests.benchmarks.table import Row
from tests.bids_export.lab import Truth, record

REPEATS = 3
CLIPS = tuple((60.0 + 90 * n, 120.0 + 90 * n, ("happiness", "sadness")[n % 2]) for n in range(12))
SESSION = Truth(
    duration_s=1200.0, drift_ppm=80.0, lost=((150_000, 333),), jitter_s=0.003, clips=CLIPS, fps=30.0, size_px=(640, 480)
)
N_PARTICIPANTS = 200


def rows() -> list[Row]:
    """Measure, and return the table's rows."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_whole(Path(folder) / "whole"), *_session(Path(folder)), *_many(Path(folder))]


def _whole(folder: Path) -> list[Row]:
    """Export a session with everything: 32 sensors, cues for the certificate, a camera at 30 frames a second."""
    run = bench_report.session(folder, fps=30)
    options = dataset.Options(simulated=True, include_excluded=True)
    taken = [_seconds(lambda n=n: dataset.export(run.data, folder / f"bids-{n}", options)) for n in range(REPEATS)]
    what = "20 min, 32 channels at 256 Hz, 640x480 at 30 fps, cues for the sync certificate"
    return [
        Row(
            f"export of a session ({what}), validated and read back", f"{median(taken):.1f} s", "30 s or less", "", "emo-export"
        )
    ]


def _session(folder: Path) -> list[Row]:
    run = record(folder / "data", SESSION)
    new = [_seconds(lambda n=n: _export(folder, f"bids-{n}")) for n in range(REPEATS)]
    again = [_seconds(lambda: _export(folder, "bids-0")) for _ in range(REPEATS)]
    command = [sys.executable, "-P", "-m", "bids_export", "report", str(run.path), "--json"]
    verdict = [_seconds(lambda: _said(command)) for _ in range(REPEATS)]
    what = "20 min, 4 channels at 256 Hz, 640x480 at 30 fps"
    return [
        Row(
            f"export of a session ({what}), validated and read back",
            f"{median(new):.1f} s",
            "30 s or less",
            command="emo-export",
        ),
        Row("the same export again: nothing has changed", f"{median(again):.1f} s", "", command="emo-export"),
        Row("verdict on that session, with its page", f"{median(verdict):.1f} s", "20 s or less", command="emo-report RUN"),
    ]


def _many(folder: Path) -> list[Row]:
    """List a root of 200 participants: the first one's files under other names."""
    first = folder / "bids-0"
    for n in range(2, N_PARTICIPANTS + 1):
        label = f"{n:03d}"
        for source in (first / "sub-01", first / receipts.SOURCE / "sub-01"):
            _renamed(source, source.with_name(f"sub-{label}"), label)
    listed = [_seconds(lambda: _list(first)) for _ in range(REPEATS)]
    return [
        Row(f"a dataset of {N_PARTICIPANTS} participants listed, with its receipts", f"{median(listed):.2f} s", "under 1 s")
    ]


def _list(root: Path) -> None:
    assert len(Dataset(root).recordings) == N_PARTICIPANTS
    assert len(receipts.load_all(root)) == N_PARTICIPANTS


def _renamed(source: Path, target: Path, label: str) -> None:
    for path in source.rglob("*"):
        if path.is_file() and not path.name.endswith((".eeg", ".mkv")):
            there = target / str(path.relative_to(source)).replace("sub-01", f"sub-{label}")
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, there)


def _export(folder: Path, name: str) -> None:
    dataset.export(folder / "data", folder / name, dataset.Options())


def _said(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["verdict"] in ("keep", "repeat")


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
