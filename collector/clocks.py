"""Clocks that are recorded beside the data, and what they do: offsets of devices, the wall clock, sleep, steps, drift.

Everything in a recording is stamped with LSL's monotonic clock, so a wall clock that is set does no harm; but who compares two
recordings, or a device that sends wall times, must know of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from collector.xdf import StreamHeader

WALL_NAME = "emolab-wallclock"
WALL_S = 1.0
OFFSETS_NAME = "emolab-clock-offsets"
STEP_S = 0.1  # between two readings: network time sets a clock by more, and slews it by half a millisecond a second at most
DRIFT_PPM, DRIFT_OVER_S = 100.0, 60.0  # two good quartzes differ by less; over a shorter time reading them is no more exact
_ATTEMPTS, _QUICK_S = 5, 1e-4
OFFSETS_S = 5.0  # as LabRecorder does; LSL itself measures about every 2 s


@dataclass(frozen=True)
class Offset:
    """One measurement of a stream's clock.

    Parameters
    ----------
    t_remote : float
        When, on the stream's clock.
    value : float
        What to add to its stamps to get ours, seconds.
    rtt : float
        Round-trip time of the measurement, seconds: the error is at most half of it.
    """

    t_remote: float
    value: float
    rtt: float


def wall_header(*, uid: str = "") -> StreamHeader:
    """Return the header of the wall-clock stream: ``time.time()`` once a second, stamped with the LSL clock.

    It has no nominal rate: whoever reads it wants each pair as it was taken, not smoothed.
    """
    return StreamHeader(
        WALL_NAME,
        "Clock",
        1,
        0.0,
        "double64",
        labels=("unix_time",),
        units=("seconds",),
        source_id=f"{WALL_NAME}-{uid}",
        uid=uid,
    )


def offsets_header(*, uid: str = "") -> StreamHeader:
    """Return the header of the stream that holds every measured offset with its round-trip time.

    XDF's own chunks have no room for it, and a footer is lost in a crash. Stamps are the recorder's clock.
    """
    return StreamHeader(
        OFFSETS_NAME, "Clock", 3, 0.0, "double64", labels=("stream_id", "offset", "round_trip"),
        units=("id", "seconds", "seconds"), source_id=f"{OFFSETS_NAME}-{uid}", uid=uid,
    )  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """All clocks of this computer, read as nearly at once as can be.

    Parameters
    ----------
    lsl : float
        LSL seconds: monotonic. On Linux this clock stands still while the computer sleeps; elsewhere it goes on.
    wall : float
        Unix seconds.
    boot : float or None
        A monotonic clock that goes on in sleep, seconds; None where there is none.
    """

    lsl: float
    wall: float
    boot: float | None = None


Name = Literal["clock/sleep", "clock/step", "clock/jump", "clock/drift"]


@dataclass(frozen=True)
class Notice:
    """What a clock did.

    Parameters
    ----------
    name : str
        ``clock/sleep``: the computer slept for ``amount`` seconds; ``clock/step``: somebody set the wall clock, by so many
        seconds; ``clock/jump``: one of these two, where no third clock tells which; ``clock/drift``: the wall clock runs
        ``amount`` millionths faster than LSL's.
    amount : float
        Positive where the wall clock is ahead.
    t : float
        LSL seconds of the reading that showed it.
    """

    name: Name
    amount: float
    t: float

    @property
    def keys(self) -> dict[str, str]:
        """What stands in the note."""
        unit = "ppm" if self.name == "clock/drift" else "seconds"
        return {unit: f"{self.amount:.{1 if unit == 'ppm' else 3}f}"}


@dataclass(frozen=True)
class Watched:
    """What is remembered between readings: the last one, and the one from which drift is measured."""

    last: Reading
    anchor: Reading


def notice(seen: Watched | None, now: Reading) -> tuple[Watched, tuple[Notice, ...]]:
    """Compare a reading with those before it.

    Parameters
    ----------
    seen : Watched or None
        None at the first.
    now : Reading
        The next one, about a second later.

    Returns
    -------
    Watched
        For the next call.
    tuple of Notice
        What happened in between.

    Examples
    --------
    >>> seen, _ = notice(None, Reading(100.0, 5000.0, 100.0))
    >>> notice(seen, Reading(101.0, 5011.0, 101.0))[1]
    (Notice(name='clock/step', amount=10.0, t=101.0),)
    >>> notice(seen, Reading(101.0, 5601.0, 701.0))[1]
    (Notice(name='clock/sleep', amount=600.0, t=101.0),)
    """
    if seen is None:
        return Watched(now, now), ()
    last = seen.last
    ahead_s = (now.wall - last.wall) - (now.lsl - last.lsl)
    slept_s = None if now.boot is None or last.boot is None else (now.boot - last.boot) - (now.lsl - last.lsl)
    found: list[Notice] = []
    if slept_s is not None and slept_s > STEP_S:
        found.append(Notice("clock/sleep", slept_s, now.lsl))
        ahead_s -= slept_s
    if abs(ahead_s) > STEP_S:
        # where nothing tells sleep from a step: who sleeps can only come out ahead
        found.append(Notice("clock/jump" if slept_s is None and ahead_s > 0 else "clock/step", ahead_s, now.lsl))
    if found:
        return Watched(now, now), tuple(found)
    took_s = now.lsl - seen.anchor.lsl
    if took_s < DRIFT_OVER_S:
        return Watched(now, seen.anchor), ()
    ppm = 1e6 * ((now.wall - seen.anchor.wall) / took_s - 1)
    return Watched(now, now), (Notice("clock/drift", ppm, now.lsl),) if abs(ppm) > DRIFT_PPM else ()


def lsl_clock(platform: str = sys.platform) -> Callable[[], float]:
    """Return the clock that LSL stamps with, for a process that speaks no LSL.

    That is ``std::chrono::steady_clock``: ``CLOCK_MONOTONIC`` on Linux; what ``time.monotonic`` asks stands still in sleep on
    macOS, where LSL's goes on, and is coarse on Windows.
    """
    if platform == "darwin":
        return lambda: time.clock_gettime(time.CLOCK_MONOTONIC_RAW)
    return time.perf_counter if platform == "win32" else time.monotonic


def boot_clock() -> Callable[[], float] | None:
    """Return the clock that goes on in sleep, if this system has one: Linux does."""
    which = getattr(time, "CLOCK_BOOTTIME", None)
    return None if which is None else lambda: time.clock_gettime(which)


def read(
    *, now: Callable[[], float], wall: Callable[[], float] = time.time, boot: Callable[[], float] | None = None
) -> Reading:
    """Read all clocks; of a few attempts the quickest counts, because a busy computer may be interrupted in between."""
    found: list[tuple[float, Reading]] = []
    for _ in range(_ATTEMPTS):
        before, booted, unix, after = now(), None if boot is None else boot(), wall(), now()
        found.append((after - before, Reading((before + after) / 2, unix, booted)))
        if after - before < _QUICK_S:
            break
    return min(found, key=lambda pair: pair[0])[1]
