"""Who trains and who is tested: folds over windows, and what the two sides have in common.

A split says what a score is about. Windows of one clip are alike whatever was felt, and so are windows of one person, and of
one clip in two people; whatever the two sides share may be what is recognised. So each split names what its sides share, as
counted in its folds.

Folds by clips and by stimuli hold one clip of every class each. With any other fold the class that is held out is rarer in
training than the rest, and honest guesses are worse than chance (9 to 17 % of 25 % were measured).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.bids import BidsError
from models.evaluate import Share
from models.windows import Window

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

TEST_SHARE = 0.15  # the paper, section 5.3: 15 % test,
VALIDATION_SHARE = 0.15  # then 15 % of the other 85 % validation: 72.25 / 12.75 / 15
MIN_WINDOWS = 8  # of a random split
HEADLINE = "leave-subject-and-stimulus-out"
"""The score that says what to expect of a new person who watches a new clip."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows of the windows on each side; no row stands on two sides, and some may stand on none."""

    name: str
    train: Ints
    validation: Ints
    test: Ints


@dataclass(frozen=True, eq=False)
class Split:
    """A way to divide the windows.

    ``leaky`` says that what the sides share inflates the score; ``shares`` names what they share, counted, not declared.
    ``only_rests`` is whether the stimuli that both sides share are rests alone: one screen for everybody, which no split can
    keep from training without taking the whole emotion from it.
    """

    name: str
    leaky: bool
    shares: tuple[Share, ...]
    folds: tuple[Fold, ...]
    only_rests: bool = False


class SplitError(BidsError):
    """The data do not allow a split; the text is one line with the reason and the cure."""

    def __init__(self, split: str, reason: str) -> None:
        super().__init__(f"split {split}: {reason}")


def window_random(windows: Sequence[Window], labels: Ints, seed: int) -> Split:
    """Shuffle windows, as the paper does: 72.25 % train, 12.75 % validation, 15 % test. Leaky.

    Windows of one clip and one person stand on both sides, so that the score says how well neighbours in time are recognised.

    Raises
    ------
    SplitError
        With fewer than 8 windows, or where trial = class.
    """
    name = "window-random"
    if len(windows) < MIN_WINDOWS:
        raise SplitError(name, f"{len(windows)} windows; at least {MIN_WINDOWS} are needed: record more clips")
    _trials_of_each_class(name, windows)
    rest, test = _draw(np.arange(len(windows)), labels, TEST_SHARE, seed)
    train, validation = _draw(rest, labels, VALIDATION_SHARE, seed + 1)
    return _split(name, windows, [Fold("all", train, validation, test)], leaky=True)


def leave_trial_out(windows: Sequence[Window], labels: Ints, seed: int) -> Split:
    """Test, in each fold, one whole clip of every class of every participant; their other clips are learnt.

    A participant with fewer clips of a class than others is tested in fewer folds.

    Raises
    ------
    SplitError
        Where trial = class: no participant has two clips of every class.
    """
    name = "leave-trial-out"
    rng = np.random.default_rng([seed, 1])
    own = _trials_of_each_class(name, windows)
    orders = {person: [rng.permutation(len(clips)) for clips in classes.values()] for person, classes in sorted(own.items())}
    n_folds = max(min(len(order) for order in orders[person]) for person in orders)
    folds = []
    for index in range(n_folds):
        tested = {
            clips[order[index]]
            for person, classes in own.items()
            if index < min(map(len, classes.values())) > 1
            for clips, order in zip(classes.values(), orders[person], strict=True)
        }
        test = np.array([window.clip in tested for window in windows])
        folds.append(_by_clips(f"trials-{index + 1}", windows, test, seed=seed, index=index))
    return _split(name, windows, folds)


def leave_stimulus_out(windows: Sequence[Window], labels: Ints, seed: int) -> Split:
    """Test, in each fold, one stimulus of every class, in all participants: nobody's windows of it are learnt.

    Raises
    ------
    SplitError
        With one stimulus of a class, which is then the class, or where stimuli are not named.
    """
    name = "leave-stimulus-out"
    _trials_of_each_class(name, windows)
    folds = [
        _by_clips(f"stimuli-{index + 1}", windows, _shown(windows, stimuli), seed=seed, index=index)
        for index, stimuli in enumerate(_stimuli(name, windows, seed))
    ]
    return _split(name, windows, folds)


