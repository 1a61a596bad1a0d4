"""Tiny films in any container, whose frames carry their number as a shade of grey, for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIZE = (64, 48)
SHADES = 40  # frame n has the shade 20 + 5 (n % 40): lossy codecs stay within two
CONTAINERS = {
    "mp4": ("mp4", "libx264", "aac"), "mov": ("mov", "mpeg4", "aac"), "mkv": ("matroska", "libx265", "flac"),
    "webm": ("webm", "libvpx-vp9", "libopus"), "avi": ("avi", "mpeg4", "libmp3lame"), "ts": ("mpegts", "mpeg2video", "mp2"),
}  # fmt: skip
RATE_HZ = 48000


@dataclass(frozen=True)
class Film:
    """What a film is like; ``times`` are the frames' times in seconds, at ``rate`` otherwise."""

    n_frames: int = 30
    rate: Fraction = Fraction(30)
    size: tuple[int, int] = SIZE
    times: Sequence[float] | None = None
    with_sound: bool = True
    amplitude: float = 0.3
    pixel_aspect: Fraction = Fraction(1)
    rotation: int = 0
    shade: Callable[[int], int] = lambda n: 20 + 5 * (n % SHADES)
    b_frames: int = 0
    gop: int | None = None  # frames from one key frame to the next; what the codec likes otherwise

    @property
    def length_s(self) -> float:
        return float(self.n_frames / self.rate) if self.times is None else self.times[-1] + float(1 / self.rate)


def write(path: Path, film: Film = Film()) -> Path:
    """Write a film; its container is what the name's end says."""
    form, picture_codec, sound_codec = CONTAINERS[path.suffix[1:]]
    with av.open(str(path), "w", format=form) as container:
        options = {"x265-params": "log-level=none"} if picture_codec == "libx265" else {}
        picture = container.add_stream(picture_codec, rate=film.rate, options=options)
        picture.width, picture.height, picture.pix_fmt = *film.size, "yuv420p"
        picture.bit_rate = 400_000
        picture.codec_context.max_b_frames = film.b_frames
        if film.gop is not None:
            picture.codec_context.gop_size = film.gop
        picture.codec_context.sample_aspect_ratio = film.pixel_aspect
        if film.times is not None:
            picture.codec_context.time_base = Fraction(1, 1000)
        if film.rotation:
            picture.set_display_rotation(film.rotation)
        sound = container.add_stream(sound_codec, rate=RATE_HZ, layout="stereo") if film.with_sound else None
        for n in range(film.n_frames):
            image = np.full((film.size[1], film.size[0], 3), film.shade(n), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = _pts(film, n)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if sound:
            _write_sound(container, sound, film)
    return path


def _pts(film: Film, n: int) -> tuple[int, Fraction]:
    return (n, 1 / film.rate) if film.times is None else (round(film.times[n] * 1000), Fraction(1, 1000))


def _write_sound(container: object, stream: object, film: Film) -> None:
    """A tone of 997 Hz, whose loudness on two channels is its level in decibels of full scale (EBU Tech 3341)."""
    codec = stream.codec_context  # type: ignore[attr-defined]
    resampler = av.AudioResampler(format=codec.format.name, layout="stereo", rate=RATE_HZ, frame_size=codec.frame_size or 1024)
    t = np.arange(round(film.length_s * RATE_HZ)) / RATE_HZ
    tone = np.repeat((film.amplitude * np.sin(2 * np.pi * 997 * t)).astype(np.float32)[None], 2, axis=0)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(piece))  # type: ignore[attr-defined]
    container.mux(stream.encode(None))  # type: ignore[attr-defined]
