"""The marker stream."""

from __future__ import annotations

import pylsl

from protocol.markers import STREAM_NAME, STREAM_TYPE, Marker
from protocol.ports import Stamp


class MarkerOutlet:
    """An LSL outlet of one string channel.

    Parameters
    ----------
    uid : str
        Of the session; the stream's source id carries it, so that a window that comes back takes the stream up again.
    """

    def __init__(self, uid: str) -> None:
        info = pylsl.StreamInfo(STREAM_NAME, STREAM_TYPE, 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, f"emolab-{uid}")
        channel = info.desc().append_child("channels").append_child("channel")
        channel.append_child_value("label", "marker")
        info.desc().append_child_value("manufacturer", "emolab")
        self._outlet = pylsl.StreamOutlet(info)
        self.uid = str(self._outlet.get_info().uid())
        """LSL's name for this very outlet: that of a window that comes back is another."""

    def push(self, marker: Marker, t_lsl: Stamp) -> None:
        """Send a marker with its stamp."""
        self._outlet.push_sample([str(marker)], t_lsl)

    @property
    def has_consumers(self) -> bool:
        """Whether somebody receives the markers."""
        return bool(self._outlet.have_consumers())
