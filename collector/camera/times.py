"""When a frame was taken, and the stream in which that is kept. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from collector.xdf import StreamHeader

STREAM_NAME = "emolab-frames"
TRUST_S = 1.0  # a driver's time further than this from the LSL clock is on another clock
AHEAD_S = 0.005  # a driver's time cannot be later than the call that waited for the frame, but for the reading of two clocks


@dataclass(frozen=True)
class FrameTime:
    """When a frame was taken.

    Parameters
    ----------
    t : float
        Best known time on the LSL clock: the driver's where it is on that clock, else ``grab_s``.
    driver_s : float
        As the driver says, seconds, whatever its clock; 0 where it says nothing.
    grab_s : float
        LSL seconds right after ``grab()`` returned.
    """

    t: float
    driver_s: float
    grab_s: float


class FrameClock:
    """Chooses between the driver's time and ours, one decision for as long as a camera stays open.

    Video4Linux gives the buffer's time on the monotonic clock, which is LSL's. Other drivers give nothing, a time since they
    were opened, or the same time again and again. Who lied once is not believed again: two clocks in turns would make the
    intervals between frames wrong by the time that a frame takes to arrive.
    """

    def __init__(self) -> None:
        self.believed = True
        self._last_s = float("-inf")

    def stamp(self, driver_ms: float, grab_s: float) -> FrameTime:
        """Return the time of the next frame.

        Parameters
        ----------
        driver_ms : float
            ``CAP_PROP_POS_MSEC``; may be 0, not a number, or on any clock.
        grab_s : float
            LSL seconds right after ``grab()`` returned.

        Examples
        --------
        >>> clock = FrameClock()
        >>> clock.stamp(999_980.0, 1000.0).t, clock.stamp(999_980.0, 1000.033).t, clock.stamp(1_000_046.0, 1000.066).t
        (999.98, 1000.033, 1000.066)
        """
        driver_s = driver_ms / 1000
        on_this_clock = -AHEAD_S <= grab_s - driver_s < TRUST_S  # false for what is not a number
        self.believed = self.believed and on_this_clock and driver_s > self._last_s
        self._last_s = driver_s
        return FrameTime(driver_s if self.believed else grab_s, driver_s, grab_s)


def frames_header(file: str, *, uid: str = "") -> StreamHeader:
    """Return the header of the frame stream of one video; ``file`` is its name beside the XDF.

    Rows are ``[index, pts_s, driver_s, grab_s]``; the sample's stamp is the frame's best time. Without a nominal rate,
    because pyxdf would smooth the times of a stream that has one.
    """
    return StreamHeader(
        STREAM_NAME, "VideoFrames", 4, 0.0, "double64", labels=("index", "pts_s", "driver_s", "grab_s"),
        units=("count", "seconds", "seconds", "seconds"), source_id=f"{STREAM_NAME}-{uid}", uid=uid, desc=(("file", file),),
    )  # fmt: skip
