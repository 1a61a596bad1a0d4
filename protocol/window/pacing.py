"""When flips happen: at the display's own pace where it has one, else at one that we keep. Pure but for the clock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

AGREES = 0.05  # a measured period within 5 % of the study's is the display's own
STEADY_S = 0.002  # and so is one whose middle half lies within 2 ms; a free-running display is neither
_FORGETTING = 0.2  # weight of the newest flip in what flips cost
_SPIN_S = 0.001  # a sleep ends up to this late: the rest is waited for in small steps


@dataclass(frozen=True)
class Refresh:
    """What the screen does: the period between flips, and whether the display keeps it by itself."""

    period_s: float
    vsync: bool
    measured_s: float


def judge_refresh(intervals_s: Sequence[float], refresh_hz: float) -> Refresh:
    """Decide from the intervals of flips that were not paced.

    Parameters
    ----------
    intervals_s : sequence of float
        Between successive flips, seconds.
    refresh_hz : float
        What the study says.

    Returns
    -------
    Refresh
        The measured period where the display is steady and agrees with the study; else the study's, kept in software.
    """
    quarters = statistics.quantiles(intervals_s, n=4)
    period_s, wanted_s = quarters[1], 1 / refresh_hz
    vsync = abs(period_s - wanted_s) <= AGREES * wanted_s and quarters[2] - quarters[0] <= STEADY_S
    return Refresh(period_s if vsync else wanted_s, vsync, period_s)


class Pacer:
    """Says when the next flip will be and, where the display does not wait, waits so that it is.

    Parameters
    ----------
    refresh : Refresh
        Of the screen.
    now : callable
        The LSL clock.
    sleep : callable
        Waits for some seconds.

    Attributes
    ----------
    due_s : float
        When the next flip is expected, LSL seconds.
    """

    def __init__(self, refresh: Refresh, *, now: Callable[[], float], sleep: Callable[[float], None] = time.sleep) -> None:
        self.refresh, self._now, self._sleep = refresh, now, sleep
        self._cost_s = 0.0  # from the order to flip to the flip: drawing in software may take longer than a period
        self._ordered_s = now()
        self.due_s = self._ordered_s + refresh.period_s

    def wait(self) -> None:
        """Wait until the flip must be ordered; a display that waits for its own refresh is left to it."""
        if not self.refresh.vsync:
            while (left_s := self.due_s - self._cost_s - self._now()) > 0:
                self._sleep(max(left_s - _SPIN_S, _SPIN_S / 5))
        self._ordered_s = self._now()

    def flipped(self, t_s: float) -> None:
        """Take note of a flip."""
        if self.refresh.vsync:
            self.due_s = t_s + self.refresh.period_s
            return
        self._cost_s += _FORGETTING * (t_s - self._ordered_s - self._cost_s)
        self._step(t_s)

    def passed(self) -> None:
        """Take note that nothing was flipped where a flip was due."""
        self._step(max(self._now(), self.due_s))

    def _step(self, t_s: float) -> None:
        step_s = max(self.refresh.period_s, self._cost_s)
        # on a grid, so that small delays do not add up; a flip missed altogether starts the grid anew
        on_grid = abs(t_s - self.due_s) <= step_s / 2
        self.due_s = (self.due_s if on_grid else t_s) + step_s
