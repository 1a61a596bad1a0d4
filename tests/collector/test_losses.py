"""Lost samples by the device's counter."""

import numpy as np
import pytest

from bids_export.alignment import sample_clock
from collector.losses import TRUST_S, Losses, n_lost, steps_of


@pytest.mark.parametrize(("first", "n_gap"), [(50, 1), (50, 5), (50, 300), (120, 20), (50, 129)])
def test_lost_samples_are_counted_through_the_wrap_and_beyond_a_whole_round(first: int, n_gap: int) -> None:
    numbers = np.delete(np.arange(2000), np.arange(first, first + n_gap))
    assert n_lost(numbers % 128.0, numbers / 256, 256.0) == n_gap


def test_a_counter_that_runs_through_has_lost_nothing() -> None:
    assert n_lost(np.arange(2000) % 128.0, np.arange(2000) / 256, 256.0) == 0
    assert n_lost(np.zeros(0), np.zeros(0), 256.0) == 0


def live(counter: np.ndarray, stamps: np.ndarray, sfreq: float, *, chunk: int = 13) -> int:
    """Count as the recorder does, chunk by chunk."""
    losses = Losses(sfreq)
    for i in range(0, len(counter), chunk):
        losses.take(counter[i : i + chunk], stamps[i : i + chunk])
    return losses.n


@pytest.mark.parametrize("chunk", [1, 7, 64, 5000])
def test_chunk_by_chunk_the_same_losses_are_counted(chunk: int) -> None:
    numbers = np.delete(np.arange(2000), [*range(300, 320), *range(900, 1200)])
    assert live(numbers % 128.0, numbers / 256, 256.0, chunk=chunk) == 320


@pytest.mark.parametrize("sfreq", [128.0, 256.0])
@pytest.mark.parametrize("at", [3000, 3050, 3071, 3110])
@pytest.mark.parametrize("n_gap", [0, 200, 1000])
def test_a_counter_that_begins_anew_in_the_middle_of_a_turn_is_counted_once(at: int, n_gap: int, sfreq: float) -> None:
    numbers = np.delete(np.arange(9000), np.arange(at, at + n_gap))
    counter = numbers % 128.0
    counter[at:] = np.arange(len(counter) - at) % 128
    stamps = numbers / sfreq
    told = n_lost(counter, stamps, sfreq)
    assert told == live(counter, stamps, sfreq) == sample_clock(stamps, sfreq=sfreq, counter=counter).n_lost
    # the stamps are all there is: below TRUST_S they cannot tell a restart from a loss
    assert abs(told - n_gap) <= TRUST_S * sfreq


