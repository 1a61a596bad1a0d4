"""The network sees one face at a time, its backbone never changes, and it has the shape of the paper's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import mobilenet_v2

from models.face.patch_attention import LAYOUTS, Backbone, PatchAttention, SelfAttention, layout_of, load_backbone
from models.face.settings import NetworkName
from models.face.training import Network, Training
from models.weights import WeightsError


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone()


def _maps(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 160, 4, 4, generator=torch.Generator().manual_seed(seed))


def _network() -> PatchAttention:
    torch.manual_seed(7)
    return PatchAttention(4).eval()


def test_a_faces_output_does_not_change_when_the_faces_beside_it_are_replaced() -> None:
    network, face = _network(), _maps(1)
    with torch.inference_mode():
        alone = network(face)
        for seed in range(1, 4):
            together = network(torch.cat([_maps(2, seed), face, 100 * _maps(3, seed + 10)]))
            torch.testing.assert_close(together[2:3], alone, rtol=1e-4, atol=1e-5)


def test_attention_across_the_batch_would_be_found_by_that_test() -> None:
    attention = SelfAttention(8).eval()
    tokens = torch.randn(3, 1, 8, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        alone, across = attention(tokens[:1]), attention(tokens.transpose(0, 1)).transpose(0, 1)  # PAtt-Lite's mistake
    assert not torch.allclose(alone, across[:1], atol=1e-3)


def test_the_four_patches_of_a_face_do_look_at_each_other() -> None:
    attention = SelfAttention(8).eval()
    tokens = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(1))
    changed = tokens.clone()
    changed[0, 3] += 1
    with torch.inference_mode():
        assert not torch.allclose(attention(tokens)[0, 0], attention(changed)[0, 0], atol=1e-4)


def test_attention_is_the_softmax_of_scaled_dot_products_plus_the_token_itself() -> None:
    attention = SelfAttention(4).eval()
    tokens = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        q, k, v = (layer(tokens[0]).numpy() for layer in (attention.query, attention.key, attention.value))
        scores = q @ k.T / 2
        weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(attention(tokens)[0].numpy(), tokens[0].numpy() + weights @ v, rtol=1e-4, atol=1e-5)


def test_shapes_from_maps_to_patches_to_classes() -> None:
    network = _network()
    assert network.patches(_maps(3)).shape == (3, 256, 2, 2)
    assert network(_maps(3)).shape == (3, 4)
    assert PatchAttention(7).eval()(_maps(1)).shape == (1, 7)


def test_the_backbone_is_mobilenet_without_its_last_29_layers(backbone: Backbone) -> None:
    assert sum(p.numel() for p in backbone.layers.parameters()) == 697_792
    last = backbone.layers[14].conv  # type: ignore[index,union-attr]
    assert isinstance(last[-1], torch.nn.BatchNorm2d) and last[-1].num_features == 160, "ends at block_13_project_BN"
    assert backbone.maps(np.zeros((2, 112, 112, 3), np.uint8)).shape == (2, 160, 4, 4)


def test_the_backbone_is_frozen_and_looking_at_faces_leaves_every_buffer_as_it_was(backbone: Backbone) -> None:
    before = {name: value.clone() for name, value in backbone.layers.state_dict().items()}
    assert not backbone.layers.training and not any(p.requires_grad for p in backbone.layers.parameters())
    backbone.maps(np.random.default_rng(0).integers(0, 255, (5, 112, 112, 3), dtype=np.uint8))
    assert any("running_mean" in name for name in before)
    for name, value in backbone.layers.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_face_has_the_same_map_in_any_batch(backbone: Backbone) -> None:
    faces = np.random.default_rng(0).integers(0, 255, (67, 112, 112, 3), dtype=np.uint8)
    maps = backbone.maps(faces)
    assert maps.dtype == np.float32
    scale = np.abs(maps).max()
    np.testing.assert_allclose(maps[65] / scale, backbone.maps(faces[65:66])[0] / scale, atol=1e-4)
    assert backbone.maps(faces[:0]).shape == (0, 160, 4, 4)


def test_the_seeded_backbone_is_the_same_every_time_and_leaves_the_random_state_alone(backbone: Backbone) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    assert load_backbone().digest == backbone.digest
    assert torch.equal(torch.rand(3), expected)


def test_given_weights_are_used_and_change_the_digest(backbone: Backbone, tmp_path: Path) -> None:
    torch.manual_seed(99)
    other = mobilenet_v2(weights=None)
    torch.save(other.state_dict(), tmp_path / "weights.pth")
    loaded = load_backbone(tmp_path / "weights.pth")
    assert loaded.digest != backbone.digest
    assert torch.equal(loaded.layers.state_dict()["0.0.weight"], other.features[0][0].weight)


def _keras_layers() -> list[str]:
    """Return the names of Keras' MobileNetV2 without its top, by the rule of its source: stride and width of each block."""
    names = ["input", "Conv1", "bn_Conv1", "Conv1_relu"]
    names += [f"expanded_conv_{part}" for part in ("depthwise", "depthwise_BN", "depthwise_relu", "project", "project_BN")]
    strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]
    widths = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320]
    for block, stride in enumerate(strides, start=1):
        parts = ["expand", "expand_BN", "expand_relu", *(["pad"] if stride == 2 else []), "depthwise", "depthwise_BN"]
        parts += ["depthwise_relu", "project", "project_BN"]
        parts += ["add"] if stride == 1 and widths[block] == widths[block - 1] else []
        names += [f"block_{block}_{part}" for part in parts]
    return [*names, "Conv_1", "Conv_1_bn", "out_relu"]


