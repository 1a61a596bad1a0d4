"""The study file: one file, one study; frozen into every session. Unknown keys are refused by name.

Every key that may stand in ``study.toml`` is a field of a table, with its default and its reason: ``study_parts.py``,
``study_devices.py`` and ``study_people.py`` hold the tables.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ValidationError, model_validator

from protocol.study_devices import Camera, ContactQuality, Eeg, Gate, Screen, Stream
from protocol.study_labrecorder import LabRecorder, Meaning
from protocol.study_parts import (
    About,
    Color,
    Design,
    Emotion,
    Institution,
    Label,
    Name,
    Part,
    Practice,
    Ratings,
    Safety,
    Stimuli,
    Sync,
    Timing,
)  # fmt: skip
from protocol.study_people import ConsentForm, Export, ParticipantForm

__all__ = [
    "OTHER", "About", "Camera", "Color", "ConsentForm", "ContactQuality", "Design", "Eeg", "Emotion", "Export", "Gate",
    "Institution", "LabRecorder", "Label", "Meaning", "Name", "Part", "ParticipantForm", "Practice", "Ratings", "Safety",
    "Screen", "Stimuli", "Stream", "Study", "StudyError", "Sync", "Timing", "digest", "load", "loads", "study_path",
]  # fmt: skip

OTHER = "other"  # the discrete rating's last choice


class StudyError(ValueError):
    """The study file cannot be used; the text is one line: file, key, value, cure."""


class Study(Part):
    """A whole study file."""

    study: About
    emotions: dict[Name, Emotion]
    stimuli: Stimuli = Stimuli()
    safety: Safety = Safety()
    design: Design = Design()
    timing: Timing = Timing()
    practice: Practice = Practice()
    sync: Sync = Sync()
    ratings: Ratings = Ratings()
    screen: Screen = Screen()
    eeg: Eeg = Eeg()
    camera: Camera | None = Camera()
    contact_quality: ContactQuality = ContactQuality()
    gate: Gate = Gate()
    form: ParticipantForm = ParticipantForm()
    consent: ConsentForm
    export: Export = Export()
    labrecorder: LabRecorder | None = None

    @model_validator(mode="after")
    def _emotions(self) -> Self:
        if not 2 <= len(self.emotions) <= 8:
            raise ValueError(f"emotions: {len(self.emotions)} given; name 2 to 8")
        if OTHER in self.emotions:
            raise ValueError(f"emotions.{OTHER}: is what the rating calls an answer outside the list; rename it")
        if not any(emotion.as_ == "clip" for emotion in self.emotions.values()):
            raise ValueError("emotions: all of them are shown as rest; at least one needs clips")
        return self

    @model_validator(mode="after")
    def _design(self) -> Self:
        named = {"first_not": self.design.first_not, "last_not": self.design.last_not}
        named["not_after"] = tuple(name for pair in self.design.not_after for name in pair)
        for key, names in named.items():
            if unknown := [name for name in names if name not in self.emotions]:
                raise ValueError(f"design.{key}: {unknown[0]!r} is none of {', '.join(self.emotions)}; name one of them")
        n, blocks = self.stimuli.clips_per_emotion, self.design.blocks
        if n % blocks:
            evenly = ", ".join(str(b) for b in range(1, n + 1) if n % b == 0)
            raise ValueError(
                f"design.blocks = {blocks}: {n} clips of each emotion do not divide evenly; choose one of {evenly}"
            )
        if self.stimuli.mood_repair in self.practice.clips:
            raise ValueError(f"stimuli.mood_repair = {self.stimuli.mood_repair!r}: is a clip of the practice; choose another")
        return self


def loads(text: str, *, name: str = "study.toml") -> Study:
    """Read a study from text.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        What to call the file in messages.

    Raises
    ------
    StudyError
        One line: file, key, value, cure.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{name}: is not TOML: {error}") from None
    _read_false(raw, "camera")
    for key in ("contact_quality_stream", "eeg_quality_stream"):
        _read_false(raw.get("eeg"), key)
    try:
        return Study.model_validate(raw)
    except ValidationError as error:
        raise StudyError(f"{name}: {_explain(error)}") from None


def _read_false(table: Any, key: str) -> None:
    """TOML has no null: `camera = false` is a study without a face."""
    if isinstance(table, dict) and table.get(key) is False:
        table[key] = None


def load(path: Path) -> Study:
    """Read a study file; a folder means the ``study.toml`` in it.

    Raises
    ------
    StudyError
        One line: file, key, value, cure.
    """
    path = study_path(path)
    try:
        return loads(path.read_text(encoding="utf-8"), name=str(path))
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file; make a study with: emo-study new DIR") from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise StudyError(f"{path}: is not a text file in UTF-8") from None


def study_path(path: Path) -> Path:
    """Return the study file that a path means."""
    return path / "study.toml" if path.is_dir() else path


def digest(path: Path) -> str:
    """Return the SHA-256 of the study file, which every session carries."""
    return hashlib.sha256(study_path(path).read_bytes()).hexdigest()


def _explain(error: ValidationError) -> str:
    """Say the first fault in one line: key, value, cure."""
    first = error.errors()[0]
    key = ".".join(str(part)[:60] for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key{_known(first['loc'])}"
    if first["type"] == "missing":
        return f"{key}: is missing"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{key}.{message}" if key else message
    return f"{key} = {_short(first['input'])}: {message[0].lower()}{message[1:]}"


def _known(loc: tuple[int | str, ...]) -> str:
    """Return the keys that a table knows, for a misspelt one."""
    model: Any = Study
    for part in loc[:-1]:
        fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
        field = next((f for name, f in fields.items() if (f.alias or name) == str(part)), None)
        if field is None:
            return ""
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
    if model is None:
        return ""
    return f"; known here: {', '.join(field.alias or name for name, field in model.model_fields.items())}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
