"""The facts of a session folder: as recorded, put on one clock; nothing in it is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np

from bids_export import headset, sessions, sources, started, sync, sync_signals, video
from bids_export.arrays import Floats
from bids_export.events import Event
from bids_export.headset import Eeg
from bids_export.recording import Recording
from bids_export.report import faces
from bids_export.report.facts import Clip, Contact, Facts, Film, Point, Signals
from collector import quality as rule
from protocol import folder, trials
from protocol.folder import Quality, Run
from protocol.labrecorder import LabRun
from protocol.study import Study

Onsets = Callable[[Floats], Floats]


def load(path: Path) -> Facts:
    """Read a session folder, such as ``DATA/sub-07/ses-01/run-01``; raises what :func:`of_run` does."""
    return of_run(folder.open_run(path))


def of_run(run: Run) -> Facts:
    """Read a recording, whoever made it.

    Parameters
    ----------
    run : Run
        Of ours, or one of LabRecorder's: what that lacks is among the notes.

    Raises
    ------
    RecordingError, FolderError, StudyError, ManifestError, XdfError, TrialsError
        One line: file, key, value, cure.
    """
    record = sources.load(run)
    study, session = record.study, record.session
    # without consent to it, nothing of the EEG is shown
    placed = headset.place_eeg(record) if "eeg" in session.consent.scopes else None
    faces_seen = "face" in session.consent.scopes and bool(record.videos)
    certificate = sync_signals.certificate(record, placed, faces=faces_seen)
    base = sessions.timebase(record, placed, certificate)
    events = sessions.events_of(record, placed, base)
    spans = rule.judged_spans(record.moments, study.contact_quality.over)
    return Facts(
        source="run", study=study.study.name, task=session.task, participant=session.participant, session=session.session,
        run=session.run, simulated=session.simulated, began=session.created_wall, end=record.end,
        end_reason=record.manifest.reason if record.manifest else "", scopes=session.consent.scopes,
        emotions={name: emotion.color for name, emotion in study.emotions.items()},
        line_freq=study.eeg.line_freq, quality=_quality(record), judged=_onset_spans(spans, base.of_screen),
        signals=_signals(placed, study) if placed else None, contact=_contact(record, base.of_stamps), events=tuple(events),
        clips=clips(events, run.trials_csv), films=_films(record, base.of_frames),
        expects_film=study.camera is not None and "face" in session.consent.scopes and not isinstance(run, LabRun),
        notes=(*record.missing, *_notes(run)),
        sync={leg.name: sync.record(leg, study.sync.apply) for leg in certificate.legs},
        latency_s=placed.latency.median_s if placed and placed.latency else None,
        happenings=sessions.happenings_of(record, base), started=started.of_run(run),
    )  # fmt: skip


def _quality(record: Recording) -> Quality:
    judged = rule.judge_streams(record.streams, record.study)
    return judged if "eeg" in record.session.consent.scopes else judged.model_copy(update={"value": None, "per_sensor": {}})


def _onset_spans(spans: Sequence[tuple[float, float]], onsets: Onsets) -> tuple[tuple[float, float], ...]:
    return tuple((float(a), float(b)) for a, b in onsets(np.array(spans, np.float64).reshape(-1, 2)))


def _signals(placed: Eeg, study: Study) -> Signals:
    montage = mne.channels.make_standard_montage(study.eeg.montage).get_positions()["ch_pos"]
    positions: dict[str, Point] = {label: tuple(montage[label].tolist()) for label in placed.labels if label in montage}
    return Signals(
        labels=placed.labels, volts=placed.volts, sfreq=placed.clock.sfreq, sfreq_measured=1 / placed.clock.period_s,
        filled=placed.filled, n_lost=placed.clock.n_lost, positions=positions,
        analysed=tuple(label for label in placed.labels if label not in study.eeg.exclude),
    )  # fmt: skip


def _contact(record: Recording, onsets: Onsets) -> Contact | None:
    """Return the readings that the rule looks at."""
    eeg, metric = record.study.eeg, record.study.contact_quality.metric
    keys = eeg.contact_quality_stream if metric == "CQ" else eeg.eeg_quality_stream
    found = headset.readings(record, keys) if "eeg" in record.session.consent.scopes else None
    if found is None or "Overall" not in found.labels:
        return None
    levels = rule.CQ_LEVELS if metric == "CQ" else rule.EQ_LEVELS
    wanted = set(eeg.channels) or headset.positions(eeg.montage)
    shares = {
        label: np.clip(found.values[:, i] / levels, 0, 1) for i, label in enumerate(found.labels) if label in wanted
    }  # fmt: skip
    return Contact(times=onsets(found.times), overall=found.values[:, found.labels.index("Overall")], sensors=shares)


def _films(record: Recording, onsets: Onsets) -> tuple[Film, ...]:
    films = []
    for film in record.videos if "face" in record.session.consent.scopes else ():
        at = onsets(film.times)
        n_frames = len(video.probe(film.path).pts_s)
        looked = faces.look(film.path, film.pts_s, at)
        films.append(Film(name=film.path.name, n_frames=n_frames, onsets=at, faces=looked))
    return tuple(films)


def clips(events: Sequence[Event], table: Path) -> tuple[Clip, ...]:
    """Return what became of each clip: what the events say, and what the trial table knows beside it."""
    rows = {row.trial: row for row in trials.read(table)} if table.exists() else {}
    found = []
    for event in (e for e in events if e.trial_type.startswith("clip/")):
        clip, row = Clip(event=event), rows.get(event.trial or 0)
        if row is not None and row.stim_id == event.stim_id:
            clip = replace(
                clip, repeated=row.repeated, onset_error_s=row.onset_error_s, audio_offset_s=row.audio_offset_s
            )  # fmt: skip
        found.append(clip)
    return tuple(found)


def _notes(run: Run) -> tuple[str, ...]:
    others = [p.parent.name for p in sorted(run.path.parent.glob("run-*/session.json")) if p.parent != run.path]
    if not others:
        return ()
    return (f"this page is about one run; the session has others ({', '.join(others)}), and the export pools them all",)
