"""One picture on the graphics card, drawn letterboxed, for pages and frames alike; and the photodiode's patch."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray


@contextmanager
def identity(gl: Any) -> Iterator[None]:
    """Draw in the screen's own coordinates, -1 .. 1, and leave everything as PsychoPy had it."""
    for mode in (gl.GL_PROJECTION, gl.GL_MODELVIEW):
        gl.glMatrixMode(mode)
        gl.glPushMatrix()
        gl.glLoadIdentity()
    gl.glPushAttrib(gl.GL_ENABLE_BIT | gl.GL_TEXTURE_BIT | gl.GL_CURRENT_BIT)
    # the picture as it is: what PsychoPy has switched on for its own stimuli doubles the cost where software draws
    for feature in (gl.GL_BLEND, gl.GL_DEPTH_TEST, gl.GL_MULTISAMPLE, gl.GL_DITHER):
        gl.glDisable(feature)
    yield
    gl.glPopAttrib()
    for mode in (gl.GL_PROJECTION, gl.GL_MODELVIEW):
        gl.glMatrixMode(mode)
        gl.glPopMatrix()


class Texture:
    """A texture of a fixed size; the window's GL context must be current.

    Parameters
    ----------
    width_px, height_px : int
        Of the pictures that will be uploaded.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        from pyglet import gl

        self._gl, self.width_px, self.height_px = gl, width_px, height_px
        self._id = gl.GLuint()
        gl.glGenTextures(1, ctypes.byref(self._id))
        self._bind()
        # the edge's own colour beyond the edge: no seam where a picture is scaled
        for name in (gl.GL_TEXTURE_WRAP_S, gl.GL_TEXTURE_WRAP_T):
            gl.glTexParameteri(gl.GL_TEXTURE_2D, name, gl.GL_CLAMP_TO_EDGE)
        self._filter(gl.GL_LINEAR)
        gl.glTexImage2D(
            gl.GL_TEXTURE_2D, 0, gl.GL_RGB8, width_px, height_px, 0, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, None
        )  # fmt: skip
        self._release()

    def upload(self, rgb: NDArray[np.uint8]) -> None:
        """Replace the picture; ``rgb`` is uint8, shape (height_px, width_px, 3)."""
        gl, rgb = self._gl, np.ascontiguousarray(rgb)
        if rgb.shape != (self.height_px, self.width_px, 3) or rgb.dtype != np.uint8:
            raise ValueError(f"picture of {rgb.shape} {rgb.dtype}: this texture takes {self.height_px} x {self.width_px} x 3")
        self._bind()
        gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 1)
        gl.glTexSubImage2D(
            gl.GL_TEXTURE_2D, 0, 0, 0, self.width_px, self.height_px, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, rgb.ctypes.data
        )  # fmt: skip
        self._release()

    def draw(self, width: float, height: float) -> None:
        """Draw it in the middle, over these shares of the screen's width and height."""
        gl = self._gl
        with identity(gl):
            self._bind()
            gl.glTexEnvi(gl.GL_TEXTURE_ENV, gl.GL_TEXTURE_ENV_MODE, gl.GL_REPLACE)
            self._filter(gl.GL_NEAREST if self._is_drawn_pixel_by_pixel(width, height) else gl.GL_LINEAR)
            gl.glBegin(gl.GL_QUADS)
            for s, t, x, y in ((0, 1, -1, -1), (1, 1, 1, -1), (1, 0, 1, 1), (0, 0, -1, 1)):  # row 0 is the top
                gl.glTexCoord2f(s, t)
                gl.glVertex2f(x * width, y * height)
            gl.glEnd()
            self._release()

    def close(self) -> None:
        """Free the graphics card's memory."""
        self._gl.glDeleteTextures(1, ctypes.byref(self._id))

    def _is_drawn_pixel_by_pixel(self, width: float, height: float) -> bool:
        viewport = (ctypes.c_int * 4)()
        self._gl.glGetIntegerv(self._gl.GL_VIEWPORT, viewport)
        return (round(viewport[2] * width), round(viewport[3] * height)) == (self.width_px, self.height_px)

    def _filter(self, how: int) -> None:
        for name in (self._gl.GL_TEXTURE_MAG_FILTER, self._gl.GL_TEXTURE_MIN_FILTER):
            self._gl.glTexParameteri(self._gl.GL_TEXTURE_2D, name, how)

    def _bind(self) -> None:
        gl = self._gl
        gl.glActiveTexture(gl.GL_TEXTURE0)
        gl.glEnable(gl.GL_TEXTURE_2D)
        gl.glBindTexture(gl.GL_TEXTURE_2D, self._id)

    def _release(self) -> None:
        self._gl.glBindTexture(self._gl.GL_TEXTURE_2D, 0)
        self._gl.glDisable(self._gl.GL_TEXTURE_2D)


class Patch:
    """A square in a corner of the screen that a photodiode looks at: black, and white for one flip.

    Parameters
    ----------
    corner : str
        ``top-left``, ``top-right``, ``bottom-left`` or ``bottom-right``.
    side : tuple of float
        Of the square, in shares of the screen's width and height.
    """

    def __init__(self, corner: str, side: tuple[float, float]) -> None:
        from pyglet import gl

        self._gl = gl
        vertical, _, horizontal = corner.partition("-")
        width, height = 2 * side[0], 2 * side[1]  # the screen spans -1 .. 1
        self._left = -1.0 if horizontal == "left" else 1.0 - width
        self._bottom = -1.0 if vertical == "bottom" else 1.0 - height
        self._right, self._top = self._left + width, self._bottom + height

    def draw(self, *, white: bool) -> None:
        """Draw it over whatever was drawn."""
        gl = self._gl
        with identity(gl):
            gl.glDisable(gl.GL_TEXTURE_2D)
            level = 1.0 if white else 0.0
            gl.glColor4f(level, level, level, 1.0)
            gl.glRectf(self._left, self._bottom, self._right, self._top)
            gl.glColor4f(1.0, 1.0, 1.0, 1.0)
