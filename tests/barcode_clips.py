"""Clips whose frames carry their number as a bar code, and whose sound is one short burst at a known time of the clip.

A code is read off a photo of the screen, so the picture may be scaled and compressed; a burst is found by its pitch in what the
sound card played.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

N_BITS = 12  # frames up to 4095; with a white bar before and a black one behind, and every bit beside its opposite
SFREQ = 48000
BURST_S = 0.08


def coded(index: int, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return frame ``index``: bars over the upper half, grey below; uint8, shape (height, width, 3)."""
    width, height = size_px
    picture = np.full((height, width, 3), 120, np.uint8)
    bars = _bars(index)
    edges = np.linspace(0, width, len(bars) + 1).round().astype(int)
    for left, right, bit in zip(edges, edges[1:], bars, strict=False):
        picture[: height // 2, left:right] = 235 if bit else 20
    return picture


def read_code(photo: NDArray[np.uint8]) -> int | None:
    """Return the number of the frame on a photo that holds nothing but the clip; None where it is no frame, or two at once."""
    height, width = photo.shape[:2]
    grey = photo.astype(float).mean(axis=2)
    n = 2 * N_BITS + 2
    centres = ((np.arange(n) + 0.5) * width / n).astype(int)
    rows = [round(height * share) for share in (0.06, 0.18, 0.30, 0.44)]  # a torn picture shows two codes
    seen = {tuple(bool(value > 128) for value in grey[row, centres]) for row in rows}
    if len(seen) != 1:
        return None
    bars = seen.pop()
    index = sum(1 << i for i in range(N_BITS) if bars[1 + 2 * i])
    return index if bars == tuple(_bars(index)) else None


def _bars(index: int) -> list[bool]:
    bits = [bool(index >> i & 1) for i in range(N_BITS)]
    return [True, *(bar for bit in bits for bar in (bit, not bit)), False]


def write_clip(
    path: Path, *, n_frames: int, fps: Fraction = Fraction(30), size_px: tuple[int, int] = (320, 240),
    pitch_hz: float | None = None, burst_at_s: float = 0.5, times_s: Sequence[float] = (), rotation: int = 0,
) -> Path:  # fmt: skip
    """Write a clip.

    Parameters
    ----------
    path : Path
        ``.mp4``.
    n_frames : int
        How many.
    fps : Fraction
        Frames a second.
    size_px : tuple of int
        As stored.
    pitch_hz : float, optional
        Of the burst; None writes no sound.
    burst_at_s : float
        When it begins.
    times_s : sequence of float, optional
        When each frame is to be seen, for a variable rate.
    rotation : int
        By how many degrees, clockwise, the picture is to be turned to stand upright: a telephone's films lie.
    """
    tick = Fraction(1, 90000)
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"crf": "12", "g": "15", "bf": "0"})
        video.width, video.height, video.pix_fmt = *size_px, "yuv420p"
        video.codec_context.time_base = tick
        audio = container.add_stream("aac", rate=SFREQ, layout="mono") if pitch_hz else None
        seconds = times_s[-1] + float(1 / fps) if times_s else float(n_frames / fps)
        if audio is not None:
            _write_sound(container, audio, _burst(pitch_hz or 0.0, burst_at_s, seconds))
        for i in range(n_frames):
            frame = av.VideoFrame.from_ndarray(coded(i, size_px), "rgb24")
            frame.pts, frame.time_base = round((times_s[i] if times_s else float(i / fps)) / float(tick)), tick
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    if rotation:
        _turn(path, rotation)
    return path


def _burst(pitch_hz: float, at_s: float, seconds: float) -> NDArray[np.float32]:
    t = np.arange(round(seconds * SFREQ)) / SFREQ - at_s
    inside = (t >= 0) & (t < BURST_S)
    return np.where(inside, 0.7 * np.sin(2 * np.pi * pitch_hz * t), 0).astype(np.float32)


def _write_sound(container: av.container.OutputContainer, audio: av.AudioStream, sound: NDArray[np.float32]) -> None:
    for at in range(0, len(sound), 1024):
        piece = av.AudioFrame.from_ndarray(sound[None, at : at + 1024], "fltp", "mono")
        piece.sample_rate, piece.pts, piece.time_base = SFREQ, at, Fraction(1, SFREQ)
        container.mux(audio.encode(piece))
    container.mux(audio.encode(None))


def _turn(path: Path, degrees: int) -> None:
    """Write a rotation into the track header of an MP4, as cameras do (ISO 14496-12, 8.3.2: the matrix)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + (40 if data[data.index(b"tkhd") + 4] == 0 else 52)
    one = 1 << 16
    a, b = {90: (0, one), 180: (-one, 0), 270: (0, -one)}[degrees]
    matrix = (a, b, 0, -b, a, 0, 0, 0, 1 << 30)
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)
