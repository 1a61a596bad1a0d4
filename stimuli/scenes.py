"""The four scenes of the drawn clips: pure functions of time. Nothing flashes: every change of light takes seconds.

Shapes are rows of uniform random numbers; each scene reads them as positions, speeds and sizes. Lengths are in picture heights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Blue, green, red; shape (height, width, 3)."""
Light = NDArray[np.float64]
"""A colour as blue, green, red from 0 to 255."""
Shapes = NDArray[np.float64]
"""Uniform numbers from 0 to 1, shape (n_shapes, 5)."""

_SHIFT = 4  # OpenCV draws at sixteenths of a pixel, so that slow shapes glide
_FADE_S = 0.05
_LEVEL = 0.08  # root mean square of full scale: equally loud, with room for peaks
WHITE = np.full(3, 255.0)
BLACK = np.zeros(3)


@dataclass(frozen=True)
class Scene:
    """A kind of picture with its sound."""

    background: Callable[[Light], tuple[Light, Light]]
    draw: Callable[[Image, float, Shapes, Light], None]
    n_shapes: int
    play: Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]
    color: str = "#7F7F7F"

    def painter(self, size_px: tuple[int, int], rng: np.random.Generator) -> Callable[[float], Image]:
        """Return the function that draws the picture at a time in seconds."""
        width, height = size_px
        light = _light(self.color)
        top, bottom = self.background(light)
        share = np.linspace(0, 1, height)[:, None, None]
        empty: Image = np.broadcast_to(top * (1 - share) + bottom * share, (height, width, 3)).astype(np.uint8)
        shapes = rng.random((self.n_shapes, 5))

        def paint(t_s: float) -> Image:
            image = empty.copy()
            self.draw(image, t_s, shapes, light)
            return image

        return paint

    def sound(self, t_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the sound at times in seconds, shape (n_samples,), within -1 to 1, faded in and out."""
        raw = self.play(t_s, rng)
        level = raw / max(float(np.sqrt(np.mean(raw**2))), 1e-9) * _LEVEL
        ramp = np.clip(np.minimum(t_s, t_s[-1] - t_s) / _FADE_S, 0, 1)
        return np.asarray(np.clip(level * ramp, -0.95, 0.95))


def scene_of(emotion: str, number: int, color: str) -> Scene:
    """Return the scene of an emotion; one that has none of its own takes the ``number``-th."""
    scene = SCENES.get(emotion) or list(SCENES.values())[number % len(SCENES)]
    return Scene(scene.background, scene.draw, scene.n_shapes, scene.play, color)


def _bounce(image: Image, t: float, shapes: Shapes, light: Light) -> None:
    """Discs and stars that leap and land about once a second."""
    height, width = image.shape[:2]
    for n, (x, drift, pace, phase, size) in enumerate(shapes):
        across = abs((x + (drift - 0.5) * 0.25 * t + 1) % 2 - 1)  # turns round at the edges
        up = abs(np.sin(np.pi * (t * (0.35 + 0.3 * pace) + phase)))
        at = np.array([across * width, (0.9 - 0.6 * up) * height])
        tint = _mix(light, WHITE if n % 2 else np.array([60, 90, 255.0]), 0.15 + 0.35 * phase)
        corners = 5 if n % 3 == 0 else 40
        inner = 0.5 if corners == 5 else 1.0
        _star(image, at, height * (0.05 + 0.06 * size), corners, inner, 1.5 * t + 6 * phase, tint)


def _fall(image: Image, t: float, shapes: Shapes, light: Light) -> None:
    """Drops that sink slowly."""
    height, width = image.shape[:2]
    for x, start, pace, shade, size in shapes:
        y = (start + t * (0.04 + 0.05 * pace)) % 1.3 - 0.15
        at = np.array([(x + 0.01 * np.sin(0.7 * t + 6 * shade)) * width, y * height])
        radius = height * (0.02 + 0.025 * size)
        tint = _mix(light, WHITE, 0.1 + 0.35 * shade)
        _polygon(image, at + radius * np.array([[-0.92, -0.4], [0.92, -0.4], [0, -2.4]]), tint)
        _star(image, at, radius, 40, 1.0, 0.0, tint)


def _approach(image: Image, t: float, shapes: Shapes, light: Light) -> None:
    """Jagged shapes that come nearer out of the dark; each lightens and darkens over eight seconds."""
    height, width = image.shape[:2]
    centre = np.array([width, height]) / 2
    for z, turn, shade, spin, size in sorted(((s[0] + t / 8) % 1, *s[1:]) for s in shapes):
        away = np.array([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)])
        at = centre + away * height * 0.06 * np.exp(2.4 * z)
        tint = _mix(BLACK, _mix(light, np.array([40, 20, 120.0]), shade), 0.9 * np.sin(np.pi * z))
        _star(image, at, height * (0.015 + 0.02 * size) * np.exp(2.6 * z), 9, 0.42, (spin - 0.5) * t, tint)


def _rotate(image: Image, t: float, shapes: Shapes, light: Light) -> None:
    """Figures that turn slowly where they are."""
    height, width = image.shape[:2]
    for n, (x, y, pace, shade, size) in enumerate(shapes):
        at = np.array([(0.08 + 0.84 * x) * width, (0.12 + 0.76 * y) * height])
        tint = _mix(light, WHITE if n % 2 else BLACK, 0.15 + 0.2 * shade)
        _star(image, at, height * (0.06 + 0.06 * size), 3 + n % 4, 1.0, 6 * shade + t * (0.15 + 0.2 * pace), tint)


def _arpeggio(t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A major chord, broken upwards and down again, four notes a second."""
    root = 261.63 * 2 ** (rng.integers(0, 5) / 12)
    return _notes(t, root, (0, 4, 7, 12, 16, 12, 7, 4), note_s=0.25, decay_s=0.35, attack_s=0.005)


def _lament(t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Slow low notes of a minor chord."""
    root = 146.83 * 2 ** (rng.integers(0, 4) / 12)
    return _notes(t, root, (7, 3, 0, 3, -2, 0), note_s=1.5, decay_s=1.4, attack_s=0.25)


def _tremolo(t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A semitone and a tritone at once, trembling seven times a second, growing louder."""
    root = 110.0 * 2 ** (rng.integers(0, 5) / 12)
    cluster = sum(np.sin(2 * np.pi * root * 2 ** (step / 12) * t) for step in (0, 1, 6, 13, 18))
    return np.asarray(cluster * (0.6 + 0.4 * np.sin(2 * np.pi * 7 * t)) * (0.4 + 0.6 * t / max(t[-1], 1e-9)))


def _hum(t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Soft wide noise over a steady tone."""
    noise = rng.standard_normal(len(t))
    smooth = np.convolve(noise, np.hanning(48) / np.hanning(48).sum(), mode="same")
    tone = np.sin(2 * np.pi * 196.0 * 2 ** (rng.integers(0, 4) / 12) * t)
    return np.asarray(smooth / smooth.std() + 0.5 * tone)


def _notes(
    t: NDArray[np.float64], root: float, steps: tuple[int, ...], *, note_s: float, decay_s: float, attack_s: float
) -> NDArray[np.float64]:
    """Return a melody of plucked tones; ``steps`` are semitones above the root, repeated."""
    number = (t / note_s).astype(int)
    since = t - number * note_s
    pitch = root * 2 ** (np.array(steps)[number % len(steps)] / 12)
    # each note starts and ends at silence, so that nothing clicks
    shape = np.clip(since / attack_s, 0, 1) * np.clip((note_s - since) / 0.01, 0, 1) * np.exp(-since / decay_s)
    phase = 2 * np.pi * pitch * since
    return np.asarray(shape * (np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.15 * np.sin(3 * phase)))


def _star(image: Image, at: NDArray[np.float64], radius: float, corners: int, inner: float, turn: float, light: Light) -> None:
    """Draw a star, or with ``inner`` 1 a regular polygon."""
    n = corners * (2 if inner < 1 else 1)
    angles = turn + 2 * np.pi * np.arange(n) / n
    radii = radius * np.where(np.arange(n) % 2, inner, 1.0)
    _polygon(image, at + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1), light)


def _polygon(image: Image, points: NDArray[np.float64], light: Light) -> None:
    fixed = np.round(points * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(image, [fixed], tuple(map(float, light)), lineType=cv2.LINE_AA, shift=_SHIFT)


def _mix(a: Light, b: Light, share: float) -> Light:
    return np.asarray(a * (1 - share) + b * share)


def _light(color: str) -> Light:
    """Return ``#RRGGBB`` as blue, green, red."""
    return np.array([int(color[i : i + 2], 16) for i in (5, 3, 1)], float)


SCENES = {
    "happiness": Scene(lambda c: (_mix(c, WHITE, 0.85), _mix(c, WHITE, 0.55)), _bounce, 16, _arpeggio),
    "sadness": Scene(lambda c: (_mix(c, BLACK, 0.55), _mix(c, BLACK, 0.85)), _fall, 26, _lament),
    "fear": Scene(lambda c: (_mix(c, BLACK, 0.96), _mix(c, BLACK, 0.9)), _approach, 18, _tremolo),
    "neutral": Scene(lambda c: (_mix(c, WHITE, 0.12), _mix(c, BLACK, 0.08)), _rotate, 12, _hum),
}
"""The scene of each emotion that has one."""
