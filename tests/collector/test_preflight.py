"""The preflight's judgement: values in, codes out; what is measured live is tried in ``tests/faults``."""

import json
import re
import string
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from collector.preflight import channels, contact, machine, network, place, streams, timing
from collector.preflight.found import Found, tell, tell_all, worst
from collector.preflight.rules import RULES
from collector.preflight.tap import Answer, Heard, Network, Seen
from collector.preflight.words import WORDS
from collector.wanted import Wanted
from collector.xdf import StreamHeader
from protocol.estimate import Estimate
from protocol.study import Stream, Study, loads

SENSORS = ("Fp1", "Fp2", "O1", "O2")
LABELS = ("Timestamp", "Counter", *SENSORS)
STUDY = """
[study]
name = "test"
[emotions]
fear = { hed = "Fearful", color = "#CC79A7" }
neutral = { hed = "Emotionally-neutral", color = "#7F7F7F" }
[consent]
version = "1"
[eeg]
interpolated = "Interpolate"
"""
EEG = Wanted("eeg", Stream(name="EmotivDataStream-EEG"), "eeg.stream")
MONTAGE = frozenset({"Fp1", "Fp2", "O1", "O2", "Cz"})
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "preflight.md"


def study(more: str = "") -> Study:
    return loads(STUDY + more)


def heard(n: int = 768, *, sfreq: float = 256.0, looks: int = 48, **changes: object) -> Heard:
    """Return three seconds of EEG that flows."""
    rng, stamps = np.random.default_rng(1), 100.0 + np.arange(n) / 256.0
    values = np.column_stack([1.7e9 + stamps, np.arange(n) % 256, 4200 + rng.normal(0, 20, (n, len(SENSORS)))])
    arrivals = np.column_stack([100.1 + 3.0 * np.arange(looks) / looks, np.full(looks, n / looks)])
    header = StreamHeader("EmotivDataStream-EEG", "EEG", len(LABELS), sfreq, "double64", LABELS, hostname="pc")
    return replace(Heard(header, stamps, values, arrivals, 0.02, 3.0, 0.0), **changes)  # type: ignore[arg-type]


def codes(found: list[Found]) -> list[str]:
    return [one.code for one in found]


def judged(one: Heard, wanted: Wanted = EEG, more: str = "") -> list[str]:
    return codes(streams.judge([Answer(wanted, (seen(),), one)], study(more)))


def seen(name: str = "EmotivDataStream-EEG", kind: str = "EEG", uid: str = "u") -> Seen:
    return Seen(name, kind, "pc", "id", uid, 6, 256.0)


# ---- words and rules


@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_finding_has_words_and_every_fault_a_cure(language: str) -> None:
    said = WORDS[language]  # type: ignore[index]
    assert set(said) == set(RULES)
    assert [code for code, rule in RULES.items() if (rule.light == "green") == bool(said[code].cure)] == []


