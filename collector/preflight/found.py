"""What a check returns, and how it becomes a line for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

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


def tell_all(found: Sequence[Found], language: Language) -> list[Finding]:
    """Turn all that was found into lines; of what is wrong each code is one line, because one reason is typed for it.

    Examples
    --------
    >>> lines = tell_all([Found("eeg/filled_some", {"name": name, "percent": 3}) for name in ("A", "B")], "en")
    >>> [line.text for line in lines]
    ['3 % of the samples of A were filled in by the device; 3 % of the samples of B were filled in by the device']
    """
    lines: dict[object, Finding] = {}
    for number, one in enumerate(found):
        line = tell(one, language)
        key = number if line.light == "green" else line.code
        before = lines.get(key)
        lines[key] = line if before is None else structs.replace(before, text=_joined(before.text, line.text), cure=before.cure)
    return list(lines.values())


def _joined(one: str, other: str) -> str:
    return one if other in one else f"{one}; {other}"


def worst(findings: Sequence[Finding]) -> Light:
    """Return the light of all together; green where there is nothing."""
    return max((one.light for one in findings), key=_ORDER.index, default="green")
