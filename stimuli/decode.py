"""What is in a clip's file: every frame and every sample is decoded, because a file may be cut short inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np

from stimuli.manifest import Entry

_SLACK_S = 0.05  # sound may end this much beside the picture: codecs work in blocks of 20 to 40 ms


@dataclass(frozen=True)
class Facts:
    """What was decoded.

    Parameters
    ----------
    width, height : int
        Pixels of the first frame.
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
    """

    width: int = 0
    height: int = 0
    fps: float = 0.0
    n_frames: int = 0
    picture_s: float = 0.0
    sound_s: float | None = None
    codecs: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass
class _Picture:
    stamps: list[float] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    first: tuple[int, int] = (0, 0)
    n_corrupt: int = 0


def decode(path: Path) -> Facts:
    """Decode every frame and every sample of a file.

    Parameters
    ----------
    path : Path
        Anything that FFmpeg reads.

    Returns
    -------
    Facts
        With its faults; a file that cannot be read at all is a fault, not an error.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                return Facts(faults=("has no picture",))
            return _decode(container)
    except (av.FFmpegError, OSError) as error:
        return Facts(faults=(f"cannot be decoded: {_said(error)}",))


def findings(entry: Entry, facts: Facts) -> list[str]:
    """Return what is wrong with a clip, one line each: its file's faults, and points outside of it."""
    found = [f"{entry.where}: file = {entry.file.name!r}: {fault}" for fault in facts.faults]
    half_frame_s = 0.5 / facts.fps if facts.fps else 0.0
    if not facts.faults and entry.stop_s > facts.picture_s + half_frame_s:
        found.append(f"{entry.where}: stop_s = {entry.stop_s:g}: the picture lasts {facts.picture_s:.3f} s; write that or less")
    return found


def _decode(container: Any) -> Facts:
    picture = container.streams.video[0]
    sounds = container.streams.audio
    picture.thread_type = "AUTO"
    declared_s = float(picture.duration * picture.time_base) if picture.duration else None
    codecs = tuple(stream.codec_context.name for stream in (picture, *sounds[:1]))
    seen, n_samples, rate, broken = _Picture(), 0, 0, ""
    try:
        for frame in container.decode(picture, *sounds[:1]):
            if isinstance(frame, av.VideoFrame):
                _look(frame, seen)
            else:
                n_samples, rate = n_samples + frame.samples, frame.sample_rate
    except av.FFmpegError as error:
        broken = f"breaks off after {len(seen.stamps)} frames: {_said(error)}"
    fps, picture_s = _length(seen.stamps, picture)
    sound_s = (n_samples / rate if rate else 0.0) if sounds else None
    faults = _faults(seen, broken, declared_s=declared_s, picture_s=picture_s, sound_s=sound_s)
    return Facts(*seen.first, fps, len(seen.stamps), picture_s, sound_s, codecs, tuple(faults))


def _look(frame: Any, seen: _Picture) -> None:
    size = (frame.width, frame.height)
    seen.first = seen.first if seen.stamps else size
    seen.stamps.append(float(frame.time if frame.time is not None else np.nan))
    seen.sizes.add(size)
    seen.n_corrupt += bool(frame.is_corrupt)


def _length(stamps: list[float], picture: Any) -> tuple[float, float]:
    """Return the mean frame rate, and the seconds from the first frame until the last one's end."""
    if not stamps:
        return 0.0, 0.0
    nominal = float(picture.average_rate or 0) or 1.0
    span_s = stamps[-1] - stamps[0]
    fps = (len(stamps) - 1) / span_s if span_s > 0 else nominal
    return fps, span_s + 1 / fps


def _faults(seen: _Picture, broken: str, *, declared_s: float | None, picture_s: float, sound_s: float | None) -> list[str]:
    found = [broken] if broken else []
    if not seen.stamps:
        return found or ["has no frame that can be decoded"]
    if seen.n_corrupt:
        found.append(f"{seen.n_corrupt} frames are damaged; restore the file from a copy")
    if len(seen.sizes) > 1:
        found.append(f"changes its resolution: {', '.join(f'{w}x{h}' for w, h in sorted(seen.sizes))}; cut it apart")
    if not np.all(np.diff(seen.stamps) > 0):
        found.append("has frames without a time of their own; encode it anew")
    if declared_s is not None and picture_s < declared_s - 0.1:
        found.append(f"says {declared_s:.3f} s and holds {picture_s:.3f} s; restore the file from a copy")
    if sound_s is not None and sound_s < picture_s - _SLACK_S:
        found.append(f"its sound ends after {sound_s:.3f} s, its picture after {picture_s:.3f} s; encode it anew")
    return found


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
