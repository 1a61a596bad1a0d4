"""Markers: the live LSL strings that the window sends, one line each.

``name( key=value)*`` in percent-encoded UTF-8 with a fixed key order, so that a recording can be read by eye, by a script
of three lines, and by us. The LSL stamp of a marker is the time of the screen flip that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

STREAM_NAME = "emolab-markers"
STREAM_TYPE = "Markers"

# ``attempt`` counts how often this trial's clip was begun in this participant's session; left out at the first
_CLIP = ("trial", "block", "stim_id", "target", "attempt")
_CLIP_END = ("shown", "dropped", "repeated", "onset_error_s", "audio_offset_s", "end")
_PHASE = ("phase",)  # onset | offset

KEYS: Mapping[str, tuple[str, ...]] = {
    "session/start": ("uid", "participant", "session", "run"),
    "session/end": ("end", "reason"),  # end: complete | aborted
    "consent": ("version", "scopes"),
    "baseline/eyes_open": _PHASE,
    "baseline/eyes_closed": _PHASE,
    "practice/onset": _CLIP,  # outside the trial list: never a trial of the dataset
    "practice/offset": _CLIP + _CLIP_END,
    "mood_repair/onset": _CLIP,
    "mood_repair/offset": _CLIP + _CLIP_END,
    "break": _PHASE,
    "sync/cue": ("n",),  # a cue to blink once, at its flip; n counts from 1 in the session
    "sync/flash": ("n", "level"),  # one luminance step of the whole screen, at its flip; level: white | black
    "fixation": ("trial", "block", "phase"),
    "clip/onset": _CLIP,
    "clip/offset": _CLIP + _CLIP_END,
    "rest/onset": _CLIP,
    "rest/offset": _CLIP + _CLIP_END,
    # sent when the answer is given: the flip of the question is `response_s` seconds earlier
    "rating": (*_CLIP, "question", "answer", "response_s"),
    "pause": ("reason",),
    "resume": ("reason",),
    "skip": ("reason",),
    "abort": ("reason",),
    "window/lost": ("reason",),
    "window/back": ("reason",),
}
"""Every marker name with its keys in the order in which they are written."""

ENDS = ("complete", "skipped", "failed", "interrupted")
"""How a clip or a rest may end."""


class MarkerError(ValueError):
    """A text is not a marker, or a marker is not one of ours."""


@dataclass(frozen=True)
class Marker:
    """One marker.

    Parameters
    ----------
    name : str
        One of :data:`KEYS`.
    keys : mapping of str to str
        Values by key; a key may be left out, an unknown one is refused.

    Raises
    ------
    MarkerError
        For an unknown name or key.
    """

    name: str
    keys: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in KEYS:
            raise MarkerError(f"unknown marker {self.name[:80]!r}: one of {', '.join(KEYS)}")
        if unknown := [key for key in self.keys if key not in KEYS[self.name]]:
            raise MarkerError(f"marker {self.name}: unknown key {unknown[0][:80]!r}: one of {', '.join(KEYS[self.name])}")

    def __str__(self) -> str:
        """Return the line that goes over the wire."""
        return encode(self.name, {key: self.keys[key] for key in KEYS[self.name] if key in self.keys})


def encode(name: str, keys: Mapping[str, str]) -> str:
    """Write ``name key=value ...`` with percent-encoded values.

    Examples
    --------
    >>> encode("pause", {"reason": "cap slipped = 3 %"})
    'pause reason=cap%20slipped%20%3D%203%20%25'
    """
    return " ".join([quote(name, safe="/"), *(f"{key}={quote(value, safe=':.+-,')}" for key, value in keys.items())])


def decode(text: str) -> tuple[str, dict[str, str]]:
    """Read ``name key=value ...``; the inverse of :func:`encode`.

    Raises
    ------
    MarkerError
        When the text has no name, or a part without ``=``.
    """
    name, *parts = text.split(" ")
    if not name or any("=" not in part for part in parts):
        raise MarkerError(f"not a marker: {text[:200]!r}")
    pairs = (part.partition("=") for part in parts)
    return unquote(name), {key: unquote(value) for key, _, value in pairs}


def parse(text: str) -> Marker:
    """Read one of our markers.

    Parameters
    ----------
    text : str
        As :class:`Marker` writes it.

    Returns
    -------
    Marker
        Equal to the one that was written.

    Raises
    ------
    MarkerError
        For anything that is not one of ours.

    Examples
    --------
    >>> parse("clip/onset trial=3 block=1 stim_id=fear02 target=fear").keys["target"]
    'fear'
    """
    return Marker(*decode(text))
