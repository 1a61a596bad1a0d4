"""What is set up wrongly is found before a session begins: each fault in one line that blocks, and no clean start is blocked.

One more fault, a cap on a table whose contact quality is green, is found by the contact check of the session itself.
"""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collector.camera.source import CameraError
from collector.lock import Lock
from collector.preflight import camera, machine, place
from collector.preflight import study as study_checks
from collector.preflight.examine import judge_streams
from collector.preflight.found import Found, tell_all
from collector.preflight.tap import Answer, Heard, Network, Seen
from collector.twin.contact import Contact
from collector.twin.device import Device, headers
from collector.twin.face import NEUTRAL, Identity, Image, draw
from collector.twin.knobs import Faults, Knobs
from collector.twin.mishaps import Calendar, Mishap
from collector.twin.portrait import Portrait
from collector.twin.scenery import Scenery
from collector.twin.timeline import Timeline
from collector.twin.told import FAULTS_VARIABLE
from collector.wanted import wanted
from protocol import study as study_file
from protocol.estimate import Estimate
from protocol.lsl import SESSION_VARIABLE
from protocol.study import Camera, Study
from stimuli import manifest
from stimuli.manifest import Entry
from tests import display
from tests.faults import lab as laboratory
from tests.faults.counts import FULL, count
from tests.faults.preflight_streams import CLEAN, FAULTS
from tests.live_runs import BIN, make_study

SIZE, FPS = (320, 240), 30.0
LIVE = count(1, 10)
REPLAYED = count(6, 100)
LIMIT_S = 240.0


def red(*found: Found) -> list[str]:
    return [line.code for line in tell_all(found, "vi") if line.light == "red" and line.blocks and line.cure]


# ---- streams: real outlets, heard by the preflight's own ears


@pytest.mark.live
def test_each_fault_of_a_stream_is_one_line_that_blocks(fault_row: Callable[..., None]) -> None:
    env = {**os.environ, SESSION_VARIABLE: f"faults-{uuid.uuid4().hex}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.preflight_streams"], env=env, capture_output=True, text=True, timeout=LIMIT_S,
        check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    found: dict[str, list[list[Any]]] = json.loads(done.stdout)
    assert found.pop(CLEAN) == []
    seen = {name: [(code, blocks) for code, blocks, _ in lines] for name, lines in found.items()}
    wrong = {name: seen[name] for name, fault in FAULTS.items() if seen[name] != [(fault.code, True)]}
    names = f"{len(FAULTS)} faults at once: {', '.join(FAULTS)}"
    fault_row(test="preflight: faults of streams blocked", n=len(FAULTS), passed=len(FAULTS) - len(wrong), note=names)
    assert wrong == {}


# ---- camera: something with OpenCV's interface, filmed by the preflight's own eyes


class Filming:
    """A camera that gives some pictures in turns; none of them is a camera that gives nothing."""

    def __init__(self, pictures: Sequence[Image], *, fps: float = FPS) -> None:
        self._pictures, self._period_s, self._n = pictures, 1 / fps, 0

    def isOpened(self) -> bool:
        return True

    def grab(self) -> bool:
        time.sleep(self._period_s)
        self._n += 1
        return bool(self._pictures)

    def retrieve(self) -> tuple[bool, Any]:
        return True, self._pictures[self._n % len(self._pictures)]

    def get(self, prop: int) -> float:
        return 0.0

    def release(self) -> None:
        return None


def person(*, size_px: tuple[int, int] = SIZE, n: int = 11) -> list[Image]:
    still, rng = draw(Identity.of(3), NEUTRAL, size_px=size_px), np.random.default_rng(0)
    return [np.clip(still + rng.normal(0, 2, still.shape), 0, 255).astype(np.uint8) for _ in range(n)]


def spoilt(kind: str) -> list[Image]:
    calendar = Calendar([Mishap(kind, 0.0, since="device")], device=lambda: 0.0, session=lambda: None)
    scenery = Scenery(3, size_px=SIZE, calendar=calendar)
    return [scenery.spoil(picture, 1.0) for picture in person()]


