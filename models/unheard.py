"""Windows that only the face can tell of: they are predicted beside the others, and neither learnt from nor scored. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.evaluate import Share
from models.splits import Fold, Split
from models.windows import Window

Ints = NDArray[np.int64]


def with_unheard(split: Split, windows: Sequence[Window], heard: Ints) -> Split:
    """Let the folds of a split predict the windows without EEG, too.

    A window is predicted in one fold, the first that has learnt nothing of what the split keeps apart from it: not its person
    where people are kept apart, not its clip where clips are. So its label is as much out of fold as the others are; where
    there is no such fold it has none.

    Parameters
    ----------
    split : Split
        Of the windows that are learnt from and scored; its rows count these alone.
    windows : sequence of Window
        All of them.
    heard : ndarray of int
        Rows of those that are learnt from and scored.

    Returns
    -------
    Split
        Rows count all windows; the others stand on the side that is tested, behind those that are scored.
    """
    rest = np.setdiff1d(np.arange(len(windows)), heard)
    folds = [Fold(fold.name, heard[fold.train], heard[fold.validation], heard[fold.test]) for fold in split.folds]
    learnt = [_kept_apart(split, (windows[row] for row in (*fold.train, *fold.validation))) for fold in folds]
    more: list[list[int]] = [[] for _ in folds]
    for row in rest.tolist():
        mine = _kept_apart(split, [windows[row]])
        free = (index for index, theirs in enumerate(learnt) if all(mine[name].isdisjoint(theirs[name]) for name in mine))
        if (index := next(free, None)) is not None:
            more[index].append(row)
    tested = [np.concatenate([fold.test, np.array(rows, dtype=np.int64)]) for fold, rows in zip(folds, more, strict=True)]
    return replace(split, folds=tuple(replace(fold, test=test) for fold, test in zip(folds, tested, strict=True)))


def _kept_apart(split: Split, windows: Iterable[Window]) -> Mapping[Share, set[Hashable]]:
    """Return of windows what a split keeps apart: of each kind that its sides do not share, the names."""
    found: dict[Share, set[Hashable]] = {
        name: set() for name in ("trial", "stimulus", "participant")
        if name not in split.shares or (name == "stimulus" and split.only_rests)
    }  # fmt: skip
    for window in windows:
        if "trial" in found:
            found["trial"].add(window.clip)
        if "stimulus" in found and not (split.only_rests and window.shown == "rest"):
            found["stimulus"].add(window.stimulus)
        if "participant" in found:
            found["participant"].add(window.participant)
    return found
