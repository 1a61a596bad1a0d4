"""The participant form: what the study asks about a person, checked. No names: numbers and words from short lists alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from protocol.folder import Person
from protocol.study import ParticipantForm

Sex = Literal["F", "M", "O", "n/a"]
Hand = Literal["L", "R", "A", "n/a"]
AGE_Y = (3.0, 120.0)
HEAD_CM = (40.0, 70.0)  # of children of three to the largest caps
HAIR = ("none", "short", "medium", "long", "thick", "braided")
_CAP = re.compile(r"(XXS|XS|S|M|L|XL|XXL|[4-6][0-9](-[4-6][0-9])?)")  # as makers call them, or centimetres

Ask = Callable[[str, str], str]
"""Asks a person: question and default to answer."""


class FormError(ValueError):
    """The form or the consent cannot be used; the text is one line."""


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


_QUESTIONS = {
    "age": ("Age in years (empty: not told)", ""),
    "sex": ("Sex: F, M, O or n/a", "n/a"),
    "handedness": ("Handedness: L, R, A (both) or n/a", "n/a"),
    "hair": (f"Hair: {', '.join(HAIR)} (empty: not told)", ""),
    "cap_size": ("Size of the cap, such as M or 56 (empty: not told)", ""),
    "head_circumference": ("Head circumference in cm (empty: not told)", ""),
}


def person(given: Given) -> Person:
    """Make the form from what is known; unknown stays unknown.

    Raises
    ------
    FormError
        For a value that cannot be.
    """
    sex, hand = _one_of("--sex", given.sex, get_args(Sex)), _one_of("--handedness", given.handedness, get_args(Hand))
    cap = given.cap_size.strip().upper() if given.cap_size else None
    if cap is not None and not _CAP.fullmatch(cap):
        raise FormError(f"--cap-size = {given.cap_size}: XS, S, M, L, XL, or centimetres such as 56 or 54-58")
    return Person(
        age_y=_within("--age", given.age, AGE_Y, "years"), sex=cast(Sex | None, sex), handedness=cast(Hand | None, hand),
        hair=_one_of("--hair", given.hair, HAIR), cap_size=cap,
        head_circumference_cm=_within("--head-circumference", given.head_circumference, HEAD_CM, "cm"),
    )  # fmt: skip


def ask(given: Given, form: ParticipantForm, *, answer: Ask) -> Person:
    """Ask for what the study wants to know and the options left out, then the screening.

    Raises
    ------
    FormError
        For an answer that cannot be, or where the screening speaks against the session.
    """
    for name in form.fields:
        if getattr(given, name) is None:
            said = answer(*_QUESTIONS[name])
            value: Any = _number(name, said) if name in ("age", "head_circumference") else said.strip() or None
            given = replace(given, **{name: value})
    if not given.screened:
        _screen(form, answer)
    return person(given)


def check_screened(given: Given, form: ParticipantForm) -> None:
    """Refuse an unattended session whose screening nobody says was done.

    Raises
    ------
    FormError
        With the cure.
    """
    if form.screening and not given.screened:
        n = len(form.screening)
        raise FormError(f"--screened: not given; the study has {n} screening questions to be asked before: then add it")


def _screen(form: ParticipantForm, answer: Ask) -> None:
    """Put the screening questions; what was answered is looked into, and not kept."""
    spoke_against = [question for question in form.screening if _yes(answer(f"{question} y/n", "n"))]
    if spoke_against and not _yes(answer("This has to be looked into. Was it, and may the session go on? y/n", "n")):
        raise FormError(f"screening: yes to {spoke_against[0]!r}: nothing was recorded")


def _yes(said: str) -> bool:
    return said.strip().lower().startswith("y")


def _number(name: str, said: str) -> float | None:
    try:
        return float(said.replace(",", ".")) if said.strip() else None
    except ValueError:
        raise FormError(f"{name.replace('_', ' ')} = {said}: a number, or nothing") from None


def _within(what: str, value: float | None, bounds: tuple[float, float], unit: str) -> float | None:
    if value is not None and not bounds[0] <= value <= bounds[1]:
        raise FormError(f"{what} = {value:g}: {unit}, {bounds[0]:g} to {bounds[1]:g}")
    return value


def _one_of(what: str, value: str | None, known: tuple[str, ...]) -> str | None:
    if value is None:
        return None
    found = next((k for k in known if k.lower() == value.strip().lower()), None)
    if found is None:
        raise FormError(f"{what} = {value}: one of {', '.join(known)}")
    return found
