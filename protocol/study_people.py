"""The tables of the study file on participants and on what becomes of their data."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from protocol.study_parts import Part, Text

Field_ = Literal["age", "sex", "handedness", "hair", "cap_size", "head_circumference"]


class ParticipantForm(Part):
    """``[form]``: what is asked about each participant before a session; never a name or an address."""

    fields: tuple[Field_, ...] = Field(
        default=("age", "sex", "handedness"), description="what is asked, in this order; nothing has to be answered"
    )
    screening: tuple[Text, ...] = Field(
        default=(),
        max_length=20,
        description="questions to be answered with yes or no; a yes has to be looked into before the session",
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        for key in ("fields", "screening"):
            if len(set(getattr(self, key))) < len(getattr(self, key)):
                raise ValueError(f"{key}: asks something twice; keep each once")
        return self


class ConsentForm(Part):
    """``[consent]``: what participants are asked to agree to."""

    version: str = Field(description="version of the information sheet")
    scopes: tuple[Literal["eeg", "face", "share", "train"], ...] = Field(
        default=("eeg", "face", "train"), description="what is asked for: recording EEG and face, sharing, training models"
    )
    sheet: str | None = Field(
        default=None, description="file of the information sheet, relative to the study file; every session keeps its SHA-256"
    )


class Export(Part):
    """``[export]``: what the dataset's description says beside ``[study]``."""

    acknowledgements: str | None = Field(default=None, description="who is thanked")
    funding: tuple[str, ...] = Field(default=(), description="grants")
    references: tuple[str, ...] = Field(default=(), description="articles and pages on the study")