def no_camera() -> Filming:
    raise CameraError("camera.source = 0: cannot be opened")


CAMERAS: dict[str, tuple[str, Callable[[], Filming]]] = {
    "no camera": ("camera/none", no_camera),
    "no picture": ("camera/silent", lambda: Filming([])),
    "the same picture again and again": ("camera/frozen", lambda: Filming(person(n=1))),
    "half the rate": ("camera/rate", lambda: Filming(person(), fps=FPS / 2)),
    "another size": ("camera/size", lambda: Filming(person(size_px=(640, 480)))),
    "a dark picture": ("camera/dark", lambda: Filming(spoilt("dark"))),
    "a bright picture": ("camera/bright", lambda: Filming(spoilt("bright"))),
    "no face": ("face/none", lambda: Filming(spoilt("face_gone"))),
    "a second face": ("face/several", lambda: Filming(spoilt("second_face"))),
}


def filmed(open_camera: Callable[[], Filming]) -> list[str]:
    found = camera.judge(camera.film(open_camera, film_s=0.6, settle_s=0.1), Camera(size_px=SIZE, fps=FPS))
    return red(*found)


def test_each_fault_of_a_camera_is_one_line_that_blocks(fault_row: Callable[..., None]) -> None:
    assert filmed(lambda: Filming(person())) == []
    wrong = {name: codes for name, (code, opened) in CAMERAS.items() if (codes := filmed(opened)) != [code]}
    fault_row(
        test="preflight: faults of cameras blocked", n=len(CAMERAS), passed=len(CAMERAS) - len(wrong), note=", ".join(CAMERAS)
    )
    assert wrong == {}


# ---- the computer, the disk, the study


SOUND = machine.Sound("pulse, hdmi", muted=False, percent=60)
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def bad_clip(home: Path) -> list[Found]:
    path, entries = home / "study.toml", []
    path.write_text(laboratory.study().replace("[eeg]", "[stimuli]\nclips_per_emotion = 2\n[eeg]", 1), encoding="utf-8")
    for n, target in enumerate(("fear", "neutral") * 2):
        (clip := home / f"{n}.mp4").write_bytes(b"clip")
        entries.append(Entry(clip, f"clip{n}", target, 0.0, 3.0, manifest.sha256(clip)))
    manifest.write(home / "clips.tsv", entries)
    checked = study_checks.read(study_file.load(path), path)
    assert study_checks.faults(checked, participant=None) == []
    clip.write_bytes(b"another")
    return [study_checks.judge(checked, study_checks.faults(checked, participant=None))]


def full_disk(home: Path) -> list[Found]:
    return [place.judge_room(place.look(home / "data"), Estimate(1, 600.0, 1e18))]


def no_rights(home: Path) -> list[Found]:
    return [place.judge_room(place.look(Path("/proc/self/fdinfo")), Estimate(1, 600.0, 0.0))]


def other_session(home: Path) -> list[Found]:
    with Lock(home / "sub-07"):
        return [place.judge_session(place.other_session(home, participant="07", twin=True))]


def no_display(home: Path) -> list[Found]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", ":4321")  # nobody is there: the probe's own process says so
        return machine.judge_graphics(machine.graphics(), wanted_px=None)


PLACES: dict[str, tuple[str, Callable[[Path], list[Found]]]] = {
    "no screen": ("graphics/none", no_display),
    "no sound device": ("sound/none", lambda home: [machine.judge_sound(machine.Sound(error="none"), required=True)]),
    "loudness of nothing": ("sound/muted", lambda home: [machine.judge_sound(replace(SOUND, percent=0), required=True)]),
    "a clock that is years behind": (
        "clock/wrong", lambda home: [machine.judge_clock(machine.Clock(datetime(2004, 1, 1, tzinfo=UTC)))],
    ),
    "a clock before the study file": (
        "clock/wrong", lambda home: [machine.judge_clock(machine.Clock(NOW, written=NOW.replace(month=6)))],
    ),
    "a disk that is too small": ("disk/room", full_disk),
    "a folder without rights": ("disk/rights", no_rights),
    "another session": ("session/running", other_session),
    "a clip that was changed": ("study/fault", bad_clip),
    "LSL behind a firewall": (
        "lsl/deaf", lambda home: judge_streams(Network((), None, "default", ()), None, confined=False, planned_s=0),
    ),
}  # fmt: skip


