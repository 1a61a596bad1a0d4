"""Three cohorts without any emotion and one with it, through InceptionV3: what every split makes of a fingerprint.

The same as ``tests/models/test_canaries.py``, where averaged spectrograms stand in: four people, twelve clips, ten windows a
clip, seven channels, one nearest neighbour. 13,440 pictures: 20 minutes on one idle core. ``EMO_BENCH_COHORTS=stimulus``
measures some of the cohorts alone.
"""

from __future__ import annotations

import os

from models import scores, train
from models.eeg import inputs
from models.splits import SPLITS
from tests.benchmarks.table import Row
from tests.models import cohorts
from tests.models.test_canaries import AT_CHANCE, COHORTS

ASKED = os.environ.get("EMO_BENCH_COHORTS", ",".join(COHORTS)).split(",")
COMMAND = "make bench TOPIC=canaries"


def rows() -> list[Row]:
    """Measure."""
    kind = "imagenet" if inputs.weights.find("inception_v3") else "seeded"
    extract, _ = inputs.extractor(kind)
    recipes = train.recipes(("nearest",), (), {kind: kind})  # type: ignore[dict-item]
    made = []
    for name in ASKED:
        data = cohorts.cohort(COHORTS[name], kind=kind, extract=extract)
        found = []
        for split in (make(data.windows, data.labels, 1) for make in SPLITS.values()):
            (outcome,) = train.cross_validate(data, splits=[split], recipes=recipes, seed=1)
            (one,) = scores.scored(data, outcome, labels="target", seed=1)
            wrong = (name, split.name) in AT_CHANCE and scores.beats_chance(one.row)
            found.append(f"{split.name} {one.row.accuracy:.0%}{' (BEATS CHANCE)' if wrong else ''}")
        made.append(Row(f"{name}, {kind} InceptionV3", ", ".join(found), _target(name), command=COMMAND))
    return made


def _target(name: str) -> str:
    at_chance = [split for cohort, split in AT_CHANCE if cohort == name]
    return f"at chance (25 %): {', '.join(at_chance)}" if at_chance else "all above chance"
