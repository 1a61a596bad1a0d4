"""What is in a clip's file: every frame and every sample is decoded, because a file may be cut short inside."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np

from stimuli.manifest import Entry
from stimuli.measures import Flashes, Loudness

_SLACK_S = 0.05  # sound may end this much beside the picture: codecs work in blocks of 20 to 40 ms
_TICK_S = 0.0011  # Matroska and WebM keep times in milliseconds
_REGULAR, _FEWEST_STEPS = 0.9, 10  # a film of which so many frames last equally long was meant to have a constant rate
_SAME_S = 0.0015  # times that are one and the same, rounded by a container


@dataclass(frozen=True)
class Facts:
    """What was decoded.

    Parameters
    ----------
    width, height : int
        Pixels of the first frame, as stored.
    fps : float
        Mean frames per second.
    n_frames : int
        Frames that were decoded.
    picture_s, sound_s : float
        Seconds of picture and of sound; ``sound_s`` is None for a silent clip.
    codecs : tuple of str
        Of picture and, if there is one, of sound.
    faults : tuple of str
        What is wrong with the file, one line each.
    container : str
        FFmpeg's name of the format, such as ``matroska,webm``.
    constant_rate : bool
        Whether all frames last equally long.
    gaps : tuple of (float, float)
        Where and for how long, in seconds, a frame stays although nearly all others last equally long: some are missing.
    first_s : float
        When the first frame comes, seconds within the file.
    pixel_aspect : float
        Width of a stored pixel / its height: 1 for square ones.
    rotation : int
        Degrees counter-clockwise by which the picture has to be turned to be upright: 0, 90, 180 or 270.
    n_played : int
        Frames from the in point to the out point.
    lufs : float or None
        Loudness of what is played (EBU R128); None where nothing can be heard.
    flashes : int
        General flashes in the busiest second of what is played.
    """

    width: int = 0
    height: int = 0
    fps: float = 0.0
    n_frames: int = 0
    picture_s: float = 0.0
    sound_s: float | None = None
    codecs: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    container: str = ""
    constant_rate: bool = True
    gaps: tuple[tuple[float, float], ...] = ()
    first_s: float = 0.0
    pixel_aspect: float = 1.0
    rotation: int = 0
    n_played: int = 0
    lufs: float | None = None
    flashes: int = 0

    @property
    def shown_px(self) -> tuple[int, int]:
        """Width and height as shown: pixels made square, and upright."""
        width, height = round(self.width * self.pixel_aspect), self.height
        return (height, width) if self.rotation % 180 else (width, height)


@dataclass
class _Seen:
    """What goes by while a file is decoded."""

    start_s: float
    stop_s: float
    stamps: list[float] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    first: tuple[int, int] = (0, 0)
    last_s: float = 0.0
    rotation: int = 0
    n_packets: int = 0
    n_corrupt: int = 0
    n_samples: int = 0
    rate_hz: int = 0
    n_corrupt_sound: int = 0
    flashes: Flashes = field(default_factory=Flashes)
    loudness: Loudness = field(default_factory=Loudness)

    def picture(self, frame: Any, *, zero_s: float) -> None:
        size, time_s = (frame.width, frame.height), frame.time - zero_s if frame.time is not None else math.nan
        if not self.stamps:
            self.first, self.rotation = size, round(frame.rotation) % 360
        self.stamps.append(time_s)
        self.last_s = float(frame.duration * frame.time_base) if frame.duration else 0.0
        self.sizes.add(size)
        self.n_corrupt += bool(frame.is_corrupt)
        if self.start_s - _SAME_S <= time_s < self.stop_s - _SAME_S:
            self.flashes.add(frame, time_s)

    def sound(self, frame: Any, *, zero_s: float) -> None:
        self.n_samples, self.rate_hz = self.n_samples + frame.samples, frame.sample_rate
        self.n_corrupt_sound += bool(frame.is_corrupt)
        if self.start_s <= (frame.time or 0.0) - zero_s < self.stop_s:
            self.loudness.add(frame)


def decode(path: Path, *, start_s: float = 0.0, stop_s: float = math.inf) -> Facts:
    """Decode every frame and every sample of a file.

    Parameters
    ----------
    path : Path
        Anything that FFmpeg reads.
    start_s, stop_s : float
        What is played of it: loudness, flashes and the number of frames are of this part.

    Returns
    -------
    Facts
        With its faults; a file that cannot be read at all is a fault, not an error.
    """
    try:
        with _heard() as said, av.open(str(path)) as container:
            if not container.streams.video:
                return Facts(faults=("has no picture",))
            return _decode(container, said, _Seen(start_s, stop_s))
    except (av.FFmpegError, OSError) as error:
        return Facts(faults=(f"cannot be decoded: {_said(error)}",))


def findings(entry: Entry, facts: Facts) -> list[str]:
    """Return what is wrong with a clip, one line each: its file's faults, and points outside of it."""
    found = [f"{entry.where}: file = {entry.file.name!r}: {fault}" for fault in facts.faults]
    half_frame_s = 0.5 / facts.fps if facts.fps else 0.0
    end_s = facts.first_s + facts.picture_s
    if not facts.faults and entry.stop_s > end_s + half_frame_s:
        found.append(f"{entry.where}: stop_s = {entry.stop_s:g}: the picture lasts {end_s:.3f} s; write that or less")
    if not facts.faults and not facts.n_played:
        found.append(f"{entry.where}: start_s = {entry.start_s:g}: no frame lies between it and stop_s = {entry.stop_s:g}")
    return found


