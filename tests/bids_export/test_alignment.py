"""Alignment: which sample each row is, and when each sample was."""

import numpy as np
import pytest

from bids_export import alignment as al
from collector.losses import modulus_of

SFREQ = 256.0


def device(n, *, lost=(), drift_ppm=0.0, jitter_s=0.0, start_s=1e5, sfreq=SFREQ, modulus=256, seed=0):
    """Return index, stamps, counter of what arrives when the slices ``lost`` do not; truth is ``start + index * period``."""
    index = np.arange(n)
    for first, count in lost:
        index = index[(index < first) | (index >= first + count)]
    rng = np.random.default_rng(seed)
    period = (1 + drift_ppm * 1e-6) / sfreq
    stamps = start_s + index * period + jitter_s * rng.exponential(size=len(index))
    return index, stamps, (index % modulus).astype(float), lambda i: start_s + np.asarray(i, float) * period


def test_a_recording_without_loss_keeps_every_row():
    _, stamps, counter, truth = device(10 * 256)
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=counter)
    assert clock.n_times == 2560
    assert clock.gaps == ()
    assert clock.index_of(truth([0, 1000.25, 2559])) == pytest.approx([0, 1000.25, 2559], abs=1e-6)


def test_the_index_of_a_time_outside_the_recording_goes_on_at_the_same_rate():
    _, stamps, counter, truth = device(2560)
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=counter)
    assert clock.index_of(truth([-100, 3000])) == pytest.approx([-100, 3000], abs=1e-6)
    assert clock.time_of(np.array([-100.0, 50.5, 3000.0])) == pytest.approx(truth([-100, 50.5, 3000]), abs=1e-9)


@pytest.mark.parametrize("with_counter", [True, False])
@pytest.mark.parametrize("drift_ppm", [-200.0, 200.0])
def test_an_event_at_the_end_of_twenty_minutes_falls_on_its_sample(with_counter, drift_ppm):
    n = 20 * 60 * 256
    lost = [(50_000, 300), (200_000, 26)]
    _, stamps, counter, truth = device(n, lost=lost, drift_ppm=drift_ppm, jitter_s=0.002)
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=counter if with_counter else None)
    assert clock.n_times == n
    assert clock.n_lost == 326
    probes = np.array([10, 49_990, 50_400, 150_000.5, 200_100, n - 10])
    # jitter only delays: its mean (2 ms) stays in the stamps, as any latency does
    assert np.abs(clock.index_of(truth(probes) + 0.002) - probes).max() < 0.2


@pytest.mark.parametrize(("sfreq", "modulus"), [(128.0, 129), (128.0, 128), (256.0, 256), (256.0, 65536)])
@pytest.mark.parametrize("gap_s", [0.1, 0.5, 1.0, 1.9, 2.0, 5.0])
def test_a_gap_is_found_to_the_sample_whatever_the_counter_wraps_at(sfreq, modulus, gap_s):
    n_lost = round(gap_s * sfreq)
    index, stamps, counter, _ = device(
        round(60 * sfreq), lost=[(3000, n_lost)], jitter_s=0.01, sfreq=sfreq, modulus=modulus, drift_ppm=100
    )
    clock = al.sample_clock(stamps, sfreq=sfreq, counter=counter)
    assert clock.gaps == (al.Gap(3000, n_lost),)
    assert np.array_equal(clock.index, index)


@pytest.mark.parametrize("gap_s", [0.1, 0.5, 1.9, 5.0])
def test_without_a_counter_the_stamps_show_the_gap_to_one_sample(gap_s):
    n_lost = round(gap_s * SFREQ)
    _, stamps, _, _ = device(60 * 256, lost=[(5000, n_lost)], jitter_s=0.002, drift_ppm=-150)
    clock = al.sample_clock(stamps, sfreq=SFREQ)
    assert len(clock.gaps) == 1
    assert clock.gaps[0].first == 5000
    assert abs(clock.gaps[0].n - n_lost) <= 1


@pytest.mark.parametrize("with_counter", [True, False])
def test_a_stall_followed_by_a_burst_is_no_loss(with_counter):
    index, stamps, counter, truth = device(60 * 256, jitter_s=0.001)
    stalled = (index >= 4000) & (index < 4000 + 400)
    stamps[stalled] = truth(4400)  # 1.6 s arrive at once
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=counter if with_counter else None)
    assert clock.gaps == ()
    assert abs(clock.index_of(truth(4200)) - 4200) < 1


