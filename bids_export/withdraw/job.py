"""The whole of ``emo-withdraw``: from the recordings outwards, and a search afterwards for what still names the participant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bids_export import place, receipts, tables
from bids_export.withdraw import after, links, of_data, of_dataset, of_derivative, of_labrecorder, of_study, traces
from bids_export.withdraw.hand import Hand, Scope, WithdrawError
from protocol import folder, tombstone
from protocol import study as study_file

Progress = Callable[[str, str, int], None]
BEYOND = (
    "copies and backups of these folders, and what snapshots of the file system keep",
    "datasets and reports that were published or passed on",
    "the history of a version control (git, git-annex, DataLad), and where it was pushed to",
    "what deleted files leave on a disk until it is written over: encrypt the disk",
    "the list that says who stands behind a label, and the signed consent: they are not kept by emolab",
)


@dataclass(frozen=True)
class Asked:
    """What is asked for; ``data`` is None where there is no data folder, ``study`` says how LabRecorder's files are named."""

    label: str
    data: Path | None
    roots: tuple[Path, ...] = ()
    scope: Scope = "all"
    dry: bool = False
    study: Path | None = None

    @property
    def homes(self) -> tuple[Path, ...]:
        """All folders that are withdrawn from."""
        return tuple(path for path in (self.data, *self.roots) if path is not None)


@dataclass(frozen=True)
class Done:
    """What came of it: ``left`` are files that still name the participant, or show what was withdrawn."""

    asked: Asked
    hand: Hand
    models: tuple[str, ...]
    left: tuple[Path, ...]
    stone: Path | None


@dataclass(frozen=True)
class _Computed:
    """A derivative, the dataset that it was computed from where that is named, too, and which scope goes from it."""

    folder: Path
    source: Path | None
    scope: Scope


def withdraw(asked: Asked, *, progress: Progress = lambda _, __, ___: None) -> Done:
    """Withdraw one participant, or one scope of the consent, everywhere.

    It begins with a tombstone, and every step can be done again: what a crash leaves, the same command completes.

    Parameters
    ----------
    asked : Asked
        Who, what and where.
    progress : callable
        Is told what is being done, to what, and to how many.

    Returns
    -------
    Done

    Raises
    ------
    WithdrawError, RecordingError, PlaceError, FolderError
        Bad input, one line; nothing is changed.
    """
    home = check(asked)
    key = tombstone.key_of(home) or b"" if asked.dry else tombstone.made_key(home)
    stone_path = tombstone.path_of(_stones(asked, home), key, asked.label, asked.scope)
    stone = tombstone.load(stone_path) or tombstone.new(stone_path, key, asked.scope)
    if stone.done and asked.scope != "all":  # agreed to anew since, and taken back again
        stone = stone.model_copy(update={"begun": tombstone.now()})
    known_by, template = _identifiers(asked), _template(asked)
    computed = _computed(asked)
    names = [str(p) for d in computed for p in of_derivative.learnt_from(d.folder, asked.label, d.scope)]
    stone = stone.model_copy(update={"models": tuple(dict.fromkeys((*stone.models, *names))), "done": None})
    hand = Hand(dry=asked.dry, label=asked.label, homes=asked.homes)

    def keep(path: Path) -> None:
        nonlocal stone
        stone = stone.model_copy(update={"left": tuple(dict.fromkeys((*stone.left, str(path))))})
        if not asked.dry:
            tombstone.save(stone_path, stone)

    hand.tell_left = keep
    if not asked.dry:
        tombstone.save(stone_path, stone)  # the names of models are in it before their cards forget the participant
    _remove(asked, hand, computed, template, progress)
    if asked.scope == "all" and (named := _study_that_names(asked)) is not None:
        hand.notes.append(f"{named}: labrecorder.consent_of names {asked.label}: take the entry out, the file is yours")
    progress("search", asked.label, len(asked.homes))
    left = [] if asked.dry else _left(asked, known_by, stone_path.parent, computed, template)
    left = list(dict.fromkeys([*left, *(path for text in stone.left if (path := Path(text)).exists())]))
    if not asked.dry and not left:
        tombstone.save(stone_path, stone.model_copy(update={"done": tombstone.now(), "left": ()}))
    return Done(asked, hand, stone.models, tuple(left), None if asked.dry else stone_path)


def _remove(asked: Asked, hand: Hand, computed: Sequence[_Computed], template: str | None, progress: Progress) -> None:
    """Remove from the recordings outwards; group outputs are made again at the end."""
    n = len(asked.homes)
    for home in asked.homes:
        if (kept_by := links.under_git(home)) is not None:
            hand.notes.append(f"{home}: lies in a version control ({kept_by}), whose history keeps what was committed to it")
    if asked.data is not None:
        progress("withdraw", asked.data.name, n)
        of_data.withdraw(asked.data, asked.label, asked.scope, hand, template=template)
    for root in asked.roots:
        progress("withdraw", root.name, n)
        if not _is_derivative(root):
            of_dataset.withdraw(root, asked.label, asked.scope, hand)
    for d in computed:
        of_derivative.withdraw(d.folder, asked.label, d.scope, hand)
    for d in computed:
        if d.scope != "share":
            of_derivative.rebuild_group(d.folder, d.source, hand)


