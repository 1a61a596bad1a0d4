"""How long a headset's battery lasts: charge over time in, seconds left out. Pure.

Headsets tell their charge in whole percents, which fall one by one every few minutes; some tell nonsense now and then.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Literal

import numpy as np

LOW, CRITICAL = 20.0, 5.0  # percent: below the second, headsets of this kind begin to drop samples
LOW_S, CRITICAL_S = 900.0, 120.0  # seconds left: time to end a block, and to end a clip
FULL_S = 4 * 3600.0  # assumed of a full charge until its fall was seen: makers promise twice that, and batteries age
RESERVE = 10.0  # percent that nobody plans with
_RECENT = 3  # readings whose median is the charge: one false reading is none
_MINUTE_S = 60.0  # one point of the curve
_CURVE = 120  # points: two hours
_SETTLED_S, _FALLEN = 600.0, 3.0  # before ten minutes and three percents the steps of one percent hide the slope

State = Literal["ok", "low", "critical"]


class Battery:
    """Takes readings in, in the order of their time."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._minute: list[float] = []
        self._began = -math.inf
        self._curve: deque[tuple[float, float]] = deque(maxlen=_CURVE)

    def take(self, percent: float, t: float) -> None:
        """Take a reading, percent, at ``t`` seconds; what is no charge is passed over."""
        if not 0 <= percent <= 100:  # false for NaN too
            return
        self._recent.append(percent)
        if t - self._began >= _MINUTE_S:
            if self._minute:
                self._curve.append((self._began, float(np.median(self._minute))))
            self._minute, self._began = [], t
        self._minute.append(percent)

    @property
    def percent(self) -> float | None:
        """The charge; None before the first reading."""
        return float(np.median(self._recent)) if self._recent else None

    @property
    def left_s(self) -> float | None:
        """Seconds until it is empty; None as long as it has not been seen to fall, or where it is being charged."""
        fall = self._fall_per_s()
        return self.percent / fall if self.percent is not None and fall is not None else None

    def _fall_per_s(self) -> float | None:
        """Return the slope by Theil and Sen, the median over all pairs: neither steps nor a few false readings move it."""
        if len(self._curve) < 2:
            return None
        t, charge = np.array(self._curve).T
        if t[-1] - t[0] < _SETTLED_S or charge[0] - charge[-1] < _FALLEN:
            return None
        i, j = np.triu_indices(len(t), 1)
        fall = -float(np.median((charge[j] - charge[i]) / (t[j] - t[i])))
        return fall if fall > 0 else None


def judge(percent: float | None, left_s: float | None) -> State:
    """Judge a charge, in percent, and how long it lasts, in seconds; what is not known is no alarm.

    Examples
    --------
    >>> judge(80.0, None), judge(19.0, None), judge(80.0, 600.0), judge(4.0, None), judge(None, None)
    ('ok', 'low', 'low', 'critical', 'ok')
    """
    charge, seconds = math.inf if percent is None else percent, math.inf if left_s is None else left_s
    if charge < CRITICAL or seconds < CRITICAL_S:
        return "critical"
    return "low" if charge < LOW or seconds < LOW_S else "ok"


def at_end(percent: float, left_s: float | None, *, planned_s: float) -> float:
    """Forecast the charge at the end of a session that takes ``planned_s`` more seconds, percent; below zero it dies earlier.

    Examples
    --------
    >>> at_end(50.0, None, planned_s=3600.0), at_end(50.0, 7200.0, planned_s=3600.0)
    (25.0, 25.0)
    """
    fall = 100 / FULL_S if left_s is None or left_s <= 0 else percent / left_s
    return percent - fall * planned_s


def is_enough(percent: float, left_s: float | None, *, planned_s: float) -> bool:
    """Tell whether a charge lasts for a session, with :data:`RESERVE` to spare."""
    return at_end(percent, left_s, planned_s=planned_s) >= RESERVE
