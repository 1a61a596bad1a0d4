"""A whole live session: window, sound, LSL, recorder, simulated headset, camera and participant, in real processes.

What was recorded is read by programs that are not ours: pyxdf and PyAV.
"""

import csv
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import pyxdf

from protocol import folder, journal, markers
from protocol.folder import Run, Session
from tests import display, live_runs
from tests.live_runs import Ended, Live

pytestmark = [pytest.mark.live, pytest.mark.alone]


@dataclass
class Recorded:
    """One run, as strangers read it. Stamps are those of the file: nothing is fitted or smoothed."""

    run: Run
    ended: Ended = field(default_factory=lambda: Ended(0, "", ""))

    @cached_property
    def streams(self) -> dict[str, dict[str, Any]]:
        found, _ = pyxdf.load_xdf(str(self.run.xdf), synchronize_clocks=False, dejitter_timestamps=False)
        return {stream["info"]["name"][0]: stream for stream in found}

    @cached_property
    def markers(self) -> list[tuple[str, float]]:
        stream = self.streams["emolab-markers"]
        return [(row[0], float(t)) for row, t in zip(stream["time_series"], stream["time_stamps"], strict=True)]

    @property
    def sent(self) -> list[tuple[str, float]]:
        """What the window wrote down as it sent it."""
        rows = journal.read(self.run.journal("window"))
        return [(row.data["text"], row.data["t"]) for row in rows if (row.kind, row.name) == ("note", "marker")]

    @property
    def notes(self) -> list[str]:
        return [row[0] for row in self.streams["emolab-notes"]["time_series"]]

    @property
    def manifest(self) -> folder.Manifest:
        return folder.Manifest.load(self.run.manifest_json)

    def names(self) -> list[str]:
        return [markers.parse(text).name for text, _ in self.markers]

    def labels(self, name: str) -> list[str]:
        channels = self.streams[name]["info"]["desc"][0]["channels"][0]["channel"]
        return [channel["label"][0] for channel in channels]

    def column(self, name: str, label: str) -> np.ndarray:
        return self.streams[name]["time_series"][:, self.labels(name).index(label)]


EEG, CQ, EQ = (f"EmotivDataStream-{kind}" for kind in ("EEG", "Contact-Quality", "EEG-Quality"))


@pytest.fixture(scope="module")
def lab() -> Iterator[dict[str, str]]:
    with display.laboratory() as env:
        yield env