def check(asked: Asked) -> Path:
    """Refuse what cannot be done; return the folder that the withdrawal is noted with. Writes nothing.

    Raises
    ------
    WithdrawError, RecordingError, FolderError
        One line.
    """
    folder.label(asked.label, what="ID")
    for root in asked.roots:
        if not of_derivative.is_ours(root):
            raise WithdrawError(f"--bids = {root}: is no dataset of emolab; name the folder of a dataset or a derivative")
    home = asked.data if asked.data is not None else next(iter(asked.roots), None)
    if home is None:
        raise WithdrawError("--data: no data folder, and no dataset given; name them with --data and --bids")
    noted = _is_noted(asked, home)  # refuses a secret that is missing
    if not noted and not _is_known(asked):
        theirs = of_data.labels(asked.data or home, _template(asked))
        known = sorted({x for root in asked.roots for x in of_dataset.labels(root)} | set(theirs))
        raise WithdrawError(
            f"ID = {asked.label!r}: neither data nor datasets have it; they have {', '.join(known) or 'nobody'}"
        )
    return home


def _stones(asked: Asked, home: Path) -> Path:
    return tombstone.folder_of(home, is_data=asked.data is not None)


def _is_noted(asked: Asked, home: Path) -> bool:
    """Tell whether the same was withdrawn before, perhaps not to its end."""
    key = tombstone.key_of(home)
    return key is not None and tombstone.path_of(_stones(asked, home), key, asked.label, asked.scope).exists()


def _is_known(asked: Asked) -> bool:
    if asked.data is not None and of_data.is_in(asked.data, asked.label, _template(asked)):
        return True
    if any(of_dataset.is_in(root, asked.label) for root in asked.roots):
        return True
    return any(of_derivative.is_in(d.folder, asked.label) for d in _computed(asked))


def _template(asked: Asked) -> str | None:
    return of_labrecorder.template_of(asked.data, asked.study) if asked.data is not None else None


def _study_that_names(asked: Asked) -> Path | None:
    """Return the study file that names the participant, which nobody but its author changes."""
    places = (asked.study, asked.data)
    path = next((path for place_ in places if place_ and (path := study_file.study_path(place_)).exists()), None)
    return path if path is not None and of_study.names(path.read_text(encoding="utf-8"), asked.label) else None


def _is_derivative(root: Path) -> bool:
    about = tables.read_json(root / place.DESCRIPTION) if place.is_ours(root) else {"DatasetType": "derivative"}
    return bool(about.get("DatasetType") == "derivative")


def _computed(asked: Asked) -> list[_Computed]:
    """Return the derivatives; from one of a dataset made to be shared ``share`` takes everything, as from that."""
    found = [(path, root) for root in asked.roots if not _is_derivative(root) for path in of_derivative.folders_of(root)]
    apart = [(root, of_derivative.source_of(root)) for root in asked.roots if _is_derivative(root)]
    here = {root.resolve() for root in asked.roots}
    return [
        _Computed(path, source if source and source.resolve() in here else None, _scope_of(source, asked.scope))
        for path, source in (*found, *apart)
    ]


def _scope_of(dataset: Path | None, scope: Scope) -> Scope:
    shared = dataset is not None and place.profile_of(dataset) == "shareable"
    return "all" if scope == "share" and shared else scope


def _identifiers(asked: Asked) -> list[str]:
    """Return the identifiers of the participant's runs: they lead back, too."""
    runs = of_data.runs_of(asked.data, asked.label) if asked.data is not None else []
    named = of_labrecorder.recordings(asked.data, _template(asked)) if asked.data is not None else ()
    uids = [file.stem for label, file in named if label == asked.label]
    uids += [folder.Session.load(run.session_json).uid for run in runs]
    for root in asked.roots:
        known = receipts.load_all(root)
        uids += [run.session.uid for who, receipt in known.items() if who[0] == asked.label for run in receipt.runs]
    return [uid for uid in dict.fromkeys(uids) if len(uid) >= traces.LONG]


def _left(
    asked: Asked, known_by: Sequence[str], stones: Path, computed: Sequence[_Computed], template: str | None
) -> list[Path]:  # fmt: skip
    """Return what still names the participant, or shows what was withdrawn: by name; where everything goes, by every byte."""
    found = after.of_folder(asked.data, asked.label, asked.scope, template) if asked.data is not None else []
    datasets = [root for root in asked.roots if not _is_derivative(root)]
    found += [path for root in datasets for path in after.of_dataset(root, asked.label, asked.scope)]
    if asked.scope == "all" and (named := _study_that_names(asked)) is not None:
        found.append(named)
    found += [path for d in computed for path in after.of_computed(d.folder, asked.label, d.scope)]
    whole = [root for root in datasets if _scope_of(root, asked.scope) == "all"]
    whole += [d.folder for d in computed if d.scope == "all" and not any(d.folder.is_relative_to(root) for root in whole)]
    if asked.scope == "all" and asked.data is not None:
        whole.insert(0, asked.data)
    # an interrupted export keeps what it had made beside the dataset
    folders = [path for root in whole for path in (root, place.staging_of(root)) if path.exists()]
    return found + traces.Traces(asked.label, tuple(known_by)).below(folders, but=[stones])
