"""The study file: one file, one study; frozen into every session. Unknown keys are refused by name.

Every key that may stand in ``study.toml`` is a field below, with its default and its reason.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,32}$")]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Seconds = Annotated[float, Field(ge=0, le=7200)]
OTHER = "other"  # the discrete rating's last choice


class StudyError(ValueError):
    """The study file cannot be used; the text is one line: file, key, value, cure."""


class Part(BaseModel):
    """A table of the study file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Institution(Part):
    """Who answers for the data; BIDS wants all three."""

    name: str | None = None
    address: str | None = None
    department: str | None = None


class About(Part):
    """``[study]``: what the dataset's description says."""

    name: str
    task: Label = Field(default="emotion", description="BIDS task label: letters and digits")
    language: Literal["en", "vi"] = Field(default="en", description="language of the participant's screens")
    authors: tuple[str, ...] = ()
    institution: Institution = Institution()
    license: str | None = Field(default=None, description="licence of the dataset, such as CC-BY-NC-4.0")
    ethics_approval: str | None = None
    description: str | None = Field(default=None, description="one sentence on the task, for BIDS TaskDescription")
    instructions: str | None = Field(default=None, description="what the participant was told, for BIDS Instructions")
    cogatlas_id: str | None = Field(default=None, description="address of the task in the Cognitive Atlas, for BIDS CogAtlasID")
    cogpo_id: str | None = Field(default=None, description="address of the task in CogPO, for BIDS CogPOID")


class Emotion(Part):
    """``[emotions]``: one line each, 2 to 8."""

    hed: str = Field(description="tag of HED 8.4.0 below Agent-emotional-state, such as Joyful")
    color: Color = Field(description="colour in every picture, as #RRGGBB")


class Stimuli(Part):
    """``[stimuli]``: where the clips are."""

    manifest: str = Field(default="clips.tsv", description="table of clips, relative to the study file")
    clips_per_emotion: int = Field(default=3, ge=1, le=100)


class Design(Part):
    """``[design]``: the order of the clips."""

    seed: int = 1
    never_twice_running: bool = Field(default=True, description="no emotion twice running")


class Timing(Part):
    """``[timing]``: seconds."""

    baseline: Seconds = Field(default=60.0, description="fixation with open eyes before the first clip")
    fixation: Seconds = Field(default=3.0, description="cross before each clip")
    rest: Seconds = Field(default=5.0, description="calm grey after each rating")


class Ratings(Part):
    """``[ratings]``: what is asked after each clip."""

    sam: tuple[Literal["valence", "arousal", "dominance"], ...] = ("valence", "arousal")
    discrete: bool = Field(default=True, description="ask which of the study's emotions, or another, was felt")

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.sam)) < len(self.sam):
            raise ValueError("sam: names a scale twice; keep each once")
        return self


class Screen(Part):
    """``[screen]``: the participant's screen."""

    size_px: tuple[Annotated[int, Field(ge=320, le=7680)], Annotated[int, Field(ge=240, le=4320)]] = (1280, 720)
    width_m: float = Field(default=0.53, gt=0, le=5)
    distance_m: float = Field(default=0.60, gt=0, le=5)
    refresh_hz: float = Field(default=60.0, ge=20, le=500)
    fullscreen: bool = True
    sound: Literal["required", "silent"] = Field(
        default="required", description="'silent' lets a session run where no sound device is found"
    )


class Stream(Part):
    """How an LSL stream is recognised; what is left out is not looked at."""

    name: str | None = None
    type: str | None = None
    host: str | None = None
    source_id: str | None = None


class Eeg(Part):
    """``[eeg]``: headset, channels and what BIDS asks about them."""

    stream: Stream = Stream(name="EmotivDataStream-EEG")
    contact_quality_stream: Stream | None = Stream(name="EmotivDataStream-Contact-Quality")
    eeg_quality_stream: Stream | None = Stream(name="EmotivDataStream-EEG-Quality")
    channels: tuple[str, ...] = Field(
        default=(), description="labels of the EEG channels; empty: every label that the montage knows"
    )
    exclude: tuple[str, ...] = Field(default=(), description="labels that are recorded and not analysed")
    counter: str | None = Field(default="Counter", description="label of the sample counter, if the device sends one")
    interpolated: str | None = Field(default="Interpolate", description="label that marks samples the device filled in")
    units: Literal["uV", "V"] = "uV"
    montage: str = Field(default="colin27_1020", description="a montage of MNE-Python")
    reference: str | None = Field(default=None, description="where the reference sits: asked, never assumed")
    ground: str | None = None
    line_freq: Literal[50, 60] | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    software_versions: str | None = None
    cap_manufacturer: str | None = None
    cap_model: str | None = None
    placement_scheme: str | None = None
    hardware_filters: str | None = None
    software_filters: str | None = None


class Camera(Part):
    """``[camera]``: the face."""

    source: int | str = Field(default=0, description='device number, a video file, or "twin"')
    size_px: tuple[Annotated[int, Field(ge=160, le=7680)], Annotated[int, Field(ge=120, le=4320)]] = (1280, 720)
    fps: float = Field(default=30.0, ge=1, le=240)
    device: str | None = Field(default=None, description="make and model, for the dataset")


class ContactQuality(Part):
    """``[contact_quality]``: who stays in. The paper: 80 % or higher as reported by the device."""

    metric: Literal["CQ", "EQ"] = "CQ"
    threshold: float = Field(default=0.80, ge=0, le=1)
    over: Literal["recording", "clips"] = "recording"


class ConsentForm(Part):
    """``[consent]``: what participants are asked to agree to."""

    version: str
    scopes: tuple[Literal["eeg", "face", "share", "train"], ...] = ("eeg", "face", "train")


class Study(Part):
    """A whole study file."""

    study: About
    emotions: dict[Name, Emotion]
    stimuli: Stimuli = Stimuli()
    design: Design = Design()
    timing: Timing = Timing()
    ratings: Ratings = Ratings()
    screen: Screen = Screen()
    eeg: Eeg = Eeg()
    camera: Camera | None = Camera()
    contact_quality: ContactQuality = ContactQuality()
    consent: ConsentForm

    @model_validator(mode="after")
    def _emotions(self) -> Self:
        if not 2 <= len(self.emotions) <= 8:
            raise ValueError(f"emotions: {len(self.emotions)} given; name 2 to 8")
        if OTHER in self.emotions:
            raise ValueError(f"emotions.{OTHER}: is what the rating calls an answer outside the list; rename it")
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
    if raw.get("camera") is False:
        raw["camera"] = None  # TOML has no null: `camera = false` is a study without a face
    try:
        return Study.model_validate(raw)
    except ValidationError as error:
        raise StudyError(f"{name}: {_explain(error)}") from None


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
    key = ".".join(str(part) for part in first["loc"])
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
        field = model.model_fields.get(str(part)) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if field is None:
            return ""
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
    return f"; known here: {', '.join(model.model_fields)}" if model is not None else ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
