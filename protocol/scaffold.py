"""Make a new study's folder: the study file, its schema, drawn clips or none, their table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from protocol.presets import PRESETS, Sizes, preset
from protocol.study import Study
from protocol.study_files import StudyFiles, load_study, read_study
from stimuli import manifest
from stimuli.manifest import Entry
from stimuli.synthetic import Form, make_clips


class NewStudyError(ValueError):
    """There is something already where the study should go; the text is one line with the cure."""


SCHEMA = "study.schema.json"
EXTRAS: Mapping[str, tuple[str, str]] = {"practice01": ("practice", "neutral"), "mood01": ("mood_repair", "happiness")}
"""Target and scene of the clips that are no trials, by ``stim_id``."""


def scaffold(
    target: Path, name: str, sizes: Sizes, form: Form | None, *, on_clip: Callable[[int, int], None] = lambda done, total: None
) -> StudyFiles:
    """Write a study from a preset.

    Parameters
    ----------
    target : Path
        A folder that does not exist yet, or is empty.
    name : str
        One of :data:`protocol.presets.PRESETS`.
    sizes : Sizes
        How many clips, the camera, the language.
    form : Form, optional
        Of the clips that are drawn; None draws none, and the table has a line to be filled in for each that the preset wants.
    on_clip : callable
        Told after each clip how many are done, and of how many.

    Returns
    -------
    StudyFiles
        As they were written, read back and, with clips, checked. ``study.toml`` is written last: a folder without it is half
        made.

    Raises
    ------
    NewStudyError
        When the folder holds anything; nothing is written then.
    """
    _refuse_what_is_there(target)
    text, study = preset(name, sizes)
    target.mkdir(parents=True, exist_ok=True)
    if form:
        _draw(target, study, form, on_clip)
    else:
        manifest.write(target / "clips.tsv", _lines(target.resolve(), study, PRESETS[name].clip_s))
    (target / SCHEMA).write_text(json.dumps(Study.model_json_schema(), indent=1) + "\n", encoding="utf-8", newline="\n")
    (target / "study.toml").write_text(text, encoding="utf-8", newline="\n")
    return load_study(target) if form else read_study(target)


def _wanted(study: Study) -> dict[str, str]:
    """Return the colours of the emotions that have clips."""
    return {name: emotion.color for name, emotion in study.emotions.items() if emotion.as_ == "clip"}


def _extras(study: Study) -> Mapping[str, tuple[str, str]]:
    named = {study.stimuli.mood_repair, *study.practice.clips}
    return {stim_id: value for stim_id, value in EXTRAS.items() if stim_id in named}


def _draw(target: Path, study: Study, form: Form, on_clip: Callable[[int, int], None]) -> None:
    colors, extras, n = _wanted(study), _extras(study), study.stimuli.clips_per_emotion
    make_clips(
        target, colors, per_emotion=n, extras=extras, duration_s=form.duration_s, size_px=form.size_px, fps=form.fps,
        seed=study.design.seed, on_clip=_counting(on_clip, n * len(colors) + len(extras)),
    )  # fmt: skip


def _lines(folder: Path, study: Study, clip_s: float) -> list[Entry]:
    """Return the lines to be filled in."""
    numbers = range(1, study.stimuli.clips_per_emotion + 1)
    named = [(f"{emotion}{n:02d}", emotion) for emotion in _wanted(study) for n in numbers]
    named += [(stim_id, target) for stim_id, (target, _) in _extras(study).items()]
    files = ((folder / "clips" / f"{stim_id}.mp4", stim_id, target) for stim_id, target in named)
    return [Entry(file, stim_id, target, 0.0, clip_s, manifest.UNKNOWN_SHA256) for file, stim_id, target in files]


def _refuse_what_is_there(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise NewStudyError(f"{target}: is a file; name a new folder")
    if target.is_dir() and any(target.iterdir()):
        raise NewStudyError(f"{target}: is not empty; name a new folder, nothing is ever overwritten")


def _counting(on_clip: Callable[[int, int], None], total: int) -> Callable[[Entry], None]:
    """Return what counts the clips, which are done in several threads."""
    lock, done = Lock(), 0

    def count(_: Entry) -> None:
        nonlocal done
        with lock:
            done += 1
            on_clip(done, total)

    return count
