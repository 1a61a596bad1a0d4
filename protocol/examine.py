"""Everything that can be known about a study before anybody sits down: all findings at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from protocol import study as study_file
from protocol.estimate import Estimate, estimate
from protocol.study import Study
from protocol.study_files import crosscheck, manifest_path
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
    """What a check found; ``findings`` holds those of the clips too."""

    path: Path
    study: Study
    clips: tuple[ClipReport, ...]
    findings: tuple[str, ...]
    estimate: Estimate


def examine(path: Path, *, on_clip: Callable[[int, int], None] = lambda done, total: None) -> StudyReport:
    """Check a study file, its manifest and every frame and sample of its clips.

    Parameters
    ----------
    path : Path
        The study file or its folder.
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
    clips = []
    for n, entry in enumerate(entries, 1):
        clips.append(examine_clip(entry))
        on_clip(n, len(entries))
    findings = [*faults, *crosscheck(study, entries, path=path), *(f for clip in clips for f in clip.findings)]
    return StudyReport(path, study, tuple(clips), tuple(findings), estimate(study, entries))


def examine_clip(entry: Entry) -> ClipReport:
    """Compare one clip with its line in the table."""
    fault = manifest.fault_of(entry)
    if not entry.file.exists():
        return ClipReport(entry, None, (fault,) if fault else ())
    facts = decode.decode(entry.file)
    return ClipReport(entry, facts, (*((fault,) if fault else ()), *decode.findings(entry, facts)))
