"""Figures for the scales, drawn here: a bust whose mouth, chest or size says what words would have to; thumb and star.

The idea of rating by pictures is Bradley & Lang's (1994, J. Behav. Ther. Exp. Psychiatry 25, 49-59); the drawings are ours.
Pure: a figure is a tuple of outlines in the square -1..1, y upwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Fill = Literal["none", "frame", "skin", "ink", "white", "glow"]

N_FIGURES = 5  # above the odd steps of a scale of nine
_ROUND = 48  # points of a circle


@dataclass(frozen=True)
class Outline:
    """One line of a figure: points, shape (n, 2); closed when it is filled."""

    points: Points
    fill: Fill = "none"
    closed: bool = True


def figure(scale: str, level: float) -> tuple[Outline, ...]:
    """Return the figure of a scale.

    Parameters
    ----------
    scale : {"valence", "arousal", "dominance", "liking", "intensity"}
        What is rated.
    level : float
        -1 (unpleasant, calm, without control) .. 1 (pleasant, excited, in control).

    Raises
    ------
    KeyError
        For another scale.
    """
    return FIGURES[scale](level)


def _valence(level: float) -> tuple[Outline, ...]:
    return (*_bust(), *_eyes(0.055), *_brows(-level), _mouth(level))


def _arousal(level: float) -> tuple[Outline, ...]:
    rise = (level + 1) / 2
    burst = _star(center=(0.0, -0.62), radius=0.07 + 0.27 * rise, spikes=12, depth=0.25 + 0.3 * rise)
    eyes = _open_eyes(0.055 + 0.08 * rise) if rise > 0 else _closed_eyes()
    mouth = Outline(_circle((0.0, 0.24), 0.02 + 0.07 * rise, squeeze=0.9), "ink") if rise > 0.6 else _mouth(0.0)
    return (*_bust(), Outline(burst, "glow"), *eyes, mouth)


def _dominance(level: float) -> tuple[Outline, ...]:
    size = 0.38 + 0.6 * (level + 1) / 2
    frame = np.array([[-0.95, -1], [0.95, -1], [0.95, 1], [-0.95, 1]])
    whole = (*_bust(), *_eyes(0.055), _mouth(0.12))
    grown = (Outline(o.points * size + [0, size - 1], o.fill, o.closed) for o in whole)  # it stands on the frame's floor
    return (Outline(frame, "frame"), *grown)


def _liking(level: float) -> tuple[Outline, ...]:
    """A thumb that turns from down to up (after Koelstra et al. 2012, who rate liking by thumbs)."""
    angle = -np.pi / 2 * (1 - level)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    palm = np.array([[-0.42, -0.62], [0.42, -0.62], [0.42, 0.12], [-0.42, 0.12]])
    thumb = np.array([[-0.42, 0.06], [-0.36, 0.78], [-0.24, 0.88], [-0.12, 0.78], [-0.08, 0.12]])
    fingers = (np.array([[-0.08, y], [0.42, y]]) for y in (-0.07, -0.25, -0.43))
    drawn = (Outline(thumb, "skin"), Outline(palm, "skin"), *(Outline(line, closed=False) for line in fingers))
    return tuple(Outline(o.points @ turn.T, o.fill, o.closed) for o in drawn)


def _intensity(level: float) -> tuple[Outline, ...]:
    rise = (level + 1) / 2
    return (Outline(_star(center=(0.0, 0.0), radius=0.14 + 0.8 * rise, spikes=12, depth=0.3), "glow"),)


FIGURES: dict[str, Callable[[float], tuple[Outline, ...]]] = {
    "valence": _valence,
    "arousal": _arousal,
    "dominance": _dominance,
    "liking": _liking,
    "intensity": _intensity,
}


def _circle(center: tuple[float, float], radius: float, *, squeeze: float = 1.0) -> Points:
    angle = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)
    return np.column_stack([np.cos(angle), np.sin(angle) * squeeze]) * radius + center


def _bust() -> tuple[Outline, Outline]:
    angle = np.linspace(0, np.pi, _ROUND)
    shoulders = np.column_stack([np.cos(angle) * 0.80, np.sin(angle) ** 0.7 * 0.95 - 1.0])
    return Outline(shoulders, "skin"), Outline(_circle((0.0, 0.45), 0.50), "skin")


_EYES = ((-0.19, 0.55), (0.19, 0.55))


def _eyes(radius: float) -> tuple[Outline, ...]:
    return tuple(Outline(_circle(at, radius, squeeze=1.25), "ink") for at in _EYES)


def _open_eyes(radius: float) -> tuple[Outline, ...]:
    """Two eyes that are wider open the larger the radius, with pupils."""
    whites = (Outline(_circle(at, radius, squeeze=1.2), "white") for at in _EYES)
    return (*whites, *(Outline(_circle(at, 0.04), "ink") for at in _EYES))


def _closed_eyes() -> tuple[Outline, ...]:
    x = np.linspace(-0.09, 0.09, 9)
    return tuple(Outline(np.column_stack([x + side, 0.53 + 5 * x**2]), closed=False) for side in (-0.19, 0.19))


def _brows(sorrow: float) -> tuple[Outline, ...]:
    """Two brows whose inner ends rise with sorrow."""
    slope = 0.05 * max(0.0, sorrow)
    return tuple(
        Outline(np.array([[side * 0.10, 0.71 + slope], [side * 0.29, 0.71 - slope]]), closed=False) for side in (-1, 1)
    )


def _mouth(smile: float) -> Outline:
    x = np.linspace(-1, 1, 25)
    width = 0.20 + 0.06 * abs(smile)
    return Outline(np.column_stack([x * width, 0.24 + 0.17 * smile * (x**2 - 0.5)]), closed=False)


def _star(*, center: tuple[float, float], radius: float, spikes: int, depth: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 2 * spikes, endpoint=False) + np.pi / 2
    r = np.where(np.arange(2 * spikes) % 2 == 0, radius, radius * (1 - depth))
    return np.asarray(np.column_stack([np.cos(angle), np.sin(angle)]) * r[:, None] + center, np.float64)
