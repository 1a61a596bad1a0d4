"""The simulated brain: EEG in blocks, the same live and offline.

Overlap-add synthesis: frames of one second, half a second apart, each with its own generator (so nothing depends on how many
samples are asked for at a time) and the spectrum of the state at its beginning (so nothing depends on the future).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from collector.twin.blinks import Blinks
from collector.twin.emotions import EFFECT_DB, pattern
from collector.twin.knobs import Knobs, random
from collector.twin.sensors import PLACES, REGIONS, SENSORS, SFREQ, spread
from collector.twin.timeline import State

OFFSET_UV = 4200.0  # Emotiv's amplifiers report microvolts above a floor
_BACKGROUND_UV2 = 40.0  # uV^2/Hz at 1 Hz
_ALPHA_UV2 = 30.0  # uV^2/Hz at the peak, posterior
_NOISE_UV = 0.8  # of the amplifier
_BLINK_UV = 120.0
_MAINS_UV = 4.0
_DRIFT_UV, _DRIFT_S = 15.0, 47.0  # slow wandering of the offset
_RHYTHM_DEPTH = 0.9
_BUMPS = 4  # of a fingerprint
_POOR_UV = 6.0  # what a sensor without contact adds in noise

Times = NDArray[np.float64]


def fingerprint(rng: np.random.Generator, freqs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw the spectral shape of somebody or something, dB, shape (n_sensors, n_freqs); it knows no emotion."""
    shape = np.zeros((len(SENSORS), len(freqs)))
    for _ in range(_BUMPS):
        centre, width = rng.uniform(2, 48), rng.uniform(1, 4)
        height = rng.normal(0, 1.5) + rng.normal(0, 0.7, (len(SENSORS), 1))
        shape += height * np.exp(-0.5 * ((freqs - centre) / width) ** 2)
    return shape


