"""One participant in what was computed from a dataset: files, caches, group outputs, and models that have learnt from them.

This room does not know the one that computes. It knows files by what they say of themselves: the names of BIDS, the owner that
a cache's entry names, the participants that a model's card lists.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bids_export import place
from bids_export.withdraw import hand as hands
from bids_export.withdraw.hand import TRASH, Hand, Scope, sweep

CACHE = "cache"
FOLDS = "folds"
GROUP_PAGE = "group_report.html"
# what emo-train computes from everybody together, some of it with pictures or scores of single people
TOGETHER = ("metrics.json", "scores.html", "scores.json")  # the last one says who was in: it goes last
_OF_FACE = ("face", "fusion")


def folders_of(root: Path) -> list[Path]:
    """Return the derivatives that lie in a dataset."""
    return sorted(path for path in (root / "derivatives").glob("*") if path.is_dir())


def is_in(folder: Path, label: str) -> bool:
    """Tell whether anything in a derivative is a participant's."""
    if any(hands.is_of(path.name.lstrip("."), label) for path in folder.rglob("*")):
        return True
    return any(_owner(path) == label for path in _arrays(folder)) or any(
        label in card["participants"] for _, card in _cards(folder)
    )


def withdraw(folder: Path, label: str, scope: Scope, hand: Hand) -> None:
    """Remove a participant from a derivative, or what one scope allowed.

    Parameters
    ----------
    folder : Path
        The derivative.
    label : str
        The participant.
    scope : {"all", "face", "share", "train"}
        What is withdrawn. ``face`` takes pictures, features, tables of frames and labels, which the face has a part in;
        ``train`` the features, and labels that are by-products of training; ``share`` nothing.
    hand : Hand
        Notes what is done.
    """
    if scope == "share":
        return
    if not hand.dry:
        for trash in sorted(folder.rglob(TRASH)):
            sweep(trash)
    trained_on = scope == "all" or _made_by(folder) == "emo-train"
    was_in = is_in(folder, label) or _is_scored(folder, label)
    for path in hands.outermost(folder.rglob("*"), lambda p: hands.is_of(p.name.lstrip("."), label)):
        if scope == "all" or (is_label(path) and trained_on) or (scope == "face" and is_label(path)) or _picture(path):
            hand.remove(path)
        elif hands.is_folder(path):
            _within(path, scope, hand, trained_on=trained_on)
    for path in _arrays(folder):
        if _goes(path, label):
            hand.remove(path)
    mark_models(folder, label, scope, hand)
    _lines(folder, label, scope, hand)  # whatever a kill has left of what told that they were in
    if was_in:
        _together(folder, label, scope, hand)


def _is_scored(folder: Path, label: str) -> bool:
    path = folder / TOGETHER[-1]
    return path.exists() and f'"{label}"' in path.read_text(encoding="utf-8")