@pytest.fixture(scope="module")
def study(lab: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return live_runs.make_study(tmp_path_factory.mktemp("live"), env=lab)


@pytest.fixture(scope="module")
def session(lab: dict[str, str], study: Path) -> Recorded:
    """One complete session; what the tests below look at."""
    with live_runs.launched(study, study.parent / "data", "--twin", env=lab) as live:
        ended = live.end()
    print(ended.err)
    for log in sorted(live.run.path.glob("*.log")):
        print(f"--- {log.name}\n{log.read_text(errors='replace')}")
    return Recorded(live.run, ended)


def test_the_session_is_complete_and_kept(session: Recorded) -> None:
    assert session.ended.code == 0, session.ended.err
    record = session.ended.record
    assert (record["end"], record["fault"], record["quality"]["verdict"]) == ("complete", "", "keep")
    assert session.manifest.end == "complete"
    assert [row.name for row in journal.read(session.run.journal("launch")) if row.kind == "alarm"] == []


def test_every_marker_that_the_window_sent_is_recorded_in_order_with_its_stamp(session: Recorded) -> None:
    assert session.markers == session.sent
    names = session.names()
    assert (names[0], names[-1]) == ("session/start", "session/end")
    assert markers.parse(session.markers[-1][0]).keys["end"] == "complete"
    assert (names.count("clip/onset"), names.count("clip/offset"), names.count("rating")) == (4, 4, 12)


def test_frames_in_the_video_are_rows_in_the_frame_stream(session: Recorded) -> None:
    rows = session.streams["emolab-frames"]["time_series"]
    with av.open(str(session.run.video())) as container:
        pts_s = np.array([float(frame.pts * frame.time_base) for frame in container.decode(video=0)])
    assert len(pts_s) == len(rows) > 100
    assert rows[:, 0].astype(int).tolist() == list(range(len(rows)))
    assert np.abs(pts_s - rows[:, 1]).max() <= 0.001  # the container counts in milliseconds
    named = session.streams["emolab-frames"]["info"]["desc"][0]["file"][0]
    assert named == session.run.video().name


def test_frame_times_are_times_of_the_clock_that_markers_use(session: Recorded) -> None:
    stamps = session.streams["emolab-frames"]["time_stamps"]
    assert (np.diff(stamps) > 0).all()
    assert stamps[0] < session.markers[0][1]
    assert stamps[-1] > session.markers[-1][1]


def test_no_sample_of_the_eeg_is_missing(session: Recorded) -> None:
    counter = session.column(EEG, "Counter")
    steps = np.diff(counter)
    modulus = counter.max() + 1
    assert modulus > 1
    assert set(np.unique(steps % modulus)) == {1.0}
    (record,) = [stream for stream in session.manifest.streams if stream.name == EEG]
    assert (record.n_lost, record.n) == (0, len(counter))


def test_the_headset_looks_like_emotivs(session: Recorded) -> None:
    info = session.streams[EEG]["info"]
    assert (info["channel_count"], info["channel_format"], float(info["nominal_srate"][0])) == (["37"], ["double64"], 256.0)
    assert session.labels(EEG)[:3] == ["Timestamp", "Counter", "Interpolate"]
    assert session.labels(CQ)[:4] == ["Timestamp", "BatteryPercent", "Overall", "Signal"]
    assert session.labels(EQ)[:4] == ["Timestamp", "BatteryPercent", "Overall", "SampleRateQuality"]
    assert set(np.unique(session.column(CQ, "Cz"))) <= {0.0, 1.0, 2.0, 4.0}


@pytest.mark.parametrize("name", [EEG, CQ, EQ, "emolab-wallclock"])
def test_every_stream_covers_the_session(session: Recorded, name: str) -> None:
    stamps = session.streams[name]["time_stamps"]
    assert stamps[0] < session.markers[0][1]
    assert stamps[-1] > session.markers[-1][1] - 1.0  # the slow ones come once or twice a second


def test_the_verdict_is_the_mean_of_the_devices_overall(session: Recorded) -> None:
    stamps, overall = session.streams[CQ]["time_stamps"], session.column(CQ, "Overall")
    first = next(t for text, t in session.markers if text.startswith("baseline/eyes_open") and "phase=onset" in text)
    last = [t for text, t in session.markers if text.startswith("clip/offset")][-1]
    inside = (stamps >= first) & (stamps <= last)
    quality = session.ended.record["quality"]
    assert quality["value"] == pytest.approx(overall[inside].mean() / 100, abs=0.01)
    assert quality["coverage"] > 0.95


def test_session_json_came_first_and_the_manifest_last_and_its_hashes_are_right(session: Recorded) -> None:
    born = {path: path.stat().st_mtime_ns for path in session.run.path.iterdir()}
    assert born[session.run.session_json] == min(born.values())
    listed = {session.run.path / record.path: record for record in session.manifest.files}
    for path, record in listed.items():
        assert (path.stat().st_size, folder.sha256(path)) == (record.size_B, record.sha256), path
        assert born[path] <= born[session.run.manifest_json]
    run = session.run
    assert {run.session_json, run.study_toml, run.xdf, run.video(), run.trials_csv} <= set(listed)
    record = Session.load(run.session_json)
    assert record.simulated
    assert session.manifest.session_uid == record.uid
    assert record.created_lsl < session.markers[0][1]


def test_the_trial_table_says_what_the_markers_say(session: Recorded) -> None:
    with session.run.trials_csv.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    parsed = [(markers.parse(text), t) for text, t in session.markers]
    onsets = [(m.keys, t) for m, t in parsed if m.name == "clip/onset"]
    felt = [m.keys["answer"] for m, _ in parsed if m.name == "rating" and m.keys["question"] == "emotion"]
    assert [(r["stim_id"], r["target"]) for r in rows] == [(k["stim_id"], k["target"]) for k, _ in onsets]
    assert [float(r["clip.started"]) for r in rows] == pytest.approx([t for _, t in onsets], abs=1e-6)
    assert [r["rating"] for r in rows] == felt
    assert {r["end"] for r in rows} == {"complete"}
    assert {r["target"] for r in rows} == {"happiness", "sadness", "fear", "neutral"}


def test_nothing_goes_on_running(session: Recorded) -> None:
    lock = session.run.path.parents[1] / "lock.json"
    assert lock.read_text() == ""
    pids = [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if str(session.run.path).encode() in _read(path / "cmdline")
    ]  # fmt: skip
    assert pids == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def all_markers(recorded: Recorded) -> list[tuple[str, float]]:
    """What all windows of a run sent; one that came back has its own stream, and says again what the one before said last."""
    found, _ = pyxdf.load_xdf(str(recorded.run.xdf), synchronize_clocks=False, dejitter_timestamps=False)
    streams = [stream for stream in found if stream["info"]["name"][0] == "emolab-markers"]
    rows = [(row[0], float(t)) for s in streams for row, t in zip(s["time_series"], s["time_stamps"], strict=True)]
    return list(dict.fromkeys(sorted(rows, key=lambda row: row[1])))


def test_the_window_is_killed_in_one_state_after_another_and_the_run_is_whole(lab: dict[str, str], study: Path) -> None:
    """kill -9 in the baseline, in the first clip and at a question: the same run goes on each time."""
    killed: list[int] = []

    def kill(live: Live, there: Callable[[], bool]) -> None:
        _until(live, lambda: live.pid_of("window") not in killed and there())
        killed.append(live.pid("window"))
        os.kill(killed[-1], signal.SIGKILL)

    with live_runs.launched(study, study.parent / "data", "--twin", env=lab, participant="08") as live:
        kill(live, lambda: "baseline/eyes_open" in live.states())
        kill(live, lambda: "clip/onset" in _text(live.run.journal("window")))
        kill(live, lambda: live.states()[-1] == "rating" and "attempt=2" in _text(live.run.journal("window")))
        ended = live.end()
    assert (ended.code, ended.record["end"], ended.record["fault"]) == (0, "complete", ""), ended.err
    recorded = Recorded(live.run)
    assert [note.split()[0] for note in recorded.notes if note.startswith("window/")] == ["window/lost", "window/back"] * 3
    sent = list(dict.fromkeys(recorded.sent))
    assert all_markers(recorded) == sent
    ends = [markers.parse(text).keys for text, _ in sent if text.startswith("clip/offset")]
    assert [(k["trial"], k.get("attempt", "1"), k["end"]) for k in ends] == [
        ("1", "1", "interrupted"), ("1", "2", "complete"), ("2", "1", "complete"), ("3", "1", "complete"),
        ("4", "1", "complete"),
    ]  # fmt: skip
    with live.run.trials_csv.open(encoding="utf-8") as file:
        rows = [(r["trial"], r["attempt"], r["end"], bool(r["rating"])) for r in csv.DictReader(file)]
    assert rows[:2] == [("1", "1", "interrupted", False), ("1", "2", "complete", True)]
    assert [row[0] for row in rows[2:]] == ["2", "3", "4"]
    with av.open(str(live.run.video())) as container:
        n_frames = sum(1 for _ in container.decode(video=0))
    assert n_frames == len(recorded.streams["emolab-frames"]["time_stamps"]) > 0


def test_a_run_that_lost_its_collector_is_gone_on_with_and_ctrl_c_ends_that_in_order(lab: dict[str, str], study: Path) -> None:
    data = study.parent / "data"
    with live_runs.launched(study, data, "--twin", env=lab, participant="09") as live:
        _until(live, lambda: _text(live.run.journal("window")).count("clip/onset") == 2)
        os.kill(live.pid("collector"), signal.SIGKILL)
        ended = live.end()
    assert (ended.code, ended.record["end"]) == (3, "aborted")
    assert "ALARM: collector/lost" in ended.err
    assert live.states()[-1] == "session/end"
    assert not live.run.manifest_json.exists()
    before = {path: path.read_bytes() for path in live.run.path.iterdir()}
    said = live_runs.command("emo-run", str(study), "--participant", "09", "--data", str(data), "--twin", env=lab)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "1 of 4 trials are complete" in said.err and "--resume" in said.err
    first = Session.load(live.run.session_json)
    with live_runs.launched(study, data, "--twin", "--resume", env=lab, participant="09") as live:
        live.run = Run(data, "09", "01", "02", "emotion")
        _until(live, lambda: "clip" in live.states() and "clip/onset" in _text(live.run.journal("window")))
        live.process.send_signal(signal.SIGINT)
        ended = live.end()
    assert (ended.code, ended.record["end"], ended.record["number"]) == (1, "aborted", "02")
    assert "goes on with run 01: 3 of 4 trials are left" in ended.err
    record = Session.load(live.run.session_json)
    assert (record.resumes, record.trials, record.begun, record.consent) == (first.uid, (2, 3, 4), {1: 1, 2: 1}, first.consent)
    recorded = Recorded(live.run)
    assert recorded.manifest.end == "aborted"
    assert recorded.markers == recorded.sent
    assert recorded.names()[-3:] == ["clip/offset", "abort", "session/end"]
    interrupted = markers.parse(recorded.markers[-3][0]).keys
    assert (interrupted["trial"], interrupted["attempt"], interrupted["end"]) == ("2", "2", "interrupted")
    assert {path: path.read_bytes() for path in before} == before


def test_a_real_session_has_a_person_at_the_keyboard_and_takes_no_picture_without_consent(
    lab: dict[str, str], study: Path
) -> None:
    """Devices that the launcher did not start, keys from outside, no consent to the face; Escape ends it."""
    with (
        live_runs.headset(study, env=lab),
        live_runs.launched(study, study.parent / "data", "--consent", "eeg", env=lab, participant="10") as live,
    ):
        _until(live, lambda: "welcome" in live.states())
        _press(lab, "space", live, "baseline/eyes_open/told")
        _press(lab, "space", live, "baseline/eyes_open")
        _press(lab, "Escape", live)
        ended = live.end()
    assert (ended.code, ended.record["end"], ended.record["reason"]) == (1, "aborted", "escape"), ended.err
    recorded = Recorded(live.run)
    assert recorded.markers == recorded.sent
    assert "emolab-frames" not in recorded.streams
    assert live.run.videos() == []
    record = Session.load(live.run.session_json)
    assert (record.simulated, record.consent.scopes, record.person.age_y) == (False, ("eeg",), None)


def _press(env: dict[str, str], key: str, live: Live, state: str = "") -> None:
    """Press a key until the next state comes, or the session ends: from when on a page takes keys is not told."""

    def over() -> bool:
        return state in live.states() if state else live.process.poll() is not None

    for _ in range(60):
        subprocess.run(["xdotool", "key", key], env=env, check=True)
        deadline = time.monotonic() + 3
        while not over() and time.monotonic() < deadline:
            time.sleep(0.1)
        if over():
            return


def test_bad_input_leaves_the_data_folder_untouched(lab: dict[str, str], study: Path) -> None:
    data = study.parent / "untouched"
    for options in (["--participant", "../07"], ["--participant", "07", "--session", "a/b"], ["--participant", "07"]):
        twin = ["--twin"] if options[-1] != "07" else []  # without --twin: no consent
        ended = live_runs.command("emo-run", str(study), *options, "--data", str(data), *twin, env=lab)
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert "Traceback" not in ended.err
    assert not data.exists()


def _until(live: Live, there: Callable[[], bool]) -> None:
    """Wait for something in a running session, at most three minutes: machines that run tests are loaded."""
    for _ in range(1800):
        if there():
            return
        if live.process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"it never came: {live.states()}, {live.process.poll()}")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
