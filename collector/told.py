"""What the quality report says of a run that has just ended.

The report is a room to the right of this one: it is started as a command, never imported.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from collector.phrases import Either, Phrase, Words
from protocol.folder import Run

LIMIT_S = 300.0  # a session of twenty minutes takes some ten seconds

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """What to repeat, what a person should look at, and where the page lies."""

    repeat: tuple[int, ...]
    findings: tuple[str, ...]
    page: str


_FOUND: Words = {"en": {"found": "{text}"}, "vi": {"found": "{text}"}}


def in_both(english: str, vietnamese: str) -> Phrase:
    """Return a finding that the report says in both languages."""
    return Phrase(_FOUND, "found", text=Either(english, {"vi": vietnamese}))


def command(run: Run) -> tuple[str, ...]:
    """Return the report's command line."""
    return (sys.executable, "-P", "-m", "bids_export", "report", str(run.path), "--json")


def read(said: Any) -> Told | None:
    """Take what it printed; None where that is no report."""
    try:
        english = tuple(said["findings"])
        others = said.get("findings_in", {}).get("vi", ())
        findings = [in_both(*one) for one in zip(english, others, strict=True)] if others else english
        return Told(tuple(said["repeat"]), tuple(findings), said["page"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def report(run: Run) -> Told | None:
    """Ask the report and wait; None, with a warning, where it says nothing."""
    try:
        done = subprocess.run(command(run), capture_output=True, text=True, encoding="utf-8", timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        log.warning("the report took longer than %.0f s; later: emo-report %s", LIMIT_S, run.path)
        return None
    try:
        found = read(json.loads(done.stdout))
    except ValueError:
        found = None
    if found is None:
        words = " ".join((done.stderr or done.stdout).split())[:200]
        log.warning("the report says nothing (%s); later: emo-report %s", words, run.path)
    return found
