"""The whole of ``emo-withdraw``: from the recordings outwards, and a search afterwards for what still names the participant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bids_export import place, receipts, tables
from bids_export.withdraw import of_data, of_dataset, of_derivative, traces
from bids_export.withdraw.hand import Hand, Scope, WithdrawError
from protocol import folder, tombstone

Progress = Callable[[str, str, int], None]
BEYOND = (
    "copies and backups of these folders, and what snapshots of the file system keep",
    "datasets and reports that were published or passed on",
    "what deleted files leave on a disk until it is written over: encrypt the disk",
    "the list that says who stands behind a label, and the signed consent: they are not kept by emolab",
)


@dataclass(frozen=True)
class Asked:
    """What is asked for; ``data`` is None where there is no data folder."""

    label: str
    data: Path | None
    roots: tuple[Path, ...] = ()
    scope: Scope = "all"
    dry: bool = False


@dataclass(frozen=True)
class Done:
    """What came of it: ``left`` are files that still name the participant."""

    asked: Asked
    hand: Hand
    models: tuple[str, ...]
    left: tuple[Path, ...]
    stone: Path | None


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
    stone = tombstone.load(stone_path)
    hand = Hand(dry=asked.dry)
    stone = stone or tombstone.new(stone_path, key, asked.scope)
    if stone.done and asked.scope != "all":  # agreed to anew since, and taken back again
        stone = stone.model_copy(update={"begun": tombstone.now()})
    known_by = _identifiers(asked)
    derivatives = _derivatives(asked)
    names = [str(p) for d, _ in derivatives for p in of_derivative.learnt_from(d, asked.label, asked.scope)]
    stone = stone.model_copy(update={"models": tuple(dict.fromkeys((*stone.models, *names))), "done": None})
    if not asked.dry:
        tombstone.save(stone_path, stone)  # the names of models are in it before their cards forget the participant
    n = len(asked.roots) + 1
    if asked.data is not None:
        progress("withdraw", asked.data.name, n)
        of_data.withdraw(asked.data, asked.label, asked.scope, hand)
    for root in asked.roots:
        progress("withdraw", root.name, n)
        if not _is_derivative(root):
            of_dataset.withdraw(root, asked.label, asked.scope, hand)
    for derivative, _ in derivatives:
        of_derivative.withdraw(derivative, asked.label, asked.scope, hand)
    for derivative, source in derivatives:
        if source is not None and asked.scope in ("all", "face"):
            of_derivative.rebuild_group(derivative, source, hand)
    progress("search", asked.label, n)
    left = () if asked.dry or asked.scope != "all" else _left(asked, known_by, stone_path.parent)
    if not asked.dry and not left:
        tombstone.save(stone_path, stone.model_copy(update={"done": tombstone.now()}))
    return Done(asked, hand, stone.models, tuple(left), None if asked.dry else stone_path)


def check(asked: Asked) -> Path:
    """Refuse what cannot be done; return the folder that the withdrawal is noted with. Writes nothing.

    Raises
    ------
    WithdrawError, RecordingError, FolderError
        One line.
    """
    folder.label(asked.label, what="ID")
    for root in asked.roots:
        if not place.is_ours(root):
            raise WithdrawError(f"--bids = {root}: is no dataset of emolab; name the folder of a dataset or a derivative")
    home = asked.data if asked.data is not None else next(iter(asked.roots), None)
    if home is None:
        raise WithdrawError("--data: no data folder, and no dataset given; name them with --data and --bids")
    noted = _is_noted(asked, home)  # refuses a secret that is missing
    if not noted and not _is_known(asked):
        known = sorted({x for root in asked.roots for x in of_dataset.labels(root)} | set(of_data.labels(asked.data or home)))
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
    if asked.data is not None and of_data.is_in(asked.data, asked.label):
        return True
    if any(of_dataset.is_in(root, asked.label) for root in asked.roots):
        return True
    return any(of_derivative.is_in(path, asked.label) for path, _ in _derivatives(asked))


def _is_derivative(root: Path) -> bool:
    return bool(tables.read_json(root / place.DESCRIPTION).get("DatasetType") == "derivative")


def _derivatives(asked: Asked) -> list[tuple[Path, Path | None]]:
    """Return the derivatives, each with the dataset that it lies in."""
    inside = [(path, root) for root in asked.roots if not _is_derivative(root) for path in of_derivative.folders_of(root)]
    return [*inside, *((root, None) for root in asked.roots if _is_derivative(root))]


def _identifiers(asked: Asked) -> list[str]:
    """Return the identifiers of the participant's runs: they lead back, too."""
    runs = of_data.runs_of(asked.data, asked.label) if asked.data is not None else []
    uids = [folder.Session.load(run.session_json).uid for run in runs]
    for root in asked.roots:
        known = receipts.load_all(root)
        uids += [run.session.uid for who, receipt in known.items() if who[0] == asked.label for run in receipt.runs]
    return [uid for uid in dict.fromkeys(uids) if len(uid) >= traces.LONG]


def _left(asked: Asked, known_by: Sequence[str], stones: Path) -> list[Path]:
    """Return what still names the participant, in all folders and in what an interrupted export keeps beside them."""
    staging = [place.staging_of(root) for root in asked.roots]
    folders = [path for path in (asked.data, *asked.roots, *staging) if path is not None and path.exists()]
    return traces.traces(folders, traces.pattern(asked.label, known_by), but=[stones])