def test_dropping_29_of_kerass_154_layers_ends_at_block_13_project_bn() -> None:
    names = _keras_layers()
    assert len(names) == 154 and names[:-29][-1] == "block_13_project_BN"


@pytest.mark.parametrize(("name", "backbone", "trained"), [("seed112", 697_792, 203_780), ("pattlite224", 424_256, 170_564)])
def test_the_parameters_of_both_layouts(name: NetworkName, backbone: int, trained: int) -> None:
    frozen = load_backbone(network=name)
    assert sum(p.numel() for p in frozen.layers.parameters()) == backbone
    network = PatchAttention(4, layout=LAYOUTS[name])
    assert sum(p.numel() for p in network.parameters()) == trained
    assert frozen.maps(np.zeros((1, 112, 112, 3), np.uint8)).shape[1:] == frozen.shape
    assert layout_of(frozen.shape) is LAYOUTS[name]


def test_pattlite_sees_faces_of_224_px_and_has_the_original_kernels() -> None:
    network = PatchAttention(4, layout=LAYOUTS["pattlite224"]).eval()
    assert network.patches[0](torch.zeros(2, 96, 14, 14)).shape == (2, 256, 4, 4), "kernel 4, stride 4, same"
    assert network.patches(torch.zeros(2, 96, 14, 14)).shape == (2, 256, 2, 2)
    assert network(torch.zeros(2, 96, 14, 14)).shape == (2, 4)
    alone, beside = torch.randn(1, 96, 14, 14), torch.randn(5, 96, 14, 14)
    with torch.inference_mode():
        torch.testing.assert_close(network(torch.cat([beside, alone]))[5:], network(alone), rtol=1e-4, atol=1e-5)


def test_training_moves_nothing_of_the_backbone(backbone: Backbone) -> None:
    before = {name: value.clone() for name, value in backbone.layers.state_dict().items()}
    faces = np.random.default_rng(0).integers(0, 255, (12, 112, 112, 3), dtype=np.uint8)
    network = Network(4, seed=1, standardise=True, training=Training(epochs=2))
    x, y = backbone.maps(faces), np.arange(12) % 4
    network.fit(x, y, np.arange(12), validation=(x, y))
    assert not backbone.layers.training
    for name, value in backbone.layers.state_dict().items():
        assert torch.equal(value, before[name]), name
    np.testing.assert_array_equal(backbone.maps(faces), x)


def test_weights_of_another_network_are_one_line(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other\.pth: holds no MobileNetV2 .*; fetch it again") as error:
        load_backbone(tmp_path / "other.pth")
    assert "\n" not in str(error.value)
