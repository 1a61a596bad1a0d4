"""The table of faults before an operator: told within 2 s, one instruction, and who obeys it alone ends as the table says.

What hands do is what the script of the simulated devices, or the event beside it, ends by itself.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collector import xdf
from protocol import markers
from protocol.folder import Manifest
from tests import display, live_runs, page
from tests.faults.counts import FULL
from tests.faults.operating import Event, Session, session
from tests.faults.test_camera import tiny_disk

pytestmark = [pytest.mark.live, pytest.mark.alone]

ALARM_S = 2.0
ABOUT_S = 1.1  # samples are taken four times a second, quality is told twice, clocks are read once
FIRST_S, APART_S = 2.0, 2.0
N_TRIALS, LEFT_OUT = 2, ("sadness", "neutral")
EEG, CQ = "EmotivDataStream-EEG", "EmotivDataStream-Contact-Quality"
NOTE = "cable touched"


@dataclass(frozen=True)
class Fault:
    """A row of the table.

    Parameters
    ----------
    alarm : str
        Its code; empty where the instruction alone tells.
    told : str
        Beginning of the instruction's code.
    for_s : float
        How long it lasts.
    script : str
        What happens to the simulated devices.
    lasts : bool
        Whether the operator is told of it for longer than it takes: the session may end before.
    begin, over : callable, optional
        What happens to the laboratory.
    """

    alarm: str
    told: str
    for_s: float = 4.0
    script: str = ""
    lasts: bool = False
    begin: Callable[[Session], None] | None = None
    over: Callable[[Session], None] | None = None


def clocks(wall: float, boot: float) -> Callable[[Session], None]:
    return lambda s: s.put_clocks_forward(wall, boot)


FAULTS = {
    "the battery is nearly empty": Fault("battery/critical", "battery/critical", 5.0, "kind = 'battery'\nvalue = 3"),
    "the camera is unplugged": Fault("camera/lost", "camera/lost", script="kind = 'camera_unplug'"),
    "EEG samples do not arrive": Fault(f"stream/lost {EEG}", "eeg/lost", script="kind = 'gap'"),
    "the headset drops out": Fault(f"stream/lost {EEG}", "eeg/lost", 3.0, script="kind = 'drop'"),
    "the headset's counter stands still": Fault("counter/frozen", "counter/frozen", script="kind = 'freeze_counter'"),
    "EEG is flat in all channels": Fault("eeg/flat", "eeg/flat", script="kind = 'flat'"),
    "contact quality falls silent": Fault(f"stream/lost {CQ}", "quality/silent", 3.0, script="kind = 'quality_silent'"),
    "the wall clock is set": Fault("clock/step", "clock/step", 2.0, lasts=True, begin=clocks(10.0, 0.0)),
    "the computer sleeps": Fault("suspended", "suspended", begin=clocks(30.0, 30.0)),
    "the participant's screen stands still": Fault(
        "window/frozen", "window/frozen", begin=lambda s: s.display(signal.SIGSTOP), over=lambda s: s.display(signal.SIGCONT)
    ),
    "the cap lies on a table": Fault("", "contact/no_blinks", 24.0, "kind = 'cap_off'"),
}


@dataclass(frozen=True)
class Group:
    """Faults that come one after the other in one session, which the participant may stop."""

    names: tuple[str, ...]
    stops: bool = False

    def __str__(self) -> str:
        return f"{'stopped' if self.stops else 'kept'}-{len(self.names)}" if len(self.names) != 1 else self.names[0]


TOGETHER = (
    Group(("the battery is nearly empty", "the camera is unplugged", "EEG samples do not arrive",
           "the headset's counter stands still", "the participant's screen stands still")),
    Group(("the cap lies on a table", "the headset drops out", "EEG is flat in all channels", "the computer sleeps",
           "the wall clock is set"), stops=True),
)  # fmt: skip
GROUPS = (*(Group((name,)) for name in FAULTS), *TOGETHER) if FULL else TOGETHER
STOP = Event(1.0, lambda s: s.key("Escape"), after="clip/onset trial=1")


@pytest.fixture(scope="module")
def env() -> Iterator[dict[str, str]]:
    with display.laboratory() as env:
        yield env


@pytest.fixture(scope="module")
def study(env: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = live_runs.make_study(tmp_path_factory.mktemp("operator"), env=env)
    toml, clips = made / "study.toml", made / "clips.tsv"
    text = toml.read_text(encoding="utf-8") + "\n[gate]\nhold = 1.0\n"
    for long, short in (
        ("blinks = 2", "blinks = 4"), ('sam = ["valence", "arousal"]', "sam = []"), ("flashes = 2", "flashes = 0"),
        ("baseline = 3.0", "baseline = 1.0"),
    ):  # fmt: skip
        assert long in text
        text = text.replace(long, short)
    toml.write_text(without(text, LEFT_OUT), encoding="utf-8")
    clips.write_text(without(clips.read_text(encoding="utf-8"), tuple(f"clips/{name}" for name in LEFT_OUT)), encoding="utf-8")
    return made


def without(text: str, names: tuple[str, ...]) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(names))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with page.browser() as found:
        yield found


def schedule(names: tuple[str, ...]) -> dict[str, float]:
    """Return when each fault begins, seconds after ``session/start``, one after the other."""
    at_s, found = FIRST_S, {}
    for name in names:
        found[name] = 0.0 if name == "the cap lies on a table" else at_s
        at_s = found[name] + FAULTS[name].for_s + APART_S
    return found


def script(plan: Mapping[str, float]) -> str:
    told = [(FAULTS[name], at_s) for name, at_s in plan.items()]
    return "\n".join(f"[[at]]\n{fault.script}\nat_s = {at_s}\nfor_s = {fault.for_s}" for fault, at_s in told if fault.script)


def events(plan: Mapping[str, float], causes: dict[str, float]) -> list[Event]:
    """Return what is done to the laboratory; ``causes`` gets the moment of each, LSL seconds."""

    def begin(name: str, s: Session) -> None:
        causes[name] = time.monotonic()
        FAULTS[name].begin(s)  # type: ignore[misc]

    found = []
    for name, at_s in plan.items():
        if FAULTS[name].begin:
            found.append(Event(at_s, partial(begin, name)))
        if over := FAULTS[name].over:
            found.append(Event(at_s + FAULTS[name].for_s, over))
    return found


def judge(one: Session, name: str, cause: float) -> str:
    """Return what is wrong with how a fault was told; nothing when all is as promised."""
    fault = FAULTS[name]
    if not any(shown.code.startswith(fault.told) for shown in one.shown):
        return f"{fault.told} was never shown: {sorted({shown.code for shown in one.shown})}"
    if not fault.alarm:
        return ""
    who, raised, cleared = one.alarm(fault.alarm)
    # another fault may have raised the same alarm at another time: all streams of a headset drop out together
    about_s = ABOUT_S + one.stall_s(who)
    mine = [row for row in raised if abs(float(row.data["t_cause"]) - cause) <= about_s]
    if len(mine) != 1 or len(raised) - len(cleared) > (one.ended is not None and fault.lasts):
        return f"raised {len(mine)} times at {cause:.2f}, all: {raised}, cleared: {cleared}"
    raised = mine
    t_cause, limit_s = float(raised[0].data["t_cause"]), ALARM_S + one.stall_s(who)
    if not raised[0].t_lsl - t_cause <= limit_s:
        return f"told {raised[0].t_lsl - t_cause:.2f} s after its cause, the limit is {limit_s:.2f} s"
    return ""


def exactly_one_instruction_was_shown(one: Session) -> bool:
    return all(len(shown.texts) == 1 and shown.texts[0] and len(shown.wanted) <= 1 for shown in one.shown)


def every_clip_was_seen_to_its_end(one: Session, n_trials: int, *, stops: bool) -> bool:
    """The participant's window went on: each clip that was begun ended, and but for a stop each trial was shown whole."""
    said = [markers.parse(text) for text, _ in one.markers()]
    begun = [m.keys["trial"] for m in said if m.name == "clip/onset"]
    ends = [(m.keys["trial"], m.keys["end"]) for m in said if m.name == "clip/offset"]
    if stops:
        return begun == ["1"] and ends == [("1", "interrupted")]
    return ends == [(trial, "complete") for trial in begun] and set(begun) == {str(n) for n in range(1, n_trials + 1)}


