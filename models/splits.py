"""Who trains and who is tested: folds over windows, and what the two sides have in common."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.bids import BidsError
from models.evaluate import Share
from models.windows import Window

Ints = NDArray[np.int64]

TEST_SHARE = 0.15  # the paper, section 5.3: 15 % test,
VALIDATION_SHARE = 0.15  # then 15 % of the other 85 % validation: 72.25 / 12.75 / 15


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows of the windows on each side; no row stands on two sides."""

    name: str
    train: Ints
    validation: Ints
    test: Ints


@dataclass(frozen=True, eq=False)
class Split:
    """A way to divide the windows.

    ``leaky`` says that what the sides share inflates the score; ``shares`` names what they share, counted, not declared.
    """

    name: str
    leaky: bool
    shares: tuple[Share, ...]
    folds: tuple[Fold, ...]


def window_random(windows: Sequence[Window], labels: Ints, seed: int) -> Split:
    """Shuffle windows, as the paper does: 72.25 % train, 12.75 % validation, 15 % test. Leaky.

    Windows of one clip and one person stand on both sides, so that the score says how well neighbours in time are recognised.

    Raises
    ------
    BidsError
        With fewer than 8 windows.
    """
    if len(windows) < 8:
        raise BidsError(f"split window-random: {len(windows)} windows; at least 8 are needed: record more clips")
    rest, test = _draw(np.arange(len(windows)), labels, TEST_SHARE, seed)
    train, validation = _draw(rest, labels, VALIDATION_SHARE, seed + 1)
    fold = Fold("all", train, validation, test)
    return Split("window-random", True, shared(windows, [fold]), (fold,))


def leave_one_subject_out(windows: Sequence[Window], labels: Ints, seed: int) -> Split:
    """Test on each participant in turn, with a model that has not seen them.

    Validation is one other participant in six, at least one; where only one is left to train on, some of their clips.

    Raises
    ------
    BidsError
        With fewer than 2 participants.
    """
    people = sorted({window.participant for window in windows})
    if len(people) < 2:
        raise BidsError(
            f"split leave-one-subject-out: {len(people)} participant with windows; at least 2 are needed: record more"
        )
    who = np.array([window.participant for window in windows])
    folds = tuple(_without(person, people, who, windows, seed) for person in people)
    return Split("leave-one-subject-out", False, shared(windows, folds), folds)


def _without(person: str, people: Sequence[str], who: NDArray[np.str_], windows: Sequence[Window], seed: int) -> Fold:
    rng = np.random.default_rng([seed, people.index(person)])
    others = [name for name in people if name != person]
    if len(others) > 1:
        held_out = np.isin(who, rng.choice(others, size=max(1, round(len(others) / 6)), replace=False))
    else:
        clips = sorted({window.clip for window in windows if window.participant != person})
        drawn = rng.choice(len(clips), size=max(1, round(len(clips) * VALIDATION_SHARE)), replace=False)
        held_out = np.array([window.clip in {clips[index] for index in drawn} for window in windows])
    tested = who == person
    return Fold(
        f"sub-{person}", np.flatnonzero(~tested & ~held_out), np.flatnonzero(held_out & ~tested), np.flatnonzero(tested)
    )


SPLITS: Mapping[str, Callable[[Sequence[Window], Ints, int], Split]] = {
    "window-random": window_random,
    "leave-one-subject-out": leave_one_subject_out,
}


def shared(windows: Sequence[Window], folds: Sequence[Fold]) -> tuple[Share, ...]:
    """Return what training (with validation) and test windows have in common in any fold.

    Parameters
    ----------
    windows : sequence of Window
        All of them.
    folds : sequence of Fold
        Rows of these.

    Returns
    -------
    tuple of {"trial", "stimulus", "participant"}
        In this order.
    """
    keys: dict[Share, list[object]] = {
        "trial": [window.clip for window in windows],
        "stimulus": [window.stim_id for window in windows],
        "participant": [window.participant for window in windows],
    }
    return tuple(name for name, values in keys.items() if any(_overlap(values, fold) for fold in folds))


def _overlap(values: Sequence[object], fold: Fold) -> bool:
    seen = {values[row] for row in itertools.chain(fold.train, fold.validation)}
    return any(values[row] in seen for row in fold.test)


def _draw(rows: Ints, labels: Ints, share: float, seed: int) -> tuple[Ints, Ints]:
    """Divide rows at random, every class in proportion where each has rows enough; return (1 - share, share)."""
    from sklearn.model_selection import train_test_split

    counts = np.unique(labels[rows], return_counts=True)[1]
    enough = counts.min() >= 2 and round(share * len(rows)) >= len(counts)
    stratify: ArrayLike | None = labels[rows] if enough else None
    rest, drawn = train_test_split(rows, test_size=share, random_state=seed, stratify=stratify)
    return np.sort(rest), np.sort(drawn)


def everybody(windows: Sequence[Window], labels: Ints, seed: int) -> Fold:
    """Return the fold of the models that are kept: all train, a few participants say when to stop, nobody is tested."""
    people = sorted({window.participant for window in windows})
    if len(people) < 2:
        train, validation = _draw(np.arange(len(windows)), labels, VALIDATION_SHARE, seed)
        return Fold("everybody", train, validation, np.array([], dtype=np.int64))
    who = np.array([window.participant for window in windows])
    drawn = np.random.default_rng(seed).choice(people, size=max(1, round(len(people) / 6)), replace=False)
    held_out = np.isin(who, drawn)
    return Fold("everybody", np.flatnonzero(~held_out), np.flatnonzero(held_out), np.array([], dtype=np.int64))
