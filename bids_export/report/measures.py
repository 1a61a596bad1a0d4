"""The measures of one recording: what stands in ``.._report.json``. Pure, but for the arithmetic on arrays."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bids_export.arrays import Floats
from bids_export.place import NAME
from bids_export.report import bads, bands, cued, signals, verdict
from bids_export.report.facts import Facts, Film, Signals
from protocol.folder import Quality

SCHEMA = 2
LATE_FRAMES = 1.5  # a frame that comes later than this many periods after the one before is late, or one is missing


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hole(_Part):
    """A stretch that was not measured; seconds."""

    onset_s: float
    duration_s: float


class Channel(_Part):
    """One channel: share of good contact, share of flat seconds, amplitude of the mains in microvolts; null is unknown.

    ``alpha_ratio`` is alpha's power with closed eyes over that with open eyes; ``unlike`` says how it differs from the others.
    """

    label: str
    analysed: bool
    contact: float | None
    flat: float | None
    mains_uv: float | None
    alpha_ratio: float | None = None
    unlike: tuple[str, ...] = ()


class Alpha(_Part):
    """Alpha (8 to 13 Hz) over the back of the head, square microvolts, and closed over open; medians over ``channels``."""

    open_uv2: float
    closed_uv2: float
    ratio: float
    channels: tuple[str, ...]


class Blinks(_Part):
    """Cues to blink, those that the EEG answers, and after how long (median, seconds)."""

    n_cues: int
    n_seen: int
    after_s: float | None


class Happened(_Part):
    """What happened beside the clips: ``kind`` is alarm, over, operator or note."""

    onset_s: float
    kind: str
    name: str
    text: str


class Worn(_Part):
    """Whether blinks answer their cues: ``ok``, ``no_blinks``, or ``not_checked``, and why."""

    state: str
    n_cues: int
    n_seen: int
    why: str = ""


class Overridden(_Part):
    """What spoke against the start, and why somebody started all the same."""

    code: str
    text: str = ""
    reason: str = ""


class Start(_Part):
    """How the recording was started; ``contact`` is what was seen before the first clip, null where nobody looked."""

    overrides: tuple[Overridden, ...] = ()
    contact: str | None = None
    n_cues: int = 0
    n_seen: int = 0


class EegMeasures(_Part):
    """The EEG; ``n_filled`` samples were not measured, ``n_lost`` of them were lost on the way (null: not told apart).

    ``compared_by`` says how channels that are unlike the others were found. ``gamma_share`` of 31 to 51 Hz holds signal; from
    ``edge_hz`` on there is none (null: it reaches further).
    """

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
    edge_hz: float | None
    gamma_share: float | None
    alpha: Alpha | None
    blinks: Blinks | None
    worn: Worn | None = None
    compared_by: str
    channels: tuple[Channel, ...]

    @property
    def bad_channels(self) -> tuple[str, ...]:
        """Analysed channels that are flat, or unlike the others."""
        return tuple(c.label for c in self.channels if c.analysed and (c.unlike or c.label in self.flat_channels))


class ClipMeasures(_Part):
    """The clips: how many began and ended as planned, in how many trials, what became of their frames; null is unknown."""

    n: int
    n_complete: int
    n_trials: int
    frames_shown: int | None
    frames_dropped: int | None
    frames_repeated: int | None
    onset_error_max_s: float | None
    audio_offset_max_s: float | None


class VideoMeasures(_Part):
    """A face video; ``n_rows`` frame times were recorded, ``n_frames`` frames can be read.

    ``n_late`` frames came more than 1.5 periods after the one before. ``brightness`` is the median grey level of the face, 0 to
    255, ``clipped`` the median share of it that is black or white.
    """

    file: str
    n_frames: int
    n_rows: int
    fps: float | None
    interval_p95_s: float | None
    longest_gap_s: float | None
    n_late: int
    n_sampled: int
    n_with_face: int
    face_share: float | None
    brightness: float | None
    clipped: float | None


class Rated(_Part):
    """What was said of a clip; null was not asked."""

    trial: int | None
    stim_id: str | None
    target: str | None
    felt: str | None
    valence: int | None
    arousal: int | None
    dominance: int | None


class RatingMeasures(_Part):
    """Answers: clips that were rated, and clips whose felt emotion is the target."""

    n_rated: int
    n_asked: int
    n_as_target: int
    clips: tuple[Rated, ...] = ()


class Sync(_Part):
    """How late the second is against the first, seconds; null is unknown."""

    leg: str
    estimable: bool
    applied: bool
    reason: str = ""
    method: str = ""
    delay_s: float | None = None
    interval95_s: tuple[float, float] | None = None
    interval95_at_start_s: tuple[float, float] | None = None
    interval95_at_end_s: tuple[float, float] | None = None
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
    happenings: tuple[Happened, ...]
    started: Start = Start()

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
        happenings=tuple(Happened(onset_s=h.onset, kind=h.kind, name=h.name, text=h.text) for h in facts.happenings),
        started=Start.model_validate(asdict(facts.started)),
    )  # fmt: skip


def _eeg(facts: Facts, eeg: Signals) -> EegMeasures:
    freqs, density = signals.spectra(eeg.volts, eeg.sfreq, eeg.filled)
    opened, closed = alpha_of(facts, eeg)
    channels = _channels(facts, eeg, (freqs, density), closed / np.where(opened > 0, opened, np.nan))
    analysed = np.array([channel.analysed for channel in channels])
    mains = [c.mains_uv for c in channels if c.analysed and c.mains_uv is not None]
    middle = np.median(density[analysed], axis=0) if analysed.any() else np.full(len(freqs), np.nan)
    edge_hz, gamma_share = bands.passed(freqs, middle, facts.line_freq)
    return EegMeasures(
        n_channels=len(eeg.labels), n_analysed=int(analysed.sum()), sfreq_nominal_hz=eeg.sfreq,
        sfreq_measured_hz=eeg.sfreq_measured, duration_s=eeg.duration_s, n_samples=eeg.volts.shape[1],
        n_filled=sum(gap.n for gap in eeg.filled), n_lost=eeg.n_lost, channels=channels, line_freq_hz=facts.line_freq,
        gaps=tuple(Hole(onset_s=gap.first / eeg.sfreq, duration_s=gap.n / eeg.sfreq) for gap in eeg.filled),
        mains_median_uv=float(np.median(mains)) if mains else None, edge_hz=edge_hz, gamma_share=gamma_share,
        flat_channels=tuple(c.label for c in channels if c.analysed and c.flat is not None and c.flat >= verdict.FLAT_SHARE),
        alpha=_alpha(eeg, opened, closed), blinks=_blinks(facts, eeg), worn=_worn(facts, eeg),
        compared_by=bads.PYPREP if bads.pyprep_is_there() else bads.OWN,
    )  # fmt: skip


def _channels(facts: Facts, eeg: Signals, spectra: tuple[Floats, Floats], alpha: Floats) -> tuple[Channel, ...]:
    flat = signals.flat_share(eeg.volts, eeg.sfreq, eeg.filled)
    unknown = np.full(len(eeg.labels), np.nan)
    mains = signals.mains_uv(*spectra, facts.line_freq) if facts.line_freq else unknown
    # what is flat, or analysed by nobody, is no measure for the others
    compared = [n for n, label in enumerate(eeg.labels) if label in eeg.analysed and not flat[n] >= verdict.FLAT_SHARE]
    labels = [eeg.labels[n] for n in compared]
    if bads.pyprep_is_there():
        unlike = bads.find_by_pyprep(eeg.volts[compared], eeg.sfreq, eeg.filled, labels, eeg.positions)
    else:
        unlike = bads.find(eeg.volts[compared], eeg.sfreq, eeg.filled, labels, line_freq=facts.line_freq)
    return tuple(
        Channel(
            label=label, analysed=label in eeg.analysed, contact=facts.quality.per_sensor.get(label), flat=_known(flat[n]),
            mains_uv=_known(mains[n]), alpha_ratio=_known(alpha[n]), unlike=unlike.get(label, ()),
        )
        for n, label in enumerate(eeg.labels)
    )  # fmt: skip


def alpha_of(facts: Facts, eeg: Signals) -> tuple[Floats, Floats]:
    """Return alpha's power with open and with closed eyes, shape (n_channels,) each; NaN where one was not asked for."""
    opened, closed = facts.spans("baseline/eyes_open"), facts.spans("baseline/eyes_closed")
    return bands.alpha(eeg.volts, eeg.sfreq, eeg.filled, opened=opened, closed=closed)