def leave_one_subject_out(windows: Sequence[Window], labels: Ints, seed: int) -> Split:
    """Test on each participant in turn, with a model that has not seen them.

    Validation is one other participant in six, at least one; where only one is left to train on, some of their clips.

    Raises
    ------
    SplitError
        With fewer than 2 participants.
    """
    name = "leave-one-subject-out"
    people = _people(name, windows)
    return _split(name, windows, [_without(person, people, windows, seed) for person in people])


def leave_subject_and_stimulus_out(windows: Sequence[Window], labels: Ints, seed: int) -> Split:
    """Test a participant on one stimulus of every class, with a model that has seen neither the person nor those stimuli.

    The headline: what to expect of a new person who watches a new clip. There is a fold for each participant and each set of
    stimuli; the participant's other clips, and the others' windows of these stimuli, stand on no side.

    Raises
    ------
    SplitError
        With fewer than 2 participants, one stimulus of a class, or where stimuli are not named.
    """
    name = HEADLINE
    people = _people(name, windows)
    folds = []
    for index, stimuli in enumerate(_stimuli(name, windows, seed)):
        held_out = _shown(windows, stimuli)
        for person in people:
            fold = _without(person, people, windows, seed, without=held_out)
            if len(fold.test) and len(fold.train) and len(fold.validation):
                folds.append(Fold(f"{fold.name}+stimuli-{index + 1}", fold.train, fold.validation, fold.test))
    if not folds:
        raise SplitError(name, "no participant saw a stimulus that others did without; show everybody the same clips")
    return _split(name, windows, folds)


def train_one_test_others(windows: Sequence[Window], labels: Ints, seed: int) -> Split:
    """Learn from a single participant and test on all others: what the paper warns of (section 5.3).

    Validation is some clips of the one who is learnt from. A window is tested once for each participant but its own.

    Raises
    ------
    SplitError
        With fewer than 2 participants, or where no participant has two clips of every class.
    """
    name = "train-one-test-others"
    people = _people(name, windows)
    own = _trials_of_each_class(name, windows)
    who = np.array([window.participant for window in windows])
    folds = []
    for index, person in enumerate(people):
        if min(map(len, own[person].values())) > 1:
            mine = np.flatnonzero(who == person)
            drawn = _clips_for_validation([windows[row] for row in mine], np.random.default_rng([seed, 5, index]))
            folds.append(Fold(f"sub-{person}", mine[~drawn], mine[drawn], np.flatnonzero(who != person)))
    return _split(name, windows, folds)


SPLITS: Mapping[str, Callable[[Sequence[Window], Ints, int], Split]] = {
    "window-random": window_random,
    "leave-trial-out": leave_trial_out,
    "leave-stimulus-out": leave_stimulus_out,
    "leave-one-subject-out": leave_one_subject_out,
    HEADLINE: leave_subject_and_stimulus_out,
    "train-one-test-others": train_one_test_others,
}


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


def _split(name: str, windows: Sequence[Window], folds: Sequence[Fold], *, leaky: bool = False) -> Split:
    """Return a split that says what its sides share."""
    shares = shared(windows, folds)
    clips = [window.stimulus if window.shown == "clip" else None for window in windows]
    only_rests = "stimulus" in shares and not any(_overlap(clips, fold) for fold in folds)
    return Split(name, leaky, shares, tuple(folds), only_rests)


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
        In this order. Rests of one emotion are one stimulus: the same screen.
    """
    keys: dict[Share, list[Hashable]] = {
        "trial": [window.clip for window in windows],
        "stimulus": [window.stimulus for window in windows],
        "participant": [window.participant for window in windows],
    }
    return tuple(name for name, values in keys.items() if any(_overlap(values, fold) for fold in folds))


def _overlap(values: Sequence[Hashable | None], fold: Fold) -> bool:
    """Return whether a value stands on both sides; None is no value."""
    seen = {values[row] for row in itertools.chain(fold.train, fold.validation)} - {None}
    return any(values[row] in seen for row in fold.test)


Clip = tuple[str, str, str, int]


def _trials_of_each_class(split: str, windows: Sequence[Window]) -> dict[str, dict[str, list[Clip]]]:
    """Return the clips of each target of each participant, and refuse a design in which trial = class.

    Classes are the targets also where a rating is learnt: it is the design that is divided.
    """
    targets = sorted({window.target for window in windows})
    found: dict[str, dict[str, list[Clip]]] = {}
    for window in windows:
        clips = found.setdefault(window.participant, {target: [] for target in targets})[window.target]
        if window.clip not in clips:
            clips.append(window.clip)
    if all(min(map(len, classes.values())) < 2 for classes in found.values()):
        raise SplitError(
            split,
            "no participant has two clips of every emotion, so that trial = class: a score within people would be about "
            "telling one recording from another; show more clips, or use leave-one-subject-out",
        )
    return found


def _stimuli(split: str, windows: Sequence[Window], seed: int) -> list[set[str]]:
    """Return sets of stimuli, one of every target in each; a target's surplus stimuli are in none."""
    if any(window.stim_id in ("", "n/a") for window in windows):
        raise SplitError(split, "stim_id = n/a in events.tsv: stimuli are not named; name them, or use leave-one-subject-out")
    rng = np.random.default_rng([seed, 2])
    of_target = {target: sorted({w.stim_id for w in windows if w.target == target}) for target in {w.target for w in windows}}
    fewest = min(of_target, key=lambda target: (len(of_target[target]), target))
    if len(of_target[fewest]) < 2:
        raise SplitError(
            split,
            f"1 stimulus of {fewest}, so that stimulus = class: a score would be about telling one clip from another; "
            "show more clips of it, or use leave-one-subject-out",
        )
    orders = [rng.permutation(of_target[target]) for target in sorted(of_target)]
    return [{str(order[index]) for order in orders} for index in range(len(of_target[fewest]))]


