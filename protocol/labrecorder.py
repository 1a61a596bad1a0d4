"""LabRecorder's files: which recording lies where, by the template of their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from protocol.folder import Run

TEMPLATE = "sub-%p/ses-%s/eeg/sub-%p_ses-%s_task-%b_run-%r_eeg.xdf"
"""LabRecorder's own."""

RECORDER, PRESENTATION = "recorder", "presentation"
"""Who recorded, and what showed the clips: keys of ``versions`` in a session that is not ours."""

_LETTER = r"[A-Za-z0-9]+"
_FIELDS = {"p": _LETTER, "s": _LETTER, "b": _LETTER, "r": r"\d+", "n": r"\d+", "a": _LETTER, "m": _LETTER}
_FIELD = re.compile(r"%(.)", re.DOTALL)


@dataclass(frozen=True)
class LabRun(Run):
    """A recording of LabRecorder's: one file, and nothing of ours beside it.

    Parameters
    ----------
    file : Path
        The XDF file.
    study : Path
        The study file that says what it holds.
    clips : Path
        That study's table of clips.
    revoked : tuple of str
        Scopes of the consent that the participant has taken back since.
    """

    file: Path
    study: Path
    clips: Path
    revoked: tuple[str, ...] = ()

    @property
    def xdf(self) -> Path:
        """All LSL streams."""
        return self.file

    @property
    def study_toml(self) -> Path:
        """The study file, which is not frozen."""
        return self.study

    @property
    def clips_tsv(self) -> Path:
        """The study's table of clips."""
        return self.clips


def pattern(template: str) -> re.Pattern[str]:
    """Return what fits the paths that a template of LabRecorder's makes.

    Raises
    ------
    ValueError
        With the cure, when no recording could be found by it.

    Examples
    --------
    >>> pattern("sub-%p/sub-%p_run-%r_eeg.xdf").fullmatch("sub-07/sub-07_run-001_eeg.xdf").groupdict()
    {'p': '07', 'r': '001'}
    """
    path = PurePosixPath(template)
    if "\\" in template or path.is_absolute() or ".." in path.parts:
        raise ValueError("is no path below the data folder; write it with / as in " + TEMPLATE)
    if path.suffix != ".xdf":
        raise ValueError("does not end with .xdf; write it as in " + TEMPLATE)
    parts, seen = [], set[str]()
    for n, part in enumerate(_FIELD.split(template)):
        if n % 2 == 0:
            parts.append(re.escape(part))
        elif part not in _FIELDS:
            raise ValueError(f"%{part}: LabRecorder has no such field; known here: {', '.join(f'%{f}' for f in _FIELDS)}")
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>{_FIELDS[part]})")
            seen.add(part)
    if "p" not in seen:
        raise ValueError("has no %p: nobody knows whose recording it is")
    return re.compile("".join(parts), re.ASCII)


def files(data: Path) -> Iterator[Path]:
    """Yield the XDF files below a data folder that lie in no run's folder of ours, in order."""
    for path in sorted(data.rglob("*.xdf")):
        folders = path.relative_to(data).parts
        ours = len(folders) == 4 and folders[0].startswith("sub-") and folders[2].startswith("run-")
        if not ours and not any(part.startswith(".") for part in folders) and not path.stem.endswith("-recovered"):
            yield path
