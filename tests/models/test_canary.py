"""The canary and the effect, through everything: simulated sessions, export, both recognisers, fusion.

Four people (five in full runs), twelve clips of 3 s, light features, fixed seeds; the unit is the clip, labels are permuted
within participants.
Without emotion in the data no honest score may beat chance; with it, every one must; and the same test must catch a leak.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from bids_export import dataset as bids_dataset
from collector.twin.cohort import plan, record_participant
from collector.twin.knobs import Knobs
from models import bids, dataset, job, train
from models.evaluate import MetricsRow, load_rows
from models.scores import scored
from models.splits import Fold, Split, leave_one_subject_out
from protocol.presets import Sizes
from protocol.scaffold import scaffold
from protocol.study_files import StudyFiles
from stimuli.synthetic import Form
from tests.faults.counts import count

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500), pytest.mark.usefixtures("few_epochs")]

KINDS = {"pool96": "pool96"}
MODALITIES = ("eeg", "face", "fusion")
N_PEOPLE = count(4, 5)
EFFECT = count(2, 1)  # fewer people need a larger one to be found


class Quiet:
    """Steps that nobody watches."""

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, total: None

    def say(self, line: str) -> None:
        pass


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyFiles:
    folder = tmp_path_factory.mktemp("canary") / "study"
    return scaffold(folder, "demo", Sizes(3, (320, 240), 10.0), Form(3.0, (320, 240), 30.0))


def cohort(study: StudyFiles, folder: Path, *, effect: float) -> Path:
    """Record and export a cohort; return the dataset."""
    for person in plan(study, folder / "data", n=N_PEOPLE, seed=1):
        record_participant(study, folder / "data", person, knobs=Knobs(effect=effect))
    return bids_dataset.export(folder / "data", folder / "bids", bids_dataset.Options(simulated=True)).root


def scores(root: Path) -> dict[str, MetricsRow]:
    options = job.Options(root=root, features=("pool96",), splits=("leave-one-subject-out",), seed=1)
    done = job.run(options, Quiet())
    assert load_rows(done.out / "metrics.json") == list(done.rows)
    return {row.modality: row for row in done.rows}


@pytest.fixture(scope="module")
def without(study: StudyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cohort(study, tmp_path_factory.mktemp("without"), effect=0.0)


def test_without_emotion_no_modality_beats_chance(without: Path) -> None:
    rows = scores(without)
    assert set(rows) == set(MODALITIES)
    for row in rows.values():
        assert row.p_permutation is not None and row.p_permutation > 0.01, row
        assert (row.n_trials, row.n_participants, row.chance) == (12 * N_PEOPLE, N_PEOPLE, 0.25)


def test_the_same_test_fails_when_a_leak_is_planted(without: Path) -> None:
    """Each tested clip also stands in training and validation: the recognisers learn it by heart."""
    recordings = bids.find_recordings(without)
    data = dataset.load(recordings, eeg=["pool96"], faces=["pool96"], cache=without / job.OUT / "cache")
    honest = leave_one_subject_out(data.windows, data.labels, 1)
    everything = np.arange(len(data.windows))
    torn = tuple(Fold(fold.name, everything, fold.test, fold.test) for fold in honest.folds)
    (outcome,) = train.cross_validate(
        data,
        splits=[Split("torn", False, ("trial", "stimulus", "participant"), torn)],  # a leak that nobody knows of
        recipes=train.recipes((), MODALITIES, KINDS),
        seed=1,
    )  # type: ignore[arg-type]
    for one in scored(data, outcome, labels="target", seed=1):
        assert one.row.p_permutation is not None and one.row.p_permutation < 0.01, one.row


def test_with_emotion_every_modality_beats_chance(study: StudyFiles, tmp_path: Path) -> None:
    rows = scores(cohort(study, tmp_path, effect=float(EFFECT)))
    for row in rows.values():
        assert row.p_permutation is not None and row.p_permutation < 0.01, row
        assert row.accuracy > row.chance + 0.1, row
        assert not row.leaky and row.shares == ("stimulus",)
