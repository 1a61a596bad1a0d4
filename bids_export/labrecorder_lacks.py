"""What a recording of LabRecorder's lacks, and what that costs, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from bids_export import labrecorder_streams as of_streams
from bids_export.labrecorder_markers import Told
from bids_export.recording import Recording
from collector import xdf
from collector.xdf import codec
from collector.xdf.header import root_of
from protocol.labrecorder import LabRun
from protocol.study_labrecorder import LabRecorder

HEAD_B = 4096  # the file's header with the date, and the first stream's with its uid: no two recordings share them
_VIDEOS = (".mkv", ".mp4", ".avi", ".mov")

NO_CONSENT = (
    "no consent record: neither for training nor to be shared; say in labrecorder.consent what was agreed to, and who says so"
)
NO_QUALITY = "no contact quality: not judged, so it is exported only with --include-excluded"
NO_OVERALL = "contact quality without a channel 'Overall': not judged; rename the one that is meant in labrecorder.rename"
NO_COUNTER = "no sample counter: lost samples are found by the stamps of the others"
NO_FRAMES = "no frame times: no video"
NO_FLIPS = "no flip accounting: when the screen showed what a marker says, and which pictures it left out, is not known"
NO_PERSON = "no participant form: age, sex and handedness are n/a; add them in participants.tsv in columns of your own"
NO_CLIP = "no clip: nothing to learn from, and nothing to judge"


def lacks(
    read: Recording, lab: LabRecorder, told: Told, eeg: Sequence[xdf.Stream], quality: Sequence[xdf.Stream], report: xdf.Report
) -> Iterator[str]:
    """Yield what a recording lacks, and what that costs."""
    if lab.consent_by is None:
        yield NO_CONSENT
    if not quality:
        yield NO_QUALITY
    elif "Overall" not in quality[0].header.labels:
        yield NO_OVERALL
    if read.study.eeg.counter not in eeg[0].header.labels:
        yield NO_COUNTER
    if unmeasured := [s.header.name for s in eeg if not len(s.offsets)]:
        yield f"no clock offsets of {unmeasured[0]}: its stamps are taken as they are, right where one computer did everything"
    if units := of_streams.other_units(eeg[0], read.study):
        taken = read.study.eeg.units
        yield f"its header says {units}, the study file {taken}: taken as {taken} (labrecorder.units)"
    yield NO_FRAMES + _videos(read)
    yield NO_FLIPS
    yield NO_PERSON
    if began(cast(LabRun, read.run).file) is None:
        yield "no date in the file: acq_time is when the file was last changed"
    if report.damage or not report.closed:
        yield f"{_broken(report)}: what is whole is exported; what came after is lost"
    if not any(marker.name in ("clip/onset", "rest/onset") for _, marker in told.rows):
        yield NO_CLIP
    yield from (f"labrecorder.events: {text!r} fits no marker" for text in told.idle)
    yield from (f"the marker {text[:60]!r} ends nothing: left out" for text in told.stray)


def _videos(read: Recording) -> str:
    there = sorted(p.name for p in read.run.xdf.parent.iterdir() if p.suffix.lower() in _VIDEOS)
    return f"; {', '.join(there)} beside it is left out: nobody knows when its frames were" if there else ""


def _broken(report: xdf.Report) -> str:
    n = len(report.damage)
    return f"damaged in {n} place{'s'[: n != 1]}" if n else "not closed by LabRecorder"


def began(file: Path) -> datetime | None:
    """Return the date in the header of a file, UTC; None where there is none."""
    with file.open("rb") as opened:
        head = opened.read(HEAD_B)
    try:
        size, at = codec.read_varlen(head, len(codec.MAGIC))
        root = root_of(head[at + 2 : at + size])
        time = datetime.fromisoformat(root.findtext("datetime") or "")
    except (xdf.XdfError, ValueError):
        return None
    return time.astimezone(UTC)
