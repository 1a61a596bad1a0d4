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

    name: str | None = Field(default=None, description="such as VNU-UET")
    address: str | None = Field(default=None, description="postal address")
    department: str | None = Field(default=None, description="laboratory or department")


class About(Part):
    """``[study]``: what the dataset's description says."""

    name: str = Field(description="name of the study and of its dataset")
    task: Label = Field(default="emotion", description="BIDS task label: letters and digits")
    language: Literal["en", "vi"] = Field(default="en", description="language of the participant's screens")
    authors: tuple[str, ...] = Field(default=(), description="names, in the order of the dataset's description")
    institution: Institution = Field(default=Institution(), description="who answers for the data")
    license: str | None = Field(default=None, description="licence of the dataset, such as CC-BY-NC-4.0")
    ethics_approval: str | None = Field(default=None, description="committee and number of the approval")
    description: str | None = Field(default=None, description="one sentence on the task, for BIDS TaskDescription")
    instructions: str | None = Field(
        default=None, description="what participants are told: the welcome page and BIDS Instructions"
    )
    cogatlas_id: str | None = Field(default=None, description="address of the task in the Cognitive Atlas, for BIDS CogAtlasID")
    cogpo_id: str | None = Field(default=None, description="address of the task in CogPO, for BIDS CogPOID")


class Emotion(Part):
    """``[emotions]``: one line each, 2 to 8."""

    hed: str = Field(description="tag of HED 8.4.0 below Agent-emotional-state, such as Joyful")
    color: Color = Field(description="colour in every picture, as #RRGGBB")


class Stimuli(Part):
    """``[stimuli]``: where the clips are."""

    manifest: str = Field(default="clips.tsv", description="table of clips, relative to the study file")
    clips_per_emotion: int = Field(
        default=3, ge=1, le=100, description="how many each participant sees; of more in the manifest, which ones is drawn"
    )


class Design(Part):
    """``[design]``: the order of the clips."""

    seed: int = Field(default=1, description="the order of a participant depends on this and on the label alone")
    never_twice_running: bool = Field(default=True, description="no emotion twice running")


class Timing(Part):
    """``[timing]``: seconds."""

    baseline: Seconds = Field(default=60.0, description="fixation with open eyes before the first clip")
    eyes_closed: Seconds = Field(default=0.0, description="the same with closed eyes, between two tones; 0 leaves it out")
    fixation: Seconds = Field(default=3.0, description="cross before each clip")
    rest: Seconds = Field(default=5.0, description="calm grey after each rating")


class Sync(Part):
    """``[sync]``: how the offsets between screen, camera and EEG are measured, and what is done about them."""

    blinks: int = Field(
        default=12, ge=0, le=60, description="cues to blink, before the first clip and again after the last; 0 leaves them out"
    )
    flashes: int = Field(
        default=12, ge=0, le=60, description="single luminance steps of the whole screen, before and after; 0 leaves them out"
    )
    apply: Literal["certificate", "none"] = Field(
        default="certificate",
        description="'certificate' shifts EEG and video against the events by what was measured, where it could be; "
        "'none' only reports it",
    )


class Ratings(Part):
    """``[ratings]``: what is asked after each clip."""

    sam: tuple[Literal["valence", "arousal", "dominance"], ...] = Field(
        default=("valence", "arousal"), description="scales of the Self-Assessment Manikin, 1 to 9, in the order of asking"
    )
    discrete: bool = Field(default=True, description="ask which of the study's emotions, or another, was felt")

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.sam)) < len(self.sam):
            raise ValueError("sam: names a scale twice; keep each once")
        return self


class Screen(Part):
    """``[screen]``: the participant's screen."""

    size_px: tuple[Annotated[int, Field(ge=320, le=7680)], Annotated[int, Field(ge=240, le=4320)]] = Field(
        default=(1280, 720), description="width and height in pixels"
    )
    width_m: float = Field(default=0.53, gt=0, le=5, description="width of the picture in metres")
    distance_m: float = Field(default=0.60, gt=0, le=5, description="from the participant's eyes to the screen, in metres")
    refresh_hz: float = Field(default=60.0, ge=20, le=500, description="pictures a second")
    fullscreen: bool = Field(default=True, description="false opens a window")
    photodiode: Literal["none", "top-left", "top-right", "bottom-left", "bottom-right"] = Field(
        default="none", description="corner of a patch that turns white at each clip's first and last frame, for a photodiode"
    )
    photodiode_px: int = Field(default=60, ge=10, le=400, description="side of that patch in pixels")
    sound: Literal["required", "silent"] = Field(
        default="required", description="'silent' lets a session run where no sound device is found"
    )


