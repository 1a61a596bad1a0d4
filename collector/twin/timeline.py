"""What the participant is doing at a moment, from the markers that the window sent so far.

The only thing that headset, camera and participant share; live it is fed by a real LSL inlet, offline by the session's own
outlet. A state follows from markers at or before its time alone, so that live and offline agree.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from collector.twin.knobs import Knobs, random
from protocol.markers import Marker

Kind = Literal["idle", "baseline", "eyes_closed", "fixation", "clip", "rating", "rest"]

_INTENSITY = (0.3, 1.1)  # of a trial's emotion, evenly spread


@dataclass(frozen=True)
class State:
    """What the participant is doing, and how strongly it shows.

    Parameters
    ----------
    kind : str
        ``clip``, ``rest`` ..
    since : float
        LSL seconds of the marker that began it.
    target, stim_id : str or None
        Of the clip that plays.
    trial : int or None
        Of the clip that plays.
    eeg, face : float
        Strength of the emotion in each: effect times the trial's intensity; 0 outside clips and in trials without any.
    """

    kind: Kind
    since: float
    target: str | None = None
    stim_id: str | None = None
    trial: int | None = None
    eeg: float = 0.0
    face: float = 0.0


class Timeline:
    """Markers in, states out.

    Parameters
    ----------
    seed : int
        The participant's seed: it decides the intensity of every trial.
    knobs : Knobs
        The effect, and the shares of trials without any.
    """

    def __init__(self, seed: int, knobs: Knobs) -> None:
        self._seed, self._knobs = seed, knobs
        self._times: list[float] = []
        self._states: list[State] = []
        self.cues: list[float] = []
        """LSL seconds of the cues to blink."""
        self.start: float | None = None
        """LSL seconds of ``session/start``."""
        self.ended: float | None = None
        """LSL seconds of ``session/end``."""

    def add(self, t_lsl: float, marker: Marker) -> None:
        """Take in the next marker; stamps may be equal, and one that runs backwards counts as the latest seen."""
        if marker.name == "session/start":
            self.start = t_lsl
        elif marker.name == "session/end":
            self.ended = t_lsl
        elif marker.name == "sync/cue":
            self.cues.append(t_lsl)
        state = self._state(t_lsl, marker)
        if state is not None:
            # in this order: another thread may be asking, and looks at the times first
            self._states.append(state)
            self._times.append(max(t_lsl, self._times[-1]) if self._times else t_lsl)

    def state_at(self, t_lsl: float) -> State:
        """Return the state at LSL time ``t_lsl``; before the first marker the participant is idle."""
        n = bisect_right(self._times, t_lsl)
        return self._states[n - 1] if n else State("idle", float("-inf"))

    def _state(self, t_lsl: float, marker: Marker) -> State | None:
        """Return the state that a marker begins, or None when it changes nothing."""
        name, phase = marker.name, marker.keys.get("phase", "onset")
        if name == "clip/onset":
            return self._clip(t_lsl, marker)
        if name == "clip/offset":
            return State("rating", t_lsl)
        if phase == "offset" or name in ("rest/offset", "session/start", "session/end", "abort", "pause"):
            return State("idle", t_lsl)
        begins: dict[str, Kind] = {
            "baseline/eyes_open": "baseline",
            "baseline/eyes_closed": "eyes_closed",
            "fixation": "fixation",
            "rest/onset": "rest",
        }
        return State(begins[name], t_lsl) if name in begins else None

    def _clip(self, t_lsl: float, marker: Marker) -> State:
        trial, stim_id = int(marker.keys["trial"]), marker.keys["stim_id"]
        rng = random(self._seed, "trial", trial, stim_id)
        intensity, no_eeg, no_face = rng.uniform(*_INTENSITY), rng.random(), rng.random()
        strength = self._knobs.effect * intensity
        return State(
            "clip", t_lsl, marker.keys["target"], stim_id, trial,
            eeg=strength if no_eeg >= self._knobs.eeg_absent else 0.0,
            face=strength if no_face >= self._knobs.face_absent else 0.0,
        )  # fmt: skip