def test_both_languages_name_the_same_values() -> None:
    def named(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    english, vietnamese = WORDS["en"], WORDS["vi"]
    assert [c for c in RULES if named("".join(english[c])) != named("".join(vietnamese[c]))] == []


def test_what_blocks_is_red_and_what_is_green_or_amber_passes() -> None:
    assert all((rule.light == "red") == rule.blocks for rule in RULES.values())
    assert not any(rule.may_override for rule in RULES.values() if not rule.blocks)


def test_the_page_has_a_row_for_every_finding_that_says_what_the_rule_says() -> None:
    rows = re.findall(r"^\| ([^|]*) \| `([a-z0-9_/`, ]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {code: does for does, several in rows for code in several.replace("`", "").split(", ")}
    assert told == {code: does_of(code) for code, rule in RULES.items() if rule.light != "green"}


def does_of(code: str) -> str:
    rule = RULES[code]
    return ("reason" if rule.may_override else "blocks") if rule.blocks else "told"


def test_one_setting_that_spoils_two_streams_is_one_line_because_one_reason_is_typed_for_it() -> None:
    found = [Found("quality/values", {"name": name, "value": "nan"}) for name in ("A", "B")]
    (line,) = tell_all(found, "en")
    assert (line.blocks, line.may_override) == (True, True)
    assert line.text == "Overall of A is nan: it must lie in 0 to 100; Overall of B is nan: it must lie in 0 to 100"
    assert len(tell_all([Found("stream/absent", {"wanted": w}) for w in "ab"], "en")) == 2  # what is well stays as it is


def test_the_worst_light_is_that_of_all() -> None:
    lines = [tell(Found(code, {"why": ""}), "vi") for code in ("session/free", "sleep/possible", "graphics/none")]
    assert [worst(lines[:n]) for n in range(4)] == ["green", "green", "amber", "red"]


# ---- streams


def test_a_stream_that_flows_is_green() -> None:
    assert judged(heard()) == ["stream/ok"]


@pytest.mark.parametrize(
    ("sfreq", "expected"), [(256.0, "stream/ok"), (236.0, "stream/ok"), (225.0, "stream/rate"), (290.0, "stream/rate")]
)
def test_the_rate_may_differ_by_a_tenth_from_what_is_promised(sfreq: float, expected: str) -> None:
    assert judged(heard(sfreq=sfreq)) == [expected]


def test_what_arrives_counts_where_stamps_are_made_up() -> None:
    slow = heard(768, arrivals=np.column_stack([100.0 + np.arange(48) / 8, np.full(48, 16)]))  # 128 a second, stamped as 256
    assert streams.measured_rate(slow, lost=0) == pytest.approx(128, rel=0.01)
    assert judged(slow) == ["stream/rate"]


def test_a_sender_that_stands_still_for_a_moment_is_no_other_rate() -> None:
    late = np.concatenate([np.arange(24) / 16, 1.5 + 0.4 + np.arange(24) / 16])
    assert judged(heard(arrivals=np.column_stack([100.0 + late, np.full(48, 16)]))) == ["stream/ok"]


@pytest.mark.parametrize(("burst", "expected"), [(96, "stream/ok"), (128, "stream/chunks"), (768, "stream/chunks")])
def test_bursts_of_four_tenths_of_a_second_are_chunk_mode(burst: int, expected: str) -> None:
    n = 768 // burst
    arrivals = np.column_stack([100.0 + np.arange(n) * burst / 256, np.full(n, burst)])
    assert judged(heard(arrivals=arrivals)) == [expected]


def test_what_came_while_this_computer_stood_still_is_no_burst() -> None:
    arrivals = np.array([[100.0, 16], [101.5, 384], [103.0, 368]])
    assert streams.burst_of(heard(arrivals=arrivals)) == (368, 368 / 256)
    assert streams.burst_of(heard(arrivals=arrivals, stall_s=1.5)) is None


def test_float32_is_named_where_it_cannot_hold_a_channel_and_nowhere_else() -> None:
    header = replace(heard().header, format="float32")
    assert judged(heard(header=header)) == ["stream/float32"]
    (fault,) = streams.judge([Answer(EEG, (seen(),), heard(header=header))], study())
    assert (fault.values["labels"], fault.values["step"]) == ("Timestamp", "128")
    values = heard().values.copy()
    values[:, 0] = 0.0
    assert judged(heard(header=header, values=values)) == ["stream/ok"]


def test_lost_samples_are_counted_by_the_devices_counter() -> None:
    kept = np.delete(np.arange(768), [100, 101, 300])
    few = heard(stamps=heard().stamps[kept], values=heard().values[kept])
    assert judged(few) == ["stream/lost_some"]
    kept = np.arange(768)[np.arange(768) % 32 != 5]
    many = heard(stamps=heard().stamps[kept], values=heard().values[kept])
    assert judged(many) == ["stream/losses"]


def test_stamps_must_be_near_now_and_the_clock_of_the_sender_known() -> None:
    assert judged(heard(offset_s=-60.0)) == ["stream/stamps"]
    assert judged(heard(stamps=heard().stamps + 60.0, offset_s=-60.0)) == ["stream/ok"]
    assert judged(heard(offset_s=None)) == ["stream/no_clock"]


@pytest.mark.parametrize(("more", "expected"), [("sfreq = 256", "stream/ok"), ("sfreq = 128", "stream/sfreq")])
def test_the_study_says_which_rate_is_meant(more: str, expected: str) -> None:
    assert judged(heard(), more=more) == [expected]


# ---- channels


@pytest.mark.parametrize(
    ("counter", "expected"),
    [
        (np.arange(768) % 256, []),
        (np.arange(768) % 7, []),
        (np.full(768, 3), ["counter/frozen"]),
        (np.minimum(np.arange(768), 500), ["counter/frozen"]),  # since a second
        (np.minimum(np.arange(768), 700), []),  # for a quarter of one: not yet
        ((np.arange(768) * 7919) % 251, ["counter/odd"]),
    ],
)
def test_a_counter_counts_stands_still_or_does_something_else(counter: np.ndarray, expected: list[str]) -> None:
    values = heard().values.copy()
    values[:, 1] = counter
    assert codes(channels.counter(heard(values=values), study())) == expected


def test_another_makers_device_without_a_counter_is_told_and_one_that_must_have_it_blocks() -> None:
    header = replace(heard().header, labels=("Timestamp", "n", *SENSORS))
    assert codes(channels.counter(heard(header=header), study())) == ["counter/missing"]  # Emotiv's have one
    other = replace(header, name="BrainAmp")
    assert codes(channels.counter(heard(header=other), study())) == ["counter/none"]
    assert codes(channels.counter(heard(header=other), study('counter = "Counter"'))) == ["counter/missing"]


def spoilt(change: np.ndarray) -> Heard:
    values = heard().values.copy()
    values[:, 2:] += change
    return heard(values=values)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (np.zeros(4), []),
        (np.array([np.nan, 0, 0, 0]), ["eeg/nan"]),
        (np.full(4, 1e9), []),  # an offset is no amplitude
    ],
)
def test_numbers_of_sensors_are_judged(change: np.ndarray, expected: list[str]) -> None:
    assert codes(channels.judge(spoilt(change), study(), montage=MONTAGE)) == expected


def test_a_sensor_of_many_that_stands_still_is_told_and_a_tenth_of_them_blocks() -> None:
    labels = tuple(f"E{n}" for n in range(20))
    values = np.random.default_rng(0).normal(0, 20, (768, 20))
    header = replace(heard().header, n_channels=20, labels=labels)
    for still, expected in ((0, []), (2, ["eeg/flat_few"]), (3, ["eeg/flat"])):
        values[:, :still] = 4200.0
        one = heard(header=header, values=values.copy())
        assert codes(channels.judge(one, study("counter = 'E19'"), montage=frozenset(labels)))[1:] == expected


def test_units_are_judged_by_amplitude_and_by_what_the_stream_says() -> None:
    one = heard()
    assert codes(channels.judge(one, study('units = "V"'), montage=MONTAGE)) == ["eeg/units"]
    volts = replace(one.header, units=("n/a", "n/a", *["volts"] * 4))
    assert codes(channels.judge(heard(header=volts), study(), montage=MONTAGE)) == ["eeg/units"]


# ---- the device of itself


@pytest.mark.parametrize(
    ("percent", "planned_s", "expected"),
    [
        (90.0, 3600.0, "battery/ok"),
        (40.0, 3600.0, "battery/scarce"),
        (34.0, 3600.0, "battery/short"),
        (np.nan, 1.0, "battery/unknown"),
    ],
)
def test_the_battery_must_last_for_the_session(percent: float, planned_s: float, expected: str) -> None:
    header = StreamHeader("CQ", "Contact-Quality", 3, 2.0, "double64", ("BatteryPercent", "Overall", "Signal"))
    one = heard(header=header, stamps=np.arange(6) / 2, values=np.tile([percent, 80.0, 2.0], (6, 1)))
    assert codes(contact.judge([one, one], planned_s=planned_s)) == [expected]


# ---- the network


def test_all_required_streams_that_are_missing_are_one_line_and_optional_ones_are_no_fault() -> None:
    motion = Wanted("other", Stream(name="Motion"), "eeg.other_streams.0", required=False)
    quality = Wanted("contact_quality", Stream(name="CQ"), "eeg.contact_quality_stream")
    told = Network(
        (seen("EmotivDataStream-EGG"), seen("x", "Audio", "v")),
        0.1,
        "default",
        tuple(Answer(w, ()) for w in (EEG, quality, motion)),
    )
    absent, missing = network.judge(told, confined=False, where="")[1:]
    assert (absent.code, missing.code) == ("stream/absent", "stream/missing")
    assert missing.values["wanted"].startswith("eeg.stream") and "CQ" in missing.values["wanted"]
    assert "EGG" in missing.values["similar"] and "Audio" not in missing.values["similar"]


def test_who_does_not_find_itself_is_told_of_nothing_else() -> None:
    told = Network((), None, "default", (Answer(EEG, ()),))
    assert codes(network.judge(told, confined=False, where="")) == ["lsl/deaf"]


def test_a_stream_that_is_listed_and_cannot_be_reached_is_a_firewall() -> None:
    told = Network((seen(),), 0.1, "default", (Answer(EEG, (seen(),), error="timed out"),))
    assert codes(network.judge(told, confined=False, where="")) == ["lsl/ok", "stream/unreachable"]


@pytest.mark.parametrize(
    ("session", "confined", "expected"), [("default", False, []), ("lab2", False, ["lsl/session"]), ("t", True, [])]
)
def test_a_session_of_its_own_is_told_where_real_programs_are_looked_for(
    session: str, confined: bool, expected: list[str]
) -> None:
    assert codes(network.judge(Network((), 0.1, session, ()), confined=confined, where=""))[1:] == expected


# ---- the computer


@pytest.mark.parametrize(
    ("sound", "required", "expected"),
    [
        (machine.Sound("hdmi", muted=False, percent=60), True, "sound/ok"),
        (machine.Sound("hdmi", muted=True, percent=60), True, "sound/muted"),
        (machine.Sound("hdmi", muted=False, percent=0), True, "sound/muted"),
        (machine.Sound("hdmi", muted=True, percent=60), False, "sound/off"),
        (machine.Sound("hdmi", muted=False, percent=5), True, "sound/quiet"),
        (machine.Sound("hdmi", why="pactl is missing"), True, "sound/unknown"),
        (machine.Sound(error="no sound device is found"), True, "sound/none"),
        (machine.Sound(error="no sound device is found"), False, "sound/absent"),
    ],
)
def test_sound(sound: machine.Sound, required: bool, expected: str) -> None:
    assert machine.judge_sound(sound, required=required).code == expected


def test_graphics_drawn_in_software_are_told_and_a_screen_of_another_size_too() -> None:
    card = machine.Graphics("NVIDIA H200", "4.6", (1920, 1080))
    assert codes(machine.judge_graphics(card, wanted_px=(1920, 1080))) == ["graphics/ok"]
    drawn = machine.Graphics("llvmpipe (LLVM 15)", "4.5", (1280, 720))
    assert codes(machine.judge_graphics(drawn, wanted_px=(1920, 1080))) == ["graphics/software", "screen/size"]


@pytest.mark.parametrize(("synced", "expected"), [(True, "clock/ok"), (False, "clock/unsynced"), (None, "clock/unknown")])
def test_clock(synced: bool | None, expected: str) -> None:
    assert machine.judge_clock(machine.Clock(NOW, synced=synced)).code == expected


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (place.Room(Path("d"), 1e9), "disk/ok"),
        (place.Room(Path("d"), 1e8), "disk/room"),
        (place.Room(Path("d"), 1e9, "Read-only file system"), "disk/rights"),
    ],
)
def test_disk(room: place.Room, expected: str) -> None:
    assert place.judge_room(room, Estimate(1, 600.0, 1e8)).code == expected


@pytest.mark.parametrize(
    ("why", "lid", "code"), [("", "", "sleep/ok"), ("", "not yours", "sleep/lid"), ("no bus", "no bus", "sleep/possible")]
)
def test_a_lid_that_is_not_ours_to_keep_is_told(why: str, lid: str, code: str) -> None:
    assert machine.judge_sleep(machine.Sleep(why, lid)).code == code


def test_a_trial_file_is_written_and_leaves_nothing(tmp_path: Path) -> None:
    room = place.look(tmp_path / "not" / "yet")
    assert (room.folder, room.error, list(tmp_path.iterdir())) == (tmp_path, "", [])
    assert place.look(Path("/proc/self/fdinfo/data")).error


# ---- timing


def test_timing_says_median_p99_and_what_was_missed() -> None:
    flips = [0.0, 0.0167, 0.0333, 0.0667, 0.0833]  # one flip missed
    raw = {
        "size_px": [1280, 720], "refresh_hz": 60.0, "refresh": {"period_s": 1 / 60, "vsync": True, "measured_s": 1 / 60},
        "flips": flips, "psychopy": [t + 1e9 - 0.001 * n for n, t in enumerate(flips)], "device": "pulse", "no_sound": "",
        "markers": [[10.0, 10.0004], [11.0, 11.0006]],
        "clips": [
            {"end": "complete", "audio_offset_s": -0.006, "onset_error_s": 0.001, "shown": 88, "dropped": 2},
            {"end": "failed", "audio_offset_s": None, "onset_error_s": None, "shown": 0, "dropped": 0},
        ],
    }  # fmt: skip
    told = timing.summary(raw)
    assert told["flips"]["missed"] == 1 and told["flips"]["n"] == 5
    assert told["markers"]["latency_ms"]["median"] == pytest.approx(0.5)
    assert told["markers"]["stamp_after_flip_ms"]["max"] == pytest.approx(4.0, abs=0.01)
    assert told["sound"]["offset_ms"]["median"] == -6.0 and told["clips"]["n"] == 1
    assert any("1 missed" in line for line in timing.lines(told))
    json.dumps(told)


# ---- the command


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nowhere"], "nowhere: no such file; make a study with: emo-study new DIR"),
        (["--participant", "../x"], "--participant"),
        (["--timing", "t.json"], "--timing: needs a study"),
    ],
)
def test_bad_input_is_one_line_and_ends_with_2(options: list[str], said: str, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "collector.doctor_cli", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert said in done.stderr and done.stderr.count("\n") == 1
