"""The dataset: survey, write, validate, read back, put in place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bids_export import eeg, front, physio, place, readback, recording, sidecars, tables, timeline, validate, video
from bids_export import events as event_table
from bids_export.recording import Eeg, Recording, RecordingError
from bids_export.survey import Participant, RunFacts, SessionFacts, Survey, survey
from bids_export.timeline import Moment
from bids_export.validate import Verdict
from protocol.folder import Run

_SCANS = ("filename", "acq_time", "contact_quality", "included", "exclusion_reason")
_SESSIONS = ("session_id", "acq_time", "contact_quality", "included", "exclusion_reason")

Progress = Callable[[str, str, int], None]


class InvalidError(RuntimeError):
    """The dataset that was built is not valid BIDS: it was not put in place. ``verdict`` says why."""

    def __init__(self, verdict: Verdict) -> None:
        first = verdict.errors[0]
        more = f" (and {len(verdict.errors) - 1} more kinds)" if len(verdict.errors) > 1 else ""
        super().__init__(f"not valid BIDS, nothing was put in place: {first.n} x {first.code}: {first.first}{more}")
        self.verdict = verdict


class NothingKeptError(RuntimeError):
    """No participant has a recording that may be exported, so there is no dataset."""


@dataclass(frozen=True)
class Options:
    """What to export."""

    simulated: bool = False
    include_excluded: bool = False
    participants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Export:
    """What came of an export."""

    root: Path
    survey: Survey
    runs: tuple[str, ...]
    verdict: Verdict
    unknown: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass
class _Written:
    """What has been written so far."""

    runs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    scans: list[dict[str, object]] = field(default_factory=list)
    has_video: bool = False
    has_quality: bool = False


def export(data: Path, root: Path, options: Options, *, progress: Progress = lambda _, __, ___: None) -> Export:
    """Turn a data folder into a BIDS dataset: validated and read back before it is put in its place.

    Parameters
    ----------
    data : Path
        Holds ``sub-*/ses-*/run-*``.
    root : Path
        Where the dataset goes; a dataset of ours that lies there is replaced, anything else is refused.
    options : Options
        Which participants, and whether simulated data may be exported.
    progress : callable
        Is told what is being done (``read``, ``write``, ``validate``), to what, and to how many.

    Returns
    -------
    Export

    Raises
    ------
    RecordingError, PlaceError, FolderError, StudyError, ManifestError, XdfError
        Bad input: one line with file, key, value and cure; nothing is written.
    NothingKeptError
        No participant is kept.
    InvalidError, ReadbackError
        What was built is not right; nothing is put in place.
    """
    place.check(root)
    found = survey(data, participants=options.participants, progress=lambda stem, n: progress("read", stem, n))
    _check_simulated(found, data, allowed=options.simulated)
    place.check_kind(root, simulated=found.simulated)
    people = [p for p in found.participants if p.exportable and (p.included or options.include_excluded)]
    if not people:
        raise NothingKeptError(_nobody(found))
    written = _Written()
    with place.building(root) as built:
        n_runs = sum(len(session.runs) for person in people for session in person.sessions)
        for person in people:
            for session in person.sessions:
                _write_session(built, session, written, progress=lambda stem: progress("write", stem, n_runs))
            _write_sessions_table(built, person)
        _write_front(built, found, written)
        progress("validate", root.name, 1)
        verdict = validate.validate(built)
        if verdict.errors:
            raise InvalidError(verdict)
        place.put(built, root)
    return Export(root, found, tuple(written.runs), verdict, front.unknown(found.study), tuple(written.notes))


def _check_simulated(found: Survey, data: Path, *, allowed: bool) -> None:
    if found.simulated and not allowed:
        raise RecordingError(f"{data}: simulated = true: these are no recordings of people; export them with --simulated")
    if allowed and not found.simulated:
        raise RecordingError(f"{data}: simulated = false: these are recordings of people; export them without --simulated")


def _nobody(found: Survey) -> str:
    why = "; ".join(f"sub-{p.label}: {p.reason}" for p in found.participants if p.reason)
    return f"no dataset: none of {len(found.participants)} participants is kept ({why}); to export them: --include-excluded"


def _write_session(built: Path, session: SessionFacts, written: _Written, *, progress: Callable[[str], None]) -> None:
    """Write what the participant agreed to of every run that has EEG."""
    if "eeg" not in session.scopes:
        return
    written.scans.clear()
    for facts in session.runs:
        progress(facts.run.stem)
        record = recording.load(facts.run)
        placed = recording.place_eeg(record)
        if placed is None:
            written.notes.append(f"{facts.run.stem}: no EEG was recorded; not exported")
            continue
        _write_run(built, record, placed, facts, session, written)
        _copy_source(built, facts.run)
        written.runs.append(facts.run.stem)
    if written.scans:
        prefix = f"sub-{session.participant}_ses-{session.session}"
        folder = built / f"sub-{session.participant}" / f"ses-{session.session}"
        tables.write_tsv(folder / f"{prefix}_scans.tsv", _SCANS, written.scans)


def _write_run(built: Path, record: Recording, placed: Eeg, facts: RunFacts, session: SessionFacts, written: _Written) -> None:
    """Write one run, and read it back."""
    start = record.wall(float(placed.clock.time_of(np.zeros(1))[0]))
    vhdr = eeg.write(built, placed, session=record.session, study=record.study, start=start)
    readback.check_eeg(vhdr, placed)
    stem = vhdr.with_name(record.run.stem)
    rows = _events(record, placed)
    event_table.write(vhdr.with_name(f"{stem.name}_events.tsv"), rows)
    described = sidecars.events(record.study, record.session, {row.trial_type for row in rows})
    tables.write_json(vhdr.with_name(f"{stem.name}_events.json"), described)
    readback.check_events(vhdr.with_name(f"{stem.name}_events.tsv"), rows)
    scans = [(f"eeg/{vhdr.name}", start)]
    scans += [(f"eeg/{name}", start) for name in _write_physio(stem, record, placed)]
    written.has_quality = written.has_quality or len(scans) > 1
    if "face" in session.scopes:
        scans += _write_videos(vhdr.parents[1] / "beh" / stem.name, record, placed)
    written.has_video = written.has_video or any(name.endswith(".mkv") for name, _ in scans)
    if facts.end != "complete":
        written.notes.append(f"{facts.run.stem}: the session was {facts.end}")
    verdict = {"contact_quality": facts.quality.value, "included": session.reason is None, "exclusion_reason": session.reason}
    written.scans += [{"filename": name, "acq_time": _iso(time), **verdict} for name, time in scans]


def _copy_source(built: Path, run: Run) -> None:
    """Keep the small files that say how a run was made: the frozen study, its clips, and the trial table."""
    folder = built / front.SOURCE / run.path.relative_to(run.data)
    folder.mkdir(parents=True)
    for path in (run.study_toml, run.clips_tsv, run.trials_csv):
        if path.exists():
            shutil.copyfile(path, folder / path.name)


def _events(record: Recording, placed: Eeg) -> list[event_table.Event]:
    clock = placed.clock
    onsets = clock.onset_of(np.array([time for time, _ in record.moments])).tolist()
    moments = [Moment(onset, marker) for onset, (_, marker) in zip(onsets, record.moments, strict=True)]
    duration = clock.n_times / clock.sfreq
    return timeline.events(moments, gaps=placed.filled, sfreq=clock.sfreq, duration=duration)


def _write_physio(stem: Path, record: Recording, placed: Eeg) -> list[str]:
    names = []
    streams = {"CQ": record.study.eeg.contact_quality_stream, "EQ": record.study.eeg.eeg_quality_stream}
    metrics: tuple[physio.Metric, ...] = ("CQ", "EQ")
    for metric in metrics:
        found = recording.readings(record, streams[metric])
        if found is not None:
            names.append(physio.write(stem, metric, found, placed.clock, placed.labels, record.study).name)
    return names


def _write_videos(stem: Path, record: Recording, placed: Eeg) -> list[tuple[str, datetime]]:
    scans = []
    for recorded in record.videos:
        stem.parent.mkdir(exist_ok=True)
        path = video.write(stem, recorded, placed.clock, record.study)
        readback.check_video(path, recorded)
        scans.append((f"beh/{path.name}", record.wall(float(recorded.times[0]))))
    return scans


def _write_sessions_table(built: Path, person: Participant) -> None:
    folder = built / f"sub-{person.label}"
    rows = [
        {
            "session_id": f"ses-{s.session}",
            "acq_time": _iso(datetime.fromisoformat(s.runs[0].session.created_wall)),
            "contact_quality": s.quality.value,
            "included": s.reason is None,
            "exclusion_reason": s.reason,
        }
        for s in person.sessions
        if (folder / f"ses-{s.session}").is_dir()
    ]
    if rows:
        tables.write_tsv(folder / f"sub-{person.label}_sessions.tsv", _SESSIONS, rows)


def _write_front(built: Path, found: Survey, written: _Written) -> None:
    for leftover in built.glob("README*"):
        leftover.unlink()  # mne-bids writes a list of references
    today = datetime.now(UTC).date()
    front.write(built, found, has_video=written.has_video, has_quality=written.has_quality, today=today)
    tables.write_json(built / "scans.json", sidecars.scans())
    tables.write_json(built / "sessions.json", sidecars.sessions())


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
