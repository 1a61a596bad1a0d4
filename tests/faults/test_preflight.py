"""What is set up wrongly is found before a session begins: each fault in one line that blocks, and no clean start is blocked.

One more fault, a cap on a table whose contact quality is green, is found by the contact check of the session itself.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from collector.wanted import wanted
from protocol import study as study_file
from protocol.estimate import Estimate
from protocol.lsl import SESSION_VARIABLE
from protocol.study import Camera, Study
from stimuli import manifest
from stimuli.manifest import Entry
from tests.faults import lab as laboratory
from tests.faults.counts import count
from tests.faults.preflight_streams import CLEAN, FAULTS

SIZE, FPS = (320, 240), 30.0
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
    """A camera with a clock of its own that gives some pictures in turns; without any it is one that gives nothing."""

    def __init__(self, pictures: Sequence[Image], *, fps: float = FPS) -> None:
        self._pictures, self._period_s, self._n = pictures, 1 / fps, 0

    def now(self) -> float:
        return self._n * self._period_s

    def isOpened(self) -> bool:
        return True

    def grab(self) -> bool:
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
    opened: list[Filming] = []

    def opens() -> Filming:
        opened.append(open_camera())
        return opened[0]

    film = camera.film(opens, now=lambda: opened[0].now())
    return red(*camera.judge(film, Camera(size_px=SIZE, fps=FPS)))


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
