"""The sync certificate: delays out of events, and which of them shifts what."""

import numpy as np
import pytest

from bids_export import alignment, sync, sync_events, sync_signals
from bids_export.sync import Certificate, Leg
from bids_export.timebase import Timebase
from collector import contact
from tests.bids_export.sync_cases import Case

EVENTS = np.cumsum(np.random.default_rng(3).uniform(1.5, 4.0, 20))


def leg(name="camera-eeg", delay=0.1, error=0.002, n=12, drift=0.0) -> Leg:
    return Leg(
        name, "m", "", delay, delay - 2 * error, delay + 2 * error, drift, 600.0, n, n, 1.0, 0.01, error**2, n - 2.0
    )  # fmt: skip


def test_a_delay_is_found_although_events_are_missing_and_others_are_false():
    second = np.sort(np.concatenate([np.delete(EVENTS, [3, 11]) + 0.7, [11.23, 30.5]]))
    found = sync.measure("camera-eeg", EVENTS, second, method="m")
    assert found.delay_s == pytest.approx(0.7, abs=1e-3)
    assert found.low_s < 0.7 < found.high_s
    assert (found.n_used, found.peak) == (18, pytest.approx(18 / 20, abs=0.06))


def test_events_at_even_intervals_have_two_delays_and_so_none():
    even = np.arange(0, 40, 2.0)
    found = sync.measure("camera-eeg", even, even + 0.4, method="m")
    assert not found.estimable
    assert "two delays fit nearly as well" in found.reason


def test_a_step_up_never_belongs_to_a_step_down():
    levels = np.where(np.arange(20) % 2 == 0, 1, -1)
    found = sync.measure("screen-camera", EVENTS, EVENTS + 0.2, method="m", first_kind=levels, second_kind=-levels)
    assert not found.estimable


@pytest.mark.parametrize("n", [0, 4])
def test_a_few_events_are_too_few(n):
    found = sync.measure("camera-eeg", EVENTS[:n], EVENTS[:n] + 0.1, method="m")
    assert found.reason == f"{n} events are too few: 5 are needed"
    assert found.at(np.array([3.0])) == pytest.approx([0.0])


def test_events_that_have_nothing_to_do_with_each_other_have_no_delay():
    others = np.cumsum(np.random.default_rng(9).uniform(1.5, 4.0, 20))
    assert not sync.measure("camera-eeg", EVENTS, others, method="m").estimable


def test_the_grain_of_a_camera_is_in_the_interval_even_when_every_pair_agrees():
    fine = sync.measure("screen-camera", EVENTS, EVENTS + 0.1, method="m")
    coarse = sync.measure("screen-camera", EVENTS, EVENTS + 0.1, method="m", grain_s=0.1)
    assert fine.high_s - fine.low_s < 0.01 < coarse.high_s - coarse.low_s


def test_screen_to_eeg_is_the_two_legs_one_after_the_other():
    chained = sync.chain(leg("screen-camera", 0.08, 0.003), leg("camera-eeg", 0.5, 0.004, drift=50.0))
    assert chained.delay_s == pytest.approx(0.58)
    assert chained.drift_ppm == pytest.approx(50.0)
    assert (chained.high_s - chained.low_s) / 2 == pytest.approx(0.005 * 2.09, rel=0.05)  # t with some 20 degrees of freedom


def test_a_chain_with_a_missing_leg_says_which():
    chained = sync.chain(leg("screen-camera"), sync.missing("camera-eeg", "nobody was asked to blink"))
    assert (chained.estimable, chained.reason) == (False, "camera-eeg: nobody was asked to blink")


def test_events_move_by_screen_to_eeg_and_frames_by_camera_to_eeg_and_the_headsets_own_stamps_by_nothing():
    clock = alignment.sample_clock(1000 + np.arange(2560) / 256, sfreq=256.0)
    measured = Certificate(leg("screen-camera", 0.08), leg("camera-eeg", 0.5), leg("screen-eeg", 0.58))
    base, at = Timebase(clock, certificate=measured), np.array([1002.0])
    assert base.of_screen(at) == pytest.approx([2.58])
    assert base.of_frames(at) == pytest.approx([2.5])
    assert base.of_stamps(at) == pytest.approx([2.0])


def test_a_study_that_only_wants_a_report_moves_nothing():
    measured = Certificate(leg("screen-camera"), leg("camera-eeg"), leg("screen-eeg"))
    assert sync.applied(measured, "none") is sync.NOTHING
    assert sync.record(measured.screen_eeg, "none")["applied"] is False
    assert sync.record(measured.screen_eeg, "certificate")["applied"] is True
    assert sync.record(measured.screen_camera, "certificate")["applied"] is False


def test_without_eeg_nothing_is_moved_and_time_begins_with_the_face():
    assert Timebase(None, zero_s=50.0).of_frames(np.array([50.0, 51.5])) == pytest.approx([0.0, 1.5])


def test_a_photodiode_tells_when_the_screen_lit_up_to_a_part_of_a_sample():
    times, lit = np.arange(0, 60, 1 / 256), np.arange(2.0, 58.0, 3.7)
    volts = 20 + 880 * np.sum([np.clip((times - t) * 256 + 0.5, 0, 1) * (times < t + 0.04) for t in lit], axis=0)
    found = sync_events.flashes(times, volts + np.random.default_rng(1).normal(0, 2, len(times)))
    assert found == pytest.approx(lit, abs=0.001)


def test_a_dark_photodiode_saw_nothing():
    assert len(sync_events.flashes(np.arange(100.0), 20 + np.random.default_rng(1).normal(0, 1, 100))) == 0


