"""When a recording ends: one pure function of what is known, so that every limit can be tested without waiting for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DRAIN_S = 1.0  # after the last marker: what devices and transport still hold
ALONE_S = 60.0  # a launcher that died and a window that died may both be started again within this


@dataclass(frozen=True)
class End:
    """How a recording ends."""

    end: Literal["complete", "aborted"]
    reason: str = ""


@dataclass(frozen=True)
class Facts:
    """What is known about the end. Times are LSL seconds.

    Parameters
    ----------
    session_end : End or None
        What the window's marker ``session/end`` said.
    t_session_end : float or None
        When that marker came in.
    asked : str
        Why somebody asked for the end: a signal, a command.
    fault : str
        Why nothing more can be written.
    t_alive : float or None
        When window or launcher were last heard of; None where there never was either: then nobody was lost.
    """

    session_end: End | None = None
    t_session_end: float | None = None
    asked: str = ""
    fault: str = ""
    t_alive: float | None = None


def ending(facts: Facts, now: float) -> End | None:
    """Return how the recording ends now, or None while it goes on.

    Examples
    --------
    >>> ending(Facts(t_alive=100.0), 159.9) is None
    True
    >>> ending(Facts(t_alive=100.0), 160.1).reason
    'window and launcher lost for 60 s'
    """
    if facts.fault:
        return facts.session_end or End("aborted", facts.fault)
    if facts.session_end is not None and facts.t_session_end is not None:
        # a command that comes while the rest is drained changes nothing: the session was over
        return facts.session_end if facts.asked or now - facts.t_session_end >= DRAIN_S else None
    if facts.asked:
        return End("aborted", facts.asked)
    if facts.t_alive is not None and now - facts.t_alive > ALONE_S:
        return End("aborted", f"window and launcher lost for {ALONE_S:.0f} s")
    return None
