"""How long a battery lasts, from a charge in whole percents."""

import numpy as np
import pytest

from collector import battery
from collector.battery import Battery


def discharged(hours: float, *, of_full_h: float, start: float = 90.0, spoil: dict[int, float] | None = None) -> Battery:
    """Two readings a second, in whole percents, as Emotiv's."""
    told = Battery()
    for n in range(round(hours * 7200)):
        percent = round(start - 100 * (n / 7200) / of_full_h)
        told.take((spoil or {}).get(n, percent), n / 2)
    return told


def test_the_charge_is_known_at_once_and_how_long_it_lasts_only_after_it_fell() -> None:
    told = Battery()
    assert (told.percent, told.left_s) == (None, None)
    told.take(87.0, 0.0)
    assert (told.percent, told.left_s) == (87.0, None)
    assert discharged(0.1, of_full_h=3.0).left_s is None


@pytest.mark.parametrize("of_full_h", [1.5, 3.0, 6.0])
def test_a_steady_fall_is_foretold_within_a_tenth(of_full_h: float) -> None:
    told = discharged(0.6, of_full_h=of_full_h)
    assert told.percent is not None
    assert told.left_s == pytest.approx(told.percent / 100 * of_full_h * 3600, rel=0.1)


def test_false_readings_move_neither_the_charge_nor_the_forecast() -> None:
    told = discharged(0.6, of_full_h=3.0)
    drawn = np.random.default_rng(1).integers(0, 4000, 40)
    spoilt = discharged(0.6, of_full_h=3.0, spoil={**dict.fromkeys(drawn.tolist(), 0.0), 5: float("nan"), 9: -1.0})
    assert spoilt.percent == told.percent
    assert spoilt.left_s == pytest.approx(told.left_s, rel=0.02)


def test_a_charge_that_rises_or_stands_still_lasts_for_nobody_knows_how_long() -> None:
    told = Battery()
    for n in range(7200):
        told.take(min(100.0, 40 + n / 200), n / 2)
    assert told.left_s is None


def test_a_charge_that_breaks_down_is_seen_at_its_second_reading() -> None:
    told = discharged(0.05, of_full_h=6.0)
    told.take(3.0, 180.0)
    assert battery.judge(told.percent, told.left_s) == "ok"
    told.take(3.0, 180.5)
    assert battery.judge(told.percent, told.left_s) == "critical"


@pytest.mark.parametrize(
    ("percent", "left_s", "state"),
    [
        (20.0, None, "ok"), (19.9, None, "low"), (5.0, None, "low"), (4.9, None, "critical"), (60.0, 899.0, "low"),
        (60.0, 901.0, "ok"), (60.0, 119.0, "critical"), (None, None, "ok"),
    ],
)  # fmt: skip
def test_low_and_critical_by_percent_or_by_seconds(percent: float | None, left_s: float | None, state: str) -> None:
    assert battery.judge(percent, left_s) == state


def test_the_forecast_of_a_session_takes_what_was_seen_and_else_a_short_life() -> None:
    assert battery.is_enough(60.0, None, planned_s=7200.0)  # half of four hours
    assert not battery.is_enough(59.0, None, planned_s=7200.0)
    assert battery.is_enough(20.0, 7200.0, planned_s=3600.0)
    assert not battery.is_enough(19.0, 7200.0, planned_s=3600.0)
    assert battery.at_end(50.0, 1800.0, planned_s=3600.0) == -50.0
