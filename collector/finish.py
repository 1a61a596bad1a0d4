"""The end of a run: what it consists of, with sizes, hashes and the verdict, in ``manifest.json``, written last."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from collector import quality, xdf
from collector.losses import n_lost
from protocol.folder import FileRecord, Manifest, Run, Session, StreamRecord, sha256
from protocol.journal import wall_now
from protocol.study import Study


def write_manifest(
    run: Run,
    study: Study,
    *,
    end: Literal["complete", "aborted", "recovered"],
    reason: str = "",
    closed_wall: str | None = None,
) -> Manifest:
    """Read the recording back, judge it, hash every file, and write ``manifest.json``.

    Parameters
    ----------
    run : Run
        Its XDF and videos are closed.
    study : Study
        Its study.
    end, reason : str
        How the session ended.
    closed_wall : str, optional
        When, ISO 8601 in UTC; now where it is left out.

    Returns
    -------
    Manifest
        As written.

    Notes
    -----
    Journals, logs and PsychoPy's own files are not listed: their writers may still be at work, and a hash of a file that
    grows would call a good recording damaged.
    """
    streams = xdf.read(run.recording)
    manifest = Manifest(
        session_uid=Session.load(run.session_json).uid,
        end=end,
        reason=reason,
        closed_wall=closed_wall or wall_now(),
        files=tuple(_file(run, path) for path in _finished(run)),
        streams=tuple(_stream(s, study.eeg.counter) for s in streams.values()),
        quality=quality.judge_streams(streams, study),
    )
    manifest.save(run.manifest_json)
    return manifest


def _finished(run: Run) -> list[Path]:
    listed = [
        run.session_json, run.study_toml, run.clips_tsv, run.xdf, xdf.crc_path(run.xdf), run.recovered_xdf,
        xdf.crc_path(run.recovered_xdf), *run.videos(), run.trials_csv,
    ]  # fmt: skip
    return [path for path in listed if path.exists()]


def _file(run: Run, path: Path) -> FileRecord:
    return FileRecord(path=path.relative_to(run.path).as_posix(), size_B=path.stat().st_size, sha256=sha256(path))


def _stream(stream: xdf.Stream, counter: str | None) -> StreamRecord:
    lost = None
    if counter in stream.header.labels and isinstance(stream.values, np.ndarray) and stream.header.sfreq:
        column = stream.values[:, stream.header.labels.index(counter)].astype(np.float64)
        lost = n_lost(column, stream.stamps, stream.header.sfreq)
    ends = (float(stream.stamps[0]), float(stream.stamps[-1])) if len(stream.stamps) else (None, None)
    return StreamRecord(
        name=stream.header.name, id=stream.id, n=len(stream.stamps), n_lost=lost, t_first=ends[0], t_last=ends[1]
    )
