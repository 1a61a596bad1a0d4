"""The schedules of many participants side by side, and how balanced they are together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from protocol.schedule import Trial, plan
from protocol.study import Study
from stimuli.manifest import Entry


@dataclass(frozen=True)
class Span:
    """The rarest and the most frequent of what ought to be equally frequent, and what equal would be."""

    fewest: int
    most: int
    even: float


@dataclass(frozen=True)
class Balance:
    """How often, over all participants, things happen that ought to happen equally often.

    Parameters
    ----------
    places : Span
        An emotion stands at a place in the session.
    follows : Span
        An emotion comes right after another one.
    clips : Span
        A clip is shown.
    """

    places: Span
    follows: Span
    clips: Span


def labels(n: int) -> list[str]:
    """Return the labels of the first ``n`` participants: ``01`` .."""
    width = max(2, len(str(n)))
    return [f"{number:0{width}d}" for number in range(1, n + 1)]


def plans(study: Study, entries: Sequence[Entry], n: int) -> dict[str, tuple[Trial, ...]]:
    """Return the schedules of the first ``n`` participants, by label: of the study's roster, where it has one.

    Raises
    ------
    ScheduleError
        As :func:`protocol.schedule.plan`.
    """
    return {label: plan(study, entries, label) for label in (study.design.participants[:n] or labels(n))}


def balance(schedules: Mapping[str, Sequence[Trial]]) -> Balance:
    """Measure how balanced schedules are together.

    Examples
    --------
    >>> two = {"01": [Trial(1, 1, "a1", "a"), Trial(2, 1, "b1", "b")], "02": [Trial(1, 1, "b1", "b"), Trial(2, 1, "a1", "a")]}
    >>> balance(two).places
    Span(fewest=1, most=1, even=1.0)
    """
    every = list(schedules.values())
    emotions = sorted({t.target for trials in every for t in trials})
    n_places = max((len(trials) for trials in every), default=0)
    places = Counter((t.trial, t.target) for trials in every for t in trials)
    follows = Counter((a.target, b.target) for trials in every for a, b in pairwise(trials))
    shown = Counter(t.stim_id for trials in every for t in trials)
    return Balance(
        _span(places, ((place, emotion) for place in range(1, n_places + 1) for emotion in emotions)),
        _span(follows, ((a, b) for a in emotions for b in emotions if a != b)),
        _span(shown, shown),
    )


def _span(counts: Mapping[Any, int], possible: Iterable[Any]) -> Span:
    found = [counts.get(key, 0) for key in possible] or [0]
    return Span(min(found), max(found), sum(found) / len(found))
