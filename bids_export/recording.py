"""From a session folder to arrays: the recording as it lies on the disk, then its EEG on its own clock."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np

from bids_export.arrays import Floats
from collector import xdf
from collector.quality import on_recorder
from protocol import folder, markers
from protocol import study as study_file
from protocol.folder import Manifest, Run, Session
from protocol.markers import Marker
from protocol.study import Study
from stimuli import manifest as clip_table
from stimuli.manifest import Entry

log = logging.getLogger(__name__)

FRAMES, WALLCLOCK, NOTES = "emolab-frames", "emolab-wallclock", "emolab-notes"


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
class Recording:
    """One run as recorded; times are LSL seconds of the recorder.

    ``manifest`` is None for a run that did not end as it should: it is treated as recovered. ``shift`` is added to the wall
    clock of one that is told with other dates than its own. ``missing`` is what it lacks, line by line.
    """

    run: Run
    session: Session
    study: Study
    manifest: Manifest | None
    entries: tuple[Entry, ...]
    streams: Mapping[int, xdf.Stream]
    moments: tuple[tuple[float, Marker], ...]
    videos: tuple[Video, ...]
    shift: timedelta = timedelta()
    missing: tuple[str, ...] = ()

    @property
    def end(self) -> str:
        """How it ended: complete, aborted or recovered."""
        return self.manifest.end if self.manifest else "recovered"

    def wall(self, time: float) -> datetime:
        """Return the wall clock at LSL seconds, UTC."""
        clock = xdf.by_name(self.streams, WALLCLOCK)
        if clock is None or not len(clock.stamps):
            began = datetime.fromisoformat(self.session.created_wall)
            return began.astimezone(UTC) + timedelta(seconds=time - self.session.created_lsl) + self.shift
        ahead = float(np.median(cast(Floats, clock.values)[:, 0] - mapped(clock)))
        return datetime.fromtimestamp(time + ahead, UTC) + self.shift


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
    videos, missing = _videos(run, streams)
    return Recording(run, session, study, manifest, entries, streams, moments(streams), videos, missing=missing)


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


def moments(streams: Mapping[int, xdf.Stream]) -> tuple[tuple[float, Marker], ...]:
    """Return the markers with LSL seconds; one that a window which came back said again, with the very stamp, is one."""
    found, seen = [], set()
    for stream in (s for s in streams.values() if s.header.name == markers.STREAM_NAME):
        rows = cast(list[list[str]], stream.values)
        for time, stamp, (text,) in zip(mapped(stream), stream.stamps, rows, strict=True):
            if (float(stamp), text) in seen:
                continue
            seen.add((float(stamp), text))
            try:
                found.append((float(time), markers.parse(text)))
            except markers.MarkerError as error:
                log.warning("marker at %.3f s left out: %s", time, error)
    return tuple(sorted(found, key=lambda moment: moment[0]))


def notes(streams: Mapping[int, xdf.Stream]) -> list[tuple[float, str]]:
    """Return the lines that the recorder wrote about the recording, with LSL seconds."""
    found = [
        (float(time), row[0])
        for stream in streams.values()
        if stream.header.name == NOTES and isinstance(stream.values, list)
        for time, row in zip(mapped(stream), stream.values, strict=True)
    ]
    return sorted(found)


def _videos(run: Run, streams: Mapping[int, xdf.Stream]) -> tuple[tuple[Video, ...], tuple[str, ...]]:
    """Pair each video file with the stream that holds its frame times; say which have none and are left out."""
    found, missing = [], []
    for path in run.videos():
        of_file = [s for s in streams.values() if s.header.name == FRAMES and len(s.stamps) and _file_of(s) == path.name]
        if not of_file:
            missing.append(f"{path.name} is left out: no stream {FRAMES} has times for its frames")
            continue
        rows = np.concatenate([cast(Floats, s.values) for s in of_file])
        times = np.concatenate([mapped(s) for s in of_file])
        part = path.name.split("_split-")
        split = int(part[1].split("_")[0]) if len(part) > 1 else None
        found.append(Video(path, split, rows[:, 1], times, holes(rows[:, 0], rows[:, 1])))
    return tuple(found), tuple(missing)


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
