"""Real sessions in real windows, on a display and a sound card that do not exist."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from protocol import journal, ratings, trials
from protocol.folder import Run
from protocol.link import Hub
from protocol.markers import decode, parse
from protocol.study_files import load_study
from protocol.window import layout, pictures
from protocol.window.decode import read_frames
from protocol.window.pictures import Picture
from protocol.words import WORDS
from tests import display
from tests.window_runs import Sitter, begin_run, window

pytestmark = [pytest.mark.live, pytest.mark.alone]

LIMIT_S = 120.0
SIZE_PX = (640, 480)
READ_PSYDAT = """
import json, sys
from psychopy.misc import fromFile
experiment = fromFile(sys.argv[1])
entries = [entry["stim_id"] for entry in experiment.entries]
print(json.dumps({"participant": experiment.extraInfo["participant"], "stim_ids": entries}))
"""
KEYS = {"welcome": "space", "valence": "7", "arousal": "3", "emotion": "2"}


@contextmanager
def recorder(env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(Path(__file__).with_name("receive_markers.py")), str(LIMIT_S)]
    process = subprocess.Popen(command, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def ears(env: Mapping[str, str], path: Path) -> Iterator[None]:
    """Record what the sound card plays."""
    options = ["--rate=48000", "--channels=1", "--format=float32le", "--latency-msec=20"]
    with path.open("wb") as file:
        command = ["parec", "-d", f"{display.SINK}.monitor", *options]
        process = subprocess.Popen(command, env=dict(env), stdout=file, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def laboratory() -> Iterator[dict[str, str]]:
    """A small screen: it is drawn in software."""
    with display.laboratory(size_px=SIZE_PX) as env:
        yield env


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub(now=time.monotonic)
    yield hub
    hub.close()


def received(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.communicate(timeout=30)[0].splitlines()]


def journaled(run: Run, name: str) -> list[dict[str, Any]]:
    return [dict(row.data) for row in journal.read(run.journal("window")) if row.name == name]


def names(run: Run) -> list[str]:
    return [parse(row["text"]).name for row in journaled(run, "marker")]


class TestASession:
    def test_of_two_clips_runs_to_its_end_and_every_marker_arrives_with_the_stamp_that_was_journaled(
        self, laboratory: dict[str, str], hub: Hub, tmp_path: Path
    ) -> None:
        run, study = begin_run(tmp_path)
        sitter = Sitter(hub, KEYS)
        env, heard = laboratory | hub.environment, tmp_path / "heard.f32"
        with recorder(env) as inlet, ears(env, heard), window(run, study, env, "--twin") as process:
            sitter.follow(process, limit_s=LIMIT_S)
            assert process.returncode == 0
            markers = received(inlet)
        assert markers == journaled(run, "marker")
        assert [parse(m["text"]).name for m in markers] == [
            "session/start", "consent", "baseline/eyes_open", "baseline/eyes_open",
            *["fixation", "fixation", "clip/onset", "clip/offset", "rating", "rating", "rating"] * 2,
            "session/end",
        ]  # fmt: skip
        self.every_frame_is_accounted_for(run)
        self.the_sound_came_out(run, heard)
        self.both_clocks_stand_at_every_flip(run)
        self.psychopy_s_users_find_their_file(run)
        assert [decode(state)[0] for state in sitter.states[:6]] == [
            "starting", "waiting", "welcome", "baseline/eyes_open/told", "baseline/eyes_open", "fixation",
        ]  # fmt: skip
        assert max(beat.n_flip or 0 for beat in sitter.beats) > 100

    def every_frame_is_accounted_for(self, run: Run) -> None:
        for row in trials.read(run.trials_csv):
            assert row.end == "complete"
            assert row.shown is not None and row.dropped is not None
            assert row.shown + row.dropped == 30  # one second at 30 frames a second
            assert row.shown > 0
            assert row.clip_started is not None and row.clip_stopped is not None
            assert row.clip_stopped - row.clip_started > 0.9
            assert (row.valence, row.arousal, row.rating) == (7, 3, "fear")

    def the_sound_came_out(self, run: Run, heard: Path) -> None:
        assert journaled(run, "sound") == [{"device": "pulse"}]
        assert np.abs(np.fromfile(heard, "<f4")).max() > 0.05
        assert all(row.audio_offset_s is not None for row in trials.read(run.trials_csv))

    def both_clocks_stand_at_every_flip(self, run: Run) -> None:
        header, *lines = run.flips_csv.read_text("ascii").splitlines()
        assert header == "flip,t_lsl,t_psychopy,frame,pts_s"
        rows = [[float(cell) for cell in line.split(",")[:3]] for line in lines]
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        stamps = {row[1] for row in rows}
        onsets = [m["t"] for m in journaled(run, "marker") if m["text"].startswith("clip/")]
        assert all(round(t, 6) in stamps for t in onsets)  # a marker's stamp is a flip's

    def psychopy_s_users_find_their_file(self, run: Run) -> None:
        # in a process of its own: PsychoPy warns when it is imported, and warnings are errors here
        said = subprocess.run([sys.executable, "-c", READ_PSYDAT, run.psydat], capture_output=True, text=True, check=True)
        experiment = json.loads(said.stdout.splitlines()[0])
        assert experiment["participant"] == "07"
        assert experiment["stim_ids"] == [row.stim_id for row in trials.read(run.trials_csv)]
        assert len(list(run.path.glob("*.csv"))) == 2  # trials and flips: no second table of PsychoPy's own


class TestAPerson:
    def test_answers_by_keys_and_mouse_and_stops_with_escape(
        self, laboratory: dict[str, str], hub: Hub, tmp_path: Path
    ) -> None:
        run, study = begin_run(tmp_path, duration_s=3.0)
        with recorder(laboratory) as inlet, window(run, study, laboratory | hub.environment) as process:
            person = Person(hub, KEYS, laboratory)
            person.follow(process, limit_s=LIMIT_S)
            assert process.returncode == 1
            markers = received(inlet)
        first, second = trials.read(run.trials_csv)
        assert (first.valence, first.arousal, first.rating) == (7, 3, "fear")
        assert (second.end, second.valence) == ("interrupted", None)
        assert markers == journaled(run, "marker")
        tail = [parse(m["text"]) for m in markers[-3:]]
        assert [m.name for m in tail] == ["clip/offset", "abort", "session/end"]
        assert tail[0].keys["end"] == "interrupted"
        assert tail[1].keys["reason"] == "escape"
        assert tail[2].keys == {"end": "aborted", "reason": "escape"}


class TestTheScreen:
    def test_shows_the_very_pixels_that_were_drawn_and_the_clip_s_frames_upright(
        self, laboratory: dict[str, str], hub: Hub, tmp_path: Path
    ) -> None:
        run, study = begin_run(tmp_path, duration_s=4.0, language="vi")
        photographer = Photographer(hub, KEYS, laboratory)
        with recorder(laboratory), window(run, study, laboratory | hub.environment, "--twin") as process:
            photographer.follow(process, limit_s=LIMIT_S)
        files = load_study(study)
        sheet = layout.sheet(SIZE_PX, pixel_m=0.53 / SIZE_PX[0], distance_m=0.60)
        colors = {name: emotion.color for name, emotion in files.study.emotions.items()}
        words = WORDS["vi"]
        for question in ratings.questions(files.study):
            hint = words.scale_keys if pictures.is_scale(question) else words.choice_keys
            wanted = pictures.question(question, sheet, colors=colors, hint=hint, stop=words.stop_key)
            assert np.array_equal(photographer.taken[question.name], wanted), question.name
        self.is_a_frame_of(photographer.taken["clip"], files.clips[photographer.stim_id].path)

    def is_a_frame_of(self, photo: Picture, path: Path) -> None:
        small = photo.reshape(240, 2, 320, 2, 3).mean(axis=(1, 3))  # the clip's 320x240 fill the screen
        frames = np.stack([frame.rgb for frame in read_frames(path, start_s=0.0, stop_s=4.0)]).astype(float)
        upright = np.abs(frames - small).mean(axis=(1, 2, 3)).min()
        flipped = np.abs(frames - small[::-1]).mean(axis=(1, 2, 3)).min()
        assert upright < 4
        assert upright < flipped / 2


class Photographer(Sitter):
    """Takes a picture of every screen of the first trial before it answers."""

    def __init__(self, hub: Hub, keys: Mapping[str, str], env: Mapping[str, str]) -> None:
        super().__init__(hub, keys)
        self._env = dict(env)
        self.taken: dict[str, Picture] = {}
        self.stim_id = ""

    def answer(self, state: str, key: str | None) -> None:
        name, keys = decode(state)
        if keys.get("trial") == "1":
            self.taken[keys.get("question", name)] = self.photo()
            self.stim_id = keys["stim_id"]
        super().answer(state, key)

    def photo(self) -> Picture:
        command = ["import", "-silent", "-window", "root", "-depth", "8", "rgb:-"]
        raw = subprocess.run(command, env=self._env, capture_output=True, check=True).stdout
        return np.frombuffer(raw, np.uint8).reshape(SIZE_PX[1], SIZE_PX[0], 3)


class Person(Sitter):
    """Presses real keys, clicks one answer, and stops in the second clip."""

    def __init__(self, hub: Hub, keys: Mapping[str, str], env: Mapping[str, str]) -> None:
        super().__init__(hub, keys)
        self._env = dict(env)

    def answer(self, state: str, key: str | None) -> None:
        name, keys = decode(state)
        if name == "clip" and keys["trial"] == "2":
            self.do("key", "Escape")
        elif keys.get("question") == "arousal":
            sheet = layout.sheet(SIZE_PX, pixel_m=0.53 / SIZE_PX[0], distance_m=0.60)
            x, y = layout.columns(sheet, 9)[2].center
            # a click is held for some flips, as a finger does
            self.do("mousemove", str(round(x)), str(round(y)), "mousedown", "1", "sleep", "0.3", "mouseup", "1")
        elif key is not None:
            self.do("key", key)

    def do(self, *action: str) -> None:
        subprocess.run(["xdotool", *action], env=self._env, check=True)


class TestAWindowWithoutSound:
    def test_is_refused_in_one_line_where_the_study_requires_it(self, tmp_path: Path) -> None:
        run, study = begin_run(tmp_path)
        with display.laboratory(size_px=SIZE_PX, sound=False) as env, window(run, study, env) as process:
            _, said = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 2
        assert said.splitlines() == [
            f"{study}: screen.sound = 'required': no sound device is found; connect a sound device, or allow 'silent'"
        ]
        assert not run.flips_csv.exists()

    def test_goes_on_where_the_study_allows_it_and_past_a_clip_that_cannot_be_decoded(self, hub: Hub, tmp_path: Path) -> None:
        run, study = begin_run(tmp_path, sound="silent")
        broken = next((study.parent / "clips").glob("*fear*"))
        os.truncate(broken, broken.stat().st_size // 2)
        with (
            display.laboratory(size_px=SIZE_PX, sound=False) as env,
            recorder(env),
            window(run, study, env | hub.environment, "--twin") as process,
        ):
            Sitter(hub, KEYS).follow(process, limit_s=LIMIT_S)
            assert process.returncode == 0
        rows = {row.target: row for row in trials.read(run.trials_csv)}
        assert (rows["fear"].end, rows["fear"].clip_started) == ("failed", None)
        assert (rows["happiness"].end, rows["happiness"].audio_offset_s) == ("complete", None)
        assert [row["error"].partition(":")[0] for row in journaled(run, "clip/failed")] == [broken.name]
        assert len(journaled(run, "sound/none")) == 1
        assert names(run)[-1] == "session/end"


class TestAWindowWithoutAScreen:
    def test_is_refused_in_one_line(self, tmp_path: Path) -> None:
        run, study = begin_run(tmp_path)
        with display.laboratory(size_px=SIZE_PX) as env, window(run, study, env | {"DISPLAY": ":9999"}) as process:
            _, said = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 2
        assert said == "DISPLAY = ':9999': no such screen; log in to a desktop, or run under xvfb-run\n"
