"""EEG-ITNet: shapes, parameters, causality, bounds of its weights, learning."""

import numpy as np
import pytest
import torch

from models.eeg import itnet
from models.eeg.itnet import Config, ItNet
from models.eeg.recogniser import Task


def network(**changed: int) -> ItNet:
    torch.manual_seed(0)
    return ItNet(Config(**{"n_channels": 28, "n_times": 600, "n_classes": 4} | changed)).eval()


def test_it_has_as_many_parameters_as_its_layers_say() -> None:
    branches = 2 * 16 + 4 * 32 + 8 * 64 + 14 * 2 + 14 * 28 + 14 * 2
    temporal = 4 * 2 * (14 * 4 + 14 * 2)
    reduce, head = 14 * 14 + 14 + 14 * 2, 14 * 37 * 4 + 4
    # braindecode 1.8.1 counts the same: 4,106
    assert sum(value.numel() for value in network().parameters()) == branches + temporal + reduce + head == 4106


@pytest.mark.parametrize(("n_channels", "n_times", "n_classes"), [(28, 600, 4), (1, 16, 2), (256, 601, 8)])
def test_windows_of_any_size_become_logits(n_channels: int, n_times: int, n_classes: int) -> None:
    net = network(n_channels=n_channels, n_times=n_times, n_classes=n_classes)
    assert net(torch.randn(3, n_channels, n_times)).shape == (3, n_classes)


def test_a_window_too_short_for_the_poolings_is_refused() -> None:
    with pytest.raises(ValueError, match="n_times = 15: at least 16"):
        network(n_times=15)


def test_a_windows_logits_do_not_depend_on_its_companions() -> None:
    net, windows = network(), torch.randn(4, 28, 600)
    torch.testing.assert_close(net(windows)[1:2], net(windows[1:2]))


def test_the_temporal_network_sees_only_what_was_before() -> None:
    temporal, x = network().temporal, torch.randn(1, 14, 1, 150)
    later = x.clone()
    later[..., 100:] += 1
    assert torch.equal(temporal(x)[..., :100], temporal(later)[..., :100])
    assert not torch.allclose(temporal(x)[..., 100], temporal(later)[..., 100])


def test_an_impulse_reaches_as_far_as_four_dilations_of_two_convolutions() -> None:
    temporal, x = network().temporal, torch.zeros(1, 14, 1, 150)
    moved = x.clone()
    moved[..., 10] = 100.0
    changed = (temporal(x) != temporal(moved)).any(dim=1)[0, 0].nonzero()[:, 0]
    assert (int(changed.min()), int(changed.max())) == (10, 10 + 2 * 3 * (1 + 2 + 4 + 8))


def test_weights_are_kept_within_their_bounds_and_smaller_ones_left_alone() -> None:
    net = network()
    with torch.no_grad():
        net.head.weight[0] *= 1000
        net.branches[0][3].weight[0] *= 1000
        net.head.weight[1] = 0.001
    net.constrain()
    assert float(net.head.weight[0].detach().norm()) == pytest.approx(itnet.HEAD_MAX_NORM, rel=1e-4)
    assert float(net.branches[0][3].weight[0].detach().norm()) == pytest.approx(itnet.SPATIAL_MAX_NORM, rel=1e-4)
    assert torch.equal(net.head.weight[1], torch.full((518,), 0.001))


def test_volts_or_microvolts_make_no_difference_once_it_is_standardised() -> None:
    windows = np.random.default_rng(0).standard_normal((4, 28, 600)).astype(np.float32)
    said = []
    for unit in (1.0, 1e-6):
        net = network()
        net.standardise_by(windows * np.float32(unit))
        said.append(net(torch.from_numpy(windows * np.float32(unit))))
    torch.testing.assert_close(said[0], said[1], atol=1e-4, rtol=1e-4)


def test_windows_come_to_the_rate_of_the_filters_and_keep_their_waves() -> None:
    wave = np.sin(2 * np.pi * 10 * np.arange(600) / 200).astype(np.float32)
    prepared = itnet.prepare(np.tile(wave, (2, 3, 1)))
    assert prepared.shape == (2, 3, 384)
    assert prepared.dtype == np.float32
    expected = np.sin(2 * np.pi * 10 * np.arange(384) / 128)
    np.testing.assert_allclose(prepared[1, 2, 20:-20], expected[20:-20], atol=0.01)


@pytest.mark.parametrize(("within", "dropout"), [(True, 0.4), (False, 0.2)])
def test_people_who_are_known_need_more_dropout(within: bool, dropout: float) -> None:
    task = Task(shape=(28, 384), n_classes=4, n_windows=96, seed=1, within=within)
    rates = {part.p for part in itnet.model().build(task).make().modules() if isinstance(part, torch.nn.Dropout)}
    assert rates == {dropout}


def test_it_learns_who_has_alpha_and_remembers() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(96) % 4
    windows = rng.standard_normal((96, 6, 128)).astype(np.float32) * 10
    wave = (20 * np.sin(2 * np.pi * 10 * np.arange(128) / 128)).astype(np.float32)
    windows[labels == 1] += wave
    windows[labels == 2, :3] += wave
    windows[labels == 3, 3:] += wave
    task = Task(shape=(6, 128), n_classes=4, n_windows=96, seed=1)
    recogniser = itnet.model().build(task).fit(windows[:64], labels[:64], validation=(windows[64:80], labels[64:80]))
    assert (recogniser.predict_proba(windows[80:]).argmax(axis=1) == labels[80:]).mean() > 0.6
    assert float(recogniser.network.head.weight.detach().norm(dim=1).max()) <= itnet.HEAD_MAX_NORM + 1e-5
    again = itnet.model().build(task).restore(recogniser.tensors())
    np.testing.assert_array_equal(again.predict_proba(windows[80:]), recogniser.predict_proba(windows[80:]))
