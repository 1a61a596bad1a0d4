"""How an emotion shows in the simulated EEG: bumps in the spectrum at places on the head, with a rhythm in time.

Loosely after the literature (frontal alpha asymmetry, frontal theta, temporal gamma that is mostly face muscle), but made to
be found, not to be true: each emotion changes the *shape* of the spectrum inside each of the paper's three bands (1-14,
14-31, 31-51 Hz) and waxes and wanes at its own pace, so that no scaling of a window can remove it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from collector.twin.knobs import random
from collector.twin.sensors import REGIONS, SENSORS

EFFECT_DB = 6.0  # what effect 1 at intensity 1 adds in the middle of a bump


@dataclass(frozen=True)
class Bump:
    """A rise (or, negative, a fall) of power around a frequency in a region; 1 = :data:`EFFECT_DB` at effect 1."""

    centre_hz: float
    width_hz: float
    region: str
    rise: float


@dataclass(frozen=True)
class Pattern:
    """An emotion's bumps, and the rhythm (Hz) in which what they add waxes and wanes."""

    bumps: tuple[Bump, ...]
    rhythm_hz: float

    def rises(self, freqs: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the change of power, shape (n_sensors, n_freqs), in units of :data:`EFFECT_DB`."""
        total = np.zeros((len(SENSORS), len(freqs)))
        for bump in self.bumps:
            total += bump.rise * np.outer(REGIONS[bump.region], np.exp(-0.5 * ((freqs - bump.centre_hz) / bump.width_hz) ** 2))
        return total.astype(np.float32)


_PATTERNS = {
    "happiness": Pattern(
        (
            Bump(10.0, 2.0, "frontal-left", -1.0),
            Bump(5.0, 1.0, "central", 0.8),
            Bump(18.0, 2.0, "central", 1.0),
            Bump(35.0, 3.0, "temporal", 1.0),
            Bump(35.0, 3.0, "frontal", 0.6),
        ),
        rhythm_hz=1.7,
    ),
    "sadness": Pattern(
        (
            Bump(10.0, 2.0, "frontal-right", -1.0),
            Bump(6.5, 1.0, "frontal", 1.0),
            Bump(28.0, 1.5, "posterior", 1.0),
            Bump(47.0, 2.0, "central", 0.8),
        ),
        rhythm_hz=0.6,
    ),
    "fear": Pattern(
        (
            Bump(10.0, 2.0, "posterior", -1.0),
            Bump(3.0, 1.0, "frontal", 0.8),
            Bump(23.0, 2.0, "frontal", 1.0),
            Bump(23.0, 2.0, "central", 0.8),
            Bump(42.0, 2.5, "temporal", 1.0),
        ),
        rhythm_hz=4.0,
    ),
    "neutral": Pattern((Bump(10.5, 1.5, "posterior", 1.0), Bump(15.5, 1.5, "posterior", 0.6)), rhythm_hz=0.0),
}


@cache
def pattern(emotion: str) -> Pattern:
    """Return an emotion's pattern; a name that is not known here gets one of its own, drawn from the name."""
    if emotion in _PATTERNS:
        return _PATTERNS[emotion]
    rng, bands = random("emotion", emotion), ((2, 13), (15, 30), (32, 48))
    regions = rng.choice([name for name in REGIONS if name != "all"], len(bands))
    bumps = [Bump(rng.uniform(*band), 2.0, str(region), 1.0) for band, region in zip(bands, regions, strict=True)]
    return Pattern(tuple(bumps), float(rng.uniform(0.5, 5)))
