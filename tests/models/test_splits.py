"""Splits: no row on two sides, and an honest account of what the sides share."""

from collections.abc import Sequence

import numpy as np
import pytest

from models import splits
from models.bids import BidsError
from models.splits import Fold, leave_one_subject_out, shared, window_random
from models.windows import Window


def windows_of(n_people: int, *, clips: int = 8, per_clip: int = 4) -> tuple[list[Window], np.ndarray]:
    found = [
        Window(
            participant=f"{person:02d}", session="01", run="01", trial=clip, stim_id=f"s{clip}", target=f"e{clip % 4}",
            rating=None, t0_s=3.0 * part, t1_s=3.0 * part + 3,
        )
        for person in range(1, n_people + 1) for clip in range(clips) for part in range(per_clip)
    ]  # fmt: skip
    return found, np.array([int(window.target[1]) for window in found])


def sides(fold: Fold) -> Sequence[np.ndarray]:
    return fold.train, fold.validation, fold.test


@pytest.mark.parametrize("name", splits.SPLITS)
@pytest.mark.parametrize("n_people", [2, 3, 7])
def test_no_window_stands_on_two_sides_and_none_is_lost(name: str, n_people: int) -> None:
    windows, labels = windows_of(n_people)
    for fold in splits.SPLITS[name](windows, labels, 1).folds:
        rows = np.concatenate(sides(fold))
        assert sorted(rows) == list(range(len(windows)))
        assert all(len(side) for side in sides(fold))


def test_the_papers_split_has_its_shares_and_is_marked_leaky() -> None:
    windows, labels = windows_of(25)  # 800 windows
    split = window_random(windows, labels, 1)
    (fold,) = split.folds
    assert [len(side) for side in sides(fold)] == [578, 102, 120]
    assert np.bincount(labels[fold.test]).tolist() == [30, 30, 30, 30]
    assert split.leaky
    assert split.shares == ("trial", "stimulus", "participant")


def test_one_window_a_clip_leaves_no_trial_to_share() -> None:
    windows, labels = windows_of(7, per_clip=1)
    assert window_random(windows, labels, 1).shares == ("stimulus", "participant")


def test_leaving_one_subject_out_shares_the_stimuli_alone() -> None:
    windows, labels = windows_of(7)
    split = leave_one_subject_out(windows, labels, 1)
    assert not split.leaky
    assert split.shares == ("stimulus",)
    tested = [{windows[row].participant for row in fold.test} for fold in split.folds]
    assert tested == [{f"{person:02d}"} for person in range(1, 8)]


@pytest.mark.parametrize(("n_people", "n_validation"), [(3, 1), (7, 1), (15, 2)])
def test_validation_is_by_whole_participants(n_people: int, n_validation: int) -> None:
    windows, labels = windows_of(n_people)
    for fold in leave_one_subject_out(windows, labels, 1).folds:
        people = [{windows[row].participant for row in side} for side in sides(fold)]
        assert len(people[1]) == n_validation
        assert not people[0] & people[1] and not people[1] & people[2] and not people[0] & people[2]


def test_with_two_participants_whole_clips_are_held_out_for_validation() -> None:
    windows, labels = windows_of(2)
    for fold in leave_one_subject_out(windows, labels, 1).folds:
        clips = [{windows[row].clip for row in side} for side in (fold.train, fold.validation)]
        assert not clips[0] & clips[1]


@pytest.mark.parametrize("name", splits.SPLITS)
def test_the_seed_decides(name: str) -> None:
    windows, labels = windows_of(7)
    chosen = [[fold.train.tolist() for fold in splits.SPLITS[name](windows, labels, seed).folds] for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_a_single_shared_clip_is_detected() -> None:
    windows, _ = windows_of(2)
    rows = np.arange(len(windows))
    whole = Fold("x", rows[:32], rows[32:40], rows[40:])  # participant 02: clips 0 and 1 for validation, the others tested
    torn = Fold("x", rows[:32], rows[32:41], rows[41:])  # and one window of clip 2
    assert shared(windows, [whole]) == ("stimulus", "participant")
    assert shared(windows, [whole, torn]) == ("trial", "stimulus", "participant")
    assert shared(windows, [Fold("x", rows[:4], rows[4:8], rows[40:])]) == ()


def test_too_few_people_or_windows_are_refused_by_the_splits_name() -> None:
    with pytest.raises(BidsError, match="leave-one-subject-out: 1 participant"):
        leave_one_subject_out(*windows_of(1), 1)
    with pytest.raises(BidsError, match="window-random: 4 windows"):
        window_random(*windows_of(1, clips=4, per_clip=1), 1)


def test_the_kept_models_learn_from_everybody_but_those_who_say_when_to_stop() -> None:
    windows, labels = windows_of(7)
    fold = splits.everybody(windows, labels, 1)
    assert len(fold.test) == 0
    assert len({windows[row].participant for row in fold.validation}) == 1
    assert len(fold.train) + len(fold.validation) == len(windows)
    alone = splits.everybody(*windows_of(1), 1)
    assert len(alone.validation) == 5 and len(alone.train) == 27
