"""How much EEG each clip lost, while it can still be shown again: from beats and statuses alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from protocol import markers
from protocol.messages import Status, StreamStatus

SILENT_S = 1.0  # samples come several times a second


class ClipLosses:
    """Takes in beats and statuses in the order of their time; seconds on the caller's clock.

    What the device's counter, or the stamps, call lost counts. While a stream is silent, or where another one took its place,
    nobody has counted yet: then the time without samples counts.

    Attributes
    ----------
    fracs : dict of int to float
        Share of its EEG that each clip lost, by trial; of the last attempt at it.
    """

    def __init__(self) -> None:
        self.fracs: dict[int, float] = {}
        self._trial: int | None = None
        self._attempt = ""
        self._began = 0.0
        self._ended: float | None = None
        self._n_lost: dict[str, int] = {}
        self._base: dict[str, int] = {}
        self._newest: float | None = None
        self._gap_s = 0.0

    @property
    def last(self) -> tuple[int, float] | None:
        """The clip that was shown last, and what it lost; None before the first."""
        return None if self._trial is None else (self._trial, self.fracs[self._trial])

    @property
    def attempt(self) -> tuple[int, str] | None:
        """Which clip was shown last, and at which attempt."""
        return None if self._trial is None else (self._trial, self._attempt)

    def beat(self, state: str, t: float) -> None:
        """Take in what is on the participant's screen."""
        name, keys = markers.decode(state) if state else ("", {})
        if name == "clip" and "trial" in keys:
            trial, attempt = int(keys["trial"]), keys.get("attempt", "1")
            if (trial, attempt) != (self._trial, self._attempt):
                self._trial, self._attempt, self._began, self._ended = trial, attempt, t, None
                self._base, self._gap_s, self.fracs[trial] = dict(self._n_lost), 0.0, 0.0
        elif self._ended is None:
            self._ended = t

    def status(self, status: Status, t: float) -> None:
        """Take in how the streams are."""
        eeg = [stream for stream in status.streams if stream.kind == "eeg" and stream.age_s is not None]
        if not eeg:
            return
        newest = max(t - (stream.age_s or 0.0) for stream in eeg)
        if self._newest is not None and any(stream.uid not in self._n_lost for stream in eeg):
            self._gap_s += self._within(self._newest, newest)  # another took its place: nobody counts what lies between
        self._newest = newest
        for stream in eeg:
            self._n_lost[stream.uid] = stream.n_lost or 0
            self._base.setdefault(stream.uid, stream.n_lost or 0)
        if self._trial is not None:
            self.fracs[self._trial] = self._frac(eeg, newest, t)

    def _frac(self, eeg: list[StreamStatus], newest: float, t: float) -> float:
        counted_s = sum((self._n_lost[s.uid] - self._base[s.uid]) / s.sfreq_nominal_hz for s in eeg if s.sfreq_nominal_hz)
        silent_s = self._within(newest, t) if t - newest > SILENT_S else 0.0
        length_s = (t if self._ended is None else self._ended) - self._began
        return min(1.0, (counted_s + self._gap_s + silent_s) / max(length_s, SILENT_S))

    def _within(self, begin: float, end: float) -> float:
        """Return how much of an interval lies in the clip."""
        return max(0.0, min(end, end if self._ended is None else self._ended) - max(begin, self._began))


def beyond(fracs: Mapping[int, float], limit: float) -> tuple[int, ...]:
    """Return the trials that lost more than a limit."""
    return tuple(sorted(trial for trial, frac in fracs.items() if frac > limit))
