"""What leaves the laboratory: the profiles of an export, and the secret that shifts dates.

``internal`` is everything that the participants agreed to, for those who may see it. ``shareable`` is for others: only those
who agreed to ``share`` in all of their sessions; no video and nothing of single frames, no sources, no serial numbers, no
identifiers that lead back to a recording, and every date of a participant shifted by one secret offset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from bids_export.receipts import RunFacts
from bids_export.recording import Recording, RecordingError
from bids_export.survey import Participant, SessionFacts, Survey
from protocol import secret, tombstone
from protocol.study import Study

Name = Literal["internal", "shareable"]
WITHHELD = "withheld"
OLDEST_Y = 89.0  # above it an age alone may tell who it is (HIPAA safe harbour, 45 CFR 164.514(b)(2)(i)(C))
# BIDS: dates that are not real lie before 1925. BrainVision and MNE-Python go back to December 1901
SHIFTED_FIRST, SHIFTED_LAST = datetime(1903, 1, 1, tzinfo=UTC), datetime(1922, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Profile:
    """Who the dataset is for.

    Parameters
    ----------
    name : {"internal", "shareable"}
        Which profile.
    key : bytes
        What dates are shifted by; empty where they are not.
    """

    name: Name = "internal"
    key: bytes = b""

    @property
    def shareable(self) -> bool:
        """Whether others may see it."""
        return self.name == "shareable"

    def people(self, found: Survey) -> Survey:
        """Return who is in the dataset, and what it says of them."""
        return shareable(found, self.key) if self.shareable else found

    def recording(self, record: Recording, facts: RunFacts) -> Recording:
        """Return a recording as its facts say that it is told."""
        if not self.shareable:
            return record
        true = record.session.created_wall  # wall() counts from it, and adds the shift
        told = facts.session.model_copy(update={"created_wall": true})
        moved = _time(facts.session.created_wall) - _time(true)
        return replace(record, session=told, study=anonymous(record.study), shift=moved)


INTERNAL = Profile()


def of(name: Name, data: Path) -> Profile:
    """Return a profile, with the secret of the data folder where dates are to be shifted.

    Raises
    ------
    RecordingError, FolderError
        When there is no such folder, or its secret cannot be used, or is missing where somebody withdrew.
    """
    if name == "internal":
        return INTERNAL
    if not data.is_dir():
        raise RecordingError(f"{data}: is no folder; name the data folder that holds sub-*/ses-*/run-*")
    return Profile(name, tombstone.made_key(data))


def shareable(found: Survey, key: bytes) -> Survey:
    """Return a survey of what may be shared, with nothing in it that leads back; sessions without EEG have nothing to share.

    Who agreed to share in one session and not in another did not agree: neither is shared.
    """
    told = tuple(_anonymous_person(p, key) for p in found.participants if "share" in p.scopes)
    return replace(found, study=anonymous(found.study), participants=told)


def not_shared(found: Survey) -> tuple[str, ...]:
    """Return the sessions of participants who did not agree in all of them to share."""
    return tuple(f"sub-{p.label} ses-{s.session}" for p in found.participants if "share" not in p.scopes for s in p.sessions)


def anonymous(study: Study) -> Study:
    """Return a study without what identifies one device."""
    if not study.eeg.serial_number:
        return study
    return study.model_copy(update={"eeg": study.eeg.model_copy(update={"serial_number": WITHHELD})})


def shift_of(label: str, first: datetime, key: bytes) -> timedelta:
    """Return by how much the dates of one participant are shifted.

    Parameters
    ----------
    label : str
        The participant.
    first : datetime
        When the participant's first session was made.
    key : bytes
        The secret.

    Returns
    -------
    timedelta
        It brings ``first`` to a moment that the label and the secret choose: the shifted dates tell nothing of the true ones
        but how far apart a participant's sessions are.
    """
    n = (SHIFTED_LAST - SHIFTED_FIRST) // timedelta(microseconds=1)
    return SHIFTED_FIRST + timedelta(microseconds=int(secret.mark(key, f"dates {label}"), 16) % n) - first


def _anonymous_person(person: Participant, key: bytes) -> Participant:
    walls = [_time(run.session.created_wall) for session in person.sessions for run in session.runs]
    shift = shift_of(person.label, min(walls), key)
    return replace(person, sessions=tuple(_anonymous_session(session, shift) for session in person.sessions))


def _anonymous_session(session: SessionFacts, shift: timedelta) -> SessionFacts:
    names = {run.session.uid: f"run{run.session.run}" for run in session.runs}
    return replace(session, runs=tuple(_anonymous_run(run, names, shift) for run in session.runs))


def _anonymous_run(run: RunFacts, names: dict[str, str], shift: timedelta) -> RunFacts:
    """Return a run without a face, with dates that are shifted, and named by its label alone."""
    one = run.session
    age = one.person.age_y
    told = one.model_copy(update={
        "uid": names[one.uid], "resumes": names.get(one.resumes or ""), "replaces": None, "boot": "",
        "created_wall": (_time(one.created_wall) + shift).isoformat(),
        "person": one.person.model_copy(update={"age_y": None if age is None else min(age, OLDEST_Y)}),
        "consent": one.consent.model_copy(update={"t_wall": "", "signed_ref": None}),
    })  # fmt: skip
    return run.model_copy(update={"session": told, "has_video": False})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
