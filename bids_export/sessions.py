"""One session: every run of it written as BIDS, and read back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bids_export import (
    eeg,
    happenings,
    headset,
    physio,
    readback,
    receipts,
    recording,
    sidecars,
    sources,
    started,
    sync,
    sync_signals,
    tables,
    timeline,
    video,
)
from bids_export import events as event_table
from bids_export.happenings import Happening
from bids_export.headset import Eeg
from bids_export.privacy import INTERNAL, Profile
from bids_export.receipts import Receipt, RunFacts
from bids_export.recording import Recording
from bids_export.survey import Participant, SessionFacts
from bids_export.sync import Certificate
from bids_export.timebase import Timebase
from bids_export.timeline import Moment
from protocol.folder import Run

SCANS = (
    "filename",
    "acq_time",
    "contact_quality",
    "included",
    "exclusion_reason",
    "ended",
    "resumes",
    "eeg_shift",
    *started.COLUMNS,
)
SESSIONS = ("session_id", "acq_time", "contact_quality", "included", "exclusion_reason")
_GAPS = ("first_sample", "n_samples", "onset", "duration")


@dataclass
class _Written:
    """What has been written so far."""

    paths: list[Path] = field(default_factory=list)
    scans: list[dict[str, object]] = field(default_factory=list)


def write(new: Path, session: SessionFacts, *, profile: Profile = INTERNAL, progress: Callable[[str], None]) -> None:
    """Write what the participant agreed to of every run; with sources and a receipt, unless it is to be shared.

    Parameters
    ----------
    new : Path
        Where the dataset is made.
    session : SessionFacts
        Of the data folder.
    profile : Profile
        Who the dataset is for.
    progress : callable
        Is told the run's stem.

    Raises
    ------
    RecordingError, ReadbackError
        Nothing of the session is then worth anything.
    """
    written = _Written()
    for run, facts in zip(session.folders, session.runs, strict=True):
        progress(run.stem)
        told = profile.recording(sources.load(run), facts)
        _write_run(new, told, facts, session, written, sources=not profile.shareable)
        if not profile.shareable:
            _copy_source(new, run)
    if written.scans:
        prefix = f"sub-{session.participant}_ses-{session.session}"
        folder = new / f"sub-{session.participant}" / f"ses-{session.session}"
        tables.write_tsv(folder / f"{prefix}_scans.tsv", SCANS, written.scans)
    if not profile.shareable:
        list_only(new, session)


def list_only(new: Path, session: SessionFacts) -> None:
    """Write the receipt of a session, with the files that lie there."""
    source = receipts.folder_of(session.participant, session.session)
    (new / source).mkdir(parents=True, exist_ok=True)
    made = [
        path
        for folder in (f"sub-{session.participant}/ses-{session.session}", source)
        for path in (new / folder).rglob("*")
        if path.is_file()
    ]
    receipt = Receipt(key=session.key, runs=session.runs, files=receipts.files_of(new, made))
    tables.write_text(new / receipts.path_of(session.participant, session.session), receipt.text())


def write_table(new: Path, person: Participant) -> None:
    """Write the table of a participant's sessions."""
    rows = [
        {
            "session_id": f"ses-{s.session}",
            "acq_time": _iso(datetime.fromisoformat(s.runs[0].session.created_wall)),
            "contact_quality": s.quality.value,
            "included": s.reason is None,
            "exclusion_reason": s.reason,
        }
        for s in person.sessions
    ]
    path = new / f"sub-{person.label}" / f"sub-{person.label}_sessions.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    tables.write_tsv(path, SESSIONS, rows)


def _write_run(
    new: Path, record: Recording, facts: RunFacts, session: SessionFacts, written: _Written, *, sources: bool
) -> None:
    """Write one run, and read it back."""
    placed = headset.place_eeg(record) if "eeg" in session.scopes else None
    videos = record.videos if "face" in session.scopes else ()  # what the clocks are measured by
    shown = videos if facts.has_video else ()
    if placed is None and not shown:
        return
    measured = sync_signals.certificate(record, placed, faces=bool(videos))
    base = timebase(record, placed, measured)
    folder = new / f"sub-{session.participant}" / f"ses-{session.session}"
    start = record.wall(float(placed.clock.time_of(np.zeros(1))[0]) if placed else base.zero_s)
    scans: list[tuple[str, datetime]] = []
    kind = "eeg" if placed is not None else "beh"
    if placed is not None:
        vhdr = eeg.write(new, placed, session=record.session, study=record.study, start=start, certificate=measured)
        readback.check_eeg(vhdr, placed)
        if sources:
            _write_gaps(new, record.run, placed)
            happenings.write(_source(new, record.run) / f"{record.run.stem}_notes.tsv", happenings_of(record, base))
        scans.append((f"eeg/{vhdr.name}", start))
    (folder / kind).mkdir(parents=True, exist_ok=True)
    again = shown_again(facts, session.runs)
    _write_events(folder / kind / record.run.stem, events_of(record, placed, base, again=again), record, placed, measured)
    if placed is not None:
        scans += [(f"eeg/{name}", start) for name in _write_physio(folder / "eeg" / record.run.stem, record, placed)]
    for recorded in shown:
        (folder / "beh").mkdir(exist_ok=True)
        path = video.write(
            folder / "beh" / record.run.stem, recorded, base.of_frames, record.study, certificate=measured if placed else None
        )
        readback.check_video(path, recorded)
        scans.append((f"beh/{path.name}", record.wall(float(recorded.times[0]))))
    said = {
        "contact_quality": facts.quality.value, "included": session.reason is None, "exclusion_reason": session.reason,
        "ended": facts.end, "resumes": _resumes(facts, session),
        "eeg_shift": base.certificate.screen_eeg.delay_s if placed is not None else None,
        **started.of_run(record.run).columns(),
    }  # fmt: skip
    written.scans += [{"filename": name, "acq_time": _iso(time), **said} for name, time in scans]


