"""Measured clock offsets: lines that outliers do not move, and steps that are steps."""

import numpy as np
import pytest

from collector.offsets import fit_clock


def test_clock_offsets_make_a_line_that_outliers_do_not_move():
    rng = np.random.default_rng(1)
    times = np.arange(0, 1200, 5.0)
    values = -3.2 + 150e-6 * times + 1e-4 * rng.standard_normal(len(times))
    values[::20] += 0.05  # round trips that took the long way
    clock = fit_clock(np.column_stack([times, values]))
    assert clock.n_left_out == 12
    mapped = clock.map(np.array([0.0, 1200.0]))
    assert mapped == pytest.approx([-3.2, 1200 - 3.2 + 0.18], abs=2e-4)


def test_a_clock_without_offsets_is_the_recorders_own():
    assert fit_clock(np.empty((0, 2))).map(np.array([1.5])) == pytest.approx([1.5])


def test_an_offset_that_is_not_a_number_is_left_out():
    clock = fit_clock(np.array([[0.0, 1.0], [5.0, np.nan], [10.0, 1.0]]))
    assert (clock.n_used, clock.n_left_out) == (2, 1)
    assert clock.map(np.array([7.0])) == pytest.approx([8.0])


def sender(moves=(), *, ppm=40.0, duration=600.0, noise=1e-4, sfreq=50.0, seed=2):
    """Return offsets, stamps and true times of a computer whose clock was set at ``moves``: (at_s, by_s)."""
    rng = np.random.default_rng(seed)

    def shown(t):
        return t - 3.2 - ppm * 1e-6 * t + sum((by * (t >= at) for at, by in moves), np.zeros(len(t)))

    measured, truth = np.arange(2.0, duration, 5.0), np.arange(0, duration, 1 / sfreq)
    offsets = np.column_stack([shown(measured), measured - shown(measured) + noise * rng.standard_normal(len(measured))])
    return offsets, shown(truth), truth


@pytest.mark.parametrize("moves", [((303.3, 2.0),), ((303.3, -2.0),), ((100.1, 0.05), (400.7, -30.0)), ((303.3, -250.0),)])
def test_a_clock_that_was_set_is_followed_from_the_very_sample(moves):
    offsets, stamps, truth = sender(moves)
    clock = fit_clock(offsets)
    assert len(clock.pieces) == len(moves) + 1
    assert np.abs(clock.map(stamps) - truth).max() < 0.002


def test_a_computer_that_began_anew_counts_from_zero():
    offsets, stamps, truth = sender()
    began = truth >= 300.3
    stamps = np.where(began, truth - 300.3, stamps)
    late = offsets[:, 0] + offsets[:, 1] >= 300.3
    seconds = offsets[late].sum(axis=1)
    offsets[late] = np.column_stack([seconds - 300.3, np.full(late.sum(), 300.3)])
    assert np.abs(fit_clock(offsets).map(stamps) - truth).max() < 0.002


def test_wild_measurements_beside_a_step_move_neither_it_nor_the_lines():
    offsets, stamps, truth = sender(((303.3, 1.0),))
    offsets[[10, 57, 63, 100], 1] += (0.3, -0.4, 0.2, 5.0)
    clock = fit_clock(offsets)
    assert (len(clock.pieces), clock.n_left_out) == (2, 4)
    assert np.abs(clock.map(stamps) - truth).max() < 0.002


@pytest.mark.parametrize("noise", [1e-5, 1e-3, 5e-3])
def test_noise_is_no_step(noise):
    offsets, stamps, truth = sender(noise=noise)
    clock = fit_clock(offsets)
    assert len(clock.pieces) == 1
    assert np.abs(clock.map(stamps) - truth).max() < noise + 1e-4


def test_markers_are_few_and_follow_too():
    offsets, _, _ = sender(((303.3, -2.0),))
    moments = np.array([10.0, 200.0, 302.0, 310.0, 500.0])
    shown = moments - 3.2 - 40e-6 * moments - 2.0 * (moments >= 303.3)
    assert fit_clock(offsets).map(shown) == pytest.approx(moments, abs=0.002)
