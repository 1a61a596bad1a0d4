"""The one place where a study file may name a participant: who agreed to something else, in ``labrecorder.consent_of``."""

from __future__ import annotations

import re
import tomllib
from typing import Any


def names(text: str, label: str) -> bool:
    r"""Tell whether a study file names a participant.

    Examples
    --------
    >>> names('[labrecorder.consent_of]\n"09" = ["eeg"]', "09"), names('x = "09"', "09")
    (True, False)
    """
    return label in _agreed(_parsed(text))


def without(text: str, label: str) -> str | None:
    r"""Return a study file that does not name a participant; None where nothing but that cannot be changed.

    Examples
    --------
    >>> without('[labrecorder]\nconsent_of = { "09" = ["eeg"], 10 = ["eeg"] }', "09")
    '[labrecorder]\nconsent_of = { 10 = ["eeg"] }'
    """
    entry = rf"""(["']?){re.escape(label)}\1[ \t]*=[ \t]*\[[^\]]*\]"""
    wanted = _parsed(text)
    _agreed(wanted).pop(label, None)
    for cut in (rf"(?m)^[ \t]*{entry}[ \t]*(#.*)?\n?", rf"(?<=[\s{{,]){entry}[ \t]*,[ \t]*", rf",?[ \t]*(?<=[\s{{,]){entry}"):
        for match in re.finditer(cut, text):
            told = text[: match.start()] + text[match.end() :]
            if _parsed(told) == wanted:
                return told
    return None


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _agreed(study: dict[str, Any]) -> dict[str, Any]:
    lab = study.get("labrecorder")
    agreed = lab.get("consent_of") if isinstance(lab, dict) else None
    return agreed if isinstance(agreed, dict) else {}
