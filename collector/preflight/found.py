"""What a check returns, and how it becomes a line for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.preflight.rules import RULES
from collector.preflight.words import WORDS
from protocol.scene import Finding, Light
from protocol.words_types import Language

_ORDER: tuple[Light, ...] = ("green", "amber", "red")


@dataclass(frozen=True)
class Found:
    """What a check found: a code of :data:`~collector.preflight.rules.RULES` and the values that its words name.

    Examples
    --------
    >>> tell(Found("sound/quiet", {"device": "hdmi", "percent": 5}), "en").text
    'Loudness of hdmi is 5 %: hardly anything is heard'
    """

    code: str
    values: dict[str, Any] = field(default_factory=dict)


def tell(found: Found, language: Language) -> Finding:
    """Turn what was found into a line: light, text with its values, cure, and whether it blocks."""
    rule, said = RULES[found.code], WORDS[language][found.code]
    return Finding(
        code=found.code, light=rule.light, text=said.text.format(**found.values), cure=said.cure.format(**found.values),
        blocks=rule.blocks, may_override=rule.may_override,
    )  # fmt: skip


def worst(findings: Sequence[Finding]) -> Light:
    """Return the light of all together; green where there is nothing."""
    return max((one.light for one in findings), key=_ORDER.index, default="green")
