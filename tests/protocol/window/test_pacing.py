"""The screen's pace, on a clock that does not run by itself."""

from itertools import pairwise

import pytest

from protocol.window.pacing import Pacer, Refresh, judge_refresh

HZ = 60.0


class FakeClock:
    def __init__(self) -> None:
        self.t = 100.0

    def now(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.t += seconds + 0.0003  # a sleep never ends early


def stamps(pacer: Pacer, clock: FakeClock, costs_s: list[float]) -> list[float]:
    found = []
    for cost_s in costs_s:
        pacer.wait()
        clock.t += cost_s
        pacer.flipped(clock.t)
        found.append(clock.t)
    return found


class TestARefresh:
    def test_that_is_steady_and_agrees_with_the_study_is_the_display_s_own(self) -> None:
        refresh = judge_refresh([1 / 59.94] * 20, HZ)
        assert refresh.vsync
        assert refresh.period_s == pytest.approx(1 / 59.94)

    @pytest.mark.parametrize("intervals_s", [[0.0004] * 20, [1 / 144] * 20, [0.010, 0.0167, 0.0230] * 8])
    def test_that_runs_free_or_disagrees_is_kept_in_software(self, intervals_s: list[float]) -> None:
        refresh = judge_refresh(intervals_s, HZ)
        assert not refresh.vsync
        assert refresh.period_s == 1 / HZ


class TestAPacer:
    def test_keeps_the_study_s_rate_on_a_display_that_does_not_wait(self) -> None:
        clock = FakeClock()
        pacer = Pacer(Refresh(1 / HZ, vsync=False, measured_s=0.001), now=clock.now, sleep=clock.sleep)
        found = stamps(pacer, clock, [0.001] * 600)
        assert (found[-1] - found[99]) / 500 == pytest.approx(1 / HZ, rel=1e-3)
        assert all(b - a == pytest.approx(1 / HZ, abs=0.0015) for a, b in pairwise(found[20:]))

    def test_expects_the_flip_when_it_comes_though_drawing_takes_longer_than_a_period(self) -> None:
        clock = FakeClock()
        pacer = Pacer(Refresh(1 / HZ, vsync=False, measured_s=0.03), now=clock.now, sleep=clock.sleep)
        stamps(pacer, clock, [0.030] * 50)
        due_s = pacer.due_s
        assert stamps(pacer, clock, [0.030])[0] == pytest.approx(due_s, abs=0.002)

    def test_starts_its_grid_anew_after_a_stall(self) -> None:
        clock = FakeClock()
        pacer = Pacer(Refresh(1 / HZ, vsync=False, measured_s=0.001), now=clock.now, sleep=clock.sleep)
        stamps(pacer, clock, [0.001] * 20)
        clock.t += 0.5
        stalled, *after = stamps(pacer, clock, [0.001] * 10)
        assert all(b - a == pytest.approx(1 / HZ, abs=0.002) for a, b in pairwise([stalled, *after]))

    def test_keeps_its_grid_over_periods_without_a_flip(self) -> None:
        clock = FakeClock()
        pacer = Pacer(Refresh(1 / HZ, vsync=False, measured_s=0.001), now=clock.now, sleep=clock.sleep)
        last = stamps(pacer, clock, [0.001] * 20)[-1]
        for _ in range(5):
            pacer.wait()
            pacer.passed()
        assert stamps(pacer, clock, [0.001])[0] == pytest.approx(last + 6 / HZ, abs=0.002)

    def test_leaves_a_display_that_waits_to_itself(self) -> None:
        clock = FakeClock()
        pacer = Pacer(Refresh(1 / HZ, vsync=True, measured_s=1 / HZ), now=clock.now, sleep=clock.sleep)
        found = stamps(pacer, clock, [1 / HZ] * 5)
        assert found == pytest.approx([100 + k / HZ for k in range(1, 6)])
        assert pacer.due_s == pytest.approx(found[-1] + 1 / HZ)
