"""The streams that the collector itself writes: frame times, the wall clock, measured clock offsets, and notes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from collector import clocks
from collector.camera.times import STREAM_NAME as FRAMES_NAME
from collector.camera.times import frames_header
from collector.clocks import Notice, Offset
from collector.xdf import StreamHeader, Writer, header_xml
from protocol import markers

NOTES_NAME = "emolab-notes"
FIRST_ID = 101  # the devices' streams count from 1


def notes_header(*, uid: str = "") -> StreamHeader:
    """Return the header of the notes: what happened to the recording, in the form of markers."""
    return StreamHeader(NOTES_NAME, "Markers", 1, 0.0, "string", labels=("note",), source_id=f"{NOTES_NAME}-{uid}", uid=uid)


class OwnStreams:
    """Writes them; any thread may call any method.

    Parameters
    ----------
    writer : Writer
        Of the recording.
    uid : str
        Of the session.
    video : str or None
        Name of the video file; None without a camera, or where :meth:`video` tells later.
    now : callable
        The LSL clock: these streams' own clock, so their offsets are zero.
    wall : callable
        Unix seconds; virtual in a simulation.
    boot : callable or None
        The clock that goes on in sleep; virtual in a simulation.
    """

    def __init__(
        self, writer: Writer, *, uid: str, video: str | None, now: Callable[[], float], wall: Callable[[], float] = time.time,
        boot: Callable[[], float] | None = None,
    ) -> None:  # fmt: skip
        self._writer, self._now, self._wall = writer, now, wall
        self._boot = clocks.boot_clock() if boot is None and wall is time.time else boot
        self._seen: clocks.Watched | None = None
        headers = [notes_header(uid=uid), clocks.wall_header(uid=uid), clocks.offsets_header(uid=uid)]
        self._uid, self._n_videos = uid, 0
        self._ids: dict[str, int] = {}
        self._all: tuple[int, ...] = ()  # replaced as a whole: videos are added while other threads look
        for header in headers:
            self._ids[header.name] = self._add(header)
        if video is not None:
            self.video(video)
        else:
            self.zero()

    def _add(self, header: StreamHeader, *, part: str = "") -> int:
        """Write a header under the next id; uids tell streams apart, so each has its own."""
        stream_id = FIRST_ID + len(self._all)
        own = replace(
            header, uid=f"{self._uid}-{header.name}{part}", hostname=socket.gethostname(), created_at=self._now()
        )  # fmt: skip
        self._writer.add_stream(stream_id, header_xml(own))
        self._all = (*self._all, stream_id)
        return stream_id

    def video(self, file: str) -> None:
        """Begin the stream of a video's frame times: each file has its own, which names it. Frames now go there."""
        self._n_videos += 1
        part = f"-{self._n_videos}" if self._n_videos > 1 else ""
        self._ids[FRAMES_NAME] = self._add(frames_header(file, uid=f"{self._uid}{part}"), part=part)
        self.zero()

    def zero(self) -> None:
        """Write the zero offsets without which readers warn of clocks that nobody measured."""
        t = self._now()
        for stream_id in self._all:
            self._writer.offset(stream_id, t, 0.0)

    def note(self, name: str, keys: dict[str, str] | None = None, *, t: float | None = None) -> None:
        """Write what happened."""
        self._push(NOTES_NAME, self._now() if t is None else t, [[markers.encode(name, keys or {})]])

    def wall(self) -> tuple[Notice, ...]:
        """Write a pair of LSL clock and wall clock, and what the clocks did since the last one; returns the latter."""
        now = clocks.read(now=self._now, wall=self._wall, boot=self._boot)
        self._push(clocks.WALL_NAME, now.lsl, np.array([[now.wall]]))
        seen, found = clocks.notice(self._seen, now)
        for one in found:
            self.note(one.name, one.keys, t=one.t)
        self._seen = seen
        return found

    def offset(self, stream_id: int, offset: Offset) -> None:
        """Write a measured offset twice: as XDF wants it, and with its round-trip time."""
        self._writer.offset(stream_id, offset.t_remote, offset.value)
        row = np.array([[float(stream_id), offset.value, offset.rtt]])
        self._push(clocks.OFFSETS_NAME, offset.t_remote + offset.value, row)

    def frame(self, t: float, row: Sequence[float]) -> None:
        """Write the times of a frame of the video that was begun last."""
        self._push(FRAMES_NAME, t, np.array([row], np.float64))

    def _push(self, name: str, t: float, values: np.ndarray | list[list[str]]) -> None:
        self._writer.samples(self._ids[name], [t], values)