def _within(folder: Path, scope: Scope, hand: Hand, *, trained_on: bool) -> None:
    """Remove labels and pictures in a participant's folder, and leave what has nothing to do with the scope."""
    for path in hands.files_of(folder):
        if _picture(path) or (is_label(path) and (scope == "face" or trained_on)):
            hand.remove(path)
    for path in () if hand.dry else sorted((folder, *folder.rglob("*")), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def is_label(path: Path) -> bool:
    """Tell whether a file has what recognisers said of a participant, or measures of the face."""
    return any(part in path.name for part in ("_desc-fused_", "_desc-face_", "_report."))


def _picture(path: Path) -> bool:
    return path.name.endswith("_clips.png")


def _made_by(folder: Path) -> str:
    about = hands.read_json(folder / place.DESCRIPTION)
    made_by = about.get("GeneratedBy") if isinstance(about, dict) else None
    first = made_by[0] if isinstance(made_by, list) and made_by else {}
    return str(first.get("Description", "")) if isinstance(first, dict) else ""


def _arrays(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*.npz*") if path.is_file())


def _goes(path: Path, label: str) -> bool:
    """Tell whether arrays are to be removed: the participant's, and those of a cache that do not say whose they are."""
    owner = _owner(path)
    return owner == label or (owner is None and CACHE in path.parts)


def _owner(path: Path) -> str | None:
    """Return whose arrays a file holds, by its own word; None where it says nothing, or is damaged or half written."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as arrays:
            return str(arrays["participant"]) if "participant" in arrays.files else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _cards(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the cards of models, each beside its weights."""
    for weights in sorted(folder.rglob("*.safetensors")):
        card = hands.read_json(weights.with_suffix(".json"))
        if isinstance(card, dict) and "intended_use" in card and isinstance(card.get("participants"), list):
            yield weights, card


def learnt_from(folder: Path, label: str, scope: Scope) -> list[Path]:
    """Return the weights that have learnt from what is withdrawn."""
    return [
        weights
        for weights, card in _cards(folder)
        if label in card["participants"] and scope != "share" and (scope != "face" or card.get("modality") in _OF_FACE)
    ]


def mark_models(folder: Path, label: str, scope: Scope, hand: Hand) -> None:
    """Mark models that have learnt from the participant: their cards no longer name them, and say that they must be retrained.

    What somebody's data did to weights cannot be taken out of them. They are not removed: what was published with them must
    stay checkable, and whoever answers for them decides. Until they are trained again nothing of ours uses them.
    """
    chosen = learnt_from(folder, label, scope)
    hand.models += chosen
    for weights in chosen:
        path = weights.with_suffix(".json")
        card = hands.read_json(path)
        hand.write(path, hands.as_json({**_without(card, label), "withdrawn": int(card.get("withdrawn", 0)) + 1}))


def _without(card: dict[str, Any], label: str) -> dict[str, Any]:
    """Return a card that names a participant neither as learnt from nor as the owner of a recording."""
    fewer, settings = [name for name in card["participants"] if name != label], card.get("settings")
    if not isinstance(settings, dict) or not isinstance(known := settings.get("recordings"), dict):
        return {**card, "participants": fewer}
    recordings = {digest: name for digest, name in known.items() if name != label}
    return {**card, "participants": fewer, "settings": {**settings, "recordings": recordings}}


def _together(folder: Path, label: str, scope: Scope, hand: Hand) -> None:
    """Remove what was computed from everybody together where the participant may show in it; it can be computed again."""
    scores = [folder / name for name in TOGETHER if (folder / name).exists()]
    for path in (*sorted((folder / "figures").glob("*.png")), *scores):
        hand.remove(path)
    if scores:
        hand.notes.append(f"{folder}: scores and figures of everybody together are removed; emo-train makes them again")


def _lines(folder: Path, label: str, scope: Scope, hand: Hand) -> None:
    """Take the participant's lines out of the page of clips and out of tables."""
    page = folder / "clips.html"
    if page.exists():
        lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if f"sub-{label}_" not in line]
        if kept != lines:
            hand.write(page, "".join(kept))
    for path in sorted(folder.glob("*.tsv")):
        text = hands.without_rows(path, label) if scope == "all" and not (folder / GROUP_PAGE).exists() else None
        if text is not None:
            hand.write(path, text)


def rebuild_group(folder: Path, root: Path, hand: Hand) -> None:
    """Make a group's page again where there is one; remove it where that cannot be done."""
    # mne and matplotlib take seconds to load: only where there is a page to draw
    from bids_export import validate
    from bids_export.report import from_bids, group, group_page
    from bids_export.report.facts import ReportError

    page = folder / GROUP_PAGE
    if not page.exists():
        return
    hand.changed += [page, *(p for name in ("json", "tsv") if (p := page.with_suffix(f".{name}")).exists())]
    if hand.dry:
        return
    dataset = from_bids.Dataset(root)
    try:
        group_page.write(folder, group.gather(dataset, folder, validate.validate(root)))
    except (ReportError, OSError, ValueError, validate.ValidatorError) as error:
        for path in sorted(folder.glob("group_report.*")):
            hand.remove(path)
        hand.notes.append(f"{page}: removed, as it could not be made again ({' '.join(str(error).split())[:120]})")
