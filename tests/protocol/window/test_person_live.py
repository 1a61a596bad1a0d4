"""A whole session in front of somebody with real keys and a real mouse, watched and listened to from outside.

What was heard is taken from what the sound card played, what was seen from the flips that were written down and from photos of
the screen.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageGrab

from protocol import folder, journal, ratings, study, trials
from protocol.folder import Consent, Person, Run, Session
from protocol.journal import boot_id, wall_now
from protocol.link import Hub
from protocol.markers import Marker, decode, parse
from protocol.study_files import load_study
from protocol.window import pictures
from protocol.window.screens import choice_keys
from stimuli.manifest import sha256
from tests import display
from tests.barcode_clips import read_code, write_clip
from tests.protocol.window import screens
from tests.window_runs import Sitter, window

pytestmark = [pytest.mark.live, pytest.mark.alone]

LIMIT_S = 240.0
SFREQ = 48000
PITCHES = {"tea": 1340.0, "happy01": 1940.0, "fear01": 2540.0, "sea": 3140.0}  # each clip's own, far from the tones'
WINDOW_S, PEAK, LOUD = 0.010, 0.7, 0.2  # loudness is measured over so long; of a burst; from which a sound counts
TONES_HZ = (440.0, 880.0)
BURST_AT_S = 0.5
STUDY = """\
[study]
name = "Everything"
[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
fear = { hed = "Fearful", color = "#CC79A7" }
neutral = { hed = "Emotionally-neutral", color = "#7F7F7F", as = "rest", duration = 1.0 }
[stimuli]
clips_per_emotion = 1
mood_repair = "sea"
[safety]
content_warning = true
[practice]
clips = ["tea"]
[timing]
baseline = 0.5
eyes_closed = 1.5
hint = 0.5
fixation = 0.3
rest = 0.3
[sync]
blinks = 2
flashes = 2
after = false
[ratings]
sam = ["valence", "arousal", "dominance"]
intensity = true
looked_away = true
familiarity = true
[screen]
size_px = [640, 360]
photodiode = "bottom-left"
photodiode_px = 40
[consent]
version = "1"
"""
ANSWERS = {
    "valence": "7", "arousal": "3", "dominance": "5", "emotion": "fear", "intensity": "8", "looked_away": "no",
    "familiarity": "yes",
}  # fmt: skip
BY_MOUSE = ("arousal", "emotion", "familiarity")


# ---- the laboratory


@dataclass
class Ears:
    """What the sound card plays, with the time of each sample on the LSL clock."""

    process: subprocess.Popen[bytes]
    pieces: list[bytes] = field(default_factory=list)
    zero_s: float = float("inf")

    def listen(self) -> None:
        """Read as it comes. A sample cannot arrive before it was played: the earliest arrival tells when the first one was."""
        assert self.process.stdout is not None
        n = 0
        while piece := self.process.stdout.read1(4096):  # type: ignore[attr-defined]
            n += len(piece)
            self.pieces.append(piece)
            self.zero_s = min(self.zero_s, time.monotonic() - n / 4 / SFREQ)

    def heard(self, pitch_hz: float) -> list[float]:
        """Return when sounds of a pitch began, LSL seconds; what follows within half a second belongs to the same sound."""
        whole = b"".join(self.pieces)
        sound = np.frombuffer(whole[: len(whole) // 4 * 4], "<f4").astype(np.float64)
        loud = np.flatnonzero(_loudness(sound, pitch_hz) > LOUD) / SFREQ
        # the window must hold so much of the sound before it is as loud as that
        begun = loud[np.diff(loud, prepend=-1.0) > 0.5] + (1 - LOUD / PEAK) * WINDOW_S
        return [self.zero_s + float(at) for at in begun]


def _loudness(sound: NDArray[np.float64], pitch_hz: float) -> NDArray[np.float64]:
    """Return how loud a pitch is in the 10 ms from each sample on; one that is 100 Hz away, 200 .., does not disturb."""
    n = round(WINDOW_S * SFREQ)
    turning = sound * np.exp(-2j * np.pi * pitch_hz * np.arange(len(sound)) / SFREQ)
    total = np.concatenate([[0], np.cumsum(turning)])
    return np.asarray(2 * np.abs(total[n:] - total[:-n]) / n, np.float64)


@contextmanager
def ears(env: Mapping[str, str]) -> Iterator[Ears]:
    options = ["--rate=48000", "--channels=1", "--format=float32le", "--latency-msec=5"]
    command = ["parec", "-d", f"{display.SINK}.monitor", *options]
    process = subprocess.Popen(command, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    listening = Ears(process)
    thread = threading.Thread(target=listening.listen)
    thread.start()
    try:
        yield listening
    finally:
        process.terminate()
        process.wait(10)
        thread.join(10)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def recorder(env: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, str(Path(__file__).with_name("receive_markers.py")), str(LIMIT_S)]
    process = subprocess.Popen(command, env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def begin(root: Path, text: str, clips: Mapping[str, tuple[str, Path, float]]) -> tuple[Run, Path]:
    """Write a study with clips (target, file and length by name), and the folder of a run."""
    path = root / "study.toml"
    path.write_text(text, encoding="utf-8")
    rows = ["file\tsha256\tstim_id\ttarget\tstart_s\tstop_s\tlicence\tsource"]
    for name, (target, file, seconds) in clips.items():
        rows.append(f"{file.name}\t{sha256(file)}\t{name}\t{target}\t0\t{seconds}\tCC0-1.0\tmade here")
    (root / "clips.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    run = folder.create(root / "data", participant="07", session="01", task="emotion")
    run.study_toml.write_bytes(path.read_bytes())
    Session(
        uid=uuid.uuid4().hex, participant="07", session="01", run=run.run, task="emotion", simulated=True,
        study_sha256=study.digest(path), created_wall=wall_now(), created_lsl=0.0, boot=boot_id(), person=Person(),
        consent=Consent(version="1", scopes=("eeg", "face"), t_wall=wall_now()), versions={"emolab": "test"},
    ).save(run.session_json)  # fmt: skip
    return run, path


@dataclass
class Flips:
    """What every flip brought: stamps, and the frame of a clip (-1: none)."""

    stamps: NDArray[np.float64]
    frames: NDArray[np.int64]

    @classmethod
    def of(cls, run: Run) -> Flips:
        cells = [line.split(",") for line in run.flips_csv.read_text("ascii").splitlines()[1:]]
        frames = [int(c[3]) if c[3] else -1 for c in cells]
        return cls(np.array([float(c[1]) for c in cells]), np.array(frames))

    def first_of(self, frame: int, since: float) -> float:
        """Return when a frame came onto the screen, of the clip that began at a time."""
        return float(self.stamps[(self.frames >= frame) & (self.stamps >= since)][0])


def sent(run: Run) -> list[tuple[Marker, float]]:
    rows = journal.read(run.journal("window"))
    return [(parse(row.data["text"]), row.data["t"]) for row in rows if row.name == "marker"]


def grab(env: Mapping[str, str]) -> pictures.Picture:
    return np.asarray(ImageGrab.grab(xdisplay=env["DISPLAY"]).convert("RGB"))


class APerson(Sitter):
    """Reads the screen, then presses a key or clicks, as people do; and somebody photographs what they see."""

    def __init__(self, hub: Hub, env: Mapping[str, str], questions: Mapping[str, Any]) -> None:
        super().__init__(hub, {})
        self._env, self._questions = dict(env), questions
        self.photos: dict[str, pictures.Picture] = {}

    def answer(self, state: str, key: str | None) -> None:
        name, keys = decode(state)
        waits = "question" in keys or "waits" in keys
        name = keys.get("question", name)
        if waits and name not in self.photos:
            time.sleep(0.1)
            self.photos[name] = grab(self._env)
        if name in self._questions:
            self._choose(name)
        elif waits:
            self._do("key", keys["waits"])

    def _choose(self, name: str) -> None:
        question = self._questions[name]
        at = question.choices.index(ANSWERS[name])
        if name in BY_MOUSE:
            x, y = pictures.choices(question, screens.SHEET)[at].center
            # a click is held for some flips, as a finger does: one that is shorter than a flip is not seen
            self._do("mousemove", str(round(x)), str(round(y)), "mousedown", "1", "sleep", "0.3", "mouseup", "1")
        else:
            self._do("key", choice_keys(question)[at])

    def _do(self, *action: str) -> None:
        subprocess.run(["xdotool", *action], env=self._env, check=True)


# ---- a session like a person's


@dataclass
class Watched:
    run: Run
    person: APerson
    ears: Ears
    code: int | None
    said: str


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    root = tmp_path_factory.mktemp("person")
    lengths = {"tea": 1.0, "happy01": 2.0, "fear01": 2.0, "sea": 1.0}
    targets = {"fear01": "fear"}
    clips = {}
    for name, seconds in lengths.items():
        size_px = (180, 240) if name == "fear01" else (320, 180)  # one stands upright
        file = root / f"{name}.mp4"
        write_clip(
            file, n_frames=round(seconds * 25), fps=Fraction(25), size_px=size_px, pitch_hz=PITCHES[name], burst_at_s=BURST_AT_S
        )  # fmt: skip
        clips[name] = (targets.get(name, "happiness"), file, seconds)
    run, path = begin(root, STUDY, clips)
    questions = {q.name: q for q in ratings.questions(load_study(path).study)}
    hub = Hub(now=time.monotonic)
    with display.laboratory(size_px=screens.SIZE_PX) as env, recorder(env), ears(env) as listening:
        person = APerson(hub, env, questions)
        with window(run, path, env | hub.environment) as process:
            person.follow(process, limit_s=LIMIT_S)
        yield Watched(run, person, listening, process.returncode, "")
    hub.close()


def test_the_session_is_complete_and_its_answers_are_those_that_were_given(watched: Watched) -> None:
    assert watched.code == 0
    rows = trials.read(watched.run.trials_csv)
    assert [(row.kind, row.end, row.attempt) for row in rows] == [
        (row.kind, "complete", 1) for row in rows
    ]  # fmt: skip
    assert sorted(row.target for row in rows) == ["fear", "happiness", "neutral"]
    for row in rows:
        said = (row.valence, row.arousal, row.dominance, row.rating, row.intensity, row.looked_away, row.familiarity)
        assert said == (7, 3, 5, "fear", 8, "no", "yes")
    names = [marker.name for marker, _ in sent(watched.run)]
    assert list(dict.fromkeys(names)) == [
        "session/start", "consent", "practice/onset", "practice/offset", "baseline/eyes_open", "baseline/eyes_closed",
        "sync/cue", "sync/flash", "fixation", *_first_kinds(names), "mood_repair/onset", "mood_repair/offset", "session/end",
    ]  # fmt: skip


def _first_kinds(names: list[str]) -> list[str]:
    """A rest trial may come first."""
    kinds = [
        name for name in dict.fromkeys(names) if name in ("clip/onset", "clip/offset", "rating", "rest/onset", "rest/offset")
    ]
    assert len(kinds) == 5
    return kinds


def test_every_screen_that_waited_for_the_person_is_the_stored_one(watched: Watched) -> None:
    stored = {
        "warning": "warning", "welcome": "welcome", "practice/told": "practice-told", "practice/over": "practice-over",
        "baseline/eyes_open/told": "baseline-told", "baseline/eyes_closed/told": "eyes-closed-told", "sync/told": "blinks-told",
        "valence": "valence", "arousal": "arousal", "dominance": "dominance", "intensity": "intensity",
        "looked_away": "looked_away", "familiarity": "familiarity",
    }  # fmt: skip
    assert set(watched.person.photos) == {*stored, "emotion"}
    for state, name in stored.items():
        photo = watched.person.photos[state].copy()
        assert (photo[-40:, :40] == 0).all(), f"{state}: the photodiode's patch is black"
        photo[-40:, :40] = pictures.BACKGROUND
        assert screens.difference(photo, screens.stored("en", name)) <= screens.LIMIT, state


def test_sound_of_every_clip_came_out_with_its_picture(watched: Watched) -> None:
    flips = Flips.of(watched.run)
    onsets = {m.keys["stim_id"]: t for m, t in sent(watched.run) if m.name.endswith("/onset") and not m.name.startswith("rest")}
    assert set(onsets) == set(PITCHES)
    offsets = []
    for name, onset in onsets.items():
        heard = watched.ears.heard(PITCHES[name])
        assert len(heard) == 1, f"{name}: heard {len(heard)} times"
        offsets.append(heard[0] - flips.first_of(round(BURST_AT_S * 25), onset))
    print(f"sound against picture, as recorded: {[round(1000 * offset) for offset in offsets]} ms")
    assert np.median(np.abs(offsets)) < 0.1


def test_two_tones_frame_the_closed_eyes(watched: Watched) -> None:
    (low,), (high,) = (watched.ears.heard(pitch) for pitch in TONES_HZ)
    onset, _ = (t for m, t in sent(watched.run) if m.name == "baseline/eyes_closed")
    assert onset < low < high
    assert high - low > 1.0


def test_the_patch_is_white_for_one_flip_and_the_keys_ask_for_what_the_page_says(tmp_path: Path) -> None:
    with display.laboratory(size_px=(320, 240), sound=False) as env:
        command = [sys.executable, str(Path(__file__).with_name("drive_display.py")), "top-right", str(tmp_path / "flips.csv")]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "a page": "black", "a clip's first flip": "white", "the flip after it": "black", "a white step": "white",
        "a black step": "black", "a clip is cleared": "black, told", "F6": "repeat by f6", "F7": "skip by f7",
        "F8": "pause by f8", "Escape": "stop by escape", "F8 in a pause": "resume by f8",
    }  # fmt: skip


# ---- every frame

FRAMES_STUDY = """\
[study]
name = "Frames"
[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
fear = { hed = "Fearful", color = "#CC79A7", as = "rest", duration = 1.0 }
[stimuli]
clips_per_emotion = 1
[timing]
baseline = 0
fixation = 0
rest = 0
[sync]
blinks = 0
flashes = 0
[ratings]
sam = []
discrete = false
[screen]
size_px = [1280, 720]
sound = "silent"
[consent]
version = "1"
"""
N_FRAMES = 300


class Photographer(Sitter):
    """Photographs the screen as fast as it can while the clip plays."""

    def __init__(self, hub: Hub, env: Mapping[str, str]) -> None:
        super().__init__(hub, {})
        self._env = dict(env)
        self.photos: list[tuple[float, float, int | None]] = []
        self._thread = threading.Thread(target=self._photograph)

    def answer(self, state: str, key: str | None) -> None:
        name = decode(state)[0]
        if name == "welcome":
            subprocess.run(["xdotool", "key", "space"], env=self._env, check=True)
        elif name == "clip":
            self._thread.start()

    def _photograph(self) -> None:
        for _ in range(80):
            before = time.monotonic()
            photo = grab(self._env)
            self.photos.append((before, time.monotonic(), read_code(photo)))
            time.sleep(0.1)

    def join(self) -> None:
        self._thread.join(60)


def test_every_frame_of_a_clip_is_shown_or_named_as_dropped_and_a_photo_shows_what_was_logged(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "clip.mp4", n_frames=N_FRAMES, size_px=(1280, 720))
    run, path = begin(tmp_path, FRAMES_STUDY, {"happy01": ("happiness", file, 10.0)})
    hub = Hub(now=time.monotonic)
    with display.laboratory(size_px=(1280, 720), sound=False) as env, recorder(env):
        photographer = Photographer(hub, env)
        with window(run, path, env | hub.environment) as process:
            photographer.follow(process, limit_s=LIMIT_S)
            assert process.returncode == 0
        photographer.join()
    hub.close()
    row = next(row for row in trials.read(run.trials_csv) if row.kind == "clip")
    flips = Flips.of(run)
    shown = set(flips.frames[flips.frames >= 0].tolist())
    named = [r.data["frames"] for r in journal.read(run.journal("window")) if r.name == "frames/dropped"]
    dropped = set(named[0]) if named else set()
    assert shown | dropped == set(range(N_FRAMES))
    assert not shown & dropped
    assert (row.shown, row.dropped) == (len(shown), len(dropped))
    photos = [(a, b, code) for a, b, code in photographer.photos if code is not None]
    assert len(photos) >= 10
    wrong = [(round(a - row.clip_started, 3), code) for a, b, code in photos if not _was_there(flips, a, b, code)]  # type: ignore[operator]
    assert wrong == []
    print(f"{len(photos)} photos; {row.shown} frames shown, {row.dropped} dropped, {row.repeated} repeated")


SLACK_S = 0.05  # from the flip that is told to the program to the pixels of a screen that is drawn in software


def _was_there(flips: Flips, begun: float, ended: float, frame: int) -> bool:
    """Return whether a frame stood on the screen, as it was logged, at some time while a photo was taken."""
    brought = np.flatnonzero(flips.frames == frame)
    if not len(brought):
        return False
    since = flips.stamps[brought[0]]
    others = np.flatnonzero((flips.frames != frame) & (np.arange(len(flips.frames)) > brought[-1]))
    until = flips.stamps[others[0]] if len(others) else float("inf")
    return bool(since <= ended and begun <= until + SLACK_S)


def test_a_photo_that_was_not_logged_is_told() -> None:
    flips = Flips(np.array([1.0, 1.1, 1.2, 1.3]), np.array([0, 1, 1, -1]))
    assert _was_there(flips, 1.15, 1.16, 1)
    assert not _was_there(flips, 1.0, 1.05, 1)
    assert not _was_there(flips, 1.4, 1.5, 1)
    assert not _was_there(flips, 1.15, 1.16, 2)


def test_a_code_is_read_off_a_photo_and_two_at_once_are_none(tmp_path: Path) -> None:
    from tests.barcode_clips import coded

    for index in (0, 1, 299, 4095):
        photo = Image.fromarray(coded(index, (320, 240))).resize((1280, 720))
        assert read_code(np.asarray(photo)) == index
    torn = np.asarray(Image.fromarray(coded(7, (320, 240)))).copy()
    torn[:40] = coded(8, (320, 240))[:40]
    assert read_code(torn) is None
    assert read_code(np.full((720, 1280, 3), 64, np.uint8)) is None


def test_without_a_participant_psychopy_s_dialog_asks_who_it_is(tmp_path: Path) -> None:
    ask = "from collector import dialog; print(dialog.ask(session='02'))"
    with display.laboratory(size_px=(800, 600), sound=False) as env:
        process = subprocess.Popen([sys.executable, "-P", "-c", ask], env=env, stdout=subprocess.PIPE, text=True)
        find = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "emolab"]
        number = subprocess.run(find, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout.split()[-1]
        for action in (
            ["windowfocus", "--sync", number],
            ["sleep", "0.5"],
            ["type", "07"],
            ["sleep", "0.5"],
            ["key", "Return"],
        ):
            subprocess.run(["xdotool", *action], env=env, check=True)
        said, _ = process.communicate(timeout=LIMIT_S)
    assert said.strip() == "('07', '02')"
