"""What devices say of themselves, judged under a fake clock: each thing told once, within 2 s of its cause, and over once."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from collector.clocks import Notice
from collector.inlets import Health
from collector.tally import Tally
from collector.vitals import Symptom, Vitals
from collector.watch import CLOCK_SHOWN_S, is_silent
from collector.xdf import StreamHeader
from protocol.study import ContactQuality, Eeg, Study

LABELS = ("Timestamp", "Counter", "Interpolate", "Cz", "Pz", "HardwareMarker")
SFREQ, PULL_S, LOOK_S = 256.0, 0.25, 0.1
PROMISED_S = 2.0
EEG = StreamHeader("eeg", "EEG", len(LABELS), SFREQ, "double64", labels=LABELS)


def study() -> Study:
    return Study.model_construct(eeg=Eeg(), contact_quality=ContactQuality())


class Lab:
    """A headset that is asked for samples four times a second, and an operator who looks ten times a second."""

    def __init__(self) -> None:
        self.t, self.n = 0.0, 0
        self.tally = Tally(EEG, now=lambda: self.t, counter="Counter", moves=True)
        self.vitals = Vitals(study())
        self.on: set[str] = set()
        self.told: list[tuple[str, bool, float, float]] = []
        self.t_heard = 0.0

    def run(self, until_s: float, spoil: Callable[[np.ndarray, np.ndarray], None] = lambda rows, times: None) -> None:
        while self.t < until_s:
            self.t += 0.05
            if round(self.t / 0.05) % 5 == 0:
                self._pull(spoil)
            if round(self.t / 0.05) % 2 == 0:
                self._look()

    def _pull(self, spoil: Callable[[np.ndarray, np.ndarray], None]) -> None:
        numbers = np.arange(self.n, int(self.t * SFREQ))
        times = numbers / SFREQ
        rows = np.random.default_rng(self.n).normal(0, 10, (len(numbers), len(LABELS)))
        rows[:, 1], rows[:, 2], rows[:, 5] = numbers % 128, 0, 0
        spoil(rows, times)
        self.tally.take(times, rows)
        self.n, self.t_heard = int(self.t * SFREQ), self.t

    def _look(self) -> None:
        one = Health(
            "eeg", "eeg", lost=False, why="", t_heard=self.t_heard, labels=LABELS, n=self.tally.n, still_s=self.tally.still_s
        )
        for symptom in self.vitals.look(one):
            self.tell(symptom)

    def tell(self, symptom: Symptom) -> None:
        if symptom.on != (symptom.code in self.on):
            (self.on.add if symptom.on else self.on.discard)(symptom.code)
            self.told.append((symptom.code, symptom.on, self.t, symptom.t_cause))


def between(begin: float, end: float, columns: slice, value: float | None = None) -> Callable[[np.ndarray, np.ndarray], None]:
    def spoil(rows: np.ndarray, times: np.ndarray) -> None:
        mask = (times >= begin) & (times < end)
        rows[mask, columns] = value if value is not None else np.floor(begin * SFREQ) % 128

    return spoil


@pytest.mark.parametrize(
    ("code", "columns"), [("counter/frozen", slice(1, 2)), ("eeg/flat", slice(3, 5))], ids=["counter", "flat"]
)
def test_what_stands_still_is_told_once_within_two_seconds_and_over_once(code: str, columns: slice) -> None:
    lab = Lab()
    lab.run(20.0, between(7.3, 12.1, columns, 42.0))
    (first, on, t_on, t_cause), (second, over, t_over, _) = lab.told
    assert (first, on, second, over) == (code, True, code, False)
    assert t_cause == pytest.approx(7.3, abs=0.03)
    assert 1.0 < t_on - 7.3 <= PROMISED_S
    assert 0 < t_over - 12.1 <= PULL_S + LOOK_S + 0.05


def test_one_flat_sensor_is_no_flat_eeg_and_a_counter_that_wraps_is_no_frozen_one() -> None:
    lab = Lab()
    lab.run(10.0, between(2.0, 8.0, slice(3, 4), 42.0))
    assert lab.told == []


def test_a_pause_of_less_than_a_second_is_nobodys_business() -> None:
    lab = Lab()
    lab.run(10.0, between(2.0, 2.9, slice(1, 5), 42.0))
    assert lab.told == []


class Battery:
    """Readings of a charge twice a second."""

    def __init__(self) -> None:
        self.vitals, self.n = Vitals(study()), 0
        self.told: list[tuple[str, bool, float]] = []
        self.on: dict[str, bool] = {}

    def read(self, percents: Sequence[float], name: str = "cq") -> None:
        for percent in percents:
            self.n += 1
            one = Health(
                name,
                "contact_quality",
                lost=False,
                why="",
                t_heard=self.n / 2,
                labels=("BatteryPercent",),
                last=(percent,),
                n=self.n,
            )
            for symptom in self.vitals.look(one):
                if symptom.on != self.on.get(symptom.code, False):
                    self.on[symptom.code] = symptom.on
                    self.told.append((symptom.code, symptom.on, self.n / 2 - symptom.t_cause))


def test_a_battery_is_told_low_and_critical_once_each_though_it_flickers_and_over_when_it_was_charged() -> None:
    battery = Battery()
    battery.read([80, 21, 20, 19, 20, 19, 19, 20, 19, 20, 19, 20] * 3 + [4, 5, 4, 4, 5, 5, 4, 90, 90, 90])
    codes = [(code, on) for code, on, _ in battery.told]
    assert codes == [("battery/low", True), ("battery/critical", True), ("battery/low", False), ("battery/critical", False)]
    assert all(late_s <= PROMISED_S for code, on, late_s in battery.told if on)


def test_one_false_reading_of_a_battery_is_none() -> None:
    battery = Battery()
    battery.read([80, 80, 0, 80, 80, float("nan"), 80, 255, 80])
    assert battery.told == []


def test_the_charge_is_read_from_one_stream_alone() -> None:
    battery = Battery()
    battery.read([80, 80, 80])
    battery.read([3, 3, 3], name="eq")
    assert battery.told == []


def test_a_step_of_the_wall_clock_is_told_for_a_while() -> None:
    vitals = Vitals(study())
    assert not vitals.clocks(100.0).on
    vitals.clock([Notice("clock/step", 0.4, 101.0), Notice("clock/drift", 120.0, 101.0)], since=100.0)
    assert not vitals.clocks(101.0).on
    vitals.clock([Notice("clock/step", -3600.0, 102.0)], since=101.0)
    told = vitals.clocks(102.0)
    assert told.on and told.t_cause == 101.0 and "-3600.0 s" in told.why
    assert vitals.clocks(102.0 + CLOCK_SHOWN_S - 0.1).on and not vitals.clocks(102.0 + CLOCK_SHOWN_S).on


@pytest.mark.parametrize(
    ("kind", "required", "level"),
    [("eeg", True, "stop"), ("contact_quality", True, "stop"), ("eeg_quality", True, "warn"), ("other", False, "warn"),
     ("other", True, "stop"), ("markers", False, "warn")],
)  # fmt: skip
def test_no_clip_begins_without_what_the_verdict_is_made_of(kind: str, required: bool, level: str) -> None:
    one = Health("stream", kind, lost=True, why="no sample", t_heard=0.0, required=required)
    assert Vitals(study()).level(one) == level


@pytest.mark.parametrize("sfreq", [256.0, 2.0])
def test_silence_is_found_early_enough_to_be_told_within_two_seconds(sfreq: float) -> None:
    assert is_silent(PROMISED_S - PULL_S - LOOK_S, sfreq)