def timebase(record: Recording, placed: Eeg | None, measured: Certificate) -> Timebase:
    """Return what turns stamps into onsets; the certificate shifts them where the study wants that."""
    if placed is None:
        first = [float(v.times[0]) for v in record.videos if len(v.times)] or [t for t, _ in record.moments[:1]]
        return Timebase(None, zero_s=min(first, default=0.0))
    return Timebase(placed.clock, certificate=sync.applied(measured, record.study.sync.apply))


def shown_again(run: RunFacts, runs: Sequence[RunFacts]) -> frozenset[int]:
    """Return the trials that the runs which go on with a run, one after the other, show in full."""
    following = [r for r in runs if r.session.resumes and r.session.resumes == run.session.uid and r is not run]
    return frozenset().union(*(shown_again(r, [o for o in runs if o is not run]) | {*r.complete} for r in following))


def events_of(
    record: Recording, placed: Eeg | None, base: Timebase, *, again: Collection[int] = ()
) -> list[event_table.Event]:  # fmt: skip
    """Return the rows of a run's events table; ``again`` are the trials that later runs show in full."""
    onsets = base.of_screen(np.array([time for time, _ in record.moments], np.float64)).tolist()
    moments = [Moment(onset, marker) for onset, (_, marker) in zip(onsets, record.moments, strict=True)]
    if placed is None:
        return timeline.events(moments, gaps=(), sfreq=1.0, duration=max(onsets, default=0.0), again=again)
    sfreq, duration = placed.clock.sfreq, placed.clock.n_times / placed.clock.sfreq
    return timeline.events(moments, gaps=placed.filled, sfreq=sfreq, duration=duration, again=again)


def happenings_of(record: Recording, base: Timebase) -> tuple[Happening, ...]:
    """Return what happened beside the clips: pauses, alarms, notes."""
    onsets = happenings.mapped(base.of_stamps)
    return happenings.gather(record.moments, recording.notes(record.streams), onsets=onsets)


def _write_events(
    stem: Path, rows: Sequence[event_table.Event], record: Recording, placed: Eeg | None, measured: Certificate
) -> None:  # fmt: skip
    path = stem.with_name(f"{stem.name}_events.tsv")
    event_table.write(path, rows)
    present = {row.trial_type for row in rows}
    described = sidecars.events(record.study, record.session, present, certificate=measured if placed else None)
    tables.write_json(path.with_suffix(".json"), described)
    readback.check_events(path, rows)


def _write_gaps(new: Path, run: Run, placed: Eeg) -> None:
    """List the samples that were not measured."""
    folder = _source(new, run)
    sfreq = placed.clock.sfreq
    rows = [
        {"first_sample": g.first, "n_samples": g.n, "onset": g.first / sfreq, "duration": g.n / sfreq} for g in placed.filled
    ]
    tables.write_tsv(folder / f"{run.stem}_gaps.tsv", _GAPS, rows)


def _copy_source(new: Path, run: Run) -> None:
    """Keep the small files that say how a run was made: the frozen study, its clips, and the trial table."""
    folder = _source(new, run)
    for path, name in ((run.study_toml, "study.toml"), (run.clips_tsv, "clips.tsv"), (run.trials_csv, run.trials_csv.name)):
        if path.exists():
            shutil.copyfile(path, folder / name)


def _source(new: Path, run: Run) -> Path:
    """Return where small files about a run lie; made."""
    folder = new / receipts.SOURCE / run.path.relative_to(run.data)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_physio(stem: Path, record: Recording, placed: Eeg) -> list[str]:
    names = []
    streams = {"CQ": record.study.eeg.contact_quality_stream, "EQ": record.study.eeg.eeg_quality_stream}
    metrics: tuple[physio.Metric, ...] = ("CQ", "EQ")
    for metric in metrics:
        found = headset.readings(record, streams[metric])
        if found is not None:
            names.append(physio.write(stem, metric, found, placed.clock, placed.labels, record.study).name)
    return names


def _resumes(facts: RunFacts, session: SessionFacts) -> str | None:
    """Return which run this one resumes: its label where it belongs to the session, else its uid."""
    labels = {run.session.uid: f"run-{run.session.run}" for run in session.runs}
    resumed = facts.session.resumes
    return labels.get(resumed, resumed) if resumed else None


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
