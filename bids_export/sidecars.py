"""What the columns mean: the JSON beside every table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bids_export import sync, tables
from bids_export.sync import NOTHING, Certificate, Leg
from bids_export.timeline import BAD_GAP
from protocol.folder import Session
from protocol.labrecorder import PRESENTATION, RECORDER
from protocol.study import OTHER, Emotion, Study

# of HED 8.4.0
_CLIP_HED = "Sensory-event, Experimental-stimulus, (Visual-presentation, Auditory-presentation, Audiovisual-clip)"
_HED = {
    "baseline/eyes_open": "Experiment-structure, Rest",
    "baseline/eyes_closed": "Experiment-structure, Rest",
    "rest": "Experiment-structure, Rest",
    "break": "Experiment-structure, Rest",
    "pause": "Experiment-structure, Pause",
    "practice": _CLIP_HED,
    "mood_repair": _CLIP_HED,
    "rating": "Agent-action, Participant-response, (Press, Keyboard-key)",
    "sync/cue": "Sensory-event, Cue, Visual-presentation",
    "sync/flash": "Sensory-event, Cue, Visual-presentation",
    BAD_GAP: "Data-feature, Data-artifact",
}
_LEVELS = {
    "baseline/eyes_open": "The participant looks at a cross, with open eyes, before the first clip.",
    "baseline/eyes_closed": "The participant rests with closed eyes.",
    "rest": "The participant rests.",
    "break": "A break between two blocks.",
    "pause": "The operator, or the participant, has stopped the session for a while.",
    "practice": "A clip is playing for practice: it is no trial.",
    "mood_repair": "A pleasant clip is playing at the end: it is no trial.",
    "rating": "A question is on the screen, until the participant answers it.",
    "sync/cue": "The participant is asked to blink.",
    "sync/flash": "The screen's brightness steps.",
    BAD_GAP: "Samples were not measured: lost and bridged by a straight line, or filled in by the headset itself.",
}
ONSET = (
    "Time from the first EEG sample on the EEG's own clock: onset times SamplingFrequency is the sample, at the end of the "
    "recording too"
)
ONSET_OF_FACE = "Time from the first frame of the face, on the recorder's clock: no EEG was recorded"


def onset(study: Study, leg: Leg | None) -> dict[str, Any]:
    """Return what describes a column of onsets: what they count from, and by what they were shifted; None without EEG."""
    if leg is None:
        return {"Description": ONSET_OF_FACE, "Units": "s"}
    return {"Description": ONSET, "Units": "s", "Shift": {"leg": leg.name} | sync.record(leg, study.sync.apply)}


_SAM = {
    "valence": "1 (unpleasant) to 9 (pleasant)",
    "arousal": "1 (calm) to 9 (excited)",
    "dominance": "1 (not in control) to 9 (in control)",
    "liking": "1 (dislike) to 9 (like)",
}


def events(study: Study, session: Session, present: set[str], *, certificate: Certificate | None = NOTHING) -> dict[str, Any]:
    """Return ``events.json``: every column, its levels, colours and HED tags.

    Parameters
    ----------
    study : Study
        Emotions with their tags and colours; screen.
    session : Session
        Versions of what presented the stimuli.
    present : set of str
        The values of ``trial_type`` in the table: a level that does not occur is not described.
    certificate : Certificate or None
        What was measured between screen and EEG; None where there is no EEG.
    """
    emotions = study.emotions
    levels = {f"clip/{name}": f"A clip chosen to elicit {name} is playing." for name in emotions}
    levels |= {f"rest/{name}": f"A cross for as long as a clip: rest, which stands for {name}." for name in emotions}
    levels = {name: text for name, text in (levels | _LEVELS).items() if name in present or name.startswith("clip/")}
    hed = {name: _hed(name) for name in levels}
    return {
        "onset": onset(study, certificate.screen_eeg if certificate else None),
        "duration": {"Description": "Duration on the same clock", "Units": "s"},
        "trial_type": {"LongName": "Kind of event", "Description": "What happened", "Levels": levels, "HED": hed},
        "trial": {"Description": "Number of the trial in the session, from 1"},
        "block": {"Description": "Number of the block, from 1"},
        "stim_id": {"Description": "Identifier of the clip: a row of stimuli/stimuli.tsv"},
        "target": _target(emotions),
        **{name: _sam(name) for name in _SAM},
        "rating": _rating(emotions),
        "intensity": {"Description": "How strong the felt emotion was, by the participant's own answer", "Units": "arbitrary"},
        "familiarity": {"Description": "Whether the participant says to have known the clip",
                        "Levels": {"yes": "knew it", "no": "did not"}},
        "looked_away": {"Description": "Whether the participant says to have looked away",
                        "Levels": {"yes": "looked away", "no": "did not"}},
        "response_time": {"Description": "Time from the flip of the question to the answer", "Units": "s"},
        "frames_shown": {"Description": "Frames of the clip that the screen showed"},
        "frames_dropped": {"Description": "Frames of the clip that came too late to be shown"},
        "attempt": {"Description": "How often this trial's clip had been begun, where it was begun again (2 ..)"},
        "end": {"Description": "How it ended", "Levels": {
            "complete": "as planned", "skipped": "skipped by the operator", "failed": "the clip could not be played",
            "interrupted": "the session was stopped, or the window was lost",
            "repeated": "as planned, but shown again in full later, here or in the run that goes on with this one: "
            "that one counts"}},
        "StimulusPresentation": presentation(study, session),
    }  # fmt: skip


def _hed(trial_type: str) -> str:
    if trial_type.startswith("clip/"):
        return _CLIP_HED
    return _HED.get(trial_type, "Experiment-structure, Rest")


def _target(emotions: dict[str, Emotion]) -> dict[str, Any]:
    return {
        "Description": "Emotion that the clip was chosen to elicit (the norm of the stimulus, not what was felt)",
        "Levels": {name: f"chosen to elicit {name}" for name in emotions},
        "HED": {name: f"(Intended-effect, {emotion.hed})" for name, emotion in emotions.items()},
        "Colors": {name: emotion.color for name, emotion in emotions.items()},
    }


def _rating(emotions: dict[str, Emotion]) -> dict[str, Any]:
    levels = {name: f"felt {name} most" for name in emotions} | {OTHER: "felt something else most"}
    return {"Description": "Emotion that the participant says to have felt most", "Levels": levels}


def _sam(name: str) -> dict[str, Any]:
    scale = "a scale" if name == "liking" else "the Self-Assessment Manikin"
    text = f"{name.capitalize()} by the participant's own answer on {scale}, {_SAM[name]}"
    return {"Description": text, "Units": "arbitrary", "Minimum": 1, "Maximum": 9}


def presentation(study: Study, session: Session) -> dict[str, Any]:
    """Return ``StimulusPresentation``; of what another program showed, only what the study file itself says."""
    version = session.versions.get("psychopy")
    if RECORDER in session.versions:
        screen = _screen(study) if "screen" in study.model_fields_set else {}
        return tables.known({"SoftwareName": session.versions.get(PRESENTATION)} | screen)
    program = {
        "OperatingSystem": session.versions.get("system"),
        "SoftwareName": "PsychoPy",
        "SoftwareRRID": "RRID:SCR_006571",
        "SoftwareVersion": None if version == tables.NA else version,
        "Code": None,
    }
    return tables.known(program | _screen(study))


def _screen(study: Study) -> dict[str, Any]:
    """Return what BIDS asks about the screen; its height follows from square pixels."""
    screen = study.screen
    width_px, height_px = screen.size_px
    return {
        "ScreenDistance": screen.distance_m,
        "ScreenOrigin": ["top", "left"],
        "ScreenRefreshRate": screen.refresh_hz,
        "ScreenResolution": [width_px, height_px],
        "ScreenSize": [screen.width_m, round(screen.width_m * height_px / width_px, 4)],
    }


_QUALITY = {
    "Description": "Time-weighted mean of the headset's own overall quality (contact quality CQ, or EEG quality EQ where "
    "the study says so) over the judged time, 0 to 1; n/a when the headset said too little to judge",
    "Units": "arbitrary",
}
_INCLUDED = {
    "Description": "Whether the rule on contact quality keeps it for analysis",
    "Levels": {"yes": "kept", "no": "left out: see exclusion_reason"},
}
_REASON = {"Description": "Why it is left out, in words"}


_FORM = {"hair": "Hair, in the words of the participant form", "cap_size": "Size of the EEG cap"}


def participants(study: Study, asked: Sequence[str] = ()) -> dict[str, Any]:
    """Return ``participants.json``; ``asked`` names the columns of the study's own form."""
    rule = study.contact_quality
    return {
        "participant_id": {"Description": "Unique identifier of the participant"},
        "age": {"Description": "Age at the first session", "Units": "year"},
        "sex": {"Description": "Sex, by the participant's own word", "Levels": {"F": "female", "M": "male", "O": "other"}},
        "handedness": {"Description": "Handedness", "Levels": {"L": "left", "R": "right", "A": "ambidextrous"}},
        "contact_quality": _QUALITY | {"Description": f"{_QUALITY['Description']}. Of the best session"},
        "included": _INCLUDED | {
            "Description": f"Whether any session reaches {rule.threshold:.0%} ({rule.metric}, over the {rule.over})",
            "Rule": rule.model_dump(),  # for programs: the report draws its line there
        },
        "exclusion_reason": _REASON,
        "consent": {
            "Description": "What the participant agreed to in every session, joined by +: eeg and face (recording), share "
            "(passing the data on), train (training models with them)"
        },
        **{name: {"Description": _FORM[name]} for name in asked},
    }  # fmt: skip


