"""Windows whose EEG is lost are labelled by the face and flagged; nothing is learnt from them, and no score counts them."""

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import bids, dataset, job, label_job, splits
from models.card import load
from models.evaluate import load_rows
from models.fusion import Fusion, log_probabilities
from models.splits import HEADLINE, SPLITS
from models.unheard import with_unheard
from models.windows import Rules, Window
from tests.models import bids_root, planted
from tests.models.filmed import with_faces
from tests.models.told import Told

pytestmark = pytest.mark.usefixtures("few_epochs")

DEAD = "04"


def lose(root: Path, participant: str, n: int) -> None:
    """Mark a stretch in each of the first `n` clips of a recording as lost."""
    (files,) = (files for files in bids.find_recordings(root, scope=None) if files.participant == participant)
    path = files.sibling("_events.tsv")
    onsets = [float(row["onset"]) for row in bids.read_table(path, "onset")][:n]
    path.write_text(path.read_text() + "".join(f"{onset + 1}\t0.5\tBAD_gap\n" for onset in onsets))


def silence(root: Path, participant: str) -> None:
    """Mark all electrodes of a recording as bad."""
    for path in root.glob(f"sub-{participant}/**/*_channels.tsv"):
        path.write_text(path.read_text().replace("\tgood", "\tbad"))


