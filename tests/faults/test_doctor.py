"""emo-doctor as a whole, before a simulated laboratory and a virtual screen: faults block, clean starts do not."""

import json
import subprocess
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collector.twin.told import FAULTS_VARIABLE
from protocol.lsl import SESSION_VARIABLE
from tests import display
from tests.faults import lab as laboratory
from tests.faults.counts import FULL, count
from tests.live_runs import BIN, make_study

LIVE = count(1, 10)
LIMIT_S = 240.0


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
    instead: frozenset[str] = frozenset()


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
    # LSL lists an outlet that died for some seconds: it may be there, and not be heard
    "headset switched off": wrong("stream/missing", mishaps=("drop",), instead=frozenset({"stream/unreachable"})),
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
@pytest.mark.alone
@pytest.mark.timeout(int(120 + 60 * len(STARTS)))
def test_each_fault_that_is_injected_live_blocks_the_whole_command(
    room: dict[str, str], home: Path, tmp_path: Path, fault_row: Callable[..., None]
) -> None:
    found: dict[str, set[str]] = {}
    for name, start in STARTS.items():
        (faults := tmp_path / "faults.toml").write_text(script(start.mishaps, start.more))
        with muted(room, on=start.muted):
            found[name] = blocks(doctor(home, "--twin", env=room | {FAULTS_VARIABLE: str(faults)}))
    missed = {name: codes for name, codes in found.items() if codes not in (STARTS[name].codes, STARTS[name].instead)}
    n = sum(len(start.codes) for start in STARTS.values())
    failed = sum(len(STARTS[name].codes) for name in missed)
    fault_row(test="preflight: faults injected live blocked", n=n, passed=n - failed, note="; ".join(STARTS))
    assert missed == {}


@pytest.mark.live
@pytest.mark.alone
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
