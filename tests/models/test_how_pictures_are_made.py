"""``--spectrogram``, ``--engine`` and ``--montage``: what is trained so is said so, kept so and labelled so."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from models import bids, card, dataset, job, label_job, predict, train
from models.bids import BidsError
from models.card import CardError
from models.eeg import montage
from models.eeg.engines import EngineError
from models.eeg.inputs import Source
from models.eeg.scalp_map import PAPER
from tests.models import bids_root
from tests.models.eeg.test_montage import EPOC
from tests.models.told import Told

pytestmark = pytest.mark.usefixtures("few_epochs")

VARIANT = "inside456"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return recordings of a headset that has twelve of the paper's electrodes and two of its own."""
    return bids_root.write_root(
        tmp_path_factory.mktemp("epoc") / "bids", participants=["01", "02"], clips_per_emotion=1, names=EPOC
    )


@pytest.fixture(scope="module")
def trained(root: Path) -> tuple[job.Done, list[str]]:
    told = Told()
    options = job.Options(
        root=root, models=("eeg",), eeg_models=("de-logistic",), features=("pool96",), splits=("leave-one-subject-out",),
        spectrogram=VARIANT, engine="torch",
    )  # fmt: skip
    return job.run(options, told), told.lines


def test_rows_say_how_pictures_were_made_and_of_how_many_electrodes(trained: tuple[job.Done, list[str]]) -> None:
    rows = {row.model: (row.spectrogram, row.engine, row.n_channels) for row in trained[0].rows}
    assert rows == {"map_cnn": (VARIANT, "none", 14), "de-logistic": ("none", "none", 14)}
    page = (trained[0].out / "scores.html").read_text()
    assert f"EEG of 14 electrodes, spectrograms {VARIANT}." in page


def test_another_montage_is_said(trained: tuple[job.Done, list[str]]) -> None:
    (line,) = [line for line in trained[1] if "montage" in line]
    assert line == f"eeg: a montage of its own, 14 electrodes on a map of 5x5: {', '.join(EPOC)}"


def test_the_papers_montage_refuses_such_recordings(root: Path, tmp_path: Path) -> None:
    options = job.Options(
        root=root, out=tmp_path / "out", models=("eeg",), features=("pool96",), splits=("leave-one-subject-out",),
        montage="paper",
    )  # fmt: skip
    with pytest.raises(BidsError, match=r"12 of the map's 28 channels are good, 14 are needed; .* --montage own"):
        job.run(options, Told())


def test_the_card_remembers_and_labels_are_made_of_the_same(
    trained: tuple[job.Done, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, made = card.load(trained[0].out / "models/eeg_pool96.safetensors")
    assert (made.settings["spectrogram"], made.settings["engine"], made.shape) == (VARIANT, "torch", (14, 96))
    new = bids_root.write_root(tmp_path / "new", participants=["09"], clips_per_emotion=1, names=EPOC[::-1], seed=5)
    recordings = bids.find_recordings(new)
    given: list[np.ndarray] = []
    monkeypatch.setattr(label_job.predict, "eeg", lambda tensors, card, x: given.append(x) or ask(tensors, card, x))  # type: ignore[func-returns-value]
    done = label_job.run(label_job.Options(root=new, models=trained[0].out, features="pool96"), Told())
    assert len(done.rows) == 8
    sources = [Source("pool96", variant=VARIANT), Source("pool96")]
    expected = dataset.load(recordings, eeg=sources, grid=predict.grid(made)).eeg
    np.testing.assert_array_equal(given[0], expected[sources[0].key])
    assert np.abs(given[0] - expected[sources[1].key]).max() > 0.01, "the default would have been other features"


ask = predict.eeg


def damaged(folder: Path, models: Path, **settings: object) -> Path:
    """Return a folder with one kept model whose card says something else."""
    folder.mkdir()
    shutil.copy(models / "eeg_pool96.safetensors", folder)
    described = json.loads((models / "eeg_pool96.json").read_text())
    described["settings"] |= settings
    (folder / "eeg_pool96.json").write_text(json.dumps(described))
    return folder


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"spectrogram": "tomorrow"}, "variant = 'tomorrow': one of inside200, .*in the card"),
        ({"engine": "abacus"}, "engine = 'abacus': one of torch, .*in the card"),
        ({"grid": {"channels": ["Cz"]}}, "grid in the card: is no scalp map"),
    ],
)
def test_a_card_that_names_what_there_is_not_is_refused(
    trained: tuple[job.Done, list[str]], root: Path, tmp_path: Path, settings: dict[str, object], says: str
) -> None:
    models = damaged(tmp_path / "models", trained[0].out / "models", **settings)
    with pytest.raises(CardError, match=says):
        label_job.run(label_job.Options(root=root, models=models, out=tmp_path / "out"), Told())


def test_an_engine_that_is_not_installed_is_refused_before_anything_is_written(
    root: Path, tmp_path: Path, trained: tuple[job.Done, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    options = job.Options(
        root=root, out=tmp_path / "out", models=("eeg",), features=("seeded",), splits=("leave-one-subject-out",),
        engine="openvino-bf16",
    )  # fmt: skip
    with pytest.raises(EngineError, match=r"engine = openvino-bf16: OpenVINO is not installed; pip install"):
        job.run(options, Told())
    assert not (tmp_path / "out").exists()
    models = damaged(tmp_path / "models", trained[0].out / "models", engine="openvino-bf16")
    with pytest.raises(EngineError, match="openvino-bf16"):
        label_job.run(label_job.Options(root=root, models=models, out=tmp_path / "out"), Told())


def test_only_what_learns_from_pictures_of_inception_has_an_engine() -> None:
    kinds = {"seeded": "seeded", "pool96": "pool96"}
    made = train.recipes(("itnet",), ("eeg",), kinds, engine="openvino-fp32", variant="minmax")  # type: ignore[arg-type]
    assert [recipe.source.key for recipe in made] == ["seeded@openvino-fp32@minmax", "pool96@minmax", "itnet"]


def test_what_was_asked_for_in_vain_is_said(root: Path, tmp_path: Path) -> None:
    told = Told()
    options = job.Options(
        root=root, out=tmp_path / "out", models=(), eeg_models=("majority",), features=("pool96",),
        splits=("leave-one-subject-out",), spectrogram="minmax", engine="openvino-fp32",
    )  # fmt: skip
    job.run(options, told)
    assert [line for line in told.lines if line.startswith("--")] == [
        "--engine = openvino-fp32: nothing here is computed by InceptionV3",
        "--spectrogram = minmax: nothing here learns from pictures",
    ]


def test_a_control_that_leaves_no_electrode_is_refused(tmp_path: Path) -> None:
    root = bids_root.write_root(
        tmp_path / "root", participants=["01", "02"], clips_per_emotion=1, names=[name for name in EPOC if name[0] in "AF"]
    )
    options = job.Options(
        root=root,
        models=(),
        eeg_models=("majority",),
        splits=("leave-one-subject-out",),
        controls=("without-frontal-temporal",),
    )
    with pytest.raises(BidsError, match="--controls = without-frontal-temporal: all 8 electrodes are such; leave it out"):
        job.run(options, Told())
    assert montage.choose(bids.find_recordings(root)) != PAPER
