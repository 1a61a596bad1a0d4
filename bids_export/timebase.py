"""Onsets: from the recorder's clock to seconds in the dataset. Pure.

Zero is the first EEG sample, and time runs on the EEG's own clock. Where no EEG was recorded, zero is the first frame of the
face, and time runs on the recorder's clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from bids_export.alignment import SampleClock
from bids_export.arrays import Floats
from bids_export.sync import NOTHING, Certificate


@dataclass(frozen=True)
class Timebase:
    """What turns LSL seconds into onsets.

    Parameters
    ----------
    clock : SampleClock or None
        Of the EEG.
    zero_s : float
        Without one: LSL seconds of onset 0.
    certificate : Certificate
        What was measured between screen, camera and EEG; nothing where it is not to be applied.
    """

    clock: SampleClock | None
    zero_s: float = 0.0
    certificate: Certificate = NOTHING

    def of_stamps(self, times: Floats) -> Floats:
        """Return onsets of stamps as they are, shape (n,): for what the headset itself sent."""
        return times - self.zero_s if self.clock is None else self.clock.onset_of(times)

    def of_screen(self, times: Floats) -> Floats:
        """Return onsets of what the screen showed, stamped with its flips, shape (n,)."""
        leg = self.certificate.screen_eeg
        return self.of_stamps(times + leg.at(times) if self.clock is not None else times)

    def of_frames(self, times: Floats) -> Floats:
        """Return onsets of the camera's frames, shape (n,)."""
        leg = self.certificate.camera_eeg
        return self.of_stamps(times + leg.at(times) if self.clock is not None else times)