def scans() -> dict[str, Any]:
    """Return ``scans.json``."""
    ended = {"complete": "as planned", "aborted": "stopped before its end", "recovered": "by a crash; what was written is here"}
    return {
        "contact_quality": _QUALITY, "included": _INCLUDED, "exclusion_reason": _REASON,
        "ended": {"Description": "How the recording ended", "Levels": ended},
        "eeg_shift": {
            "Description": "By how much events were moved against the EEG, as the sync certificate measured it; n/a where not",
            "Units": "s",
        },
        "resumes": {"Description": "The recording that this one goes on with: a run of this session, or its identifier"},
        "contact_check": {"Description": "Whether blinks answered their cues before the first clip", "Levels": {
            "ok": "they did", "no_blinks": "they did not, and somebody started all the same", "not_checked": "not judged",
        }},
        "overrides": {"Description": "What spoke against the start and was overridden, by its code, joined by +"},
    }  # fmt: skip


def sessions() -> dict[str, Any]:
    """Return ``sessions.json``."""
    pooled = {**_QUALITY, "Description": f"{_QUALITY['Description']}. Runs are pooled"}
    return {"contact_quality": pooled, "included": _INCLUDED, "exclusion_reason": _REASON}


STIMULI: dict[str, Any] = {
    "stim_id": {"Description": "Identifier of the clip, as in the events"},
    "target": {"Description": "Emotion that the clip was chosen to elicit"},
    "duration": {"Description": "Seconds of the file that are played", "Units": "s"},
    "start": {"Description": "Where in the file playing begins", "Units": "s"},
    "filename": {"Description": "Name of the file; the clips themselves are not part of the dataset"},
    "sha256": {"Description": "Hash of the file: says which file is meant"},
    "license": {"Description": "Terms under which the clip may be used"},
    "redistributable": {
        "Description": "Whether the clip may be passed on",
        "Levels": {"yes": "ask the authors for the file", "no": "get it from its source"},
    },
    "source": {"Description": "Where the clip is from"},
}