def test_a_headset_that_was_switched_off_and_on_is_placed_by_its_stamps():
    _, stamps, counter, truth = device(60 * 256, lost=[(4000, 1000)], jitter_s=0.001)
    counter[4000:] = np.arange(len(counter) - 4000) % 256  # began anew at 0
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=counter)
    assert abs(clock.n_lost - 1000) <= 1
    assert abs(clock.index_of(truth(12_000)) - 12_000) < 1.5


def test_a_latency_that_changed_at_a_loss_is_not_smoothed_over():
    index, stamps, counter, truth = device(120 * 256, lost=[(15_000, 40)], jitter_s=0.0005)
    stamps[index > 15_000] += 0.050
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=counter)
    assert clock.gaps == (al.Gap(15_000, 40),)
    assert clock.time_of(np.array([14_000.0])) == pytest.approx(truth([14_000]), abs=0.001)
    assert clock.time_of(np.array([16_000.0])) == pytest.approx(truth([16_000]) + 0.050, abs=0.001)


def test_many_short_losses_do_not_add_up():
    n = 300 * 256
    lost = [(first, 7) for first in range(100, n - 100, 300)]
    index, stamps, counter, truth = device(n, lost=lost, jitter_s=0.005, drift_ppm=200)
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=counter)
    assert np.array_equal(clock.index, index)
    probes = np.linspace(0, n - 1, 50)
    assert np.abs(clock.index_of(truth(probes) + 0.005) - probes).max() < 1


def test_a_sample_that_was_sent_twice_counts_once():
    _, stamps, counter, _ = device(2560)
    stamps, counter = np.insert(stamps, 101, stamps[100] + 1e-4), np.insert(counter, 101, counter[100])
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=counter)
    assert clock.n_times == 2560
    assert 101 not in clock.rows


def test_a_counter_that_does_not_count_is_not_believed():
    _, stamps, _, _ = device(2560)
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=np.zeros(2560))
    assert clock.n_times == 2560


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_stamp_that_is_not_a_number_is_refused(bad):
    stamps = np.arange(10.0)
    stamps[3] = bad
    with pytest.raises(al.AlignmentError, match="sample 3"):
        al.sample_clock(stamps, sfreq=1.0)


def test_one_sample_makes_no_clock():
    with pytest.raises(al.AlignmentError, match="1 samples"):
        al.sample_clock(np.array([1.0]), sfreq=256.0)


def test_lost_samples_are_bridged_by_a_straight_line_and_the_others_stay():
    clock = al.sample_clock(np.array([0, 1, 2, 5, 6, 7.0]) / 4, sfreq=4.0, counter=np.array([0, 1, 2, 5, 6, 7.0]))
    values = np.array([[0.0], [1], [2], [8], [9], [10]])
    assert al.fill(values, clock).ravel() == pytest.approx([0, 1, 2, 4, 6, 8, 9, 10])


@pytest.mark.parametrize(
    ("counter", "modulus"),
    [([0, 1, 2, 3, 0, 1, 2, 3, 0], 4), ([5, 6, 7, 8], 0), ([1, 1, 1, 1], None), ([0.5, 1.5, 2.5], None), ([0, 3, 6, 9], None)],
)
def test_the_modulus_of_a_counter_is_inferred(counter, modulus):
    assert modulus_of(np.array(counter, float)) == modulus


def test_what_is_no_number_was_not_measured_and_a_channel_without_any_says_nothing():
    _, stamps, counter, _ = device(2560, lost=[(100, 5)])
    values = np.column_stack([np.arange(2560.0)[np.r_[0:100, 105:2560]], np.full(2555, np.nan)])
    values[[700, 701], 0] = np.nan, np.inf
    clock = al.sample_clock(stamps, sfreq=SFREQ, counter=counter)
    filled = al.fill(values, clock)
    assert filled[:, 0] == pytest.approx(np.arange(2560))
    assert np.isnan(filled[:, 1]).all()
    assert al.invented(clock, al.untold(values)[clock.rows]) == (al.Gap(100, 5), al.Gap(705, 2))