def test_a_hole_in_the_video_is_no_step_and_ends_a_blink():
    times = np.arange(0, 10, 1 / 30)
    brightness = np.where(times < 5, 100.0, 130.0)
    whole = (times < 4.9) | (times > 5.6)
    assert len(sync_events.steps(times, brightness)[0]) == 1
    assert len(sync_events.steps(times[whole], brightness[whole])[0]) == 0
    closed = np.exp(-0.5 * ((times - 3.0) / 0.07) ** 2)
    assert sync_events.closures(times, closed) == pytest.approx([3.0], abs=0.002)
    closed[90] = np.nan
    assert len(sync_events.closures(times, closed)) == 0


def test_eyes_that_only_twitch_do_not_blink():
    likeness = 1 - 0.05 * np.exp(-0.5 * ((np.arange(0, 10, 1 / 30) - 3.0) / 0.07) ** 2)
    assert np.abs(sync_events.closedness(likeness)).max() == 0


def test_a_step_that_takes_two_frames_is_placed_between_them():
    times = np.arange(0, 4, 0.04)
    brightness = np.where(times < 2.0, 100.0, 120.0)
    brightness[50] = 105.0  # this frame was exposed for a quarter of its time to the brighter screen
    moments, signs = sync_events.steps(times, brightness)
    assert signs.tolist() == [1]
    assert moments[0] == pytest.approx(times[50] + 0.04 / 3, abs=1e-6)


def test_one_made_up_session_through_all_three_legs():
    case = Case.draw(5)
    first, second = case.screen_camera(), case.camera_eeg()
    assert first.delay_s == pytest.approx(case.display_s + case.camera_s, abs=0.01)
    assert second.drift_ppm == pytest.approx(case.drift * 1e6, abs=15)
    truth = case.display_s + case.camera_s + float(case.late(second.origin_s - case.camera_s))
    assert sync.chain(first, second).delay_s == pytest.approx(truth, abs=0.02)


def test_one_spike_of_a_photodiode_hides_no_flash():
    times, lit = np.arange(0, 60, 1 / 256), np.arange(2.0, 58.0, 3.7)
    volts = 20 + 880 * np.sum([np.clip((times - t) * 256 + 0.5, 0, 1) * (times < t + 0.04) for t in lit], axis=0)
    volts += np.random.default_rng(1).normal(0, 2, len(times))
    volts[5000:5003] = 2000
    found = sync_events.flashes(times, volts)
    assert found == pytest.approx(np.sort([*lit, times[5000]]), abs=0.004)


@pytest.mark.parametrize("sign", [1, -1])
def test_blinks_are_seen_whichever_way_they_go_and_a_noisy_sensor_hides_none(sign):
    rng, times = np.random.default_rng(0), np.arange(0, 60, 1 / 256)
    moments = 10 + np.cumsum(rng.uniform(1.5, 4, 12))
    uv = sum(100 * np.exp(-0.5 * ((times - t) / 0.07) ** 2) for t in moments)
    sensors = 4200 + sign * uv + rng.normal(0, np.array([[5.0], [5.0], [400.0]]), (3, len(times)))
    found = sync_events.blinks(times, contact.frontal_line(sensors, 256.0) * 1e-6, 256.0)
    assert found == pytest.approx(moments, abs=0.02)


def test_a_photodiode_that_tells_nothing_leaves_the_chain_which_says_so():
    dark, chained = sync.missing("screen-eeg", "0 events are too few"), leg("screen-eeg", 0.58)
    used = sync_signals._screen_eeg(dark, chained)
    assert (used.delay_s, used.method) == (0.58, "m (the photodiode tells nothing: 0 events are too few)")
    assert sync_signals._screen_eeg(leg("screen-eeg", 0.1), chained).delay_s == 0.1
    assert sync_signals._screen_eeg(None, chained) is chained
    neither = sync_signals._screen_eeg(dark, sync.missing("screen-eeg", "camera-eeg: nobody was asked to blink"))
    assert neither.reason == "photodiode: 0 events are too few; camera-eeg: nobody was asked to blink"


@pytest.mark.parametrize("seed", range(5))
def test_cues_of_one_phase_tell_no_drift_that_could_be_carried_over_twenty_minutes(seed):
    rng = np.random.default_rng(seed)
    first = 20 + np.cumsum(rng.uniform(1.5, 4.0, 30))
    second = first + 0.4 + rng.normal(0, 0.02, 30)
    found = sync.measure("camera-eeg", first, second, method="m", span=(0.0, 1200.0))
    assert found.drift_ppm is None
    assert found.at(np.array([1200.0])) == pytest.approx([0.4], abs=0.02)
    (start_low, start_high), (low, high) = found.ends_s
    assert start_low < 0.4 < start_high and low < 0.4 - 0.1 and high > 0.4 + 0.1  # two clocks may drift apart all the same
    told = sync.record(found, "certificate")
    assert told["interval95_at_end_s"] == [round(low, 6), round(high, 6)]


def test_cues_at_both_ends_tell_the_drift_and_how_sure_it_is_there():
    first = np.concatenate([EVENTS, EVENTS + 1140])
    found = sync.measure("camera-eeg", first, first * (1 + 80e-6) + 0.4, method="m", span=(0.0, 1200.0))
    assert found.drift_ppm == pytest.approx(80, abs=2)
    for t, (low, high) in zip((0.0, 1200.0), found.ends_s, strict=True):
        assert low < 0.4 + 80e-6 * t < high < low + 0.01
    chained = sync.chain(found, found)
    assert chained.ends_s[1][0] < 0.8 + 160e-6 * 1200 < chained.ends_s[1][1]
