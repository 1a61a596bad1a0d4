"""The participant form and the consent: asked on the terminal, given by options, or simulated. No names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np

from protocol.folder import Consent, Person
from protocol.journal import wall_now
from protocol.study import ConsentForm

Scope = Literal["eeg", "face", "share", "train"]
Sex = Literal["F", "M", "O", "n/a"]
Hand = Literal["L", "R", "A", "n/a"]
AGE_Y = (3.0, 120.0)
MEANING: dict[Scope, str] = {
    "eeg": "to the recording of the EEG",
    "face": "to the recording of the face",
    "share": "to the data being shared with other researchers",
    "train": "to recognisers being trained on the data",
}

Ask = Callable[[str, str], str]
"""Asks a person: question and default to answer."""


class ConsentError(ValueError):
    """The form or the consent cannot be used; the text is one line."""


@dataclass(frozen=True)
class Given:
    """What the command line gave; None = not given."""

    age: float | None = None
    sex: str | None = None
    handedness: str | None = None
    scopes: str | None = None


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


def person(given: Given) -> Person:
    """Make the form from what is known; unknown stays unknown.

    Raises
    ------
    ConsentError
        For an age, sex or handedness that cannot be.
    """
    if given.age is not None and not AGE_Y[0] <= given.age <= AGE_Y[1]:
        raise ConsentError(f"--age = {given.age:g}: years, {AGE_Y[0]:g} to {AGE_Y[1]:g}")
    sex, hand = _one_of("--sex", given.sex, get_args(Sex)), _one_of("--handedness", given.handedness, get_args(Hand))
    return Person(age_y=given.age, sex=cast(Sex | None, sex), handedness=cast(Hand | None, hand))


def _one_of(what: str, value: str | None, known: tuple[str, ...]) -> str | None:
    if value is None:
        return None
    found = next((k for k in known if k.lower() == value.strip().lower()), None)
    if found is None:
        raise ConsentError(f"{what} = {value}: one of {', '.join(known)}")
    return found


def from_options(given: Given, form: ConsentForm) -> tuple[Person, Consent]:
    """Take form and consent from the command line, unattended.

    Raises
    ------
    ConsentError
        Where the consent is not there: nobody is recorded without.
    """
    if given.scopes is None:
        raise ConsentError(
            "--consent: not given, and no terminal to ask on; name what the participant signed, such as "
            f"--consent {','.join(form.scopes)}"
        )
    return person(given), _consent(scopes(given.scopes, form), form)


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


def ask(given: Given, form: ConsentForm, *, answer: Ask) -> tuple[Person, Consent]:
    """Ask for what the options left out.

    Parameters
    ----------
    given : Given
        What needs no asking.
    form : ConsentForm
        The study's.
    answer : callable
        Puts a question with a default to the operator.

    Raises
    ------
    ConsentError
        For an answer that cannot be, or without consent to the EEG.
    """
    age = given.age if given.age is not None else _age(answer("Age in years (empty: not told)", ""))
    sex = given.sex if given.sex is not None else answer("Sex: F, M, O or n/a", "n/a")
    hand = given.handedness if given.handedness is not None else answer("Handedness: L, R, A (both) or n/a", "n/a")
    who = person(Given(age=age, sex=sex, handedness=hand))
    text = given.scopes if given.scopes is not None else _agreed(form, answer)
    return who, _consent(scopes(text, form), form)


def _age(text: str) -> float | None:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise ConsentError(f"age = {text}: a number of years, or nothing") from None


def simulated(participant: str, given: Given, form: ConsentForm) -> tuple[Person, Consent]:
    """Make up a plausible participant, the same one each time for the same label; options go first."""
    rng = np.random.default_rng([int.from_bytes(participant.encode()) % 2**63, 1])
    made = Given(
        age=given.age if given.age is not None else float(rng.integers(18, 36)),
        sex=given.sex or str(rng.choice(["F", "M"])),
        # about one in ten is left-handed (Papadatou-Pastou et al., 2020)
        handedness=given.handedness or str(rng.choice(["R", "L"], p=[0.9, 0.1])),
    )
    text = given.scopes if given.scopes is not None else ",".join(form.scopes)
    head_cm = float(rng.integers(54, 61))
    return person(made).model_copy(update={"head_circumference_cm": head_cm}), _consent(scopes(text, form), form)


def _consent(agreed: tuple[Scope, ...], form: ConsentForm) -> Consent:
    return Consent(version=form.version, scopes=agreed, t_wall=wall_now())
