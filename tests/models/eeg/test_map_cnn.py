"""The scalp map and its network: places, shapes, parameters, training."""

import numpy as np
import pytest
import torch

from models.eeg import map_cnn, scalp_map, training
from models.eeg.map_cnn import Config, MapCnn


def n_parameters(network: torch.nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


class TestMap:
    def test_28_electrodes_have_a_cell_each_and_seven_cells_are_empty(self) -> None:
        cells = scalp_map.flat_cells()
        assert len(scalp_map.CHANNELS) == len(set(cells)) == 28
        assert sorted(set(range(35)) - set(cells)) == [0, 2, 4, 12, 22, 30, 34]

    def test_left_is_left_and_the_forehead_is_on_top(self) -> None:
        assert scalp_map.CELLS["Fp1"] < scalp_map.CELLS["F3"] < scalp_map.CELLS["O1"]
        for left, right in (("T7", "T8"), ("F3", "F4"), ("O1", "O2")):
            assert scalp_map.CELLS[left][1] < 2 < scalp_map.CELLS[right][1]

    def test_a_name_outside_the_grid_is_refused(self) -> None:
        with pytest.raises(ValueError, match="'FT9' has no cell"):
            scalp_map.flat_cells(["Cz", "FT9"])

    def test_the_network_puts_each_channel_into_its_cell(self) -> None:
        network = MapCnn(Config(n_features=2, n_classes=4))
        features = torch.arange(56, dtype=torch.float32).reshape(1, 28, 2) + 1
        placed = network.to_map(features)
        assert placed.shape == (1, 2, 7, 5)
        for index, name in enumerate(scalp_map.CHANNELS):
            assert placed[0, :, *scalp_map.CELLS[name]].tolist() == features[0, index].tolist()
        assert int((placed[0, 0] == 0).sum()) == 7


class TestNetwork:
    def test_2048_features_are_reduced_first(self) -> None:
        # 1x1: 2048*64+64; 3x3: 64*64*9; 2x2: 64*32*4; 1x1: 32*16; norms 2*(64+32+16); 96*64+64; 64*4+4
        expected = 131_136 + 36_864 + 8_192 + 512 + 224 + 6_208 + 260
        assert n_parameters(MapCnn(Config(n_features=2048, n_classes=4))) == expected

    def test_96_features_go_into_the_3x3_directly(self) -> None:
        assert n_parameters(MapCnn(Config(n_features=96, n_classes=3))) == 96 * 64 * 9 + 8_192 + 512 + 224 + 6_208 + 195

    @pytest.mark.parametrize("n_features", [96, 2048])
    def test_windows_become_log_probabilities_that_sum_to_one(self, n_features: int) -> None:
        network = MapCnn(Config(n_features=n_features, n_classes=4))
        log_p = map_cnn.log_probabilities(network, np.random.default_rng(0).random((3, 28, n_features)).astype(np.float32))
        assert log_p.shape == (3, 4)
        np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1)

    def test_a_windows_output_does_not_depend_on_its_companions(self) -> None:
        network = MapCnn(Config(n_features=96, n_classes=4))
        x = np.random.default_rng(0).random((5, 28, 96)).astype(np.float32)
        together = map_cnn.log_probabilities(network, x)
        np.testing.assert_allclose(map_cnn.log_probabilities(network, x[2:3]), together[2:3], atol=1e-6)

    def test_standardising_keeps_the_differences_between_channels(self) -> None:
        network = MapCnn(Config(n_features=2, n_classes=4))
        x = np.zeros((10, 28, 2), np.float32)
        x[:, :14, 0] = 4.0  # feature 1 never varies
        network.standardise_by(x)
        assert network.to_map(torch.from_numpy(x))[0, 0].unique().tolist() == [-1, 0, 1]
        assert network.to_map(torch.from_numpy(x))[0, 1].unique().tolist() == [0]


def planted(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features in which class c raises feature c in one region of the head."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    features = rng.standard_normal((n, 28, 8)).astype(np.float32)
    for row, label in enumerate(labels):
        features[row, label * 9 : label * 9 + 9, label] += 2
    return features, labels.astype(np.int64)


def train(features: np.ndarray, labels: np.ndarray, *, seed: int = 1, n_train: int = 60) -> MapCnn:
    rows = np.arange(len(labels))
    return training.fit(
        features, labels, train=rows[:n_train], validation=rows[n_train:], n_classes=3, seed=seed, settings=training.SMALL
    )


class TestTraining:
    def test_it_learns_what_is_planted_and_generalises(self) -> None:
        network = train(*planted(80, seed=0))
        features, labels = planted(60, seed=1)
        assert (map_cnn.log_probabilities(network, features).argmax(axis=1) == labels).mean() > 0.9

    def test_the_same_seed_gives_the_same_network_and_leaves_the_global_state_alone(self) -> None:
        features, labels = planted(80, seed=0)
        torch.manual_seed(5)
        before = torch.random.get_rng_state()
        first = train(features, labels)
        assert torch.equal(torch.random.get_rng_state(), before)
        second, other = train(features, labels), train(features, labels, seed=2)
        predictions = [map_cnn.log_probabilities(network, features) for network in (first, second, other)]
        np.testing.assert_array_equal(predictions[0], predictions[1])
        assert not np.array_equal(predictions[0], predictions[2])

    def test_rows_outside_train_and_validation_are_not_looked_at(self) -> None:
        features, labels = planted(90, seed=0)
        spoilt = features.copy()
        spoilt[80:] = np.nan
        rows = np.arange(80)
        networks = [
            training.fit(
                x, labels, train=rows[:60], validation=rows[60:], n_classes=3, seed=1, settings=training.SMALL
            )
            for x in (features, spoilt)
        ]  # fmt: skip
        predictions = [map_cnn.log_probabilities(network, features[:80]) for network in networks]
        np.testing.assert_array_equal(predictions[0], predictions[1])

    def test_the_weights_that_did_best_on_validation_are_restored(self) -> None:
        # noise to learn by heart: the validation loss is lowest early, and much higher at the end
        rng = np.random.default_rng(0)
        features, labels = rng.standard_normal((80, 28, 8)).astype(np.float32), rng.integers(0, 3, 80)
        network = train(features, labels)
        loss = -map_cnn.log_probabilities(network, features[60:])[np.arange(20), labels[60:]].mean()
        assert loss < np.log(3) + 0.1

    def test_the_papers_rate_is_for_many_windows(self) -> None:
        assert training.settings_for(999) is training.SMALL
        assert training.settings_for(1000) is training.PAPER
        assert (training.PAPER.lr, training.PAPER.min_lr, training.PAPER.epochs) == (1e-4, 1e-6, 100)
