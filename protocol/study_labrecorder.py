"""The table of the study file that says what LabRecorder's files hold: its streams, and what its markers mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from protocol import markers
from protocol.labrecorder import TEMPLATE, pattern
from protocol.markers import MarkerError
from protocol.study_devices import Stream
from protocol.study_parts import Label, Part, Text

Scope = Literal["eeg", "face", "share", "train"]
Line = Annotated[str, StringConstraints(min_length=1, max_length=400)]


class Meaning(Part):
    """``[[labrecorder.events]]``: what a marker means."""

    marker: Line = Field(description="regular expression for the whole text of a marker; named groups become keys of the event")
    becomes: Line | None = Field(
        default=None,
        description="one of our markers with fixed keys, such as 'clip/onset target=fear'; left out: it means nothing",
    )
    duration: Annotated[float, Field(gt=0, le=7200)] | None = Field(
        default=None, description="seconds until what begins here ends, where no marker says so"
    )

    @property
    def name(self) -> str | None:
        """Which of our markers it becomes."""
        return None if self.becomes is None else markers.decode(self.becomes)[0]

    @property
    def fixed(self) -> Mapping[str, str]:
        """The keys that it always has."""
        return {} if self.becomes is None else markers.decode(self.becomes)[1]

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        try:
            groups = re.compile(self.marker).groupindex
        except re.error as error:
            raise ValueError(f"marker = {self.marker!r}: is no regular expression: {error}") from None
        if self.becomes is None:
            return self._means_nothing()
        try:
            name, fixed = markers.decode(self.becomes)
            markers.Marker(name, dict.fromkeys(groups, "") | fixed)
        except MarkerError as error:
            raise ValueError(f"becomes = {self.becomes!r}: {error}") from None
        for key in _NEEDED.get(name, ()):
            if key not in fixed and key not in groups:
                raise ValueError(f"becomes = {self.becomes!r}: needs {key}; write {key}=.., or (?P<{key}>..) in marker")
        if self.duration is not None and not (name.endswith("/onset") or "phase" in markers.KEYS[name]):
            raise ValueError(f"duration = {self.duration:g}: {name} is a moment; remove it")
        return self

    def _means_nothing(self) -> Self:
        if self.duration is not None:
            raise ValueError(f"duration = {self.duration:g}: of what means nothing; remove it, or say what it becomes")
        return self


_NEEDED = {
    "clip/onset": ("stim_id",), "practice/onset": ("stim_id",), "mood_repair/onset": ("stim_id",),
    "rating": ("question", "answer"),
}  # fmt: skip


class LabRecorder(Part):
    """``[labrecorder]``: recordings that LabRecorder made, in the same data folder or in one of their own."""

    template: str = Field(
        default=TEMPLATE,
        description="names of the files below the data folder, as in LabRecorder: %p participant, %s session, %b task, %r run, "
        "%a acquisition, %m modality, %n counter",
    )
    task: Label | None = Field(default=None, description="what %b is in this study's files; left out: the study's task")
    eeg: Stream | None = Field(default=None, description="the EEG; left out: as in [eeg] stream")
    contact_quality: Stream | None = Field(
        default=None, description="contact quality; left out: as in [eeg] contact_quality_stream"
    )
    markers: Stream = Field(default=Stream(type="Markers"), description="the markers, text or whole numbers")
    labels: tuple[Line, ...] = Field(
        default=(), description="names of all channels of the EEG stream, in its order, where it does not say them"
    )
    rename: dict[Line, Line] = Field(default={}, description='channels under another name: { "EEG 1" = "Cz" }')
    channels: tuple[str, ...] = Field(
        default=(), description="the EEG channels by their new names; left out: as in [eeg] channels"
    )
    counter: Line | None = Field(default=None, description="channel that counts samples; left out: as in [eeg] counter")
    units: Literal["uV", "V"] | None = Field(default=None, description="units of the EEG stream; left out: as in [eeg] units")
    events: tuple[Meaning, ...] = Field(
        default=(),
        description="what markers mean, the first that fits: `marker` is a regular expression for the whole text, `becomes` "
        "one of our markers (left out: it means nothing), `duration` seconds where nothing marks the end",
    )
    software: Line | None = Field(default=None, description="what showed the clips, such as PsychoPy 2024.1.4, for the dataset")
    consent: tuple[Scope, ...] = Field(
        default=(), description="what these participants agreed to, on paper; left out: EEG, not to be trained on or shared"
    )
    consent_by: Text | None = Field(default=None, description="who says so, and where the signed sheets are")
    consent_of: dict[Label, tuple[Scope, ...]] = Field(
        default={}, description='participants who agreed to something else: { "07" = ["eeg"] }'
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        try:
            pattern(self.template)
        except ValueError as error:
            raise ValueError(f"template = {self.template!r}: {error}") from None
        if (self.consent or self.consent_of) and self.consent_by is None:
            raise ValueError("consent_by: is missing: say who vouches for the consent, and where the signed sheets are")
        if self.consent_by is not None and not (self.consent or self.consent_of):
            raise ValueError("consent: is missing: say what was agreed to, such as ['eeg', 'train']; or leave consent_by out")
        return self

    @model_validator(mode="after")
    def _what_begins_ends(self) -> Self:
        names = {meaning.name for meaning in self.events}
        for meaning in self.events:
            name = meaning.name or ""
            if name.endswith("/onset") and meaning.duration is None and name.replace("/onset", "/offset") not in names:
                end = name.replace("/onset", "/offset")
                raise ValueError(f"events: nothing ends {meaning.marker!r}; give it a duration, or a marker that becomes {end}")
        return self
