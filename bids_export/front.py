"""The files at the front of a dataset: what it is, who took part, which clips were shown."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bids_export import place, prose, receipts, sidecars, tables
from bids_export.privacy import INTERNAL, Profile
from bids_export.survey import Participant, Survey
from protocol.folder import sha256

BIDS_VERSION = "1.11.1"  # the newest that the validator knows
HED_VERSION = "8.4.0"
BIDSIGNORE = """\
# video is in no release of BIDS yet: names of the draft BEP047, and the times of its frames
*_video.mkv
*_video.json
*_frames.tsv
*_frames.json
"""
TEXTS = f"{receipts.SOURCE}/{receipts.FILE}"
PEOPLE = ("participant_id", "age", "sex", "handedness", "contact_quality", "included", "exclusion_reason", "consent")
FORM = ("hair", "cap_size")  # asked where the study's form asks; who is left out may depend on them
_STIMULI = ("stim_id", "target", "duration", "start", "filename", "sha256", "license", "redistributable", "source")


def write(
    new: Path,
    root: Path,
    found: Survey,
    *,
    has_video: bool,
    has_quality: bool,
    profile: Profile = INTERNAL,
    n_unshared: int = 0,
) -> None:
    """Write the files of the whole dataset; what people added to those that are there stays in them.

    Parameters
    ----------
    new : Path
        Where to write.
    root : Path
        The dataset as it is, or nothing.
    found : Survey
        Everybody, also those who are left out.
    has_video, has_quality : bool
        Whether any recording in it has a face video, or quality streams.
    profile : Profile
        Who the dataset is for.
    n_unshared : int
        How many took part, but are not in a dataset that is to be shared.
    """
    tables.write_json(new / place.DESCRIPTION, _extended(description(found, profile), root / place.DESCRIPTION))
    people = [_person(p) for p in found.participants]
    asked = tuple(name for name in FORM if any(person[name] for person in people))
    columns, rows = _with_added((*PEOPLE, *asked), people, root / "participants.tsv")
    tables.write_tsv(new / "participants.tsv", columns, rows)
    described = sidecars.participants(found.study, asked)
    tables.write_json(new / "participants.json", _extended(described, root / "participants.json", only=columns))
    (new / "stimuli").mkdir(exist_ok=True)
    tables.write_tsv(new / "stimuli" / "stimuli.tsv", _STIMULI, _stimuli(found))
    tables.write_json(new / "stimuli" / "stimuli.json", sidecars.STIMULI)
    tables.write_json(new / "scans.json", sidecars.scans())
    tables.write_json(new / "sessions.json", sidecars.sessions())
    if has_video:
        tables.write_text(new / ".bidsignore", _ignored(root / ".bidsignore"))
    if profile.shareable:
        shared = prose.readme(found, has_video=False, has_quality=has_quality, n_unshared=n_unshared)
        tables.write_text(new / "README.md", shared)
        tables.write_text(new / "CHANGES", prose.changes_shared(found))
        return
    written = _Written(new, root)
    written.text("README.md", prose.readme(found, has_video=has_video, has_quality=has_quality))
    written.text("CHANGES", prose.changes(found))
    written.save()


class _Written:
    """Texts that people go on with: one that is not as the last export left it stays as it is."""

    def __init__(self, new: Path, root: Path) -> None:
        self._new, self._root, self._hashes = new, root, {}  # type: Path, Path, dict[str, str]
        try:
            self._before = tables.read_json(root / TEXTS)
        except (OSError, ValueError):
            self._before = {}

    def text(self, name: str, text: str) -> None:
        """Write one, unless somebody has changed it."""
        there = self._root / name
        self._hashes[name] = hashlib.sha256(text.encode()).hexdigest()
        if there.exists() and name in self._before and sha256(there) != self._before[name]:
            self._hashes[name] = self._before[name]
            shutil.copyfile(there, self._new / name)
        else:
            tables.write_text(self._new / name, text)

    def save(self) -> None:
        """Remember how they were left."""
        (self._new / TEXTS).parent.mkdir(exist_ok=True)
        tables.write_json(self._new / TEXTS, self._hashes)


def _extended(ours: dict[str, Any], there: Path, *, only: Sequence[str] | None = None) -> dict[str, Any]:
    """Return a sidecar with the keys that somebody added to the one that is there."""
    try:
        theirs = tables.read_json(there)
    except (OSError, ValueError):
        return ours
    return ours | {key: value for key, value in theirs.items() if key not in ours and (only is None or key in only)}


def _with_added(
    columns: Sequence[str], rows: list[dict[str, object]], there: Path
) -> tuple[tuple[str, ...], list[dict[str, object]]]:
    """Return columns and rows with the columns that somebody added to the table that is there."""
    header, theirs = tables.read_tsv(there) if there.exists() else ((), [])
    added = tuple(name for name in header if name not in (*PEOPLE, *FORM))
    values = {row[header[0]]: row for row in theirs}
    extended = [row | {name: values.get(str(row[columns[0]]), {}).get(name) for name in added} for row in rows]
    return (*columns, *added), extended


def _ignored(there: Path) -> str:
    """Return ``.bidsignore``: our lines, and those that somebody added."""
    lines = there.read_text(encoding="utf-8").splitlines() if there.exists() else []
    ours = BIDSIGNORE.splitlines()
    return "\n".join([*ours, *(line for line in lines if line not in ours)]) + "\n"


def description(found: Survey, profile: Profile = INTERNAL) -> dict[str, Any]:
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
        "Acknowledgements": found.study.export.acknowledgements,
        "Funding": list(found.study.export.funding) or None,
        "ReferencesAndLinks": list(found.study.export.references) or None,
        "EthicsApprovals": ethics,
        "Keywords": ["EEG", "emotion", "facial expression", "contact quality"],
        "GeneratedBy": made_by,
        "SourceDatasets": [{"Version": "not shared"} if profile.shareable else {"URL": f"bids::{receipts.SOURCE}/"}],
        place.PROFILE: profile.name if profile.shareable else None,
    }
    return tables.known(content) | ({"Simulated": True} if found.simulated else {})


def _person(participant: Participant) -> dict[str, object]:
    who = participant.sessions[0].runs[0].session.person
    scopes = participant.scopes
    return {
        "participant_id": f"sub-{participant.label}",
        "age": who.age_y,
        "sex": who.sex,
        "handedness": who.handedness,
        "contact_quality": participant.quality,
        "included": participant.included,
        "exclusion_reason": participant.reason,
        "consent": "+".join(s for s in ("eeg", "face", "share", "train") if s in scopes) or None,
        **{name: getattr(who, name) for name in FORM},
    }


def _stimuli(found: Survey) -> list[dict[str, object]]:
    """Return one row per clip that anybody was shown, with what its table says."""
    runs = [run for person in found.participants for session in person.sessions for run in session.runs]
    shown = {clip.stim_id: clip for run in runs for clip in run.clips}
    return [shown[stim_id].model_dump() for stim_id in sorted(shown)]


def unknown(found: Survey, exported: Sequence[Participant]) -> dict[str, tuple[str, ...]]:
    """Return what BIDS asks for and nobody filled in, with BIDS' name for it: nothing is invented in its place.

    Parameters
    ----------
    found : Survey
        For the study.
    exported : sequence of Participant
        Whose recordings are in the dataset.

    Returns
    -------
    dict
        From the study's key to the warnings of the validator that its absence makes; none for what BIDS demands (``n/a``
        stands there), or does not know.
    """
    study = found.study
    about, device, institution = study.study, study.eeg, study.study.institution
    asked: dict[str, tuple[object, str]] = {
        "study.description": (about.description, "TaskDescription"),
        "study.license": (about.license, "License"),
        # one author is too few for the validator
        "study.authors": (len(about.authors) > 1, "TOO_FEW_AUTHORS" if about.authors else "Authors TOO_FEW_AUTHORS"),
        "study.cogatlas_id": (about.cogatlas_id, "CogAtlasID"),
        "study.cogpo_id": (about.cogpo_id, "CogPOID"),
        "study.institution.name": (institution.name, "InstitutionName"),
        "study.institution.address": (institution.address, "InstitutionAddress"),
        "study.institution.department": (institution.department, "InstitutionalDepartmentName"),
        **{f"eeg.{key}": (getattr(device, key), name) for key, name in _DEVICE.items()},
    }
    if study.camera:
        asked["camera.device"] = study.camera.device, ""
    runs = [run for person in exported for session in person.sessions for run in session.runs if run.has_eeg]
    measured = all(run.session.person.head_circumference_cm for run in runs)
    asked["form.fields: head_circumference"] = measured, "HeadCircumference"
    return {key: tuple(names.split()) for key, (value, names) in asked.items() if not value}


_DEVICE = {
    "reference": "", "ground": "EEGGround", "line_freq": "", "manufacturer": "Manufacturer",
    "model": "ManufacturersModelName", "serial_number": "DeviceSerialNumber", "software_versions": "SoftwareVersions",
    "cap_manufacturer": "CapManufacturer", "cap_model": "CapManufacturersModelName",
    "placement_scheme": "EEGPlacementScheme", "hardware_filters": "HardwareFilters", "software_filters": "",
}  # fmt: skip
