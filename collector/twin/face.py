"""The drawn face: ovals, curves and shading that OpenCV's Haar detector takes for a face.

All lengths are in units of the face's half-width; ``u`` runs right and ``v`` down from the middle of the face. Colours are BGR.
Shadowed eye sockets are what the detector looks for: without them it finds little.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from collector.twin.knobs import random

Image = NDArray[np.uint8]
Vector = NDArray[np.float64]
Points = list[tuple[float, float]]

_SHIFT = 4  # OpenCV draws at 1/16 pixel
HALF_WIDTH = 0.22  # of the face, in heights of the picture: .165 of its width at 4:3
MIDDLE = 0.48  # of the face, in heights of the picture
_LID_HANGS = 0.05
_CROWN = 1.12  # height of the hair, in heights of the head


@dataclass(frozen=True)
class Expression:
    """How the features lie; neutral is all zeros and ones.

    Parameters
    ----------
    curve : float
        Corners of the mouth up (positive) or down.
    opening : float
        Height of the open mouth.
    width : float
        Of the mouth, relative.
    inner, outer : float
        Rise of the brows' ends.
    eyes : float
        Opening of the eyes, relative; 0 closed.
    """

    curve: float = 0.0
    opening: float = 0.0
    width: float = 1.0
    inner: float = 0.0
    outer: float = 0.0
    eyes: float = 1.0

    def towards(self, other: Expression, share: float) -> Expression:
        """Return the expression ``share`` of the way to another; beyond 1 it exaggerates."""
        return Expression(*(a + share * (b - a) for a, b in zip(astuple(self), astuple(other), strict=True)))


NEUTRAL = Expression()
EXPRESSIONS = {
    "happiness": Expression(0.22, 0.04, 1.25, 0.0, 0.02, 0.85),
    "sadness": Expression(-0.17, 0.0, 0.90, 0.12, -0.06, 0.75),
    "fear": Expression(-0.06, 0.16, 0.95, 0.14, 0.10, 1.35),
    "neutral": NEUTRAL,
}
"""What the face can show. Any other emotion of a study leaves it neutral."""


def expression(emotion: str | None, intensity: float, *, eyes: float = 1.0) -> Expression:
    """Return the expression of an emotion, ``intensity`` of the way from neutral, the lids open by ``eyes``."""
    full = NEUTRAL.towards(EXPRESSIONS.get(emotion or "neutral", NEUTRAL), intensity)
    return replace(full, eyes=full.eyes * eyes)


@dataclass(frozen=True)
class Identity:
    """One person's face; drawn from a seed."""

    skin: Vector
    hair: Vector
    iris: Vector
    shirt: Vector
    wall: Vector
    size: float
    height: float
    eye_u: float
    eye_width: float
    nose: float
    mouth: float
    brow: float
    hairline: float
    lip: float
    light: float
    gain: float

    @classmethod
    def of(cls, seed: int) -> Identity:
        """Return the face of the participant with this seed, in the light of their session."""
        r = random(seed, "face")
        tone = r.uniform()
        return cls(
            skin=(1 - tone) * np.array([185.0, 205, 235]) + tone * np.array([90.0, 120, 165]) + r.normal(0, 6, 3),
            hair=np.array([20.0, 25, 35]) + r.uniform(0, 60) * np.array([0.5, 0.8, 1.0]),
            iris=r.uniform(20, 90, 3), shirt=r.uniform(30, 200, 3), wall=r.uniform(60, 190, 3),
            size=r.uniform(0.92, 1.06), height=r.uniform(1.26, 1.38), eye_u=r.uniform(0.40, 0.45),
            eye_width=r.uniform(0.17, 0.20), nose=r.uniform(0.9, 1.1), mouth=r.uniform(0.30, 0.36),
            brow=r.uniform(0.065, 0.10), hairline=r.uniform(0.62, 0.75), lip=r.uniform(0.8, 1.15),
            light=r.uniform(-1, 1), gain=r.uniform(0.75, 1.15),
        )  # fmt: skip


def draw(identity: Identity, shown: Expression, *, size_px: tuple[int, int]) -> Image:
    """Draw a face, without noise and movement.

    Parameters
    ----------
    identity : Identity
        Whose.
    shown : Expression
        With the lids where they are.
    size_px : (int, int)
        Width and height.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        BGR.
    """
    return _Drawing(identity, shown, size_px).finish()


