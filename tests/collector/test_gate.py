"""The contact gate: green only after it was good for the whole hold time, on readings that are fresh."""

import math

import pytest

from collector import gate
from collector.gate import ContactGate, Reading
from protocol.messages import Status, StreamStatus
from protocol.study import Gate, Study, loads

LABELS = ("Timestamp", "BatteryPercent", "Overall", "Signal", "Cz", "Fz", "Fp1", "FT9")
STUDY = """
[study]
name = "s"
[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
fear = { hed = "Fearful", color = "#CC79A7" }
[eeg]
exclude = ["FT9"]
[gate]
hold = 10.0
[consent]
version = "1"
"""


def study(*more: str) -> Study:
    return loads("\n".join([STUDY.replace("[gate]", "\n".join(["[gate]", *more]))]))


def status(overall: float, *levels: float, kind: str = "contact_quality", age_s: float | None = 0.25) -> Status:
    values = (0.0, 90.0, overall, 2.0, *levels)
    stream = StreamStatus(
        name="n", uid="u", kind=kind, sfreq_nominal_hz=2.0, sfreq_hz=2.0, age_s=age_s, buffer_frac=0.0, n=9, last=values,
        labels=LABELS[: len(values)],
    )  # fmt: skip
    return Status(recording=True, streams=(stream,))


def test_a_reading_is_the_overall_and_the_share_of_each_analysed_sensor() -> None:
    assert gate.reading(status(81.0, 4, 2, 1, 4), study(), heard=100.0) == Reading(
        99.75, 0.81, {"Cz": 1.0, "Fz": 0.5, "Fp1": 0.25}
    )


def test_a_level_that_is_no_number_is_no_contact_and_an_overall_that_is_none_is_none() -> None:
    found = gate.reading(status(math.nan, 4, math.nan, 9, 4), study(), heard=0.0)
    assert found is not None
    assert (found.overall, dict(found.shares)) == (None, {"Cz": 1.0, "Fz": 0.0, "Fp1": 1.0})
    assert not gate.is_good(Gate(), found)


@pytest.mark.parametrize("other", [{"kind": "eeg_quality"}, {"age_s": None}])
def test_another_stream_and_one_that_said_nothing_are_no_reading(other: dict[str, object]) -> None:
    assert gate.reading(status(81.0, 4, **other), study(), heard=0.0) is None  # type: ignore[arg-type]


def test_the_metric_of_the_study_chooses_the_stream() -> None:
    asked = study('metric = "EQ"')
    assert gate.reading(status(50.0, kind="eeg_quality"), asked, heard=1.0) == Reading(0.75, 0.5, {})
    assert gate.is_gated(asked)
    silent = loads(STUDY.replace('exclude = ["FT9"]', "contact_quality_stream = false"))
    assert not gate.is_gated(silent)


def test_of_a_device_that_came_back_the_stream_that_speaks_is_read() -> None:
    both = Status(recording=True, streams=(*status(99.0, age_s=60.0).streams, *status(40.0, age_s=0.1).streams))
    found = gate.reading(both, study(), heard=100.0)
    assert found is not None
    assert found.overall == 0.4


def test_it_is_green_only_after_the_hold_time_and_not_a_moment_earlier() -> None:
    watch = ContactGate(Gate(hold=10.0))
    for t in range(10):
        state = watch.look(Reading(float(t), 0.9, {"Cz": 1.0, "Fz": 0.5}), float(t))
        assert (state.green, state.held_s, state.good, state.n) == (False, float(t), 1, 2)
    state = watch.look(Reading(10.0, 0.9), 10.0)
    assert (state.green, state.held_s, state.hold_s) == (True, 10.0, 10.0)


def test_one_bad_reading_begins_the_hold_anew_and_a_threshold_that_is_met_is_good() -> None:
    watch = ContactGate(Gate(hold=1.0, threshold=0.8))
    watch.look(Reading(0.0, 0.8), 0.0)
    assert watch.look(Reading(1.0, 0.8), 1.0).green
    assert not watch.look(Reading(1.5, 0.79), 1.5).green
    assert not watch.look(Reading(2.0, 0.8), 2.0).green
    assert watch.look(Reading(3.0, 0.8), 3.0).green


def test_a_reading_older_than_two_seconds_is_none_and_silence_is_not_green() -> None:
    watch = ContactGate(Gate(hold=0.0))
    assert watch.look(Reading(0.0, 0.95), 2.0).green
    state = watch.look(Reading(0.0, 0.95), 2.1)
    assert (state.green, state.overall, state.n) == (False, None, 0)
    assert not watch.look(None, 3.0).green


def test_time_in_which_nobody_looked_does_not_count_as_held() -> None:
    watch = ContactGate(Gate(hold=10.0))
    watch.look(Reading(0.0, 0.9), 0.0)
    assert not watch.look(Reading(60.0, 0.9), 60.0).green


def test_where_the_study_counts_sensors_the_overall_does_not_decide() -> None:
    watch = ContactGate(Gate(hold=0.0, min_sensors=2))
    assert watch.look(Reading(0.0, 0.1, {"Cz": 1.0, "Fz": 0.8, "Pz": 0.2}), 0.0).green
    assert not watch.look(Reading(0.5, 1.0, {"Cz": 1.0, "Fz": 0.79, "Pz": 0.2}), 0.5).green


def test_a_gate_is_lost_after_it_was_bad_for_its_hold_and_found_again_at_once() -> None:
    watch = ContactGate(Gate(hold=5.0))
    for t in range(6):
        watch.look(Reading(float(t), 0.3), float(t))
        assert not watch.is_lost(float(t))
    watch.look(None, 6.0)
    assert watch.is_lost(6.0)
    assert watch.lost_s(6.0) == 6.0
    watch.look(Reading(6.5, 0.9), 6.5)
    assert not watch.is_lost(6.5)


def test_a_gate_without_hold_forgives_what_a_reading_may_be_late() -> None:
    watch = ContactGate(Gate(hold=0.0))
    watch.look(Reading(0.0, 0.3), 0.0)
    assert not watch.is_lost(2.0)
    assert watch.is_lost(2.1)
