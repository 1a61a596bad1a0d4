"""What another program's markers mean: their texts become our markers, as the study file says. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bids_export.timeline import SCALES
from protocol import markers
from protocol.markers import Marker
from protocol.study_labrecorder import Meaning

Row = tuple[float, Marker]
_NUMBERS = ("trial", "block", "attempt", "shown", "dropped", "repeated", "n")
_SECONDS = ("onset_error_s", "audio_offset_s", "response_s")
_OF_TRIAL = ("trial", "block", "stim_id", "target")


class MeaningError(ValueError):
    """A marker cannot become one of ours; the text is one line without the file's name."""


@dataclass(frozen=True)
class Told:
    """What the markers of a recording say.

    Parameters
    ----------
    rows : tuple of (float, Marker)
        In order of time, with the stamps of the markers.
    idle : tuple of str
        Regular expressions that fitted no marker.
    stray : tuple of str
        Texts that were to end something that had not begun.
    """

    rows: tuple[Row, ...]
    idle: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()


@dataclass
class _Course:
    """How far a recording has been read: trials are counted, and what begins is remembered until it ends."""

    n_trials: int = 0
    trial: Mapping[str, str] = field(default_factory=dict)
    open: dict[str, Mapping[str, str]] = field(default_factory=dict)


def translate(
    texts: Sequence[tuple[float, str]], meanings: Sequence[Meaning], *, targets: Mapping[str, str], emotions: Collection[str],
    end: float,
) -> Told:  # fmt: skip
    """Turn texts into markers.

    Parameters
    ----------
    texts : sequence of (float, str)
        Stamps and texts.
    meanings : sequence of Meaning
        Of the study; the first that fits counts.
    targets : mapping of str to str
        From ``stim_id`` to what the clip was chosen to elicit, as the table of clips says.
    emotions : collection of str
        Of the study.
    end : float
        When the recording ended, on the clock of the stamps: what lasts longer was cut short.

    Returns
    -------
    Told

    Raises
    ------
    MeaningError
        For a text that no meaning fits, or that does not say what its event needs.
    """
    patterns = [re.compile(meaning.marker) for meaning in meanings]
    found: list[tuple[float, str, Meaning, dict[str, str]]] = []
    strange, used = Counter[str](), set[int]()
    for time, text in sorted(texts, key=lambda row: row[0]):
        n, fits = next(((n, m) for n, p in enumerate(patterns) if (m := p.fullmatch(text))), (-1, None))
        if fits is None:
            strange[text] += 1
            continue
        used.add(n)
        if meanings[n].name is not None:
            said = {key: value for key, value in fits.groupdict().items() if value is not None}
            found.append((time, text, meanings[n], {**said, **meanings[n].fixed}))
    if strange:
        raise MeaningError(_strange(strange))
    rows, stray = _told(found, targets, emotions)
    lasting = [(time, meaning) for time, _, meaning, _ in found if meaning.duration is not None]
    idle = tuple(meaning.marker for n, meaning in enumerate(meanings) if n not in used)
    return Told(tuple(_ended(rows, lasting, end)), idle, tuple(dict.fromkeys(stray)))


def _strange(texts: Counter[str]) -> str:
    """Name the commonest text that nothing fits."""
    (text, n), *others = texts.most_common()
    more = f" and {len(others)} other texts" if others else ""
    return (
        f"labrecorder.events: nothing fits the marker {text[:60]!r} ({n} times){more}; say what it means, or add "
        "{ marker = '..' } without becomes for what means nothing"
    )


def _told(
    found: Sequence[tuple[float, str, Meaning, dict[str, str]]], targets: Mapping[str, str], emotions: Collection[str]
) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    stray: list[str] = []
    course = _Course()
    for time, text, meaning, said in found:
        name = str(meaning.name)
        try:
            keys = _completed(name, said, course, targets)
            if keys is None:
                stray.append(text)
                continue
            _check(name, keys, emotions)
        except MeaningError as error:
            raise MeaningError(f"labrecorder.events: marker {text[:60]!r}: {error}") from None
        rows.append((time, Marker(name, keys)))
    return rows, stray


