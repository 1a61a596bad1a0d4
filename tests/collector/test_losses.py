"""Lost samples by the device's counter."""

import numpy as np
import pytest

from bids_export.alignment import sample_clock
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


def test_a_stall_that_a_burst_makes_up_for_has_lost_nothing() -> None:
    numbers = np.arange(4000)
    stamps = numbers / 256
    stamps[1000:1256] = stamps[1255]  # a second of silence, then all at once
    assert n_lost(numbers % 128.0, stamps, 256.0) == 0
    packets = np.arange(4096)
    assert n_lost(packets % 128.0, packets // 256 + 1.0, 256.0) == 0


@pytest.mark.parametrize("modulus", [128, 129, 256, 65536])
@pytest.mark.parametrize("n_gap", [0, 1, 5, 127, 128, 129, 300, 1000])
def test_manifest_and_export_count_the_same_losses(modulus: int, n_gap: int) -> None:
    numbers = np.delete(np.arange(8000), np.arange(3000, 3000 + n_gap))
    jitter = np.random.default_rng(1).normal(0, 0.002, len(numbers))
    stamps, counter = numbers / 128 * 1.0002 + jitter, numbers % float(modulus)
    assert n_lost(counter, stamps, 128.0) == n_gap
    assert sample_clock(stamps, sfreq=128.0, counter=counter).n_lost == n_gap


def test_a_counter_that_is_no_number_ends_no_recording() -> None:
    counter, stamps = np.array([0.0, 1, np.nan, 3, 4, 7]), np.arange(6) / 4
    assert n_lost(counter, stamps, 4.0) == 1 + 2
    losses = Losses(4.0)
    losses.take(counter, stamps)
    assert losses.n == 1 + 2
