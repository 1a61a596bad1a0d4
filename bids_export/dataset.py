"""The dataset: survey, write what is new, validate, read back, put in place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bids_export import front, place, receipts, sessions, tables, validate
from bids_export.place import Plan
from bids_export.privacy import INTERNAL, Profile, not_shared
from bids_export.recording import RecordingError
from bids_export.survey import Participant, Receipts, SessionFacts, Survey, survey
from bids_export.validate import Verdict
from protocol import tombstone

Progress = Callable[[str, str, int], None]


class InvalidError(RuntimeError):
    """The dataset that was built is not valid BIDS: it was not put in place. ``verdict`` says why."""

    def __init__(self, verdict: Verdict) -> None:
        first = verdict.errors[0]
        more = f" (and {len(verdict.errors) - 1} more kinds)" if len(verdict.errors) > 1 else ""
        super().__init__(f"not valid BIDS, nothing was put in place: {first.n} x {first.code}: {first.first}{more}")
        self.verdict = verdict


class NothingKeptError(RuntimeError):
    """No participant has a recording that may be exported, so there is no dataset."""


@dataclass(frozen=True)
class Options:
    """What to export; ``study`` says what LabRecorder's files hold."""

    simulated: bool = False
    include_excluded: bool = False
    participants: tuple[str, ...] = ()
    profile: Profile = INTERNAL
    study: Path | None = None


@dataclass(frozen=True)
class Export:
    """What came of an export.

    ``runs`` are the recordings that the dataset now holds, ``written`` those of them that this export wrote; ``left`` are
    sessions of the dataset that the data folder does not have, and that stay as they are. ``missing`` is what recordings of
    other recorders lack.
    """

    data: Path
    root: Path
    survey: Survey
    runs: tuple[str, ...]
    written: tuple[str, ...]
    left: tuple[str, ...]
    verdict: Verdict
    unknown: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Work:
    """Who is to be in the dataset with which sessions, and what has to be done for that.

    ``drop`` are sessions whose files leave the dataset; ``known`` is what the dataset remembers.
    """

    people: tuple[Participant, ...]
    write: tuple[SessionFacts, ...]
    list_only: tuple[SessionFacts, ...]
    drop: tuple[SessionFacts, ...]
    known: Receipts


def export(data: Path, root: Path, options: Options, *, progress: Progress = lambda _, __, ___: None) -> Export:
    """Bring a BIDS dataset up to date with a data folder: validated and read back before anything in it changes.

    Sessions that the dataset has already, made from the same recordings by the same code, are left alone; so are sessions that
    the data folder does not have, and everything that others put into the dataset.

    Parameters
    ----------
    data : Path
        Holds ``sub-*/ses-*/run-*``.
    root : Path
        Where the dataset goes, or lies; anything that is no dataset of ours is refused.
    options : Options
        Which participants are added or refreshed, and whether simulated data may be exported.
    progress : callable
        Is told what is being done (``read``, ``write``, ``validate``), to what, and to how many.

    Returns
    -------
    Export

    Raises
    ------
    RecordingError, PlaceError, FolderError, StudyError, ManifestError, XdfError
        Bad input: one line with file, key, value and cure; nothing is written.
    NothingKeptError
        No participant is kept.
    InvalidError, ReadbackError
        What was built is not right; nothing is put in place.
    """
    place.check(root)
    profile = options.profile
    place.check_profile(root, shareable=profile.shareable)
    with place.staging(root) as new:
        known = receipts.load_all(root)
        told = lambda stem, n: progress("read", stem, n)  # noqa: E731
        found = survey(data, participants=options.participants, known=known, study=options.study, progress=told)
        _check_simulated(found, data, allowed=options.simulated)
        place.check_kind(root, simulated=found.simulated)
        tombstone.check(data, [run.session for p in found.participants for s in p.sessions if s.folders for run in s.runs])
        unshared, found = not_shared(found) if profile.shareable else (), profile.people(found)
        work = _work(found, known, root, include_excluded=options.include_excluded)
        if not work.people:
            raise NothingKeptError(_nobody(found, unshared))
        _check_strangers(root, work)
        _write(new, root, found, work, progress, profile, n_unshared=_n_people(unshared, found))
        progress("validate", root.name, 1)
        verdict = _validated(new, root, work)
        if verdict.errors:
            raise InvalidError(verdict)
        place.put(root, _plan(new, root, work))
    return _export(data, root, found, work, verdict, tuple(f"{name}: no consent to share; left out" for name in unshared))