def _completed(name: str, said: Mapping[str, str], course: _Course, targets: Mapping[str, str]) -> dict[str, str] | None:
    """Return all keys of a marker, those that follow from what went before too; None for the end of nothing."""
    keys = dict(said)
    kind, _, edge = name.partition("/")
    if edge == "onset":
        if kind in ("clip", "rest"):
            keys = _trial(kind, keys, course, targets)
        course.open[kind] = keys
    elif edge == "offset":
        begun = course.open.pop(kind, None)
        if begun is None:
            return None
        keys = {**{key: begun[key] for key in (*_OF_TRIAL, "attempt") if key in begun}, "end": "complete", **keys}
    elif name == "rating":
        keys = {**course.trial, **keys}
    elif "phase" in markers.KEYS[name]:
        keys.setdefault("phase", "onset")
    return keys


def _trial(kind: str, keys: dict[str, str], course: _Course, targets: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of a clip, or of a rest that stands for one."""
    stim_id = keys.get("stim_id", "")
    if stim_id in targets:
        keys.setdefault("target", targets[stim_id])
    if kind == "clip" and "target" not in keys:
        raise MeaningError(f"stim_id = {stim_id!r} stands in no line of the table of clips; add it, or say target=..")
    if "target" not in keys:
        return keys  # a pause between clips, no trial
    course.n_trials += 1
    keys = {"trial": str(course.n_trials), "block": "1", **keys}
    course.trial = {key: keys[key] for key in _OF_TRIAL if key in keys}
    return keys


def _check(name: str, keys: Mapping[str, str], emotions: Collection[str]) -> None:
    """Refuse values that no event can have."""
    for key, value in keys.items():
        if key in _NUMBERS and not (value.isascii() and value.isdigit()):
            raise MeaningError(f"{key} = {value!r}: must be a whole number")
        if key in _SECONDS and not re.fullmatch(r"-?\d+(\.\d+)?", value, re.ASCII):
            raise MeaningError(f"{key} = {value!r}: must be seconds, as 1.25")
        if key == "stim_id" and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value, re.ASCII):
            raise MeaningError(f"stim_id = {value!r}: use 1 to 64 letters, digits, _ or -")
        if key == "target" and name.startswith(("clip/", "rest/")) and value not in emotions:
            raise MeaningError(f"target = {value!r}: is none of {', '.join(emotions)}; name one of them")
        if key == "end" and name.endswith("/offset") and value not in markers.ENDS:
            raise MeaningError(f"end = {value!r}: is none of {', '.join(markers.ENDS)}")
        if key == "phase" and value not in ("onset", "offset"):
            raise MeaningError(f"phase = {value!r}: is neither onset nor offset")
    if name == "rating" and keys["question"] in SCALES and not re.fullmatch("[1-9]", keys["answer"]):
        raise MeaningError(f"answer = {keys['answer']!r}: {keys['question']} is asked on a scale from 1 to 9")


def _ended(rows: Sequence[Row], lasting: Sequence[tuple[float, Meaning]], end: float) -> list[Row]:
    """Return rows with the ends that no marker told; what was cut short by the next of its kind has none."""
    ends = []
    for time, meaning in lasting:
        name, stop = str(meaning.name), time + float(meaning.duration or 0.0)
        marker = next((m for t, m in rows if t == time and m.name == name), None)
        again = next((t for t, m in rows if t > time and m.name == name), end)
        if marker is not None and stop <= min(again, end):
            ends.append((stop, _end_of(marker)))
    return sorted([*rows, *ends], key=lambda row: row[0])


def _end_of(marker: Marker) -> Marker:
    if "phase" in markers.KEYS[marker.name]:
        return Marker(marker.name, {**marker.keys, "phase": "offset"})
    name = marker.name.replace("/onset", "/offset")
    return Marker(name, {**marker.keys, "end": "complete"})
