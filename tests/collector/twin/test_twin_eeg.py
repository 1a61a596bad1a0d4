"""The simulated EEG: what it shows, what it hides, and that it is always the same."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import welch

from collector.twin.blinks import Blinks
from collector.twin.eeg import OFFSET_UV, Brain
from collector.twin.emotions import pattern
from collector.twin.knobs import Knobs, seed_of
from collector.twin.sensors import CQ_LABELS, EEG_LABELS, EQ_LABELS, PLACES, REGIONS, SENSORS, SFREQ

from .helpers import CLIP_S, EMOTIONS, EVERY_S, FIRST_S, T0, timeline

N = int(SFREQ)


def recorded(seed: int, knobs: Knobs, targets: tuple[str, ...], *, blocks: tuple[int, ...] = ()) -> NDArray[np.float32]:
    n = int((FIRST_S + EVERY_S * len(targets)) * SFREQ)
    brain = Brain(seed, state_at=timeline(seed, knobs, targets).state_at, time_of=lambda i: T0 + i / SFREQ, knobs=knobs)
    return np.concatenate([brain.take(size) for size in blocks or (n,)])


def clip(eeg: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """Cut clip ``n`` (from 0) out, without its first second."""
    start = int((FIRST_S + n * EVERY_S + 1) * SFREQ)
    return eeg[start : start + int((CLIP_S - 1) * SFREQ)].T


def spectrum_db(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return power per sensor at 0, 1, 2 .. Hz, dB."""
    return 10 * np.log10(welch(x - x.mean(axis=1, keepdims=True), SFREQ, nperseg=N)[1])


def test_the_streams_are_shaped_as_emotivs() -> None:
    assert len(EEG_LABELS) == 37
    assert EEG_LABELS[:4] == ("Timestamp", "Counter", "Interpolate", "Cz")
    assert EEG_LABELS[-3:] == ("Fp2", "HardwareMarker", "Markers")
    assert (len(SENSORS), len(set(SENSORS)), len(CQ_LABELS), len(EQ_LABELS)) == (32, 32, 36, 36)
    places = dict(zip(SENSORS, PLACES.tolist(), strict=True))
    assert places["Fp1"] == [0.0, -1.0] and places["T8"] == [3.0, 4.0] and places["Oz"] == [7.0, 0.0]


def test_the_same_seed_gives_the_same_eeg_however_it_is_asked_for() -> None:
    whole = recorded(3, Knobs(), EMOTIONS)
    parts = recorded(3, Knobs(), EMOTIONS, blocks=(1, 7, 128, 129, 1000, 16, 31))
    assert np.array_equal(whole[: len(parts)], parts)
    assert not np.array_equal(whole, recorded(4, Knobs(), EMOTIONS))


def test_without_effect_the_eeg_knows_nothing_of_the_clips_emotion() -> None:
    none = Knobs(effect=0.0)
    assert np.array_equal(recorded(3, none, EMOTIONS), recorded(3, none, EMOTIONS[::-1]))
    assert not np.array_equal(recorded(3, Knobs(), EMOTIONS), recorded(3, Knobs(), EMOTIONS[::-1]))