class Head:
    """What stays the same in a participant's EEG: the power spectrum and its dependence on the state.

    Parameters
    ----------
    seed : int
        The participant's.
    knobs : Knobs
        Strengths of the effect and of the fingerprints.
    freqs : ndarray, shape (n_freqs,)
        Hz.
    """

    def __init__(self, seed: int, knobs: Knobs, freqs: NDArray[np.float64]) -> None:
        rng, n, own = random(seed, "head"), len(SENSORS), knobs.participant
        self._seed, self._knobs, self._freqs = seed, knobs, freqs
        gain_db = rng.normal(0, 3, (n, 1))
        exponent, alpha_hz, alpha_db = 1 + rng.normal(0, 0.2) * own, 10 + rng.normal(0, 0.8) * own, rng.normal(0, 3) * own
        self._own_db = own * (gain_db + fingerprint(rng, freqs))
        self.sensitivity = float(np.clip(1 + rng.normal(0, 0.25), 0.5, 1.5))
        self.mains_uv = _MAINS_UV * 10 ** (rng.normal(0, 6, n) * own / 20)
        self.mains_phase = rng.uniform(0, 2 * np.pi)
        self.offset_uv = OFFSET_UV + rng.normal(0, 60, n)
        self.drift_phase = rng.uniform(0, 2 * np.pi, n)
        self._background = np.where(freqs > 0, _BACKGROUND_UV2 / np.maximum(freqs, 0.5) ** exponent, 0.0)
        posterior = (0.2 + 0.8 * REGIONS["posterior"])[:, None]
        self._alpha = posterior * _ALPHA_UV2 * 10 ** (alpha_db / 10) * np.exp(-0.5 * ((freqs - alpha_hz) / 0.9) ** 2)
        self.spectra = lru_cache(maxsize=64)(self._spectra)

    def _spectra(
        self, kind: str, target: str | None, strength: float, trial: int | None, stim_id: str | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
        """Return power of the background and of what the emotion adds, uV^2/Hz, and the rhythm of the latter, Hz."""
        db = self._own_db
        if trial is not None and self._knobs.trial:
            db = db + self._knobs.trial * fingerprint(random(self._seed, "trial shape", trial), self._freqs)
        if stim_id is not None and self._knobs.stimulus:
            db = db + self._knobs.stimulus * fingerprint(random("stimulus shape", stim_id), self._freqs)
        alpha = self._alpha * (4.0 if kind == "eyes_closed" else 1.0)
        power = (self._background + alpha) * 10 ** (db / 10)
        emotion = pattern(target) if target else None
        if emotion is None:
            return power.astype(np.float32), np.zeros_like(power, np.float32), 0.0
        # no branch on the strength: at 0 the same steps multiply by exactly 1 and add exactly 0
        change_db = EFFECT_DB * self.sensitivity * strength * emotion.rises(self._freqs)
        added = power * (10 ** (np.maximum(change_db, 0) / 10) - 1)
        power = power * 10 ** (np.minimum(change_db, 0) / 10)
        return power.astype(np.float32), added.astype(np.float32), emotion.rhythm_hz


class Brain:
    """EEG of one participant, sample after sample.

    Parameters
    ----------
    seed : int
        The participant's.
    state_at : callable
        LSL seconds to the state at that time, as :meth:`~collector.twin.timeline.Timeline.state_at`.
    time_of : callable
        Sample numbers to LSL seconds; how fast the device really samples.
    knobs : Knobs
        What shows.
    line_freq : float
        Mains, Hz.
    contact : ndarray, shape (n_sensors,), optional
        Share of good contact, 0 to 1; a poor sensor is noisy.
    cues : sequence of float
        LSL seconds of the light of the cues to blink; may grow.
    """

    def __init__(
        self,
        seed: int,
        *,
        state_at: Callable[[float], State],
        time_of: Callable[[Times], Times],
        knobs: Knobs | None = None,
        line_freq: float = 50.0,
        contact: NDArray[np.float64] | None = None,
        cues: Sequence[float] = (),
    ) -> None:
        self._seed, self._state_at, self._time_of, self._cues = seed, state_at, time_of, cues
        self._n = int(SFREQ)  # samples in a frame
        freqs = scipy.fft.rfftfreq(self._n, 1 / SFREQ)
        self._head, self._blinks, self._line_freq = Head(seed, knobs or Knobs(), freqs), Blinks(seed, knobs), line_freq
        self._mix, self._contact = spread(), np.ones(len(SENSORS)) if contact is None else contact
        # two such windows half a frame apart have squares that sum to 1: noise keeps its power
        self._window = np.sin(np.pi * (np.arange(self._n) + 0.5) / self._n).astype(np.float32)
        self._blink_uv = _BLINK_UV * np.exp(-PLACES[:, 0])
        self._noise_uv = np.hypot(_NOISE_UV, _POOR_UV * (1 - self._contact)).astype(np.float32)[:, None]
        self._next, self._hop = 0, 0
        self._tail = self._frame(-1)[:, self._n // 2 :]
        self._ready = np.zeros((len(SENSORS), 0), np.float32)

    def take(self, n: int) -> NDArray[np.float32]:
        """Return the next samples, microvolts with the device's offset, shape (n, n_sensors)."""
        parts, have = [self._ready], self._ready.shape[1]
        while have < n:
            parts.append(self._next_hop())
            have += parts[-1].shape[1]
        ready = np.concatenate(parts, axis=1)
        noise, self._ready = ready[:, :n], ready[:, n:]
        first, self._next = self._next, self._next + n
        return np.ascontiguousarray((noise + self._steady(np.arange(first, first + n))).T)

    def _next_hop(self) -> NDArray[np.float32]:
        """Return the next half second of noise: the end of one frame over the beginning of the next."""
        frame = self._frame(self._hop)
        hop = self._tail + frame[:, : self._n // 2]
        self._tail, self._hop = frame[:, self._n // 2 :], self._hop + 1
        return hop

    def _frame(self, k: int) -> NDArray[np.float32]:
        """Return frame ``k``, shape (n_sensors, n), microvolts; it begins at sample ``k * n / 2`` (k >= -1)."""
        state = self._state_at(float(self._time_of(np.array([max(k, 0) * (self._n // 2)], np.float64))[0]))
        power, added, rhythm_hz = self._head.spectra(state.kind, state.target, state.eeg, state.trial, state.stim_id)
        rng = random(self._seed, "frame", k + 1)
        noise = rng.standard_normal((2, *power.shape, 2), np.float32)
        # each normal has variance 1; a frame's variance is then the integral of the power
        z = self._mix @ (noise[..., 0] + 1j * noise[..., 1]) * np.float32(0.5 * np.sqrt(SFREQ * self._n))
        background, extra = scipy.fft.irfft(z * np.sqrt(np.stack([power, added])), self._n, axis=-1)
        white = self._noise_uv * rng.standard_normal(background.shape, np.float32)
        frame: NDArray[np.float32] = self._window * (background + extra * self._rhythm(k, rhythm_hz) + white)
        return frame

    def _lids_down(self, t_lsl: float) -> bool:
        return self._state_at(t_lsl).kind == "eyes_closed"

    def _rhythm(self, k: int, rhythm_hz: float) -> NDArray[np.float32]:
        """Return how what the emotion adds waxes and wanes, mean square 1, shape (n,)."""
        samples = k * (self._n // 2) + np.arange(self._n)
        depth = _RHYTHM_DEPTH if rhythm_hz else 0.0
        swing = 1 + depth * np.sin(2 * np.pi * rhythm_hz * samples / SFREQ)
        return np.asarray(swing / np.sqrt(1 + depth**2 / 2), np.float32)

    def _steady(self, samples: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what is no noise: offset, drift, mains, blinks; shape (n_sensors, n)."""
        times, head = self._time_of(samples.astype(np.float64)), self._head
        drift = _DRIFT_UV * np.sin(2 * np.pi * times / _DRIFT_S + head.drift_phase[:, None])
        mains = np.outer(head.mains_uv, np.sin(2 * np.pi * self._line_freq * times + head.mains_phase))
        closed = self._blinks.closure(times, cues=self._cues, seen="eeg", down=self._lids_down)
        total = head.offset_uv[:, None] + drift + mains + np.outer(self._blink_uv, closed)
        return np.asarray(total, np.float32)
