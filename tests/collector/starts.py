"""The beginning of a session as the headset gives it: baselines and cues to blink, on a head, or on a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from collector.contact import Eeg
from collector.twin.eeg import Brain
from collector.twin.sensors import SENSORS, SFREQ
from collector.twin.timeline import State
from protocol.schedule import generator
from protocol.steps import CUE_GAP_S, gaps

T0 = 5000.0
OPENED, CLOSED = (T0 + 3.0, T0 + 13.0), (T0 + 16.0, T0 + 26.0)
CUES_AT = T0 + 32.0
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """EEG, the stamps of the cues, and the baselines."""

    eeg: Eeg
    cues: tuple[float, ...]

    def of(self, *labels: str) -> Eeg:
        """Return some of its sensors."""
        return Eeg(labels, self.eeg.uv[[self.eeg.labels.index(label) for label in labels]], self.eeg.sfreq, self.eeg.t_first)


def cues_of(seed: int, n: int = 12) -> tuple[float, ...]:
    """Return when cues come, as a session has them."""
    times = CUES_AT + np.cumsum([0.0, *gaps(n - 1, CUE_GAP_S, generator(seed, "start"))])
    return tuple(times.tolist())


def worn(
    seed: int, *, n: int = 12, missed: int = 0, sfreq: float = SFREQ, latency_s: float = 0.06, noise_uv: float = 0.0,
    tail_s: float = 8.0,
) -> Start:  # fmt: skip
    """Return a start with the cap on somebody's head, who does not answer some of the cues."""
    rng, cues = np.random.default_rng(seed), cues_of(seed, n)
    answered = sorted(rng.permutation(np.array(cues))[missed:].tolist())

    def state_at(t: float) -> State:
        kind = "baseline" if OPENED[0] <= t < OPENED[1] else "eyes_closed" if CLOSED[0] <= t < CLOSED[1] else "idle"
        return State(kind, T0)  # type: ignore[arg-type]

    brain = Brain(seed, state_at=state_at, time_of=lambda samples: T0 + samples / SFREQ, cues=answered)
    uv = brain.take(round((cues[-1] - T0 + tail_s) * SFREQ)).T.astype(np.float64)
    if sfreq != SFREQ:
        ratio = {128.0: (1, 2), 500.0: (125, 64), 100.0: (25, 64)}[sfreq]
        centre = uv.mean(axis=1, keepdims=True)
        uv = signal.resample_poly(uv - centre, *ratio, axis=1) + centre
    uv += rng.normal(0, noise_uv, uv.shape) if noise_uv else 0.0
    return Start(Eeg(SENSORS, uv, sfreq, T0 + latency_s), cues)


Spoil = Callable[[np.random.Generator, Floats, int], Floats]
"""From a generator, the times, shape (n_times,), and the number of sensors to microvolts, shape (n_sensors, n_times)."""


def on_table(seed: int, kind: str, *, n: int = 12, sfreq: float = SFREQ, tail_s: float = 8.0) -> Start:
    """Return a start with the cap on a table; ``kind`` is one of :data:`TABLES`."""
    rng, cues = np.random.default_rng([seed, 7]), cues_of(seed, n)
    times = np.arange(round((cues[-1] - T0 + tail_s) * sfreq)) / sfreq
    uv = 4200.0 + TABLES[kind](rng, times, len(SENSORS))
    return Start(Eeg(SENSORS, uv, sfreq, T0), cues)


def _white(rng: np.random.Generator, times: Floats, n: int) -> Floats:
    return rng.normal(0, rng.choice([0.5, 6.0, 40.0, 150.0]), (n, len(times)))


def _mains(rng: np.random.Generator, times: Floats, n: int) -> Floats:
    swell = 1 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.05, 2.0) * times)
    hum = rng.uniform(5, 300) * swell * np.sin(2 * np.pi * 50 * times + rng.uniform(0, 6))
    return np.outer(rng.uniform(0.2, 1.5, n), hum) + rng.normal(0, 1.0, (n, len(times)))


def _flat(rng: np.random.Generator, times: Floats, n: int) -> Floats:
    return np.zeros((n, len(times)))


def _bumps(rng: np.random.Generator, times: Floats, *, per_s: float, after_s: float) -> Floats:
    """Steps that decay, at random, as electrodes pop."""
    line = np.zeros(len(times))
    for t in rng.uniform(0, times[-1], rng.poisson(per_s * times[-1])):
        late = np.maximum(times - t, 0.0)
        line += rng.uniform(50, 400) * rng.choice([-1, 1]) * np.where(times >= t, np.exp(-late / after_s), 0.0)
    return line


def _pops(rng: np.random.Generator, times: Floats, n: int) -> Floats:
    """Each electrode for itself."""
    after_s = rng.uniform(0.05, 0.4)
    per_s = rng.uniform(0.1, 0.8)
    return np.array([_bumps(rng, times, per_s=per_s, after_s=after_s) for _ in range(n)]) + _white(rng, times, n) / 20


def _cable(rng: np.random.Generator, times: Floats, n: int) -> Floats:
    """Somebody moves the cable: all electrodes, each as much as it likes."""
    line = _bumps(rng, times, per_s=rng.uniform(0.05, 0.6), after_s=rng.uniform(0.05, 0.3))
    return np.outer(rng.uniform(0.1, 1.5, n), line) + rng.normal(0, 2.0, (n, len(times)))


def _drift(rng: np.random.Generator, times: Floats, n: int) -> Floats:
    walk = np.cumsum(rng.normal(0, rng.uniform(1, 20), (n, len(times))), axis=1) / np.sqrt(1 / (times[1] - times[0]))
    return np.asarray(walk + rng.normal(0, 1.0, walk.shape))


TABLES: dict[str, Spoil] = {
    "white": _white, "mains": _mains, "flat": _flat, "pops": _pops, "cable": _cable, "drift": _drift,
}  # fmt: skip
