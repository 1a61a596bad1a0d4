"""Clips that the project may ship, because it draws them: four moving scenes with sound, told apart at a glance and by ear.

They try a laboratory out; nobody claims that they elicit anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stimuli import manifest
from stimuli.manifest import Entry
from stimuli.scenes import Image, Scene, scene_of

RATE_HZ = 48000
_AAC_FRAME = 1024  # samples; what the encoder takes at a time
# larger pictures are enlarged from this: smooth shapes lose nothing, and drawing takes a quarter of the time
_DRAWN_HEIGHT = 360
_WORKERS = 2  # drawing and x264 both leave Python's lock, so two clips at a time fill two cores
LICENCE = "CC0-1.0"


@dataclass(frozen=True)
class Form:
    """What all clips of a set have in common; ``size_px`` is width, height."""

    duration_s: float
    size_px: tuple[int, int]
    fps: float

    @property
    def n_frames(self) -> int:
        """Frames of each clip."""
        return max(1, round(self.duration_s * self.fps))

    @property
    def n_samples(self) -> int:
        """Samples of each clip: exactly as long as the picture."""
        return round(self.n_frames / self.rate * RATE_HZ)

    @property
    def drawn_px(self) -> tuple[int, int]:
        """Width and height in which pictures are drawn: even, as their colours are stored for each second pixel."""
        width, height = self.size_px
        scale = min(1.0, _DRAWN_HEIGHT / height)
        return round(width * scale / 2) * 2, round(height * scale / 2) * 2

    @property
    def rate(self) -> Fraction:
        """Frames per second as a fraction: 30000 / 1001 stays what it is."""
        return Fraction(self.fps).limit_denominator(1001)


def make_clips(
    folder: Path,
    emotions: Mapping[str, str],
    *,
    per_emotion: int = 3,
    extras: Mapping[str, tuple[str, str]] | None = None,
    duration_s: float = 6.0,
    size_px: tuple[int, int] = (1280, 720),
    fps: float = 30.0,
    seed: int = 1,
    on_clip: Callable[[Entry], None] = lambda _: None,
) -> Path:
    """Draw a set of clips and write their manifest.

    Parameters
    ----------
    folder : Path
        Where ``clips.tsv`` goes; the clips go into ``clips/`` below it.
    emotions : mapping of str to str
        Colour ``#RRGGBB`` by emotion.
    per_emotion : int
        Clips of each.
    extras : mapping, optional
        More clips: target and name of the scene by ``stim_id``.
    duration_s, size_px, fps
        Seconds, (width, height) in even pixels, frames per second.
    seed : int
        The same seed draws the same clips.
    on_clip : callable
        Told of each clip as it is done, from a thread.

    Returns
    -------
    Path
        The manifest, written last.
    """
    form = Form(duration_s, size_px, fps)
    (folder / "clips").mkdir(parents=True)

    def make(job: tuple[str, str, Scene]) -> Entry:
        stim_id, target, scene = job
        path = folder.resolve() / "clips" / f"{stim_id}.mp4"
        write_clip(path, scene, form, seed=_seed(seed, stim_id))
        sha256 = manifest.sha256(path)
        source = f"drawn by emolab, seed {seed}"
        entry = Entry(path, stim_id, target, 0.0, form.n_frames / form.fps, sha256, LICENCE, source, redistributable=True)
        on_clip(entry)
        return entry

    jobs = [
        (f"{emotion}{n:02d}", emotion, scene_of(emotion, number, color))
        for number, (emotion, color) in enumerate(emotions.items())
        for n in range(1, per_emotion + 1)
    ]
    jobs += [(stim_id, target, scene_of(scene, 0, "#7F7F7F")) for stim_id, (target, scene) in (extras or {}).items()]
    with ThreadPoolExecutor(_WORKERS) as pool:
        entries = list(pool.map(make, jobs))
    manifest.write(folder / "clips.tsv", entries)
    return folder / "clips.tsv"


def write_clip(path: Path, scene: Scene, form: Form, *, seed: int) -> None:
    """Write one clip: H.264 (yuv420p) and AAC in MP4, under its final name only once it is whole."""
    part = path.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as container:
        # one thread each: x264's result depends on their number
        picture = container.add_stream("libx264", rate=form.rate, options={"preset": "ultrafast", "crf": "23", "threads": "1"})
        picture.width, picture.height = form.size_px
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE_HZ, layout="stereo", bit_rate=128_000)
        _write_picture(container, picture, scene, form, np.random.default_rng([seed, 0]))
        _write_sound(container, sound, scene, form, np.random.default_rng([seed, 1]))
    part.replace(path)


def _write_picture(container: Any, stream: Any, scene: Scene, form: Form, rng: np.random.Generator) -> None:
    draw = scene.painter(form.drawn_px, rng)
    for n in range(form.n_frames):
        frame = av.VideoFrame.from_ndarray(_yuv(draw(n / form.fps), form.size_px), format="yuv420p")
        frame.pts, frame.time_base = n, 1 / form.rate
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _yuv(image: Image, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture as yuv420p in its final size: enlarged after the conversion, that is half the work."""
    width, height = size_px
    planar = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)
    if (image.shape[1], image.shape[0]) == size_px:
        return planar
    rows, columns = image.shape[0], image.shape[1]
    luma, chroma = planar[:rows], planar[rows:].reshape(2, rows // 2, columns // 2)
    sized = [cv2.resize(luma, size_px), *(cv2.resize(plane, (width // 2, height // 2)) for plane in chroma)]
    return np.concatenate([plane.reshape(-1) for plane in sized]).reshape(height * 3 // 2, width)


def _write_sound(container: Any, stream: Any, scene: Scene, form: Form, rng: np.random.Generator) -> None:
    pcm = scene.sound(np.arange(form.n_samples) / RATE_HZ, rng)
    for start in range(0, form.n_samples, _AAC_FRAME):
        frame = av.AudioFrame.from_ndarray(_planes(pcm[start : start + _AAC_FRAME]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _planes(pcm: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.stack([pcm, pcm]), dtype=np.float32)


def _seed(seed: int, stim_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{stim_id}".encode()).digest()[:8])
