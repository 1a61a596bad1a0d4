"""The lines of the preflight by language: English and Vietnamese. Every value in braces is one that the check names."""

from __future__ import annotations

from collections.abc import Mapping

from collector.preflight.said import Said
from collector.preflight.words_en import ENGLISH
from collector.preflight.words_vi import VIETNAMESE
from protocol.words_types import Language

WORDS: Mapping[Language, Mapping[str, Said]] = {"en": ENGLISH, "vi": VIETNAMESE}
