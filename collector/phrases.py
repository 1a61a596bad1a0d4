"""Sentences that know their own code and values: English wherever they are written down, another language where they are shown.

A :class:`Phrase` is a ``str``: journals, ``--json``, exit messages and tests see its English words and nothing else. Whoever
shows it to an operator asks for :meth:`Phrase.said`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from collector.page.words import number
from protocol.words_types import Language

Words = Mapping[Language, Mapping[str, str]]
"""Templates by language and code; all languages have the same codes and values."""


@runtime_checkable
class Sayable(Protocol):
    """A value that is said in a language."""

    def said(self, language: Language) -> str:
        """Return it in words."""
        ...


@dataclass(frozen=True)
class Percent:
    """A share, said in percent.

    Examples
    --------
    >>> Percent(0.61, 2).said("en"), Percent(0.61, 2).said("vi")
    ('61.00%', '61,00%')
    """

    share: float
    digits: int = 0

    def said(self, language: Language) -> str:
        """Return it with the language's decimal sign."""
        return f"{number(100 * self.share, language, digits=self.digits)}%"


@dataclass(frozen=True)
class Figure:
    """A number, said with so many decimals."""

    value: float
    digits: int = 0

    def said(self, language: Language) -> str:
        """Return it with the language's decimal sign."""
        return number(self.value, language, digits=self.digits)


class Phrase(str):
    """A sentence.

    Parameters
    ----------
    words : mapping
        Templates by language and code.
    code : str
        Which one.
    **values
        What its braces name; values that can be said in a language are.

    Examples
    --------
    >>> words = {"en": {"below": "{value} is too little"}, "vi": {"below": "{value} là quá ít"}}
    >>> phrase = Phrase(words, "below", value=Percent(0.5))
    >>> phrase, phrase.said("vi")
    ('50% is too little', '50% là quá ít')
    """

    __slots__ = ("_words", "code", "values")
    _words: Words
    code: str
    values: Mapping[str, object]

    def __new__(cls, words: Words, code: str, **values: object) -> Self:
        """Put it into English words."""
        made = super().__new__(cls, _fill(words["en"][code], values, "en"))
        made._words, made.code, made.values = words, code, values
        return made

    def said(self, language: Language) -> str:
        """Return it in a language."""
        return str(self) if language == "en" else _fill(self._words[language][self.code], self.values, language)


@dataclass(frozen=True)
class Either:
    """A value whose English words come from elsewhere, such as a file."""

    english: str
    others: Mapping[Language, str]

    def said(self, language: Language) -> str:
        """Return it in a language; in English where there are no other words."""
        return self.others.get(language, self.english)


def said(text: str, language: Language) -> str:
    """Return a text in a language; what is no :class:`Phrase` stays as it is."""
    return text.said(language) if isinstance(text, Phrase) else text


def _fill(template: str, values: Mapping[str, object], language: Language) -> str:
    return template.format(**{k: v.said(language) if isinstance(v, Sayable) else v for k, v in values.items()})
