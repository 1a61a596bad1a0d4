"""Is a file whole? Streams, samples, and every damage with its place."""

from __future__ import annotations

from pathlib import Path

from collector.xdf import checksums
from collector.xdf.source import File
from collector.xdf.survey import Progress, Report, Survey


def check(path: Path, *, progress: Progress = lambda done, total: None) -> Report:
    """Read a file as :func:`collector.xdf.read` does, in constant memory, and say what is in it and what is not whole.

    Parameters
    ----------
    path : Path
        XDF file, ours or another recorder's.
    progress : callable
        Is told how many bytes of how many are done.

    Raises
    ------
    XdfError
        When it is not an XDF file at all.
    """
    # the checksums first: of a file that is being written they then name no chunk that is not there yet
    with checksums.of(path) as journal, File(path) as data:
        survey = Survey(data, journal, progress=progress)
        survey.run()
        return survey.report()
