"""A line for people: what was found, and what to do."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """Text and cure, with the values of the finding in braces."""

    text: str
    cure: str = ""
