"""From a recording's events to 3-s windows: which stretches of which clips a model learns from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from models.bids import YES, BidsError, RecordingFiles, Row, read_json, read_table

WINDOW_S = 3.0  # the paper, section 5.4
SFREQ = 200.0  # Hz; the paper, section 4.1
WINDOW_SAMPLES = round(WINDOW_S * SFREQ)

ARTEFACT_UV = 500.0
"""Peak to peak between 1 and 51 Hz: four times a blink. Beyond it something touched the headset."""

Where = Literal["all", "central"]
LabelKind = Literal["target", "rating", "agreeing"]
Shown = Literal["clip", "rest"]
Span = tuple[float, float]
Dropped = Counter[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Three seconds of one clip.

    ``target`` is the stimulus norm, ``rating`` the discrete self-report; ``t0_s`` and ``t1_s`` are seconds from the first EEG
    sample on the EEG's own clock; ``since_onset_s`` is where it begins in its clip. ``shown`` is what it is of: a rest with a
    target counts like a clip.
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
    since_onset_s: float = 0.0
    shown: Shown = "clip"

    @property
    def stimulus(self) -> str:
        """Return what was on the screen: all rests of an emotion are one stimulus, whatever each is called."""
        return f"rest/{self.target}" if self.shown == "rest" else self.stim_id

    @property
    def clip(self) -> tuple[str, str, str, int]:
        """Return what windows of one showing of one clip have in common."""
        return self.participant, self.session, self.run, self.trial


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Which windows are left out.

    Parameters
    ----------
    onset_skip_s : float or None
        Windows that begin earlier after their clip's onset, seconds; the paper discards 2. None: as each recording's own study
        wants it (``OnsetSkip`` in ``eeg.json``), which is 0 where it says nothing.
    artefact_uv : float
        Windows with a larger swing than this in a recorded channel, peak to peak, microvolts, 1 to 51 Hz; 0 keeps all.
    looked_away : {"keep", "leave out"}
        Clips of which the participant says to have looked away.
    """

    onset_skip_s: float | None = None
    artefact_uv: float = ARTEFACT_UV
    looked_away: Literal["keep", "leave out"] = "keep"

    def __post_init__(self) -> None:
        for name in ("onset_skip_s", "artefact_uv"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < np.inf:
                raise BidsError(f"{name} = {value}: must be 0 or more")


@dataclass(frozen=True, kw_only=True)
class Events:
    """What the events of one recording say: its windows, its gaps, and what was left out by (reason, emotion).

    ``unheard`` are windows that are counted as left out for want of EEG: a camera may have seen them.
    """

    windows: tuple[Window, ...]
    gaps: tuple[Span, ...]
    dropped: Dropped
    unheard: tuple[Window, ...] = ()


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


def read_events(files: RecordingFiles, *, where: Where = "all", rules: Rules | None = None, stop_s: float = np.inf) -> Events:
    """Read the events of a recording and cut its complete clips, and rests with a target, into windows.

    Parameters
    ----------
    files : RecordingFiles
        The recording.
    where : {"all", "central"}
        As in :func:`spans`.
    rules : Rules, optional
        What is left out besides gaps and clips that are not complete.
    stop_s : float
        The recording's end, seconds.

    Returns
    -------
    Events
        Windows that touch no ``BAD_`` event (lost and interpolated samples, and what people marked) and lie inside the
        recording. A clip that did not end, or was shown again, counts once as dropped.

    Raises
    ------
    BidsError
        When the table is missing, lacks the columns of BIDS, or holds something that is no number.
    """
    path = files.sibling("_events.tsv")
    rows, rules = read_table(path, "onset", "duration", "trial_type"), rules or Rules()
    skip_s = _asked_skip(files) if rules.onset_skip_s is None else rules.onset_skip_s
    try:
        gaps = tuple(_span(row) for row in rows if row["trial_type"].upper().startswith("BAD"))
        shown = [row for row in rows if _target(row)]
        kept, unheard, dropped = _cut(shown, gaps, files, where, replace(rules, onset_skip_s=skip_s), stop_s)
    except ValueError as error:
        raise BidsError(f"{path}: {error}; export the recording again") from None
    return Events(windows=tuple(kept), gaps=gaps, dropped=dropped, unheard=tuple(unheard))


def _asked_skip(files: RecordingFiles) -> float:
    """Return how many seconds of each clip's beginning the recording's study wants left out."""
    path = files.sibling("_eeg.json")
    said = read_json(path).get("OnsetSkip") if path.exists() else None
    if said is not None and not (isinstance(said, int | float) and 0 <= said < np.inf):
        raise BidsError(f"{path}: OnsetSkip = {said!r}: is no number of seconds; export the recording again")
    return float(said or 0.0)


def _target(row: Row) -> str:
    """Return the emotion of a row that a model learns from, empty for the others: a rest counts where it has a target."""
    kind, _, emotion = row["trial_type"].partition("/")
    if kind == "clip":
        return emotion
    return emotion if kind == "rest" and row.get("target", "n/a") not in ("n/a", "") else ""


def _cut(
    shown: list[Row], gaps: tuple[Span, ...], files: RecordingFiles, where: Where, rules: Rules, stop_s: float
) -> tuple[list[Window], list[Window], Dropped]:
    """Return windows, those without EEG, and what is left out, the second among it."""
    kept: list[Window] = []
    unheard: list[Window] = []
    dropped: Dropped = Counter()
    skip_s = rules.onset_skip_s or 0.0
    for number, row in enumerate(shown, start=1):
        target = _target(row)
        if reason := _unusable(row, rules):
            dropped[reason, target] += 1
            continue
        start, stop = _span(row)
        for t0, t1 in spans(start, stop - start, where=where):
            if t0 - start < skip_s - 1 / SFREQ:
                dropped[f"first {skip_s:g} s", target] += 1
                continue
            window = _window(files, row, number, target, (t0, t1), since_onset_s=max(0.0, t0 - start))
            if lost := _lost(window, gaps, stop_s):
                dropped[lost, target] += 1
            (unheard if lost else kept).append(window)
    return kept, unheard, dropped


def _lost(window: Window, gaps: tuple[Span, ...], stop_s: float) -> str:
    """Return why a window has no EEG, empty where it has."""
    if any(window.t0_s <= last and window.t1_s >= first for first, last in gaps):
        return "gap"
    return "beyond the recording" if window.t0_s < 0 or window.t1_s > stop_s else ""


def _unusable(row: Row, rules: Rules) -> str:
    """Return why a whole clip is left out, empty where it is not."""
    if (end := row.get("end", "n/a")) not in ("complete", "n/a"):
        return f"{row['trial_type'].partition('/')[0]} {end}"
    away = row.get("looked_away", "n/a").lower() in YES
    return "looked away" if away and rules.looked_away == "leave out" else ""


def _window(files: RecordingFiles, row: Row, number: int, target: str, span: Span, *, since_onset_s: float) -> Window:
    trial, rating = row.get("trial", "n/a"), row.get("rating", "n/a")
    return Window(
        participant=files.participant, session=files.session, run=files.run,
        trial=number if trial == "n/a" else int(trial), stim_id=row.get("stim_id", "n/a"), target=target,
        rating=None if rating == "n/a" else rating, t0_s=span[0], t1_s=span[1],
        since_onset_s=since_onset_s, shown="rest" if row["trial_type"].startswith("rest") else "clip",
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
