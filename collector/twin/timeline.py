"""What the participant is doing at a moment, from the markers that the window sent so far.

The only thing that headset, camera and participant share; live it is fed by a real LSL inlet, offline by the session's own
outlet. A state follows from markers at or before its time alone, so that live and offline agree.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from collector.twin.knobs import Knobs, random
from protocol.markers import Marker
from protocol.steps import FLASH_GAP_S

Kind = Literal["idle", "baseline", "eyes_closed", "fixation", "clip", "rating", "rest"]

_INTENSITY = (0.3, 1.1)  # of a trial's emotion, evenly spread
_ELICITS: dict[str, Kind] = {"clip/onset": "clip", "practice/onset": "clip", "mood_repair/onset": "clip", "rest/onset": "rest"}
_BEGINS: dict[str, Kind] = {
    "baseline/eyes_open": "baseline",
    "baseline/eyes_closed": "eyes_closed",
    "fixation": "fixation",
    "break": "rest",
}
_ENDS = ("rest/offset", "mood_repair/offset", "session/start", "session/end", "abort", "pause", "resume", "skip")
_LIT_S = FLASH_GAP_S[1]  # the longest that a screen stays white or black
_PATCHED = ("clip/onset", "clip/offset")


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
    light : float
        Of the screen on the face: 1 white, -1 black, 0 as usual.
    lit : float
        LSL seconds of the step to that light.
    """

    kind: Kind
    since: float
    target: str | None = None
    stim_id: str | None = None
    trial: int | None = None
    eeg: float = 0.0
    face: float = 0.0
    light: float = 0.0
    lit: float = float("-inf")


class Timeline:
    """Markers in, states out. What the participant sees begins when the light leaves the screen, not at the marker's flip.

    Parameters
    ----------
    seed : int
        The participant's seed: it decides the intensity of every trial.
    knobs : Knobs
        The effect, and the shares of trials without any.
    display_latency_s : float
        From a flip to its light.
    """

    def __init__(self, seed: int, knobs: Knobs, *, display_latency_s: float = 0.0) -> None:
        self._seed, self._knobs, self._display_s = seed, knobs, display_latency_s
        self._times: list[float] = []
        self._states: list[State] = []
        self.cues: list[float] = []
        """LSL seconds of the light of the cues to blink."""
        self.patches: list[float] = []
        """LSL seconds of the light of each flip at which the patch for a photodiode turns white."""
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
        light = t_lsl + self._display_s
        if marker.name == "sync/cue":
            self.cues.append(light)
        elif marker.name in _PATCHED:
            self.patches.append(light)
        state = self._state(light, marker)
        if state is not None:
            # in this order: another thread may be asking, and looks at the times first
            self._states.append(state)
            self._times.append(max(light, self._times[-1]) if self._times else light)

    def state_at(self, t_lsl: float) -> State:
        """Return the state at LSL time ``t_lsl``; before the first marker the participant is idle."""
        n = bisect_right(self._times, t_lsl)
        state = self._states[n - 1] if n else State("idle", float("-inf"))
        # after the last step of a series comes a page as usual, and no marker says so
        return replace(state, light=0.0) if state.light and t_lsl - state.lit > _LIT_S else state

    def patch(self, times: NDArray[np.float64], lit_s: float) -> NDArray[np.float64]:
        """Return the light of the photodiode's patch, 0 or 1, shape (n_times,).

        Parameters
        ----------
        times : ndarray, shape (n_times,)
            LSL seconds, ascending.
        lit_s : float
            How long it is white at a clip's onset and offset: one picture. It stays so while the whole screen is white.
        """
        starts, states = self._times[:], self._states[:]
        ends = [*starts[1:], float("inf")]
        shown = [(t, t + lit_s) for t in self.patches[:]]
        shown += [(s.lit, min(end, s.lit + _LIT_S)) for s, end in zip(states, ends, strict=False) if s.light > 0]
        lit = np.zeros(len(times))
        for start, stop in shown:
            lit[slice(*np.searchsorted(times, (start, stop)))] = 1.0
        return lit

    def _state(self, t_lsl: float, marker: Marker) -> State | None:
        """Return the state that a marker begins, or None when it changes nothing."""
        name, phase = marker.name, marker.keys.get("phase", "onset")
        if name == "sync/flash":
            before = self._states[-1] if self._states else State("idle", t_lsl)
            return replace(before, light=1.0 if marker.keys["level"] == "white" else -1.0, lit=t_lsl)
        if name in _ELICITS:
            return self._elicited(_ELICITS[name], t_lsl, marker)
        if name in ("clip/offset", "practice/offset"):
            return State("rating", t_lsl)
        if phase == "offset" or name in _ENDS:
            return State("idle", t_lsl)
        return State(_BEGINS[name], t_lsl) if name in _BEGINS else None

    def _elicited(self, kind: Kind, t_lsl: float, marker: Marker) -> State:
        """Return the state of a clip, or of a rest that stands for one; a practice clip is no trial."""
        trial, stim_id, target = (marker.keys.get(key) for key in ("trial", "stim_id", "target"))
        number = int(trial) if trial else None
        rng = random(self._seed, "trial", number or 0, stim_id or "")
        intensity, no_eeg, no_face = rng.uniform(*_INTENSITY), rng.random(), rng.random()
        strength, knobs = self._knobs.effect * intensity, self._knobs
        in_eeg = no_eeg >= knobs.eeg_absent and (knobs.eeg_emotions is None or target in knobs.eeg_emotions)
        in_face = no_face >= knobs.face_absent and (knobs.face_emotions is None or target in knobs.face_emotions)
        return State(
            kind, t_lsl, target, stim_id, number, eeg=strength if in_eeg else 0.0, face=strength if in_face else 0.0
        )  # fmt: skip
