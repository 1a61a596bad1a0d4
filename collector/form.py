"""The participant form at the operator's console: asked, or taken from options. What may be answered: :mod:`protocol.form`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from protocol import form as forms
from protocol.folder import Person
from protocol.form import FormError as FormError
from protocol.study import ParticipantForm
from protocol.study_people import Field_ as FieldName
from protocol.words import Language

EVERYTHING = ParticipantForm(fields=get_args(FieldName))

Ask = Callable[[str, str], str]
"""Asks a person: question and default to answer."""


@dataclass(frozen=True)
class Given:
    """What the command line gave; None = not given. ``signed`` refers to the signed sheet, ``screened`` to its questions."""

    age: float | None = None
    sex: str | None = None
    handedness: str | None = None
    scopes: str | None = None
    hair: str | None = None
    cap_size: str | None = None
    head_circumference: float | None = None
    signed: str | None = None
    screened: bool = False

    def answers(self) -> dict[str, str]:
        """Return what it says of the person, by the form's keys."""
        said = {name: getattr(self, name) for name in get_args(FieldName)}
        return {name: f"{value:g}" if isinstance(value, float) else value for name, value in said.items() if value is not None}


def from_options(given: Given, form: ParticipantForm) -> Person:
    """Take the form from the command line, unattended; unknown stays unknown.

    Raises
    ------
    FormError
        For a value that cannot be, or where nobody says that the screening questions were asked.
    """
    if form.screening and not given.screened:
        n = len(form.screening)
        raise FormError(f"--screened: not given; the study has {n} screening questions to be asked before: then add it")
    return forms.person(EVERYTHING, given.answers())


def ask(given: Given, form: ParticipantForm, *, language: Language, answer: Ask) -> Person:
    """Ask for what the study wants to know and the options left out, then the screening.

    Raises
    ------
    FormError
        For an answer that cannot be, or where the screening speaks against the session.
    """
    said = given.answers()
    screening = ParticipantForm(fields=EVERYTHING.fields, screening=() if given.screened else form.screening)
    for asked in forms.questions(form, language):
        if asked.key not in said and not (given.screened and asked.key.startswith("screening")):
            told = answer(asked.question + ("? y/n" if asked.key.startswith("screening") else " (empty: not told)"), "")
            said[asked.key] = told
    person = forms.person(screening, said)
    if against := forms.objections(person):
        look = "This has to be looked into. Was it, and may the session go on? y/n"
        if answer(look, "n").strip().lower() not in forms.YES:
            raise FormError(f"screening: yes to {against[0]!r}: nothing was recorded")
    return person
