"""Who is in: every run of a data folder is read and judged before anything is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bids_export import recording
from bids_export.recording import Recording, RecordingError
from collector import quality as rule
from protocol import folder
from protocol.folder import Quality, Run, Session
from protocol.study import Study
from stimuli.manifest import Entry

QUIET_S = 10.0  # the recorder writes every second; a crash leaves a file that does not grow

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run without its arrays.

    ``shown`` are the clips that it began, as (stim_id, target); ``judged_s`` the seconds that the rule looks at.
    """

    run: Run
    session: Session
    study: Study
    end: str
    entries: tuple[Entry, ...]
    shown: tuple[tuple[str, str], ...]
    quality: Quality
    judged_s: float
    has_eeg: bool


@dataclass(frozen=True)
class SessionFacts:
    """One session: its runs, and the rule over all of them."""

    participant: str
    session: str
    runs: tuple[RunFacts, ...]
    quality: Quality

    @property
    def scopes(self) -> frozenset[str]:
        """What the participant agreed to in every run of it."""
        return frozenset.intersection(*(frozenset(r.session.consent.scopes) for r in self.runs))

    @property
    def reason(self) -> str | None:
        """Why it is left out; None when it is kept."""
        if "eeg" not in self.scopes:
            return "no consent to EEG"
        if not any(r.has_eeg for r in self.runs):
            return "no EEG was recorded"
        if self.quality.verdict == "not_judged":
            return f"not judged: {self.quality.reason}"
        return self.quality.reason or None


@dataclass(frozen=True)
class Participant:
    """One participant: kept when any session is."""

    label: str
    sessions: tuple[SessionFacts, ...]

    @property
    def included(self) -> bool:
        """Whether any session is kept."""
        return any(s.reason is None for s in self.sessions)

    @property
    def exportable(self) -> bool:
        """Whether there is EEG that the participant agreed to."""
        return any("eeg" in s.scopes and any(r.has_eeg for r in s.runs) for s in self.sessions)

    @property
    def reason(self) -> str | None:
        """Why none is; None when the participant is kept."""
        if self.included:
            return None
        if len(self.sessions) == 1:
            return self.sessions[0].reason
        return "; ".join(f"ses-{s.session}: {s.reason}" for s in self.sessions)

    @property
    def scopes(self) -> frozenset[str]:
        """What the participant agreed to in every session."""
        return frozenset.intersection(*(s.scopes for s in self.sessions))

    @property
    def quality(self) -> float | None:
        """Contact quality of the best session; None without consent to EEG, or where no session was judged."""
        values = [s.quality.value for s in self.sessions if "eeg" in s.scopes and s.quality.verdict != "not_judged"]
        return max((v for v in values if v is not None), default=None)


@dataclass(frozen=True)
class Survey:
    """All participants of a data folder, and the study that they share."""

    study: Study
    participants: tuple[Participant, ...]
    simulated: bool


def survey(data: Path, *, participants: Collection[str] = (), progress: Progress = lambda _, __: None) -> Survey:
    """Read and judge every run.

    Parameters
    ----------
    data : Path
        Holds ``sub-*/ses-*/run-*``.
    participants : collection of str
        Only these; empty means all.
    progress : callable
        Is told each run's stem before it is read, and how many runs there are.

    Raises
    ------
    RecordingError, FolderError, StudyError, ManifestError, XdfError
        One line: file, key, value, cure.
    """
    runs = select(find(data), participants, data=data)
    facts = []
    for run in runs:
        check_quiet(run, now=time.time())
        progress(run.stem, len(runs))
        facts.append(_facts(recording.load(run)))
    _check_one_study(facts)
    people = []
    for label, of_person in groupby(facts, lambda f: f.run.participant):
        sessions = groupby(of_person, lambda f: f.run.session)
        people.append(Participant(label, tuple(_session(name, tuple(of_session)) for name, of_session in sessions)))
    return Survey(facts[-1].study, tuple(people), facts[0].session.simulated)


