"""The files at the front of a dataset: what it is, who took part, which clips were shown."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bids_export import place, prose, sidecars, tables
from bids_export.survey import Participant, Survey
from protocol.study import Study

BIDS_VERSION = "1.11.1"  # the newest that the validator knows
HED_VERSION = "8.4.0"
BIDSIGNORE = """\
# video is in no release of BIDS yet: names of the draft BEP047, and the times of its frames
*_video.mkv
*_video.json
*_frames.tsv
*_frames.json
"""
SOURCE = "sourcedata"
PEOPLE = ("participant_id", "age", "sex", "handedness", "contact_quality", "included", "exclusion_reason", "consent")
FORM = ("hair", "cap_size")  # asked where the study's form asks; who is left out may depend on them
_STIMULI = ("stim_id", "target", "duration", "start", "filename", "sha256", "license", "source")


def write(root: Path, found: Survey, *, has_video: bool, has_quality: bool, today: date) -> None:
    """Write the files of the whole dataset.

    Parameters
    ----------
    root : Path
        The dataset.
    found : Survey
        Everybody, also those who are left out.
    has_video, has_quality : bool
        Whether any recording in it has a face video, or quality streams.
    today : date
        For CHANGES.
    """
    tables.write_json(root / place.DESCRIPTION, description(found))
    people = [_person(p) for p in found.participants]
    asked = tuple(name for name in FORM if any(person[name] for person in people))
    tables.write_tsv(root / "participants.tsv", (*PEOPLE, *asked), people)
    tables.write_json(root / "participants.json", sidecars.participants(found.study, asked))
    (root / "stimuli").mkdir()
    tables.write_tsv(root / "stimuli" / "stimuli.tsv", _STIMULI, _stimuli(found))
    tables.write_json(root / "stimuli" / "stimuli.json", sidecars.STIMULI)
    text = prose.readme(found, has_video=has_video, has_quality=has_quality)
    (root / "README.md").write_text(text, encoding="utf-8", newline="\n")
    (root / "CHANGES").write_text(prose.changes(found, today), encoding="utf-8", newline="\n")
    if has_video:
        (root / ".bidsignore").write_text(BIDSIGNORE, encoding="utf-8", newline="\n")


def description(found: Survey) -> dict[str, Any]:
    """Return ``dataset_description.json``."""
    about = found.study.study
    made_by = [
        {"Name": place.NAME, "Version": version(place.NAME)},
        {"Name": "MNE-BIDS", "Version": version("mne-bids"), "CodeURL": "https://mne.tools/mne-bids/"},
    ]
    ethics = [about.ethics_approval] if about.ethics_approval else None
    content = {
        "Name": about.name,
        "BIDSVersion": BIDS_VERSION,
        "HEDVersion": HED_VERSION,
        "DatasetType": "raw",
        "License": about.license,
        "Authors": list(about.authors) or None,
        "EthicsApprovals": ethics,
        "Keywords": ["EEG", "emotion", "facial expression", "contact quality"],
        "GeneratedBy": made_by,
        "SourceDatasets": [{"URL": f"bids::{SOURCE}/"}],
    }
    return tables.known(content) | ({"Simulated": True} if found.simulated else {})


def _person(participant: Participant) -> dict[str, object]:
    who = participant.sessions[0].runs[0].session.person
    return {
        "participant_id": f"sub-{participant.label}",
        "age": who.age_y,
        "sex": who.sex,
        "handedness": who.handedness,
        "contact_quality": participant.quality,
        "included": participant.included,
        "exclusion_reason": participant.reason,
        "consent": "+".join(s for s in ("eeg", "face", "share", "train") if s in participant.scopes) or None,
        **{name: getattr(who, name) for name in FORM},
    }


def _stimuli(found: Survey) -> list[dict[str, object]]:
    """Return one row per clip that anybody was shown, with what its table says."""
    runs = [run for person in found.participants for session in person.sessions for run in session.runs]
    entries = {entry.stim_id: entry for run in runs for entry in run.entries}
    shown = dict(pair for run in runs for pair in run.shown)
    rows: list[dict[str, object]] = []
    for stim_id, target in sorted(shown.items()):
        entry = entries.get(stim_id)
        known = {} if entry is None else {
            "duration": entry.duration_s, "start": entry.start_s, "filename": entry.file.name, "sha256": entry.sha256,
            "license": entry.licence, "source": entry.source,
        }  # fmt: skip
        rows.append({"stim_id": stim_id, "target": target, **known})
    return rows


def unknown(study: Study) -> tuple[str, ...]:
    """Return the study's keys that BIDS asks for and nobody filled in: nothing is invented in their place."""
    about, device = study.study, study.eeg
    asked: dict[str, object] = {
        "study.description": about.description,
        "study.license": about.license, "study.authors": about.authors,
        "study.cogatlas_id": about.cogatlas_id, "study.cogpo_id": about.cogpo_id,
        **{f"study.institution.{key}": value for key, value in about.institution.model_dump().items()},
        **{f"eeg.{key}": getattr(device, key) for key in _DEVICE},
        **({"camera.device": study.camera.device} if study.camera else {}),
    }  # fmt: skip
    return tuple(key for key, value in asked.items() if not value)


_DEVICE = (
    "reference", "ground", "line_freq", "manufacturer", "model", "serial_number", "software_versions", "cap_manufacturer",
    "cap_model", "placement_scheme", "hardware_filters", "software_filters",
)  # fmt: skip
