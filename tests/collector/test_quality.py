"""The rule that decides who stays in."""

import numpy as np
import pytest

from collector import quality as rule
from collector.quality import judge
from protocol.folder import Quality

SPAN = [(0.0, 100.0)]


def readings(overall: float, *, stop: float = 100.0) -> tuple[np.ndarray, np.ndarray]:
    times = np.arange(0.0, stop, 0.5)
    return times, np.full(len(times), overall)


@pytest.mark.parametrize(
    ("overall", "verdict"), [(79.99, "exclude"), (80.0, "keep"), (80.01, "keep"), (100.0, "keep"), (0.0, "exclude")]
)
def test_eighty_percent_stays_and_below_goes(overall: float, verdict: str) -> None:
    quality = judge(*readings(overall), spans=SPAN, threshold=0.80)
    assert quality.verdict == verdict
    assert quality.value == pytest.approx(overall / 100)
    assert quality.coverage == 1.0
    assert bool(quality.reason) == (verdict == "exclude")


def test_quality_that_ends_midway_is_not_judged_however_good() -> None:
    quality = judge(*readings(100.0, stop=50.0), spans=SPAN, threshold=0.80)
    assert quality.verdict == "not_judged"
    assert quality.coverage == pytest.approx(0.515)  # the last reading, at 49.5 s, holds for 2 s
    assert "51.5%" in quality.reason


def test_without_a_quality_stream_nobody_is_kept() -> None:
    quality = judge(np.zeros(0), np.zeros(0), spans=SPAN, threshold=0.0)
    assert (quality.verdict, quality.value, quality.coverage, quality.n) == ("not_judged", None, 0.0, 0)


def test_without_judged_time_nobody_is_kept() -> None:
    assert judge(*readings(100.0), spans=[], threshold=0.8).verdict == "not_judged"


def test_readings_weigh_by_the_time_for_which_they_hold() -> None:
    times = np.array([0.0, 1.5, 2.0])
    quality = judge(times, np.array([100.0, 0.0, 40.0]), spans=[(0.0, 4.0)], threshold=0.5)
    assert quality.value == pytest.approx((1.5 * 100 + 0.5 * 0 + 2.0 * 40) / 4 / 100)


def test_pauses_and_the_time_outside_do_not_count() -> None:
    times = np.arange(0.0, 100.0, 0.5)
    overall = np.where((times >= 40) & (times < 60), 0.0, 100.0)
    quality = judge(times, overall, spans=[(0.0, 40.0), (60.0, 90.0)], threshold=0.8)
    assert (quality.verdict, quality.value) == ("keep", pytest.approx(1.0))


@pytest.mark.parametrize(("gap", "verdict"), [(6.9, "keep"), (7.1, "not_judged")])
def test_less_than_95_percent_coverage_is_not_judged(gap: float, verdict: str) -> None:
    times, overall = readings(100.0)
    kept = (times < 40) | (times >= 39.5 + gap)
    quality = judge(times[kept], overall[kept], spans=SPAN, threshold=0.8)
    assert quality.coverage == pytest.approx(1 - (np.ceil((39.5 + gap) * 2) / 2 - 39.5 - 2) / 100)
    assert quality.verdict == verdict


def test_the_sensors_mean_stands_beside_the_verdict() -> None:
    times, overall = readings(90.0)
    share = {"Cz": np.full(len(times), 1.0), "Fp1": np.where(times < 50, 0.0, 0.5)}
    assert judge(times, overall, spans=SPAN, threshold=0.8, per_sensor=share).per_sensor == {
        "Cz": 1.0,
        "Fp1": pytest.approx(0.25),
    }


def _run(value, coverage, verdict="keep", n=10):
    return Quality(
        metric="CQ",
        over="recording",
        threshold=0.8,
        value=value,
        coverage=coverage,
        n=n,
        per_sensor={},
        verdict=verdict,
        reason="",
    )


def test_runs_of_a_session_count_by_their_judged_time():
    pooled = rule.pool([(_run(0.9, 1.0), 300.0), (_run(0.6, 1.0), 100.0)])
    assert pooled.value == pytest.approx(0.825)
    assert pooled.verdict == "keep"


def test_a_run_without_clips_changes_nothing_in_its_session():
    pooled = rule.pool([(_run(None, 0.0, "not_judged", 0), 0.0), (_run(0.79, 1.0, "exclude"), 100.0)])
    assert (pooled.value, pooled.verdict) == (pytest.approx(0.79), "exclude")


def test_a_session_whose_longer_run_lacks_readings_is_not_judged():
    pooled = rule.pool([(_run(0.95, 1.0), 50.0), (_run(None, 0.0, "not_judged", 0), 100.0)])
    assert (pooled.coverage, pooled.verdict) == (pytest.approx(1 / 3), "not_judged")
