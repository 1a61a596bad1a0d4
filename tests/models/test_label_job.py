"""Kept models label recordings that they have not seen, say so where they have, and refuse what they cannot label."""

import csv
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from models import bids, card, clips, job, label_job, labels
from models.bids import BidsError
from models.card import CardError
from models.label_cli import app
from tests.models import bids_root
from tests.models.filmed import with_faces
from tests.models.told import Told

pytestmark = pytest.mark.usefixtures("few_epochs")


@pytest.fixture(scope="module")
def learnt_from(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = with_faces(bids_root.write_root(tmp_path_factory.mktemp("old") / "bids", clips_per_emotion=1, effect=4.0))
    job.run(job.Options(root=root, features=("pool96",), splits=("leave-one-subject-out",), seed=1), Told())
    return root


@pytest.fixture(scope="module")
def models(learnt_from: Path) -> Path:
    return learnt_from / job.OUT / "models"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """Return recordings of somebody else, who did not agree to 'train'."""
    root = bids_root.write_root(tmp_path / "new", participants=["09"], clips_per_emotion=1, effect=4.0, seed=7)
    bids_root.write_participants(root, [("09", "yes", "eeg+face")])
    return with_faces(root)


def table(out: Path, name: str) -> list[dict[str, str]]:
    (path,) = out.glob(f"sub-{name}/**/*_desc-fused_events.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_new_recordings_are_labelled_by_both_and_by_their_fusion(models: Path, new: Path) -> None:
    done = label_job.run(label_job.Options(root=new, models=models), Told())
    rows = table(done.out, "09")
    assert [row["trial_type"].partition("/")[0] for row in rows].count("clip") == 4 and rows == list(done.rows)
    for row in rows:
        assert (row["split"], row["fold"], row["out_of_fold"], row["label_by"]) == ("none", "everybody", "yes", "fusion")
        assert row["participant_seen"] == "n/a", "another dataset may call people otherwise"
        assert (row["eeg_missing"], row["face_missing"]) == ("no", "no")
        for prefix in ("p_eeg", "p_face", "p_fused", "c_eeg", "c_face"):
            total = sum(float(row[f"{prefix}_{emotion}"]) for emotion in bids_root.EMOTIONS)
            assert total == pytest.approx(1, abs=1e-5)
    (sidecar,) = done.out.glob("sub-09/**/*_desc-fused_events.json")
    provenance = json.loads(sidecar.read_text())["Provenance"]
    assert provenance["models"]["eeg"].startswith("map_cnn sha256:") and provenance["rule"] == "pool"
    assert provenance["learnt_from"] == card.load(models / "eeg_pool96.safetensors")[1].data_sha256
    assert "have learnt from other recordings" in " ".join((done.out / "README.md").read_text().split())


def test_the_page_of_clips_shows_the_faces_that_may_be_shown_and_is_named_after_them(models: Path, new: Path) -> None:
    done = label_job.run(label_job.Options(root=new, models=models), Told())
    picture = done.out / "figures/clips/sub-09_ses-01_task-emotion_run-01_clips.png"
    assert picture in done.files and picture.stat().st_size > 20_000
    page = (done.out / "clips.html").read_text()
    assert 'src="figures/clips/sub-09_ses-01_task-emotion_run-01_clips.png"' in page and "data:image" not in page
    bids_root.write_participants(new, [("09", "yes", "eeg+train")])
    label_job.run(label_job.Options(root=new, models=models), Told())
    assert not picture.exists() and not (done.out / "clips.html").exists(), "no consent to the face"
    assert {row["face_missing"] for row in table(done.out, "09")} == {"yes"}


def test_a_recording_that_was_learnt_from_is_said_to_be(models: Path, learnt_from: Path, tmp_path: Path) -> None:
    done = label_job.run(label_job.Options(root=learnt_from, models=models, out=tmp_path / "out", pictures=False), Told())
    assert {(row["out_of_fold"], row["participant_seen"]) for row in done.rows} == {("no", "yes")}


def test_it_is_known_again_after_its_sidecars_were_edited_and_another_session_is_of_the_same_person(
    models: Path, learnt_from: Path, tmp_path: Path
) -> None:
    root = tmp_path / "again"
    shutil.copytree(learnt_from, root, ignore=shutil.ignore_patterns("derivatives"))
    bids_root.write_participants(root, [("01", "yes", "eeg"), ("02", "no", "eeg")])
    (files,) = bids.find_recordings(root, scope=None)
    events = files.sibling("_events.tsv")
    events.write_text(events.read_text() + "0.1\t0.1\tnote\n")
    other = bids_root.write_root(tmp_path / "other", participants=["01"], clips_per_emotion=1, seed=8)
    shutil.copytree(other / "sub-01/ses-01", root / "sub-01/ses-02")
    for path in sorted((root / "sub-01/ses-02").rglob("*ses-01*")):
        if path.suffix in (".vhdr", ".vmrk"):
            path.write_text(path.read_text(encoding="utf-8").replace("ses-01", "ses-02"), encoding="utf-8")
        path.rename(path.with_name(path.name.replace("ses-01", "ses-02")))
    done = label_job.run(label_job.Options(root=root, models=models, pictures=False), Told())
    for session, out_of_fold in (("ses-01", "no"), ("ses-02", "yes")):
        rows = table(done.out, f"01/{session}")
        assert {(row["out_of_fold"], row["participant_seen"]) for row in rows} == {(out_of_fold, "yes")}


def test_the_labels_of_emo_train_are_not_written_over(models: Path, learnt_from: Path) -> None:
    with pytest.raises(BidsError, match="holds the out-of-fold labels of emo-train; name another folder with --out"):
        label_job.run(label_job.Options(root=learnt_from, models=models), Told())


def test_an_unsure_label_is_withheld(models: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    monkeypatch.setattr(clips, "draw", lambda path, drawn, *_, **__: titles.extend(one.title for one in drawn) or path)
    done = label_job.run(label_job.Options(root=new, models=models, abstain_below=1.0), Told())
    assert len(titles) == 4 and all(title.endswith("label abstained") for title in titles)
    assert {(row["label"], row["abstained"]) for row in done.rows} == {("n/a", "yes")}
    whole = labels.by_clip(done.predictions)
    assert clips.told(whole, abstain_below=1.0) == ["abstained"] * 4, "the page of clips says what the table says"
    table_says = [row["label"] for row in labels.rows(done.predictions, split="none") if row["trial_type"].startswith("clip/")]
    assert clips.told(whole, abstain_below=0.0) == table_says


def test_without_a_fusion_the_only_model_labels(models: Path, new: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    for path in models.glob("eeg_pool96.*"):
        shutil.copy(path, alone)
    done = label_job.run(label_job.Options(root=new, models=alone, pictures=False), Told())
    assert {row["label_by"] for row in done.rows} == {"eeg"} and {row["p_fused_fear"] for row in done.rows} == {"n/a"}
    for path in models.glob("face_pool96.*"):
        shutil.copy(path, alone)
    told = Told()
    both = label_job.run(label_job.Options(root=new, models=alone, features="pool96", pictures=False), told)
    assert "eeg_pool96 and face_pool96: kept without a fusion: they stand side by side, and no label is given" in told.lines[0]
    assert {row["label"] for row in both.rows} == {"n/a"} and {row["p_fused_fear"] for row in both.rows} == {"n/a"}
    assert all(float(row["p_eeg_fear"]) >= 0 and float(row["p_face_fear"]) >= 0 for row in both.rows)
    assert list(label_job.choose(alone, "face_pool96")) == ["face"], "a whole name chooses one of both"


def test_models_that_were_not_learnt_together_are_refused(models: Path, tmp_path: Path) -> None:
    def changed(stem: str, **cells: Any) -> Path:
        mixed = tmp_path / f"{stem}-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(models, mixed)
        made = json.loads((mixed / f"{stem}.json").read_text()) | cells
        (mixed / f"{stem}.json").write_text(json.dumps(made))
        return mixed

    assert set(label_job.choose(models, None)) == {"eeg", "face", "fusion"}
    other = changed("face_pool96", emotions=list(reversed(bids_root.EMOTIONS)))
    with pytest.raises(
        CardError, match=r"face_pool96\.safetensors: emotions = neutral, fear, .*eeg_pool96\.safetensors has happiness"
    ):
        label_job.choose(other, None)
    other = changed("face_pool96", data_sha256="f" * 64)
    with pytest.raises(CardError, match=r"data_sha256 = ffffffffffff .*; they were not learnt together: train again"):
        label_job.choose(other, None)
    other = changed("face_pool96")
    tensors, made = card.load(other / "face_pool96.safetensors")
    name = next(iter(tensors))
    card.save(other, "face_pool96", {**tensors, name: tensors[name] + 1}, made)
    with pytest.raises(
        CardError, match=r"fusion_pool96\.safetensors: parts = face [0-9a-f]{12} \.\.: face_pool96\.safetensors is ano"
    ):
        label_job.choose(other, None)


def test_what_is_no_model_of_ours_is_one_line(models: Path, new: Path, tmp_path: Path) -> None:
    with pytest.raises(CardError, match="models = none: one is needed"):
        label_job.run(label_job.Options(root=new, models=tmp_path / "nothing"), Told())
    bad = tmp_path / "bad"
    shutil.copytree(models, bad)
    (bad / "eeg_pool96.safetensors").write_bytes(pickle.dumps({"weights": [1.0]}))
    with pytest.raises(CardError, match=r"eeg_pool96\.safetensors: is no model with its card") as error:
        label_job.run(label_job.Options(root=new, models=bad), Told())
    assert "\n" not in str(error.value)
    other = json.loads((models / "eeg_pool96.json").read_text()) | {"extractor": "another"}
    shutil.copy(models / "eeg_pool96.safetensors", bad)
    (bad / "eeg_pool96.json").write_text(json.dumps(other))
    with pytest.raises(CardError, match="extractor = another: here it is pool96"):
        label_job.run(label_job.Options(root=new, models=bad), Told())


def test_the_command_prints_labels_for_machines(models: Path, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app(args=[str(new), "--models", str(models), "--json", "--no-clips", "--workers", "1"], standalone_mode=False)
    said = json.loads(capsys.readouterr().out)
    assert said["n_windows"] == 4 and [row["label_by"] for row in said["labels"]] == ["fusion"] * 4
