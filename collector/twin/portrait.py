"""The face in front of the camera: a bank of drawings, moved, lit and made noisy frame by frame.

A drawing takes some 20 ms and a frame from the bank 2 ms, so that the live camera keeps its rate beside everything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import cv2
import numpy as np

from collector.twin.blinks import Blinks
from collector.twin.face import EXPRESSIONS, HALF_WIDTH, MIDDLE, Identity, Image, draw, expression
from collector.twin.knobs import Knobs, random
from collector.twin.timeline import State

_STEP = 0.25  # of intensity between drawings
_STRONGEST = 1.25  # beyond it the drawing falls apart
_LIT = {1.0: 0.18, -1.0: -0.10}  # how much brighter the face is before a white or a black screen
_FADE_S = 0.4  # from neutral to the full expression
_LIDS = (1.0, 0.45, 0.0)  # opening of the eyes in the bank
_NOISE_SD = 1.5  # of the camera, grey levels: stronger noise triples the size of the video
_NOISE_MIDDLE = 16  # the noise is stored as unsigned bytes around this
_MOVES_HZ = 7.5  # the head's pose: moving a picture is what costs most
_ROLL = 64  # pixels by which the noise tile may be shifted

# slow movements, as sums of two sines: amplitude (first, second) and period (first, second) in s
_SWAY = {
    "u": ((0.06, 0.03), (13.0, 3.1)),  # half-widths of the face
    "v": ((0.04, 0.02), (17.0, 4.3)),
    "turn": ((2.0, 0.8), (11.0, 3.7)),  # degrees
    "size": ((0.03, 0.01), (23.0, 5.9)),
    "gain": ((0.02, 0.0), (31.0, 1.0)),
}


class Portrait:
    """One participant's face as the camera sees it.

    Parameters
    ----------
    seed : int
        The participant's.
    size_px : (int, int)
        Width and height of a frame.
    knobs : Knobs, optional
        How reliably the participant blinks when asked to.
    """

    def __init__(self, seed: int, *, size_px: tuple[int, int], knobs: Knobs | None = None) -> None:
        self._seed, self.size_px = seed, size_px
        self._identity, self._blinks = Identity.of(seed), Blinks(seed, knobs)
        rng = random(seed, "camera")
        self._phases = {name: rng.uniform(0, 2 * np.pi, 2) for name in _SWAY}
        height, width = size_px[1] + _ROLL, size_px[0] + _ROLL
        noise = rng.normal(_NOISE_MIDDLE, _NOISE_SD, (height, width, 1)) + rng.normal(0, _NOISE_SD / 2, (height, width, 3))
        self._noise: Image = np.clip(np.round(noise), 0, 255).astype(np.uint8)
        self._bank = lru_cache(maxsize=64)(self._draw)
        self._buffer: Image = np.empty((size_px[1], size_px[0], 3), np.uint8)
        self._moved = lru_cache(maxsize=1)(self._move)

    def prepare(self) -> None:
        """Draw the whole bank now (a second or two), so that no frame is late for it."""
        levels = range(1, int(_STRONGEST / _STEP))
        wanted = [("neutral", 0), *((e, level) for e in EXPRESSIONS if e != "neutral" for level in levels)]
        for emotion, level in wanted:
            for lids in _LIDS:
                self._bank(emotion, level, lids)

    def frame(self, index: int, t_lsl: float, state: State, *, cues: Iterable[float] = ()) -> Image:
        """Return what the camera sees.

        Parameters
        ----------
        index : int
            Number of the frame; decides its noise.
        t_lsl : float
            LSL seconds of the exposure.
        state : State
            What the participant is doing then.
        cues : iterable of float
            LSL seconds of the light of the cues to blink.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3)
            BGR.
        """
        closed = float(self._blinks.closure(np.array([t_lsl]), cues=tuple(cues), seen="face")[0])
        if state.kind == "eyes_closed":
            closed = 1.0
        lids = _LIDS[0 if closed < 0.3 else 1 if closed < 0.65 else 2]
        shown = state.target if state.target in EXPRESSIONS and state.kind in ("clip", "rest") else "neutral"
        strength = (
            min(state.face, _STRONGEST) * min(1.0, max(0.0, t_lsl - state.since) / _FADE_S) if shown != "neutral" else 0.0
        )
        level = round(strength / _STEP)
        moved = self._moved(shown if level else "neutral", level, lids, int(np.floor(t_lsl * _MOVES_HZ)))
        gain = 1 + self._sway("gain", t_lsl) + _LIT.get(state.light, 0.0)
        down, right = random(self._seed, "noise", index).integers(_ROLL, size=2)
        noise = self._noise[down : down + self.size_px[1], right : right + self.size_px[0]]
        return np.asarray(cv2.addWeighted(moved, gain, noise, 1.0, -_NOISE_MIDDLE), np.uint8)

    def _move(self, emotion: str, level: int, lids: float, tick: int) -> Image:
        """Return a drawing in the pose of a moment; the buffer is used again by the next."""
        still, pose = self._bank(emotion, level, lids), self._pose(tick / _MOVES_HZ)
        moved = cv2.warpAffine(still, pose, self.size_px, dst=self._buffer, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    def _pose(self, t_lsl: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return the movement of the head as an affine matrix, shape (2, 3)."""
        width, height = self.size_px
        middle, turn, size = (width / 2, MIDDLE * height), self._sway("turn", t_lsl), 1 + self._sway("size", t_lsl)
        matrix = np.asarray(cv2.getRotationMatrix2D(middle, turn, size), np.float64)
        matrix[:, 2] += HALF_WIDTH * height * np.array([self._sway("u", t_lsl), self._sway("v", t_lsl)])
        return matrix

    def _sway(self, what: str, t_lsl: float) -> float:
        amplitudes, periods = _SWAY[what]
        phase = self._phases[what] + 2 * np.pi * t_lsl / np.array(periods)
        return float(np.sum(np.array(amplitudes) * np.sin(phase)))

    def _draw(self, emotion: str, level: int, lids: float) -> Image:
        return draw(self._identity, expression(emotion, level * _STEP, eyes=lids), size_px=self.size_px)
