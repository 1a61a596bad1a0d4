"""What the collector's statuses say to an operator: contact gate, battery, which streams are missing, what a clip lost."""

from __future__ import annotations

import msgspec

from collector import gate
from collector.battery import Battery
from collector.clip_losses import ClipLosses
from collector.gate import ContactGate
from collector.wanted import wanted
from protocol.messages import Status
from protocol.scene import GateState
from protocol.study import Study

CHARGE = "BatteryPercent"  # the channel of Emotiv's quality streams that tells it


class Gauges:
    """Takes in statuses.

    Parameters
    ----------
    study : Study or None
        None where nothing is known of it: then there is no gate.
    """

    def __init__(self, study: Study | None = None) -> None:
        self._study = study
        self.status: Status | None = None
        self.losses, self._battery = ClipLosses(), Battery()
        self._contacts = ContactGate(study.gate) if study is not None and gate.is_gated(study) else None
        self._heard = float("-inf")
        self.gate: GateState | None = None
        self.gate_lost = False
        self.overridden = ""

    def hear(self, status: Status, t: float) -> None:
        """Take in a status that came at ``t``, seconds."""
        self.status, self._heard = status, t
        self.losses.status(status, t)
        for stream in status.streams:
            if CHARGE in stream.labels and stream.last:
                self._battery.take(dict(zip(stream.labels, stream.last, strict=False))[CHARGE], t)

    def look(self, t: float) -> None:
        """Judge the contacts as they are at ``t``."""
        if self._contacts is None or self._study is None:
            return
        found = gate.reading(self.status, self._study, heard=self._heard) if self.status is not None else None
        state = self._contacts.look(found, t)
        self.gate = msgspec.structs.replace(state, overridden=self.overridden)
        self.gate_lost = self._contacts.is_lost(t)

    @property
    def gate_blocks(self) -> bool:
        """Whether no clip may begin for the contacts' sake."""
        return self.gate is not None and self.gate.required and not self.gate.green and not self.gate.overridden

    @property
    def poor(self) -> tuple[str, ...]:
        """Analysed sensors below the threshold, the worst first."""
        if self.status is None or self._study is None or self._contacts is None:
            return ()
        found = gate.reading(self.status, self._study, heard=self._heard)
        shares = sorted((share, name) for name, share in (found.shares.items() if found else ()))
        return tuple(name for share, name in shares if share < self._study.gate.threshold)

    @property
    def battery(self) -> tuple[float | None, float | None]:
        """Charge in percent, and seconds that it lasts."""
        return self._battery.percent, self._battery.left_s

    @property
    def disk_left_s(self) -> float | None:
        """Seconds that the disk lasts."""
        return self.status.disk.left_s if self.status is not None and self.status.disk is not None else None

    @property
    def kinds(self) -> dict[str, str]:
        """What each stream is to us, by its name."""
        return {stream.name: stream.kind for stream in self.status.streams} if self.status is not None else {}

    @property
    def missing(self) -> tuple[str, ...]:
        """Required streams that do not flow yet, by name."""
        if self._study is None:
            return ()
        streams = self.status.streams if self.status is not None else ()
        flowing = {stream.kind for stream in streams if stream.n} | {stream.name for stream in streams if stream.n}
        asked = [want for want in wanted(self._study, uid=None) if want.required]
        return tuple(want.description.name or want.key for want in asked if not {want.kind, want.description.name} & flowing)
