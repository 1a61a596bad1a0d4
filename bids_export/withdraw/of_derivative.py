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
from bids_export.withdraw.links import is_below

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
    ours = is_ours(folder)
    if not hand.dry:
        for trash in sorted(folder.rglob(TRASH)):
            sweep(trash)
    trained_on = scope == "all" or _made_by(folder) == "emo-train"
    was_in = is_in(folder, label) or _is_scored(folder, label)
    for path in hands.outermost(folder.rglob("*"), lambda p: hands.is_of(p.name.lstrip("."), label)):
        if scope == "all" or _is_of_scope(path, scope, trained_on=trained_on):
            hand.remove(path)
        elif hands.is_folder(path):
            _within(path, scope, hand, trained_on=trained_on)
    for path in _arrays(folder):
        if _owner(path) == label:
            hand.remove(path)
        elif _is_unnamed_entry(folder, path):
            if ours:
                hand.remove(path)
            else:
                hand.notes.append(f"{path}: does not say whose it is, and emolab did not make it: look into it")
    mark_models(folder, label, scope, hand)
    _lines(folder, label, scope, hand)  # whatever a kill has left of what told that they were in
    if was_in and ours:
        _together(folder, label, scope, hand)


def _is_scored(folder: Path, label: str) -> bool:
    path = folder / TOGETHER[-1]
    return path.exists() and f'"{label}"' in path.read_text(encoding="utf-8")


def _within(folder: Path, scope: Scope, hand: Hand, *, trained_on: bool) -> None:
    """Remove labels and pictures in a participant's folder, and leave what has nothing to do with the scope."""
    for path in hands.files_of(folder):
        if _is_of_scope(path, scope, trained_on=trained_on):
            hand.remove(path)
    for path in () if hand.dry else sorted((folder, *folder.rglob("*")), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _is_of_scope(path: Path, scope: Scope, *, trained_on: bool) -> bool:
    return _picture(path) or (is_label(path) and (scope == "face" or trained_on))


def kept_of_scope(folder: Path, label: str, scope: Scope) -> list[Path]:
    """Return what a derivative has of a participant that a scope takes: by its name, or by the owner that it names."""
    trained_on = _made_by(folder) == "emo-train"
    named = [path for path in hands.files_of(folder) if is_below(path, folder, label)]
    return [p for p in named if _is_of_scope(p, scope, trained_on=trained_on)] + [
        p for p in _arrays(folder) if _owner(p) == label
    ]


def is_ours(folder: Path) -> bool:
    """Tell whether a folder is a derivative of ours: also one of which a run that was stopped has left the cache alone."""
    if place.is_ours(folder):
        return True
    return folder.is_dir() and [p.name for p in folder.iterdir()] == [CACHE] and any((folder / CACHE).rglob("*.npz*"))


def source_of(folder: Path) -> Path | None:
    """Return the dataset that a derivative says it was computed from; None where it says none that is here."""
    about = hands.read_json(folder / place.DESCRIPTION)
    told = [] if not isinstance(about, dict) else [*_values(about.get("DatasetLinks")), *_urls(about.get("SourceDatasets"))]
    for text in (text for text in told if isinstance(text, str) and "://" not in text):
        if (path := (folder.resolve() / text).resolve()).is_dir() and place.is_ours(path):
            return path
    return None


def _values(links: object) -> list[object]:
    return list(links.values()) if isinstance(links, dict) else []


def _urls(sources: object) -> list[object]:
    return [source.get("URL") for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []


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


def _is_unnamed_entry(folder: Path, path: Path) -> bool:
    """Tell whether arrays of a cache do not say whose they are: half an entry, or one of everybody together."""
    return path.relative_to(folder).parts[0] == CACHE and _owner(path) is None


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


def rebuild_group(folder: Path, root: Path | None, hand: Hand) -> None:
    """Make a group's page again where there is one; remove it where that cannot be done, or ``root`` is not known."""
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
    if root is None:
        _drop_group(
            folder, "its dataset is none of those that were named with --bids: emo-report .. group makes it again", hand
        )
        return
    dataset = from_bids.Dataset(root)
    try:
        group_page.write(folder, group.gather(dataset, folder, validate.validate(root)))
    except (ReportError, OSError, ValueError, validate.ValidatorError) as error:
        _drop_group(folder, f"it could not be made again ({' '.join(str(error).split())[:120]})", hand)


def _drop_group(folder: Path, why: str, hand: Hand) -> None:
    for path in sorted(folder.glob("group_report.*")):
        hand.remove(path)
    hand.notes.append(f"{folder / GROUP_PAGE}: removed, as {why}")
