"""Simulated sessions on disk: whole, right, the same for a seed, and with exactly the faults that were asked for."""

import json
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import pyxdf
from numpy.typing import NDArray

from collector import quality, xdf
from collector.quality import marker_rows
from collector.twin import contact
from collector.twin.cohort import CohortError, Participant, plan, record_participant
from collector.twin.contact import Contact
from collector.twin.knobs import Faults, Knobs, seed_of
from collector.twin.sensors import EEG_LABELS, SENSORS
from protocol.folder import Manifest, Run, Session, open_run, sha256
from protocol.journal import read as read_journal
from protocol.study_files import StudyFiles
from protocol.trials import read as read_trials

from .studies import CLIP_S, small_study

PERSON = Participant("01", seed_of("01", seed=1), 0.92)
FIRST = EEG_LABELS.index("Cz")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> StudyFiles:
    return small_study(tmp_path_factory.mktemp("study") / "small")


@pytest.fixture(scope="session")
def run(files: StudyFiles, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return record_participant(files, tmp_path_factory.mktemp("plain"), PERSON)


@pytest.fixture(scope="session")
def streams(run: Run) -> dict[str, xdf.Stream]:
    return {stream.header.name: stream for stream in xdf.read(run.xdf).values()}


FAULTY = Faults(
    gaps=((8.0, 0.7), (14.0, 0.1)), sampling_ppm=200.0, clock_offset_s=1234.5, clock_ppm=50.0, impulses_s=(2.5,),
    impulse_trials=(1, 4), quality_ends_s=10.0,
)  # fmt: skip


@pytest.fixture(scope="session")
def faulty(files: StudyFiles, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return record_participant(files, tmp_path_factory.mktemp("faulty"), PERSON, faults=FAULTY)


def column(stream: xdf.Stream, label: str) -> NDArray[np.float64]:
    assert isinstance(stream.values, np.ndarray)
    return stream.values[:, stream.header.labels.index(label)].astype(np.float64)


def sensors(stream: xdf.Stream) -> NDArray[np.float64]:
    assert isinstance(stream.values, np.ndarray)
    return stream.values[:, FIRST : FIRST + len(SENSORS)].astype(np.float64)


def markers(run: Run) -> list[tuple[float, str, str]]:
    return [(t, m.name, m.keys.get("trial", "")) for t, m in marker_rows(xdf.read(run.xdf))]


def frames_of(run: Run) -> list[NDArray[np.uint8]]:
    with av.open(str(run.video())) as video:
        return [frame.to_ndarray(format="gray") for frame in video.decode(video=0)]


def test_a_simulated_session_is_a_whole_session_folder(run: Run) -> None:
    assert open_run(run.path) == run
    record, manifest = Session.load(run.session_json), Manifest.load(run.manifest_json)
    assert record.simulated and manifest.end == "complete" and manifest.session_uid == record.uid
    assert record.consent.scopes and record.person.age_y and 18 <= record.person.age_y <= 36
    assert manifest.quality and manifest.quality.verdict == "keep"
    assert manifest.quality.value == pytest.approx(0.92, abs=0.01)
    assert {f.path for f in manifest.files} >= {p.name for p in (run.xdf, run.video(), run.trials_csv, run.study_toml)}
    for listed in manifest.files:
        assert sha256(run.path / listed.path) == listed.sha256
    assert {s.name: s.n_lost for s in manifest.streams}["EmotivDataStream-EEG"] == 0
    assert read_journal(run.journal("window"))[-1].data["text"].startswith("session/end end=complete")


def test_trials_markers_and_journal_agree(run: Run, files: StudyFiles) -> None:
    rows, sent = read_trials(run.trials_csv), markers(run)
    onsets = {trial: t for t, name, trial in sent if name == "clip/onset"}
    offsets = {trial: t for t, name, trial in sent if name == "clip/offset"}
    assert [row.trial for row in rows] == [1, 2, 3, 4]
    assert {row.target for row in rows} == set(files.study.emotions)
    for row in rows:
        assert row.clip_started == onsets[str(row.trial)] and row.clip_stopped == offsets[str(row.trial)]
        assert offsets[str(row.trial)] - onsets[str(row.trial)] == pytest.approx(CLIP_S, abs=0.02)
        assert row.valence is not None and 1 <= row.valence <= 9
        assert row.rating in (*files.study.emotions, "other")
    logged = [r.data["t"] for r in read_journal(run.journal("window")) if r.name == "marker"]
    assert [t for t, _, _ in sent] == logged
    assert sent[0][1] == "session/start" and sent[-1][1] == "session/end"


def test_the_streams_hold_every_sample_of_the_session(run: Run, streams: dict[str, xdf.Stream]) -> None:
    eeg = streams["EmotivDataStream-EEG"]
    assert eeg.header.labels == EEG_LABELS and eeg.header.format == "double64" and eeg.header.sfreq == 256
    sent = markers(run)
    assert eeg.stamps[0] == pytest.approx(sent[0][0] - 2, abs=0.01) and eeg.stamps[-1] == pytest.approx(
        sent[-1][0] + 1, abs=0.01
    )
    assert np.diff(eeg.stamps) == pytest.approx(1 / 256, abs=1e-9)
    assert np.array_equal(column(eeg, "Counter"), np.arange(len(eeg.stamps)) % 256)
    assert not column(eeg, "Interpolate").any()
    # the device's own time is the wall clock's, which is recorded beside it
    wall = streams["emolab-wallclock"]
    assert column(eeg, "Timestamp") - eeg.stamps == pytest.approx(float(wall.values[0][0]) - wall.stamps[0], abs=1e-5)
    for name in ("EmotivDataStream-Contact-Quality", "EmotivDataStream-EEG-Quality"):
        readings = streams[name]
        assert len(readings.stamps) == int(np.ceil((eeg.stamps[-1] - eeg.stamps[0]) * 2))
        levels = np.stack([column(readings, sensor) for sensor in SENSORS])
        assert set(np.unique(levels)) <= {0, 1, 2, 4}
        assert abs(levels.mean() / 4 - column(readings, "Overall").mean() / 100) < 0.03
        assert column(readings, "Overall").std() > 0.5


def test_pyxdf_reads_the_same(run: Run, streams: dict[str, xdf.Stream]) -> None:
    theirs, _ = pyxdf.load_xdf(run.xdf)
    assert len(theirs) == len(streams)
    for stream in theirs:
        ours = streams[stream["info"]["name"][0]]
        assert len(stream["time_stamps"]) == len(ours.stamps)
        assert stream["time_stamps"] == pytest.approx(ours.stamps, abs=1e-4)
        if isinstance(ours.values, np.ndarray):
            assert np.array_equal(stream["time_series"], ours.values)


def test_the_video_has_a_row_for_every_frame(run: Run, streams: dict[str, xdf.Stream]) -> None:
    rows, pictures = streams["emolab-frames"], frames_of(run)
    assert isinstance(rows.values, np.ndarray)
    assert len(pictures) == len(rows.stamps) and np.array_equal(rows.values[:, 0], np.arange(len(pictures)))
    assert rows.values[:, 1] == pytest.approx(rows.stamps - rows.stamps[0], abs=0.001)
    assert np.diff(rows.stamps) == pytest.approx(0.1, abs=1e-9)
    assert dict(rows.header.desc)["file"] == run.video().name
    haar = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    hits = [len(haar.detectMultiScale(cv2.resize(p, None, fx=2, fy=2), 1.1, 4, minSize=(60, 60))) > 0 for p in pictures[::20]]
    assert np.mean(hits) >= 0.95


def test_the_same_seed_gives_the_same_session_and_another_seed_another(run: Run, files: StudyFiles, tmp_path: Path) -> None:
    again = record_participant(files, tmp_path / "again", PERSON)
    for here, there in zip(xdf.read(run.xdf).values(), xdf.read(again.xdf).values(), strict=True):
        assert np.array_equal(here.stamps, there.stamps) and np.array_equal(here.values, there.values)
        assert np.array_equal(here.offsets, there.offsets)
    # Matroska itself holds a random number
    assert all(np.array_equal(a, b) for a, b in zip(frames_of(run), frames_of(again), strict=True))
    assert run.trials_csv.read_text() == again.trials_csv.read_text()
    other = record_participant(files, tmp_path / "other", Participant("01", seed_of("01", seed=2), 0.92))
    assert run.trials_csv.read_text() != other.trials_csv.read_text()


def test_lost_samples_are_missing_where_they_were_asked_for_and_the_counter_ran_on(faulty: Run) -> None:
    eeg = xdf.by_name(xdf.read(faulty.xdf), "EmotivDataStream-EEG")
    counter = column(eeg, "Counter")
    steps = np.diff(counter) % 256
    lost = np.flatnonzero(steps != 1)
    assert len(lost) == 2
    start = markers(faulty)[0][0]
    born = column(eeg, "Timestamp")
    wall = xdf.by_name(xdf.read(faulty.xdf), "emolab-wallclock")
    assert isinstance(wall.values, np.ndarray)
    lsl = born - (wall.values[0, 0] - wall.stamps[0])
    true_sfreq = 256 * (1 + 200e-6)
    for at, (at_s, duration_s) in zip(lost, FAULTY.gaps, strict=True):
        assert lsl[at] == pytest.approx(start + at_s, abs=1 / 256)
        assert lsl[at + 1] == pytest.approx(start + at_s + duration_s, abs=1 / 256)
        assert steps[at] - 1 == pytest.approx(duration_s * true_sfreq, abs=1)
    manifest = Manifest.load(faulty.manifest_json)
    assert {s.name: s.n_lost for s in manifest.streams}["EmotivDataStream-EEG"] == steps[lost].sum() - 2


def test_the_senders_clock_is_off_and_the_measured_offsets_know_it(faulty: Run) -> None:
    eeg = xdf.by_name(xdf.read(faulty.xdf), "EmotivDataStream-EEG")
    start = markers(faulty)[0][0]
    local_of_offset = eeg.offsets[:, 0] + eeg.offsets[:, 1]
    assert eeg.offsets[:, 1] == pytest.approx(-(1234.5 + 50e-6 * (local_of_offset - start)), abs=1e-6)
    local = quality.on_recorder(eeg)
    assert 1 / np.diff(local)[:500].mean() == pytest.approx(256 * (1 + 200e-6), rel=2e-6)


def test_impulses_are_in_the_sample_and_the_frame_nearest_to_their_time(faulty: Run) -> None:
    streams, sent = xdf.read(faulty.xdf), markers(faulty)
    eeg, rows = xdf.by_name(streams, "EmotivDataStream-EEG"), xdf.by_name(streams, "emolab-frames")
    wanted = sorted([sent[0][0] + 2.5, *(t for t, name, trial in sent if name == "clip/onset" and trial in ("1", "4"))])
    lsl = quality.on_recorder(eeg)
    jumps = np.diff(sensors(eeg), axis=0).min(axis=1)
    found = np.flatnonzero(jumps > 1500) + 1
    assert len(found) == 3
    assert lsl[found] == pytest.approx(wanted, abs=0.5 / 256 + 1e-4)
    white = [n for n, picture in enumerate(frames_of(faulty)) if picture.mean() > 250]
    assert len(white) == 3
    assert rows.stamps[white] == pytest.approx(wanted, abs=0.5 / 10 + 1e-6)


def test_quality_that_ends_midway_is_not_judged(faulty: Run) -> None:
    start = markers(faulty)[0][0]
    readings = xdf.by_name(xdf.read(faulty.xdf), "EmotivDataStream-Contact-Quality")
    assert 0 < start + 10 - quality.on_recorder(readings)[-1] < 0.5 + 0.001
    verdict = Manifest.load(faulty.manifest_json).quality
    assert verdict and verdict.verdict == "not_judged"


def test_a_session_without_quality_streams_and_camera(files: StudyFiles, tmp_path: Path) -> None:
    bare = record_participant(files, tmp_path, PERSON, faults=Faults(no_quality=True, no_camera=True))
    names = {stream.header.name for stream in xdf.read(bare.xdf).values()}
    assert "emolab-frames" not in names and not any("Quality" in name for name in names)
    assert bare.videos() == []
    verdict = Manifest.load(bare.manifest_json).quality
    assert verdict and (verdict.verdict, verdict.value) == ("not_judged", None)


def test_latency_shows_in_the_stamps_and_not_in_the_devices_own_time(files: StudyFiles, tmp_path: Path) -> None:
    faults = Faults(eeg_latency_s=0.12, eeg_jitter_s=0.02, camera_latency_s=0.05, no_quality=True)
    late = record_participant(files, tmp_path, PERSON, faults=faults)
    streams = xdf.read(late.xdf)
    eeg, wall = xdf.by_name(streams, "EmotivDataStream-EEG"), xdf.by_name(streams, "emolab-wallclock")
    assert isinstance(wall.values, np.ndarray)
    transport = eeg.stamps - (column(eeg, "Timestamp") - (wall.values[0, 0] - wall.stamps[0]))
    assert transport.min() == pytest.approx(0.12, abs=0.002) and 0.01 < transport.std() < 0.03
    assert (np.diff(eeg.stamps) >= 0).all()
    assert xdf.by_name(streams, "emolab-frames").stamps[0] == pytest.approx(wall.stamps[0] + 0.05 + 0.05, abs=1e-6)


@pytest.mark.parametrize(("threshold", "metric"), [(0.8, "CQ"), (0.6, "EQ")])
def test_exactly_as_many_participants_as_asked_miss_the_rule(threshold: float, metric: str, tmp_path: Path) -> None:
    files = small_study(tmp_path / "study", threshold=threshold, metric=metric, discrete=False)
    people = plan(files, tmp_path / "data", n=3, seed=3, below=1)
    runs = [record_participant(files, tmp_path / "data", person, faults=Faults(no_camera=True)) for person in people]
    verdicts = [Manifest.load(run.manifest_json).quality for run in runs]
    assert sorted(v.verdict for v in verdicts if v) == ["exclude", "keep", "keep"]
    for verdict, person in zip(verdicts, people, strict=True):
        assert verdict and verdict.metric == metric and verdict.value == pytest.approx(person.contact, abs=0.02)


def test_the_demos_cohort_spreads_from_45_to_99_percent() -> None:
    spread = contact.values(15, below=8, threshold=0.8, seed=1)
    assert sum(v < 0.8 for v in spread) == 8
    assert min(spread) == pytest.approx(0.45) and max(spread) == pytest.approx(0.99)
    assert max(v for v in spread if v < 0.8) == pytest.approx(0.78) and min(v for v in spread if v > 0.8) == pytest.approx(0.84)
    assert spread != sorted(spread) and spread != contact.values(15, below=8, threshold=0.8, seed=2)


@pytest.mark.parametrize("value", [0.0, 0.45, 0.78, 0.84, 0.99, 1.0])
def test_the_overall_never_crosses_the_rule_and_the_sensors_follow_it(value: float) -> None:
    cap = Contact(7, value)
    overall = np.array([cap.overall(t) for t in np.arange(0, 100, 0.5)])
    assert ((overall >= 80) == (value >= 0.8)).all() and overall.min() >= 0 and overall.max() <= 100
    assert overall.mean() == pytest.approx(100 * value, abs=0.5)
    mean = np.mean([cap.levels(t) for t in np.arange(0, 100, 0.5)]) / 4
    assert mean == pytest.approx(max(value, 0.25), abs=0.12)


def test_a_participant_who_is_there_already_is_refused_before_anything_is_written(files: StudyFiles, tmp_path: Path) -> None:
    (tmp_path / "sub-03").mkdir()
    with pytest.raises(CohortError, match="sub-03: exists"):
        plan(files, tmp_path, n=5, seed=1)
    assert [p.name for p in tmp_path.iterdir()] == ["sub-03"]
    with pytest.raises(CohortError, match="below = 6"):
        plan(files, tmp_path / "new", n=5, seed=1, below=6)


def test_the_command_records_a_cohort_and_refuses_to_do_it_twice(files: StudyFiles, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "collector.twin", "cohort", str(files.path), "--out", str(tmp_path / "data")]
    command += ["--participants", "2", "--below", "1", "--workers", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["sessions"]
    assert [one["participant"] for one in told] == ["01", "02"]
    assert sorted(one["verdict"] for one in told) == ["exclude", "keep"]
    before = sorted(p.stat().st_mtime_ns for p in (tmp_path / "data").rglob("*"))
    again = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert again.returncode == 2 and "sub-01: exists" in again.stderr and again.stderr.count("\n") == 1
    assert before == sorted(p.stat().st_mtime_ns for p in (tmp_path / "data").rglob("*"))


def test_the_effect_reaches_the_file_and_effect_0_leaves_no_trace(files: StudyFiles, run: Run, tmp_path: Path) -> None:
    none = record_participant(files, tmp_path, PERSON, knobs=Knobs(effect=0.0), faults=Faults(no_camera=True))
    here, there = (xdf.by_name(xdf.read(r.xdf), "EmotivDataStream-EEG") for r in (run, none))
    header = dict(there.header.desc)
    assert (header["simulated/effect"], dict(here.header.desc)["simulated/effect"]) == ("0.0", "1.0")
    differs = np.abs(sensors(here) - sensors(there)).max(axis=1) > 1e-3
    onsets = [t for t, name, _ in markers(run) if name == "clip/onset"]
    assert differs.any() and not differs[here.stamps < onsets[0]].any()