def _check_simulated(found: Survey, data: Path, *, allowed: bool) -> None:
    if found.simulated and not allowed:
        raise RecordingError(f"{data}: simulated = true: these are no recordings of people; export them with --simulated")
    if allowed and not found.simulated:
        raise RecordingError(f"{data}: simulated = false: these are recordings of people; export them without --simulated")


def _check_strangers(root: Path, work: _Work) -> None:
    """Refuse a dataset with recordings that it does not remember: its tables would no longer name them."""
    told = {p.label for p in work.people} | {s.participant for s in work.drop}
    for scans in sorted(root.glob("sub-*/ses-*/*_scans.tsv")):
        if scans.parts[-3].removeprefix("sub-") not in told:
            remembered = root / receipts.SOURCE / scans.parts[-3] / scans.parts[-2] / receipts.FILE
            raise RecordingError(
                f"{scans.parent}: no {remembered} tells of it; restore that from a copy, or move the folder out"
            )


def _n_people(unshared: Iterable[str], found: Survey) -> int:
    """Return how many participants are wholly left out of what is shared."""
    return len({name.split()[0] for name in unshared} - {f"sub-{p.label}" for p in found.participants})


def _nobody(found: Survey, unshared: Sequence[str] = ()) -> str:
    if not found.participants:
        return f"no dataset: none of {len(unshared)} sessions may be shared; the others' consent has no scope 'share'"
    why = "; ".join(f"sub-{p.label}: {p.reason}" for p in found.participants if p.reason)
    return f"no dataset: none of {len(found.participants)} participants is kept ({why}); to export them: --include-excluded"


def _work(found: Survey, known: Receipts, root: Path, *, include_excluded: bool) -> _Work:
    """Decide who is in, and what the dataset does not have yet as it must be."""
    people, write, list_only, drop = [], [], [], []
    for person in found.participants:
        wanted = person.included or include_excluded or not any(s.folders for s in person.sessions)
        inside = [s for s in person.sessions if wanted and s.exportable and (s.folders or _has_files(s, known))]
        if inside:
            people.append(replace(person, sessions=tuple(inside)))
        for session in (s for s in person.sessions if s.folders):
            has_files = _has_files(session, known)
            if session in inside:
                if not (session.receipt and session.receipt.files and receipts.intact(root, session.receipt)):
                    write.append(session)
            elif has_files or session.receipt is None:
                list_only.append(session)
                drop += [session] if has_files else []
    return _Work(tuple(people), tuple(write), tuple(list_only), tuple(drop), known)


def _has_files(session: SessionFacts, known: Receipts) -> bool:
    there = known.get((session.participant, session.session))
    return there is not None and bool(there.files)


def _write(new: Path, root: Path, found: Survey, work: _Work, progress: Progress, profile: Profile, *, n_unshared: int) -> None:
    """Write everything that is new into the staging folder."""
    n_runs = sum(len(session.runs) for session in work.write)
    for session in work.write:
        sessions.write(new, session, profile=profile, progress=lambda stem: progress("write", stem, n_runs))
    for session in () if profile.shareable else work.list_only:
        sessions.list_only(new, session)
    for person in work.people:
        sessions.write_table(new, person)
    for leftover in new.glob("README*"):
        leftover.unlink()  # mne-bids writes a list of references
    runs = [(s, run) for p in work.people for s in p.sessions for run in s.runs]
    front.write(
        new, root, found, has_video=any(run.has_video and "face" in s.scopes for s, run in runs),
        has_quality=any(run.has_readings and run.has_eeg for _, run in runs), profile=profile, n_unshared=n_unshared,
    )  # fmt: skip


def _validated(new: Path, root: Path, work: _Work) -> Verdict:
    """Validate the dataset as it will be: what is new, and links to what stays."""
    view = new.with_name("view")
    view.mkdir()
    for entry in new.iterdir():
        if not entry.name.startswith("sub-") and entry.name != receipts.SOURCE:
            _link(view / entry.name, entry)
    for person in work.people:
        folder = view / f"sub-{person.label}"
        folder.mkdir()
        for name in (f"sub-{person.label}_sessions.tsv", *(f"ses-{s.session}" for s in person.sessions)):
            made, there = new / folder.name / name, root / folder.name / name
            source = made if made.exists() else there
            if source.exists():
                _link(folder / name, source)
    try:
        return validate.validate(view)
    finally:
        shutil.rmtree(view)


def _link(link: Path, target: Path) -> None:
    """Link to a file or folder; a copy where the system lets nobody link, as Windows does without a privilege."""
    try:
        link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        if target.is_dir():
            shutil.copytree(target, link)
        else:
            shutil.copyfile(target, link)


