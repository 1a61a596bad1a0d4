"""One participant in a BIDS dataset: files, rows, the texts that count people, and what the export remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from bids_export import front, place, prose, receipts, tables
from bids_export.place import Plan
from bids_export.receipts import Receipt
from bids_export.survey import Participant, SessionFacts, Survey, of_dataset
from bids_export.withdraw import hand as hands
from bids_export.withdraw import of_study
from bids_export.withdraw.hand import Hand, Scope
from protocol import study as study_file

Who = tuple[str, str]
DERIVATIVES = "derivatives"
_FACE = "_recording-face"
_OF_PEOPLE = ("README.md", "CHANGES", "participants.tsv")


def is_in(root: Path, label: str) -> bool:
    """Tell whether a dataset has files, rows or memories of a participant."""
    if any((root / folder / f"sub-{label}").exists() for folder in ("", receipts.SOURCE, "stimuli")):
        return True
    return any(hands.without_rows(path, label) for path in _group_tables(root))


def labels(root: Path) -> list[str]:
    """Return the participants of a dataset."""
    path = root / "participants.tsv"
    rows = tables.read_tsv(path)[1] if path.exists() else []
    return [row.get("participant_id", "").removeprefix("sub-") for row in rows]


def withdraw(root: Path, label: str, scope: Scope, hand: Hand) -> None:
    """Remove a participant from a dataset, or what one scope allowed; in one plan, which a crash cannot leave half done.

    Parameters
    ----------
    root : Path
        A dataset of ours; derivatives in it are left to :mod:`bids_export.withdraw.of_derivative`.
    label : str
        The participant.
    scope : {"all", "face", "share", "train"}
        What is withdrawn; from a dataset that was made to be shared, ``share`` takes everything.
    hand : Hand
        Notes what is done.

    Raises
    ------
    PlaceError
        When the dataset is not ours, or is being written to.
    """
    everything = scope == "all" or (scope == "share" and place.profile_of(root) == "shareable")
    if hand.dry:
        _note(root, label, hand, scope="all" if everything else scope)
        return
    with place.staging(root) as new:  # what an interrupted export or withdrawal had written down is done first
        known = receipts.load_all(root)
        _note(root, label, hand, scope="all" if everything else scope)
        _tables(new, root, label, "all" if everything else scope)
        if known:
            left = _left(root, new, known, label, "all" if everything else scope)
            _front(new, root, left)
        counted = not everything or bool(known) or _recount(new, root, label)
        alone = known and not left  # nobody is left: nothing tells of people any more
        for name in _OF_PEOPLE if alone else ():
            (new / name).unlink(missing_ok=True)
        put = tuple(sorted(p.relative_to(new).as_posix() for p in hands.files_of(new)))
        put = tuple(name for name in put if not _same(new / name, root / name))
        hand.changed += [root / name for name in put]
        drop = _dropped(root, label, "all" if everything else scope)
        drop += tuple(name for name in _OF_PEOPLE if alone and (root / name).exists())
        for path in (root / name for name in drop):
            hand.follow(path)
            if path.is_symlink():
                path.unlink()  # what it led to is gone: no plan sees a link that leads nowhere
        ours = {name: _all_files(root / name) for name in drop}
        if put or drop:
            place.put(root, Plan(put, drop, ours))
    if not counted:
        hand.notes.append(f"{root}/README.md, CHANGES: may still count the participant: read them, or export the dataset anew")


def _note(root: Path, label: str, hand: Hand, *, scope: Scope) -> None:
    for name in _dropped(root, label, scope):
        hand.removed += list(hands.files_of(root / name)) if (root / name).is_dir() else [root / name]
        if hand.dry:
            hand.follow(root / name)


def _dropped(root: Path, label: str, scope: Scope) -> tuple[str, ...]:
    """Return what leaves the dataset: everything that is the participant's by name, or what shows the face."""
    if scope in ("share", "train"):
        return ()
    here = [p for p in root.rglob("*") if p.relative_to(root).parts[0] != DERIVATIVES]
    if scope == "all":
        return tuple(
            p.relative_to(root).as_posix() for p in hands.outermost(here, lambda p: hands.is_of(p.name.lstrip("."), label))
        )
    return tuple(p.relative_to(root).as_posix() for p in hands.outermost(here, lambda p: _of_face(p, label)))


def _of_face(path: Path, label: str) -> bool:
    """Tell whether a file or folder is the participant's face, or belongs to a recording without EEG: nothing is left of it."""
    if path.parent.name == f"sub-{label}" and path.parent.parent.name != receipts.SOURCE and path.name.startswith("ses-"):
        return not any(path.glob("eeg/*_eeg.vhdr"))
    if path.name == f"sub-{label}" and path.parent.name != receipts.SOURCE:
        return not any(path.glob("ses-*/eeg/*_eeg.vhdr"))
    if not hands.is_of(path.name, label) or path.parent.name != "beh":
        return False
    run = path.name.split("_recording-")[0].rsplit("_events", 1)[0]
    return _FACE in path.name or not (path.parent.parent / "eeg" / f"{run}_eeg.vhdr").exists()


