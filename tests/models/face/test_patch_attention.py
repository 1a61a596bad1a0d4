"""The network sees one face at a time, its backbone never changes, and it has the shape of the paper's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import mobilenet_v2

from models.face.patch_attention import Backbone, PatchAttention, SelfAttention, load_backbone


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
