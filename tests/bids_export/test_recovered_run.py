"""After a crash: one command, and the run is exported and reported on."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from bids_export import cli, dataset, headset, recording, report_cli, video
from collector import rescue, xdf
from collector.cli import app
from collector.rescue import rescue as recover
from protocol import commands, folder
from protocol.folder import FolderError, Manifest, Run
from protocol.presets import Sizes, preset
from tests.bids_export.lab import Truth, record

FULL, _ = preset("demo", Sizes())
LATER = 1e12  # the wall clock, long after the crash


def crashed(data: Path) -> Run:
    """Record a run that has neither footers nor manifest, and of which a bit flipped on the disk."""
    run = record(data, Truth(duration_s=18.0), text=FULL, end=None)
    content = run.xdf.read_bytes()
    footers = content.index(b"<first_timestamp>")
    os.truncate(run.xdf, footers - 40)
    with run.xdf.open("r+b") as file:
        at = len(content) // 6  # within the second chunks of EEG
        file.seek(at)
        file.write(bytes([content[at] ^ 16]))
    return run


def files(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.path.iterdir()}


def command(app, bad_input, *arguments: object, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        commands.run(app, bad_input, args=[str(a) for a in arguments])
    said = capfd.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_after_a_crash_one_command_makes_a_run_that_is_exported_with_its_loss_marked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = crashed(tmp_path / "data")
    before = files(run)
    os.utime(run.xdf, (1.0, 1.0))
    code, out, err = command(app, (FolderError, xdf.XdfError), "recover", run.path, capfd=capfd)
    assert (code, err) == (0, "")
    assert "lost: EmotivDataStream-EEG 256 (1 s)" in out
    assert "contact quality: keep" in out
    after = files(run)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {run.recovered_xdf.name, run.recovered_xdf.name + ".crc", "manifest.json"}
    manifest = Manifest.load(run.manifest_json)
    assert (manifest.end, manifest.quality.verdict) == ("recovered", "keep")
    assert {s.name: s.n_lost for s in manifest.streams}["EmotivDataStream-EEG"] == 256
    assert {run.xdf.name, run.recovered_xdf.name} < {f.path for f in manifest.files}

    done = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options())
    assert [issue for issue in done.verdict.issues if issue.severity == "error"] == []
    events = next(done.root.rglob("*_events.tsv"))
    with events.open(encoding="utf-8") as file:
        gaps = [row for row in csv.DictReader(file, delimiter="\t") if row["trial_type"] == "BAD_gap"]
    assert [float(gap["duration"]) for gap in gaps] == [pytest.approx(1.0)]
    code, out, _ = command(report_cli.app, cli.BAD_INPUT, run.path, "--json", capfd=capfd)
    told = json.loads(out)
    assert code == 0
    assert (told["verdict"], told["eeg"]["n_lost"]) == ("keep", 256)
    assert any("did not end as it should" in finding for finding in told["findings"])


def test_what_is_recovered_is_what_the_export_reads(tmp_path: Path) -> None:
    run = crashed(tmp_path)
    recover(run.path, wall=lambda: LATER)
    loaded = recording.load(folder.open_run(run.path))
    assert loaded.end == "recovered"
    assert loaded.run.recording == run.recovered_xdf
    eeg = headset.place_eeg(loaded)
    assert eeg is not None
    assert [gap.n for gap in eeg.filled] == [256]
    assert xdf.check(run.recovered_xdf).closed
    counter = xdf.read(run.recovered_xdf)[1].values[:, 1]
    assert int((np.diff(counter) % 256 != 1).sum()) <= 1


def test_a_recovery_that_was_interrupted_before_the_manifest_is_finished_by_another(tmp_path: Path) -> None:
    run = crashed(tmp_path)
    recover(run.path, wall=lambda: LATER)
    first = run.recovered_xdf.read_bytes()
    run.manifest_json.unlink()
    recover(run.path, wall=lambda: LATER)
    assert run.recovered_xdf.read_bytes() == first
    assert Manifest.load(run.manifest_json).end == "recovered"


def test_a_run_that_is_being_recorded_finished_or_never_began_is_refused(tmp_path: Path) -> None:
    run = crashed(tmp_path / "a")
    with pytest.raises(FolderError, match=r"was written to 9 s ago: it is being recorded"):
        recover(run.path, wall=lambda: run.xdf.stat().st_mtime + rescue.QUIET_S - 0.6)
    assert not run.recovered_xdf.exists()
    recover(run.path, wall=lambda: run.xdf.stat().st_mtime + rescue.QUIET_S)
    with pytest.raises(FolderError, match=r"manifest\.json: this run was finished, there is nothing to recover"):
        recover(run.path)
    empty = crashed(tmp_path / "b")
    empty.xdf.unlink()
    with pytest.raises(FolderError, match=r"_eeg\.xdf: is missing: the collector had not begun to record"):
        recover(empty.path)


def test_something_else_under_the_name_of_the_recovered_file_is_left_alone(tmp_path: Path) -> None:
    run = crashed(tmp_path)
    run.recovered_xdf.write_bytes(run.xdf.read_bytes())
    with pytest.raises(FolderError, match=r"is in the way and is not whole; move it away"):
        recover(run.path, wall=lambda: LATER)
    assert run.recovered_xdf.read_bytes() == run.xdf.read_bytes()


def facts_of(pts_s: np.ndarray) -> video.Facts:
    return video.Facts("h264", 160, 120, "yuv420p", pts_s, tuple(range(len(pts_s))))


def test_frames_whose_rows_a_damaged_chunk_took_get_their_times_from_the_file_itself() -> None:
    pts = np.arange(40) / 30
    times = 5000 + pts * 1.0001
    kept = np.r_[3:20, 28:40]
    recorded = recording.Video(Path("face.mkv"), None, pts[kept], times[kept], recording.holes(kept.astype(float), pts[kept]))
    assert recorded.holes == ((-np.inf, pts[3]), (pts[19], pts[28]))
    np.testing.assert_allclose(video.frame_times(recorded, facts_of(pts)), times, atol=1e-4)


def test_frames_without_rows_where_no_row_is_missing_are_those_of_another_video() -> None:
    pts = np.arange(40) / 30
    kept = np.r_[0:20, 28:40]
    of_another = recording.Video(Path("face.mkv"), None, pts[kept], 5000 + pts[kept])
    with pytest.raises(recording.RecordingError, match=r"frame 20 at .* do not belong together"):
        video.frame_times(of_another, facts_of(pts))
