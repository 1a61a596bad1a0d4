"""From a session folder to arrays: the recording as it lies on the disk, then its EEG on its own clock."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import cast

import mne
import numpy as np

from bids_export import alignment
from bids_export.alignment import Gap, SampleClock
from bids_export.arrays import Floats
from bids_export.latency import Latency, transport
from collector import xdf
from collector.quality import matches, on_recorder
from protocol import folder, markers
from protocol import study as study_file
from protocol.folder import Manifest, Run, Session
from protocol.markers import Marker
from protocol.study import Stream as StreamKeys
from protocol.study import Study
from stimuli import manifest as clip_table
from stimuli.manifest import Entry

VOLTS = {"uV": 1e-6, "V": 1.0}

log = logging.getLogger(__name__)

FRAMES, WALLCLOCK = "emolab-frames", "emolab-wallclock"
BORN = "Timestamp"  # the label of Emotiv's column that tells when a sample was born, on the wall clock


class RecordingError(ValueError):
    """A session folder that cannot be exported; the text is one line: file, key, value, cure."""


@dataclass(frozen=True)
class Video:
    """A video file with the times of its frames.

    Parameters
    ----------
    path : Path
        In the run's folder.
    split : int or None
        Which part, when the camera had to be reopened.
    pts_s : ndarray, shape (n_frames,)
        Times inside the file, seconds.
    times : ndarray, shape (n_frames,)
        The same frames, LSL seconds.
    holes : tuple of (float, float)
        Between which ``pts_s`` frames were recorded whose times are lost: a damaged chunk took them.
    """

    path: Path
    split: int | None
    pts_s: Floats
    times: Floats
    holes: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Readings:
    """A slow stream of the headset, such as contact quality.

    Parameters
    ----------
    times : ndarray, shape (n_readings,)
        LSL seconds.
    labels : tuple of str
        As the device names its channels.
    values : ndarray, shape (n_readings, n_channels)
    sfreq : float
        Nominal rate, Hz.
    """

    times: Floats
    labels: tuple[str, ...]
    values: Floats
    sfreq: float


@dataclass(frozen=True)
class Eeg:
    """The EEG on its own sample clock.

    Parameters
    ----------
    labels : tuple of str
        Channels, in the order of the device.
    volts : ndarray, shape (n_channels, n_times)
        Lost samples are filled in.
    clock : SampleClock
        Which sample was when.
    filled : tuple of Gap
        Samples that were not measured: lost ones, and those that the device says it filled in itself.
    light : ndarray, shape (n_times,), or None
        What a photodiode on the screen gave, in its own units; None where the amplifier records none.
    latency : Latency or None
        From a sample's birth to its stamp; None where the device does not say when samples were born.
    """

    labels: tuple[str, ...]
    volts: Floats
    clock: SampleClock
    filled: tuple[Gap, ...]
    light: Floats | None = None
    latency: Latency | None = None


@dataclass(frozen=True)
class Recording:
    """One run as recorded; times are LSL seconds of the recorder.

    ``manifest`` is None for a run that did not end as it should: it is treated as recovered.
    """

    run: Run
    session: Session
    study: Study
    manifest: Manifest | None
    entries: tuple[Entry, ...]
    streams: Mapping[int, xdf.Stream]
    moments: tuple[tuple[float, Marker], ...]
    videos: tuple[Video, ...]

    @property
    def end(self) -> str:
        """How it ended: complete, aborted or recovered."""
        return self.manifest.end if self.manifest else "recovered"

    def wall(self, time: float) -> datetime:
        """Return the wall clock at LSL seconds, UTC."""
        clock = xdf.by_name(self.streams, WALLCLOCK)
        if clock is None or not len(clock.stamps):
            began = datetime.fromisoformat(self.session.created_wall)
            return began.astimezone(UTC) + timedelta(seconds=time - self.session.created_lsl)
        ahead = float(np.median(cast(Floats, clock.values)[:, 0] - mapped(clock)))
        return datetime.fromtimestamp(time + ahead, UTC)


def load(run: Run) -> Recording:
    """Read a run.

    Parameters
    ----------
    run : Run
        A session folder that has begun.

    Returns
    -------
    Recording

    Raises
    ------
    RecordingError, FolderError, StudyError, ManifestError, XdfError
        One line: file, key, value, cure.
    """
    session = Session.load(run.session_json)
    study = study_file.load(run.study_toml)
    manifest = Manifest.load(run.manifest_json) if run.manifest_json.exists() else None
    if manifest is not None:
        _check_files(run, manifest)
    entries = clip_table.load(run.clips_tsv) if run.clips_tsv.exists() else ()
    streams = xdf.read(run.recording) if run.recording.exists() else {}
    return Recording(run, session, study, manifest, entries, streams, _moments(streams), _videos(run, streams))


def _check_files(run: Run, manifest: Manifest) -> None:
    """Refuse files that are not what the manifest says."""
    for record in manifest.files:
        path = run.path / record.path
        if not path.exists():
            raise RecordingError(f"{path}: is missing, though manifest.json names it; restore it from a copy")
        if path.stat().st_size != record.size_B or folder.sha256(path) != record.sha256:
            raise RecordingError(
                f"{path}: is not what was recorded (sha256 differs from manifest.json); restore it from a copy"
            )


def _moments(streams: Mapping[int, xdf.Stream]) -> tuple[tuple[float, Marker], ...]:
    found = []
    for stream in (s for s in streams.values() if s.header.name == markers.STREAM_NAME):
        for time, row in zip(mapped(stream), cast(list[list[str]], stream.values), strict=True):
            try:
                found.append((float(time), markers.parse(row[0])))
            except markers.MarkerError as error:
                log.warning("marker at %.3f s left out: %s", time, error)
    return tuple(sorted(found, key=lambda moment: moment[0]))


def _videos(run: Run, streams: Mapping[int, xdf.Stream]) -> tuple[Video, ...]:
    """Pair each video file with the stream that holds its frame times."""
    found = []
    for path in run.videos():
        of_file = [s for s in streams.values() if s.header.name == FRAMES and len(s.stamps) and _file_of(s) == path.name]
        if not of_file:
            raise RecordingError(
                f"{run.xdf}: no stream {FRAMES} has times for {path.name}, so it cannot be aligned; move it out"
            )
        rows = np.concatenate([cast(Floats, s.values) for s in of_file])
        times = np.concatenate([mapped(s) for s in of_file])
        part = path.name.split("_split-")
        split = int(part[1].split("_")[0]) if len(part) > 1 else None
        found.append(Video(path, split, rows[:, 1], times, holes(rows[:, 0], rows[:, 1])))
    return tuple(found)


def holes(index: Floats, pts_s: Floats) -> tuple[tuple[float, float], ...]:
    """Return between which times in the file the rows of frames are missing, by the frames' own numbers.

    Examples
    --------
    >>> holes(np.array([2.0, 3, 7]), np.array([0.2, 0.3, 0.7]))
    ((-inf, 0.2), (0.3, 0.7))
    """
    before = np.concatenate([[-np.inf], pts_s[:-1]])
    skipped = np.diff(index, prepend=-1.0) > 1
    return tuple(zip(before[skipped].tolist(), pts_s[skipped].tolist(), strict=True))


def _file_of(stream: xdf.Stream) -> str:
    return Path(dict(stream.header.desc).get("file", "")).name


def mapped(stream: xdf.Stream) -> Floats:
    """Return a stream's stamps on the recorder's clock, LSL seconds."""
    return on_recorder(stream)


def matching(streams: Mapping[int, xdf.Stream], keys: StreamKeys) -> list[xdf.Stream]:
    """Return the streams with samples that a study means, in the order of time; a device that came back has several."""
    found = [s for s in streams.values() if len(s.stamps) and s.header.format != "string" and matches(keys, s.header)]
    return sorted(found, key=lambda s: float(mapped(s)[0]))


def readings(recording: Recording, keys: StreamKeys | None) -> Readings | None:
    """Return a quality stream of the headset; None where there is none."""
    parts = matching(recording.streams, keys) if keys else []
    if not parts:
        return None
    header = parts[0].header
    parts = [p for p in parts if p.header.labels == header.labels]
    times = np.concatenate([mapped(p) for p in parts])
    values = np.concatenate([np.asarray(p.values, np.float64) for p in parts])
    order = np.argsort(times, kind="stable")
    return Readings(times[order], header.labels, values[order], header.sfreq or _rate(times))


def _rate(times: Floats) -> float:
    return float(1 / np.median(np.diff(times))) if len(times) > 1 else 1.0


def place_eeg(recording: Recording) -> Eeg | None:
    """Put the EEG on its own sample clock.

    Returns
    -------
    Eeg or None
        None when fewer than two samples were recorded.

    Raises
    ------
    RecordingError
        When the stream does not have the channels that the study names.
    """
    study, where = recording.study, recording.run.xdf
    parts = matching(recording.streams, study.eeg.stream)
    if sum(len(p.stamps) for p in parts) < 2:
        return None
    header = parts[0].header
    if any(p.header.labels != header.labels or p.header.sfreq != header.sfreq for p in parts):
        raise RecordingError(f"{where}: {header.name}: its channels changed during the recording; export such a run by hand")
    if not header.sfreq > 0:
        raise RecordingError(f"{where}: {header.name}: nominal_srate = {header.sfreq}: an EEG needs a rate")
    labels = header.labels
    picks = channels(labels, study, where=f"{where}: {header.name}")
    stamps = np.concatenate([mapped(p) for p in parts])
    values = np.concatenate([np.asarray(p.values, np.float64) for p in parts])
    counter = values[:, labels.index(study.eeg.counter)] if study.eeg.counter in labels else None
    clock = alignment.sample_clock(stamps, sfreq=header.sfreq, counter=counter)
    volts = alignment.fill(values[:, picks], clock).T * VOLTS[study.eeg.units]
    flags = values[clock.rows, labels.index(study.eeg.interpolated)] if study.eeg.interpolated in labels else None
    return Eeg(
        tuple(labels[i] for i in picks), np.ascontiguousarray(volts), clock, alignment.invented(clock, flags),
        light=_column(values, labels, study.eeg.photodiode, clock), latency=_latency(recording, stamps, values, labels, clock),
    )  # fmt: skip


def _column(values: Floats, labels: Sequence[str], label: str | None, clock: SampleClock) -> Floats | None:
    """Return one more column on the EEG's clock; None where there is none."""
    if label is None or label not in labels:
        return None
    return alignment.fill(values[:, [labels.index(label)]], clock)[:, 0]