def _shown(windows: Sequence[Window], stimuli: set[str]) -> Mask:
    return np.array([window.stim_id in stimuli for window in windows])


def _people(split: str, windows: Sequence[Window]) -> list[str]:
    people = sorted({window.participant for window in windows})
    if len(people) < 2:
        raise SplitError(
            split, f"{len(people)} participant with windows; at least 2 are needed: record more, or ask for leave-trial-out"
        )
    return people


def _by_clips(name: str, windows: Sequence[Window], test: Mask, *, seed: int, index: int) -> Fold:
    """Return a fold whose validation is whole clips that are not tested."""
    rest = np.flatnonzero(~test)
    drawn = _clips_for_validation([windows[row] for row in rest], np.random.default_rng([seed, 3, index]))
    return Fold(name, rest[~drawn], rest[drawn], np.flatnonzero(test))


def _clips_for_validation(windows: Sequence[Window], rng: np.random.Generator) -> Mask:
    """Draw whole clips, a share of every target's and at least one where it has two; return which windows are theirs.

    Where no target has two clips to learn from, single windows are drawn: they decide when to stop, and are never tested.
    """
    drawn: set[Clip] = set()
    for target in sorted({window.target for window in windows}):
        clips = sorted({window.clip for window in windows if window.target == target})
        n = max(1, round(len(clips) * VALIDATION_SHARE)) if len(clips) > 1 else 0
        drawn |= {clips[index] for index in rng.choice(len(clips), size=n, replace=False)}
    mask = np.array([window.clip in drawn for window in windows])
    if not drawn:
        mask[rng.choice(len(windows), size=max(1, round(len(windows) * VALIDATION_SHARE)), replace=False)] = True
    return mask


def _without(person: str, people: Sequence[str], windows: Sequence[Window], seed: int, *, without: Mask | None = None) -> Fold:
    """Return a fold that tests a participant; `without` stands on no side but the test's, and the test then on nothing else."""
    rng = np.random.default_rng([seed, people.index(person)])
    who = np.array([window.participant for window in windows])
    mine, others = who == person, [name for name in people if name != person]
    learnt = ~mine if without is None else ~mine & ~without
    if len(others) > 1:
        held_out = learnt & np.isin(who, rng.choice(others, size=max(1, round(len(others) / 6)), replace=False))
    else:
        rest = np.flatnonzero(learnt)
        held_out = np.zeros(len(windows), dtype=bool)
        held_out[rest[_clips_for_validation([windows[row] for row in rest], rng)]] = True
    tested = mine if without is None else mine & without
    return Fold(f"sub-{person}", np.flatnonzero(learnt & ~held_out), np.flatnonzero(held_out), np.flatnonzero(tested))


def _draw(rows: Ints, labels: Ints, share: float, seed: int) -> tuple[Ints, Ints]:
    """Divide rows at random, every class in proportion where each has rows enough; return (1 - share, share)."""
    from sklearn.model_selection import train_test_split

    counts = np.unique(labels[rows], return_counts=True)[1]
    enough = counts.min() >= 2 and round(share * len(rows)) >= len(counts)
    stratify: ArrayLike | None = labels[rows] if enough else None
    rest, drawn = train_test_split(rows, test_size=share, random_state=seed, stratify=stratify)
    return np.sort(rest), np.sort(drawn)
