"""SST-EmotionNet and the differential entropy that goes into it."""

import numpy as np
import pytest
import torch

from models.eeg import de, scalp_map, sst, training
from models.eeg.recogniser import Task
from models.eeg.sst import Config, SstEmotionNet
from models.eeg.training import Learner


def sine(hz: float, amplitude: float = 10.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(600) / 200)).astype(np.float32).reshape(1, 1, 600)


class TestDifferentialEntropy:
    def test_of_white_noise_it_is_that_of_its_variance(self) -> None:
        noise = np.random.default_rng(0).standard_normal((1, 400, 600)).astype(np.float32) * 10
        np.testing.assert_allclose(de.of_variance(noise.var(axis=2).mean()), np.log(2 * np.pi * np.e * 100) / 2, atol=0.005)
        # each band holds its share of 100 Hz
        shares = np.array([(high - low) / 100 for _, low, high in de.BANDS])
        mean = de.bands(noise).astype(float)
        np.testing.assert_allclose(np.exp(2 * mean).mean(axis=(0, 1)) / (2 * np.pi * np.e), 100 * shares, rtol=0.03)

    @pytest.mark.parametrize(("hz", "band"), [(2, 0), (6, 1), (10, 2), (20, 3), (40, 4)])
    def test_a_sine_shows_in_its_band_with_its_variance(self, hz: float, band: int) -> None:
        found = de.bands(sine(hz))[0, 0]
        assert found.argmax() == band
        assert found[band] == pytest.approx(np.log(2 * np.pi * np.e * 50) / 2, abs=0.02)
        assert np.delete(found, band).max() < found[band] - 3

    def test_a_dead_channel_is_low_and_finite(self) -> None:
        assert np.isfinite(de.bands(np.zeros((1, 2, 600), np.float32))).all()


class TestMaps:
    def test_an_electrode_shines_where_it_is(self) -> None:
        weights = sst.spread().reshape(32, 32, 28)
        for name in ("Fz", "T7", "T8", "Oz", "C3"):
            row, column = np.unravel_index(weights[..., scalp_map.CHANNELS.index(name)].argmax(), (32, 32))
            x, y = scalp_map.projected([name])[0]
            assert (column - 15.5) / 15.5 == pytest.approx(x, abs=0.15)
            assert (15.5 - row) / 15.5 == pytest.approx(y, abs=0.15)

    def test_equal_electrodes_make_an_even_scalp(self) -> None:
        whole = sst.spread().sum(axis=1)
        inside = np.abs(sst.spread()).sum(axis=1) > 0
        np.testing.assert_allclose(whole[inside], 1, atol=1e-3)
        assert 0.5 < inside.mean() < 0.85  # a round head in a square


class TestNetwork:
    def test_streams_have_the_authors_depth_width_and_parameters(self) -> None:
        torch.manual_seed(0)
        net = SstEmotionNet(Config(n_classes=4))
        assert (net.config.spectral.n_layers, net.config.temporal.n_layers) == (2, 3)
        # transitions halve the planes of the spectral stream alone: 24 -> 48/24 -> 48/24 -> 48;  48 -> 120 -> 192 -> 264
        assert (net.spectral.n_out, net.temporal.n_out) == (48, 264)
        assert sum(value.numel() for value in net.parameters()) == 1_573_236

    def test_windows_become_logits_and_do_not_depend_on_companions(self) -> None:
        torch.manual_seed(0)
        net = SstEmotionNet(Config(n_classes=3)).eval()
        x = torch.randn(3, 28, 30)
        assert net(x).shape == (3, 3)
        torch.testing.assert_close(net(x)[1:2], net(x[1:2]), atol=1e-5, rtol=1e-4)

    def test_prepared_windows_hold_bands_and_then_the_signal_at_25_moments(self) -> None:
        windows = np.random.default_rng(0).standard_normal((2, 28, 600)).astype(np.float32)
        windows[..., 24] = 7  # 599 / 24 = 24.96 samples apart, whole ones
        prepared = sst.prepare(windows)
        assert prepared.shape == (2, 28, 30)
        assert prepared.dtype == np.float32
        np.testing.assert_array_equal(prepared[..., :5], de.bands(windows))
        assert (prepared[..., 6] == 7).all()
        np.testing.assert_array_equal(prepared[..., [5, -1]], windows[..., [0, -1]])
        # window by window
        np.testing.assert_array_equal(sst.prepare(windows[1:]), prepared[1:])

    def test_the_penalty_is_on_the_convolutions_that_have_it_in_the_authors_code(self) -> None:
        recogniser = sst.model().build(Task(shape=(28, 30), n_classes=2, n_windows=2000, seed=1))
        assert isinstance(recogniser, Learner)
        net, x = recogniser.make(), np.zeros((2, 28, 30), np.float32)
        trainer = training._trainer(net, recogniser.task, recogniser.settings, torch.ones(2), (x, np.array([0, 1])))
        trainer.initialize()
        decayed = {value: group["weight_decay"] for group in trainer.optimizer_.param_groups for value in group["params"]}
        assert len(decayed) == len(list(net.parameters()))
        for name, value in net.named_parameters():
            whole = value.dim() == 5 and (".first." in name or tuple(value.shape[2:]) == (1, 1, 1))
            assert decayed[value] == (2e-4 if whole else 0.0), name

    def test_few_windows_have_a_rate_that_learns_something(self) -> None:
        few, many = (sst.model().build(Task(shape=(28, 30), n_classes=4, n_windows=n, seed=1)) for n in (999, 1000))
        assert isinstance(few, Learner) and isinstance(many, Learner)
        assert (few.settings.lr, many.settings.lr) == (1e-3, 1e-4) and many.settings is sst.SETTINGS
        assert (few.settings.batch, few.settings.epochs, few.settings.weight_decay) == (64, 50, 2e-4)

    def test_both_streams_learn(self) -> None:
        task = Task(shape=(28, 30), n_classes=2, n_windows=8, seed=1)
        recogniser = sst.model().build(task)
        torch.manual_seed(0)
        net = recogniser.make()
        net(torch.randn(4, 28, 30)).sum().backward()
        unmoved = [name for name, value in net.named_parameters() if value.grad is None or not value.grad.abs().sum() > 0]
        assert unmoved == []