def _tables(new: Path, root: Path, label: str, scope: Scope) -> None:
    """Write the tables of the whole dataset, and of the session, without what is withdrawn."""
    if scope == "all":
        texts = {path: hands.without_rows(path, label) for path in _group_tables(root)}
        texts |= {path: _unnamed_study(path, label) for path in root.glob(f"{receipts.SOURCE}/sub-*/ses-*/run-*/study.toml")}
        gone = _dropped(root, label, scope)
        texts = {path: text for path, text in texts.items() if not _lies_in(path.relative_to(root).as_posix(), gone)}
    else:
        path = root / "participants.tsv"
        texts = {path: hands.with_consent(path, label, scope) if path.exists() else None}
    if scope == "face":
        gone = _dropped(root, label, scope)
        texts |= {path: _without(path, gone) for path in root.glob(f"sub-{label}/ses-*/*_scans.tsv")}
        texts |= {path: _without(path, gone) for path in root.glob(f"sub-{label}/*_sessions.tsv")}
        texts = {path: text for path, text in texts.items() if not _lies_in(path.relative_to(root).as_posix(), gone)}
    for path, text in texts.items():
        if text is not None:
            _put(new / path.relative_to(root), text)


def _unnamed_study(path: Path, label: str) -> str | None:
    """Return somebody's copy of the study file without the participant; None where it does not name them."""
    text = path.read_text(encoding="utf-8")
    return of_study.without(text, label) if of_study.names(text, label) else None


def _group_tables(root: Path) -> list[Path]:
    """Return the tables that may have a row for each participant."""
    return sorted({*root.glob("*.tsv"), *root.glob("phenotype/*.tsv")})


def _lies_in(name: str, folders: Sequence[str]) -> bool:
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)


def _without(path: Path, gone: Sequence[str]) -> str | None:
    """Return a table of scans or sessions without those whose files go; None where it stays as it is."""
    lines = path.read_text(encoding="utf-8").splitlines()
    names = {name.rpartition("/ses-")[2].partition("/")[2] for name in gone} | {name.rpartition("/")[2] for name in gone}
    kept = [line for line in lines if line.split("\t")[0] not in names]
    return None if kept == lines else "\n".join(kept) + "\n"


def _left(root: Path, new: Path, known: Mapping[Who, Receipt], label: str, scope: Scope) -> dict[Who, Receipt]:
    """Return what the export remembers from now on, and write what has changed of it."""
    left: dict[Who, Receipt] = {}
    for who, receipt in known.items():
        if who[0] == label and scope == "all":
            continue
        kept = _less(receipt, scope, root, new) if who[0] == label else _unnamed(receipt, label, new)
        left[who] = kept
        if kept != receipt:
            _put(new / receipts.path_of(*who), kept.text())
    return left


def _unnamed(receipt: Receipt, label: str, new: Path) -> Receipt:
    """Return a receipt of somebody who was given the participant's order of trials, without saying whose it was."""
    files = dict(receipt.files) | receipts.files_of(new, [new / name for name in receipt.files if (new / name).exists()])
    runs = tuple(
        run.model_copy(update={"session": run.session.model_copy(update={"replaces": None})})
        if run.session.replaces == label
        else run
        for run in receipt.runs
    )
    return receipt.model_copy(update={"runs": runs, "files": files})


def _less(receipt: Receipt, scope: Scope, root: Path, new: Path) -> Receipt:
    """Return a receipt with one scope less, and without files that have gone."""
    runs = []
    for run in receipt.runs:
        agreed = run.session.consent
        fewer = agreed.model_copy(update={"scopes": tuple(s for s in agreed.scopes if s != scope)})
        runs.append(run.model_copy(update={"session": run.session.model_copy(update={"consent": fewer})}))
    label = receipt.runs[0].session.participant
    gone = _dropped(root, label, scope)
    files = {name: record for name, record in receipt.files.items() if not _lies_in(name, gone)}
    rewritten = [new / name for name in files if (new / name).exists()]
    return receipt.model_copy(update={"runs": tuple(runs), "files": files | receipts.files_of(new, rewritten)})


def _front(new: Path, root: Path, left: Mapping[Who, Receipt]) -> None:
    """Write the texts and tables that tell of everybody, from those who are left."""
    sessions = {who: of_dataset(who, receipt) for who, receipt in left.items()}
    people = tuple(
        Participant(label, tuple(sessions[who] for who in mine))
        for label, mine in groupby(sorted(sessions), lambda who: who[0])
    )
    studies = [path for who in sorted(left) for path in sorted((root / receipts.folder_of(*who)).glob("run-*/study.toml"))]
    if not people or not studies:
        return
    runs = [(s, run) for person in people for s in person.sessions for run in s.runs if _has_files(s, left)]
    simulated = any(run.session.simulated for _, run in runs)
    found = Survey(study_file.load(studies[-1]), people, simulated)
    front.write(
        new, root, found, has_video=any(run.has_video and "face" in s.scopes for s, run in runs),
        has_quality=any(run.has_readings and run.has_eeg for _, run in runs),
    )  # fmt: skip


def _recount(new: Path, root: Path, label: str) -> bool:
    """Count people anew in the texts of a dataset without memories, by its table; False where somebody else wrote them."""
    table = root / "participants.tsv"
    rows = tables.read_tsv(table)[1] if table.exists() else []
    left = [row for row in rows if row.get("participant_id") != f"sub-{label}"]
    kept = sum(row.get("included") == "yes" for row in left)
    for name in ("README.md", "CHANGES"):
        if not (root / name).exists():
            continue
        text = (root / name).read_text(encoding="utf-8")
        told = prose.recounted(text, n=len(left), kept=kept, unshared=len(left) == len(rows))
        if told is None:
            return False
        _put(new / name, told)
    return True


def _has_files(session: SessionFacts, left: Mapping[Who, Receipt]) -> bool:
    return bool(left[session.participant, session.session].files)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tables.write_text(path, text)


def _same(new: Path, there: Path) -> bool:
    return there.is_file() and there.read_bytes() == new.read_bytes()


def _all_files(path: Path) -> Sequence[str]:
    return [p.relative_to(path).as_posix() for p in hands.files_of(path)] if path.is_dir() else []
