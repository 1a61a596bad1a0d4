"""When flips happen: at the display's own pace where it has one, else at one that we keep. Pure but for the clock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

AGREES = 0.05  # a measured period within 5 % of the study's is the display's own
STEADY_S = 0.002  # and so is one whose middle half lies within 2 ms; a free-running display is neither
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
    """Says when the next flip is due and, where the display does not wait, waits for it.

    Parameters
    ----------
    refresh : Refresh
        Of the screen.
    now : callable
        The LSL clock.
    sleep : callable
        Waits for some seconds.
    """

    def __init__(self, refresh: Refresh, *, now: Callable[[], float], sleep: Callable[[float], None] = time.sleep) -> None:
        self.refresh, self._now, self._sleep = refresh, now, sleep
        self.due_s = now() + refresh.period_s

    def wait(self) -> None:
        """Wait until the flip is due; a display that waits for its own refresh is left to it."""
        if self.refresh.vsync:
            return
        while (left_s := self.due_s - self._now()) > 0:
            self._sleep(max(left_s - _SPIN_S, _SPIN_S / 5))

    def flipped(self, t_s: float) -> None:
        """Take note of a flip: the next is due one period later, on the grid where flips keep it."""
        period_s = self.refresh.period_s
        late_s = t_s - self.due_s
        # on the grid, so that small delays do not add up; a flip missed altogether starts the grid anew
        self.due_s = t_s + period_s if self.refresh.vsync or abs(late_s) > period_s / 2 else self.due_s + period_s
