"""Make a new study's folder: the study file, drawn clips, their table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from protocol.presets import Sizes, preset
from protocol.study_files import StudyFiles, load_study
from stimuli.manifest import Entry
from stimuli.synthetic import Form, make_clips


class NewStudyError(ValueError):
    """There is something already where the study should go; the text is one line with the cure."""


def scaffold(
    target: Path, name: str, sizes: Sizes, form: Form, *, on_clip: Callable[[int, int], None] = lambda done, total: None
) -> StudyFiles:
    """Write a study from a preset.

    Parameters
    ----------
    target : Path
        A folder that does not exist yet, or is empty.
    name : str
        One of :data:`protocol.presets.PRESETS`.
    sizes, form
        How many clips, of what form, and the camera's.
    on_clip : callable
        Told after each clip how many are done, and of how many.

    Returns
    -------
    StudyFiles
        As they were written, read back and checked. ``study.toml`` is written last: a folder without it is half made.

    Raises
    ------
    NewStudyError
        When the folder holds anything; nothing is written then.
    """
    _refuse_what_is_there(target)
    text, study = preset(name, sizes)
    target.mkdir(parents=True, exist_ok=True)
    make_clips(
        target, {emotion: value.color for emotion, value in study.emotions.items()},
        per_emotion=sizes.clips_per_emotion, duration_s=form.duration_s, size_px=form.size_px, fps=form.fps,
        seed=study.design.seed, on_clip=_counting(on_clip, sizes.clips_per_emotion * len(study.emotions)),
    )  # fmt: skip
    (target / "study.toml").write_text(text, encoding="utf-8", newline="\n")
    return load_study(target)


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
