"""Who is in: every run of a data folder is judged before anything is written.

Of a session that the dataset has already, made from the same recordings, what the dataset remembers is taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bids_export import headset, receipts, sources, timeline
from bids_export.receipts import About, ClipFacts, Receipt, RunFacts
from bids_export.recording import Recording, RecordingError
from collector import quality as rule
from protocol import study as study_file
from protocol.folder import Quality, Run
from protocol.study import Study

QUIET_S = 10.0  # the recorder writes every second; a crash leaves a file that does not grow

Progress = Callable[[str, int], None]
Receipts = Mapping[tuple[str, str], Receipt]


@dataclass(frozen=True)
class SessionFacts:
    """One session: its runs, and the rule over all of them.

    ``folders`` are where its runs were recorded, empty for a session that only the dataset still has; ``receipt`` is what the
    dataset remembers of exactly these recordings.
    """

    participant: str
    session: str
    runs: tuple[RunFacts, ...]
    quality: Quality
    folders: tuple[Run, ...] = ()
    key: str = ""
    receipt: Receipt | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """What the participant agreed to in every run of it."""
        return frozenset.intersection(*(frozenset(r.session.consent.scopes) for r in self.runs))

    @property
    def exportable(self) -> bool:
        """Whether there is something that the participant agreed to: EEG, or a face where no EEG arrived."""
        has_video = "face" in self.scopes and any(r.has_video for r in self.runs)
        return "eeg" in self.scopes and (has_video or any(r.has_eeg for r in self.runs))

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
        """Whether there is something that the participant agreed to."""
        return any(s.exportable for s in self.sessions)

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
    """All participants of a data folder, and the study that they share; ``passed_over`` are files that belong to nobody."""

    study: Study
    participants: tuple[Participant, ...]
    simulated: bool
    passed_over: tuple[str, ...] = ()


def survey(
    data: Path, *, participants: Collection[str] = (), known: Receipts | None = None, study: Path | None = None,
    progress: Progress = lambda _, __: None,
) -> Survey:  # fmt: skip
    """Read and judge every run.

    Parameters
    ----------
    data : Path
        Holds ``sub-*/ses-*/run-*``, or files of LabRecorder's.
    participants : collection of str
        Only these are read; empty means all.
    known : mapping of (participant, session) to Receipt
        What the dataset remembers; sessions that are only there belong to the survey too.
    study : Path or None
        The study file that says what LabRecorder's files hold; None means the one in the data folder, if there is one.
    progress : callable
        Is told each run's stem before it is read, and how many runs there are.

    Raises
    ------
    RecordingError, FolderError, StudyError, ManifestError, XdfError
        One line: file, key, value, cure.
    """
    source = sources.find(data, study)
    runs = select(source.runs, participants, data=data)
    known = known or {}
    sessions = {
        who: _of_data(tuple(of_session), known.get(who), progress=lambda stem: progress(stem, len(runs)))
        for who, of_session in groupby(runs, lambda run: (run.participant, run.session))
    }
    sessions |= {who: of_dataset(who, receipt) for who, receipt in known.items() if who not in sessions}
    _check_one_study(sessions.values())
    people = [
        Participant(label, tuple(sessions[who] for who in of_person))
        for label, of_person in groupby(sorted(sessions), lambda who: who[0])
    ]
    simulated = any(facts.session.simulated for session in sessions.values() for facts in session.runs)
    return Survey(study_file.load(runs[-1].study_toml), tuple(people), simulated, source.passed_over)


def _of_data(runs: tuple[Run, ...], receipt: Receipt | None, *, progress: Callable[[str], None]) -> SessionFacts:
    """Return the facts of a session, from its recordings unless the dataset remembers exactly these."""
    for run in runs:
        check_quiet(run, now=time.time())
    if receipt is not None:
        _check_same(runs, receipt)
    key = receipts.key_of(runs)
    same = receipt if receipt is not None and receipt.key == key else None
    facts = []
    for n, run in enumerate(runs):
        progress(run.stem)
        facts.append(_facts(sources.load(run)) if same is None else same.runs[n])
    return _session(runs[0].participant, runs[0].session, tuple(facts), folders=runs, key=key, receipt=same)


def of_dataset(who: tuple[str, str], receipt: Receipt) -> SessionFacts:
    """Return the facts of a session that only the dataset still has."""
    return _session(*who, receipt.runs, key=receipt.key, receipt=receipt)


def _check_same(runs: Sequence[Run], receipt: Receipt) -> None:
    """Refuse recordings under the name of others that the dataset holds, and a session that lacks some of its recordings."""
    there = {facts.session.run: facts.session.uid for facts in receipt.runs}
    if gone := sorted(there.keys() - {run.run for run in runs}):
        raise RecordingError(
            f"{runs[0].path.parent}: has no run-{gone[0]}, which the dataset holds; bring it back to export this session"
        )
    for run in runs:
        uid, where = sources.uid(run), run.session_json if run.session_json.exists() else run.xdf
        if there.get(run.run, uid) != uid:
            raise RecordingError(
                f"{where}: uid = {uid!r}: the dataset holds another recording under this name ({there[run.run]!r}); "
                "give one of the two participants another label, or name another folder for the dataset"
            )


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
    study, scopes = record.study, record.session.consent.scopes
    spans = rule.judged_spans(record.moments, study.contact_quality.over)
    judged = rule.judge_streams(record.streams, study)
    if "eeg" not in scopes:
        judged = judged.model_copy(update={"value": None, "per_sensor": {}})
    device = study.eeg
    quality_streams = (device.contact_quality_stream, device.eeg_quality_stream)
    return RunFacts(
        session=record.session, about=About.of(study, record.session.task), end=record.end, clips=_clips(record),
        quality=judged, judged_s=sum(stop - start for start, stop in spans), has_eeg=_has(record, device.stream, n=2),
        has_video=bool(record.videos),
        has_readings=any(_has(record, keys, n=1) for keys in quality_streams if keys),
        complete=timeline.complete([timeline.Moment(*moment) for moment in record.moments]), missing=record.missing,
    )  # fmt: skip


def _has(record: Recording, keys: study_file.Stream, *, n: int) -> bool:
    return sum(len(s.stamps) for s in headset.matching(record.streams, keys)) >= n


def _clips(record: Recording) -> tuple[ClipFacts, ...]:
    """Return the clips that a run began, with what its table says of them."""
    entries = {entry.stim_id: entry for entry in record.entries}
    onsets = (marker.keys for _, marker in record.moments if marker.name == "clip/onset")
    shown = dict.fromkeys((keys["stim_id"], keys["target"]) for keys in onsets)
    found = []
    for stim_id, target in shown:
        entry = entries.get(stim_id)
        found.append(ClipFacts(stim_id=stim_id, target=target) if entry is None else ClipFacts(
            stim_id=stim_id, target=target, duration=entry.duration_s, start=entry.start_s, filename=entry.file.name,
            sha256=entry.sha256, license=entry.licence, redistributable=entry.redistributable, source=entry.source,
        ))  # fmt: skip
    return tuple(found)


def _session(
    participant: str, session: str, runs: tuple[RunFacts, ...], *, folders: tuple[Run, ...] = (), key: str,
    receipt: Receipt | None,
) -> SessionFacts:  # fmt: skip
    pooled = rule.pool([(r.quality, r.judged_s) for r in runs])
    return SessionFacts(participant, session, runs, pooled, folders, key, receipt)


def _check_one_study(sessions: Iterable[SessionFacts]) -> None:
    """Refuse what cannot be one dataset: two studies, or simulated and real recordings."""
    first, *others = (facts for session in sessions for facts in session.runs)
    for other in others:
        if other.session.simulated != first.session.simulated:
            real, made = sorted((first, other), key=lambda f: f.session.simulated)
            raise RecordingError(
                f"{made.stem}: simulated = true, but {real.stem} is real; keep simulated and real data in folders apart"
            )
        for key, mine, theirs in _identity(first.about, other.about):
            if mine != theirs:
                raise RecordingError(
                    f"{other.stem}/study.toml: {key} = {theirs!r}, but {first.stem} has {mine!r}: two studies; "
                    "keep them in folders apart, each with a dataset of its own, or choose with --participant-label"
                )


def _identity(first: About, other: About) -> Iterable[tuple[str, object, object]]:
    yield "study.name", first.name, other.name
    yield "study.task", first.task, other.task
    yield "emotions", list(first.emotions), list(other.emotions)
    yield "contact_quality", first.contact_quality.model_dump(), other.contact_quality.model_dump()
