"""After a crash: the recording of a run is made whole beside the original, judged, and the run gets its manifest."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collector import xdf
from collector.finish import write_manifest
from collector.xdf import Report
from collector.xdf.survey import Progress
from protocol import folder
from protocol import study as study_file
from protocol.folder import FolderError, Manifest, Run

QUIET_S = 10.0  # a recording that goes on is written to several times a second


@dataclass(frozen=True)
class Rescued:
    """A run that was recovered: what was in its recording, and the manifest that it has now."""

    run: Run
    report: Report
    manifest: Manifest


def beside(path: Path) -> Path:
    """Return where what is recovered from a file goes, unless something else is asked for."""
    return path.with_name(f"{path.stem}-recovered.xdf")


def rescue(
    path: Path,
    *,
    wall: Callable[[], float] = time.time,
    progress: Progress = lambda done, total: None,
) -> Rescued:
    """Recover a run that ended without a manifest. The originals stay as they are.

    Parameters
    ----------
    path : Path
        The run's folder, as DATA/sub-07/ses-01/run-01.
    wall : callable
        Seconds of the wall clock, as files are stamped.
    progress : callable
        Is told how many bytes of how many are done.

    Raises
    ------
    FolderError
        When it is no such run; one line with the cure.
    XdfError
        When nothing in the recording can be read.
    """
    run = folder.open_run(path)
    if run.manifest_json.exists():
        raise FolderError(
            f"{run.manifest_json}: this run was finished, there is nothing to recover; to mend its XDF alone, name that file"
        )
    if not run.xdf.exists():
        raise FolderError(f"{run.xdf}: is missing: the collector had not begun to record; record this run again")
    age_s = wall() - run.xdf.stat().st_mtime
    if 0 <= age_s < QUIET_S:
        raise FolderError(f"{run.xdf}: was written to {age_s:.0f} s ago: it is being recorded; recover it when that has ended")
    study = study_file.load(run.study_toml)
    report = _mended(run, progress)
    manifest = write_manifest(run, study, end="recovered", reason="the collector did not end as it should")
    return Rescued(run, report, manifest)


def _mended(run: Run, progress: Progress) -> Report:
    """Make the whole recording, or take one that an earlier try has finished."""
    if not run.recovered_xdf.exists():
        return xdf.mend(run.xdf, run.recovered_xdf, progress=progress)
    again = xdf.check(run.recovered_xdf)
    if again.damage or not again.closed:
        raise FolderError(f"{run.recovered_xdf}: is in the way and is not whole; move it away and try again")
    return xdf.check(run.xdf, progress=progress)
