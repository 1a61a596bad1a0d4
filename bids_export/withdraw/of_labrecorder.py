"""One participant's files of LabRecorder's, whose names need no ``sub-``: the study's template says whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from protocol import labrecorder
from protocol import study as study_file


def template_of(data: Path, study: Path | None) -> str | None:
    """Return the template of the names; None where no study file has one.

    Raises
    ------
    StudyError
        When the study file is not right.
    """
    path = study_file.study_path(study or data)
    if study is None and not path.exists():
        return None
    lab = study_file.load(path).labrecorder
    return None if lab is None else lab.template


def recordings(data: Path, template: str | None) -> Iterator[tuple[str, Path]]:
    """Yield the recordings that fit a template, each with its participant."""
    fits = labrecorder.pattern(template) if template is not None else None
    for file in labrecorder.files(data) if fits is not None else ():
        if fits is not None and (told := fits.fullmatch(file.relative_to(data).as_posix())):
            yield told["p"], file


def files(data: Path, template: str | None, label: str) -> list[Path]:
    """Return what is a participant's: the recordings last, because they tell of the others.

    A folder that the template names after the participant is theirs with everything in it; else what lies beside a recording
    and goes on after its name, such as what LabRecorder keeps of an earlier one (``_old1``).
    """
    folders, beside, found = [], [], []
    for participant, file in recordings(data, template):
        if participant != label:
            continue
        if theirs := _folder(data, template or "", file):
            folders.append(theirs)
            continue
        beside += [p for p in file.parent.iterdir() if p != file and _goes_on(p.name, file.stem)]
        found.append(file)
    return [*dict.fromkeys(folders), *dict.fromkeys(p for p in sorted(beside) if p not in found), *found]


def _folder(data: Path, template: str, file: Path) -> Path | None:
    parts = PurePosixPath(template).parts[:-1]
    return data.joinpath(*file.relative_to(data).parts[: parts.index("%p") + 1]) if "%p" in parts else None


def _goes_on(name: str, stem: str) -> bool:
    return name.startswith(stem) and not name[len(stem) : len(stem) + 1].isalnum()
