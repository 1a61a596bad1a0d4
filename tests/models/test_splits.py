"""Splits: no row on two sides, and an honest account of what the sides share."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from models import splits
from models.bids import BidsError
from models.splits import HEADLINE, Fold, Split, SplitError, leave_one_subject_out, shared, window_random
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
        assert len(set(rows.tolist())) == len(rows)
        assert name == HEADLINE or len(rows) == len(windows)  # there, one's other clips and others' same clips are left out
        assert all(len(side) for side in sides(fold))


@pytest.mark.parametrize("name", [name for name in splits.SPLITS if name not in ("window-random", "train-one-test-others")])
@pytest.mark.parametrize("n_people", [2, 7])
def test_honest_splits_test_every_window_once(name: str, n_people: int) -> None:
    windows, labels = windows_of(n_people)
    tested = np.concatenate([fold.test for fold in splits.SPLITS[name](windows, labels, 1).folds])
    assert sorted(tested) == list(range(len(windows)))


def held_out(name: str, what: str) -> list[tuple[set[object], set[object]]]:
    """Return for each fold what is learnt (with validation), and what is tested."""
    windows, labels = windows_of(5)
    found = []
    for fold in splits.SPLITS[name](windows, labels, 1).folds:
        learnt = {getattr(windows[row], what) for row in (*fold.train, *fold.validation)}
        found.append((learnt, {getattr(windows[row], what) for row in fold.test}))
    return found


class TestEachSplit:
    @pytest.mark.parametrize(
        ("name", "shares"),
        [
            ("leave-trial-out", ("stimulus", "participant")),
            ("leave-stimulus-out", ("participant",)),
            ("leave-one-subject-out", ("stimulus",)),
            (HEADLINE, ()),
            ("train-one-test-others", ("stimulus",)),
        ],
    )
    def test_it_says_what_its_sides_share_and_is_not_leaky(self, name: str, shares: tuple[str, ...]) -> None:
        split = splits.SPLITS[name](*windows_of(5), 1)
        assert (split.shares, split.leaky) == (shares, False)

    @pytest.mark.parametrize(("name", "kind"), [("leave-trial-out", "clip"), ("leave-stimulus-out", "stim_id")])
    def test_each_fold_holds_one_clip_of_every_class(self, name: str, kind: str) -> None:
        windows, labels = windows_of(5, clips=12)
        split = splits.SPLITS[name](windows, labels, 1)
        assert len(split.folds) == 3
        for fold in split.folds:
            for person in {window.participant for window in windows}:
                tested = {(w.target, getattr(w, kind)) for w in (windows[row] for row in fold.test) if w.participant == person}
                assert sorted(target for target, _ in tested) == ["e0", "e1", "e2", "e3"]

    def test_trials_are_drawn_for_each_participant_anew(self) -> None:
        windows, labels = windows_of(5, clips=12)
        fold = splits.leave_trial_out(windows, labels, 1).folds[0]
        assert len({windows[row].stim_id for row in fold.test}) > 4

    def test_nothing_of_a_tested_stimulus_is_learnt_from_anybody(self) -> None:
        for name in ("leave-stimulus-out", HEADLINE):
            assert all(not learnt & tested for learnt, tested in held_out(name, "stim_id"))

    def test_the_headline_tests_people_and_clips_that_are_new(self) -> None:
        folds = held_out(HEADLINE, "participant")
        assert len(folds) == 5 * 2
        assert all(not learnt & tested and len(learnt) == 4 for learnt, tested in folds)

    def test_one_trains_and_all_others_are_tested(self) -> None:
        folds = held_out("train-one-test-others", "participant")
        assert [(len(learnt), len(tested)) for learnt, tested in folds] == [(1, 4)] * 5

    @pytest.mark.parametrize("name", ["leave-trial-out", "leave-stimulus-out", "train-one-test-others"])
    def test_validation_is_by_whole_clips(self, name: str) -> None:
        windows, labels = windows_of(5)
        for fold in splits.SPLITS[name](windows, labels, 1).folds:
            assert not {windows[row].clip for row in fold.train} & {windows[row].clip for row in fold.validation}


class TestRests:
    """An emotion that is shown by rests, each with a name of its own, is one screen on both sides."""

    @staticmethod
    def windows() -> tuple[list[Window], np.ndarray]:
        windows, labels = windows_of(5)
        return [replace(window, shown="rest") if window.target == "e3" else window for window in windows], labels

    @pytest.mark.parametrize(
        ("name", "shares"), [(HEADLINE, ("stimulus",)), ("leave-stimulus-out", ("stimulus", "participant"))]
    )
    def test_new_clips_are_not_said_to_share_nothing(self, name: str, shares: tuple[str, ...]) -> None:
        split = splits.SPLITS[name](*self.windows(), 1)
        assert (split.shares, split.only_rests) == (shares, True)

    @pytest.mark.parametrize("name", ["leave-one-subject-out", "leave-trial-out"])
    def test_where_clips_are_shared_too_it_is_not_about_rests(self, name: str) -> None:
        split = splits.SPLITS[name](*self.windows(), 1)
        assert "stimulus" in split.shares and not split.only_rests

    def test_without_rests_nothing_is_said_of_them(self) -> None:
        assert not any(make(*windows_of(5), 1).only_rests for make in splits.SPLITS.values())


def of(name: str, *windows: tuple[list[Window], np.ndarray]) -> Split:
    return splits.SPLITS[name](*windows[0], 1)


class TestDesignsThatAreRefused:
    @pytest.mark.parametrize("name", ["window-random", "leave-trial-out", "leave-stimulus-out", "train-one-test-others"])
    def test_one_clip_of_each_emotion_makes_trial_and_class_one(self, name: str) -> None:
        with pytest.raises(SplitError, match=f"split {name}: no participant has two clips .* trial = class"):
            of(name, windows_of(3, clips=4))
        assert len(of("leave-one-subject-out", windows_of(3, clips=4)).folds) == 3

    @pytest.mark.parametrize("name", ["leave-stimulus-out", HEADLINE])
    def test_one_stimulus_of_an_emotion_makes_stimulus_and_class_one(self, name: str) -> None:
        windows, labels = windows_of(3)
        same = [replace(window, stim_id="s0") if window.target == "e0" else window for window in windows]
        with pytest.raises(SplitError, match=f"split {name}: 1 stimulus of e0, so that stimulus = class"):
            of(name, (same, labels))

    @pytest.mark.parametrize("name", ["leave-stimulus-out", HEADLINE])
    def test_stimuli_without_a_name_cannot_be_held_out(self, name: str) -> None:
        windows, labels = windows_of(3)
        with pytest.raises(SplitError, match=r"stim_id = n/a in events\.tsv"):
            of(name, ([replace(window, stim_id="n/a") for window in windows], labels))

    @pytest.mark.parametrize("name", ["leave-one-subject-out", HEADLINE, "train-one-test-others"])
    def test_one_participant_is_not_enough(self, name: str) -> None:
        with pytest.raises(SplitError, match=f"split {name}: 1 participant"):
            of(name, windows_of(1))

    def test_a_participant_with_fewer_clips_is_tested_less_and_spoils_no_fold(self) -> None:
        windows, labels = windows_of(3, clips=12)
        keep = [not (window.participant == "02" and window.trial in (8, 9)) for window in windows]  # one clip of e0 and e1 lost
        fewer = [window for window, kept in zip(windows, keep, strict=True) if kept]
        split = of("leave-trial-out", (fewer, labels[keep]))
        who = [{fewer[row].participant for row in fold.test} for fold in split.folds]
        assert who == [{"01", "02", "03"}, {"01", "02", "03"}, {"01", "03"}]


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
