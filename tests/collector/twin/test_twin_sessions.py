"""Simulated sessions with everything that a session may hold, and everything that may interrupt one."""

from pathlib import Path

import av
import numpy as np
import pytest

from collector import xdf
from collector.quality import marker_rows
from collector.twin.blinks import Blinks
from collector.twin.cohort import Participant, record_participant
from collector.twin.knobs import Faults, Knobs, seed_of
from collector.twin.mishaps import Mishap
from collector.twin.sensors import EEG_LABELS
from collector.twin.virtual import Incident
from protocol.folder import Manifest, Run, Session
from protocol.markers import Marker, decode
from protocol.study_files import StudyFiles, load_study
from protocol.trials import read as read_trials

from .studies import CLIP_S, small_study

PERSON = Participant("01", seed_of("01", seed=1), 0.92)
LATE = Faults(display_latency_s=0.06, camera_latency_s=0.05, eeg_latency_s=0.11)
NO_CAMERA = Faults(no_camera=True)


def whole_study(folder: Path) -> StudyFiles:
    """Return a study with all that may be asked for."""
    made = small_study(folder, per_emotion=2, fps=15, blinks=6)
    text = made.path.read_text(encoding="utf-8")
    text = text.replace('"Emotionally-neutral", color = "#7F7F7F"', '"Emotionally-neutral", color = "#7F7F7F", as = "rest"')
    text = text.replace("clips_per_emotion = 2", 'clips_per_emotion = 2\nmood_repair = "sea"')
    text = text.replace("baseline = 3.0", "baseline = 3.0\neyes_closed = 4.0\nhint = 0.3\nbreak = 3.0\nrating = 30.0")
    text = text.replace("discrete = true", "discrete = true\nintensity = true\nlooked_away = true\nfamiliarity = true")
    text += '\n[design]\nblocks = 2\n[practice]\nclips = ["tea"]\n[eeg]\nphotodiode = "Light"\n'
    text += '[screen]\nphotodiode = "top-left"\n[safety]\ncontent_warning = true\n'
    rows = (folder / "clips.tsv").read_text(encoding="utf-8")
    lines = [line for line in rows.splitlines() if "neutral" not in line]
    for name in ("tea", "sea"):
        like = next(line for line in lines if "happiness01" in line)
        lines.append(like.replace("happiness01.mp4", f"{name}.mp4").replace("happiness01", name))
        (folder / f"{name}.mp4").write_bytes(b"happiness01.mp4")
    (folder / "clips.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    made.path.write_text(text, encoding="utf-8")
    return load_study(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> StudyFiles:
    return whole_study(tmp_path_factory.mktemp("whole") / "study")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> StudyFiles:
    return small_study(tmp_path_factory.mktemp("plain") / "study")


@pytest.fixture(scope="module")
def full(whole: StudyFiles, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return record_participant(whole, tmp_path_factory.mktemp("data"), PERSON, faults=LATE)


def markers(run: Run) -> list[tuple[float, Marker]]:
    return list(marker_rows(xdf.read(run.xdf)))


def notes(run: Run) -> list[str]:
    stream = xdf.by_name(xdf.read(run.xdf), "emolab-notes")
    assert stream is not None
    return [decode(row[0])[0] for row in stream.values]


def names(run: Run) -> list[str]:
    return [marker.name for _, marker in markers(run)]


def test_a_session_with_everything_has_every_part(full: Run) -> None:
    sent = names(full)
    assert {name: sent.count(name) for name in ("practice/onset", "mood_repair/offset", "baseline/eyes_closed", "break")} == {
        "practice/onset": 1, "mood_repair/offset": 1, "baseline/eyes_closed": 2, "break": 2,
    }  # fmt: skip
    assert sent.count("sync/cue") >= 6 and sent.count("sync/flash") >= 6
    assert (sent.count("clip/onset"), sent.count("rest/onset")) == (6, 2)
    rows = read_trials(full.trials_csv)
    assert [row.trial for row in rows] == list(range(1, 9)) and {row.end for row in rows} == {"complete"}
    assert {row.kind for row in rows if row.target == "neutral"} == {"rest"}
    assert all(row.looked_away in ("yes", "no") and row.familiarity in ("yes", "no") and row.intensity for row in rows)
    assert Manifest.load(full.manifest_json).end == "complete"


def test_light_blinks_and_photodiode_of_a_recorded_session_are_as_late_as_asked(full: Run) -> None:
    """The whole chain that synchronisation is measured from: flip, light, face, EEG, each with its own latency."""
    streams, sent = xdf.read(full.xdf), markers(full)
    eeg, frames = xdf.by_name(streams, "EmotivDataStream-EEG"), xdf.by_name(streams, "emolab-frames")
    assert eeg is not None and frames is not None and isinstance(eeg.values, np.ndarray)
    values = eeg.values.astype(float)

    light = values[:, len(EEG_LABELS)]
    rises = eeg.stamps[np.flatnonzero(np.diff(light) > 0) + 1]
    flips = [t for t, m in sent if m.name in ("clip/onset", "clip/offset") or m.keys.get("level") == "white"]
    assert len(rises) == len(flips)
    assert rises - flips == pytest.approx(LATE.display_latency_s + LATE.eeg_latency_s, abs=1 / 256 + 1e-6)

    with av.open(str(full.video())) as video:
        seen = np.array([frame.to_ndarray(format="gray")[20:100, 40:120].mean() for frame in video.decode(video=0)])
    flashes = [(t, marker.keys["level"]) for t, marker in sent if marker.name == "sync/flash"]
    for t, level in flashes[1:6]:
        before, after = (seen[(frames.stamps > t + a) & (frames.stamps < t + b)].mean() for a, b in ((-0.5, 0.1), (0.2, 0.8)))
        step = frames.stamps[np.flatnonzero((frames.stamps > t - 0.3) & (np.abs(seen - after) < np.abs(seen - before)))]
        assert (after > before) == (level == "white")
        assert 0 <= step[step > t][0] - t - LATE.display_latency_s - LATE.camera_latency_s < 1 / 15 + 0.001

    cues = [t for t, marker in sent if marker.name == "sync/cue"][:6]
    person = Blinks(PERSON.seed)
    front = values[:, EEG_LABELS.index("Fp1")]
    for cue in cues:
        lit = cue + LATE.display_latency_s
        blink = person.between(lit, lit + 0.65, cues=[t + LATE.display_latency_s for t in cues])[0]
        near = np.abs(eeg.stamps - LATE.eeg_latency_s - blink) < 0.05
        around = (np.abs(eeg.stamps - LATE.eeg_latency_s - blink) < 0.6) & (
            np.abs(eeg.stamps - LATE.eeg_latency_s - blink) > 0.4
        )
        assert front[near].mean() > front[around].mean() + 50


@pytest.mark.parametrize("what", ["pause", "repeat"])
def test_a_clip_that_is_interrupted_is_begun_again_as_the_next_attempt(small: StudyFiles, tmp_path: Path, what) -> None:
    run = record_participant(small, tmp_path, PERSON, faults=NO_CAMERA, incidents=[Incident(what, 2, for_s=7.0)])
    rows = read_trials(run.trials_csv)
    assert [(row.trial, row.attempt, row.end) for row in rows] == [
        (1, 1, "complete"), (2, 1, "interrupted"), (2, 2, "complete"), (3, 1, "complete"), (4, 1, "complete"),
    ]  # fmt: skip
    onsets = [marker.keys.get("attempt") for _, marker in markers(run) if marker.name == "clip/onset"]
    assert onsets == [None, None, "2", None, None]
    first = rows[1]
    assert first.clip_started and first.clip_stopped and first.clip_stopped - first.clip_started == pytest.approx(1, abs=0.05)
    sent = markers(run)
    if what == "pause":
        paused, resumed = (next(t for t, m in sent if m.name == name) for name in ("pause", "resume"))
        assert resumed - paused == pytest.approx(7, abs=0.1)


def test_a_complete_clip_may_be_repeated_in_the_rest_after_it(small: StudyFiles, tmp_path: Path) -> None:
    run = record_participant(
        small, tmp_path, PERSON, faults=NO_CAMERA, incidents=[Incident("repeat", 3, during="rest", after_s=0.2)]
    )
    rows = [(row.trial, row.attempt, row.end) for row in read_trials(run.trials_csv)]
    assert rows[2:4] == [(3, 1, "complete"), (3, 2, "complete")] and len(rows) == 5


def test_clips_may_be_skipped_or_fail(small: StudyFiles, tmp_path: Path) -> None:
    incidents = [Incident("skip", 1), Incident("fail", 2), Incident("pause", 3, during="rating")]
    run = record_participant(small, tmp_path, PERSON, faults=NO_CAMERA, incidents=incidents)
    rows = read_trials(run.trials_csv)
    assert [row.end for row in rows] == ["skipped", "failed", "complete", "complete"]
    assert rows[0].valence is None and rows[2].valence is not None and "pause" in names(run)


def test_a_window_that_dies_comes_back_and_the_session_goes_on(small: StudyFiles, tmp_path: Path) -> None:
    run = record_participant(small, tmp_path, PERSON, faults=NO_CAMERA, incidents=[Incident("crash", 2, after_s=1.5)])
    rows = read_trials(run.trials_csv)
    assert [(row.trial, row.attempt, row.end) for row in rows][1:3] == [(2, 1, "interrupted"), (2, 2, "complete")]
    assert rows[1].clip_stopped is not None and rows[1].clip_started is not None
    assert rows[1].clip_stopped - rows[1].clip_started == pytest.approx(1.5, abs=0.05)
    assert [name for name in notes(run) if name.startswith("window")] == ["window/lost", "window/back"]
    assert names(run).count("session/start") == 1 and Manifest.load(run.manifest_json).end == "complete"


def test_an_aborted_session_is_resumed_by_a_run_that_shows_what_is_left(small: StudyFiles, tmp_path: Path) -> None:
    first = record_participant(small, tmp_path, PERSON, faults=NO_CAMERA, incidents=[Incident("abort", 3)])
    assert Manifest.load(first.manifest_json).end == "aborted" and names(first)[-1] == "session/end"
    second = record_participant(small, tmp_path, PERSON, faults=NO_CAMERA, resumes=first)
    assert (second.run, Session.load(second.session_json).resumes) == ("02", Session.load(first.session_json).uid)
    rows = [(row.trial, row.attempt, row.end) for row in read_trials(second.trials_csv)]
    assert rows == [(3, 2, "complete"), (4, 1, "complete")]
    both = [Session.load(run.session_json) for run in (first, second)]
    assert both[0].uid != both[1].uid and both[1].created_wall > both[0].created_wall
    assert both[1].created_lsl > markers(first)[-1][0]


def test_an_unplugged_camera_leaves_two_files_each_with_its_own_frames(small: StudyFiles, tmp_path: Path) -> None:
    faults = Faults(mishaps=(Mishap("camera_unplug", 4.0, 3.0), Mishap("camera_stall", 12.0, 1.0)))
    run = record_participant(small, tmp_path, PERSON, faults=faults)
    assert [path.name.split("_recording-")[1] for path in run.videos()] == ["face_video.mkv", "face_split-2_video.mkv"]
    streams = [s for s in xdf.read(run.xdf).values() if s.header.name == "emolab-frames"]
    assert [dict(s.header.desc)["file"] for s in streams] == [path.name for path in run.videos()]
    assert len({s.header.uid for s in streams}) == 2
    start = markers(run)[0][0]
    for stream, path in zip(streams, run.videos(), strict=True):
        with av.open(str(path)) as video:
            shown = [float(f.pts * f.time_base) for f in video.decode(video=0)]
        assert isinstance(stream.values, np.ndarray)
        assert shown == pytest.approx(stream.values[:, 1].tolist()) and stream.values[0, :2].tolist() == [0, 0]
        assert shown == pytest.approx((stream.stamps - stream.stamps[0]).tolist(), abs=0.001)
    assert streams[0].stamps[-1] == pytest.approx(start + 4, abs=0.11)
    assert streams[1].stamps[0] == pytest.approx(start + 7, abs=0.11)
    assert np.diff(streams[1].stamps).max() == pytest.approx(1.0, abs=0.11)  # it hung, in the same file


def test_a_wall_clock_that_is_set_in_the_middle_is_noted_and_moves_nothing_else(small: StudyFiles, tmp_path: Path) -> None:
    faults = Faults(no_camera=True, mishaps=(Mishap("clock_step", 5.0, value=-3600.0),))
    run = record_participant(small, tmp_path, PERSON, faults=faults)
    plain = record_participant(small, tmp_path / "plain", PERSON, faults=NO_CAMERA)
    assert notes(run).count("clock/step") == 1 and "clock/step" not in notes(plain)
    assert [t for t, _ in markers(run)] == [t for t, _ in markers(plain)]


def test_emotions_may_show_in_one_modality_alone_in_a_recorded_session(small: StudyFiles, tmp_path: Path) -> None:
    def eeg(where: str, knobs: Knobs) -> xdf.Stream:
        run = record_participant(small, tmp_path / where, PERSON, knobs=knobs, faults=NO_CAMERA)
        stream = xdf.by_name(xdf.read(run.xdf), "EmotivDataStream-EEG")
        assert stream is not None
        return stream

    shown, sadness = (
        eeg(name, Knobs(eeg_absent=0.0, eeg_emotions=emotions)) for name, emotions in (("a", ()), ("b", ("sadness",)))
    )
    differs = np.abs(np.asarray(shown.values) - np.asarray(sadness.values)).max(axis=1) > 1e-3
    run = Run(tmp_path / "a", "01", "01", "01", "emotion")
    (onset,) = [t for t, m in markers(run) if m.name == "clip/onset" and m.keys["target"] == "sadness"]
    when = shown.stamps[differs]
    assert len(when) and when.min() > onset - 0.5 and when.max() < onset + CLIP_S + 1.0
