"""The scalp map and its network: places, shapes, parameters, training."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.eeg import map_cnn, scalp_map, training
from models.eeg.map_cnn import Config, MapCnn
from models.eeg.recogniser import Model, Task
from models.eeg.training import Learner


def untrained(n_features: int) -> Learner:
    task = Task(shape=(28, n_features), n_classes=4, n_windows=100, seed=1)
    learner = map_cnn.model().build(task)
    state = MapCnn(Config(n_features=n_features, n_classes=4)).state_dict()
    return learner.restore({name: value.numpy() for name, value in state.items()})  # type: ignore[return-value]


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

    @pytest.mark.parametrize(("build", "expected"), [(map_cnn.full, 1_179_648), (map_cnn.jadhav, 294_912)])
    def test_as_the_papers_have_it_the_3x3_sees_all_2048_planes(self, build: Callable[[], Model], expected: int) -> None:
        learner = build().build(Task(shape=(28, 2048), n_classes=4, n_windows=100, seed=1))
        assert isinstance(learner, Learner)
        network = learner.make()
        first = next(part for part in network.modules() if isinstance(part, torch.nn.Conv2d))
        assert (first.kernel_size, first.in_channels, first.weight.numel()) == ((3, 3), 2048, expected)
        assert sum(isinstance(part, torch.nn.Conv2d) for part in network.modules()) == 3

    def test_96_features_go_into_the_3x3_directly(self) -> None:
        assert n_parameters(MapCnn(Config(n_features=96, n_classes=3))) == 96 * 64 * 9 + 8_192 + 512 + 224 + 6_208 + 195

    @pytest.mark.parametrize("n_features", [96, 2048])
    def test_windows_become_probabilities_that_sum_to_one(self, n_features: int) -> None:
        p = untrained(n_features).predict_proba(np.random.default_rng(0).random((3, 28, n_features)).astype(np.float32))
        assert p.shape == (3, 4)
        np.testing.assert_allclose(p.sum(axis=1), 1)

    def test_a_windows_output_does_not_depend_on_its_companions(self) -> None:
        network = untrained(96)
        x = np.random.default_rng(0).random((5, 28, 96)).astype(np.float32)
        np.testing.assert_allclose(network.predict_proba(x[2:3]), network.predict_proba(x)[2:3], atol=1e-6)

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


def train(features: np.ndarray, labels: np.ndarray, *, seed: int = 1, n_train: int = 60, epochs: int = 20) -> Learner:
    learner = map_cnn.model().build(Task(shape=features.shape[1:], n_classes=3, n_windows=len(labels), seed=seed))
    assert isinstance(learner, Learner)
    learner.settings = replace(learner.settings, epochs=epochs)
    learner.fit(features[:n_train], labels[:n_train], validation=(features[n_train:], labels[n_train:]))
    return learner


class TestTraining:
    def test_it_learns_what_is_planted_and_generalises(self) -> None:
        learner = train(*planted(80, seed=0))
        features, labels = planted(60, seed=1)
        assert (learner.predict_proba(features).argmax(axis=1) == labels).mean() > 0.9

    def test_the_same_seed_gives_the_same_network_and_leaves_the_global_state_alone(self) -> None:
        features, labels = planted(80, seed=0)
        torch.manual_seed(5)
        before = torch.random.get_rng_state()
        first = train(features, labels)
        assert torch.equal(torch.random.get_rng_state(), before)
        second, other = train(features, labels), train(features, labels, seed=2)
        predictions = [learner.predict_proba(features) for learner in (first, second, other)]
        np.testing.assert_array_equal(predictions[0], predictions[1])
        assert not np.array_equal(predictions[0], predictions[2])

    def test_what_is_saved_predicts_the_same(self) -> None:
        features, labels = planted(80, seed=0)
        learner = train(features, labels)
        again = map_cnn.model().build(learner.task).restore(learner.tensors())
        np.testing.assert_array_equal(again.predict_proba(features), learner.predict_proba(features))
        with pytest.raises(ValueError, match="size mismatch"):
            map_cnn.model().build(Task(shape=(28, 9), n_classes=3, n_windows=80, seed=1)).restore(learner.tensors())

    def test_the_weights_that_did_best_on_validation_are_restored(self) -> None:
        # noise to learn by heart: the validation loss is lowest early, and much higher at the end
        rng = np.random.default_rng(0)
        features, labels = rng.standard_normal((80, 28, 8)).astype(np.float32), rng.integers(0, 3, 80)
        learner = train(features, labels, epochs=100)
        loss = -np.log(learner.predict_proba(features[60:]))[np.arange(20), labels[60:]].mean()
        assert loss < np.log(3) + 0.1

    def test_rare_classes_count_as_much_as_frequent_ones_and_the_recogniser_says_so(self) -> None:
        weights = training.class_weights(np.array([0, 0, 0, 1]), 2)
        assert weights.tolist() == pytest.approx([4 / 6, 2.0])
        assert map_cnn.model().build(Task(shape=(28, 8), n_classes=4, n_windows=80, seed=1)).prior == (0.25,) * 4

    def test_the_papers_rate_is_for_many_windows(self) -> None:
        assert training.settings_for(999) is training.SMALL
        assert training.settings_for(1000) is training.PAPER
        assert (training.PAPER.lr, training.PAPER.min_lr, training.PAPER.epochs) == (1e-4, 1e-6, 100)


def test_reducing_before_the_map_is_laid_gives_what_a_map_of_2048_planes_gives() -> None:
    torch.manual_seed(0)
    network = MapCnn(Config(n_features=2048, n_classes=4)).eval()
    x = np.random.default_rng(0).standard_normal((5, 28, 2048)).astype(np.float32) * 3 + 1
    network.standardise_by(x)
    features = torch.from_numpy(x)
    by_map = network.head(network.convolutions(network.reduce(network.to_map(features))))
    torch.testing.assert_close(network(features), by_map, atol=1e-6, rtol=1e-5)
