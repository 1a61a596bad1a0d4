"""The simulated headset as a device: clocks, counter, lost samples and the three streams' rows; live and offline the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from collector.twin import spoil
from collector.twin.contact import Contact
from collector.twin.eeg import Brain
from collector.twin.knobs import Faults, Knobs, random
from collector.twin.mishaps import Calendar
from collector.twin.sensors import (
    CQ_LABELS,
    CQ_NAME,
    EEG_LABELS,
    EEG_NAME,
    EQ_LABELS,
    EQ_NAME,
    QUALITY_SFREQ,
    SENSORS,
    SFREQ,
)
from collector.twin.timeline import Timeline
from collector.xdf import StreamHeader
from protocol.study import Stream, Study

_BATTERY_S = 9 * 3600.0  # from full to empty
_SIGNAL = 2.0  # wireless signal: good
_RATE_QUALITY = 1.0
_DARK, _WHITE = 20.0, 900.0  # what a photodiode gives before the patch, in its own units

Rows = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Stamps, shape (n,), on the sender's clock, and values, shape (n, n_channels)."""


class Device:
    """One headset on one participant.

    Parameters
    ----------
    seed : int
        The participant's.
    timeline : Timeline
        What the participant is doing; may grow.
    t_first : float
        LSL seconds of the first sample.
    wall_first : float
        Seconds since 1970 at the same moment.
    knobs, faults
        What shows and what goes wrong.
    contact : Contact
        How the cap sits.
    line_freq : float
        Mains, Hz.
    labels : sequence of str
        Of the EEG's channels.
    photodiode : (str, float), optional
        The channel that sees the patch on the screen, and for how many seconds that is white.
    """

    def __init__(
        self, seed: int, timeline: Timeline, *, t_first: float, wall_first: float, contact: Contact,
        knobs: Knobs | None = None, faults: Faults | None = None, line_freq: float = 50.0,
        labels: Sequence[str] = EEG_LABELS, photodiode: tuple[str, float] | None = None,
    ) -> None:  # fmt: skip
        self._labels, self._photodiode = tuple(labels), photodiode
        self._seed, self._timeline, self._contact, self.faults = seed, timeline, contact, faults or Faults()
        self.t_first, self._wall_first = t_first, wall_first
        self._sfreq = SFREQ * (1 + self.faults.sampling_ppm * 1e-6)
        self.calendar = Calendar(self.faults.mishaps, device=lambda: t_first, session=lambda: timeline.start)
        self._brain = Brain(
            seed, state_at=timeline.state_at, time_of=self.time_of, knobs=knobs, line_freq=line_freq,
            contact=contact.shares(), cues=timeline.cues,
        )  # fmt: skip
        self.n_eeg = self.n_quality = 0
        self._last = -np.inf
        self.impulses: list[float] = []
        """LSL seconds of samples to be raised by ``faults.impulse_uv``."""

    def time_of(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return when EEG samples are born, LSL seconds."""
        return self.t_first + samples / self._sfreq

    def sender_time(self, t_lsl: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the clock of the computer that sends, at LSL times of the recorder."""
        since = t_lsl - (self.t_first if self._timeline.start is None else self._timeline.start)
        return t_lsl + self.faults.clock_offset_s + self.faults.clock_ppm * 1e-6 * since

    def measured_offset(self, t_lsl: float) -> float:
        """Return what a recorder measures: what must be added to the sender's stamps to get its own time, seconds."""
        noise = random(self._seed, "offset", round(t_lsl * 1000)).normal(0, self.faults.offset_noise_s)
        return float(t_lsl - self.sender_time(np.array([t_lsl]))[0] + noise)

    def eeg_until(self, t_lsl: float) -> Rows:
        """Return the EEG samples that are born before ``t_lsl`` and were not returned yet, without those that get lost."""
        n = max(0, int(np.ceil((t_lsl - self.t_first) * self._sfreq)) - self.n_eeg)
        return self.eeg(n)

    def eeg(self, n: int) -> Rows:
        """Return the next ``n`` EEG samples, without those that get lost."""
        if n == 0:  # what is born later than it is asked for
            return np.zeros(0), np.zeros((0, len(self._labels)))
        numbers = np.arange(self.n_eeg, self.n_eeg + n)
        self.n_eeg += n
        times, rows = self.time_of(numbers.astype(np.float64)), np.zeros((n, len(self._labels)))
        rows[:, EEG_LABELS.index("Timestamp")] = self._wall(times)
        rows[:, EEG_LABELS.index("Counter")] = numbers % int(SFREQ)
        first = EEG_LABELS.index(SENSORS[0])
        rows[:, first : first + len(SENSORS)] = self._brain.take(n)
        for t in self.impulses:
            rows[numbers == round((t - self.t_first) * self._sfreq), first : first + len(SENSORS)] += self.faults.impulse_uv
        if self._photodiode is not None:
            label, lit_s = self._photodiode
            rows[:, self._labels.index(label)] = _DARK + (_WHITE - _DARK) * self._timeline.patch(times, lit_s)
        spoil.eeg(rows, numbers, times, self.calendar, seed=self._seed)
        kept = ~self._lost(times)
        return self.sender_time(self._arrivals(numbers, times))[kept], rows[kept]

    def quality_until(self, t_lsl: float) -> tuple[Rows, Rows]:
        """Return the readings of contact quality and of EEG quality before ``t_lsl`` that were not returned yet."""
        numbers = np.arange(self.n_quality, max(self.n_quality, int(np.ceil((t_lsl - self.t_first) * QUALITY_SFREQ))))
        self.n_quality += len(numbers)
        times = self.t_first + numbers / QUALITY_SFREQ
        times = times[[self._judges(t) for t in times]] if len(times) else times
        stamps = self.sender_time(times + self.faults.eeg_latency_s)
        contact = np.array([self._reading(t, _SIGNAL) for t in times]).reshape(-1, len(CQ_LABELS))
        # Emotiv's EEG quality is learned from the signal; here a cap that sits badly gives a bad signal, a moment later
        eeg = np.array([self._reading(t, _RATE_QUALITY, late_s=1.0) for t in times]).reshape(-1, len(EQ_LABELS))
        return (stamps, contact), (stamps, eeg)

    def _reading(self, t: float, third: float, *, late_s: float = 0.0) -> list[float]:
        since = t - self.t_first
        battery = max(0.0, 100 * (1 - since / _BATTERY_S))
        overall, levels = self._contact.overall(since - late_s), self._contact.levels(since - late_s)
        overall, levels, battery = spoil.reading(overall, levels, battery, self.calendar, t)
        return [float(self._wall(np.array([t]))[0]), round(battery), overall, third, *levels]

    def _judges(self, t: float) -> bool:
        ends, start = self.faults.quality_ends_s, self._timeline.start
        if self.calendar.at(t, "quality_silent", "drop", "returns_with_other_id") is not None:
            return False
        return ends is None or start is None or t < start + ends

    def _wall(self, t_lsl: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._wall_first + (t_lsl - self.t_first) + spoil.wall(t_lsl, self.calendar)

    def _lost(self, times: NDArray[np.float64]) -> NDArray[np.bool_]:
        lost, start = spoil.lost(times, self.calendar), self._timeline.start
        if start is None:
            return lost
        for at_s, duration_s in self.faults.gaps:
            lost |= (times >= start + at_s) & (times < start + at_s + duration_s)
        return lost

    def _arrivals(self, numbers: NDArray[np.int64], times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return when samples are stamped: late, unevenly, and never before the one that went ahead."""
        arrivals = times + self.faults.eeg_latency_s
        if not self.faults.eeg_jitter_s or not len(numbers):
            return arrivals
        seconds = range(int(numbers[0]) // int(SFREQ), int(numbers[-1]) // int(SFREQ) + 1)
        # drawn per second, so that the size of blocks does not matter
        drawn = [random(self._seed, "jitter", second).normal(0, self.faults.eeg_jitter_s, int(SFREQ)) for second in seconds]
        arrivals += np.abs(np.concatenate(drawn))[numbers - seconds[0] * int(SFREQ)]
        arrivals = np.maximum.accumulate(np.append(self._last, arrivals))[1:]
        self._last = float(arrivals[-1])
        return arrivals


def eeg_labels(study: Study) -> tuple[str, ...]:
    """Return the labels of the EEG's channels: Emotiv's, and the study's photodiode behind them."""
    more = study.eeg.photodiode
    return EEG_LABELS if more is None or more in EEG_LABELS else (*EEG_LABELS, more)


def photodiode(study: Study) -> tuple[str, float] | None:
    """Return the channel that sees the patch on the screen and how long that is white: one picture of the screen."""
    if study.eeg.photodiode is None or study.screen.photodiode == "none":
        return None
    return study.eeg.photodiode, 1 / study.screen.refresh_hz


def headers(study: Study, *, seed: int, knobs: Knobs, uid: str = "") -> tuple[StreamHeader, ...]:
    """Return the headers of EEG, contact quality and EEG quality, as the study looks for them.

    What was simulated stands in each, so that it can never be taken for a person's.
    """
    made = (("EEG", study.eeg.stream, EEG_NAME, eeg_labels(study), SFREQ),)
    quality = (
        ("Contact-Quality", study.eeg.contact_quality_stream, CQ_NAME, CQ_LABELS, QUALITY_SFREQ),
        ("EEG-Quality", study.eeg.eeg_quality_stream, EQ_NAME, EQ_LABELS, QUALITY_SFREQ),
    )
    told = (
        ("acquisition/manufacturer", "emolab (simulated)"),
        ("acquisition/model", "twin of an Emotiv FLEX 2 Saline"),
        ("simulated/seed", str(seed)),
        ("simulated/effect", repr(knobs.effect)),
    )
    return tuple(
        StreamHeader(
            _name(wanted, name), _type(wanted, kind), len(labels), sfreq, "double64", labels=labels, units=_units(labels),
            source_id=_source(wanted, f"twin-{seed}-{kind}"), uid=f"{uid}-{kind}" if uid else "", hostname=_host(wanted),
            desc=told,
        )
        for kind, wanted, name, labels, sfreq in (*made, *quality)
    )  # fmt: skip


def _units(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple("microvolts" if label in SENSORS else "n/a" for label in labels)


def _name(wanted: Stream | None, default: str) -> str:
    return wanted.name if wanted and wanted.name else default


def _type(wanted: Stream | None, default: str) -> str:
    return wanted.type if wanted and wanted.type else default


def _source(wanted: Stream | None, default: str) -> str:
    return wanted.source_id if wanted and wanted.source_id else default


def _host(wanted: Stream | None) -> str:
    return wanted.host if wanted and wanted.host else "twin"
