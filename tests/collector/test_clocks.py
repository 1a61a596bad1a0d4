"""What the clocks of a computer do is noticed: decided from readings, under a fake clock."""

from pathlib import Path

import numpy as np
import pytest

from collector import clocks, xdf
from collector.clocks import Notice, Reading, Watched, notice
from collector.own import NOTES_NAME, OwnStreams
from protocol.markers import decode


class Computer:
    """Clocks that go on by a second at a time; somebody may set the wall clock, or send the computer to sleep."""

    def __init__(self, *, boots: bool = True, ppm: float = 0.0) -> None:
        self.lsl, self.wall, self.boot, self._boots, self._ppm = 1000.0, 1.7e9, 5000.0, boots, ppm
        self.seen: Watched | None = None
        self.found: list[Notice] = []

    def second(self, seconds: float = 1.0) -> None:
        self.lsl += seconds
        self.wall += seconds * (1 + self._ppm * 1e-6)
        self.boot += seconds

    def sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.boot += seconds

    def look(self) -> tuple[Notice, ...]:
        reading = Reading(self.lsl, self.wall, self.boot if self._boots else None)
        self.seen, found = notice(self.seen, reading)
        self.found += found
        return found


@pytest.mark.parametrize("boots", [True, False])
@pytest.mark.parametrize("by_s", [10.0, -10.0, 3600.0, -3600.0, 0.11, -0.11])
def test_a_wall_clock_that_is_set_is_noticed_once_with_its_step(by_s: float, boots: bool) -> None:
    computer = Computer(boots=boots)
    for n in range(20):
        computer.second()
        computer.wall += by_s if n == 10 else 0
        computer.look()
    # without a clock that goes on in sleep, forward may have been either
    name = "clock/jump" if not boots and by_s > 0 else "clock/step"
    assert [(one.name, one.t) for one in computer.found] == [(name, 1011.0)]
    assert computer.found[0].amount == pytest.approx(by_s, abs=1e-6)
    assert computer.found[0].keys == {"seconds": f"{by_s:.3f}"}


@pytest.mark.parametrize("by_s", [0.09, -0.09])
def test_a_clock_that_is_read_a_little_late_is_no_step(by_s: float) -> None:
    computer = Computer()
    computer.look()
    computer.second()
    computer.wall += by_s
    assert computer.look() == ()


@pytest.mark.parametrize(("boots", "name"), [(True, "clock/sleep"), (False, "clock/jump")])
def test_sleep_is_told_from_a_step_where_a_clock_goes_on_meanwhile(boots: bool, name: str) -> None:
    computer = Computer(boots=boots)
    computer.look()
    computer.second()
    computer.sleep(600)
    (found,) = computer.look()
    assert (found.name, found.t) == (name, 1001.0) and found.amount == pytest.approx(600)


def test_a_clock_that_was_set_while_the_computer_slept_is_both() -> None:
    computer = Computer()
    computer.look()
    computer.second()
    computer.sleep(600)
    computer.wall -= 3600
    assert [(one.name, round(one.amount, 3)) for one in computer.look()] == [("clock/sleep", 600.0), ("clock/step", -3600.0)]


@pytest.mark.parametrize(("ppm", "n"), [(99.0, 0), (-99.0, 0), (101.0, 3), (-200.0, 3)])
def test_drift_is_noticed_every_minute_beyond_100_ppm(ppm: float, n: int) -> None:
    computer = Computer(ppm=ppm)
    for _ in range(185):
        computer.look()
        computer.second()
    assert [one.name for one in computer.found] == ["clock/drift"] * n
    assert all(one.amount == pytest.approx(ppm, abs=0.5) for one in computer.found)  # 1.7e9 s have steps of 0.2 us


def test_a_step_does_not_count_as_drift() -> None:
    computer = Computer()
    for n in range(130):
        computer.second()
        computer.wall += 10 if n == 30 else 0
        computer.look()
    assert [one.name for one in computer.found] == ["clock/step"]


def test_of_several_attempts_to_read_the_clocks_the_undisturbed_one_counts() -> None:
    ticks = iter([0.0, 0.5, 1.0, 1.00001])  # the first reading is interrupted for half a second
    assert clocks.read(now=lambda: next(ticks), wall=lambda: 7.0, boot=lambda: 9.0) == Reading(1.000005, 7.0, 9.0)


def test_a_computer_with_linux_has_a_clock_that_goes_on_in_sleep() -> None:
    boot = clocks.boot_clock()
    if boot is None:
        pytest.skip("no CLOCK_BOOTTIME on this system")
    assert boot() <= boot()


def test_what_was_noticed_stands_in_the_recording(tmp_path: Path) -> None:
    computer = Computer()
    with xdf.Writer(tmp_path / "a.xdf", now=lambda: computer.lsl) as writer:
        own = OwnStreams(
            writer, uid="u", video=None, now=lambda: computer.lsl, wall=lambda: computer.wall, boot=lambda: computer.boot
        )
        told = []
        for n in range(10):
            computer.second()
            computer.wall += 3600 if n == 5 else 0
            told += own.wall()
    assert [one.name for one in told] == ["clock/step"]
    streams = xdf.read(tmp_path / "a.xdf")
    notes, wall = xdf.by_name(streams, NOTES_NAME), xdf.by_name(streams, clocks.WALL_NAME)
    assert notes is not None and wall is not None and isinstance(wall.values, np.ndarray)
    assert [decode(row[0]) for row in notes.values] == [("clock/step", {"seconds": "3600.000"})]
    assert notes.stamps.tolist() == [1006.0]
    assert np.diff(wall.values[:, 0] - wall.stamps).round(3).tolist() == [0, 0, 0, 0, 3600, 0, 0, 0, 0]
