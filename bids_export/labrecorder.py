"""LabRecorder's recordings: found by their names, read by what the study file says of them, and what they lack."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bids_export import labrecorder_streams as of_streams
from bids_export import recording
from bids_export.labrecorder_lacks import HEAD_B, began, lacks
from bids_export.labrecorder_markers import MeaningError, Told, translate
from bids_export.recording import Recording, RecordingError, mapped
from collector import xdf
from protocol import labrecorder, markers, tombstone
from protocol import study as study_file
from protocol.folder import Consent, Manifest, Person, Session
from protocol.labrecorder import PRESENTATION, RECORDER, LabRun
from protocol.study import Study
from protocol.study_files import manifest_path
from protocol.study_labrecorder import LabRecorder
from stimuli import manifest as clip_table

NO_RECORD = "not recorded"
_HIGH = 6  # folders above a file that may be the data folder


@dataclass(frozen=True)
class Found:
    """What a data folder holds of LabRecorder's: recordings, and what was passed over, one line each."""

    runs: tuple[LabRun, ...] = ()
    passed_over: tuple[str, ...] = ()


def find(data: Path, study: Path | None) -> Found:
    """Return the recordings that fit the study's template.

    Parameters
    ----------
    data : Path
        The data folder.
    study : Path or None
        The study file; None means the one in the data folder, if there is one.

    Raises
    ------
    RecordingError, StudyError, FolderError
        One line: file, key, value, cure.
    """
    there = list(labrecorder.files(data))
    path = study_file.study_path(study or data).absolute()
    if study is None and (not there or not path.exists()):
        return Found(passed_over=tuple(f"{p.relative_to(data)}: {_NO_STUDY}" for p in there))
    read = study_file.load(path)
    lab = read.labrecorder
    if lab is None:
        if study is not None:
            raise RecordingError(f"{path}: labrecorder: is missing; say what LabRecorder's files hold, see docs/labrecorder.md")
        return Found(passed_over=tuple(f"{p.relative_to(data)}: {_NO_STUDY}" for p in there))
    made = [_run(data, file, path, read, lab) for file in there]
    runs = tuple(run for run in made if isinstance(run, LabRun))
    _check_labels(runs, lab, path, data)
    return Found(runs, tuple(text for text in made if isinstance(text, str)))


_NO_STUDY = "not exported: no study file says what it holds; name one with a table [labrecorder]: --study"


def _run(data: Path, file: Path, path: Path, study: Study, lab: LabRecorder) -> LabRun | str:
    """Return a recording, or why a file is passed over."""
    name = file.relative_to(data).as_posix()
    fits = labrecorder.pattern(lab.template).fullmatch(name)
    if fits is None:
        return f"{name}: not exported: its name does not fit labrecorder.template = {lab.template!r}"
    told = fits.groupdict()
    task = lab.task or study.study.task
    if told.get("b", task) != task:
        return f"{name}: not exported: task = {told['b']!r}, the study's is {task!r} (labrecorder.task)"
    run = told.get("r") or told.get("n") or "01"
    clips = manifest_path(study, path)
    return LabRun(
        data,
        told["p"],
        told.get("s", "01"),
        run,
        study.study.task,
        file=file,
        study=path,
        clips=clips,
        revoked=_revoked(data, told["p"]),
    )


def _revoked(data: Path, label: str) -> tuple[str, ...]:
    """Return the scopes that a participant has taken back: a recording of ours says it itself, one of LabRecorder's cannot."""
    return tuple(scope for scope in tombstone.PARTS if tombstone.of(data, label, scope))


