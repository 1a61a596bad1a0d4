"""What mishaps do to the camera's picture: the light, who is in it, and a camera that repeats itself. Pure."""

from __future__ import annotations

import cv2
import numpy as np

from collector.twin.face import NEUTRAL, Identity, Image, draw
from collector.twin.mishaps import Calendar

_DARK, _BRIGHT = 0.08, 4.0  # of the light
_SMALLER = 0.5  # somebody who stands behind the participant, whole in the picture: OpenCV finds the face in every frame
_WIDE = 0.42  # in heights of the picture: what is free beside the participant


class Scenery:
    """The pictures of one camera, as they come out.

    Parameters
    ----------
    seed : int
        The participant's; somebody else enters the picture.
    size_px : (int, int)
        Width and height.
    calendar : Calendar
        What happens when.
    """

    def __init__(self, seed: int, *, size_px: tuple[int, int], calendar: Calendar) -> None:
        self._calendar, self._size_px, self._other = calendar, size_px, Identity.of(seed + 1)
        self._visitor: Image | None = None
        self._last: Image | None = None

    def spoil(self, picture: Image, t_lsl: float) -> Image:
        """Return what the camera gives instead of ``picture``, shape (height, width, 3), at ``t_lsl``."""
        if self._calendar.at(t_lsl, "camera_freeze") is not None and self._last is not None:
            return self._last.copy()
        if self._calendar.at(t_lsl, "face_gone") is not None:
            picture = np.repeat(picture[:, :1], picture.shape[1], axis=1)  # the wall
        if self._calendar.at(t_lsl, "second_face") is not None:
            picture = self._visited(picture)
        light = self._calendar.at(t_lsl, "dark", "bright")
        if light is not None:
            picture = np.asarray(cv2.convertScaleAbs(picture, alpha=_DARK if light.kind == "dark" else _BRIGHT), np.uint8)
        if self._calendar.starts("camera_freeze"):
            self._last = picture.copy()
        return picture

    def _visited(self, picture: Image) -> Image:
        if self._visitor is None:
            height = self._size_px[1]
            small = round(_WIDE * height), round(_SMALLER * height)
            self._visitor = draw(self._other, NEUTRAL, size_px=small)
        visitor, (rows, columns) = self._visitor, picture.shape[:2]
        visited = picture.copy()
        high, wide = min(visitor.shape[0], rows), min(visitor.shape[1], columns)
        visited[rows - high :, columns - wide :] = visitor[:high, :wide]
        return visited
