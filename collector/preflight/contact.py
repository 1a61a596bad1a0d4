"""Judges the streams in which the device judges itself: contact quality, EEG quality, battery. Pure.

Whether contacts are good is no matter of the preflight: the cap may not be on yet. Whether the device speaks of them is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collector import battery
from collector.preflight.channels import some
from collector.preflight.found import Found
from collector.preflight.tap import Heard

_OVERALL, _SIGNAL, _BATTERY = "Overall", "Signal", "BatteryPercent"
SCARCE = 20.0  # percent at the session's end: nothing is left for a repeated clip


def judge(heard: Sequence[Heard], *, planned_s: float) -> list[Found]:
    """Judge all quality streams together; the battery, which each of them tells, is one line.

    Parameters
    ----------
    heard : sequence of Heard
        Contact quality and EEG quality, as far as they speak.
    planned_s : float
        Length of a session, seconds.
    """
    found = [line for one in heard for line in _overall(one)]
    return [*found, *_charge(heard, planned_s=planned_s)]


def _newest(one: Heard, label: str) -> float | None:
    """Return the newest reading of a channel, None where the stream has no such channel."""
    if label not in one.header.labels or not one.n:
        return None
    return float(one.values[-1, one.header.labels.index(label)])


def _overall(one: Heard) -> list[Found]:
    name, value, signal = one.header.name, _newest(one, _OVERALL), _newest(one, _SIGNAL)
    if value is None:
        return [Found("quality/labels", {"name": name, "labels": some(one.header.labels)})]
    if not 0 <= value <= 100:  # true for NaN too
        return [Found("quality/values", {"name": name, "value": f"{value:g}"})]
    return [Found("quality/signal", {"name": name, "value": f"{signal:g}"})] if signal == 0 else []


def _charge(heard: Sequence[Heard], *, planned_s: float) -> list[Found]:
    told = [percent for one in heard if (percent := _newest(one, _BATTERY)) is not None and 0 <= percent <= 100]
    if not told:
        return [Found("battery/unknown", {"name": heard[0].header.name})] if heard else []
    percent = min(told)
    left = battery.at_end(percent, None, planned_s=planned_s)
    values = {"percent": f"{percent:.0f}", "at_end": f"{max(0.0, left):.0f}", "minutes": f"{planned_s / 60:.0f}"}
    if not battery.is_enough(percent, None, planned_s=planned_s):
        return [Found("battery/short", values)]
    return [Found("battery/scarce" if left < SCARCE else "battery/ok", values)]


def is_heard(one: Heard | None) -> bool:
    """Tell whether a stream has said anything at all."""
    return one is not None and one.n > 0 and bool(np.isfinite(one.values).any())
