"""How long the page of a 20-minute session takes: from the session folder, and from the dataset."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bids_export import dataset
from collector.twin.cohort import plan, record_participant
from protocol.folder import Run
from protocol.study_files import load_study
from tests.benchmarks.table import Row

REPEATS = 3
# 12 clips of a minute with their ratings and rests, two baselines, cues to blink before and after: 20 minutes
SIZES = ("--clips-per-emotion", "3", "--clip-duration", "60", "--clip-size", "160x120")
LONGER = {
    "baseline = 8.0": "baseline = 30.0\neyes_closed = 30.0", "rest = 1.0": "rest = 15.0", "blinks = 6": "blinks = 12",
    "flashes = 6": "flashes = 12", "after = false": "after = true",
}  # fmt: skip


def rows() -> list[Row]:
    """Measure, and return the table's rows."""
    with tempfile.TemporaryDirectory() as folder:
        run = session(Path(folder))
        return measured(run, Path(folder))


def session(folder: Path, fps: int = 15) -> Run:
    """Simulate a session with everything that a report looks at."""
    study = folder / "study"
    subprocess.run([command("emo-study"), "new", str(study), *SIZES, "--camera-fps", str(fps)], check=True, capture_output=True)
    text = (study / "study.toml").read_text(encoding="utf-8")
    for short, longer in LONGER.items():
        assert short in text
        text = text.replace(short, longer)
    (study / "study.toml").write_text(text, encoding="utf-8")
    files = load_study(study)
    [participant] = plan(files, folder / "data", n=1, seed=1)
    return record_participant(files, folder / "data", participant)


def measured(run: Run, folder: Path) -> list[Row]:
    """Time the reports of a session."""
    said = json.loads(report(str(run.path), "--json", may_fail=True))
    eeg, [video] = said["eeg"], said["videos"]
    minutes, n_channels = eeg["duration_s"] / 60, eeg["n_channels"]
    what = f"{minutes:.0f} min, {n_channels} channels at {eeg['sfreq_nominal_hz']:g} Hz, {video['n_frames']} frames of 640x480"
    page = run.data / "reports" / f"{run.stem}_report.html"
    first = timed(lambda: _first(run, page))
    alone = timed(lambda: report(str(run.path), "--json", may_fail=True))
    root, out = folder / "bids", folder / "out"
    dataset.export(run.data, root, dataset.Options(simulated=True, include_excluded=True))
    pages = timed(lambda: report(str(root), str(out), "participant"))
    group = timed(lambda: report(str(root), str(out), "group"))
    size = sum(path.stat().st_size for path in out.glob("sub-01_ses-*_report.html")) / 1e6
    return [
        Row(f"the verdict on its page ({what})", first.partition(" (")[0], "20 s or less", command="emo-report RUN"),
        Row("the whole page", alone, "60 s or less", command="emo-report RUN"),
        Row("the same from the dataset, with the participant's page", pages, "60 s or less",
            command="emo-report BIDS OUT participant"),
        Row("the group's page, with the validator", group, "", command="emo-report BIDS OUT group"),
        Row("size of a session's page", f"{size:.1f} MB", ""),
    ]  # fmt: skip


def _first(run: Run, page: Path) -> None:
    """Wait until the verdict stands on the page, before its pictures."""
    page.unlink(missing_ok=True)
    with subprocess.Popen([command("emo-report"), str(run.path), "--json"], stdout=subprocess.DEVNULL) as process:
        while not page.exists():
            assert process.poll() is None, "it ended without a page"
            time.sleep(0.02)
        process.terminate()


def report(*args: str, may_fail: bool = False) -> str:
    """Run ``emo-report``; a verdict other than keep is no failure of the measurement."""
    done = subprocess.run([command("emo-report"), *args], capture_output=True, text=True)
    assert done.returncode in ((0, 1) if may_fail else (0,)), done.stderr
    return done.stdout


def command(name: str) -> str:
    """Return the path of one of our commands."""
    return str(Path(sys.executable).with_name(name))


def timed(act: Callable[[], object]) -> str:
    """Return how long it took, and how much of a processor: what it takes when nothing else runs. Medians."""
    walls, works = [], []
    for _ in range(REPEATS):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        act()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.perf_counter() - began)
        works.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return f"{median(walls):.1f} s ({median(works):.1f} s of a processor)"
