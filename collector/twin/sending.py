"""How the headset's program sends, where it is set up wrongly: in bursts, in single precision, at half the rate. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from collector.twin.device import Rows
from collector.twin.knobs import Faults
from collector.twin.sensors import EEG_LABELS
from collector.xdf import StreamHeader

_COUNTER = EEG_LABELS.index("Counter")


def headers(told: tuple[StreamHeader, ...], faults: Faults) -> tuple[StreamHeader, ...]:
    """Return what the program says of its streams, the EEG first."""
    halved = (replace(told[0], sfreq=told[0].sfreq / 2), *told[1:]) if faults.sends_half else told
    return tuple(replace(one, format="float32") for one in halved) if faults.sends_float32 else halved


class Sending:
    """Turns the samples that the headset gives into what its program sends.

    Parameters
    ----------
    faults : Faults
        How it is set up.
    sfreq : float
        Of the EEG as it is sent, Hz.
    """

    def __init__(self, faults: Faults, *, sfreq: float) -> None:
        self._half, self._least = faults.sends_half, max(1, round(faults.sends_chunks_s * sfreq))
        self._waiting: list[Rows] = []
        self._n = 0

    def eeg(self, rows: Rows) -> Rows:
        """Return what is sent now of EEG; in Chunk mode nothing, until a burst is full."""
        stamps, values = rows
        if self._half and len(stamps):
            every = slice(self._n % 2, None, 2)
            self._n += len(stamps)
            stamps, values = stamps[every], values[every].copy()
            values[:, _COUNTER] //= 2
        self._waiting.append((stamps, values))
        if sum(len(stamps) for stamps, _ in self._waiting) < self._least:
            return np.zeros(0), values[:0]
        waited, self._waiting = self._waiting, []
        return np.concatenate([s for s, _ in waited]), np.concatenate([v for _, v in waited])
