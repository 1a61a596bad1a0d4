"""The face video: copied bit by bit, with the time of each frame on the EEG's own clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from bids_export import sidecars, tables
from bids_export.arrays import Floats
from bids_export.recording import RecordingError, Video
from bids_export.sync import NOTHING, Certificate
from protocol.study import Study

PTS_TOLERANCE_S = 0.0011  # Matroska keeps milliseconds
COLUMNS = ("frame", "onset")


@dataclass(frozen=True)
class Facts:
    """What a video file says of itself; ``pts_s`` are the times of its packets in the order of showing, seconds."""

    codec: str
    width_px: int
    height_px: int
    pixel_format: str
    pts_s: Floats
    digest: tuple[int, ...]


def probe(path: Path) -> Facts:
    """Read every packet of a video file without decoding it.

    Raises
    ------
    RecordingError
        When it cannot be opened as a video.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            base = stream.time_base or Fraction(1, 1000)
            packets = [(p.pts, hash(bytes(p))) for p in container.demux(stream) if p.pts is not None]
            context = stream.codec_context
            facts = (context.name, context.width, context.height, context.pix_fmt or "n/a")
    except (av.FFmpegError, IndexError) as error:
        raise RecordingError(f"{path}: is no video that can be read ({error}); restore it from a copy") from None
    packets.sort()
    pts = np.array([float(pts * base) for pts, _ in packets])
    return Facts(*facts, pts, tuple(digest for _, digest in packets))


def frame_times(video: Video, facts: Facts) -> Floats:
    """Return when each frame in the file was taken, LSL seconds.

    Rows whose frames never reached the disk are passed over: a crash leaves a few. So does it leave frames whose rows never
    reached the XDF, at the end, and a damaged chunk takes some in the middle: the file itself holds their times, to the
    millisecond.

    Raises
    ------
    RecordingError
        When a frame before the last row has none.
    """
    rows = np.searchsorted(video.pts_s, facts.pts_s - PTS_TOLERANCE_S)
    late = facts.pts_s > video.pts_s[-1] + PTS_TOLERANCE_S
    rows[late] = len(video.pts_s) - 1
    times: Floats = video.times[rows] + np.where(late, facts.pts_s - video.pts_s[-1], 0.0)
    astray = ~late & (np.abs(video.pts_s[rows] - facts.pts_s) > PTS_TOLERANCE_S)
    for before, after in video.holes:
        lost = astray & (before < facts.pts_s) & (facts.pts_s < after)
        early = np.minimum(facts.pts_s[lost] - video.pts_s[0], 0.0)
        times[lost] = np.interp(facts.pts_s[lost], video.pts_s, video.times) + early
        astray &= ~lost
    if astray.any():
        frame = int(np.flatnonzero(astray)[0])
        raise RecordingError(
            f"{video.path}: frame {frame} at {facts.pts_s[frame]:.3f} s has no time in the recording; "
            "video and XDF do not belong together"
        )
    return times


def write(
    stem: Path, video: Video, onset_of: Callable[[Floats], Floats], study: Study, *, certificate: Certificate | None = NOTHING
) -> Path:
    """Copy a video beside its frame times.

    Parameters
    ----------
    stem : Path
        Folder and entities without ``recording-``.
    video : Video
        As recorded.
    onset_of : callable
        From LSL seconds to onsets in the dataset.
    study : Study
        For what is known of the camera.
    certificate : Certificate or None
        What was measured between camera and EEG; None where there is no EEG.

    Returns
    -------
    Path
        The copy.
    """
    part = "" if video.split is None else f"_split-{video.split}"
    base = f"{stem.name}_recording-face{part}"
    path = stem.with_name(f"{base}_video.mkv")
    shutil.copyfile(video.path, path)
    facts = probe(path)
    onsets = onset_of(frame_times(video, facts))
    tables.write_tsv(path.with_name(f"{base}_frames.tsv"), COLUMNS, _table(onsets))
    tables.write_json(path.with_name(f"{base}_frames.json"), frames_sidecar(study, certificate))
    tables.write_json(path.with_name(f"{base}_video.json"), sidecar(facts, onsets, study))
    return path


def _table(onsets: Floats) -> list[dict[str, object]]:
    return [{"frame": frame, "onset": onset} for frame, onset in enumerate(onsets.tolist())]


def frames_sidecar(study: Study, certificate: Certificate | None) -> dict[str, Any]:
    """Return the sidecar of a table of frames."""
    return {
        "Description": "When each frame of the video was taken.",
        "frame": {"Description": "Number of the frame in the video, from 0, in the order of showing"},
        "onset": sidecars.onset(study, certificate.camera_eeg if certificate else None),
    }


def sidecar(facts: Facts, onsets: Floats, study: Study) -> dict[str, Any]:
    """Return the video's sidecar (keys of the BEP047 draft)."""
    camera = study.camera
    duration = float(np.ptp(onsets)) if len(onsets) else 0.0
    return tables.known(
        {
            "TaskName": study.study.task,
            "Device": camera.device if camera else None,
            "RecordingDuration": round(duration, 6),
            "StartTime": round(float(onsets[0]), 6) if len(onsets) else None,
            "VideoCodec": facts.codec,
            "VideoFrameRate": round((len(onsets) - 1) / duration, 3) if duration > 0 else None,
            "VideoFrameCount": len(onsets),
            "ImageWidth": facts.width_px,
            "ImageHeight": facts.height_px,
            "ImagePixelFormat": facts.pixel_format,
            "License": "identifiable face: not for redistribution without consent for it",
        }
    )