def _decode(container: Any, said: list[Any], seen: _Seen) -> Facts:
    picture, sounds = container.streams.video[0], container.streams.audio[:1]
    declared_s = float(picture.duration * picture.time_base) if picture.duration else None
    for stream in (picture, *sounds):
        # one thread each: what FFmpeg says in another one is not heard, and waits for Python's lock
        stream.codec_context.thread_count = 1
        stream.thread_type = "SLICE"
    zero_s = (container.start_time or 0) / av.time_base
    broken = ""
    try:
        for packet in container.demux(picture, *sounds):
            seen.n_packets += packet.stream is picture and packet.size > 0 and not packet.is_discard
            for frame in packet.decode():
                if packet.stream is picture:
                    seen.picture(frame, zero_s=zero_s)
                else:
                    seen.sound(frame, zero_s=zero_s)
    except av.FFmpegError as error:
        broken = f"breaks off after {len(seen.stamps)} frames: {_said(error)}"
    fps, picture_s, constant = _length(seen, picture)
    # AVI shows a frame for longer by empty ones, which it counts
    declared = 0 if container.format.name == "avi" else picture.frames
    sound_s = (seen.n_samples / seen.rate_hz if seen.rate_hz else 0.0) if sounds else None
    faults = _faults(seen, broken, said, declared_s=declared_s, picture_s=picture_s, sound_s=sound_s, declared=declared)
    return Facts(
        *seen.first, fps, len(seen.stamps), picture_s, sound_s,
        codecs=tuple(stream.codec_context.name for stream in (picture, *sounds)), faults=tuple(faults),
        container=container.format.name, constant_rate=constant, gaps=gaps(seen.stamps),
        first_s=max(0.0, seen.stamps[0]) if seen.stamps else 0.0,
        pixel_aspect=float(picture.sample_aspect_ratio or 1), rotation=seen.rotation,
        n_played=n_played(seen.stamps, seen.start_s, seen.stop_s),
        lufs=seen.loudness.lufs, flashes=seen.flashes.most_in_a_second,
    )  # fmt: skip


def n_played(stamps: Sequence[float], start_s: float, stop_s: float) -> int:
    """Return how many frames are shown from an in point up to an out point, as the player counts.

    The first is the one that is to be seen at the in point; the one whose time the out point is, is not shown any more.

    Examples
    --------
    >>> n_played([0.0, 0.5, 1.0], 0.0, 1.0), n_played([0.0, 0.5, 1.0], 0.6, 1.1), n_played([0.0, 0.5, 1.0], 0.6, 0.9)
    (2, 2, 1)
    """
    inside = [t for t in stamps if start_s - _SAME_S <= t < stop_s - _SAME_S]
    seen_before = any(t < start_s - _SAME_S for t in stamps) and not (inside and inside[0] <= start_s + _SAME_S)
    return len(inside) + seen_before