def _alpha(eeg: Signals, opened: Floats, closed: Floats) -> Alpha | None:
    usable = [n for n, label in enumerate(eeg.labels) if label in eeg.analysed]
    back = [usable[n] for n in bands.posterior([eeg.labels[n] for n in usable], eeg.positions)]
    told = [n for n in back if opened[n] > 0 and np.isfinite(closed[n])]
    if not told:
        return None
    return Alpha(
        open_uv2=float(np.median(opened[told])), closed_uv2=float(np.median(closed[told])),
        ratio=float(np.median(closed[told] / opened[told])), channels=tuple(eeg.labels[n] for n in told),
    )  # fmt: skip


def cues(facts: Facts) -> Floats:
    """Return the onsets of the cues to blink, seconds."""
    return np.array([e.onset for e in facts.events if e.trial_type == "sync/cue"], np.float64)


def _blinks(facts: Facts, eeg: Signals) -> Blinks | None:
    found = cued.blinks(eeg, cues(facts))
    if found is None:
        return None
    seen = found.answers_s[np.isfinite(found.answers_s)]
    return Blinks(n_cues=len(found.answers_s), n_seen=len(seen), after_s=float(np.median(seen)) if len(seen) else None)


def _worn(facts: Facts, eeg: Signals) -> Worn | None:
    found = cued.worn(eeg, cues(facts))
    return Worn(state=found.state, n_cues=found.n_cues, n_seen=found.n_seen, why=found.why) if found is not None else None


