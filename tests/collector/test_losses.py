"""Lost samples by the device's counter."""

import numpy as np
import pytest

from collector.losses import Losses, n_lost


@pytest.mark.parametrize(("first", "n_gap"), [(50, 1), (50, 5), (50, 300), (120, 20), (50, 129)])
def test_lost_samples_are_counted_through_the_wrap_and_beyond_a_whole_round(first: int, n_gap: int) -> None:
    numbers = np.delete(np.arange(2000), np.arange(first, first + n_gap))
    assert n_lost(numbers % 128.0, numbers / 256, 256.0) == n_gap


def test_a_counter_that_runs_through_has_lost_nothing() -> None:
    assert n_lost(np.arange(2000) % 128.0, np.arange(2000) / 256, 256.0) == 0
    assert n_lost(np.zeros(0), np.zeros(0), 256.0) == 0


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_chunk_by_chunk_the_same_losses_are_counted(chunk: int) -> None:
    numbers = np.delete(np.arange(2000), [*range(300, 320), *range(900, 1200)])
    losses = Losses(256.0)
    for i in range(0, len(numbers), chunk):
        part = numbers[i : i + chunk]
        losses.take(part % 128.0, part / 256)
    assert losses.n == 320