def test_a_loss_of_seconds_is_shown_as_soon_as_the_next_chunk_is_in_and_stays() -> None:
    losses, numbers = Losses(256.0), np.delete(np.arange(20_000), np.arange(5000, 5700))
    shown = []
    for i in range(0, len(numbers), 16):
        losses.take(numbers[i : i + 16] % 256.0, numbers[i : i + 16] / 256)
        shown.append(losses.n)
    assert set(shown[: 5000 // 16]) == {0}
    assert set(shown[5000 // 16 + 1 :]) == {700}


def test_a_stall_is_shown_no_longer_once_it_is_made_up_for() -> None:
    numbers = np.arange(20_000)
    stamps = numbers / 256
    stamps[5000:5512] = stamps[5511]  # two seconds of silence, then all at once
    assert live(numbers % 128.0, stamps, 256.0) == 0


def test_a_stall_that_a_burst_makes_up_for_has_lost_nothing() -> None:
    numbers = np.arange(4000)
    stamps = numbers / 256
    stamps[1000:1256] = stamps[1255]  # a second of silence, then all at once
    assert n_lost(numbers % 128.0, stamps, 256.0) == 0
    packets = np.arange(4096)
    assert n_lost(packets % 128.0, packets // 256 + 1.0, 256.0) == 0


@pytest.mark.parametrize("modulus", [128, 129, 256, 65536])
@pytest.mark.parametrize("n_gap", [0, 1, 5, 127, 128, 129, 300, 1000])
def test_status_manifest_and_export_count_the_same_losses(modulus: int, n_gap: int) -> None:
    numbers = np.delete(np.arange(8000), np.arange(3000, 3000 + n_gap))
    jitter = np.random.default_rng(1).normal(0, 0.002, len(numbers))
    stamps, counter = numbers / 128 * 1.0002 + jitter, numbers % float(modulus)
    assert n_lost(counter, stamps, 128.0) == n_gap
    assert live(counter, stamps, 128.0) == n_gap
    assert sample_clock(stamps, sfreq=128.0, counter=counter).n_lost == n_gap


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_a_count_that_is_no_number_ends_no_recording_and_its_sample_has_arrived(chunk: int) -> None:
    numbers = np.delete(np.arange(400), [50, 51])
    counter = numbers % 16.0
    counter[[10, 49, 50, 90]] = np.nan
    assert n_lost(counter, numbers / 4, 4.0) == live(counter, numbers / 4, 4.0, chunk=chunk) == 2
    assert sample_clock(numbers / 4, sfreq=4.0, counter=counter).n_lost == 2


def packets(size: int, jitter_s: float, *, n_lost: int = 0, seed: int = 0, sfreq: float = 256.0) -> np.ndarray:
    """Return the stamps of 100 s of packets that are stamped on arrival, their samples 0.1 ms apart; 10,003 to .. are lost."""
    numbers = np.delete(np.arange(round(100 * sfreq)), np.arange(10_003, 10_003 + n_lost))
    packet = np.arange(len(numbers)) // size
    last = np.minimum(packet * size + size - 1, len(numbers) - 1)
    late = jitter_s * np.random.default_rng(seed).exponential(size=packet[-1] + 1)
    arrived = np.maximum.accumulate(1e5 + numbers[last] * 1.0001 / sfreq + late[packet])
    return arrived + (np.arange(len(numbers)) % size) * min(1e-4, 0.9 / sfreq / size)


@pytest.mark.parametrize(("size", "jitter_s"), [(1, 0.005), (8, 0.0), (8, 0.005), (32, 0.003), (32, 0.005)])
@pytest.mark.parametrize("n_gap", [0, 5, 32, 45, 700])
def test_without_a_counter_packets_stamped_on_arrival_are_not_taken_for_losses(size: int, jitter_s: float, n_gap: int) -> None:
    stamps = packets(size, jitter_s, n_lost=n_gap)
    steps = steps_of(stamps, 256.0)
    (gaps,) = np.nonzero(steps != 1)
    assert len(gaps) == (n_gap > 0)
    assert int((steps - 1).sum()) == n_gap
    assert (np.abs(gaps - 10_002) <= size).all()
    assert live(np.zeros(len(stamps)), stamps, 256.0, chunk=160) == n_gap


@pytest.mark.parametrize("size", [8, 32])
def test_losses_one_after_the_other_between_packets_are_told_apart(size: int) -> None:
    stamps = packets(size, 0.003)
    kept = np.delete(np.arange(len(stamps)), [*range(10_240, 10_304), *range(10_752, 10_784)])  # whole packets, 1.8 s apart
    steps = steps_of(stamps[kept], 256.0)
    assert steps[steps != 1].tolist() == [65, 33]


def test_a_stall_of_packets_and_one_stamp_that_is_far_too_early_have_lost_nothing() -> None:
    stamps = packets(8, 0.005)
    stamps[5000:6400] = stamps[6399]  # more than five seconds of silence, then all at once
    stamps[15_000] -= 0.08
    assert (steps_of(stamps, 256.0) == 1).all()
    assert live(np.zeros(len(stamps)), stamps, 256.0, chunk=160) == 0


def test_a_counter_is_believed_where_a_packet_that_took_long_lacks_samples() -> None:
    numbers = np.delete(np.arange(30_000), np.arange(10_000, 10_128))
    packet = np.arange(len(numbers)) // 32
    stamps = 1e5 + numbers[np.minimum(packet * 32 + 31, len(numbers) - 1)] / 256
    assert n_lost(numbers % 256.0, stamps, 256.0) == live(numbers % 256.0, stamps, 256.0, chunk=32) == 128
