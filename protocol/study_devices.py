"""The tables of the study file that say what it is shown on and recorded with, and from which contact quality on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from protocol.study_parts import Part, Seconds


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


class OtherStream(Stream):
    """A stream that is recorded beside the EEG and not judged."""

    required: bool = Field(default=True, description="recording does not begin without it")


class Eeg(Part):
    """``[eeg]``: headset, channels and what BIDS asks about them."""

    stream: Stream = Field(default=Stream(name="EmotivDataStream-EEG"), description="the EEG")
    contact_quality_stream: Stream | None = Field(
        default=Stream(name="EmotivDataStream-Contact-Quality"),
        description="contact quality (impedance), as the device reports it; `false` where it reports none",
    )
    eeg_quality_stream: Stream | None = Field(
        default=Stream(name="EmotivDataStream-EEG-Quality"),
        description="quality of the signal, as the device reports it; `false` where it reports none",
    )
    other_streams: tuple[OtherStream, ...] = Field(
        default=(OtherStream(name="EmotivDataStream-Motion", required=False),),
        description="further streams to record, such as motion, skin conductance or your own program's markers",
    )
    channels: tuple[str, ...] = Field(
        default=(), description="labels of the EEG channels; empty: every label that the montage knows"
    )
    exclude: tuple[str, ...] = Field(default=(), description="labels that are recorded and not analysed")
    counter: str | None = Field(default="Counter", description="label of the sample counter, if the device sends one")
    interpolated: str | None = Field(default="Interpolate", description="label that marks samples the device filled in")
    photodiode: str | None = Field(default=None, description="label of the channel that carries a photodiode on the screen")
    sfreq: float | None = Field(
        default=None, gt=0, le=100_000, description="samples a second that are expected; another rate is found before the start"
    )
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


class Gate(Part):
    """``[gate]``: the contacts before the start and between clips, while they can still be mended."""

    metric: Literal["CQ", "EQ"] = Field(default="CQ", description="contact quality or EEG quality, as the device reports it")
    threshold: float = Field(default=0.80, ge=0, le=1, description="share from which on a sensor, and the whole, are good")
    hold: Seconds = Field(default=10.0, description="seconds for which it must last")
    min_sensors: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="so many analysed sensors must be good; left out: the device's overall value decides",
    )
    required: bool = Field(
        default=False, description="true: no start before it is fulfilled; false: the operator is told, and decides"
    )
