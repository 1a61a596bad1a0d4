"""When something is wrong: the limits of the collector's alarms, as pure functions of what is known and when."""

from __future__ import annotations

from typing import Literal

from collector.xdf import StreamHeader

SILENT_S = 1.5  # a stream with a rate that says nothing for longer is lost: told within 2 s, with the looks in between
STILL_S = 1.0  # a counter, or all sensors, that stand for longer while samples come
CLOCK_S = 1.0  # a wall clock that is set by less is network time's doing
CLOCK_SHOWN_S = 30.0  # for so long an operator is told of a step: it is over in an instant
BESIDE_S = 1.0  # two streams that both send for longer than this are two, not one that came back
DISK_LOW_S = 300.0  # five minutes: time to end a block and to make room
DISK_FLOOR_B = 2 * 2**20  # a second of EEG and video: the end is begun before the first write fails
_SETTLED_S = 10.0  # before that the rate at which the files grow is not known


def is_silent(age_s: float, sfreq: float) -> bool:
    """Tell whether a stream of ``sfreq`` Hz whose newest sample came in ``age_s`` seconds ago has fallen silent.

    Slow streams are given three periods; a stream without a rate is never silent.

    Examples
    --------
    >>> [is_silent(age, 256.0) for age in (1.49, 1.51)], is_silent(2.9, 1.0), is_silent(3.1, 1.0), is_silent(1e9, 0.0)
    ([False, True], False, True, False)
    """
    return sfreq > 0 and age_s > max(SILENT_S, 3 / sfreq)


def is_still(still_s: float) -> bool:
    """Tell whether something that should move with every sample has stood for too long.

    Examples
    --------
    >>> is_still(0.99), is_still(1.01)
    (False, True)
    """
    return still_s > STILL_S


def newest_s(n: int, sfreq: float, *, since: float, now: float) -> float:
    """Return about when the newest of ``n`` samples came in, that were all found at ``now`` and not yet at ``since``.

    A stream that stopped between two looks has brought fewer than it should: by so much earlier was its last one.

    Examples
    --------
    >>> newest_s(64, 256.0, since=9.75, now=10.0), newest_s(32, 256.0, since=9.75, now=10.0)
    (10.0, 9.875)
    """
    return now - max(0.0, now - since - n / sfreq) if sfreq else now


def goes_on(old: StreamHeader, new: StreamHeader, *, beside: bool) -> bool:
    """Tell whether a stream that appeared is the one that was lost, so that it may go on under the same id.

    Only an outlet that says who it is can come back: the same source_id (not empty), host, name, type and shape. One that
    sent ``beside`` the old one is another, whatever it says.
    """
    same = ("name", "type", "source_id", "hostname", "n_channels", "sfreq", "format", "labels")
    return bool(old.source_id) and not beside and all(getattr(old, key) == getattr(new, key) for key in same)


def disk_state(free_B: float, left_s: float | None) -> Literal["ok", "low", "full"]:
    """Judge the room on the disk: bytes that are free, and for how many seconds they last (None: not known).

    Examples
    --------
    >>> disk_state(1e9, 301.0), disk_state(1e9, 299.0), disk_state(1e6, None)
    ('ok', 'low', 'full')
    """
    if free_B < DISK_FLOOR_B:
        return "full"
    return "low" if left_s is not None and left_s < DISK_LOW_S else "ok"


def lasts_s(free_B: float, written_B: float, took_s: float) -> float | None:
    """Return for how many seconds the disk lasts at the rate so far; None before that rate is known."""
    return free_B * took_s / written_B if written_B > 0 and _SETTLED_S < took_s < float("inf") else None