def the_end_is_right(one: Session, *, stops: bool) -> bool:
    """Kept; or, where the participant stopped: saved, with the reason, and the operator was told to ask what becomes of it."""
    assert one.ended is not None
    manifest = Manifest.load(one.run.manifest_json)
    if not stops:
        return one.ended.code == 0 and manifest.end == "complete"
    asked = {"finish/aborted", "finish/kept"} <= {shown.code for shown in one.shown}
    return one.ended.code == 1 and (manifest.end, manifest.reason) == ("aborted", "escape") and asked


@pytest.mark.timeout(900)
@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_who_obeys_the_instruction_alone_ends_as_the_table_says(
    group: Group, env: dict[str, str], study: Path, browser: Any, tmp_path: Path, fault_row: Callable[..., None]
) -> None:
    plan, causes = schedule(group.names), {}  # type: dict[str, float], dict[str, float]
    note = Event(1.0, lambda s: s.operator.note(NOTE))
    with session(browser, study, tmp_path / "data", script(plan), "--skip-preflight", env=env) as one:
        one.obey_to_the_end([note, *events(plan, causes), *([STOP] if group.stops else [])])
    start = one.at("session/start")
    assert start is not None and one.ended is not None
    wrong = {name: why for name in group.names if (why := judge(one, name, causes.get(name, start + plan[name])))}
    right, single = the_end_is_right(one, stops=group.stops), exactly_one_instruction_was_shown(one)
    went_on = every_clip_was_seen_to_its_end(one, N_TRIALS, stops=group.stops)
    worst = max(one.stall_s("collector"), one.stall_s("launch"))
    for name in (*group.names, *(["the participant stops"] if group.stops else [])):
        fault_row(
            test=f"before an operator: {name}", n=1, passed=int(name not in wrong and right and went_on and single),
            note=f"told within 2 s beyond the worst stall ({worst:.2f} s); who obeys the instruction ends as the table says",
        )  # fmt: skip
    assert wrong == {}, (wrong, one.shown, one.ended.err)
    assert right, (one.ended, one.pressed)
    assert went_on, one.markers()
    assert single, one.shown
    notes = xdf.by_name(xdf.read(one.run.xdf), "emolab-notes")
    assert notes is not None and any(markers.decode(row[0]) == ("note", {"reason": NOTE}) for row in notes.values)


