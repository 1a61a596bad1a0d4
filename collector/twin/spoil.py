"""What mishaps do to the headset's samples and readings. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collector.twin.contact import LEVELS
from collector.twin.knobs import random
from collector.twin.mishaps import Calendar
from collector.twin.sensors import EEG_LABELS, SENSORS, SFREQ

_FLAT_UV = 4200.0  # the floor of Emotiv's amplifiers
_FIRST = EEG_LABELS.index(SENSORS[0])
_OPEN_UV = 6.0  # noise of an electrode on nothing
_COUNTER = EEG_LABELS.index("Counter")

Floats = NDArray[np.float64]


def eeg(rows: Floats, numbers: NDArray[np.int64], times: Floats, calendar: Calendar, *, seed: int) -> None:
    """Spoil EEG rows in place.

    Parameters
    ----------
    rows : ndarray, shape (n, n_channels)
        As the device makes them.
    numbers, times : ndarray, shape (n,)
        Numbers of the samples, and LSL seconds of their birth.
    calendar : Calendar
        What happens when.
    seed : int
        The participant's.
    """
    sensors = slice(_FIRST, _FIRST + len(SENSORS))
    for _, mask in calendar.during(times, "cap_off"):
        if mask.any():
            rows[mask, sensors] = _nobody(numbers[mask], seed)
    for one, mask in calendar.during(times, "flat"):
        for label in one.sensors or SENSORS:
            rows[mask, _FIRST + SENSORS.index(label)] = _FLAT_UV
    for start, one in calendar.starts("freeze_counter"):
        mask = (times >= start) & (times < start + one.for_s)
        if mask.any():
            # the last count before it began, however the samples are asked for
            since = round((times[mask][0] - start) * SFREQ)
            rows[mask, _COUNTER] = (numbers[mask][0] - since - 1) % int(SFREQ)


def lost(times: Floats, calendar: Calendar) -> NDArray[np.bool_]:
    """Return which samples never arrive, shape (n,)."""
    gone = np.zeros(len(times), bool)
    for _, mask in calendar.during(times, "gap", "drop", "returns_with_other_id"):
        gone |= mask
    return gone


def wall(times: Floats, calendar: Calendar) -> Floats:
    """Return by how much the wall clock has been stepped, seconds, shape (n,)."""
    total = np.zeros(len(times))
    for one, mask in calendar.during(times, "clock_step"):
        total += one.amount * mask
    return total


def reading(overall: float, levels: Floats, battery: float, calendar: Calendar, t_lsl: float) -> tuple[float, Floats, float]:
    """Return Overall, the sensors' levels, shape (n_sensors,), and the battery's charge as they then are."""
    if (low := calendar.at(t_lsl, "battery")) is not None:
        battery = low.amount
    if (bad := calendar.at(t_lsl, "contact_bad")) is not None:
        worse = levels.copy()
        chosen = [SENSORS.index(label) for label in bad.sensors or SENSORS]
        worse[chosen] = max(level for level in LEVELS if level <= bad.amount * max(LEVELS))
        # an Overall of its own, as Emotiv's: what the sensors lost on average
        overall, levels = overall * float(worse.sum()) / max(float(levels.sum()), 1.0), worse
    return overall, levels, battery


def _nobody(numbers: NDArray[np.int64], seed: int) -> Floats:
    """Return what electrodes on a table give, shape (n, n_sensors), microvolts; the same in blocks of any size."""
    n = int(SFREQ)
    seconds = range(int(numbers[0]) // n, int(numbers[-1]) // n + 1)
    drawn = np.concatenate([random(seed, "cap off", s).normal(_FLAT_UV, _OPEN_UV, (n, len(SENSORS))) for s in seconds])
    return np.asarray(drawn[numbers - seconds[0] * n])
