"""What a report is made of: one recording on the EEG's own clock, whether it came from a session folder or from BIDS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bids_export.alignment import Gap
from bids_export.arrays import Floats
from bids_export.events import Event
from bids_export.happenings import Happening
from bids_export.started import Started
from protocol.folder import Quality

Span = tuple[float, float]
Point = tuple[float, float, float]


class ReportError(ValueError):
    """Something that cannot be reported on; the text is one line: file, key, value, cure."""


@dataclass(frozen=True, kw_only=True)
class Signals:
    """The EEG.

    Parameters
    ----------
    labels : tuple of str
        Channels.
    volts : ndarray, shape (n_channels, n_times)
        Lost samples are filled in.
    sfreq : float
        Nominal rate, Hz.
    sfreq_measured : float or None
        Rate on the recorder's clock, Hz; None where the source does not say.
    filled : tuple of Gap
        Samples that were not measured: lost, or filled in by the headset.
    n_lost : int or None
        Samples lost on the way; None where the source does not tell them from the headset's own filling.
    analysed : tuple of str
        Channels that the study analyses.
    positions : mapping of str to (x, y, z)
        Where sensors sit: right, front, up, in metres; those without a place are missing.
    """

    labels: tuple[str, ...]
    volts: Floats
    sfreq: float
    sfreq_measured: float | None
    filled: tuple[Gap, ...]
    n_lost: int | None
    analysed: tuple[str, ...]
    positions: Mapping[str, Point]

    @property
    def duration_s(self) -> float:
        """Length on the EEG's own clock, seconds."""
        return float(self.volts.shape[1] / self.sfreq)


@dataclass(frozen=True, kw_only=True)
class Contact:
    """The headset's own quality readings.

    Parameters
    ----------
    times : ndarray, shape (n_readings,)
        Onsets, seconds.
    overall : ndarray, shape (n_readings,)
        0 to 100; NaN where the headset said nothing.
    sensors : mapping of str to ndarray, shape (n_readings,)
        Share of good contact, 0 to 1.
    """

    times: Floats
    overall: Floats
    sensors: Mapping[str, Floats]


@dataclass(frozen=True, kw_only=True)
class Faces:
    """What the sampled frames show; every array has the shape (n_sampled,).

    Parameters
    ----------
    onsets : ndarray
        Seconds.
    found : ndarray of bool
        Whether there is a face.
    brightness : ndarray
        Mean grey level of the face, or of the frame where there is none, 0 to 255.
    clipped : ndarray
        Share of its pixels that are black or white, without any detail, 0 to 1.
    """

    onsets: Floats
    found: NDArray[np.bool_]
    brightness: Floats = field(default_factory=lambda: np.zeros(0))
    clipped: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, kw_only=True)
class Film:
    """A face video: frames that can be read from the file, and onsets (seconds, shape (n_rows,)) that were recorded."""

    name: str
    n_frames: int
    onsets: Floats
    faces: Faces


@dataclass(frozen=True, kw_only=True)
class Clip:
    """What became of one clip; ``None`` is unknown."""

    event: Event
    repeated: int | None = None
    onset_error_s: float | None = None
    audio_offset_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One recording; all times are seconds from the first EEG sample on the EEG's own clock.

    ``emotions`` maps each of the study's emotions to its colour; ``judged`` is the time that the rule looks at; ``end`` is
    complete, aborted or recovered, or None where the source does not say; ``notes`` are remarks of the source. ``sync`` is the
    certificate by legs, ``latency_s`` the median time that a sample was on its way, where the headset tells it.
    ``remembered`` says that the recording itself lies elsewhere: only what an export remembers of it is known; ``positions``
    are then where its sensors sit. ``elsewhere`` are trials that the runs which go on with this one show in full.
    ``started`` is what spoke against the start, and what was seen of the participant before it.
    """

    source: str
    study: str
    task: str
    participant: str
    session: str
    run: str
    simulated: bool
    began: str
    end: str | None
    end_reason: str
    scopes: tuple[str, ...]
    emotions: Mapping[str, str]
    line_freq: float | None
    quality: Quality
    judged: tuple[Span, ...]
    signals: Signals | None
    contact: Contact | None
    events: tuple[Event, ...]
    clips: tuple[Clip, ...]
    films: tuple[Film, ...]
    expects_film: bool
    notes: tuple[str, ...] = ()
    sync: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    latency_s: float | None = None
    happenings: tuple[Happening, ...] = ()
    remembered: bool = False
    elsewhere: frozenset[int] = frozenset()
    positions: Mapping[str, Point] = field(default_factory=dict)
    started: Started = field(default_factory=Started)

    @property
    def where(self) -> Mapping[str, Point]:
        """Where sensors sit."""
        return self.signals.positions if self.signals is not None else self.positions

    def spans(self, trial_type: str) -> list[Span]:
        """Return when events of a type began and ended, seconds."""
        return [(e.onset, e.onset + e.duration) for e in self.events if e.trial_type == trial_type]

    @property
    def stem(self) -> str:
        """The start of BIDS-like file names."""
        return f"sub-{self.participant}_ses-{self.session}_task-{self.task}_run-{self.run}"

    @property
    def duration_s(self) -> float:
        """Length of the EEG; without one, up to where the last event ended, seconds."""
        if self.signals is not None:
            return self.signals.duration_s
        return max((event.onset + event.duration for event in self.events), default=0.0)