def _clips(facts: Facts) -> ClipMeasures:
    events = [clip.event for clip in facts.clips]
    return ClipMeasures(
        n=len(events),
        n_complete=sum(event.end == "complete" for event in events),
        n_trials=len({e.trial for e in facts.events if e.trial is not None and e.trial_type.startswith(("clip/", "rest/"))}),
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
        interval_p95_s=float(np.quantile(steps, 0.95)) if len(steps) else None,
        longest_gap_s=float(steps.max()) if len(steps) else None,
        n_late=int((steps > LATE_FRAMES * period).sum()) if period else 0, n_sampled=n, n_with_face=found,
        face_share=found / n if n else None, brightness=_median(film.faces.brightness), clipped=_median(film.faces.clipped),
    )  # fmt: skip


def _ratings(facts: Facts) -> RatingMeasures:
    events = [clip.event for clip in facts.clips]
    asked = [event for event in events if event.rating is not None]
    rated = [event for event in events if any(v is not None for v in (event.valence, event.arousal, event.rating))]
    said = tuple(
        Rated(
            trial=e.trial, stim_id=e.stim_id, target=e.target, felt=e.rating, valence=e.valence, arousal=e.arousal,
            dominance=e.dominance,
        )
        for e in rated
    )  # fmt: skip
    return RatingMeasures(
        n_rated=len(rated), n_asked=len(asked), n_as_target=sum(e.rating == e.target for e in asked), clips=said
    )


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if len(values) else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _total(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _worst(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known, key=abs) if known else None
