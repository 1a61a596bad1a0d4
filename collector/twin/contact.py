"""How well the simulated cap sits: the device's Overall and the level of each sensor, over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collector.twin.knobs import random
from collector.twin.sensors import SENSORS

LEVELS = (0.0, 1.0, 2.0, 4.0)  # Emotiv's; there is no 3
_POOR = (0, 1, 2)  # what a sensor without good contact shows, in turns
_POOR_SHARE = float(np.mean(_POOR)) / max(LEVELS)  # of good contact, that they stand for on average
_WOBBLE = 3.0  # points of Overall
_PERIODS_S = (11.0, 3.7)
_NEAREST = 0.6  # of the way to the rule's threshold that the wobble may go at most: no moment is on the wrong side


class Contact:
    """Contact of one participant's cap.

    Parameters
    ----------
    seed : int
        The participant's.
    value : float
        What the session's mean is to be, 0 to 1.
    threshold : float
        The study's; the Overall swings around ``value`` without crossing it.
    """

    def __init__(self, seed: int, value: float, *, threshold: float = 0.80) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"contact quality = {value}: must lie in 0..1")
        rng = random(seed, "contact")
        room = 100 * min(_NEAREST * abs(value - threshold), value, 1 - value)
        self._value, self._wobble = value, min(_WOBBLE, room)
        self._phases = rng.uniform(0, 2 * np.pi, 2)
        self._order = rng.permutation(len(SENSORS))
        self._poor = rng.choice(_POOR, len(SENSORS))

    def overall(self, t_s: float) -> float:
        """Return the device's Overall, 0 to 100, at a time of the session."""
        swings = np.sin(2 * np.pi * t_s / np.array(_PERIODS_S) + self._phases)
        return 100 * self._value + self._wobble * float(swings @ (0.7, 0.3))

    def levels(self, t_s: float) -> NDArray[np.float64]:
        """Return the level of every sensor, shape (n_sensors,); their mean share of good contact follows the Overall."""
        n_poor = round(len(SENSORS) * min(1.0, (1 - self.overall(t_s) / 100) / (1 - _POOR_SHARE)))
        levels = np.full(len(SENSORS), max(LEVELS))
        poor = self._order[:n_poor]
        levels[poor] = self._poor[poor]
        return levels

    def shares(self) -> NDArray[np.float64]:
        """Return the share of good contact per sensor for the whole session, 0 to 1: what makes a sensor noisy."""
        n_poor = round(len(SENSORS) * min(1.0, (1 - self._value) / (1 - _POOR_SHARE)))
        shares = np.ones(len(SENSORS))
        poor = self._order[:n_poor]
        shares[poor] = self._poor[poor] / max(LEVELS)
        return shares


def values(n: int, *, below: int, threshold: float, seed: int) -> list[float]:
    """Return the contact quality of ``n`` participants, of whom exactly ``below`` miss the rule.

    At a threshold of 0.80 those below lie between 0.45 and 0.78, the others between 0.84 and 0.99, evenly spread, in random
    order.

    Raises
    ------
    ValueError
        When so many cannot be below.
    """
    if not 0 <= below <= n:
        raise ValueError(f"below = {below}: must lie in 0..{n}, the number of participants")
    if below and threshold <= 0:
        raise ValueError(f"below = {below}: nobody is below a contact_quality.threshold of {threshold:g}")
    worse = threshold * np.linspace(0.5625, 0.975, below) if below else np.zeros(0)
    better = threshold + (1 - threshold) * np.linspace(0.95, 0.20, n - below)
    spread = np.concatenate([worse, better])
    return [float(v) for v in random(seed, "contact values").permutation(spread)]
