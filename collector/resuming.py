"""What earlier runs of a participant's session left, and whether this run goes on with it or records everything anew."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from collector import xdf
from collector.xdf import XdfError
from protocol import folder, journal, markers, resume
from protocol.folder import Run, Session
from protocol.resume import Earlier
from protocol.schedule import Trial

log = logging.getLogger(__name__)


class ResumeError(ValueError):
    """The session cannot be gone on with as asked; the text is one line with the cure."""


@dataclass(frozen=True)
class Left:
    """What a session's runs left.

    Parameters
    ----------
    runs : tuple of (Run, Session)
        So far, oldest first.
    trials : tuple of Trial
        Those that the last run, and those that it went on with, did not come to the end of.
    n_trials : int
        Of the whole session.
    begun : mapping of int to int
        How often each trial was begun, in all runs.
    again : tuple of int
        Which of ``trials`` are there because somebody wants them shown once more.
    """

    runs: tuple[tuple[Run, Session], ...]
    trials: tuple[Trial, ...]
    n_trials: int
    begun: dict[int, int]
    again: tuple[int, ...] = ()

    @property
    def last(self) -> tuple[Run, Session]:
        """The run that would be gone on with."""
        return self.runs[-1]

    @property
    def open(self) -> bool:
        """Whether the last run showed something, and not everything: then somebody has to say how to go on."""
        return bool(self.runs and self.begun and self.trials)

    def __str__(self) -> str:
        """Return how far the session came, in words."""
        done = self.n_trials - len(self.trials)
        return f"{self.last[0].path}: was not finished ({done} of {self.n_trials} trials are complete)"


def look(data: Path, participant: str, session: str, trials: tuple[Trial, ...]) -> Left:
    """Return what earlier runs of a session left; nothing is written."""
    paths = sorted(data.glob(f"sub-{participant}/ses-{session}/run-*/session.json"))
    runs = [(folder.open_run(path.parent), Session.load(path)) for path in paths]
    came_to = [_earlier(run, record) for run, record in runs]
    return Left(tuple(runs), resume.left(trials, came_to), len(trials), resume.begun(came_to))


def choose(left: Left, wish: bool | None, *, study_sha256: str, twin: bool, ask: Callable[[str], bool] | None) -> bool:
    """Decide whether the last run is gone on with.

    Parameters
    ----------
    left : Left
        What there is.
    wish : bool or None
        ``--resume``, ``--anew``, or neither.
    study_sha256 : str
        Of the study as it is now.
    twin : bool
        Whether devices and participant are simulated.
    ask : callable or None
        Puts the question to the operator; None where there is no terminal.

    Raises
    ------
    ResumeError
        When nothing is left to go on with, it cannot be gone on with, or nobody can be asked.
    """
    if wish is None and left.open:
        if ask is None:
            raise ResumeError(f"{left}; go on with the rest: --resume; record all of it again: --anew")
        wish = ask(f"{left}. Go on with the rest?")
    if not wish:
        return False
    if not left.runs or not left.trials:
        raise ResumeError("--resume: no run of this session is unfinished; leave it out, or name another --session")
    _check_same(left, study_sha256=study_sha256, twin=twin)
    return True


def _check_same(left: Left, *, study_sha256: str, twin: bool) -> None:
    run, record = left.last
    if record.study_sha256 != study_sha256:
        raise ResumeError(f"{run.study_toml}: the study was changed since; bring this copy back, or record all again: --anew")
    if record.simulated != twin:
        begun = "with --twin" if record.simulated else "without --twin"
        raise ResumeError(f"{run.path}: {'is' if record.simulated else 'is not'} simulated; go on {begun}, as it was begun")


def numbers(text: str) -> tuple[int, ...]:
    """Read what ``--repeat`` names.

    Raises
    ------
    ResumeError
        Where that are no trials.

    Examples
    --------
    >>> numbers("5, 3,5")
    (3, 5)
    """
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise ResumeError(f"--repeat = {text!r}: name clips by their numbers, as the verdict does: --repeat 3,5") from None


def repeat(left: Left, wanted: Sequence[int], trials: Sequence[Trial], *, study_sha256: str, twin: bool) -> Left:
    """Return what a run has to show that goes on with the last one and shows some of its trials once more.

    Parameters
    ----------
    left : Left
        What there is.
    wanted : sequence of int
        Trials that are to be shown again; those that are left anyway come with them.
    trials : sequence of Trial
        The participant's.
    study_sha256, twin
        As :func:`choose` takes them.

    Raises
    ------
    ResumeError
        When there is no run, no such trial, or the last run cannot be gone on with.
    """
    if not left.runs:
        raise ResumeError("--repeat: nothing of this session was recorded; leave it out, or name another --session")
    if unknown := [n for n in wanted if n not in {trial.trial for trial in trials}]:
        raise ResumeError(f"--repeat = {unknown[0]}: the session has the trials 1 to {len(trials)}; name those of the verdict")
    _check_same(left, study_sha256=study_sha256, twin=twin)
    open_now = {trial.trial for trial in left.trials}
    chosen = tuple(trial for trial in trials if trial.trial in open_now or trial.trial in wanted)
    return replace(left, trials=chosen, again=tuple(n for n in wanted if n not in open_now))


def origin(data: Path, label: str) -> str:
    """Return whose order a participant had: that of the one whom they replaced, if they did."""
    for _ in range(100):
        records = [Session.load(path) for path in sorted(data.glob(f"sub-{label}/ses-*/run-*/session.json"))]
        replaced = next((record.replaces for record in records if record.replaces), None)
        if replaced is None:
            return label
        label = replaced
    return label


def _earlier(run: Run, record: Session) -> Earlier:
    path = run.journal("window")
    rows = journal.read(path) if path.exists() else []
    return resume.earlier(record.uid, record.resumes, rows, recorded=_recorded(run), trials=record.trials)


def _recorded(run: Run) -> set[str] | None:
    """Return the markers of a recording that was not closed; None where the journal may be believed.

    A recorder that died did so before anybody noticed: a clip that ended meanwhile is not whole in the recording.
    """
    if run.manifest_json.exists() or not run.xdf.exists():
        return None
    try:
        streams = xdf.read(run.xdf)
    except XdfError as error:
        log.warning("%s; its journal is believed", error)
        return None
    return {row[0] for s in streams.values() if s.header.name == markers.STREAM_NAME for row in s.values}
