"""A study with its clips: what launcher, window, cohort and check load first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocol import study as study_file
from protocol.ports import Clip
from protocol.study import Study
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
    manifest.verify(found.entries, hashes=hashes)
    return found


def read_study(path: Path) -> StudyFiles:
    """Load a study with its manifest, each right in itself, without looking at the clips."""
    path = study_file.study_path(path).absolute()
    study = study_file.load(path)
    return StudyFiles(study, manifest.load(manifest_path(study, path)), path)


def manifest_path(study: Study, path: Path) -> Path:
    """Return where the table of clips lies."""
    return path.parent / study.stimuli.manifest


def crosscheck(study: Study, entries: Sequence[Entry], *, path: Path) -> list[str]:
    """Return every fault between a study file and its manifest, in one line each."""
    emotions, wanted = list(study.emotions), study.stimuli.clips_per_emotion
    unknown = [
        f"{e.where}: target = {e.target!r}: the study's emotions are {', '.join(emotions)}; name one of them"
        for e in entries
        if e.target not in study.emotions
    ]
    counts = Counter(e.target for e in entries)
    few = [
        f"{path}: stimuli.clips_per_emotion = {wanted}: {_clips(counts[emotion])} of {study.stimuli.manifest} "
        f"{'has' if counts[emotion] == 1 else 'have'} the target {emotion}; add clips, or lower the number"
        if counts[emotion]
        else f"{path}: emotions.{emotion}: no clip of {study.stimuli.manifest} has this target; add one, or drop the emotion"
        for emotion in emotions
        if counts[emotion] < wanted
    ]
    return unknown + few


def _clips(n: int) -> str:
    return "1 clip" if n == 1 else f"{n} clips"
