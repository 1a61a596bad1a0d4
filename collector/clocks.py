"""Clocks that are recorded beside the data: the wall clock, and what was measured of the devices' clocks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from collector.xdf import StreamHeader

WALL_NAME = "emolab-wallclock"
WALL_S = 1.0
OFFSETS_NAME = "emolab-clock-offsets"
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


def wall_pair(*, now: Callable[[], float], wall: Callable[[], float] = time.time) -> tuple[float, float]:
    """Read both clocks as nearly at once as can be: LSL seconds and Unix seconds."""
    before = now()
    unix = wall()
    return (before + now()) / 2, unix
