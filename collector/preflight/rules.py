"""What each finding does to a start: the one table of it. Pure.

Blocked is what would cost the recording, or breaks what a participant was promised; a typed reason passes what a person can
judge better than a program, and never what the recorder itself refuses. Amber is told and passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.scene import Light


@dataclass(frozen=True)
class Rule:
    """Light, whether it blocks a start, and whether a typed reason passes it."""

    light: Light
    blocks: bool = False
    may_override: bool = False


GOOD = Rule("green")
TOLD = Rule("amber")
JUDGED = Rule("red", blocks=True, may_override=True)
"""Blocks, unless somebody types why it may pass."""
REFUSED = Rule("red", blocks=True)
"""Blocks: nothing typed makes a recording possible, or what comes of it right."""

RULES: Mapping[str, Rule] = {
    # the computer
    "graphics/ok": GOOD, "graphics/software": TOLD, "graphics/none": REFUSED, "screen/size": TOLD, "sound/ok": GOOD,
    "sound/none": REFUSED, "sound/absent": TOLD, "sound/muted": JUDGED, "sound/off": TOLD, "sound/quiet": TOLD,
    "sound/unknown": TOLD,
    "clock/ok": GOOD, "clock/wrong": JUDGED, "clock/unsynced": TOLD, "clock/unknown": TOLD, "sleep/ok": GOOD,
    "sleep/possible": TOLD, "sleep/lid": TOLD,
    # the place where data go
    "disk/ok": GOOD, "disk/room": REFUSED, "disk/rights": REFUSED, "disk/encrypted": GOOD, "disk/plain": TOLD,
    "disk/unknown": TOLD, "session/free": GOOD, "session/running": REFUSED,
    # the study
    "study/ok": GOOD, "study/fault": REFUSED, "study/changed": REFUSED, "consent/ok": GOOD, "consent/no_sheet": TOLD,
    # streams
    "lsl/ok": GOOD, "lsl/deaf": REFUSED, "lsl/session": TOLD, "install/missing": REFUSED, "stream/ok": GOOD,
    "stream/absent": GOOD, "stream/missing": REFUSED, "stream/several": REFUSED, "stream/silent": REFUSED,
    "stream/unreachable": REFUSED, "stream/no_rate": REFUSED, "stream/sfreq": REFUSED, "stream/rate": JUDGED,
    "stream/float32": JUDGED, "stream/chunks": JUDGED, "stream/stamps": JUDGED, "stream/no_clock": JUDGED,
    "stream/losses": JUDGED, "stream/lost_some": TOLD, "counter/frozen": JUDGED, "counter/missing": JUDGED,
    "counter/none": TOLD,
    "counter/odd": JUDGED, "eeg/labels": JUDGED, "eeg/unlabelled": JUDGED, "eeg/units": JUDGED, "eeg/nan": JUDGED,
    "eeg/flat": JUDGED, "eeg/flat_few": TOLD, "eeg/filled": JUDGED, "eeg/filled_some": TOLD, "quality/labels": JUDGED,
    "quality/values": JUDGED, "quality/signal": TOLD, "battery/ok": GOOD, "battery/unknown": TOLD, "battery/short": JUDGED,
    "battery/scarce": TOLD,
    # the face
    "camera/ok": GOOD, "camera/off": GOOD, "camera/none": REFUSED, "camera/silent": REFUSED, "camera/frozen": JUDGED,
    "camera/rate": JUDGED, "camera/size": JUDGED, "camera/dark": JUDGED, "camera/bright": JUDGED, "face/ok": GOOD,
    "face/none": JUDGED, "face/several": JUDGED,
    # who sits there: the launcher's own findings, beside the doctor's
    "participant/unknown": JUDGED, "participant/other": JUDGED, "participant/complete": TOLD,
    # a check that could not be made; a doctor that said nothing
    "check/failed": JUDGED, "doctor": JUDGED,
}  # fmt: skip
