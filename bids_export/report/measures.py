"""The measures of one recording: what stands in ``.._report.json``. Pure, but for the arithmetic on arrays."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bids_export.arrays import Floats
from bids_export.place import NAME
from bids_export.report import signals, verdict
from bids_export.report.facts import Facts, Film, Signals
from protocol.folder import Quality

SCHEMA = 1
LATE_FRAMES = 1.5  # a frame that comes later than this many periods after the one before leaves a hole


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hole(_Part):
    """A stretch that was not measured; seconds."""

    onset_s: float
    duration_s: float


class Channel(_Part):
    """One channel: share of good contact, share of flat seconds, amplitude of the mains in microvolts; null is unknown."""

    label: str
    analysed: bool
    contact: float | None
    flat: float | None
    mains_uv: float | None


class EegMeasures(_Part):
    """The EEG; ``n_filled`` samples were not measured, ``n_lost`` of them were lost on the way (null: not told apart)."""

    n_channels: int
    n_analysed: int
    sfreq_nominal_hz: float
    sfreq_measured_hz: float | None
    duration_s: float
    n_samples: int
    n_filled: int
    n_lost: int | None
    gaps: tuple[Hole, ...]
    line_freq_hz: float | None
    mains_median_uv: float | None
    flat_channels: tuple[str, ...]
    channels: tuple[Channel, ...]


class ClipMeasures(_Part):
    """The clips: how many began, how many ended as planned, and what became of their frames; null is unknown."""

    n: int
    n_complete: int
    frames_shown: int | None
    frames_dropped: int | None
    frames_repeated: int | None
    onset_error_max_s: float | None
    audio_offset_max_s: float | None


class VideoMeasures(_Part):
    """A face video; ``n_rows`` frame times were recorded, ``n_frames`` frames can be read."""

    file: str
    n_frames: int
    n_rows: int
    fps: float | None
    longest_gap_s: float | None
    n_holes: int
    n_sampled: int
    n_with_face: int
    face_share: float | None


class RatingMeasures(_Part):
    """Answers: clips that were rated, and clips whose felt emotion is the target."""

    n_rated: int
    n_asked: int
    n_as_target: int


class Sync(_Part):
    """How late the second is against the first, seconds; null is unknown."""

    leg: str
    estimable: bool
    applied: bool
    reason: str = ""
    method: str = ""
    delay_s: float | None = None
    interval95_s: tuple[float, float] | None = None
    drift_ppm: float | None = None
    n_events: int | None = None
    n_used: int | None = None
    peak: float | None = None
    residual_s: float | None = None


class Measures(_Part):
    """One recording; ``repeat`` are the trials whose clips have to be shown again to be used."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    emolab: str
    source: str
    study: str
    participant: str
    session: str
    run: str
    task: str
    simulated: bool
    began: str
    end: str | None
    verdict: str
    reasons: tuple[str, ...]
    repeat: tuple[int, ...]
    findings: tuple[str, ...]
    contact_quality: Quality
    eeg: EegMeasures | None
    clips: ClipMeasures
    videos: tuple[VideoMeasures, ...]
    ratings: RatingMeasures
    sync: tuple[Sync, ...]
    transport_latency_s: float | None

    @property
    def stem(self) -> str:
        """The start of BIDS-like file names."""
        return f"sub-{self.participant}_ses-{self.session}_task-{self.task}_run-{self.run}"


def measure(facts: Facts) -> Measures:
    """Measure one recording, and say what it is worth."""
    outcome = verdict.judge(facts)
    eeg = _eeg(facts, facts.signals) if facts.signals is not None else None
    clips, videos = _clips(facts), tuple(_video(film) for film in facts.films)
    return Measures(
        emolab=version(NAME), source=facts.source, study=facts.study, participant=facts.participant, session=facts.session,
        run=facts.run, task=facts.task, simulated=facts.simulated, began=facts.began, end=facts.end, verdict=outcome.verdict,
        reasons=outcome.reasons, repeat=outcome.repeat,
        findings=verdict.findings(facts, eeg, clips, videos), contact_quality=facts.quality, eeg=eeg,
        clips=clips, videos=videos, ratings=_ratings(facts), transport_latency_s=facts.latency_s,
        sync=tuple(Sync(leg=name, **said) for name, said in facts.sync.items()),
    )  # fmt: skip


def _eeg(facts: Facts, eeg: Signals) -> EegMeasures:
    freqs, density = signals.spectra(eeg.volts, eeg.sfreq, eeg.filled)
    flat = signals.flat_share(eeg.volts, eeg.sfreq, eeg.filled)
    unknown = np.full(len(eeg.labels), np.nan)
    mains = signals.mains_uv(freqs, density, facts.line_freq) if facts.line_freq else unknown
    channels = tuple(
        Channel(
            label=label, analysed=label in eeg.analysed, contact=facts.quality.per_sensor.get(label), flat=_known(flat[n]),
            mains_uv=_known(mains[n]),
        )
        for n, label in enumerate(eeg.labels)
    )  # fmt: skip
    analysed = np.array([channel.analysed for channel in channels])
    return EegMeasures(
        n_channels=len(eeg.labels), n_analysed=int(analysed.sum()), sfreq_nominal_hz=eeg.sfreq,
        sfreq_measured_hz=eeg.sfreq_measured, duration_s=eeg.duration_s, n_samples=eeg.volts.shape[1],
        n_filled=sum(gap.n for gap in eeg.filled), n_lost=eeg.n_lost, channels=channels, line_freq_hz=facts.line_freq,
        gaps=tuple(Hole(onset_s=gap.first / eeg.sfreq, duration_s=gap.n / eeg.sfreq) for gap in eeg.filled),
        mains_median_uv=_known(float(np.median(mains[analysed]))) if analysed.any() else None,
        flat_channels=tuple(c.label for c in channels if c.analysed and c.flat is not None and c.flat >= verdict.FLAT_SHARE),
    )  # fmt: skip


def _clips(facts: Facts) -> ClipMeasures:
    events = [clip.event for clip in facts.clips]
    return ClipMeasures(
        n=len(events),
        n_complete=sum(event.end == "complete" for event in events),
        frames_shown=_total([event.frames_shown for event in events]),
        frames_dropped=_total([event.frames_dropped for event in events]),
        frames_repeated=_total([clip.repeated for clip in facts.clips]),
        onset_error_max_s=_worst([clip.onset_error_s for clip in facts.clips]),
        audio_offset_max_s=_worst([clip.audio_offset_s for clip in facts.clips]),
    )


def _video(film: Film) -> VideoMeasures:
    steps: Floats = np.diff(film.onsets)
    period = float(np.median(steps)) if len(steps) else None
    n, found = len(film.faces.found), int(film.faces.found.sum())
    return VideoMeasures(
        file=film.name, n_frames=film.n_frames, n_rows=len(film.onsets), fps=1 / period if period else None,
        longest_gap_s=float(steps.max()) if len(steps) else None,
        n_holes=int((steps > LATE_FRAMES * period).sum()) if period else 0, n_sampled=n, n_with_face=found,
        face_share=found / n if n else None,
    )  # fmt: skip


def _ratings(facts: Facts) -> RatingMeasures:
    events = [clip.event for clip in facts.clips]
    asked = [event for event in events if event.rating is not None]
    rated = [event for event in events if any(v is not None for v in (event.valence, event.arousal, event.rating))]
    return RatingMeasures(n_rated=len(rated), n_asked=len(asked), n_as_target=sum(e.rating == e.target for e in asked))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _total(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _worst(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known, key=abs) if known else None
