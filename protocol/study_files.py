"""A study with its clips: what launcher, window, cohort and check load first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocol import study as study_file
from protocol.ports import Clip
from protocol.schedule import pool, rests
from protocol.study import Study, StudyError
from stimuli import manifest
from stimuli.manifest import Entry, ManifestError


@dataclass(frozen=True)
class StudyFiles:
    """A study file and the clips that its manifest names.

    Parameters
    ----------
    study : Study
        As read.
    entries : tuple of Entry
        The clips, in the manifest's order.
    path : Path
        The study file, absolute.
    """

    study: Study
    entries: tuple[Entry, ...]
    path: Path

    @property
    def sheet(self) -> Path | None:
        """The information sheet that the consent is about, where the study names one."""
        return self.path.parent / self.study.consent.sheet if self.study.consent.sheet else None

    @property
    def clips(self) -> Mapping[str, Clip]:
        """The clips by ``stim_id``, as a screen plays them."""
        return {e.stim_id: Clip(e.file, e.stim_id, e.target, e.start_s, e.stop_s) for e in self.entries}


def load_study(path: Path, *, hashes: bool = True) -> StudyFiles:
    """Load a study with its manifest and check one against the other.

    Parameters
    ----------
    path : Path
        The study file, or the folder in which ``study.toml`` lies.
    hashes : bool
        Also read every clip and compare its SHA-256 (about 1 s per GB).

    Raises
    ------
    StudyError, ManifestError
        With the first fault in one line: file, key, value, cure.
    """
    found = read_study(path)
    if faults := crosscheck(found.study, found.entries, path=found.path):
        raise ManifestError(faults[0])
    if fault := sheet_fault(found.study, path=found.path):
        raise StudyError(fault)
    manifest.verify(found.entries, hashes=hashes)
    return found


def read_study(path: Path) -> StudyFiles:
    """Load a study with its manifest, each right in itself, without looking at the clips."""
    path = study_file.study_path(path).absolute()
    study = study_file.load(path)
    return StudyFiles(study, manifest.load(manifest_path(study, path)), path)


def sheet_fault(study: Study, *, path: Path) -> str | None:
    """Return what is wrong with the information sheet's file, in one line, or None."""
    sheet = study.consent.sheet
    if sheet is None or (path.parent / sheet).is_file():
        return None
    return f"{path}: consent.sheet = {sheet!r}: no such file beside the study file; put the sheet there, or leave the key out"


def manifest_path(study: Study, path: Path) -> Path:
    """Return where the table of clips lies."""
    return path.parent / study.stimuli.manifest


def crosscheck(study: Study, entries: Sequence[Entry], *, path: Path) -> list[str]:
    """Return every fault between a study file and its manifest, in one line each."""
    trials = pool(study, entries)
    return [
        *_not_in_the_table(study, entries, path=path),
        *(fault for e in trials if (fault := _target_fault(study, e))),
        *_too_few(study, Counter(e.target for e in trials), path=path),
        *_same_name_as_a_rest(study, entries),
    ]


def _not_in_the_table(study: Study, entries: Sequence[Entry], *, path: Path) -> list[str]:
    known = {e.stim_id for e in entries}
    named = [("practice.clips", name) for name in study.practice.clips]
    named += [("stimuli.mood_repair", study.stimuli.mood_repair)] if study.stimuli.mood_repair else []
    where = study.stimuli.manifest
    return [f"{path}: {key} = {name!r}: is no stim_id of {where}; add its line" for key, name in named if name not in known]


def _target_fault(study: Study, entry: Entry) -> str | None:
    emotion = study.emotions.get(entry.target)
    if emotion is None:
        return (
            f"{entry.where}: target = {entry.target!r}: the study's emotions are {', '.join(study.emotions)}; name one of them"
        )
    if emotion.as_ == "rest":
        return f'{entry.where}: target = {entry.target!r}: the study shows rest for it; remove the line, or set as = "clip"'
    return None


def _too_few(study: Study, counts: Counter[str], *, path: Path) -> list[str]:
    wanted, table = study.stimuli.clips_per_emotion, study.stimuli.manifest
    few = [name for name, emotion in study.emotions.items() if emotion.as_ == "clip" and counts[name] < wanted]
    return [
        f"{path}: stimuli.clips_per_emotion = {wanted}: {_clips(counts[emotion])} of {table} "
        f"{'has' if counts[emotion] == 1 else 'have'} the target {emotion}; add clips, or lower the number"
        if counts[emotion]
        else f"{path}: emotions.{emotion}: no clip of {table} has this target; add one, or drop the emotion"
        for emotion in few
    ]


def _same_name_as_a_rest(study: Study, entries: Sequence[Entry]) -> list[str]:
    taken = {name for emotion, value in study.emotions.items() if value.as_ == "rest" for name in rests(study, emotion)}
    return [
        f"{e.where}: stim_id = {e.stim_id!r}: is what a rest trial is called; rename the clip"
        for e in entries
        if e.stim_id in taken
    ]


def _clips(n: int) -> str:
    return "1 clip" if n == 1 else f"{n} clips"
