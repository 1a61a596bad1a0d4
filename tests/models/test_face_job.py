"""A folder of faces alone, before the videos, or as it is; and what is told of faces that are missing."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models import card, cli, face_job, fold, job, splits
from models.bids import BidsError, find_recordings
from models.evaluate import load_rows
from models.face import pretrain
from models.face.settings import FaceSettings
from models.face.training import Training
from tests.models import bids_root, planted
from tests.models.face.videos import EMOTIONS, face, film, plain
from tests.models.told import Told


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures") / "drawn"
    for emotion in (*EMOTIONS, "anger"):
        (root / emotion).mkdir(parents=True)
        for person in range(8):
            shown = face(emotion if emotion in EMOTIONS else "fear", seed=person)[35:195, 80:240]
            cv2.imwrite(str(root / emotion / f"{person}.png"), shown)
    return root


def test_a_folder_alone_gives_table_one_figure_five_and_a_model(folder: Path, tmp_path: Path) -> None:
    told = Told()
    done = face_job.run(face_job.Options(faces=folder, out=tmp_path / "out", features=("pool96",)), told)
    assert told.lines == [f"{folder}: left out: 8 x anger"]
    (row,) = load_rows(done.out / "metrics.json")
    assert (row.modality, row.split, row.n_test, row.chance) == ("face", "80-20", 8, 0.25) and row.accuracy > 0.25
    page = (done.out / "faces.html").read_text()
    assert row.shares == ("unknown",) and "split 80-20; who is on them is not known" in page
    assert "RAF-DB, four emotions, 80/20" in page and f">{100 * row.accuracy:.1f}<" in page
    assert (done.out / "figures/figure-5_1.png").is_file()
    _, made = card.load(done.out / "models/face_pool96.safetensors")
    assert made.emotions == EMOTIONS and made.settings["folder"] == "drawn" and made.scores[0]["accuracy"] == row.accuracy
    again = face_job.run(face_job.Options(faces=folder, out=tmp_path / "out", features=("pool96",)), Told())
    assert again.rows == done.rows


def test_the_command_learns_from_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["--faces", str(folder), "--out", str(tmp_path / "out"), "--features", "pool96"]
    cli.app(args=args, standalone_mode=False)
    said = capsys.readouterr().out
    assert "92 % accuracy" in said and "80-20 (who is on both sides is not known)" in said
    cli.app(args=[*args, "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["metrics"][0]["modality"] == "face"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--faces", "pictures"], "--out: is missing"),
        (
            ["bids", "--faces", "pictures", "--out", "out"],
            "--faces = pictures: stands alone; with a dataset use --face-pretrain",
        ),
        ([], "BIDS_ROOT: is missing"),
        (["bids", "--fusion", "vote"], "--fusion = vote: there is no such value; use pool, mean, product, max"),
        (["bids", "--detector", "hog"], "--detector = hog: there is no such value; use auto, yolov8, yunet, haar"),
        (["bids", "--face-network", "vgg"], "--face-network = vgg: there is no such value; use seed112, pattlite224"),
    ],
)
def test_options_that_do_not_fit_are_one_line(args: list[str], says: str) -> None:
    with pytest.raises(cli.OptionError, match=says):
        cli.app(args=args, standalone_mode=False)


def test_a_folder_that_cannot_be_gone_on_from_is_refused_before_anything_is_computed(folder: Path) -> None:
    settings = FaceSettings(pretrain=folder)
    with pytest.raises(BidsError, match="features pool96 have no network to go on with"):
        face_job.plan(settings, ["pool96"], EMOTIONS)
    assert face_job.plan(settings, ["seeded"], (*EMOTIONS, "awe")) is not None
    with pytest.raises(BidsError, match="holds no pictures of awe, which the dataset has; leave out --no-face-adapt"):
        face_job.plan(dataclasses.replace(settings, adapt=False), ["seeded"], (*EMOTIONS, "awe"))
    assert face_job.plan(FaceSettings(), ["pool96"], EMOTIONS) is None


def test_a_network_that_has_learnt_nothing_predicts_nothing(tmp_path: Path) -> None:
    with pytest.raises(BidsError, match=r"^--no-face-adapt: no folder has taught anything .* name one with --face-pretrain$"):
        face_job.plan(FaceSettings(adapt=False), ["seeded"], EMOTIONS)
    root = bids_root.write_root(tmp_path / "root", participants=["01", "02"], clips_per_emotion=1)
    for files in find_recordings(root):
        film(files, [plain(90)], [0.0])
    with pytest.raises(BidsError, match="--no-face-adapt"):
        job.run(job.Options(root=root, features=("pool96",), face=FaceSettings(adapt=False)), Told())
    assert not (root / "derivatives").exists()


def test_pictures_are_not_learnt_into_a_folder_of_labels_nor_labels_into_one_of_pictures(folder: Path, tmp_path: Path) -> None:
    raw = bids_root.write_root(tmp_path / "root", participants=["01", "02"], clips_per_emotion=1)
    given: dict[str, Any] = {
        "models": (),
        "eeg_models": ("nearest",),
        "features": ("pool96",),
        "splits": ("leave-one-subject-out",),
    }
    job.run(job.Options(root=raw, out=tmp_path / "labels", **given), Told())
    before = {path: path.read_bytes() for path in sorted((tmp_path / "labels").rglob("*")) if path.is_file()}
    with pytest.raises(
        BidsError, match="holds labels of a dataset, and the models behind them; name another folder with --out"
    ):
        face_job.run(face_job.Options(faces=folder, out=tmp_path / "labels", features=("pool96",)), Told())
    assert before == {path: path.read_bytes() for path in sorted((tmp_path / "labels").rglob("*")) if path.is_file()}
    face_job.run(face_job.Options(faces=folder, out=tmp_path / "pictures", features=("pool96",)), Told())
    with pytest.raises(BidsError, match="holds what was learnt from pictures alone; name another folder with --out"):
        job.run(job.Options(root=raw, out=tmp_path / "pictures", **given), Told())
    assert (tmp_path / "pictures/models/face_pool96.safetensors").is_file()


def test_the_videos_are_learnt_from_where_the_folder_ended_or_not_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = FaceSettings(pretrain=folder, adapt=False)
    plan = face_job.plan(settings, ["seeded"], EMOTIONS)
    assert plan is not None
    backbone = face_job.dataset.backbone("seeded")
    learnt = pretrain.learn(plan, kind="seeded", backbone=backbone, seed=1, training=Training(epochs=2))
    start = face_job.starts({"seeded": learnt}, EMOTIONS)["seeded"]
    data = planted.dataset(n_people=3, clips_per_emotion=1)
    maps = np.random.default_rng(0).normal(size=(len(data.windows), 2, 160, 4, 4)).astype(np.float32)
    given = fold.Inputs(
        labels=data.labels, n_classes=4, participants=np.array([w.participant for w in data.windows]), eeg=None,
        eeg_model="map_cnn", eeg_quality=data.eeg_quality, face=maps, face_kind="seeded", face_quality=None,
        face_start=start, face_adapt=False,
    )  # fmt: skip
    part = splits.leave_one_subject_out(data.windows, data.labels, 1).folds[0]

    def weights(inputs: fold.Inputs) -> dict[str, np.ndarray]:
        trained = fold.train(inputs, part, seed=1)
        assert trained.face is not None
        return {name: value.numpy() for name, value in trained.face.frames.net.state_dict().items()}  # type: ignore[attr-defined]

    asis, adapted = weights(given), weights(dataclasses.replace(given, face_adapt=True))
    for name, value in start.items():
        np.testing.assert_array_equal(asis[name], value)
    assert any(not np.array_equal(adapted[name], value) for name, value in start.items())


def test_missing_faces_and_other_people_are_told_recording_by_recording() -> None:
    data = planted.dataset(n_people=3)
    faces = data.faces["pool96"]
    found, n_faces = faces.found.copy(), np.ones(faces.found.shape, np.int64)
    mine = [np.array([w.participant == name for w in data.windows]) for name in ("01", "02", "03")]
    found[mine[0]] = False
    n_faces[mine[0]] = 0
    n_faces[np.flatnonzero(mine[1])[::4]] = 2
    told = Told()
    face_job.tell(dataclasses.replace(data, faces={"pool96": dataclasses.replace(faces, found=found, n_faces=n_faces)}), told)
    assert told.lines == [
        "sub-01: no face of 72 frames: missing there, never guessed",
        "sub-02: more than one person in 25% of the frames; the participant is followed",
    ]