def _plan(new: Path, root: Path, work: _Work) -> Plan:
    """Return what is to be done, in an order in which the dataset is valid after every step.

    Everybody is listed before their folder appears, and every pattern ignored before a file needs it; what is written about a
    session stands there last: an export that dies before it writes that session again.
    """
    tables_ = [p.name for p in sorted(new.iterdir()) if p.is_file()] + ["stimuli/stimuli.tsv", "stimuli/stimuli.json"]
    tables_.sort(key=lambda name: name != ".bidsignore")
    put = list(tables_)
    for person in work.people:
        folder = f"sub-{person.label}"
        if not (root / folder).exists():
            put.append(folder)
            continue
        written = [s for s in work.write if s.participant == person.label]
        put += [_folder(s) for s in written]
        put.append(f"{folder}/{folder}_sessions.tsv")
    put += [p.relative_to(new).as_posix() for p in _sources(new)]
    put = [name for name in put if (new / name).is_dir() or not _same(new / name, root / name)]
    drop = [name for session in work.drop for name in (_folder(session), *_ours(session, work, receipts.SOURCE))]
    staying = {person.label for person in work.people}
    gone = dict.fromkeys(s.participant for s in work.drop if s.participant not in staying)
    drop += [f"sub-{label}/sub-{label}_sessions.tsv" for label in gone]
    ours = {
        _folder(s): tuple(n.removeprefix(f"{_folder(s)}/") for n in _ours(s, work, "sub-")) for s in (*work.write, *work.drop)
    }
    return Plan(tuple(put), tuple(drop), ours)


def _sources(new: Path) -> list[Path]:
    """Return the files below ``sourcedata``, each session's receipt after its other files."""
    return sorted((p for p in (new / receipts.SOURCE).rglob("*") if p.is_file()), key=lambda p: (p.name == receipts.FILE, p))


def _folder(session: SessionFacts) -> str:
    return f"sub-{session.participant}/ses-{session.session}"


def _ours(session: SessionFacts, work: _Work, start: str) -> list[str]:
    """Return the files of a session that an earlier export made, below ``start``."""
    there = work.known.get((session.participant, session.session))
    return [name for name in (there.files if there else ()) if name.startswith(start)]


def _same(new: Path, there: Path) -> bool:
    return there.is_file() and there.read_bytes() == new.read_bytes()


def _export(
    data: Path, root: Path, found: Survey, work: _Work, verdict: Verdict, notes: tuple[str, ...]
) -> Export:  # fmt: skip
    inside = [session for person in work.people for session in person.sessions]
    return Export(
        data, root, found, runs=tuple(run.stem for s in inside for run in _in_dataset(s)),
        written=tuple(run.stem for s in work.write for run in _in_dataset(s)),
        left=tuple(f"sub-{s.participant} ses-{s.session}" for p in found.participants for s in p.sessions if not s.folders),
        verdict=verdict, unknown=front.unknown(found, work.people),
        notes=(*found.passed_over, *notes, *_notes(work.write), *mixed(root)),
        missing=_missing(found),
    )  # fmt: skip


def _missing(found: Survey) -> dict[str, tuple[str, ...]]:
    runs = (run for person in found.participants for session in person.sessions for run in session.runs)
    return {run.stem: run.missing for run in runs if run.missing}


def mixed(root: Path) -> Iterable[str]:
    """Say when the events of some recordings of a dataset were moved against the EEG, and those of others were not."""
    rows = [row for path in sorted(root.glob("sub-*/ses-*/*_scans.tsv")) for row in tables.read_tsv(path)[1]]
    eeg = [row for row in rows if row["filename"].endswith("_eeg.vhdr")]
    moved = [row for row in eeg if row.get("eeg_shift", tables.NA) != tables.NA]
    if moved and len(moved) < len(eeg):
        yield (
            f"events of {len(moved)} of {len(eeg)} recordings were moved against the EEG by the sync certificate, those of the "
            'others were not: column eeg_shift of scans.tsv; sync.apply = "none" moves none'
        )


def _in_dataset(session: SessionFacts) -> Iterable[receipts.RunFacts]:
    face = "face" in session.scopes
    return [run for run in session.runs if run.has_eeg or (run.has_video and face)]


def _notes(written: Iterable[SessionFacts]) -> Iterable[str]:
    for session in written:
        for run in session.runs:
            if run not in _in_dataset(session):
                yield f"{run.stem}: no EEG was recorded; not exported"
            elif not run.has_eeg:
                yield f"{run.stem}: no EEG was recorded; the video alone is exported"
            if run.end != "complete":
                yield f"{run.stem}: the session was {run.end}"
