"""What happens to the simulated devices at a certain second: a script of mishaps, live and offline the same. Pure.

A script is a TOML file: constants of :class:`~collector.twin.knobs.Faults` at the top, then one table for each mishap::

    eeg_latency_s = 0.06

    [[at]]
    at_s = 20.0
    kind = "drop"
    for_s = 3.0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from collector.twin.sensors import SENSORS

Kind = Literal[
    "drop", "returns_with_other_id", "gap", "freeze_counter", "battery", "contact_bad", "flat", "cap_off", "quality_silent",
    "clock_step", "camera_unplug", "camera_stall", "camera_freeze", "dark", "bright", "face_gone", "second_face",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
Since = Literal["session", "device"]

# what `value` means, and what it is when it is left out
_DEFAULTS: dict[Kind, float] = {"battery": 3.0, "contact_bad": 0.0, "clock_step": 10.0}
_RANGES: dict[Kind, tuple[float, float]] = {"battery": (0, 100), "contact_bad": (0, 1), "clock_step": (-1e6, 1e6)}

Times = NDArray[np.float64]


@dataclass(frozen=True)
class Mishap:
    """One thing that goes wrong.

    Parameters
    ----------
    kind : str
        ``drop``: all streams of the headset vanish, and return with the same source id; ``returns_with_other_id``: the same
        with another; ``gap``: EEG samples never arrive, the counter runs on; ``freeze_counter``: the counter stands still;
        ``battery``: its charge is ``value`` percent; ``contact_bad``: ``sensors`` (or all) have the share ``value`` of good
        contact; ``flat``: ``sensors`` (or all) give a constant; ``cap_off``: nobody wears the cap, which contact quality does
        not notice; ``quality_silent``: no quality readings; ``clock_step``: the wall clock is ``value`` seconds further;
        ``camera_unplug``: the camera is gone and cannot be opened; ``camera_stall``: it is there and gives nothing;
        ``camera_freeze``: it gives the same picture again and again; ``dark``, ``bright``: too little or too much light;
        ``face_gone``: nobody sits there; ``second_face``: somebody stands beside the participant.
    at_s : float
        When it begins.
    for_s : float
        How long it lasts; by default to the end.
    since : {"session", "device"}
        What ``at_s`` counts from: the marker ``session/start``, or the device's first sample or frame.
    value : float, optional
        See ``kind``.
    sensors : tuple of str
        See ``kind``.

    Raises
    ------
    ValueError
        For a value out of its range; one line.
    """

    kind: Kind
    at_s: float
    for_s: float = float("inf")
    since: Since = "session"
    value: float | None = None
    sensors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, allowed in (("kind", KINDS), ("since", get_args(Since))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} = {getattr(self, name)!r}: one of {', '.join(allowed)}")
        if not (0 <= self.at_s < float("inf") and self.for_s > 0):
            raise ValueError(f"at_s = {self.at_s:g}, for_s = {self.for_s:g}: at_s from 0, for_s above 0")
        if unknown := [label for label in self.sensors if label not in SENSORS]:
            raise ValueError(f"sensors: {unknown[0]!r} is none of the headset's: {', '.join(SENSORS)}")
        low, high = _RANGES.get(self.kind, (0, 0))
        if self.value is not None and not (self.kind in _RANGES and low <= self.value <= high):
            means = f"must lie in {low:g}..{high:g}" if self.kind in _RANGES else f"{self.kind} has no value; leave it out"
            raise ValueError(f"value = {self.value:g}: {means}")

    @property
    def amount(self) -> float:
        """``value``, or what it is by default."""
        return _DEFAULTS.get(self.kind, 0.0) if self.value is None else self.value


class Calendar:
    """Mishaps against the clock.

    Parameters
    ----------
    mishaps : sequence of Mishap
        The script.
    device : callable
        LSL seconds of the device's beginning.
    session : callable
        LSL seconds of ``session/start``, None before it.
    """

    def __init__(
        self, mishaps: Sequence[Mishap], *, device: Callable[[], float], session: Callable[[], float | None]
    ) -> None:  # fmt: skip
        self._mishaps, self._device, self._session = tuple(mishaps), device, session

    def at(self, t_lsl: float, *kinds: Kind) -> Mishap | None:
        """Return the mishap of these kinds that is going on at ``t_lsl``, the one that began last."""
        found = [(start, one) for start, one in self._begun(kinds) if start <= t_lsl < start + one.for_s]
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def during(self, times: Times, *kinds: Kind) -> Iterator[tuple[Mishap, NDArray[np.bool_]]]:
        """Yield each mishap of these kinds with the times, shape (n,), at which it is going on."""
        for start, one in self._begun(kinds):
            yield one, (times >= start) & (times < start + one.for_s)

    def before(self, t_lsl: float, *kinds: Kind) -> tuple[Mishap, ...]:
        """Return the mishaps of these kinds that have begun by ``t_lsl``, also those that are over."""
        return tuple(one for start, one in self._begun(kinds) if start <= t_lsl)

    def starts(self, *kinds: Kind) -> list[tuple[float, Mishap]]:
        """Return when mishaps of these kinds begin, LSL seconds, in order, as far as that is known."""
        return sorted(self._begun(kinds), key=lambda pair: pair[0])

    def _begun(self, kinds: tuple[Kind, ...]) -> Iterator[tuple[float, Mishap]]:
        for one in self._mishaps:
            zero = self._session() if one.since == "session" else self._device()
            if one.kind in kinds and zero is not None:
                yield zero + one.at_s, one
