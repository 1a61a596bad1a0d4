"""When a camera is lost, and when it is opened again: pure functions of what was seen and when.

OpenCV's ``read()`` may go on to report success after a camera was unplugged, fail at once and for ever, or hang inside the
driver; so nothing is believed but frames.
"""

from __future__ import annotations

from dataclasses import dataclass

LOST_S = 1.5  # without a frame for this long the camera is lost: told within 2 s
FAILS_S = 0.5  # a camera whose every call fails is opened again after this
HANGS_S = 6.0  # one that says nothing at all, after this: some need seconds for their first frame
RETRY_S = 1.0  # from one attempt to open it to the next


@dataclass(frozen=True)
class Facts:
    """What is known of a camera. Times are LSL seconds.

    Parameters
    ----------
    t_tried : float
        When it was opened, or should have been.
    t_frame : float or None
        The newest frame since it was opened.
    t_failing : float or None
        Since when every call has failed; None while one is under way or the last was good.
    """

    t_tried: float
    t_frame: float | None = None
    t_failing: float | None = None


def is_lost(t_frame: float, now: float) -> bool:
    """Tell whether a camera whose newest frame came at ``t_frame`` is lost.

    Examples
    --------
    >>> is_lost(100.0, 101.49), is_lost(100.0, 101.51)
    (False, True)
    """
    return now - t_frame > LOST_S


def is_due(facts: Facts, now: float) -> bool:
    """Tell whether the camera should be closed and opened again.

    Examples
    --------
    >>> is_due(Facts(t_tried=100.0, t_frame=105.0, t_failing=105.1), 105.59)
    False
    >>> is_due(Facts(t_tried=100.0, t_frame=105.0, t_failing=105.1), 105.61)
    True
    """
    if now - facts.t_tried < RETRY_S:
        return False
    fails = facts.t_failing is not None and now - facts.t_failing > FAILS_S
    return fails or now - max(facts.t_tried, facts.t_frame or facts.t_tried) > HANGS_S