def test_before_a_clip_the_eeg_does_not_know_what_will_come() -> None:
    seen, other = recorded(3, Knobs(), EMOTIONS), recorded(3, Knobs(), EMOTIONS[::-1])
    before = int(FIRST_S * SFREQ)
    assert np.array_equal(seen[:before], other[:before])


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_an_effect_of_1_raises_and_lowers_power_where_the_pattern_says(emotion: str) -> None:
    shown = Knobs(eeg_absent=0.0)
    targets = (emotion,) * 8
    with_, without = recorded(5, shown, targets), recorded(5, Knobs(effect=0.0, eeg_absent=0.0), targets)
    changes = [spectrum_db(clip(with_, n)) - spectrum_db(clip(without, n)) for n in range(len(targets))]
    change, rises = np.mean(changes, axis=0), pattern(emotion).rises(np.arange(N // 2 + 1.0))
    for band in (slice(2, 14), slice(15, 30), slice(32, 49)):
        if np.abs(rises[:, band]).max() > 0.7:
            assert np.corrcoef(change[:, band].ravel(), rises[:, band].ravel())[0, 1] > 0.6
    risen = rises > 0.7
    # intensity .3 to 1.1 and sensitivity .5 to 1.5 of 6 dB
    assert 1.5 < change[risen].mean() < 9
    assert np.abs(change[:, 55:].mean()) < 0.2  # beyond the bands nothing happens


def test_the_effect_is_there_in_some_trials_and_not_in_others() -> None:
    course = timeline(7, Knobs(eeg_absent=0.3), ("fear",) * 200)
    strengths = np.array([course.state_at(T0 + FIRST_S + n * EVERY_S + 1).eeg for n in range(200)])
    assert 40 <= (strengths == 0).sum() <= 80
    assert strengths[strengths > 0].min() >= 0.3 and strengths.max() <= 1.1


def test_scaling_every_window_by_its_own_range_does_not_remove_the_effect() -> None:
    """Neither gain nor band power: the shape within 14 to 31 Hz alone tells fear from happiness."""
    targets = ("fear", "happiness") * 6
    eeg = recorded(11, Knobs(eeg_absent=0.0), targets)
    central = REGIONS["central"] > 0
    bands = np.array([spectrum_db(clip(eeg, n))[central, 15:30] for n in range(len(targets))])
    low, high = bands.min(axis=2, keepdims=True), bands.max(axis=2, keepdims=True)
    scaled = ((bands - low) / (high - low)).mean(axis=1)
    difference = scaled[0::2].mean(axis=0) - scaled[1::2].mean(axis=0)
    assert difference[22 - 15 : 25 - 15].mean() > 0.1
    assert difference[17 - 15 : 20 - 15].mean() < -0.1


def test_fingerprints_of_trial_and_stimulus_are_off_unless_asked_for() -> None:
    none, quiet = Knobs(effect=0.0), ("neutral",) * 6
    plain = recorded(3, none, quiet)
    for knobs in (Knobs(effect=0.0, trial=3.0), Knobs(effect=0.0, stimulus=3.0)):
        marked = recorded(3, knobs, quiet)
        changes = [spectrum_db(clip(marked, n))[:, 1:45] - spectrum_db(clip(plain, n))[:, 1:45] for n in range(6)]
        assert min(np.std(c) for c in changes) > 1
        assert np.array_equal(plain[: int(FIRST_S * SFREQ)], marked[: int(FIRST_S * SFREQ)])
    stimulus = Knobs(effect=0.0, stimulus=3.0)
    one, two = (recorded(s, stimulus, quiet) - recorded(s, none, quiet) for s in (3, 4))
    shapes = [[spectrum_db(clip(x, n))[:, 1:45].mean(axis=0) for n in range(6)] for x in (one, two)]
    same = np.mean([np.corrcoef(shapes[0][n], shapes[1][n])[0, 1] for n in range(6)])
    other = np.mean([np.corrcoef(shapes[0][n], shapes[1][(n + 1) % 6])[0, 1] for n in range(6)])
    assert same > other + 0.1


def test_microvolts_look_like_an_emotivs() -> None:
    eeg = recorded(3, Knobs(), ("neutral",))
    assert abs(eeg.mean() - OFFSET_UV) < 100
    power = spectrum_db(eeg.T)
    posterior, frontal = SENSORS.index("Oz"), SENSORS.index("Fp1")
    assert power[posterior, 8:13].max() > power[posterior, 5] + 2 and power[posterior, 8:13].max() > power[frontal, 8:13].max()
    assert np.median(power[:, 50] - power[:, 46]) > 2  # mains
    assert power[:, 2].mean() > power[:, 20].mean() + 6  # 1/f


def test_blinks_are_where_the_face_blinks() -> None:
    seed = 3
    eeg = recorded(seed, Knobs(), ("neutral",) * 4)
    moments = Blinks(seed).between(T0 + 1, T0 + len(eeg) / SFREQ - 1)
    assert 6 <= len(moments) <= 16
    front = eeg[:, SENSORS.index("Fp1")] - np.median(eeg[:, SENSORS.index("Fp1")])
    peaks = [front[int((t - T0) * SFREQ) - 5 : int((t - T0) * SFREQ) + 6].mean() for t in moments]
    assert min(peaks) > 60 and (np.abs(front) > 80).mean() < 0.1


def test_a_cue_brings_a_blink_within_half_a_second() -> None:
    blinks = Blinks(1)
    assert len([t for t in blinks.between(200, 260, cues=(220.0, 230.0)) if 220.2 <= t <= 220.6 or 230.2 <= t <= 230.6]) >= 2
    assert blinks.closure(np.arange(219.0, 222.0, 0.01), cues=(220.0,)).max() > 0.99


def test_every_participant_is_somebody_else() -> None:
    seeds = {seed_of(f"{n:02d}", seed=s) for n in range(1, 51) for s in (1, 2)}
    assert len(seeds) == 100
    assert seed_of("07", seed=1) == seed_of("07", seed=1)
