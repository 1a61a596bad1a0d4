"""The order of the clips."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby, pairwise, permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.ordering import Rules, order, square, williams
from protocol.schedule import ScheduleError, Trial, plan
from protocol.study import Study
from stimuli.manifest import Entry

EMOTIONS = ("happiness", "sadness", "fear", "neutral")


def a_study(
    emotions: tuple[str, ...] = EMOTIONS, *, clips: int = 3, seed: int = 1, never_twice: bool = True, rest: str = "",
    stimuli: dict[str, object] | None = None, practice: tuple[str, ...] = (), **design: object,
) -> Study:  # fmt: skip
    return Study.model_validate(
        {
            "study": {"name": "s"},
            "emotions": {
                name: {"hed": "Sad", "color": "#000000", "as": "rest" if name == rest else "clip"} for name in emotions
            },
            "stimuli": {"clips_per_emotion": clips} | (stimuli or {}),
            "design": {"seed": seed, "never_twice_running": never_twice} | design,
            "practice": {"clips": practice},
            "consent": {"version": "1"},
        }
    )


def some_clips(emotions: tuple[str, ...] = EMOTIONS, *, n: int = 3) -> list[Entry]:
    return [
        Entry(Path(f"/{emotion}{i}.mp4"), f"{emotion}{i}", emotion, 0.0, 6.0, "0" * 64)
        for emotion in emotions
        for i in range(n)
    ]


@given(
    n_emotions=st.integers(2, 8), clips=st.integers(1, 6), spare=st.integers(0, 3), seed=st.integers(),
    participant=st.text("0123456789abcXYZ", min_size=1, max_size=6),
)  # fmt: skip
def test_every_plan_shows_each_clip_once_balanced_and_never_an_emotion_twice_running(
    n_emotions: int, clips: int, spare: int, seed: int, participant: str
) -> None:
    emotions = tuple(f"e{n}" for n in range(n_emotions))
    study, entries = a_study(emotions, clips=clips, seed=seed), some_clips(emotions, n=clips + spare)
    trials = plan(study, entries, participant)
    assert [t.trial for t in trials] == list(range(1, n_emotions * clips + 1))
    assert {t.block for t in trials} == {1}
    assert Counter(t.target for t in trials) == dict.fromkeys(emotions, clips)
    assert len({t.stim_id for t in trials}) == len(trials)
    assert all(before.target != after.target for before, after in pairwise(trials))
    targets = {e.stim_id: e.target for e in entries}
    assert all(targets[t.stim_id] == t.target for t in trials)


def test_a_plan_is_the_same_each_time_whatever_the_order_of_the_manifest() -> None:
    clips = some_clips()
    assert plan(a_study(), clips, "07") == plan(a_study(), clips[::-1], "07")


def test_a_plan_that_was_made_once_stays_as_it_was() -> None:
    """A later version must not show a participant another order halfway through a study."""
    trials = plan(a_study(seed=20261122), some_clips(), "07")
    assert trials[0] == Trial(1, 1, "sadness1", "sadness")
    assert [t.stim_id for t in trials[:6]] == ["sadness1", "happiness1", "fear1", "sadness0", "neutral1", "happiness0"]


def test_participants_and_seeds_have_orders_of_their_own() -> None:
    orders = {tuple(t.stim_id for t in plan(a_study(), some_clips(), f"{n:02d}")) for n in range(50)}
    assert len(orders) == 50
    assert plan(a_study(seed=1), some_clips(), "07") != plan(a_study(seed=2), some_clips(), "07")


def test_over_many_participants_every_emotion_stands_everywhere_equally_often() -> None:
    n = 1000
    counts = np.zeros((len(EMOTIONS), 12))
    for participant in range(n):
        for trial in plan(a_study(), some_clips(), str(participant)):
            counts[EMOTIONS.index(trial.target), trial.trial - 1] += 1
    # a share of 1/4 over 1000 participants has a standard error of 0.014: four of them
    assert np.abs(counts / n - 1 / 4).max() < 0.055


def test_of_spare_clips_every_one_is_shown_to_somebody() -> None:
    study = a_study(clips=1)
    shown = Counter(t.stim_id for n in range(200) for t in plan(study, some_clips(n=4), str(n)))
    assert len(shown) == 16
    assert min(shown.values()) > 20


@given(st.lists(st.integers(0, 4), min_size=2, max_size=4), st.integers(1, 3), st.integers(0, 2**32))
def test_an_order_is_found_exactly_where_there_is_one(counts: list[int], most: int, seed: int) -> None:
    wanted = {f"e{n}": count for n, count in enumerate(counts)}
    rng = np.random.default_rng(seed)
    n, top = sum(counts), max(counts)
    if top > most * (n - top + 1):  # more than the gaps between the others hold
        said = r"design\.(never_twice_running = true|max_running = \d): \d+ clips of e\d cannot be kept apart"
        with pytest.raises(ScheduleError, match=said):
            order([wanted], rng, Rules(max_running=most))
        assert Counter(order([wanted], rng, Rules(max_running=None))[0]) == Counter(wanted)
        return
    (found,) = order([wanted], rng, Rules(max_running=most))
    assert Counter(found) == Counter(wanted)
    assert longest_run(found) <= most


def longest_run(targets: Sequence[str]) -> int:
    return max((len(list(same)) for _, same in groupby(targets)), default=0)


@settings(deadline=None)  # a search may go far before it gives up
@given(data=st.data())
def test_entangled_rules_have_an_order_exactly_where_trying_all_finds_one(data: st.DataObject) -> None:
    """Two blocks of three or four emotions, small enough to try all orders."""
    emotions = "abcd"[: data.draw(st.integers(2, 4))]
    some = st.frozensets(st.sampled_from(emotions), max_size=3)
    pairs = st.frozensets(st.tuples(st.sampled_from(emotions), st.sampled_from(emotions)), max_size=9)
    rules = Rules(data.draw(st.sampled_from([None, 1])), data.draw(some), data.draw(some), data.draw(pairs))
    possible = [
        a + b
        for a in permutations(emotions)
        for b in permutations(emotions)
        if a[0] not in rules.first_not and b[-1] not in rules.last_not
        and not any((after, before) in rules.not_after for before, after in pairwise(a + b))
        and not (rules.max_running and a[-1] == b[0])
    ]  # fmt: skip
    blocks = [dict.fromkeys(emotions, 1)] * 2
    if possible:
        found = order(blocks, np.random.default_rng(data.draw(st.integers(0, 99))), rules)
        assert (*found[0], *found[1]) in possible
    else:
        with pytest.raises(ScheduleError, match=r"^design[.:]"):
            order(blocks, np.random.default_rng(0), rules)


def test_every_possible_order_comes_up() -> None:
    possible = {p for p in permutations("aabbc") if all(x != y for x, y in pairwise(p))}
    rng = np.random.default_rng(0)
    found = {tuple(order([{"a": 2, "b": 2, "c": 1}], rng, Rules())[0]) for _ in range(2000)}
    assert found == possible


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ({"first_not": EMOTIONS}, r"design\.first_not: names every emotion"),
        ({"last_not": EMOTIONS}, r"design\.last_not: names every emotion"),
        (
            {"not_after": [(a, b) for a in EMOTIONS for b in EMOTIONS if a != b]},
            r"design\.not_after: leaves no order together with the other constraints; loosen not_after$",
        ),
        (
            {"not_after": [(a, b) for a in EMOTIONS for b in EMOTIONS]},
            r"design\.not_after: leaves no order together with the other constraints; loosen not_after$",
        ),
        (
            {"first_not": EMOTIONS[1:], "not_after": [(e, "happiness") for e in EMOTIONS]},
            r"design\.not_after: leaves no order .*; loosen not_after$",
        ),
    ],
)
def test_a_constraint_that_cannot_be_kept_is_refused_with_the_reason(design: dict[str, object], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        plan(a_study(**design), some_clips(), "07")


@pytest.mark.parametrize("participant", [f"{n:02d}" for n in range(1, 11)])
def test_every_constraint_of_a_design_is_kept(participant: str) -> None:
    study = a_study(
        clips=4, never_twice=False, max_running=2, blocks=2, first_not=["fear"], last_not=["fear", "sadness"],
        not_after=[("sadness", "fear")],
    )  # fmt: skip
    trials = plan(study, some_clips(n=4), participant)
    targets = [t.target for t in trials]
    assert [t.block for t in trials] == [1] * 8 + [2] * 8
    assert Counter(targets[:8]) == Counter(targets[8:]) == dict.fromkeys(EMOTIONS, 2)
    assert longest_run(targets) <= 2
    assert targets[0] != "fear" and targets[-1] not in ("fear", "sadness")
    assert ("fear", "sadness") not in pairwise(targets)


def test_an_emotion_does_not_run_on_across_a_break() -> None:
    study = a_study(clips=6, blocks=6)
    plans = [plan(study, some_clips(n=6), str(n)) for n in range(100)]
    assert all(a.target != b.target for trials in plans for a, b in pairwise(trials))
    assert all(len({t.target for t in trials if t.block == block}) == 4 for trials in plans for block in range(1, 7))


# ---- counterbalancing over participants


@pytest.mark.parametrize("n", range(2, 9))
def test_in_a_williams_square_all_stand_everywhere_and_follow_each_other_equally_often(n: int) -> None:
    rows = np.array(williams(n))
    assert all(sorted(row) == list(range(n)) for row in rows)
    assert all(set(Counter(column.tolist()).values()) == {len(rows) // n} for column in rows.T)
    follows = Counter(pair for row in rows.tolist() for pair in pairwise(row))
    assert len(follows) == n * (n - 1) and set(follows.values()) == {len(rows) // n}


@given(n=st.integers(2, 8), n_rounds=st.integers(1, 8), seed=st.integers(0, 2**32), apart=st.booleans())
def test_rounds_of_a_square_stay_balanced_at_every_place_and_nearly_in_who_follows_whom(
    n: int, n_rounds: int, seed: int, apart: bool
) -> None:
    rows = np.array(square(n, n_rounds, np.random.default_rng(seed), apart=apart))
    assert rows.shape[1] == n * n_rounds
    assert all(set(Counter(column.tolist()).values()) == {len(rows) // n} for column in rows.T)
    follows = np.zeros((n, n), int)
    for row in rows:
        np.add.at(follows, (row[:-1], row[1:]), 1)
    between = follows[~np.eye(n, dtype=bool)]
    if apart and n > 2:  # two that alternate leave nothing to choose
        assert follows.trace() == 0
        assert between.max() - between.min() <= len(rows) // n


def test_a_thousand_participants_of_a_latin_square_are_exactly_balanced() -> None:
    """Four rows times five turns of the clips: after 20 participants, and so after 1000, every count is the same."""
    study, clips = a_study(clips=3, order="latin-square"), some_clips(n=5)
    plans = [plan(study, clips, f"{n:03d}") for n in range(1, 1001)]
    for where in range(12):
        assert Counter(p[where].target for p in plans) == dict.fromkeys(EMOTIONS, 250)
        assert set(Counter(p[where].stim_id for p in plans).values()) == {50}
    assert set(Counter(t.stim_id for p in plans for t in p).values()) == {600}
    assert all(a.target != b.target for p in plans for a, b in pairwise(p))
    assert all(len({t.stim_id for t in p}) == 12 for p in plans)
    follows = Counter((a.target, b.target) for p in plans for a, b in pairwise(p))
    assert len(follows) == 12
    assert max(follows.values()) - min(follows.values()) <= 250
    assert plans[:20] == plans[20:40]
    assert plans == [plan(study, clips[::-1], f"{n:03d}") for n in range(1, 1001)]


@pytest.mark.parametrize("clips", [3, 4])
def test_an_odd_number_of_emotions_is_balanced_over_twice_as_many_rows(clips: int) -> None:
    three = EMOTIONS[:3]
    plans = [plan(a_study(three, clips=clips, order="latin-square"), some_clips(three, n=clips), str(n)) for n in range(1, 7)]
    for where in range(3 * clips):
        assert Counter(p[where].target for p in plans) == dict.fromkeys(three, 2)
    assert all(a.target != b.target for p in plans for a, b in pairwise(p))


def test_another_seed_gives_another_square() -> None:
    squares = {
        tuple(t.stim_id for n in range(1, 5) for t in plan(a_study(seed=seed, order="latin-square"), some_clips(), str(n)))
        for seed in range(10)
    }
    assert len(squares) == 10


@pytest.mark.parametrize("label", ["abc", "p0", "00"])
def test_a_square_needs_a_number_in_the_label(label: str) -> None:
    with pytest.raises(ScheduleError, match=rf"participant = '{label}': .*use labels such as 07"):
        plan(a_study(order="latin-square"), some_clips(), label)


@pytest.mark.parametrize("order_", ["random", "latin-square"])
def test_a_replacement_gets_the_order_of_the_one_who_was_excluded(order_: str) -> None:
    study = a_study(order=order_)
    assert plan(study, some_clips(), "17", replaces="04") == plan(study, some_clips(), "04")
    assert plan(study, some_clips(), "17") != plan(study, some_clips(), "04")
    with pytest.raises(ScheduleError, match="--replaces = 04: is the participant"):
        plan(study, some_clips(), "04", replaces="04")


# ---- rests, practice, mood repair


@pytest.mark.parametrize("order_", ["random", "latin-square"])
def test_rest_trials_are_interleaved_like_clips_and_need_none(order_: str) -> None:
    study = a_study(rest="neutral", order=order_)
    plans = [plan(study, some_clips(EMOTIONS[:3]), str(n)) for n in range(1, 41)]
    for trials in plans:
        shown = sorted(t.stim_id for t in trials if t.target == "neutral")
        assert shown == ["rest-neutral-01", "rest-neutral-02", "rest-neutral-03"]
        assert all(a.target != b.target for a, b in pairwise(trials))
    assert {n for trials in plans for n, t in enumerate(trials) if t.target == "neutral"} == set(range(12))


def test_clips_of_the_practice_and_for_the_mood_are_never_drawn() -> None:
    study = a_study(clips=2, stimuli={"mood_repair": "happiness0"}, practice=("fear1", "neutral2"))
    shown = {t.stim_id for n in range(50) for t in plan(study, some_clips(), str(n))}
    assert shown == {e.stim_id for e in some_clips()} - {"happiness0", "fear1", "neutral2"}


def test_too_few_clips_are_refused_with_the_reason() -> None:
    with pytest.raises(ScheduleError, match=r"stimuli\.clips_per_emotion = 4: happiness has 3"):
        plan(a_study(clips=4), some_clips(n=3), "07")


def test_without_the_constraint_an_emotion_may_run_twice() -> None:
    study = a_study(never_twice=False)
    plans = [plan(study, some_clips(), str(n)) for n in range(20)]
    assert any(a.target == b.target for trials in plans for a, b in pairwise(trials))