class Stream(Part):
    """How an LSL stream is recognised; what is left out is not looked at."""

    name: str | None = Field(default=None, description="name of the stream")
    type: str | None = Field(default=None, description="type of the stream, such as EEG")
    host: str | None = Field(default=None, description="name of the computer that sends it")
    source_id: str | None = Field(default=None, description="the device's own id")


class Eeg(Part):
    """``[eeg]``: headset, channels and what BIDS asks about them."""

    stream: Stream = Field(default=Stream(name="EmotivDataStream-EEG"), description="the EEG")
    contact_quality_stream: Stream | None = Field(
        default=Stream(name="EmotivDataStream-Contact-Quality"),
        description="contact quality (impedance), as the device reports it",
    )
    eeg_quality_stream: Stream | None = Field(
        default=Stream(name="EmotivDataStream-EEG-Quality"), description="quality of the signal, as the device reports it"
    )
    channels: tuple[str, ...] = Field(
        default=(), description="labels of the EEG channels; empty: every label that the montage knows"
    )
    exclude: tuple[str, ...] = Field(default=(), description="labels that are recorded and not analysed")
    counter: str | None = Field(default="Counter", description="label of the sample counter, if the device sends one")
    interpolated: str | None = Field(default="Interpolate", description="label that marks samples the device filled in")
    photodiode: str | None = Field(default=None, description="label of the channel that carries a photodiode on the screen")
    units: Literal["uV", "V"] = Field(default="uV", description="units of the EEG stream")
    montage: str = Field(default="colin27_1020", description="a montage of MNE-Python")
    reference: str | None = Field(default=None, description="where the reference sits: asked, never assumed")
    ground: str | None = Field(default=None, description="where the ground sits: asked, never assumed")
    line_freq: Literal[50, 60] | None = Field(default=None, description="frequency of the mains where you are, Hz")
    manufacturer: str | None = Field(default=None, description="maker of the amplifier, for the dataset as all that follows")
    model: str | None = Field(default=None, description="model of the amplifier")
    serial_number: str | None = Field(default=None, description="serial number of the amplifier")
    software_versions: str | None = Field(default=None, description="of the maker's program that sends the streams")
    cap_manufacturer: str | None = Field(default=None, description="maker of the cap")
    cap_model: str | None = Field(default=None, description="model of the cap")
    placement_scheme: str | None = Field(default=None, description="how the electrodes are placed, such as 10-20")
    hardware_filters: str | None = Field(default=None, description="filters in the amplifier")
    software_filters: str | None = Field(default=None, description="filters in the maker's program")


class Camera(Part):
    """``[camera]``: the face."""

    source: int | str = Field(default=0, description='device number, a video file, or "twin"')
    size_px: tuple[Annotated[int, Field(ge=160, le=7680)], Annotated[int, Field(ge=120, le=4320)]] = Field(
        default=(1280, 720), description="width and height in pixels"
    )
    fps: float = Field(
        default=30.0, ge=1, le=240, description="frames a second that are asked for; the true times are recorded"
    )
    device: str | None = Field(default=None, description="make and model, for the dataset")


class ContactQuality(Part):
    """``[contact_quality]``: who stays in. The paper: 80 % or higher as reported by the device."""

    metric: Literal["CQ", "EQ"] = Field(
        default="CQ", description="contact quality (impedance) or EEG quality (signal): two things, both are recorded"
    )
    threshold: float = Field(default=0.80, ge=0, le=1, description="share from which on a participant stays in")
    over: Literal["recording", "clips"] = Field(
        default="recording", description="the time that is judged: from baseline to last clip, or the clips alone"
    )


class ConsentForm(Part):
    """``[consent]``: what participants are asked to agree to."""

    version: str = Field(description="version of the information sheet")
    scopes: tuple[Literal["eeg", "face", "share", "train"], ...] = Field(
        default=("eeg", "face", "train"), description="what is asked for: recording EEG and face, sharing, training models"
    )


class Study(Part):
    """A whole study file."""

    study: About
    emotions: dict[Name, Emotion]
    stimuli: Stimuli = Stimuli()
    design: Design = Design()
    timing: Timing = Timing()
    sync: Sync = Sync()
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