@pytest.mark.timeout(900)
@pytest.mark.skipif(not FULL, reason="a disk of its own and a whole session: make faults (EMO_FAULTS=full)")
def test_a_disk_that_is_full_ends_the_session_in_order(
    env: dict[str, str], study: Path, browser: Any, tmp_path: Path, fault_row: Callable[..., None]
) -> None:
    filled = []

    def fill(one: Session) -> None:
        filled.append(time.monotonic())
        with (one.run.path.parents[2] / "filler").open("wb") as file:
            free = os.statvfs(one.run.path)
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - 2**20)

    with tiny_disk(tmp_path / "disk", "400m") as disk:
        with session(browser, study, disk, "", "--skip-preflight", env=env) as one:
            one.obey_to_the_end([Event(1.0, fill, after="clip/onset trial=2")])
        assert one.ended is not None
        _, raised, _ = one.alarm("disk/full")
        late_s = raised[0].t_lsl - filled[0] if raised else float("inf")
        told = "disk/full" in {shown.code for shown in one.shown} and exactly_one_instruction_was_shown(one)
        said = [row[0] for row in xdf.by_name(xdf.read(one.run.xdf), markers.STREAM_NAME).values]  # type: ignore[union-attr]
        readable = any(text.startswith("clip/onset trial=2") for text in said)
        right = late_s <= ALARM_S + one.stall_s("collector") and told and one.ended.code == 3 and readable
    fault_row(
        test="before an operator: the disk is full", n=1, passed=int(right),
        note=f"told {late_s:.2f} s after it was full; ended in order, everything before is readable",
    )  # fmt: skip
    assert right, (late_s, told, one.ended, one.shown)


@pytest.mark.timeout(900)
@pytest.mark.skipif(not FULL, reason="two whole sessions: make faults (EMO_FAULTS=full)")
def test_who_obeys_after_a_crash_goes_on_with_what_is_left(
    env: dict[str, str], study: Path, browser: Any, tmp_path: Path, fault_row: Callable[..., None]
) -> None:
    kill = Event(1.0, lambda s: os.kill(s.live.pid("collector"), signal.SIGKILL), after="clip/onset trial=2")
    with session(browser, study, tmp_path / "data", "", "--skip-preflight", env=env) as crashed:
        crashed.obey_to_the_end([kill])
    with session(browser, study, tmp_path / "data", "", "--skip-preflight", "--resume", env=env, number="02") as one:
        one.obey_to_the_end()
    assert crashed.ended is not None and one.ended is not None
    told = {"collector/lost", "finish/fault"} & {shown.code for shown in crashed.shown}
    begun = [markers.parse(text).keys["trial"] for text, _ in one.markers() if text.startswith("clip/onset")]
    right = bool(told) and crashed.ended.code == 3 and one.ended.code == 0 and begun == ["2"]
    fault_row(
        test="before an operator: the recorder dies", n=1, passed=int(right),
        note="a new run goes on with the next unfinished clip, and is kept",
    )  # fmt: skip
    assert right, (told, crashed.ended, one.ended, begun)