def _check_labels(runs: Sequence[LabRun], lab: LabRecorder, path: Path, data: Path) -> None:
    """Refuse two recordings of one name, one of ours with the name of theirs, and a consent of nobody, now or ever."""
    seen: dict[tuple[str, str, int], str] = {}
    for run in runs:
        key = run.participant, run.session, int(run.run)
        ours = [p for p in run.path.parent.glob("run-*") if (p / "session.json").exists() and _number(p) == int(run.run)]
        other = seen.setdefault(key, ours[0].name if ours else run.file.name)
        if other != run.file.name:
            raise RecordingError(f"{run.file}: run {int(run.run)} of this session is {other} already; give one another number")
    absent = [label for label in lab.consent_of if label not in {run.participant for run in runs}]
    if nobody := [label for label in absent if tombstone.of(data, label, "all") is None]:
        there = ", ".join(sorted({run.participant for run in runs})) or "nobody"
        raise RecordingError(f"{path}: labrecorder.consent_of = {nobody[0]!r}: there is no recording of it; there are {there}")


def _number(run: Path) -> int | None:
    text = run.name.removeprefix("run-")
    return int(text) if text.isdigit() else None


def one(file: Path, study: Path | None, data: Path | None) -> LabRun:
    """Return the recording that a file is.

    Parameters
    ----------
    file : Path
        An XDF file.
    study : Path or None
        The study file; None means the one in the data folder.
    data : Path or None
        The data folder; None means the nearest folder above the file from which its name fits the study's template.

    Raises
    ------
    RecordingError, StudyError, FolderError
        When nobody says what the file holds.
    """
    file = file.absolute()
    for folder in (data.absolute(),) if data is not None else file.parents[:_HIGH]:
        if study is not None or study_file.study_path(folder).exists():
            for run in find(folder, study).runs:
                if run.file == file:
                    return run
    raise RecordingError(
        f"{file}: no study file above it says what it holds; name one with a table [labrecorder]: --study, and the folder from "
        "which labrecorder.template counts: --data"
    )


def uid_of(run: LabRun) -> str:
    """Return what a recording is recognised by: the beginning of its file, with its date and its first stream's uid."""
    with run.file.open("rb") as file:
        return hashlib.sha256(file.read(HEAD_B)).hexdigest()[:32]


def load(run: LabRun) -> Recording:
    """Read a recording as the study says that it is to be read.

    Returns
    -------
    Recording
        ``missing`` says what it lacks, and what that costs.

    Raises
    ------
    RecordingError, StudyError, ManifestError, XdfError
        One line: file, key, value, cure.
    """
    study, where = study_file.load(run.study_toml), str(run.recording)
    lab = study.labrecorder or LabRecorder()
    entries = clip_table.load(run.clips_tsv) if run.clips_tsv.exists() else ()
    study = of_streams.study_of(study, lab)
    streams = dict(xdf.read(run.recording))
    eeg = of_streams.pick(streams, study.eeg.stream, key="labrecorder.eeg", where=where)
    if not eeg:
        raise RecordingError(
            f"{where}: labrecorder.eeg = {of_streams.said(study.eeg.stream)}: no such EEG among its streams: "
            f"{of_streams.listed(streams)}; name the one that is meant, or move the file out of the data folder"
        )
    wanted = study.eeg.contact_quality_stream
    quality = of_streams.pick(streams, wanted, key="labrecorder.contact_quality", where=where) if wanted else []
    last = max(float(mapped(s)[-1]) for s in eeg)
    targets = {entry.stim_id: entry.target for entry in entries}
    told = _markers(streams, study, lab, targets, end=last, where=where)
    streams = dict(of_streams.named(streams, eeg, quality, lab, where=where))
    chosen = [s for s in streams.values() if s.id in {e.id for e in eeg}]
    if lab.counter is not None and lab.counter not in chosen[0].header.labels:
        raise RecordingError(
            f"{where}: labrecorder.counter = {lab.counter!r}: {chosen[0].header.name!r} has no such channel; "
            f"it has {', '.join(chosen[0].header.labels)}"
        )
    report = xdf.check(run.recording)
    read = Recording(
        run, _session(run, study, lab, streams), study, _manifest(run, report), entries, _with_markers(streams, told), (), ()
    )
    read = replace(read, moments=recording.moments(read.streams))
    missing = lacks(read, lab, told, chosen, [s for s in streams.values() if s.id in {q.id for q in quality}], report)
    return replace(read, missing=tuple(missing))