def find(data: Path) -> list[Run]:
    """Return the runs of a data folder.

    Raises
    ------
    RecordingError
        When there are none, or a folder with recordings has no ``session.json``.
    """
    if (data / "session.json").exists():
        raise RecordingError(f"{data}: is one run; name the data folder that holds sub-*/ses-*/run-*")
    for path in sorted(data.glob("sub-*/ses-*/run-*")):
        # an empty folder is a run whose launcher ended before it wrote its first file: nothing was recorded
        if path.is_dir() and not (path / "session.json").exists() and any(path.iterdir()):
            raise RecordingError(f"{path}: has no session.json: nobody knows whose data it is; move it out of {data}")
    runs = list(folder.find(data))
    if not runs:
        raise RecordingError(f"{data}: holds no sub-*/ses-*/run-*/session.json; record with emo-run, or name another folder")
    return runs


def select(runs: Sequence[Run], participants: Collection[str], *, data: Path) -> list[Run]:
    """Return the runs of some participants.

    Raises
    ------
    RecordingError
        When one of them has no run.
    """
    there = {run.participant for run in runs}
    if absent := [label for label in participants if label not in there]:
        raise RecordingError(f"--participant-label = {absent[0]!r}: {data} has no run of it; it has {', '.join(sorted(there))}")
    return [run for run in runs if not participants or run.participant in participants]


def check_quiet(run: Run, *, now: float) -> None:
    """Refuse a run that is being recorded at this moment: it has no manifest, and its file still grows.

    Raises
    ------
    RecordingError
        With the cure.
    """
    if run.manifest_json.exists() or not run.xdf.exists():
        return
    age_s = now - run.xdf.stat().st_mtime
    if age_s < QUIET_S:
        raise RecordingError(
            f"{run.xdf}: was written to {max(0.0, age_s):.0f} s ago: it is being recorded; export when the session has ended"
        )


def _facts(record: Recording) -> RunFacts:
    study = record.study
    spans = rule.judged_spans(record.moments, study.contact_quality.over)
    onsets = (marker.keys for _, marker in record.moments if marker.name == "clip/onset")
    shown = dict.fromkeys((keys["stim_id"], keys["target"]) for keys in onsets)
    return RunFacts(
        run=record.run, session=record.session, study=study, end=record.end, entries=record.entries, shown=tuple(shown),
        quality=rule.judge_streams(record.streams, study), judged_s=sum(stop - start for start, stop in spans),
        has_eeg=sum(len(s.stamps) for s in recording.matching(record.streams, study.eeg.stream)) > 1,
    )  # fmt: skip


def _session(name: str, runs: tuple[RunFacts, ...]) -> SessionFacts:
    pooled = rule.pool([(r.quality, r.judged_s) for r in runs])
    return SessionFacts(runs[0].run.participant, name, runs, pooled)


def _check_one_study(facts: Iterable[RunFacts]) -> None:
    """Refuse what cannot be one dataset: two studies, or simulated and real recordings."""
    first, *others = facts
    for other in others:
        if other.session.simulated != first.session.simulated:
            real, made = sorted((first, other), key=lambda f: f.session.simulated)
            raise RecordingError(
                f"{made.run.path}: simulated = true, but {real.run.path} is real; keep simulated and real data in folders apart"
            )
        for key, mine, theirs in _identity(first, other):
            if mine != theirs:
                raise RecordingError(
                    f"{other.run.study_toml}: {key} = {theirs!r}, but {first.run.stem} has {mine!r}: two studies; "
                    "keep them in folders apart, or choose with --participant-label"
                )


def _identity(first: RunFacts, other: RunFacts) -> Iterable[tuple[str, object, object]]:
    yield "study.name", first.study.study.name, other.study.study.name
    yield "study.task", first.session.task, other.session.task
    yield "emotions", list(first.study.emotions), list(other.study.emotions)
    yield "contact_quality", first.study.contact_quality.model_dump(), other.study.contact_quality.model_dump()
