"""Blinks and alpha of a recording, also of one that is still being written; reads nothing itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collector import contact, losses, quality, stamped, xdf
from collector.contact import Eeg, Found, Span
from protocol.markers import Marker
from protocol.study import Study

# the 10-10 system, and the 10-20 system in it
_PLACE = re.compile(r"(Fp|AF|F|FT|FC|T|C|TP|CP|P|PO|O|I)(z|\d+)")
_CUE = "sync/cue"


def check(streams: Mapping[int, xdf.Stream], study: Study) -> Found:
    """Look for the blinks that answer the cues of a recording so far, and for alpha.

    Parameters
    ----------
    streams : mapping of int to xdf.Stream
        What was written so far.
    study : Study
        Names the EEG and its channels.
    """
    rows = quality.marker_rows(streams)
    cues = [t for t, marker in rows if marker.name == _CUE]
    if not cues:
        return Found("not_checked", why="nobody was asked to blink")
    eeg = eeg_of(streams, study, around=cues)
    if eeg is None:
        return Found("not_checked", len(cues), why="no EEG was recorded")
    spans = {name: spans_of(rows, f"baseline/{name}") for name in ("eyes_open", "eyes_closed")}
    return contact.check(eeg, _of_the_last_time(rows), opened=spans["eyes_open"], closed=spans["eyes_closed"])


def _of_the_last_time(rows: Sequence[tuple[float, Marker]]) -> list[float]:
    """Return the cues after the session last held: what was shown again is looked at alone."""
    went_on = max((t for t, marker in rows if marker.name == "resume"), default=-np.inf)
    cues = [t for t, marker in rows if marker.name == _CUE]
    return [t for t in cues if t > went_on] or cues


def spans_of(rows: Iterable[tuple[float, Marker]], name: str) -> list[Span]:
    """Return from when to when a phase lasted, LSL seconds; one that has not ended is left out."""
    spans: list[Span] = []
    since: float | None = None
    for t, marker in rows:
        if marker.name == name:
            begins = marker.keys.get("phase", "onset") == "onset"
            if not begins and since is not None:
                spans.append((since, t))
            since = t if begins else None
    return spans


def eeg_of(streams: Mapping[int, xdf.Stream], study: Study, *, around: Sequence[float]) -> Eeg | None:
    """Return the EEG's sensors on an even grid, of the stream that has most around some moments; None without one."""
    wanted = study.eeg.stream
    found = [s for s in streams.values() if quality.matches(wanted, s.header) and len(s.stamps) > 1 and s.header.sfreq > 0]
    found = [s for s in found if not isinstance(s.values, list) and _picks(s.header.labels, study)]
    if not found:
        return None
    low, high = around[0], around[-1]

    def n_near(stream: xdf.Stream) -> int:
        stamps = quality.on_recorder(stream)
        return int(((stamps >= low) & (stamps <= high)).sum())

    return _gridded(max(found, key=n_near), study)


def _picks(labels: Sequence[str], study: Study) -> list[int]:
    eeg = study.eeg
    return [
        n for n, label in enumerate(labels)
        if (label in eeg.channels if eeg.channels else _PLACE.fullmatch(label)) and label not in eeg.exclude
    ]  # fmt: skip


def _gridded(stream: xdf.Stream, study: Study) -> Eeg:
    header, stamps = stream.header, quality.on_recorder(stream)
    values = np.asarray(stream.values, np.float64)
    named = study.eeg.counter
    counter = values[:, header.labels.index(named)] if named in header.labels else None
    index = np.concatenate([[0], np.cumsum(losses.steps_of(stamps, header.sfreq, counter))])
    picks = _picks(header.labels, study)
    uv = np.full((len(picks), int(index[-1]) + 1), np.nan)
    uv[:, index] = values[:, picks].T * (1e6 if study.eeg.units == "V" else 1.0)
    sfreq = _rate(index, stamps, header.sfreq)
    # latency comes and goes: its median decides where the grid lies
    first = float(np.median(stamps - index / sfreq))
    return Eeg(tuple(header.labels[n] for n in picks), uv, sfreq, first)


def _rate(index: NDArray[np.int64], stamps: NDArray[np.float64], nominal: float) -> float:
    """Return samples per LSL second; over less than ten seconds the nominal rate is better known."""
    took = float(stamps[-1] - stamps[0])
    measured = float(index[-1]) / took if took >= stamped.MIN_FIT_S else nominal
    return measured if abs(measured / nominal - 1) < 0.05 else nominal
