"""The order of the clips."""

from collections import Counter
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.schedule import ScheduleError, Trial, order, plan
from protocol.study import Study
from stimuli.manifest import Entry

EMOTIONS = ("happiness", "sadness", "fear", "neutral")


def a_study(emotions: tuple[str, ...] = EMOTIONS, *, clips: int = 3, seed: int = 1, never_twice: bool = True) -> Study:
    return Study.model_validate(
        {
            "study": {"name": "s"},
            "emotions": {name: {"hed": "Sad", "color": "#000000"} for name in emotions},
            "stimuli": {"clips_per_emotion": clips},
            "design": {"seed": seed, "never_twice_running": never_twice},
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


@given(st.lists(st.integers(0, 4), min_size=2, max_size=4), st.integers(0, 2**32))
def test_an_order_is_found_exactly_where_there_is_one(counts: list[int], seed: int) -> None:
    wanted = {f"e{n}": count for n, count in enumerate(counts)}
    rng = np.random.default_rng(seed)
    n, most = sum(counts), max(counts)
    if most > n - most + 1:  # more than gaps between the others
        with pytest.raises(ScheduleError, match=r"design\.never_twice_running = true: \d+ clips of e\d cannot be kept apart"):
            order(wanted, rng, never_twice_running=True)
        assert Counter(order(wanted, rng, never_twice_running=False)) == Counter(wanted)
        return
    found = order(wanted, rng, never_twice_running=True)
    assert Counter(found) == Counter(wanted)
    assert all(a != b for a, b in pairwise(found))


def test_every_possible_order_comes_up() -> None:
    possible = {p for p in permutations("aabbc") if all(x != y for x, y in pairwise(p))}
    rng = np.random.default_rng(0)
    found = {tuple(order({"a": 2, "b": 2, "c": 1}, rng, never_twice_running=True)) for _ in range(2000)}
    assert found == possible


def test_too_few_clips_are_refused_with_the_reason() -> None:
    with pytest.raises(ScheduleError, match=r"stimuli\.clips_per_emotion = 4: happiness has 3"):
        plan(a_study(clips=4), some_clips(n=3), "07")


def test_without_the_constraint_an_emotion_may_run_twice() -> None:
    study = a_study(never_twice=False)
    plans = [plan(study, some_clips(), str(n)) for n in range(20)]
    assert any(a.target == b.target for trials in plans for a, b in pairwise(trials))
