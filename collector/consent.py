"""The consent, with the participant form: asked on the terminal, given by options, or simulated. No names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from collector import form as console_form
from collector.form import Ask, Given
from collector.form import FormError as ConsentError
from protocol import form as forms
from protocol.folder import Consent, Person
from protocol.journal import wall_now
from protocol.study import ConsentForm, ParticipantForm
from protocol.words import Language

__all__ = ["ConsentError", "Given", "agreement", "ask", "from_options", "scopes", "simulated"]

Scope = Literal["eeg", "face", "share", "train"]
_SIGNED = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9._/-]{0,63}", re.ASCII)  # with a digit in it: a number, not a name
MEANING: dict[Scope, str] = {
    "eeg": "to the recording of the EEG",
    "face": "to the recording of the face",
    "share": "to the data being shared with other researchers",
    "train": "to recognisers being trained on the data",
}


def scopes(text: str, form: ConsentForm) -> tuple[Scope, ...]:
    """Read scopes such as ``eeg,face,train``.

    Raises
    ------
    ConsentError
        For a scope that the study does not ask for, or without ``eeg``, because then nothing may be recorded.
    """
    named = [part.strip() for part in text.replace("+", ",").split(",") if part.strip()]
    for scope in named:
        if scope not in form.scopes:
            raise ConsentError(f"--consent = {text}: {scope!r} is not in the study's consent; it has {', '.join(form.scopes)}")
    if "eeg" not in named:
        raise ConsentError(f"--consent = {text or 'nothing'}: no consent to the EEG, so nothing may be recorded")
    return tuple(scope for scope in form.scopes if scope in named)


def from_options(
    given: Given, form: ConsentForm, *, asked: ParticipantForm | None = None, sheet: Path | None = None
) -> tuple[Person, Consent]:  # fmt: skip
    """Take form and consent from the command line, unattended.

    Raises
    ------
    ConsentError
        Where the consent is not there, or nobody says that the screening was done: nobody is recorded without.
    """
    if given.scopes is None:
        raise ConsentError(
            "--consent: not given, and no terminal to ask on; name what the participant signed, such as "
            f"--consent {','.join(form.scopes)}"
        )
    who = console_form.from_options(given, asked or ParticipantForm())
    return who, _consent(scopes(given.scopes, form), form, sheet=sheet, signed=given.signed)


def agreement(text: str | None, form: ConsentForm, *, answer: Ask | None) -> Consent:
    """Take the consent alone, for a recording without a session.

    Parameters
    ----------
    text : str or None
        What ``--consent`` named; None asks.
    form : ConsentForm
        The study's.
    answer : callable or None
        Puts a question to the operator; None where there is no terminal.

    Raises
    ------
    ConsentError
        Without consent to the EEG, or where nobody can be asked.
    """
    if text is None:
        if answer is None:
            return from_options(Given(), form)[1]
        text = _agreed(form, answer)
    return _consent(scopes(text, form), form)


def _agreed(form: ConsentForm, answer: Ask) -> str:
    told = [s for s in form.scopes if answer(f"Did the participant agree {MEANING[s]}? y/n", "n").lower().startswith("y")]
    return ",".join(told)


def ask(
    given: Given, form: ConsentForm, *, answer: Ask, asked: ParticipantForm | None = None, sheet: Path | None = None,
    language: Language = "en",
) -> tuple[Person, Consent]:  # fmt: skip
    """Ask for what the options left out.

    Parameters
    ----------
    given : Given
        What needs no asking.
    form : ConsentForm
        The study's.
    answer : callable
        Puts a question with a default to the operator.
    asked : ParticipantForm, optional
        What the study wants to know about the person.
    sheet : Path, optional
        The information sheet.
    language : str
        Of the study, and so of the questions about the person.

    Raises
    ------
    ConsentError
        For an answer that cannot be, or without consent to the EEG.
    """
    who = console_form.ask(given, asked or ParticipantForm(), language=language, answer=answer)
    text = given.scopes if given.scopes is not None else _agreed(form, answer)
    agreed = scopes(text, form)
    signed = given.signed
    if signed is None and given.scopes is None:
        signed = answer("Reference to the signed sheet, such as C-2026-017 (empty: none)", "").strip() or None
    return who, _consent(agreed, form, sheet=sheet, signed=signed)


def simulated(participant: str, given: Given, form: ConsentForm, *, sheet: Path | None = None) -> tuple[Person, Consent]:
    """Make up a plausible participant, the same one each time for the same label; options go first."""
    rng = np.random.default_rng([int.from_bytes(participant.encode()) % 2**63, 1])
    age, sex, hand = float(rng.integers(18, 36)), str(rng.choice(["F", "M"])), str(rng.choice(["R", "L"], p=[0.9, 0.1]))
    head_cm = float(rng.integers(54, 61))
    made = replace(
        given,
        age=given.age if given.age is not None else age,
        sex=given.sex or sex,
        handedness=given.handedness or hand,  # about one in ten is left-handed (Papadatou-Pastou et al., 2020)
        head_circumference=given.head_circumference if given.head_circumference is not None else head_cm,
    )
    text = given.scopes if given.scopes is not None else ",".join(form.scopes)
    return forms.person(console_form.EVERYTHING, made.answers()), _consent(
        scopes(text, form), form, sheet=sheet, signed=given.signed
    )


def _consent(
    agreed: tuple[Scope, ...], form: ConsentForm, *, sheet: Path | None = None, signed: str | None = None
) -> Consent:  # fmt: skip
    """Return what was agreed to, now: each session asks again."""
    if signed is not None and not _SIGNED.fullmatch(signed):
        raise ConsentError(f"--signed = {signed!r}: the number of the signed sheet, such as C-2026-017; never a name")
    return Consent(
        version=form.version, scopes=agreed, t_wall=wall_now(), signed_ref=signed, sheet_sha256=forms.sheet_sha256(sheet)
    )