def gaps(stamps: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Return where frames are missing: the time of the last one before each gap, and how long that one stays.

    Examples
    --------
    >>> gaps([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.1, 1.2])
    ((0.8, 0.3),)
    """
    steps = np.diff(stamps)
    if len(steps) < _FEWEST_STEPS:
        return ()
    usual = float(np.median(steps))
    regular = np.abs(steps - usual) <= 2 * _TICK_S
    if np.mean(regular) < _REGULAR:
        return ()
    return tuple((round(stamps[n], 3), round(float(steps[n]), 3)) for n in np.flatnonzero(~regular & (steps > 1.5 * usual)))


def _length(seen: _Seen, picture: Any) -> tuple[float, float, bool]:
    """Return the mean frame rate, the seconds from the first frame to the last one's end, and whether the rate is constant."""
    stamps = seen.stamps
    if not stamps:
        return 0.0, 0.0, True
    nominal = float(picture.average_rate or 0) or 1.0
    span_s = stamps[-1] - stamps[0]
    fps = (len(stamps) - 1) / span_s if span_s > 0 else nominal
    steps = np.diff(stamps)
    constant = len(steps) < 2 or float(np.abs(steps - np.median(steps)).max()) <= 2 * _TICK_S
    return fps, span_s + (1 / fps if constant or not seen.last_s else seen.last_s), constant


def _faults(
    seen: _Seen,
    broken: str,
    said: list[Any],
    *,
    declared_s: float | None,
    picture_s: float,
    sound_s: float | None,
    declared: int,
) -> list[str]:
    found = [broken] if broken else []
    if not seen.stamps:
        return found or ["has no frame that can be decoded"]
    if damage := _damage(seen, said, declared=declared):
        found.append(f"{damage}; restore the file from a copy")
    if len(seen.sizes) > 1:
        found.append(f"changes its resolution: {', '.join(f'{w}x{h}' for w, h in sorted(seen.sizes))}; cut it apart")
    if not np.all(np.diff(seen.stamps) > 0):
        found.append("has frames without a time of their own; encode it anew")
    if declared_s is not None and picture_s < declared_s - 0.1:
        found.append(f"says {declared_s:.3f} s and holds {picture_s:.3f} s; restore the file from a copy")
    if sound_s is not None and sound_s < picture_s - _SLACK_S:
        found.append(f"its sound ends after {sound_s:.3f} s, its picture after {picture_s:.3f} s; encode it anew")
    return found


def _damage(seen: _Seen, said: list[Any], *, declared: int) -> str:
    """Say what is damaged inside, which FFmpeg conceals and goes on."""
    n, errors = len(seen.stamps), [text.strip() for level, _, text in said if level <= av.logging.ERROR]
    if seen.n_corrupt:
        return f"{seen.n_corrupt} frames are damaged"
    if seen.n_corrupt_sound:
        return f"{seen.n_corrupt_sound} pieces of its sound are damaged"
    if n < max(seen.n_packets, 0):
        return f"{seen.n_packets - n} of {seen.n_packets} frames cannot be decoded"
    if seen.n_packets < declared:
        return f"says {declared} frames and holds {seen.n_packets}"
    return f"is damaged ({errors[0]})" if errors else ""


_lock, _n_listening = threading.Lock(), 0


@contextmanager
def _heard() -> Iterator[list[Any]]:
    """Collect what FFmpeg says in this thread: of some damage it only speaks."""
    global _n_listening
    with _lock:
        if _n_listening == 0:
            av.logging.set_level(av.logging.ERROR)
        _n_listening += 1
    try:
        with av.logging.Capture(local=True) as said:
            yield said
    finally:
        with _lock:
            _n_listening -= 1
            if _n_listening == 0:
                av.logging.set_level(None)


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
