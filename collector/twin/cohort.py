"""Simulated participants, recorded faster than real time: the session itself on virtual time, the real writers behind it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collector import consent, finish, prepare
from collector.twin import contact
from collector.twin.knobs import Faults, Knobs, random, seed_of
from collector.twin.recording import Recording
from collector.twin.virtual import Incident, VirtualClock, VirtualOutlet, VirtualScreen, WindowLost
from protocol import folder, past, schedule, session, trials
from protocol import study as study_file
from protocol.folder import Manifest, Run
from protocol.journal import Journal, boot_id
from protocol.journal import read as read_journal
from protocol.session import Ending
from protocol.study_files import StudyFiles, manifest_path
from protocol.trials import TrialTable

_BEFORE_S, _AFTER_S = 2.0, 1.0  # the recorder runs before the session begins and after it has ended
_WINDOW_S = 4.0  # from a window's death to the next one
_RESUMED_S = 300.0  # from a session's end to its resumption
_EPOCH_S = 1_767_600_000.0  # 2026-01-05 08:00 UTC: simulated days begin here
_DAY_S = 86_400.0


class CohortError(ValueError):
    """The cohort cannot be simulated as asked; one line with the cure."""


@dataclass(frozen=True)
class Participant:
    """One simulated participant.

    Parameters
    ----------
    label : str
        BIDS label.
    seed : int
        Decides everything about them.
    contact : float
        Contact quality that the session is to have, 0 to 1.
    """

    label: str
    seed: int
    contact: float


def plan(files: StudyFiles, out: Path, *, n: int, seed: int, below: int = 0) -> tuple[Participant, ...]:
    """Return the participants of a cohort; nothing is written.

    Parameters
    ----------
    files : StudyFiles
        The study.
    out : Path
        The data folder.
    n : int
        How many.
    seed : int
        The same seed gives the same cohort.
    below : int
        How many miss the contact-quality rule.

    Raises
    ------
    CohortError
        When a participant is there already, or ``below`` does not fit.
    protocol.schedule.ScheduleError
        When the study has no order of clips.
    """
    if n < 1:
        raise CohortError(f"participants = {n}: at least 1")
    labels = [f"{i:0{max(2, len(str(n)))}d}" for i in range(1, n + 1)]
    for label in labels:
        if (there := out / f"sub-{label}").exists():
            raise CohortError(f"{there}: exists; recordings are never overwritten: name another folder with --out")
    schedule.plan(files.study, files.entries, labels[0])
    try:
        values = contact.values(n, below=below, threshold=files.study.contact_quality.threshold, seed=seed)
    except ValueError as error:
        raise CohortError(f"--{error}") from None
    return tuple(Participant(p, seed_of(p, seed=seed), value) for p, value in zip(labels, values, strict=True))


def record_participant(
    files: StudyFiles,
    out: Path,
    participant: Participant,
    *,
    knobs: Knobs | None = None,
    faults: Faults | None = None,
    incidents: Sequence[Incident] = (),
    resumes: Run | None = None,
) -> Run:
    """Simulate one participant's session and write its folder, as a live session does.

    Parameters
    ----------
    files : StudyFiles
        The study.
    out : Path
        The data folder.
    participant : Participant
        Who.
    knobs, faults
        What shows, and what goes wrong.
    incidents : sequence of Incident
        What interrupts the session.
    resumes : Run, optional
        An earlier run of this participant's session, which this one goes on with: the trials that are not complete there.

    Returns
    -------
    Run
        With its manifest written.
    """
    knobs, faults = knobs or Knobs(), faults or Faults()
    clock = _clock(participant, resumes)
    run, record = _begin(files, out, participant, clock, resumes)
    t_recording = clock.now()
    clock.advance(_BEFORE_S)
    screen = VirtualScreen(
        clock, seed=participant.seed, refresh_hz=files.study.screen.refresh_hz,
        sound=files.study.screen.sound == "required", incidents=incidents,
    )  # fmt: skip
    outlet, notes = VirtualOutlet(), list[tuple[float, str]]()
    ending = None
    while ending is None:
        try:
            ending = _window(files, run, record, clock, screen, outlet, resumes)
        except WindowLost:
            notes.append((clock.now(), "window/lost"))
            clock.advance(_WINDOW_S)
            notes.append((clock.now(), "window/back"))
    clock.advance(_AFTER_S)
    Recording(
        files, run, participant.seed, participant.contact, knobs, faults, clock, outlet, t_recording, record.uid, notes
    ).write()  # fmt: skip
    finish.write_manifest(run, files.study, end=ending.end, reason=ending.reason, closed_wall=clock.wall())
    return run


def _window(
    files: StudyFiles, run: Run, record: folder.Session, clock: VirtualClock, screen: VirtualScreen, outlet: VirtualOutlet,
    resumes: Run | None,
) -> Ending:  # fmt: skip
    """Run the session, from wherever an earlier window left it."""
    whole = schedule.plan(files.study, files.entries, record.participant)
    rows = trials.read(resumes.trials_csv) if resumes else []
    done = {row.trial for row in rows if row.end == "complete"}
    written = read_journal(run.journal("window")) if run.journal("window").exists() else []
    with Journal(run.journal("window"), now=clock.now, wall=clock.wall) as journal:
        return session.run(
            study=files.study, trials=[trial for trial in whole if trial.trial not in done], clips=files.clips, clock=clock,
            outlet=outlet, journal=journal, table=TrialTable(run.trials_csv), record=record, screen=screen,
            past=past.read(written, t_flip=screen.t_flip) if written else None, before=Counter(row.trial for row in rows),
            n_trials=len(whole),
        )  # fmt: skip


def _clock(participant: Participant, resumes: Run | None) -> VirtualClock:
    """Return the clocks at the beginning: a session is resumed some time after it ended, on the same computer."""
    if resumes is None:
        rng = random(participant.seed, "date")
        began_s = _EPOCH_S + rng.integers(100) * _DAY_S + rng.integers(9 * 3600)
        return VirtualClock(lsl_s=float(rng.uniform(1000, 20000)), wall_s=float(began_s))
    earlier, streams = folder.Session.load(resumes.session_json), Manifest.load(resumes.manifest_json).streams
    lsl_s = max(stream.t_last for stream in streams if stream.t_last is not None) + _RESUMED_S
    ahead_s = datetime.fromisoformat(earlier.created_wall).timestamp() - earlier.created_lsl
    return VirtualClock(lsl_s=lsl_s, wall_s=lsl_s + ahead_s)


def _begin(
    files: StudyFiles, out: Path, participant: Participant, clock: VirtualClock, resumes: Run | None
) -> tuple[Run, folder.Session]:
    """Make the run's folder: ``session.json`` first, then the frozen study and its table of clips."""
    run = folder.create(out, participant=participant.label, session="01", task=files.study.study.task)
    earlier = folder.Session.load(resumes.session_json).uid if resumes else None
    person, agreed = consent.simulated(participant.label, consent.Given(), files.study.consent)
    record = folder.Session(
        uid=random(participant.seed, "uid", *(() if resumes is None else (run.run,))).bytes(16).hex(),
        participant=run.participant, session=run.session, run=run.run,
        resumes=earlier,
        task=run.task, simulated=True, study_sha256=study_file.digest(files.path), created_wall=clock.wall(),
        created_lsl=clock.now(), boot=boot_id(), person=person,
        consent=agreed.model_copy(update={"t_wall": clock.wall()}), versions=prepare.versions(),
    )  # fmt: skip
    record.save(run.session_json)
    shutil.copyfile(files.path, run.study_toml)
    shutil.copyfile(manifest_path(files.study, files.path), run.clips_tsv)
    return run, record