def _latency(
    recording: Recording, stamps: Floats, values: Floats, labels: Sequence[str], clock: SampleClock
) -> Latency | None:  # fmt: skip
    """Measure how late samples arrive, where the device tells when they were born, on the wall clock."""
    wall = xdf.by_name(recording.streams, WALLCLOCK)
    if BORN not in labels or wall is None or len(wall.stamps) < 2:
        return None
    ahead = np.interp(stamps, mapped(wall), cast(Floats, wall.values)[:, 0] - mapped(wall))
    born = values[:, labels.index(BORN)] - ahead
    return transport(stamps[clock.rows], born[clock.rows])


def channels(labels: Sequence[str], study: Study, *, where: str) -> list[int]:
    """Return the columns of the EEG channels: those that the study names, or that the montage knows.

    Raises
    ------
    RecordingError
        When there are none, or one is missing.
    """
    wanted: Iterable[str] = study.eeg.channels or [label for label in labels if label in positions(study.eeg.montage)]
    if missing := [label for label in wanted if label not in labels]:
        raise RecordingError(f"{where}: has no channel {missing[0]!r} (eeg.channels of the study); it has {', '.join(labels)}")
    picks = [i for i, label in enumerate(labels) if label in set(wanted)]
    if not picks:
        raise RecordingError(
            f"{where}: eeg.montage = {study.eeg.montage!r} knows none of its channels ({', '.join(labels) or 'unnamed'}); "
            "name them in eeg.channels"
        )
    return picks


@cache
def positions(montage: str) -> frozenset[str]:
    """Return the labels that a montage knows.

    Raises
    ------
    RecordingError
        When MNE-Python has no such montage.
    """
    if montage not in mne.channels.get_builtin_montages():
        raise RecordingError(f"study.toml: eeg.montage = {montage!r}: MNE-Python has none of that name; try colin27_1020")
    return frozenset(mne.channels.make_standard_montage(montage).ch_names)
