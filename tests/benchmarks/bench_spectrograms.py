"""What each way to lay 229 frames over a window costs: scores of simulated people with an emotion of 6 dB, and time.

Four people, twelve clips, ten windows a clip, seven channels; averaged spectrograms and logistic regression, which is no
network's luck. The processor's time is that of the pictures of one window of 28 channels, on one thread, at best; the default
has a faster way than the others, which are there to be compared.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from collector.twin.knobs import Knobs
from models.dataset import Dataset
from models.eeg import variants
from models.eeg.variants import VARIANTS
from models.splits import HEADLINE, SPLITS, Split
from tests.benchmarks.table import Row
from tests.models import cohorts

KNOBS = Knobs(effect=1.0, participant=1.0, trial=0.5, stimulus=0.5)
NAMES = ("window-random", "leave-trial-out", "leave-one-subject-out", HEADLINE)
N_TURNS = 5
COMMAND = "make bench TOPIC=spectrograms"


def rows() -> list[Row]:
    """Measure."""
    made = []
    for name in VARIANTS:
        found = scores(cohorts.cohort(KNOBS, variant=name))
        said = ", ".join(f"{split} {accuracy:.0%}" for split, accuracy in found.items())
        made.append(Row(f"{name}{' (default)' if name == variants.DEFAULT else ''}", f"{said}; {took_ms(name):.0f} ms", "",
                        "", COMMAND))  # fmt: skip
    return made


def scores(data: Dataset) -> Mapping[str, float]:
    """Return the accuracy by each split."""
    x = data.eeg["pool96"].reshape(len(data.labels), -1)
    made = [SPLITS[name](data.windows, data.labels, 1) for name in NAMES]
    return {split.name: accuracy(x, data.labels, split) for split in made}


def accuracy(x: np.ndarray, y: np.ndarray, split: Split) -> float:
    """Return the share of tested windows that are recognised."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    right: list[bool] = []
    for fold in split.folds:
        learner = make_pipeline(StandardScaler(), LogisticRegression(C=1e-2, max_iter=1000)).fit(x[fold.train], y[fold.train])
        right += (learner.predict(x[fold.test]) == y[fold.test]).tolist()
    return float(np.mean(right))


def took_ms(name: str) -> float:
    """Return the processor's time for the pictures of one window of 28 channels."""
    window = np.random.default_rng(0).random((28, 3, 600)).astype(np.float32)
    taken = []
    for _ in range(N_TURNS):
        start = time.process_time()
        variants._pictures(window, name, None)
        taken.append(time.process_time() - start)
    return min(taken) * 1e3
