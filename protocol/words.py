"""The texts that participants read, by language: English and Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.words_en import ENGLISH
from protocol.words_types import Language, Scale, Words, YesNo
from protocol.words_vi import VIETNAMESE

__all__ = ["WORDS", "Language", "Scale", "Words", "YesNo"]

WORDS: Mapping[Language, Words] = {"en": ENGLISH, "vi": VIETNAMESE}
"""The texts by the study's language."""
