"""What happened to a recording beside its clips: alarms, notes, pauses, a window that died. Pure, but for the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from bids_export import tables
from bids_export.arrays import Floats
from protocol import markers
from protocol.markers import Marker, MarkerError

Kind = Literal["alarm", "over", "operator", "note"]
KINDS: tuple[Kind, ...] = get_args(Kind)
COLUMNS = ("onset", "kind", "name", "text")

# what every recording has, and what says nothing about what it is worth
_QUIET = ("recording/start", "recording/end", "video/file")
_WORDS = {
    "pause": "paused", "resume": "went on", "skip": "a clip was skipped", "abort": "aborted",
    "repeat": "a clip was begun again", "window/lost": "the participant's window was lost",
    "window/back": "the participant's window was back", "camera/lost": "the camera was lost",
    "camera/back": "the camera was back",
    "stream/lost": "a stream fell silent", "stream/back": "a stream was back", "stream/new": "a stream was added",
    "stream/resumed": "a stream went on", "stream/duplicate": "a second stream of that name, not recorded",
    "stream/duplicate/over": "the second stream was gone",
    "disk/low": "the disk was nearly full", "disk/full": "the disk was full", "disk/low/over": "the disk had room again",
    "clock/step": "the wall clock was set", "clock/sleep": "the computer slept",
    "clock/jump": "the clocks jumped: the computer slept, or somebody set the wall clock",
    "counter/frozen": "the headset's sample counter stood still", "counter/frozen/over": "the sample counter went on",
    "eeg/flat": "EEG was flat in all channels", "eeg/flat/over": "EEG was there again",
    "battery/low": "the headset's battery was low", "battery/low/over": "the battery was charged",
    "battery/critical": "the headset's battery was nearly empty", "battery/critical/over": "the battery was no longer empty",
    "clock/drift": "the wall clock ran too fast or too slow", "note": "note",
}  # fmt: skip
_OPERATOR = ("pause", "resume", "skip", "abort", "repeat")
_OVER = ("/back", "/over", "/resumed")


@dataclass(frozen=True)
class Happening:
    """One thing that happened.

    Parameters
    ----------
    onset : float
        Seconds from the first EEG sample on the EEG's own clock.
    kind : {"alarm", "over", "operator", "note"}
        Something went wrong; that is over; what the operator did; what somebody wrote down.
    name : str
        Of the marker or note, such as ``camera/lost``.
    text : str
        In words.
    """

    onset: float
    kind: Kind
    name: str
    text: str


def gather(
    moments: Sequence[tuple[float, Marker]], notes: Iterable[tuple[float, str]], *, onsets: Callable[[float], float]
) -> tuple[Happening, ...]:
    """Return what happened, in order.

    Parameters
    ----------
    moments : sequence of (float, Marker)
        The window's markers, LSL seconds.
    notes : iterable of (float, str)
        The collector's notes as they were written, LSL seconds; a line that is none is a note of its own.
    onsets : callable
        From LSL seconds to onsets.
    """
    told = [(t, *_of_marker(marker)) for t, marker in moments if marker.name in _WORDS or _again(marker)]
    # streams are added when a recording begins; one that comes later is told
    began = min((t for t, marker in moments if marker.name == "session/start"), default=float("-inf"))
    known = {(name, round(t)) for t, name, _ in told}
    for t, line in notes:
        name, text = _of_note(line)
        first = name.startswith("stream/") and "lost" not in name and t < began
        if name not in _QUIET and not first and (name, round(t)) not in known:
            told.append((t, name, text))
    return tuple(sorted((_happening(onsets(t), name, text) for t, name, text in told), key=lambda h: h.onset))


def _again(marker: Marker) -> bool:
    return marker.name in ("clip/onset", "rest/onset") and int(marker.keys.get("attempt", "1")) > 1


def _of_marker(marker: Marker) -> tuple[str, str]:
    if _again(marker):
        return "repeat", f"{_WORDS['repeat']}: trial {marker.keys.get('trial', '?')}, attempt {marker.keys['attempt']}"
    return marker.name, _words(marker.name, dict(marker.keys))


def _of_note(line: str) -> tuple[str, str]:
    try:
        name, keys = markers.decode(line)
    except MarkerError:
        return "note", line
    return name, _words(name, keys)


def _words(name: str, keys: dict[str, str]) -> str:
    reason = keys.pop("reason", "")
    said = [keys.pop("stream", ""), *(f"{value} {key}" for key, value in keys.items() if key in ("seconds", "ppm")), reason]
    more = ", ".join(part for part in said if part)
    return f"{_WORDS.get(name, name)}{': ' if more else ''}{more}"


def _happening(onset: float, name: str, text: str) -> Happening:
    if name in _OPERATOR:
        kind: Kind = "operator"
    elif name.endswith(_OVER):
        kind = "over"
    else:
        kind = "alarm" if name in _WORDS and name not in ("note", "stream/new") else "note"
    return Happening(onset, kind, name, text)


def mapped(onsets: Callable[[Floats], Floats]) -> Callable[[float], float]:
    """Return a map of arrays as a map of single moments."""
    return lambda t: float(onsets(np.array([t], np.float64))[0])


def write(path: Path, happenings: Iterable[Happening]) -> None:
    """Write them as a table; readers of tables take a quotation mark for the start of a cell that may hold lines."""
    rows = [{"onset": h.onset, "kind": h.kind, "name": h.name, "text": h.text.replace('"', "'")} for h in happenings]
    tables.write_tsv(path, COLUMNS, rows)


def read(path: Path) -> tuple[Happening, ...]:
    """Read what :func:`write` wrote; none where there is no table. A line that is not ours is passed over."""
    if not path.exists():
        return ()
    _, rows = tables.read_tsv(path)
    kinds: dict[str, Kind] = {kind: kind for kind in KINDS}
    return tuple(
        Happening(float(row["onset"]), kinds[row["kind"]], row["name"], row["text"]) for row in rows if row["kind"] in kinds
    )