def test_each_fault_of_computer_disk_and_study_is_one_line_that_blocks(
    tmp_path: Path, fault_row: Callable[..., None]
) -> None:  # fmt: skip
    wrong = {}
    for number, (name, (code, fault)) in enumerate(PLACES.items()):
        (home := tmp_path / str(number)).mkdir()
        if (codes := red(*fault(home))) != [code]:
            wrong[name] = codes
    fault_row(
        test="preflight: faults of computer, disk and study blocked", n=len(PLACES), passed=len(PLACES) - len(wrong),
        note=", ".join(PLACES),
    )  # fmt: skip
    assert wrong == {}


# ---- clean starts that were recorded, not live: other people, other radios


def replayed(seed: int, study: Study) -> Network:
    """Return what a preflight measures of a simulated headset, its samples 50 to 150 ms late and in blocks of 62 ms."""
    knobs, rng = Knobs(), np.random.default_rng(seed)
    faults = Faults(eeg_latency_s=float(rng.uniform(0.02, 0.1)), eeg_jitter_s=float(rng.uniform(0, 0.03)), sampling_ppm=40.0)
    device = Device(
        seed, Timeline(seed, knobs, display_latency_s=0.0), t_first=1000.0, wall_first=1.7e9, knobs=knobs, faults=faults,
        contact=Contact(seed, float(rng.uniform(0.2, 0.95))), line_freq=50.0,
    )  # fmt: skip
    told = headers(study, seed=seed, knobs=knobs)
    rows = [device.eeg_until(1000.0 + n / 16) for n in range(1, 50)]
    stamps, values = np.concatenate([s for s, _ in rows]), np.concatenate([v for _, v in rows])
    arrivals = np.array([(1000.0 + n / 16 + 0.15 + rng.uniform(0, 0.04), len(s)) for n, (s, _) in enumerate(rows, 1) if len(s)])
    heard = [(stamps, values), *device.quality_until(1003.0)]
    answers = []
    for one, header, (t, v) in zip(wanted(study, uid=None), told, heard, strict=False):
        seen = Seen(header.name, header.type, "pc", header.source_id, header.name, header.n_channels, header.sfreq)
        came = arrivals if one.kind == "eeg" else np.column_stack([t + 0.1, np.ones(len(t))])
        answers.append(Answer(one, (seen,), Heard(header, t, v, came, 0.02, 3.0, 0.0)))
    return Network(tuple(seen for answer in answers for seen in answer.fitting), 0.1, "default", tuple(answers))


def sitting(seed: int) -> list[Found]:
    """Return what a preflight finds in the pictures of a simulated face."""
    portrait, timeline = Portrait(seed, size_px=SIZE), Timeline(seed, Knobs(), display_latency_s=0.0)
    pictures = [portrait.frame(n, 100 + n / FPS, timeline.state_at(100 + n / FPS)).copy() for n in range(0, 30, 6)]
    looks = tuple(map(camera.Finder().look, pictures))
    return camera.judge(camera.Filmed("", 30, 29 / FPS, looks, False), Camera(size_px=SIZE, fps=FPS))


@pytest.mark.timeout(900)
def test_no_clean_start_that_is_replayed_is_blocked(fault_row: Callable[..., None]) -> None:
    study = study_file.loads(laboratory.STUDY.format(camera="", others="").partition("[eeg]")[0] + "[eeg]\nsfreq = 256\n")
    blocked = {}
    for seed in range(REPLAYED):
        found = [*judge_streams(replayed(seed, study), study, confined=False, planned_s=1200.0), *sitting(seed)]
        if codes := red(*found):
            blocked[seed] = codes
    fault_row(test="preflight: clean starts replayed, none blocked", n=REPLAYED, passed=REPLAYED - len(blocked), note="")
    assert blocked == {}


