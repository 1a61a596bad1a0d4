"""What earlier runs of a session leave to a new one. Pure.

After a crash of the recorder, or a power loss, nothing is lost and nothing is played twice unmarked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from protocol import markers
from protocol.journal import Row
from protocol.markers import Marker
from protocol.schedule import Trial

DONE = ("complete", "skipped")
"""How a trial ends that is not shown again: it was seen in full, or an operator decided to leave it out."""


@dataclass(frozen=True)
class Earlier:
    """What one run of a session came to.

    Parameters
    ----------
    uid : str
        The run's.
    resumes : str or None
        The run that it went on with.
    begun : mapping of int to int
        How often it began each trial.
    done : frozenset of int
        The trials that need not be shown again.
    trials : frozenset of int or None
        Those that it was to show, of a run that went on with another one; None: all.
    """

    uid: str
    resumes: str | None
    begun: Mapping[int, int]
    done: frozenset[int]
    trials: frozenset[int] | None = None


def earlier(
    uid: str, resumes: str | None, rows: Iterable[Row], *, recorded: Collection[str] | None = None,
    trials: Collection[int] | None = None,
) -> Earlier:  # fmt: skip
    """Read what a run came to out of its window's journal.

    Parameters
    ----------
    uid, resumes, trials
        From its ``session.json``.
    rows : iterable of Row
        The journal.
    recorded : collection of str, optional
        The markers that stand in the recording: a trial whose end the recorder did not live to see is not done.
    """
    begun: Counter[int] = Counter()
    done: set[int] = set()
    for row in rows:
        if row.kind == "state" and row.name in ("clip", "rest_trial"):
            trial = int(row.data["trial"])
            begun[trial] += 1
            done.discard(trial)  # it was begun again: what counts is the end of this attempt
        elif row.name == "marker" and (recorded is None or row.data["text"] in recorded):
            marker = markers.parse(row.data["text"])
            if _ends_a_trial(marker) and marker.keys["end"] in DONE:
                done.add(int(marker.keys["trial"]))
    return Earlier(uid, resumes, dict(begun), frozenset(done), None if trials is None else frozenset(trials))


def _ends_a_trial(marker: Marker) -> bool:
    return marker.name in ("clip/offset", "rest/offset")


def begun(runs: Iterable[Earlier]) -> dict[int, int]:
    """Return how often each trial was begun in all runs of a session."""
    counted: Counter[int] = Counter()
    for run in runs:
        counted.update(run.begun)
    return dict(counted)


def left(trials: Sequence[Trial], runs: Sequence[Earlier]) -> tuple[Trial, ...]:
    """Return the trials that are left to a run that resumes the last of ``runs``.

    Parameters
    ----------
    trials : sequence of Trial
        The participant's.
    runs : sequence of Earlier
        The session's, oldest first; those that the last one does not go back to belong to another beginning. A run that was
        to show a trial again answers for it, whatever earlier ones came to.
    """
    linked = chain(runs)
    return tuple(trial for trial in trials if not _is_done(trial.trial, linked))


def _is_done(trial: int, linked: Iterable[Earlier]) -> bool:
    for run in linked:
        if trial in run.done:
            return True
        if run.trials is not None and trial in run.trials:
            return False
    return False


def chain(runs: Sequence[Earlier]) -> list[Earlier]:
    """Return the last run, the one that it resumes, and so on."""
    named = {run.uid: run for run in runs}
    found: list[Earlier] = []
    run = runs[-1] if runs else None
    while run is not None and run not in found:
        found.append(run)
        run = named.get(run.resumes or "")
    return found
