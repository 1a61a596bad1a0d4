"""Made-up sessions with known latencies: what a camera and an amplifier would have seen of cues and flashes."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bids_export import sync, sync_events
from bids_export.arrays import Floats
from bids_export.sync import Leg

SECOND_PHASE_S = 1200.0
CUE_GAP_S, FLASH_GAP_S = (1.5, 4.0), (1.0, 1.6)  # as a session has them
WHITE, BLACK = 0.18, -0.10  # how the face's brightness follows the screen's


@dataclass(frozen=True)
class Case:
    """One session: true moments of what happened, and how late each device stamps them."""

    rng: np.random.Generator
    display_s: float
    camera_s: float
    camera_eeg_s: float  # at LSL second 0
    drift: float
    fps: float
    sfreq: float
    cues: Floats
    flashes: Floats
    in_eeg: Floats
    in_face: Floats

    @classmethod
    def draw(cls, seed: int) -> Self:
        """Draw 10 to 30 blinks, of which about a tenth miss in one of the two, and as many false ones."""
        rng = np.random.default_rng(seed)
        display_s, camera_s, camera_eeg_s = rng.uniform(0, 0.1), rng.uniform(0, 0.3), rng.uniform(0, 2.5)
        cues = _phases(rng, int(rng.integers(10, 31)), CUE_GAP_S, start=20.0)
        flashes = _phases(rng, int(rng.integers(10, 31)), FLASH_GAP_S, start=120.0)
        blinks = cues + display_s + np.clip(rng.normal(0.35, 0.05, len(cues)), 0.2, 0.6)
        missed = np.where(rng.random(len(cues)) < 0.1, rng.integers(0, 3, len(cues)), -1)
        false = np.where(rng.random(len(cues)) < 0.1, rng.integers(0, 2, len(cues)), -1)
        strays = cues + rng.uniform(0.7, 1.3, len(cues))
        seen = [
            np.sort(np.concatenate([blinks[(missed != by) & (missed != 2)], strays[false == by]])) for by in (0, 1)
        ]  # fmt: skip
        return cls(
            rng, display_s, camera_s, camera_eeg_s, rng.uniform(-100e-6, 100e-6), rng.choice([15.0, 25.0, 30.0]),
            rng.choice([128.0, 256.0]), cues, flashes, *seen,
        )  # fmt: skip

    @property
    def levels(self) -> Floats:
        return np.where(np.arange(len(self.flashes)) % 2 == 0, 1, -1)

    def late(self, times: Floats) -> Floats:
        """Return how much later the EEG is than the camera, LSL seconds of the true moment."""
        return self.camera_eeg_s + self.drift * np.asarray(times)

    def screen_camera(self) -> Leg:
        exposed = self._exposures(self.flashes)
        n = np.searchsorted(self.flashes + self.display_s, exposed, side="right") - 1
        light = np.where(n < 0, 0.0, np.where(self.levels[np.maximum(n, 0)] > 0, WHITE, BLACK))
        seen = 120 * (1 + light + 0.02 * np.sin(exposed)) + self.rng.normal(0, 0.3, len(exposed))
        moments, signs = sync_events.steps(exposed + self.camera_s, seen)
        return sync.measure(
            "screen-camera", self.flashes, moments, method="steps", first_kind=self.levels, second_kind=signs,
            grain_s=1 / self.fps,
        )  # fmt: skip

    def camera_eeg(self, *, other: Self | None = None, asleep: bool = False) -> Leg:
        """Measure the leg; ``other`` lends its video, ``asleep`` people do not blink."""
        in_face, in_eeg = (other or self).in_face, self.in_eeg
        if asleep:
            in_face, in_eeg = np.zeros(0), np.zeros(0)
        exposed = self._exposures(self.cues)
        likeness = 1 - 0.6 * _bumps(exposed, in_face) + self.rng.normal(0, 0.03, len(exposed))
        face = sync_events.closures(exposed + self.camera_s, sync_events.closedness(likeness))
        eeg = [self._blinks(first, last, in_eeg) for first, last in _spans(self.cues)]
        return sync.measure("camera-eeg", face, np.concatenate(eeg), method="blinks")

    def _blinks(self, first: float, last: float, in_eeg: Floats) -> Floats:
        born = np.arange(first, last, 1 / self.sfreq)
        uv = 4200 + 100 * _bumps(born, in_eeg) + self.rng.normal(0, 5, len(born))
        uv += 10 * np.sin(2 * np.pi * 10 * born + self.rng.uniform(0, 6))
        return sync_events.blinks(born + self.camera_s + self.late(born), uv * 1e-6, self.sfreq)

    def _exposures(self, cues: Floats) -> Floats:
        return np.concatenate(
            [np.arange(first + self.rng.uniform(0, 1 / self.fps), last, 1 / self.fps) for first, last in _spans(cues)]
        )


def _phases(rng: np.random.Generator, n: int, gap_s: tuple[float, float], *, start: float) -> Floats:
    """Return cues before and after twenty minutes of clips."""
    before, after = start + np.cumsum(rng.uniform(*gap_s, n // 2)), np.cumsum(rng.uniform(*gap_s, n - n // 2))
    return np.concatenate([before, SECOND_PHASE_S + start + after])


def _spans(cues: Floats) -> list[tuple[float, float]]:
    halves = (cues[cues < SECOND_PHASE_S], cues[cues >= SECOND_PHASE_S])
    return [(float(half.min()) - 3, float(half.max()) + 5) for half in halves if len(half)]


def _bumps(times: Floats, moments: Floats) -> Floats:
    """Return lids that go down and up again within a fifth of a second, 0 to 1."""
    return np.minimum(sum((np.exp(-0.5 * ((times - t) / 0.07) ** 2) for t in moments), np.zeros(len(times))), 1)