def _markers(
    streams: of_streams.Streams, study: Study, lab: LabRecorder, targets: Mapping[str, str], *, end: float, where: str
) -> Told:
    """Return the markers; those of our own window are taken as they are."""
    if xdf.by_name(streams, markers.STREAM_NAME) is not None and not lab.events:
        return Told(recording.moments(streams))
    found = of_streams.pick(
        streams, lab.markers, key="labrecorder.markers", where=where, fits=lambda s: s.header.n_channels == 1
    )
    texts = [row for stream in found for row in _texts(stream)]
    try:
        return translate(texts, lab.events, targets=targets, emotions=study.emotions, end=end)
    except MeaningError as error:
        raise RecordingError(f"{where}: {error}") from None


def _texts(stream: xdf.Stream) -> Iterator[tuple[float, str]]:
    """Yield the texts of a stream on the recorder's clock; numbers as they are written."""
    rows = stream.values if isinstance(stream.values, list) else np.asarray(stream.values, np.float64).tolist()
    for time, (value,) in zip(mapped(stream).tolist(), rows, strict=True):
        yield time, value if isinstance(value, str) else f"{value:g}"


def _with_markers(streams: of_streams.Streams, told: Told) -> dict[int, xdf.Stream]:
    """Return streams with our markers as the stream that everybody looks for them in; their stamps are the recorder's."""
    kept = {n: s for n, s in streams.items() if s.header.name != markers.STREAM_NAME}
    header = xdf.StreamHeader(markers.STREAM_NAME, markers.STREAM_TYPE, 1, 0.0, "string")
    stamps = np.array([time for time, _ in told.rows], np.float64)
    n = max(streams, default=0) + 1
    return kept | {n: xdf.Stream(n, header, "", stamps, [[str(marker)] for _, marker in told.rows], np.empty((0, 2)))}


def _session(run: LabRun, study: Study, lab: LabRecorder, streams: of_streams.Streams) -> Session:
    """Return what stands in ``session.json`` of a recording of ours, as far as anybody knows it."""
    agreed = lab.consent_of.get(run.participant, lab.consent)
    scopes = tuple(scope for scope in agreed if scope not in run.revoked)
    recorded = lab.consent_by is not None
    consent = Consent(
        version=study.consent.version if recorded else NO_RECORD, scopes=scopes if recorded else ("eeg",),
        signed_ref=lab.consent_by, t_wall="",
    )  # fmt: skip
    shown_by = {PRESENTATION: lab.software} if lab.software else {}
    return Session(
        uid=uid_of(run), participant=run.participant, session=run.session, run=run.run, task=run.task,
        simulated=of_streams.simulated(streams), study_sha256=study_file.digest(run.study_toml),
        created_wall=(began(run.file) or _changed(run.file)).isoformat(), created_lsl=_first(streams), boot="",
        person=Person(), consent=consent, versions={RECORDER: "LabRecorder"} | shown_by,
    )  # fmt: skip


def _first(streams: of_streams.Streams) -> float:
    """Return when the recorder began, LSL seconds: the first clock offset that it measured, or the first sample."""
    measured = [float(s.offsets[0].sum()) for s in streams.values() if len(s.offsets)]
    return min(measured or [float(mapped(s)[0]) for s in streams.values() if len(s.stamps)], default=0.0)


def _changed(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _manifest(run: LabRun, report: xdf.Report) -> Manifest:
    """Return how the recording ended, which the file's footers say."""
    whole = report.closed and not report.damage
    return Manifest(
        session_uid=uid_of(run), end="complete" if whole else "recovered",
        reason="" if whole else "LabRecorder did not close the file", closed_wall=_changed(run.file).isoformat(),
    )  # fmt: skip
