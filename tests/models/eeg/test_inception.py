"""InceptionV3: shapes, seeded features that keep differences, weights from a file."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models.inception import Inception3

from models.bids import RecordingFiles
from models.eeg import engines, inception, inputs, pool96, spectrogram
from models.eeg.inception import Extractor
from models.eeg.inputs import Source
from models.eeg.recording import Recording
from models.windows import Events
from tests.faults.counts import count


@pytest.fixture(scope="module")
def seeded() -> inception.Extractor:
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception, "N_CALIBRATION", count(8, 64))
        return inception.extractor(None)


def test_the_network_has_the_parameters_of_inception_v3_without_its_heads() -> None:
    # torchvision: 27,161,264 with both heads; the main head has 2,049,000, the auxiliary 3,326,696
    assert sum(value.numel() for value in inception._network().parameters()) == 27_161_264 - 2_049_000 - 3_326_696


def test_batch_norms_are_folded_into_the_convolutions_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception, "N_CALIBRATION", 2)
    network, picture = inception.network(None), torch.from_numpy(inception.calibration_images()[:1] * 2 - 1)
    with torch.inference_mode():
        unfused = network(picture)
    fused = inception.fused(network)
    kinds = {type(module) for module in fused.modules()}
    assert torch.nn.Conv2d in kinds and torch.nn.BatchNorm2d not in kinds
    assert not any(value.requires_grad for value in fused.parameters())
    with torch.inference_mode():
        torch.testing.assert_close(fused(picture), unfused, rtol=1e-3, atol=1e-4)


def test_a_window_becomes_2048_bounded_numbers_a_channel(seeded: inception.Extractor) -> None:
    windows = np.random.default_rng(0).random((1, 2, 3, spectrogram.WINDOW_SAMPLES)).astype(np.float32)
    told: list[int] = []
    features = seeded(windows, progress=told.append)
    assert features.shape == (1, 2, 2048)
    assert np.isfinite(features).all()
    assert 0.1 < features.max() < 100  # uncalibrated they reach 1e11
    assert told == [1]


def test_the_same_picture_has_the_same_features_whatever_stands_beside_it(seeded: inception.Extractor) -> None:
    images = inception.calibration_images()[:3]
    together = seeded.run(images)
    np.testing.assert_allclose(seeded.run(images[:1]), together[:1], atol=1e-4)
    assert np.abs(together[0] - together[1]).max() > 1e-3


def test_a_louder_channel_has_other_features(seeded: inception.Extractor) -> None:
    window = np.random.default_rng(0).random((1, 1, 3, spectrogram.WINDOW_SAMPLES)).astype(np.float32)
    assert np.abs(seeded(window) - seeded(2 * window)).max() > 0.01


def test_seeded_features_do_not_depend_on_the_global_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception, "N_CALIBRATION", 2)
    built = []
    for seed in (1, 99):
        torch.manual_seed(seed)
        built.append(inception.network(None))
    for ours, theirs in zip(built[0].state_dict().values(), built[1].state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_features_say_whose_weights_and_which_engine_made_them(seeded: inception.Extractor) -> None:
    assert (seeded.features, seeded.weights, seeded.engine) == ("seeded", "seeded-20261122", "torch")


def test_calibration_pictures_are_fixed_and_not_blank() -> None:
    images = inception.calibration_images()
    assert images.shape == (64, 3, 229, 229)
    assert (images.std(axis=(2, 3)) > 0.05).all()


def test_weights_of_torchvision_are_taken_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Inception3(init_weights=False).eval()
    torch.save(network.state_dict(), tmp_path / "inception.pth")
    found = inception.extractor(tmp_path / "inception.pth")
    assert found.features == "imagenet" and len(found.weights) == 64
    image = inception.calibration_images()[:1]
    network.fc = torch.nn.Identity()
    with torch.inference_mode():
        expected = network(torch.from_numpy(image) * 2 - 1)
    np.testing.assert_allclose(found.run(image), expected.numpy(), rtol=1e-3, atol=1e-5)


def test_the_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="holds no InceptionV3"):
        inception.extractor(tmp_path / "other.pth")


class TestWhatDecidesFeatures:
    """What changes features changes the key under which they are cached."""

    def test_the_source_of_everything_between_the_signal_and_the_features(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inputs, "extractor", lambda name, engine: (None, (name, engine)))
        monkeypatch.setattr(
            inputs, "_code", lambda *modules: " ".join(sorted(module.__name__.split(".")[-1] for module in modules))
        )
        assert inputs._pictured(Source("seeded"))[1][-1] == "engines inception inputs spectrogram variants"
        assert pool96 and inputs._pictured(Source("pool96"))[1][-1] == "inputs pool96 spectrogram variants"
        assert inputs._prepared(Source("sst"))[1] == ("inputs spectrogram", "sst", "sst")

    def test_the_engine_and_the_version_of_what_computes_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inception, "extractor", lambda weights, engine: Extractor("seeded", "w", engine, lambda x: x))
        monkeypatch.setattr(inputs, "version", lambda name: f"of {name}")
        said = {engine: inputs.extractor.__wrapped__("seeded", engine)[1] for engine in engines.ENGINES}
        assert said["torch"] == ("w", "torch", engines.device().type)
        assert said["openvino-bf16"] == ("w", "openvino-bf16", "openvino of openvino")
        assert len(set(said.values())) == 3

    def test_single_precision_is_whole_on_a_graphics_card_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
        engines.runner(torch.nn.Flatten())
        assert not torch.backends.cudnn.allow_tf32


class TestKilled:
    """Features of a long recording take minutes; a run that is killed loses no more than the block in hand."""

    def test_what_was_done_is_not_done_again_and_the_whole_is_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = RecordingFiles(participant="01", session="01", run="01", eeg=Path("eeg"), scopes=frozenset())
        eeg = np.random.default_rng(0).standard_normal((28, 600 * 7)).astype(np.float32)
        found = Recording(
            files=files, events=Events(windows=(), gaps=(), dropped=Counter()), eeg=eeg, valid=np.ones(600 * 7, dtype=bool),
            line_freq=50.0, interpolated=(),
        )  # fmt: skip
        asked: list[int] = []
        allowed = 2

        def extract(windows: np.ndarray, **_: object) -> np.ndarray:
            if len(asked) == allowed:
                raise KeyboardInterrupt
            asked.append(len(windows))
            return windows.mean(axis=(2, 3))[..., None]

        monkeypatch.setattr(inputs, "extractor", lambda name, engine: (extract, (name,)))
        monkeypatch.setattr(inputs, "BLOCK", 3)
        starts, source = [3.0 * n for n in range(7)], Source("seeded")
        with pytest.raises(KeyboardInterrupt):
            inputs.of_recording(found, starts, [source], cache=tmp_path)
        allowed = 10
        again = inputs.of_recording(found, starts, [source], cache=tmp_path)[source]
        assert asked == [3, 3, 1] and len(list(tmp_path.iterdir())) == 3
        monkeypatch.setattr(inputs, "BLOCK", 7)
        np.testing.assert_array_equal(inputs.of_recording(found, starts, [source])[source], again)
