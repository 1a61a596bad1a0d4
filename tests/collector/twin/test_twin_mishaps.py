"""What a file of faults does to the simulated devices, and what is said of a wrong one."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from collector.twin import camera as twin_camera
from collector.twin import told
from collector.twin.camera import TwinCamera
from collector.twin.contact import Contact
from collector.twin.device import Device
from collector.twin.knobs import Faults, Knobs
from collector.twin.mishaps import KINDS, Calendar, Mishap
from collector.twin.sensors import CQ_LABELS, EEG_LABELS, SENSORS
from collector.twin.timeline import Timeline
from protocol.markers import Marker

from .test_twin_face import SIZE, Time

T0 = 700.0
CZ = EEG_LABELS.index("Cz")


def device(*mishaps: Mishap, started: float | None = T0 + 2) -> Device:
    timeline = Timeline(3, Knobs())
    if started is not None:
        timeline.add(started, Marker("session/start"))
    return Device(
        3, timeline, t_first=T0, wall_first=1e9, contact=Contact(3, 0.95), faults=Faults(mishaps=mishaps)
    )  # fmt: skip


def eeg(*mishaps: Mishap, blocks: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    made = device(*mishaps)
    parts = [made.eeg_until(T0 + 10 * (n + 1) / blocks) for n in range(blocks)]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def column(values: NDArray[np.float64], label: str) -> NDArray[np.float64]:
    return values[:, EEG_LABELS.index(label)]


def test_mishaps_count_from_the_sessions_start_or_from_the_devices() -> None:
    start: list[float | None] = [None]
    calendar = Calendar(
        (Mishap("gap", 1.0, 2.0), Mishap("gap", 5.0, 1.0, since="device")), device=lambda: 100.0, session=lambda: start[0]
    )
    assert calendar.at(101.5, "gap") is None and calendar.at(105.5, "gap") is not None
    start[0] = 110.0
    assert [calendar.at(t, "gap") is not None for t in (110.9, 111.0, 112.9, 113.0)] == [False, True, True, False]
    assert calendar.at(111.5, "drop") is None


@pytest.mark.parametrize("blocks", [1, 40])
def test_a_frozen_counter_stands_still_and_jumps_afterwards_while_samples_go_on(blocks: int) -> None:
    stamps, values = eeg(Mishap("freeze_counter", 1.0, 1.5), blocks=blocks)
    frozen = (stamps >= T0 + 3) & (stamps < T0 + 4.5)
    counter = column(values, "Counter")
    assert len(stamps) == 2560 and set(counter[frozen]) == {255.0}
    assert (np.diff(counter[~frozen]) % 256 == 1).sum() == (~frozen).sum() - 2
    assert values[frozen][:, CZ].std() > 1


def test_a_gap_and_a_drop_lose_samples_and_the_counter_runs_on() -> None:
    for kind in ("gap", "drop", "returns_with_other_id"):
        stamps, values = eeg(Mishap(kind, 1.0, 0.5))
        steps = np.diff(column(values, "Counter")) % 256
        assert len(stamps) == 2560 - 128 and steps[steps != 1].tolist() == [129]


def test_before_the_first_sample_there_is_none() -> None:
    made = device()
    stamps, values = made.eeg_until(T0 - 0.1)
    assert stamps.shape == (0,) and values.shape == (0, 37)
    assert len(made.eeg_until(T0 + 1)[0]) == 256


def test_flat_sensors_are_flat_and_the_others_are_not() -> None:
    stamps, values = eeg(Mishap("flat", 1.0, 2.0, sensors=("F3", "O1")))
    during = (stamps >= T0 + 3) & (stamps < T0 + 5)
    deviations = {label: column(values, label)[during].std() for label in SENSORS}
    assert {label for label, sd in deviations.items() if sd == 0} == {"F3", "O1"}
    assert column(values, "F3")[~during].std() > 1


def test_a_cap_on_a_table_has_good_contact_and_no_brain() -> None:
    whole, parts = eeg(Mishap("cap_off", 0.0)), eeg(Mishap("cap_off", 0.0), blocks=40)
    assert np.array_equal(whole[1], parts[1])
    stamps, values = whole
    off = values[stamps >= T0 + 2][:, CZ : CZ + 32]
    assert np.abs(np.corrcoef(off.T) - np.eye(32)).max() < 0.15 and off.std() < 10  # nothing that sensors share
    made = device(Mishap("cap_off", 0.0))
    assert made.quality_until(T0 + 10)[0][1][:, 2].min() > 80


def test_contact_battery_and_silence_show_in_the_readings() -> None:
    stamps, rows = device(
        Mishap("contact_bad", 1.0, 2.0, value=0.3, sensors=("Cz", "Fz")), Mishap("battery", 5.0), Mishap("quality_silent", 7.0)
    ).quality_until(T0 + 12)[0]  # fmt: skip
    bad = (stamps >= T0 + 3) & (stamps < T0 + 5)
    levels = rows[:, [CQ_LABELS.index("Cz"), CQ_LABELS.index("Fz")]]
    assert (levels[bad] == 1).all() and (levels[~bad] == 4).all()
    overall = rows[:, CQ_LABELS.index("Overall")]
    good = device().quality_until(T0 + 12)[0][1][: len(rows), CQ_LABELS.index("Overall")]
    assert np.array_equal(overall[~bad], good[~bad]) and (overall[bad] < good[bad] - 3).all()
    battery = rows[:, CQ_LABELS.index("BatteryPercent")]
    assert (battery[stamps >= T0 + 7] == 3).all() and (battery[stamps < T0 + 7] == 100).all()
    assert stamps.max() < T0 + 9


def test_a_step_of_the_wall_clock_is_in_the_devices_own_time_alone() -> None:
    stamps, values = eeg(Mishap("clock_step", 1.0, value=-3600.0))
    wall = column(values, "Timestamp") - stamps
    assert np.diff(stamps) == pytest.approx(1 / 256, abs=1e-6)
    assert wall[stamps < T0 + 3] == pytest.approx(1e9 - T0, abs=1e-3)
    assert wall[stamps >= T0 + 3] == pytest.approx(1e9 - T0 - 3600, abs=1e-3)


def camera(time: Time, *mishaps: Mishap) -> TwinCamera:
    faults = Faults(mishaps=mishaps)
    return TwinCamera(SIZE, 25.0, seed=5, faults=faults, now=time.now, sleep=time.sleep, timeline=Timeline(5, Knobs()))


def test_an_unplugged_camera_is_gone_until_it_is_plugged_in_and_opened_again() -> None:
    time = Time()
    unplug = Mishap("camera_unplug", 1.0, 2.0, since="device")
    first = camera(time, unplug)
    while first.grab():
        assert time.now_s < 502
    assert time.now_s == pytest.approx(501, abs=0.1) and not first.isOpened() and first.retrieve() == (False, None)
    assert not camera(time, unplug).isOpened()
    time.now_s = 503.1
    assert not first.grab()  # the old handle stays dead, as with a real one
    second = camera(time, unplug)
    assert second.isOpened() and second.read()[0]


def test_a_camera_that_hangs_gives_nothing_meanwhile_and_goes_on() -> None:
    time = Time()
    stalled, stamps = camera(time, Mishap("camera_stall", 1.0, 3.0, since="device")), []
    while time.now_s < 505:
        assert stalled.grab()
        stamps.append(stalled.get(0) / 1000)
    gaps = np.diff(stamps)
    assert gaps.max() == pytest.approx(3.0, abs=0.1) and (gaps < 0.05).sum() == len(gaps) - 1


def test_a_camera_that_is_opened_again_shows_the_same_person_who_went_on_living(monkeypatch: pytest.MonkeyPatch) -> None:
    listening: list[object] = []
    monkeypatch.setattr(twin_camera, "Listener", lambda timeline: _Deaf(listening, timeline))
    twin_camera._followed.cache_clear()
    one, two = (TwinCamera(SIZE, 25.0, seed=5) for _ in range(2))
    assert one._timeline is two._timeline and len(listening) == 1
    twin_camera._followed.cache_clear()


class _Deaf:
    def __init__(self, made: list[object], timeline: Timeline) -> None:
        made.append(timeline)

    def __enter__(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_file_of_faults_is_read(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(
        "eeg_latency_s = 0.06\ngaps = [[1, 2], [3, 0.5]]\n[[at]]\nat_s = 20\nkind = 'drop'\nfor_s = 3\n"
        "[[at]]\nat_s = 1.5\nkind = 'flat'\nsensors = ['Cz']\nsince = 'device'\n"
    )
    made = told.faults(file)
    assert made.eeg_latency_s == 0.06 and made.gaps == ((1.0, 2.0), (3.0, 0.5))
    assert made.mishaps == (Mishap("drop", 20.0, 3.0), Mishap("flat", 1.5, sensors=("Cz",), since="device"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("eeg_lag = 1", "eeg_lag: unknown; one of gaps"),
        ("eeg_latency_s = 'late'", "eeg_latency_s = 'late': input should be a valid number"),
        ("[[at]]\nkind = 'drop'", "[[at]] 1: at_s: is missing"),
        ("[[at]]\nat_s = 1\nkind = 'drip'", "[[at]] 1: kind = 'drip'"),
        ("[[at]]\nat_s = -1\nkind = 'drop'", "at_s = -1"),
        ("[[at]]\nat_s = 1\nkind = 'battery'\nvalue = 300", "value = 300: must lie in 0..100"),
        ("[[at]]\nat_s = 1\nkind = 'flat'\nsensors = ['XX']", "'XX' is none of the headset's"),
        ("[[at]]\nat_s = 1\nkind = 'drop'\nwhen = 2", "[[at]] 1: when: unknown"),
        ("at = 3", "at: write one table [[at]] for each mishap"),
        ("= 3", "is not TOML"),
    ],
)
def test_a_wrong_file_of_faults_is_one_line_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    (file := tmp_path / "faults.toml").write_text(text)
    with pytest.raises(told.ToldError, match="^" + str(file)) as refused:
        told.faults(file)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_every_kind_of_mishap_can_be_asked_for() -> None:
    assert all(Mishap(kind, 1.0).kind == kind for kind in KINDS) and len(KINDS) == 17


def test_knobs_are_read_and_wrong_ones_are_one_line() -> None:
    made = told.knobs(["trial=1", "effect=0", "eeg_emotions=sadness,fear", "face_emotions="], base=Knobs(stimulus=2.0))
    assert made == Knobs(trial=1.0, effect=0.0, stimulus=2.0, eeg_emotions=("sadness", "fear"), face_emotions=())
    for text, said in (("trail=1", "unknown; one of"), ("trial=x", "give a number"), ("trial=11", "must lie in 0..10")):
        with pytest.raises(told.ToldError, match=said):
            told.knobs([text])


def test_knobs_and_faults_reach_the_processes_of_a_live_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told.from_environment(effect=0.5) == (Knobs(effect=0.5), Faults())
    (file := tmp_path / "faults.toml").write_text("camera_latency_s = 0.1")
    monkeypatch.setenv(told.FAULTS_VARIABLE, str(file))
    monkeypatch.setenv(told.KNOBS_VARIABLE, "trial=1 blinks_missed=0.2")
    assert told.from_environment(effect=0.5) == (Knobs(effect=0.5, trial=1.0, blinks_missed=0.2), Faults(camera_latency_s=0.1))


def test_the_command_refuses_a_wrong_knob_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "collector.twin", "cohort", str(tmp_path), "--out", str(tmp_path / "data")]
    done = subprocess.run([*command, "--knob", "trail=1"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "--knob trail=1: unknown" in done.stderr
    assert not (tmp_path / "data").exists()


def test_an_emotion_may_show_in_one_of_the_two_alone() -> None:
    course = Timeline(
        1, Knobs(eeg_absent=0.0, face_absent=0.0, eeg_emotions=("sadness", "fear"), face_emotions=("happiness", "fear"))
    )
    shown = {}
    for n, target in enumerate(("sadness", "happiness", "fear", "neutral"), 1):
        name = "rest/onset" if target == "fear" else "clip/onset"  # a rest that stands for a clip is no different
        course.add(float(n), Marker(name, {"trial": str(n), "block": "1", "stim_id": "x", "target": target}))
        state = course.state_at(float(n))
        shown[target] = (state.eeg > 0, state.face > 0)
    assert shown == {"sadness": (True, False), "happiness": (False, True), "fear": (True, True), "neutral": (False, False)}
