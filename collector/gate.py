"""The contact gate: the device's own readings of contact, before START and between clips. Pure: readings in, verdicts out.

The rule is the study's ``[gate]``: enough analysed sensors reach the threshold, or the device's Overall does, and go on
so for a while. What nobody reads is not green: a device that has fallen silent says nothing about contact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from collector.quality import CQ_LEVELS, EQ_LEVELS, HOLD_S, analysed
from protocol.messages import Status
from protocol.scene import GateState
from protocol.study import Gate, Study

_KINDS = {"CQ": "contact_quality", "EQ": "eeg_quality"}  # of streams, as the collector's status calls them


@dataclass(frozen=True)
class Reading:
    """What the device said at ``t`` (seconds on the caller's clock).

    Parameters
    ----------
    t : float
        When it came in.
    overall : float or None
        Share, 0 to 1; None where the device said nothing that can be read.
    shares : mapping of str to float
        Share of good contact of each analysed sensor, 0 to 1.
    """

    t: float
    overall: float | None
    shares: Mapping[str, float] = field(default_factory=dict)


def is_gated(study: Study) -> bool:
    """Tell whether the study's device reports what its gate asks for; where it does not there is no gate."""
    eeg = study.eeg
    return (eeg.contact_quality_stream if study.gate.metric == "CQ" else eeg.eeg_quality_stream) is not None


def reading(status: Status, study: Study, *, heard: float) -> Reading | None:
    """Return the newest reading of the gate's quality stream.

    Parameters
    ----------
    status : Status
        The collector's.
    study : Study
        Which metric, which sensors.
    heard : float
        When the status came, seconds on the caller's clock: a collector that died says nothing new.

    Returns
    -------
    Reading or None
        None where the stream is missing, silent from the start, or not described.
    """
    kind = _KINDS[study.gate.metric]
    # a device that came back after it was lost may be there twice
    found = [s for s in status.streams if s.kind == kind and s.age_s is not None and s.last and s.labels]
    if not found:
        return None
    newest = min(found, key=lambda stream: stream.age_s or 0.0)
    said = dict(zip(newest.labels, newest.last, strict=False))
    levels = CQ_LEVELS if study.gate.metric == "CQ" else EQ_LEVELS
    shares = {name: _share(said[name] / levels) for name in analysed(newest.labels, study) if name in said}
    overall = said.get("Overall", math.nan)
    return Reading(heard - (newest.age_s or 0.0), overall / 100 if 0 <= overall <= 100 else None, shares)


def _share(value: float) -> float:
    """A level that the device did not tell is no good contact."""
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0


def is_good(gate: Gate, found: Reading | None) -> bool:
    """Tell whether one reading fulfils the study's rule; a value equal to the threshold does."""
    if found is None:
        return False
    if gate.min_sensors is not None:
        return _n_good(gate, found) >= gate.min_sensors
    return found.overall is not None and found.overall >= gate.threshold - 1e-9


def _n_good(gate: Gate, found: Reading) -> int:
    return sum(share >= gate.threshold - 1e-9 for share in found.shares.values())


class ContactGate:
    """Watches the contacts; the same rule before the start and between clips.

    Parameters
    ----------
    gate : Gate
        The study's table.
    hold_s : float
        For how long a reading counts: one that is older is none.

    Attributes
    ----------
    good_since, bad_since : float or None
        Since when, on the caller's clock, every look was good, or none was. Both None before the first look.
    """

    def __init__(self, gate: Gate, *, hold_s: float = HOLD_S) -> None:
        self._gate, self._hold_s = gate, hold_s
        self._looked: float | None = None
        self.good_since: float | None = None
        self.bad_since: float | None = None

    def look(self, found: Reading | None, now: float) -> GateState:
        """Take in the newest reading, as it is at ``now``; returns where the gate stands."""
        current = found if found is not None and now - found.t <= self._hold_s else None
        good = is_good(self._gate, current)
        # nobody looked for so long that readings were missed: what was good then says nothing about the time between
        missed = self._looked is not None and now - self._looked > self._hold_s
        self._looked = now
        if not good:
            self.good_since = None
            self.bad_since = now if self.bad_since is None else self.bad_since
        else:
            self.bad_since = None
            self.good_since = now if self.good_since is None or missed else self.good_since
        return self._state(current, now)

    def lost_s(self, now: float) -> float:
        """Return for how long the contacts have not been good; longer than the study's ``hold`` is a trouble."""
        return 0.0 if self.bad_since is None else now - self.bad_since

    def is_lost(self, now: float) -> bool:
        """Tell whether they have been bad for longer than the study's ``hold``: a slipping sensor is given time."""
        return self.bad_since is not None and self.lost_s(now) > max(self._gate.hold, self._hold_s)

    def _state(self, current: Reading | None, now: float) -> GateState:
        gate = self._gate
        held_s = 0.0 if self.good_since is None else now - self.good_since
        return GateState(
            metric=gate.metric, threshold=gate.threshold, hold_s=gate.hold, held_s=min(held_s, gate.hold),
            overall=current.overall if current else None, good=_n_good(gate, current) if current else 0,
            n=len(current.shares) if current else 0, min_sensors=gate.min_sensors,
            green=self.good_since is not None and held_s >= gate.hold, required=gate.required,
        )  # fmt: skip