def tables(out: Path) -> dict[str, list[dict[str, str]]]:
    """Return the rows of windows of each participant."""
    found = {}
    for path in out.glob("sub-*/**/*_desc-fused_events.tsv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        found[path.name[4:6]] = [row for row in rows if row["trial_type"].startswith("window/")]
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people with eight windows each; two of them have lost half of the EEG, and one all."""
    people = ("01", "02", "03", DEAD)
    root = bids_root.write_root(tmp_path_factory.mktemp("half") / "bids", participants=people, effect=4.0)
    with_faces(root)
    for participant in ("01", "02"):
        lose(root, participant, 4)
    silence(root, DEAD)
    return root


@pytest.fixture(scope="module")
def trained(root: Path) -> tuple[job.Done, list[str]]:
    steps = Told()
    return job.run(
        job.Options(root=root, features=("pool96",), splits=("leave-one-subject-out",), clips=False), steps
    ), steps.lines


def test_with_half_of_the_eeg_lost_there_are_labels_everywhere_and_they_are_flagged(
    trained: tuple[job.Done, list[str]],
) -> None:
    rows = tables(trained[0].out)
    assert {name: len(mine) for name, mine in rows.items()} == {"01": 8, "02": 8, "03": 8, DEAD: 8}
    lost = {name: sum(row["eeg_missing"] == "yes" for row in mine) for name, mine in rows.items()}
    assert lost == {"01": 4, "02": 4, "03": 0, DEAD: 8}
    for row in (row for mine in rows.values() for row in mine):
        assert row["label"] in bids_root.EMOTIONS and (row["face_missing"], row["out_of_fold"]) == ("no", "yes")
        if row["eeg_missing"] == "yes":
            assert float(row["eeg_quality"]) == 0 and row["p_eeg_fear"] == row["c_eeg_fear"] == row["agreement"] == "n/a"
    assert {row["fold"] for row in rows["01"]} == {"sub-01"} and {row["participant_seen"] for row in rows["01"]} == {"no"}
    right = [row["label"] == row["target"] for row in rows[DEAD]]
    assert sum(right) >= 6, "the face alone knows what was planted in it"


def test_every_modality_is_scored_on_the_windows_with_eeg_and_learns_from_them(trained: tuple[job.Done, list[str]]) -> None:
    done, lines = trained
    assert {(row.modality, row.n_test, row.n_participants) for row in load_rows(done.out / "metrics.json")} == {
        (modality, 16, 3) for modality in ("eeg", "face", "fusion")
    }
    for modality in ("eeg", "face", "fusion"):
        made = load(done.out / f"models/{modality}_pool96.safetensors")[1]
        assert (made.participants, made.n_windows) == (("01", "02", "03"), 16)
    assert len(done.data.windows) == 16 and not done.data.unheard
    reasons = Counter[str]()
    for (reason, _), n in done.data.dropped.items():
        reasons[reason] += n
    assert reasons == {"gap": 8, "0 of the map's 28 channels are good, 14 are needed": 8}
    said = [line for line in lines if "no EEG in" in line]
    assert [line.partition(":")[0][:6] for line in said] == ["sub-01", "sub-02", f"sub-{DEAD}"]
    assert "no EEG in 8 of 8 windows: the face alone can label them; they are neither learnt from nor scored" in said[-1]
    assert "Only windows with EEG are learnt from and scored" in (done.out / "README.md").read_text()


def test_without_faces_a_recording_without_eeg_is_refused_as_before(root: Path, tmp_path: Path) -> None:
    with pytest.raises(bids.BidsError, match="0 of the map's 28 channels are good"):
        job.run(job.Options(root=root, out=tmp_path / "out", models=("eeg",), features=("pool96",)), Told())


def test_kept_models_label_new_recordings_of_which_half_or_all_eeg_is_lost(
    trained: tuple[job.Done, list[str]], tmp_path: Path
) -> None:
    new = bids_root.write_root(tmp_path / "new", participants=["09", "10"], clips_per_emotion=1, effect=4.0, seed=7)
    with_faces(new)
    lose(new, "09", 2)
    silence(new, "10")
    done = label_job.run(label_job.Options(root=new, models=trained[0].out / "models", pictures=False), Told())
    rows = tables(done.out)
    assert [row["eeg_missing"] for row in rows["09"]] == ["yes", "yes", "no", "no"]
    assert [row["eeg_missing"] for row in rows["10"]] == ["yes"] * 4
    assert {row["label"] for mine in rows.values() for row in mine} <= set(bids_root.EMOTIONS)
    bids_root.write_participants(new, [("10", "yes", "eeg+face")])
    alone = label_job.run(
        label_job.Options(root=new, models=trained[0].out / "models", out=tmp_path / "alone", pictures=False), Told()
    )
    assert [row["label"] for row in tables(alone.out)["10"]] == [row["label"] for row in rows["10"]], "nobody's EEG is good"


def test_a_window_that_swings_too_far_is_kept_for_the_face(tmp_path: Path) -> None:
    root = bids_root.write_root(tmp_path / "bids", participants=["01"], clips_per_emotion=1)
    (files,) = bids.find_recordings(root)
    given = {"eeg": ["pool96"], "rules": Rules(artefact_uv=1.0)}
    assert len(dataset.load([files], **given).windows) == 0  # type: ignore[arg-type]
    data = dataset.load([files], faces=["pool96"], **given)  # type: ignore[arg-type]
    assert data.unheard == (0, 1, 2, 3) and len(data.heard) == 0 and np.isnan(data.eeg["pool96"]).all()
    assert sum(data.dropped.values()) == 4 and not data.eeg_quality.any()


class TestFolds:
    """A window without EEG is predicted where nothing of what the split keeps apart was learnt."""

    data = planted.dataset(n_people=3)
    windows = tuple(replace(window, stim_id=f"{window.target}{window.trial % 3}") for window in data.windows)

    def folded(self, name: str, lost: np.ndarray) -> splits.Split:
        heard = np.flatnonzero(~lost)
        made = SPLITS[name]([self.windows[row] for row in heard], self.data.labels[heard], 1)
        return with_unheard(made, self.windows, heard)

    @pytest.mark.parametrize(
        "name", ["window-random", "leave-trial-out", "leave-stimulus-out", "leave-one-subject-out", HEADLINE]
    )
    def test_it_is_tested_once_and_never_learnt(self, name: str) -> None:
        lost = np.arange(len(self.windows)) % 5 == 0
        made = self.folded(name, lost)
        tested = np.concatenate([fold.test for fold in made.folds])
        assert len(np.unique(tested)) == len(tested) and np.isin(np.flatnonzero(lost), tested).sum() > 0
        for fold in made.folds:
            assert not lost[fold.train].any() and not lost[fold.validation].any()
        assert set(splits.shared(self.windows, made.folds)) <= set(made.shares)

    def test_somebody_without_any_eeg_is_predicted_by_those_who_never_saw_them(self) -> None:
        lost = np.array([window.participant == "03" for window in self.windows])
        made = self.folded("leave-one-subject-out", lost)
        (fold,) = (fold for fold in made.folds if lost[fold.test].any())
        assert lost[fold.test].sum() == lost.sum() and fold.name == "sub-01"

    def test_what_stays_on_no_side_has_no_prediction(self) -> None:
        lost = np.arange(len(self.windows)) == 0
        heard = np.flatnonzero(~lost)
        everywhere = splits.Split("all", False, (), (splits.Fold("a", np.arange(5), np.arange(5, 20), np.arange(20, 23)),))
        made = with_unheard(everywhere, self.windows, heard)
        assert 0 not in made.folds[0].test, "its person was learnt from"

    def test_rests_may_be_shared_where_clips_may_not(self) -> None:
        windows: list[Window] = [
            replace(window, shown="rest") if window.target == "neutral" else window for window in self.windows
        ]
        rest, clip = (next(row for row, window in enumerate(windows) if window.shown == shown) for shown in ("rest", "clip"))
        person = windows[clip].participant
        others = np.array([row for row, window in enumerate(windows) if window.participant != person])
        heard = np.array([row for row in range(len(windows)) if row not in (rest, clip)])
        fold = splits.Fold("f", np.searchsorted(heard, others), np.array([], dtype=np.int64), np.array([], dtype=np.int64))
        split = splits.Split("s", False, ("stimulus",), (fold,), only_rests=True)
        made = with_unheard(split, windows, heard)
        assert [rest] == [row for row in made.folds[0].test.tolist() if row in (rest, clip)]


def test_a_published_label_can_be_computed_again_from_what_its_sidecar_says(trained: tuple[job.Done, list[str]]) -> None:
    done = trained[0]
    path = next(done.out.glob("sub-01/**/*_desc-fused_events.json"))
    sidecar = json.loads(path.read_text())
    assert "too few electrodes" in sidecar["eeg_missing"]["Description"]
    assert list(sidecar["Provenance"]["folds"]) == ["sub-01"]
    by = sidecar["Provenance"]["folds"]["sub-01"]
    assert set(by["sha256"]) == {"eeg", "face"} and len(set(by["sha256"].values())) == 2
    fitted = Fusion(**by["fusion"])
    assert fitted.final_temperature != 1 and set(fitted.temperatures) == {"eeg", "face"}
    for row in tables(done.out)["01"]:
        said = {name: np.array([[float(row[f"p_{name}_{emotion}"].replace("n/a", "nan")) for emotion in bids_root.EMOTIONS]])
                for name in ("eeg", "face")}  # fmt: skip
        quality = {name: [float(row[f"{name}_quality"])] for name in said}
        fused = np.exp(fitted.apply({name: log_probabilities(p) for name, p in said.items()}, quality))[0]
        np.testing.assert_allclose(fused, [float(row[f"p_fused_{emotion}"]) for emotion in bids_root.EMOTIONS], atol=2e-3)
