"""Three cohorts without any emotion, and one with it: what each split makes of a fingerprint.

Light features, one nearest neighbour, ten windows a clip, fixed seeds. The unit is the clip, labels are permuted within
participants; where stimuli are held out, those of stimuli, too, since one film misleads everybody in the same way. The same
test must fail when a leak is planted.
"""

from __future__ import annotations

import functools

import pytest

from collector.twin.knobs import Knobs
from models import scores, train
from models.dataset import Dataset
from models.evaluate import MetricsRow
from models.splits import HEADLINE, SPLITS, Split
from tests.models import cohorts

COHORTS = {
    "participant": Knobs(effect=0.0, participant=2.0),
    "trial": Knobs(effect=0.0, participant=1.0, trial=1.5),
    "stimulus": Knobs(effect=0.0, participant=0.3, stimulus=2.0),
    "emotion": Knobs(effect=1.0, participant=1.0, trial=0.5, stimulus=0.5),
}
RECIPES = train.recipes(("nearest",), (), {"pool96": "pool96"})


@functools.cache
def cohort(name: str) -> Dataset:
    return cohorts.cohort(COHORTS[name])


def score(data: Dataset, split: Split) -> MetricsRow:
    (outcome,) = train.cross_validate(data, splits=[split], recipes=RECIPES, seed=1)
    (one,) = scores.scored(data, outcome, labels="target", seed=1)
    return one.row


def split_of(name: str, split: str) -> Split:
    data = cohort(name)
    return SPLITS[split](data.windows, data.labels, 1)


@functools.cache
def row(name: str, split: str) -> MetricsRow:
    return score(cohort(name), split_of(name, split))


HONEST = [name for name in SPLITS if name != "window-random"]
AT_CHANCE = [
    *(("participant", split) for split in SPLITS),
    *(("trial", split) for split in HONEST),
    ("stimulus", "leave-stimulus-out"), ("stimulus", HEADLINE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "split"), AT_CHANCE)
def test_what_is_no_emotion_is_not_taken_for_one(name: str, split: str) -> None:
    found = row(name, split)
    assert not scores.beats_chance(found), found
    assert found.accuracy < found.chance + 0.12, found


@pytest.mark.parametrize(("name", "split"), AT_CHANCE)
def test_that_test_fails_when_a_leak_is_planted(name: str, split: str) -> None:
    leaking = score(cohort(name), cohorts.torn(split_of(name, split)))
    assert scores.beats_chance(leaking) and leaking.accuracy > leaking.chance + 0.12, leaking


def test_a_fingerprint_of_each_trial_makes_the_papers_split_look_good() -> None:
    found = row("trial", "window-random")
    assert found.leaky and found.accuracy > 0.6 and scores.beats_chance(found), found
    assert found.p_permutation is None, "the premise of the test fails where clips are on both sides"


def test_a_fingerprint_of_each_stimulus_makes_new_people_look_recognised() -> None:
    found = row("stimulus", "leave-one-subject-out")
    assert found.accuracy > 0.36 and scores.beats_chance(found), found


def test_an_emotion_is_found_in_new_people_who_watch_new_clips() -> None:
    found = row("emotion", HEADLINE)
    assert found.p_permutation is not None and found.p_permutation < 0.01, found
    assert found.p_stimuli is not None and found.p_stimuli < 0.01, found
    assert found.shares == () and not found.leaky


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("participant", "nothing was recognised"),
        ("trial", "it knows the recordings, not the emotions"),
        ("stimulus", "it knows the clips, not the emotions"),
        ("emotion", "better than chance for new people who watch new clips"),
    ],
)
def test_the_report_says_so_beside_the_numbers(name: str, says: str) -> None:
    (sentence,) = scores.readings([row(name, split) for split in SPLITS])
    assert says in sentence
