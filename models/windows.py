"""From a recording's events to 3-s windows: which stretches of which clips a model learns from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.bids import BidsError, RecordingFiles, Row, read_table

WINDOW_S = 3.0  # the paper, section 5.4
SFREQ = 200.0  # Hz; the paper, section 4.1
WINDOW_SAMPLES = round(WINDOW_S * SFREQ)

Where = Literal["all", "central"]
LabelKind = Literal["target", "rating", "agreeing"]
Span = tuple[float, float]
Dropped = Counter[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Three seconds of one clip.

    ``target`` is the stimulus norm, ``rating`` the discrete self-report; ``t0_s`` and ``t1_s`` are seconds from the first EEG
    sample on the EEG's own clock.
    """

    participant: str
    session: str
    run: str
    trial: int
    stim_id: str
    target: str
    rating: str | None
    t0_s: float
    t1_s: float

    @property
    def clip(self) -> tuple[str, str, str, int]:
        """Return what windows of one showing of one clip have in common."""
        return self.participant, self.session, self.run, self.trial


@dataclass(frozen=True, kw_only=True)
class Events:
    """What the events of one recording say: its windows, its gaps, and what was left out by (reason, emotion)."""

    windows: tuple[Window, ...]
    gaps: tuple[Span, ...]
    dropped: Dropped


def spans(onset_s: float, duration_s: float, *, where: Where = "all") -> list[Span]:
    """Cut a clip into windows.

    Parameters
    ----------
    onset_s, duration_s : float
        The clip, seconds.
    where : {"all", "central"}
        Every non-overlapping window from the onset on, or the one in the middle.

    Returns
    -------
    list of (float, float)
        Start and end in seconds, on the 200 Hz grid; empty when the clip is shorter than a window.

    Examples
    --------
    >>> spans(10.0, 7.0)
    [(10.0, 13.0), (13.0, 16.0)]
    >>> spans(10.0, 7.0, where="central")
    [(12.0, 15.0)]
    """
    n = int((duration_s + 1 / SFREQ) // WINDOW_S)  # one sample of tolerance: a clip of 2.999 s holds a window
    if where == "central":
        starts = [onset_s + (duration_s - WINDOW_S) / 2] if n else []
    else:
        starts = [onset_s + index * WINDOW_S for index in range(n)]
    grid = [round(start * SFREQ) / SFREQ for start in starts]
    return [(start, start + WINDOW_S) for start in grid]


def read_events(files: RecordingFiles, *, where: Where = "all", stop_s: float = np.inf) -> Events:
    """Read the events of a recording and cut its complete clips into windows.

    Parameters
    ----------
    files : RecordingFiles
        The recording.
    where : {"all", "central"}
        As in :func:`spans`.
    stop_s : float
        The recording's end, seconds.

    Returns
    -------
    Events
        Windows that touch no ``BAD_`` event and lie inside the recording. A clip that did not end counts once as dropped.

    Raises
    ------
    BidsError
        When the table is missing, lacks the columns of BIDS, or holds something that is no number.
    """
    path = files.sibling("_events.tsv")
    rows = read_table(path, "onset", "duration", "trial_type")
    try:
        gaps = tuple(_span(row) for row in rows if row["trial_type"].startswith("BAD_"))
        kept, dropped = _cut([row for row in rows if row["trial_type"].startswith("clip/")], gaps, files, where, stop_s)
    except ValueError as error:
        raise BidsError(f"{path}: {error}; export the recording again") from None
    return Events(windows=tuple(kept), gaps=gaps, dropped=dropped)


def _cut(
    clips: list[Row], gaps: tuple[Span, ...], files: RecordingFiles, where: Where, stop_s: float
) -> tuple[list[Window], Dropped]:
    kept: list[Window] = []
    dropped: Dropped = Counter()
    for number, row in enumerate(clips, start=1):
        target = row["trial_type"].removeprefix("clip/")
        if row.get("end", "n/a") not in ("complete", "n/a"):
            dropped[f"clip {row['end']}", target] += 1
            continue
        start, stop = _span(row)
        for t0, t1 in spans(start, stop - start, where=where):
            if any(t0 <= last and t1 >= first for first, last in gaps):
                dropped["gap", target] += 1
            elif t0 < 0 or t1 > stop_s:
                dropped["beyond the recording", target] += 1
            else:
                kept.append(_window(files, row, number, target, (t0, t1)))
    return kept, dropped


def _window(files: RecordingFiles, row: Row, number: int, target: str, span: Span) -> Window:
    trial, rating = row.get("trial", "n/a"), row.get("rating", "n/a")
    return Window(
        participant=files.participant, session=files.session, run=files.run,
        trial=number if trial == "n/a" else int(trial), stim_id=row.get("stim_id", "n/a"), target=target,
        rating=None if rating == "n/a" else rating, t0_s=span[0], t1_s=span[1],
    )  # fmt: skip


def _span(row: Row) -> Span:
    onset = float(row["onset"])
    return onset, onset + (0.0 if row["duration"] == "n/a" else float(row["duration"]))


def label_of(window: Window, kind: LabelKind = "target") -> str | None:
    """Return what a model shall learn for a window: the stimulus norm, the self-report, or the norm where both agree."""
    if kind == "target":
        return window.target
    if kind == "rating":
        return window.rating
    return window.target if window.rating == window.target else None
