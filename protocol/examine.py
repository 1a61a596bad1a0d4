"""Everything that can be known about a study before anybody sits down: all findings at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from protocol import advice
from protocol import study as study_file
from protocol.balance import Balance, balance, plans
from protocol.estimate import Estimate, estimate
from protocol.schedule import ScheduleError, Trial
from protocol.study import Study
from protocol.study_files import crosscheck, manifest_path, sheet_fault
from stimuli import decode, manifest
from stimuli.decode import Facts
from stimuli.manifest import Entry


@dataclass(frozen=True)
class ClipReport:
    """One clip; ``facts`` is None where there is no file to decode."""

    entry: Entry
    facts: Facts | None
    findings: tuple[str, ...]


@dataclass(frozen=True)
class StudyReport:
    """What a check found; ``findings`` holds those of the clips too, ``warnings`` what may stay."""

    path: Path
    study: Study
    clips: tuple[ClipReport, ...]
    findings: tuple[str, ...]
    warnings: tuple[str, ...]
    estimate: Estimate
    schedules: Mapping[str, tuple[Trial, ...]] = field(default_factory=dict)
    balance: Balance | None = None


def examine(
    path: Path, *, participants: int = 0, on_clip: Callable[[int, int], None] = lambda done, total: None
) -> StudyReport:
    """Check a study file, its manifest and every frame and sample of its clips.

    Parameters
    ----------
    path : Path
        The study file or its folder.
    participants : int
        Of so many, the schedules and their balance are wanted.
    on_clip : callable
        Told after each clip how many are done, and of how many.

    Raises
    ------
    StudyError, ManifestError
        When the study file or the table of clips cannot be read at all.
    """
    path = study_file.study_path(path).absolute()
    study = study_file.load(path)
    entries, faults = manifest.read(manifest_path(study, path))
    clips = _examined(entries, on_clip)
    findings = [*faults, *crosscheck(study, entries, path=path), *(f for clip in clips for f in clip.findings)]
    findings += [fault] if (fault := sheet_fault(study, path=path)) else []
    schedules: Mapping[str, tuple[Trial, ...]] = {}
    try:
        schedules = plans(study, entries, max(1, participants))
    except ScheduleError as error:
        # too few clips stand among the findings already, with the number of lines that there are
        findings += [f"{path}: {error}"] if not str(error).startswith("stimuli.clips_per_emotion") else []
    readable = [(clip.entry, clip.facts) for clip in clips if clip.facts and clip.facts.n_frames]
    return StudyReport(
        path, study, tuple(clips), tuple(findings), tuple(advice.warnings(study, readable, path=path)),
        estimate(study, entries), schedules if participants else {}, balance(schedules) if participants and schedules else None,
    )  # fmt: skip


def examine_clip(entry: Entry) -> ClipReport:
    """Compare one clip with its line in the table."""
    fault = manifest.fault_of(entry)
    if not entry.file.exists():
        return ClipReport(entry, None, (fault,) if fault else ())
    facts = decode.decode(entry.file, start_s=entry.start_s, stop_s=entry.stop_s)
    return ClipReport(entry, facts, (*((fault,) if fault else ()), *decode.findings(entry, facts)))


def _examined(entries: tuple[Entry, ...], on_clip: Callable[[int, int], None]) -> list[ClipReport]:
    """Examine clips side by side, one on each core."""
    clips = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        for done, clip in enumerate(workers.map(examine_clip, entries), 1):
            clips.append(clip)
            on_clip(done, len(entries))
    return clips
