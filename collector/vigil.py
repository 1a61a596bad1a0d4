"""What the launcher itself watches: silence, a screen that stands still, a computer that slept. Pure; alarms, never a kill."""

from __future__ import annotations

from collector.clocks import Reading, Watched, notice
from protocol.messages import Beat

SILENT_S = 5.0  # beats come every 0.25 s, statuses every 0.5 s
FROZEN_S = 1.5  # the slowest page flips ten times a second; told within 2 s, with the beats in between
FRESH_S = 1.0  # a beat that is older says nothing of the screen
SLEPT_S = 2.0  # shorter than any sleep, longer than any correction by network time while a session runs
GAP_S = 5.0  # ten looks a second: no load makes one wait for so long, and the recording would have lost as much
SHOWN_S = 10.0  # for so long a sleep that is over is told of
_NOTHING = ("", "starting", "end")  # states in which no page is shown


class Flips:
    """Tells a frozen window from one that lives: beats come from a thread of their own, flips do not."""

    def __init__(self) -> None:
        self._beat: Beat | None = None
        self._heard = self._since = 0.0

    def hear(self, beat: Beat, t: float) -> None:
        """Take in a beat that came at ``t``, LSL seconds."""
        if self._beat is None or beat.n_flip != self._beat.n_flip or _name(beat) in _NOTHING:
            self._since = t if beat.t_flip is None else min(t, max(beat.t_flip, self._since))
        self._beat, self._heard = beat, t

    def forget(self) -> None:
        """Begin anew, with another window."""
        self._beat = None

    def frozen_since(self, t: float) -> float | None:
        """Return the last flip of a window that beats and does not flip; None where it lives, or says nothing at all."""
        beat = self._beat
        if beat is None or beat.n_flip is None or _name(beat) in _NOTHING or t - self._heard > FRESH_S:
            return None
        return self._since if t - self._since > FROZEN_S else None


def _name(beat: Beat) -> str:
    return beat.state.partition(" ")[0]


class Sleep:
    """Finds out that the computer slept, from clocks that went on and one that stood still.

    Where all clocks go on in sleep (Windows, macOS) it is seen by a time in which nobody looked.
    """

    def __init__(self) -> None:
        self._seen: Watched | None = None
        self._until = float("-inf")
        self.slept_s, self.t = 0.0, 0.0

    def look(self, reading: Reading) -> bool:
        """Take in a reading of all clocks; returns whether a sleep was found, now or a short while ago."""
        if self._seen is not None and reading.boot is None and (gap_s := reading.lsl - self._seen.last.lsl) > GAP_S:
            self.slept_s, self.t, self._until = gap_s, reading.lsl, reading.lsl + SHOWN_S
        self._seen, notices = notice(self._seen, reading)
        for one in notices:
            if one.name in ("clock/sleep", "clock/jump") and one.amount > SLEPT_S:
                self.slept_s, self.t, self._until = one.amount, one.t, reading.lsl + SHOWN_S
        return reading.lsl < self._until
