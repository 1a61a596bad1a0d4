"""Where things stand on the screen, and how large: in visual angle, so that they are legible from where one sits. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LETTER_DEG = 0.75  # em of DejaVu Sans: capitals of 0.55 degrees, half as large again as ISO 9241-303 prefers (20-22')
LETTER_SHARE = 1 / 28  # of the screen's height, at least: on a coarse screen the angle alone leaves too few pixels
COLUMN_SHARE = 0.94  # of the screen's width, for the nine steps of a scale
_GAP = 0.16  # between buttons, in their height


@dataclass(frozen=True)
class Sheet:
    """A screen to lay things out on: its size and the height of a letter, pixels."""

    width_px: int
    height_px: int
    letter_px: int


@dataclass(frozen=True)
class Box:
    """A rectangle, pixels from the top left corner."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def center(self) -> tuple[float, float]:
        """Its middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def holds(self, x: float, y: float) -> bool:
        """Return whether a point lies in it."""
        return self.left <= x < self.right and self.top <= y < self.bottom


def sheet(size_px: tuple[int, int], *, pixel_m: float, distance_m: float) -> Sheet:
    """Return the sheet of a screen whose pixels have a width and that is seen from a distance, both in metres.

    Examples
    --------
    >>> sheet((1920, 1080), pixel_m=0.53 / 1920, distance_m=0.60).letter_px
    39
    """
    angle_px = distance_m * math.radians(LETTER_DEG) / pixel_m
    return Sheet(*size_px, letter_px=round(max(angle_px, size_px[1] * LETTER_SHARE)))


def letterbox(aspect: float, size_px: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size of a picture of this width / height that fits, pixels.

    Examples
    --------
    >>> letterbox(16 / 9, (640, 480)), letterbox(4 / 3, (1280, 720))
    ((640, 360), (960, 720))
    """
    width, height = size_px
    if aspect * height > width:
        return width, max(1, round(width / aspect))
    return max(1, round(height * aspect)), height


def columns(sheet: Sheet, n: int) -> tuple[Box, ...]:
    """Return the buttons of a scale of ``n`` steps, side by side in the lower half."""
    pitch = min(sheet.width_px * COLUMN_SHARE / n, sheet.letter_px * 4.5)
    side = min(pitch * (1 - _GAP), sheet.letter_px * 2.4)
    left = sheet.width_px / 2 - pitch * (n - 1) / 2
    top = sheet.height_px * 0.70
    return tuple(Box(x - side / 2, top, x + side / 2, top + side) for x in (left + pitch * i for i in range(n)))


def rows(sheet: Sheet, n: int, *, width_px: float) -> tuple[Box, ...]:
    """Return ``n`` buttons below one another, in two columns when there are more than five; read downwards."""
    per_column = n if n <= 5 else math.ceil(n / 2)
    top, bottom = sheet.height_px * 0.27, sheet.height_px * 0.95
    pitch = min((bottom - top) / per_column, sheet.letter_px * 3.4)
    top += (bottom - top - pitch * per_column) / 3
    n_columns = math.ceil(n / per_column)
    width = min(max(width_px, sheet.width_px * 0.3), sheet.width_px * 0.92 / n_columns)
    gap = sheet.letter_px
    left = sheet.width_px / 2 - (width * n_columns + gap * (n_columns - 1)) / 2
    boxes = []
    for i in range(n):
        x, y = left + (i // per_column) * (width + gap), top + (i % per_column) * pitch
        boxes.append(Box(x, y, x + width, y + pitch * (1 - _GAP)))
    return tuple(boxes)


def hit(boxes: Sequence[Box], x: float, y: float) -> int | None:
    """Return which box a point lies in."""
    return next((i for i, box in enumerate(boxes) if box.holds(x, y)), None)
