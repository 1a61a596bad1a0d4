"""The tables of the study file that say what is shown and asked, in which order and for how long."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,32}$")]
StimId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Seconds = Annotated[float, Field(ge=0, le=7200)]


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
    debrief: Text | None = Field(default=None, description="what participants are told at the end; left out: thanks")
    cogatlas_id: str | None = Field(default=None, description="address of the task in the Cognitive Atlas, for BIDS CogAtlasID")
    cogpo_id: str | None = Field(default=None, description="address of the task in CogPO, for BIDS CogPOID")


class Emotion(Part):
    """``[emotions]``: one line each, 2 to 8."""

    hed: str = Field(description="tag of HED 8.4.0 below Agent-emotional-state, such as Joyful")
    color: Color = Field(description="colour in every picture, as #RRGGBB")
    as_: Literal["clip", "rest"] = Field(
        default="clip",
        alias="as",
        description="'clip' shows clips with this target; 'rest' shows a cross for as long instead, interleaved with the clips",
    )
    duration: Annotated[float, Field(ge=1, le=7200)] | None = Field(
        default=None, description="seconds of each rest trial; left out: the mean length of the clips"
    )

    @model_validator(mode="after")
    def _rest(self) -> Self:
        if self.duration is not None and self.as_ == "clip":
            raise ValueError(f'duration = {self.duration:g}: a clip has its own; remove it, or set as = "rest"')
        return self


class Stimuli(Part):
    """``[stimuli]``: where the clips are."""

    manifest: str = Field(default="clips.tsv", description="table of clips, relative to the study file")
    clips_per_emotion: int = Field(
        default=3, ge=1, le=100, description="how many each participant sees; of more in the manifest, which ones is drawn"
    )
    mood_repair: StimId | None = Field(
        default=None, description="stim_id of the clip that ends every session, also after an abort; it is no trial"
    )


class Safety(Part):
    """``[safety]``: what participants are warned of before they are asked to agree."""

    content_warning: bool | Text = Field(
        default=False, description="true shows our words on clips that upset, a text shows that text, before the consent"
    )
    max_flashes: int = Field(
        default=3,
        ge=0,
        le=30,
        description="general flashes that a clip may hold in any second (WCAG 2.2: 3); the check counts them",
    )
    flashing: bool = Field(
        default=False, description="true: clips flash more than that; participants are warned of seizures before the consent"
    )


class Design(Part):
    """``[design]``: the order of the clips."""

    seed: int = Field(default=1, description="the order of a participant depends on this and on the label alone")
    order: Literal["random", "latin-square"] = Field(
        default="random",
        description="'random' draws each participant's order; 'latin-square' takes it from a Williams square by the number in "
        "the participant's label: every emotion stands everywhere, and follows every other, equally often",
    )
    blocks: int = Field(
        default=1, ge=1, le=50, description="parts with a break between them, each with all emotions equally often"
    )
    never_twice_running: bool = Field(default=True, description="no emotion twice running")
    max_running: int | None = Field(
        default=None, ge=1, le=100, description="at most so many trials of one emotion running, where it may run at all"
    )
    first_not: tuple[Name, ...] = Field(default=(), description="emotions that no session begins with")
    last_not: tuple[Name, ...] = Field(default=(), description="emotions that no session ends with")
    not_after: tuple[tuple[Name, Name], ...] = Field(
        default=(),
        description='pairs that must not follow each other: ["sadness", "fear"] keeps sadness from coming right after fear',
    )
    participants: tuple[Label, ...] = Field(
        default=(),
        description="the roster: labels of those who are to take part; emo-run blocks START for any other until somebody says "
        "why; left out: any label will do",
    )

    @model_validator(mode="after")
    def _roster(self) -> Self:
        if twice := [one for n, one in enumerate(self.participants) if one in self.participants[:n]]:
            raise ValueError(f"participants: {twice[0]!r} stands there twice; name each once")
        if self.order == "latin-square":
            for one in self.participants:
                if not re.search(r"[1-9][0-9]*$", one):
                    raise ValueError(f'participants: {one!r}: order = "latin-square" goes by the number at its end, from 1')
        return self

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.never_twice_running and (self.max_running or 1) > 1:
            raise ValueError(f"max_running = {self.max_running}: never_twice_running is true; set that to false")
        if self.order == "latin-square":
            for key in ("first_not", "last_not", "not_after"):
                if getattr(self, key):
                    why = "a Latin square puts every emotion everywhere and after every other"
                    raise ValueError(f'{key}: {why}; remove it, or set order = "random"')
        return self


class Timing(Part):
    """``[timing]``: seconds."""

    baseline: Seconds = Field(default=60.0, description="fixation with open eyes before the first clip")
    eyes_closed: Seconds = Field(default=0.0, description="the same with closed eyes, between two tones; 0 leaves it out")
    hint: Seconds = Field(default=0.0, description="page before each clip that says that it is about to begin; 0 leaves it out")
    fixation: Seconds = Field(default=3.0, description="cross before each clip")
    rating: Seconds = Field(
        default=0.0,
        description="what all questions after a clip may take together; unanswered ones are then left out; 0: no limit",
    )
    rest: Seconds = Field(default=5.0, description="calm grey after each rating")
    break_: Seconds = Field(
        default=30.0, alias="break", description="shortest break between two blocks; then a key goes on; 0 leaves breaks out"
    )


class Practice(Part):
    """``[practice]``: trials to get used to it, before the baseline; they are no part of the data."""

    clips: tuple[StimId, ...] = Field(
        default=(),
        max_length=10,
        description="stim_ids of the clips, in their order; each is rated like a trial; never drawn for one",
    )


class Sync(Part):
    """``[sync]``: how the offsets between screen, camera and EEG are measured, and what is done about them."""

    blinks: int = Field(
        default=12, ge=0, le=60, description="cues to blink, before the first clip and again after the last; 0 leaves them out"
    )
    flashes: int = Field(
        default=12, ge=0, le=60, description="single luminance steps of the whole screen, before and after; 0 leaves them out"
    )
    after: bool = Field(default=True, description="false leaves the second time, after the last clip, out")
    apply: Literal["certificate", "none"] = Field(
        default="certificate",
        description="'certificate' shifts EEG and video against the events by what was measured, where it could be; "
        "'none' only reports it",
    )
    onset_skip: Annotated[float, Field(ge=0, le=60)] = Field(
        default=0.0,
        description="seconds that are discarded at each clip's beginning, in what is analysed; Le & Nguyen (2025): 2. It hides "
        "offsets shorter than that, and aligns nothing",
    )


class Ratings(Part):
    """``[ratings]``: what is asked after each clip."""

    sam: tuple[Literal["valence", "arousal", "dominance", "liking"], ...] = Field(
        default=("valence", "arousal"),
        description="scales of the Self-Assessment Manikin, and liking as in DEAP, 1 to 9, in the order of asking",
    )
    discrete: bool = Field(default=True, description="ask which of the study's emotions, or another, was felt")
    intensity: bool = Field(default=False, description="ask how strongly that emotion was felt, 1 to 9")
    looked_away: bool = Field(default=False, description="ask whether the participant looked away")
    familiarity: bool = Field(default=False, description="ask whether the participant knew the clip")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if len(set(self.sam)) < len(self.sam):
            raise ValueError("sam: names a scale twice; keep each once")
        if self.intensity and not self.discrete:
            raise ValueError("intensity = true: is asked of the emotion that was chosen; set discrete = true, or leave it out")
        return self