class _Drawing:
    """A picture in the making."""

    def __init__(self, identity: Identity, shown: Expression, size_px: tuple[int, int]) -> None:
        self.who, self.shown, (self.w, self.h) = identity, shown, size_px
        self.a = HALF_WIDTH * self.h * identity.size
        shade = 1 - 0.25 * np.linspace(0, 1, self.h)[:, None, None]
        self.image: Image = (identity.wall * shade * np.ones((1, self.w, 1))).astype(np.uint8)

    def finish(self) -> Image:
        """Draw from back to front, then blur a little and light from the side."""
        self._body()
        self._skin()
        self._fringe()
        for side in (-1, 1):
            self._eye(side)
            self._brow(side)
        self._nose()
        self._mouth()
        soft = cv2.GaussianBlur(self.image, (0, 0), 0.012 * self.a + 0.4)
        light = self.who.gain * (1 + 0.12 * self.who.light * np.linspace(-1, 1, self.w, dtype=np.float32))
        lit: Image = np.clip(soft * light[None, :, None], 0, 255).astype(np.uint8)
        return lit

    @cached_property
    def _u(self) -> Vector:
        return np.asarray((np.arange(self.w) - self.w / 2) / self.a, np.float64)

    @cached_property
    def _v(self) -> Vector:
        return np.asarray((np.arange(self.h) - MIDDLE * self.h) / self.a, np.float64)

    def _at(self, points: Points | Vector) -> NDArray[np.int32]:
        """Return face units as OpenCV's fixed-point pixels."""
        pixels = np.asarray(points, float) * self.a + (self.w / 2, MIDDLE * self.h)
        return np.round(pixels * (1 << _SHIFT)).astype(np.int32)

    def _fill(self, points: Points | Vector, colour: Vector, image: Image | None = None) -> None:
        target = self.image if image is None else image
        cv2.fillPoly(target, [self._at(points)], _bgr(colour), cv2.LINE_AA, _SHIFT)

    def _line(self, points: Points | Vector, colour: Vector, width: float) -> None:
        pixels = max(1, round(width * self.a))
        cv2.polylines(self.image, [self._at(points)], False, _bgr(colour), pixels, cv2.LINE_AA, _SHIFT)

    def _oval(
        self, u: float, v: float, axes: tuple[float, float], colour: Vector, *, turn: float = 0.0, image: Image | None = None
    ) -> None:
        target = self.image if image is None else image
        (centre,), fixed = self._at([(u, v)]), self.a * (1 << _SHIFT)
        lengths = (max(1, round(axes[0] * fixed)), max(1, round(axes[1] * fixed)))
        cv2.ellipse(target, centre.tolist(), lengths, turn, 0, 360, _bgr(colour), cv2.FILLED, cv2.LINE_AA, _SHIFT)

    def _body(self) -> None:
        who = self.who
        self._oval(0, 2.75, (2.1, 1.1), who.shirt)
        self._fill([(-0.45, 0.8), (0.45, 0.8), (0.55, 1.9), (-0.55, 1.9)], who.skin * 0.72)
        self._oval(0, -0.30, (1.10, _CROWN * who.height), who.hair)
        for side in (-1, 1):
            self._oval(side, 0.02, (0.13, 0.26), who.skin * 0.85)

    def _skin(self) -> None:
        """Lay the shaded skin over the oval of the face, narrower at the jaw."""
        turn = np.linspace(0, 2 * np.pi, 80)
        across, down = np.sin(turn), -np.cos(turn)
        jaw = np.where(down > 0, 1 - 0.22 * down**2, 1.0)
        mask = np.zeros((self.h, self.w), np.uint8)
        self._fill(np.stack([across * jaw, down * self.who.height], 1), np.full(1, 255.0), mask)
        rows, columns = _box(mask)
        cover = mask[rows, columns, None] / np.float32(255)
        skin = self._shading(rows, columns)[..., None] * self.who.skin.astype(np.float32)
        self.image[rows, columns] = np.clip(self.image[rows, columns] * (1 - cover) + skin * cover, 0, 255)

    def _shading(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return the light on the skin inside a box; the lamp, the hollows and the folds."""
        u, v = self._u[columns].astype(np.float32), self._v[rows].astype(np.float32)
        eye, smile, tall = self.who.eye_u, max(self.shown.curve, 0.0) / 0.22, 1.08 * self.who.height
        depth = 1 - (u / 1.08)[None] ** 2 - (v / tall)[:, None] ** 2
        light = 0.62 + 0.42 * np.sqrt(np.maximum(depth, 0)) + 0.16 * self.who.light * u[None]
        for mirrored, u0, v0, sd_u, sd_v, change in (
            (True, eye, -0.20, 0.20, 0.11, -0.20),  # eye sockets
            (False, 0.0, 0.08, 0.07, 0.28, 0.10),  # ridge of the nose
            (True, 0.15, 0.22, 0.05, 0.16, -0.10),  # its sides
            (True, 0.48, 0.25, 0.20, 0.16, 0.07),  # cheeks
            (False, 0.0, -0.75, 0.45, 0.22, 0.09),  # forehead
            (False, 0.0, 0.97, 0.22, 0.05, -0.13),  # below the lip
            (False, 0.0, 1.12, 0.18, 0.09, 0.05),  # chin
            (True, 0.42, 0.55, 0.035, 0.17, -0.12 * smile),  # smile folds
        ):
            across = _bell(u, u0, sd_u) + (_bell(u, -u0, sd_u) if mirrored else 0)
            light += change * np.outer(_bell(v, v0, sd_v), across)
        return np.asarray(light, np.float32)

    def _fringe(self) -> None:
        """Draw the hair's edge on the forehead, soft, on the head alone."""
        edge = [(u, -self.who.hairline - 0.12 * np.cos(2.2 * u)) for u in np.linspace(-0.98, 0.98, 24)]
        crown = [(u, -0.30 - _CROWN * self.who.height * np.sqrt(1 - (u / 1.10) ** 2)) for u in np.linspace(0.98, -0.98, 24)]
        self._fill([*edge, *crown], self.who.hair)

    def _eye(self, side: int) -> None:
        u0, v0, half, opening = side * self.who.eye_u, -0.18, self.who.eye_width, 0.085 * max(self.shown.eyes, 0)
        x = np.linspace(-1, 1, 20)
        is_open = self.shown.eyes > 0.12
        # a closed lid hangs a little: straight lines are taken for eyes by the detectors
        rise = opening if is_open else -_LID_HANGS
        upper = np.stack([u0 + half * x, v0 - rise * (1 - x**2)], 1)
        lower = np.stack([u0 + half * x, v0 + 0.75 * opening * (1 - x**2)], 1)
        if is_open:
            self._ball(side, np.concatenate([upper, lower[::-1]]))
        self._line(upper, self.who.skin * 0.25, 0.035)

    def _ball(self, side: int, outline: Vector) -> None:
        """Draw the eyeball through the opening of the lids."""
        mask = np.zeros((self.h, self.w), np.uint8)
        self._fill(outline, np.full(1, 255.0), mask)
        ball, u0 = self.image.copy(), side * self.who.eye_u
        self._fill(outline, np.array([207.0, 210, 212]), ball)
        self._oval(u0, -0.185, (0.088, 0.088), self.who.iris, image=ball)
        self._oval(u0, -0.185, (0.042, 0.042), np.full(3, 10.0), image=ball)
        self._oval(u0 + 0.03, -0.215, (0.015, 0.015), np.full(3, 245.0), image=ball)
        cv2.copyTo(ball, mask, self.image)

    def _brow(self, side: int) -> None:
        u0, v0 = side * self.who.eye_u, -0.42 - 0.05 * (max(self.shown.eyes, 1) - 1)
        inner, outer = self.shown.inner, self.shown.outer
        start, bend, stop = (
            np.array([u0 - side * 0.20, v0 - inner + 0.01]),
            np.array([u0 + side * 0.02, v0 - 0.05 - (inner + outer) / 2]),
            np.array([u0 + side * 0.24, v0 - outer + 0.03]),
        )
        z = np.linspace(0, 1, 12)[:, None]
        curve = (1 - z) ** 2 * start + 2 * z * (1 - z) * bend + z**2 * stop
        self._line(curve, self.who.hair * 0.9 + self.who.skin * 0.08, self.who.brow)

    def _nose(self) -> None:
        for side in (-1, 1):
            self._oval(0.085 * side * self.who.nose, 0.32, (0.042, 0.026), self.who.skin * 0.25, turn=-15 * side)
        self._oval(0, 0.37, (0.15, 0.02), self.who.skin * 0.62)

    def _mouth(self) -> None:
        shown, x = self.shown, np.linspace(-1, 1, 24)
        half, arch = self.who.mouth * shown.width, 1 - x**2
        line = 0.70 - shown.curve * (x**2 - 0.4)
        bow = 1 - 0.25 * np.exp(-((x / 0.15) ** 2))

        def between(width: float, above: Vector, below: Vector) -> Vector:
            top = np.stack([width * half * x, line - above * arch], 1)
            bottom = np.stack([width * half * x, line + below * arch], 1)
            return np.concatenate([top, bottom[::-1]])

        lips = np.array([0.62, 0.55, 0.85]) * self.who.skin * self.who.lip
        self._fill(between(1.0, (0.055 + 0.5 * shown.opening) * bow, np.full(24, 0.075 + 0.7 * shown.opening)), lips)
        inside = between(0.9, np.full(24, 0.45 * shown.opening), np.full(24, 0.6 * shown.opening + 0.008))
        self._fill(inside, np.array([31.0, 22, 50]))
        if shown.opening > 0.03 and shown.curve > 0:  # teeth
            teeth = between(0.8, np.full(24, 0.4 * shown.opening), np.full(24, 0.1 * shown.opening))
            self._fill(teeth, np.array([215.0, 222, 225]))


def _bgr(colour: Vector) -> tuple[float, ...]:
    return tuple(np.clip(colour, 0, 255).tolist())


def _bell(x: NDArray[np.float32], centre: float, sd: float) -> NDArray[np.float32]:
    return np.asarray(np.exp(-0.5 * ((x - centre) / sd) ** 2), np.float32)


def _box(mask: Image) -> tuple[slice, slice]:
    """Return rows and columns of the smallest box around what is not zero."""
    x, y, w, h = cv2.boundingRect(mask)
    return slice(y, y + h), slice(x, x + w)
