"""The knobs of the simulated laboratory: what its participants show, and what goes wrong in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from collector.twin.mishaps import Mishap

SEED_VARIABLE = "EMOLAB_TWIN_SEED"
EFFECT_VARIABLE = "EMOLAB_TWIN_EFFECT"


@dataclass(frozen=True)
class Knobs:
    """What the simulated participants show.

    Parameters
    ----------
    effect : float
        How strongly EEG and face carry the clip's emotion: 1 changes the EEG's spectrum by up to 6 dB and moves the face
        fully; 0 changes nothing at all (the canary on which every honest score must be at chance).
    participant, trial, stimulus : float
        Fingerprints in the EEG's spectrum, relative to the standard one: of the person (same in all trials), of the single
        trial, and of the clip (same in all people). None of them knows an emotion.
    eeg_absent, face_absent : float
        Share of trials in which the EEG, or the face, shows nothing.
    eeg_emotions, face_emotions : tuple of str or None
        The emotions that show in the EEG, or in the face; None is all, and ``()`` none.
    blinks_missed : float
        Share of cues to blink that are missed: by the person, or by the EEG alone, or by the face alone, equally often.
    blinks_false : float
        Share of cues after which something else looks like a blink, in the EEG alone or in the face alone, equally often.
    """

    effect: float = 1.0
    participant: float = 1.0
    trial: float = 0.0
    stimulus: float = 0.0
    eeg_absent: float = 0.10
    face_absent: float = 0.15
    eeg_emotions: tuple[str, ...] | None = None
    face_emotions: tuple[str, ...] | None = None
    blinks_missed: float = 0.0
    blinks_false: float = 0.0

    def __post_init__(self) -> None:
        for name in ("effect", "participant", "trial", "stimulus"):
            if not 0 <= getattr(self, name) <= 10:
                raise ValueError(f"{name} = {getattr(self, name)}: must lie in 0..10")
        for name in ("eeg_absent", "face_absent", "blinks_missed", "blinks_false"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must lie in 0..1")


@dataclass(frozen=True)
class Faults:
    """What goes wrong in a simulated session; by default nothing.

    Seconds count from the session's start (the marker ``session/start``) on the recorder's own clock.

    Parameters
    ----------
    gaps : tuple of (float, float)
        ``(at_s, duration_s)``: EEG samples that never arrive; the device's counter runs on.
    sampling_ppm : float
        The headset samples faster (positive) or slower than its nominal rate.
    clock_offset_s, clock_ppm : float
        The clock of the computer that sends the EEG: how far it is ahead of the recorder's at the session's start, and how
        much faster it runs. Both are seen by the recorder in its clock-offset measurements alone.
    offset_noise_s : float
        Standard deviation of such a measurement.
    display_latency_s : float
        From a flip, which a marker is stamped with, to the light that leaves the screen.
    eeg_latency_s, eeg_jitter_s : float
        From a sample's birth to its stamp: constant part, and standard deviation of the rest. The device's own column
        ``Timestamp`` knows the birth.
    camera_latency_s : float
        From a frame's exposure to its stamp.
    impulses_s : tuple of float
        Where one EEG sample rises by :attr:`impulse_uv` in every sensor and one video frame is white.
    impulse_trials : tuple of int
        The same at the light of the onset of these trials' clips: :attr:`display_latency_s` after the marker.
    impulse_uv : float
        Height of an impulse, microvolts.
    quality_ends_s : float or None
        When both quality streams fall silent.
    no_quality, no_camera : bool
        The device sends no quality streams at all; there is no camera.
    sends_chunks_s : float
        Live alone: the EEG comes in bursts of so many seconds (Emotiv's Chunk mode); 0: as it is born.
    sends_float32 : bool
        Live alone: all streams come in single precision, which holds no Unix time.
    sends_half : bool
        Live alone: the EEG has half the rate, 128 Hz.
    mishaps : tuple of Mishap
        What happens to the devices at a certain second.
    """

    gaps: tuple[tuple[float, float], ...] = ()
    sampling_ppm: float = 0.0
    clock_offset_s: float = 0.0
    clock_ppm: float = 0.0
    offset_noise_s: float = 0.0
    display_latency_s: float = 0.0
    eeg_latency_s: float = 0.0
    eeg_jitter_s: float = 0.0
    camera_latency_s: float = 0.0
    impulses_s: tuple[float, ...] = ()
    impulse_trials: tuple[int, ...] = ()
    impulse_uv: float = 2000.0
    quality_ends_s: float | None = None
    no_quality: bool = False
    no_camera: bool = False
    sends_chunks_s: float = 0.0
    sends_float32: bool = False
    sends_half: bool = False
    mishaps: tuple[Mishap, ...] = ()


LIVE = ("sends_chunks_s", "sends_float32", "sends_half")
"""The faults of a program that sends: a recording of a cohort has none."""


def random(*parts: int | str) -> np.random.Generator:
    """Return a generator that depends on nothing but ``parts``.

    Whatever is drawn twice, in another process or another order, comes out the same: no generator is shared.

    Examples
    --------
    >>> bool(random(1, "blink", 7).random() == random(1, "blink", 7).random())
    True
    """
    return np.random.default_rng([crc32(p.encode()) if isinstance(p, str) else p for p in parts])


def seed_of(participant: str, *, seed: int = 0) -> int:
    """Return the seed of a participant's label, so that every process of a live session simulates the same person."""
    return int(random(seed, "participant", participant).integers(2**31))


def environment(*, seed: int, effect: float) -> dict[str, str]:
    """Return what tells the processes of a live session whom to simulate: the headset and the camera live in two."""
    return {SEED_VARIABLE: str(seed), EFFECT_VARIABLE: repr(effect)}


def from_environment() -> tuple[int, float]:
    """Return seed and effect as :func:`environment` wrote them; without them, participant 0 at effect 1.

    Raises
    ------
    ValueError
        When they are no numbers.
    """
    return int(os.environ.get(SEED_VARIABLE, "0")), float(os.environ.get(EFFECT_VARIABLE, "1"))