# ---- the whole command, before a simulated headset and camera, a virtual screen and sound card


@pytest.fixture(scope="module")
def room() -> Iterator[dict[str, str]]:
    with display.laboratory() as env:
        yield {name: value for name, value in env.items() if name != SESSION_VARIABLE}


@pytest.fixture(scope="module")
def home(room: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_study(tmp_path_factory.mktemp("doctor"), env=room)
    text = (path / "study.toml").read_text(encoding="utf-8")
    for before, after in (("[eeg]\n", "[eeg]\nsfreq = 256\n"), ('sound = "silent"', 'sound = "required"')):
        assert before in text
        text = text.replace(before, after, 1)
    (path / "study.toml").write_text(text, encoding="utf-8")
    return path


def doctor(study: Path, *options: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Run emo-doctor; its exit code must say what its findings say."""
    done = subprocess.run(
        [str(BIN / "emo-doctor"), str(study), "--json", *options], env=dict(env), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["schema"] == 1 and done.returncode == int(any(line["blocks"] for line in said["findings"]))
    return said


def blocks(said: Mapping[str, Any]) -> set[str]:
    return {line["code"] for line in said["findings"] if line["blocks"]}


def script(mishaps: Iterable[str], more: str) -> str:
    tables = "\n".join(f"[[at]]\nkind = '{kind}'\nat_s = 0.5\nsince = 'device'" for kind in mishaps)
    return f"{more}\n{tables}\n"


@dataclass(frozen=True)
class Wrong:
    """Faults of one start that have nothing to do with each other."""

    codes: frozenset[str]
    mishaps: tuple[str, ...] = ()
    more: str = ""
    muted: bool = False


def wrong(*codes: str, **options: Any) -> Wrong:
    return Wrong(frozenset(codes), **options)


TOGETHER = {
    "Chunk mode, muted output, second face": wrong(
        "stream/chunks", "sound/muted", "face/several", mishaps=("second_face",), more="sends_chunks_s = 2.0", muted=True
    ),
    "float32, 128 for 256 Hz, frozen Counter, dark": wrong(
        "stream/float32", "stream/sfreq", "counter/frozen", "camera/dark", mishaps=("freeze_counter", "dark"),
        more="sends_float32 = true\nsends_half = true",
    ),
}  # fmt: skip
ALONE = {
    "Chunk mode": wrong("stream/chunks", more="sends_chunks_s = 2.0"),
    "float32": wrong("stream/float32", more="sends_float32 = true"),
    "128 for 256 Hz": wrong("stream/sfreq", more="sends_half = true"),
    "frozen Counter": wrong("counter/frozen", mishaps=("freeze_counter",)),
    "flat sensors": wrong("eeg/flat", mishaps=("flat",)),
    "samples that never arrive": wrong("stream/silent", mishaps=("gap",)),
    "battery nearly empty": wrong("battery/short", mishaps=("battery",)),
    "no quality readings": wrong("stream/silent", more="no_quality = true"),
    "headset switched off": wrong("stream/missing", mishaps=("drop",)),
    "muted output": wrong("sound/muted", muted=True),
    "second face": wrong("face/several", mishaps=("second_face",)),
    "no face": wrong("face/none", mishaps=("face_gone",)),
    "dark": wrong("camera/dark", mishaps=("dark",)),
    "bright": wrong("camera/bright", mishaps=("bright",)),
    "frozen camera": wrong("camera/frozen", mishaps=("camera_freeze",)),
    "unplugged camera": wrong("camera/silent", mishaps=("camera_unplug",)),
    "camera that hangs": wrong("camera/silent", mishaps=("camera_stall",)),
}
STARTS = TOGETHER | (ALONE if FULL else {})


@contextmanager
def muted(env: Mapping[str, str], *, on: bool) -> Iterator[None]:
    def mute(value: str) -> None:
        subprocess.run(["pactl", "set-sink-mute", display.SINK, value], env=dict(env), check=True)

    mute("1" if on else "0")
    try:
        yield
    finally:
        mute("0")


@pytest.mark.live
@pytest.mark.timeout(int(120 + 60 * len(STARTS)))
def test_each_fault_that_is_injected_live_blocks_the_whole_command(
    room: dict[str, str], home: Path, tmp_path: Path, fault_row: Callable[..., None]
) -> None:
    found: dict[str, set[str]] = {}
    for name, start in STARTS.items():
        (faults := tmp_path / "faults.toml").write_text(script(start.mishaps, start.more))
        with muted(room, on=start.muted):
            found[name] = blocks(doctor(home, "--twin", env=room | {FAULTS_VARIABLE: str(faults)}))
    missed = {name: codes for name, codes in found.items() if codes != STARTS[name].codes}
    n = sum(len(start.codes) for start in STARTS.values())
    failed = sum(len(STARTS[name].codes) for name in missed)
    fault_row(test="preflight: faults injected live blocked", n=n, passed=n - failed, note="; ".join(STARTS))
    assert missed == {}


@pytest.mark.live
@pytest.mark.timeout(int(120 + 60 * LIVE))
def test_no_clean_start_is_blocked_live(room: dict[str, str], home: Path, fault_row: Callable[..., None]) -> None:
    starts = [doctor(home, "--twin", "--participant", f"{n:02d}", env=room) for n in range(1, LIVE + 1)]
    passed = sum(not blocks(said) for said in starts)
    fault_row(test="preflight: clean starts live, none blocked", n=LIVE, passed=passed, note="")
    assert [blocks(said) for said in starts] == [set()] * LIVE
    assert {line["code"] for line in starts[0]["findings"]} >= {
        "study/ok", "sound/ok", "lsl/ok", "stream/ok", "battery/ok", "camera/ok", "face/ok", "disk/ok", "session/free",
    }  # fmt: skip
    assert list(home.glob("data/**/*")) == []  # nothing is left behind


@pytest.mark.live
def test_an_outlet_with_lsls_stock_configuration_is_not_missed(
    room: dict[str, str], tmp_path: Path, fault_row: Callable[..., None]
) -> None:
    name = f"stock-{uuid.uuid4().hex}"
    (path := tmp_path / "study.toml").write_text(laboratory.study().replace('name = "eeg"', f'name = "{name}"'))
    with laboratory.lab(tmp_path, stock=True) as stock:
        stock.amplifier({"name": name})
        with ThreadPoolExecutor(2) as both:
            other = both.submit(doctor, path, env=room | {SESSION_VARIABLE: f"another-{uuid.uuid4().hex}"})
            real, confined = blocks(doctor(path, env=room)), blocks(other.result())
    seen = not {code for code in real if code.startswith(("stream/", "lsl/"))}
    fault_row(test="preflight: an outlet with stock configuration is seen", n=1, passed=int(seen), note="")
    assert seen and "stream/missing" in confined


@pytest.mark.live
def test_timing_measures_flips_markers_and_sound_of_the_studys_own_window(
    room: dict[str, str], home: Path, tmp_path: Path
) -> None:  # fmt: skip
    out = tmp_path / "timing.json"
    command = [str(BIN / "emo-doctor"), str(home), "--timing", str(out)]
    done = subprocess.run(command, env=room, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    told = json.loads(out.read_text(encoding="utf-8"))
    n = told["flips"]["n"]
    assert 2 < n <= 302 and told["flips"]["interval_ms"]["min"] > 0  # five seconds at 60 Hz or less
    assert told["markers"]["n"] == (n + 5) // 6 and told["markers"]["latency_ms"]["min"] > 0  # each came, after its flip
    assert told["clips"]["n"] == 2 and told["clips"]["shown"] + told["clips"]["dropped"] == 180  # two of 3 s at 30 a second
    assert told["sound"]["offset_ms"] is not None and told["vsync"] is False
    assert len(done.stdout.splitlines()) == 6
