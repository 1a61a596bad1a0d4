"""The participant form: what is asked, in words, and what may be answered. Pure. Never a name, an address or a number to call.

The launcher asks on its console; the answers become :class:`protocol.folder.Person`. An empty answer stays unknown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from protocol.folder import Person
from protocol.study import ParticipantForm, Study
from protocol.words import WORDS
from protocol.words_types import Language

AGE_Y = (3.0, 120.0)
HEAD_CM = (40.0, 70.0)  # from a small child's to the largest caps that are made
HAIR = ("none", "short", "medium", "long")
SEX, HAND = ("F", "M", "O", "n/a"), ("L", "R", "A", "n/a")
YES, NO = ("y", "yes", "c", "có", "co"), ("n", "no", "k", "không", "khong")
_CAP = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,/+-]{0,11}")
_EMAIL = re.compile(r"\S@\S|\bwww\.|https?:", re.IGNORECASE)
_NUMBER = re.compile(r"(?:[0-9][ ./-]?){7,}")  # of a telephone or an identity card


class FormError(ValueError):
    """An answer cannot be taken; the text is one line with the cure."""


@dataclass(frozen=True)
class Asked:
    """One question of the form: the key in ``[form] fields`` or ``screening/1`` .., its words, and what may be answered."""

    key: str
    question: str
    allowed: tuple[str, ...] = ()


_QUESTIONS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "age": "Age in years",
        "sex": "Sex: F, M, O (other) or n/a",
        "handedness": "Handedness: L, R, A (both) or n/a",
        "hair": "Hair under the cap: none, short, medium or long",
        "cap_size": "Size of the cap, as printed on it",
        "head_circumference": "Circumference of the head in cm",
    },
    "vi": {
        "age": "Tuổi",
        "sex": "Giới tính: F (nữ), M (nam), O (khác) hoặc n/a",
        "handedness": "Tay thuận: L (trái), R (phải), A (cả hai) hoặc n/a",
        "hair": "Tóc dưới mũ điện cực: none (không có), short (ngắn), medium (vừa), long (dài)",
        "cap_size": "Cỡ mũ, như in trên mũ",
        "head_circumference": "Chu vi đầu (cm)",
    },
}
_ALLOWED: Mapping[str, tuple[str, ...]] = {"sex": SEX, "handedness": HAND, "hair": HAIR}


def questions(form: ParticipantForm, language: Language) -> tuple[Asked, ...]:
    """Return what the form asks, in its order; the screening comes last."""
    words = _QUESTIONS[language]
    asked = [Asked(name, words[name], _ALLOWED.get(name, ())) for name in form.fields]
    screening = [Asked(f"screening/{n}", text, ("yes", "no")) for n, text in enumerate(form.screening, 1)]
    return (*asked, *screening)


def person(form: ParticipantForm, answers: Mapping[str, str]) -> Person:
    """Make the record from what was answered.

    Parameters
    ----------
    form : ParticipantForm
        The study's.
    answers : mapping of str to str
        By the keys of :func:`questions`; one that is left out or empty stays unknown.

    Raises
    ------
    FormError
        For an answer that cannot be, that looks like a name, or to a question that is not asked.
    """
    asked = {q.key: q for q in questions(form, "en")}
    if unknown := [key for key in answers if key not in asked]:
        raise FormError(f"{unknown[0]}: is not asked by the study's form; it asks {', '.join(asked) or 'nothing'}")
    told = {key: text.strip() for key, text in answers.items() if text.strip()}
    values: dict[str, Any] = {_PERSON[key]: _READ[key](key, text) for key, text in told.items() if key in _PERSON}
    screening: dict[str, Literal["yes", "no"]] = {
        asked[key].question: _yes_no(key, text) for key, text in told.items() if key not in _PERSON
    }
    return Person(**values, screening=screening or None)


def objections(person: Person) -> list[str]:
    """Return the screening questions that were answered with yes: to be looked into before the session."""
    return [question for question, answer in (person.screening or {}).items() if answer == "yes"]


def refuse_identity(text: str, *, what: str) -> str:
    """Return a short text, such as the reference to a signed sheet, unless it tells who somebody is.

    Two or more words that all begin with a capital letter look like a name; what may be one is refused, because nobody can take
    it out of the copies later.

    Raises
    ------
    FormError
        With the cure.
    """
    words = re.findall(r"[^\W\d_]+", text)
    named = len(words) >= 2 and all(word[0].isupper() for word in words)
    if _EMAIL.search(text) or _NUMBER.search(text) or named:
        raise FormError(f"{what} = {text!r}: looks like a name, an address or a telephone number; write a code, such as A-017")
    return text


def warnings(study: Study) -> tuple[str, ...]:
    """Return what participants are told before they are asked to agree, in the study's language."""
    words, safety = WORDS[study.study.language], study.safety
    content = words.content_warning if safety.content_warning is True else safety.content_warning or ""
    return tuple(text for text in (content, words.flashing if safety.flashing else "") if text)


def sheet_sha256(sheet: Path | None) -> str | None:
    """Return the SHA-256 of the information sheet; None where the study names none."""
    return hashlib.sha256(sheet.read_bytes()).hexdigest() if sheet else None


def _number(what: str, text: str, bounds: tuple[float, float], unit: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not bounds[0] <= value <= bounds[1]:
        raise FormError(f"{what} = {text!r}: {unit}, from {bounds[0]:g} to {bounds[1]:g}, or nothing")
    return value


def _choice(what: str, text: str) -> str:
    found = next((known for known in _ALLOWED[what] if known.lower() == text.lower()), None)
    if found is None:
        raise FormError(f"{what} = {text!r}: one of {', '.join(_ALLOWED[what])}")
    return found


def _cap(what: str, text: str) -> str:
    refuse_identity(text, what=what)
    if not _CAP.fullmatch(text):
        raise FormError(f"{what} = {text!r}: up to 12 letters and digits, such as M or 56")
    return text


def _yes_no(what: str, text: str) -> Literal["yes", "no"]:
    said = text.lower()
    if said not in (*YES, *NO):
        raise FormError(f"{what} = {text!r}: yes or no")
    return "yes" if said in YES else "no"


_PERSON = {
    "age": "age_y", "sex": "sex", "handedness": "handedness", "hair": "hair", "cap_size": "cap_size",
    "head_circumference": "head_circumference_cm",
}  # fmt: skip
_READ: Mapping[str, Callable[[str, str], float | str]] = {
    "age": lambda key, text: _number(key, text, AGE_Y, "years"),
    "sex": _choice,
    "handedness": _choice,
    "hair": _choice,
    "cap_size": _cap,
    "head_circumference": lambda key, text: _number(key, text, HEAD_CM, "centimetres"),
}
