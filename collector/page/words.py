"""The page's own words by language; what the launcher says (instructions, findings, alarms) comes in the scene."""

from __future__ import annotations

from collections.abc import Mapping

from collector.page.words_cap import CAP
from collector.page.words_en import ENGLISH
from collector.page.words_vi import VIETNAMESE
from protocol.words_types import Language

Words = Mapping[str, str]

WORDS: Mapping[Language, Words] = {"en": {**ENGLISH, **CAP["en"]}, "vi": {**VIETNAMESE, **CAP["vi"]}}
"""Texts by language and key, with ``{values}`` in them; both languages have the same."""

POINT: Mapping[Language, str] = {"en": ".", "vi": ","}  # before the decimals


def number(value: float, language: Language, *, digits: int = 0) -> str:
    r"""Write a number as the language does, with thin spaces between thousands.

    Examples
    --------
    >>> number(1234.56, "vi", digits=1)
    '1\u202f234,6'
    """
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", POINT[language])
