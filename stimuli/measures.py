"""What a clip does to ears and eyes: its loudness (EBU R128), and how often it flashes (WCAG 2.2, 2.3.1)."""

from __future__ import annotations

from typing import Any

import av
import av.filter
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48000
_SILENT_LUFS = -70.0  # the standard's absolute gate: nothing below it is counted
# A flash counts from a quarter of any 10 degrees of the visual field on: 341 x 256 of 1024 x 768 pixels (WCAG 2.2), of which a
# quarter is one part in 36 of the picture. Two by two of these cells, half overlapping with the next, are one part in 27.
CELLS = (9, 12)
_PIXELS_PER_CELL = 8
_STEP = 0.1  # of the largest relative luminance
_SAME_S = 0.002  # times are rounded: what is a second apart is not in one second
_DARK = 0.8  # the darker picture of a flash is below this


class Loudness:
    """Measures the programme loudness of what it is fed, as the participant hears it: stereo at 48 kHz."""

    def __init__(self) -> None:
        self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE_HZ)
        self._graph = av.filter.Graph()
        self._source = self._graph.add_abuffer(sample_rate=RATE_HZ, format="fltp", layout="stereo")
        meter, sink = self._graph.add("ebur128", "metadata=1"), self._graph.add("abuffersink")
        self._source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()
        self._said: str | None = None

    def add(self, frame: Any) -> None:
        """Take in a frame of sound."""
        for piece in self._resampler.resample(frame):
            piece.pts = None
            self._graph.push(piece)
            self._pull()

    @property
    def lufs(self) -> float | None:
        """Loudness in LUFS; None where there was nothing to be heard for 0.4 s."""
        value = float(self._said) if self._said else _SILENT_LUFS
        return round(value, 1) if value > _SILENT_LUFS else None

    def _pull(self) -> None:
        while True:
            try:
                self._said = self._graph.pull().metadata.get("lavfi.r128.I", self._said)
            except (av.BlockingIOError, av.EOFError):
                return


class Flashes:
    """Counts general flashes in the picture's parts."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._light: list[NDArray[np.float64]] = []

    def add(self, frame: Any, time_s: float) -> None:
        """Take in a picture."""
        rows, columns = CELLS
        height, width = rows * _PIXELS_PER_CELL, columns * _PIXELS_PER_CELL
        small = frame.reformat(width=width, height=height, format="gray", interpolation="AREA").to_ndarray()
        cells = relative_luminance(small).reshape(rows, _PIXELS_PER_CELL, columns, _PIXELS_PER_CELL).mean(axis=(1, 3))
        self._times.append(time_s)
        self._light.append((cells[:-1, :-1] + cells[1:, :-1] + cells[:-1, 1:] + cells[1:, 1:]).ravel() / 4)

    @property
    def most_in_a_second(self) -> int:
        """The flashes in the busiest second of the busiest part."""
        return most_flashes(np.array(self._times), np.array(self._light)) if self._light else 0


def relative_luminance(gray: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return relative luminance, 0 to 1, of sRGB grey values, 0 to 255 (WCAG 2.2)."""
    share = np.arange(256) / 255
    table = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(table[gray])


def most_flashes(times_s: NDArray[np.float64], light: NDArray[np.float64]) -> int:
    """Return how many general flashes the busiest second of any part holds.

    A flash is a pair of opposing changes of relative luminance by a tenth or more, the darker picture below 0.8 (WCAG 2.2,
    success criterion 2.3.1); half a pair counts, so that seven changes are four flashes.

    Parameters
    ----------
    times_s : ndarray, shape (n_frames,)
        Seconds.
    light : ndarray, shape (n_frames, n_parts)
        Relative luminance, 0 to 1.
    """
    most = 0
    for course in light.T:
        if np.ptp(course) < _STEP:
            continue
        turns = times_s[_turns(course)]
        counts = np.arange(len(turns)) - np.searchsorted(turns, turns - 1.0 + _SAME_S, side="right") + 1
        most = max(most, int(counts.max(initial=0)))
    return (most + 1) // 2


def _turns(course: NDArray[np.float64]) -> list[int]:
    """Return where the light has changed by a tenth against the direction before."""
    turns: list[int] = []
    low = high = float(course[0])
    rising: bool | None = None
    for n, value in enumerate(course.tolist()):
        if rising is not True and value - low >= _STEP:
            turns += [n] if low < _DARK else []
            rising, low, high = True, value, value
        elif rising is not False and high - value >= _STEP:
            turns += [n] if value < _DARK else []
            rising, low, high = False, value, value
        low, high = min(low, value), max(high, value)
    return turns
