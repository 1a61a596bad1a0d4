"""What the synchronisation of screen, camera and EEG is measured from: cued blinks, steps of light, a photodiode."""

import numpy as np
import pytest
from numpy.typing import NDArray

from collector.twin.blinks import Blinks
from collector.twin.contact import Contact
from collector.twin.device import Device, eeg_labels, headers, photodiode
from collector.twin.eeg import Brain
from collector.twin.knobs import Faults, Knobs
from collector.twin.portrait import Portrait
from collector.twin.sensors import EEG_LABELS, SENSORS, SFREQ
from collector.twin.timeline import Timeline
from protocol.markers import Marker
from protocol.study import Study, loads

T0 = 500.0
CUES = tuple(T0 + 5 + 2.7 * n for n in range(8))


def course(knobs: Knobs | None = None, *, display_latency_s: float = 0.0, seed: int = 3) -> Timeline:
    made = Timeline(seed, knobs or Knobs(), display_latency_s=display_latency_s)
    made.add(T0, Marker("session/start", {"participant": "01"}))
    for n, t in enumerate(CUES, 1):
        made.add(t, Marker("sync/cue", {"n": str(n)}))
    return made


def frontal(timeline: Timeline, seconds: float, knobs: Knobs | None = None, *, seed: int = 3) -> NDArray[np.float64]:
    """Return a sensor above the eye, minus one where blinks hardly reach, from T0 on."""
    brain = Brain(seed, state_at=timeline.state_at, time_of=lambda i: T0 + i / SFREQ, knobs=knobs, cues=timeline.cues)
    eeg = brain.take(int(seconds * SFREQ)).astype(float)
    return eeg[:, SENSORS.index("Fp1")] - np.median(eeg[:, SENSORS.index("Fp1")])


def brightness(portrait: Portrait, timeline: Timeline, t: float) -> float:
    return float(portrait.frame(0, t, timeline.state_at(t), cues=timeline.cues).mean())


@pytest.mark.parametrize("display_latency_s", [0.0, 0.06])
def test_a_cued_blink_is_in_the_eeg_and_in_the_face_at_one_instant_some_350_ms_after_the_light(
    display_latency_s: float,
) -> None:
    timeline = course(display_latency_s=display_latency_s)
    front = frontal(timeline, 30)
    portrait, blinks = Portrait(3, size_px=(160, 120)), Blinks(3)
    delays = []
    for cue in CUES:
        light = cue + display_latency_s
        blink = next(t for t in blinks.between(light + 0.2, light + 0.61, cues=timeline.cues))
        at = int((blink - T0) * SFREQ)
        peak = at - 25 + int(np.argmax(np.convolve(front[at - 25 : at + 26], np.hanning(13), "same")))
        assert T0 + peak / SFREQ == pytest.approx(blink, abs=0.04)
        calm = timeline.state_at(blink)
        opened, closed = (portrait.frame(0, blink, calm, cues=c).astype(int) for c in ((), timeline.cues))
        assert np.abs(opened - closed).max() > 40  # the lids
        delays.append(blink - light)
    assert np.mean(delays) == pytest.approx(0.35, abs=0.06) and np.std(delays) > 0.01
    assert min(delays) >= 0.2 and max(delays) <= 0.6


def test_people_answer_a_cue_at_their_own_pace_and_the_same_person_always_alike() -> None:
    def delay(seed: int) -> float:
        return next(t for t in Blinks(seed).between(20.2, 20.61, cues=(20.0,))) - 20

    assert len({delay(seed) for seed in range(12)}) > 8 and delay(4) == delay(4)


def test_missed_and_false_blinks_are_as_frequent_as_asked_and_spread_over_person_eeg_and_face() -> None:
    cues = tuple(float(t) for t in range(10, 4010, 4))
    none = Blinks(3).between(0, 4100)
    blinks = Blinks(3, Knobs(blinks_missed=0.3, blinks_false=0.2))
    eeg, face = (set(blinks.between(0, 4100, cues=cues, seen=seen)) - set(none) for seen in ("eeg", "face"))
    both = set(blinks.between(0, 4100, cues=cues)) - set(none)
    assert both == eeg & face
    assert len(both) == pytest.approx(700, abs=45)
    for alone in (eeg - face, face - eeg):
        late = [t for t in alone if (t - 10) % 4 > 0.65]  # false ones come when the answer is over
        assert len(late) == pytest.approx(100, abs=30)
        assert len(alone) - len(late) == pytest.approx(100, abs=30)


def test_the_face_is_brighter_before_a_white_screen_and_darker_before_a_black_one_from_the_light_on() -> None:
    timeline, portrait = course(display_latency_s=0.05), Portrait(3, size_px=(160, 120))
    before = brightness(portrait, timeline, T0 + 40.0)
    for n, (t, level) in enumerate(((T0 + 41, "white"), (T0 + 42.5, "black"), (T0 + 44, "white")), 1):
        timeline.add(t, Marker("sync/flash", {"n": str(n), "level": level}))
    timeline.add(T0 + 45, Marker("fixation", {"trial": "1", "block": "1", "phase": "onset"}))
    moments = (41.04, 41.06, 42.54, 42.56, 44.9, 45.04, 45.06)
    seen = {t: brightness(portrait, timeline, T0 + t) / before for t in moments}
    assert seen[41.04] == pytest.approx(1, abs=0.05) and seen[41.06] > 1.1
    assert seen[42.54] > 1.1 and seen[42.56] < 0.95
    assert seen[44.9] > 1.1 and seen[45.04] > 1.1 and seen[45.06] == pytest.approx(1, abs=0.05)


def test_after_the_last_step_the_screen_is_as_usual_again_though_no_marker_says_so() -> None:
    timeline = course()
    timeline.add(T0 + 41, Marker("sync/flash", {"n": "1", "level": "black"}))
    assert [timeline.state_at(T0 + t).light for t in (40.9, 41.0, 42.5, 42.7)] == [0.0, -1.0, -1.0, 0.0]


def test_closed_eyes_raise_alpha_and_do_not_blink() -> None:
    timeline = course()
    timeline.add(T0 + 40, Marker("baseline/eyes_closed", {"phase": "onset"}))
    timeline.add(T0 + 80, Marker("baseline/eyes_closed", {"phase": "offset"}))
    brain = Brain(3, state_at=timeline.state_at, time_of=lambda i: T0 + i / SFREQ, cues=timeline.cues)
    eeg = brain.take(int(120 * SFREQ)).astype(float)

    def alpha(start_s: int) -> float:
        seconds = eeg[int(start_s * SFREQ) : int((start_s + 30) * SFREQ), SENSORS.index("Oz")].reshape(30, -1)
        power = np.abs(np.fft.rfft(seconds - seconds.mean(axis=1, keepdims=True), axis=1)) ** 2
        return float(power[:, 9:12].mean())

    assert alpha(45) > 2 * max(alpha(5), alpha(85))
    front = eeg[:, SENSORS.index("Fp1")] - eeg[:, SENSORS.index("Cz")]
    high = front - np.median(front) > 80
    assert high[: int(40 * SFREQ)].any() and not high[int(41 * SFREQ) : int(79 * SFREQ)].any()


def study(**eeg: str) -> Study:
    lines = "\n".join(f'{key} = "{value}"' for key, value in eeg.items())
    emotions = "\n".join(f'{name} = {{ hed = "X", color = "#000000" }}' for name in ("fear", "neutral"))
    text = f'[study]\nname = "x"\n[emotions]\n{emotions}\n[screen]\nphotodiode = "top-left"\nrefresh_hz = 50\n[eeg]\n{lines}\n'
    return loads(text + '[consent]\nversion = "1"\n')


@pytest.mark.parametrize(("display_s", "eeg_s"), [(0.0, 0.0), (0.04, 0.1)])
def test_a_photodiode_channel_shows_the_light_of_the_patch_at_onset_and_offset(display_s: float, eeg_s: float) -> None:
    told = study(photodiode="Light")
    assert eeg_labels(told) == (*EEG_LABELS, "Light") and photodiode(told) == ("Light", 0.02)
    header = headers(told, seed=1, knobs=Knobs())[0]
    assert header.n_channels == 38 and header.labels[-1] == "Light"
    timeline = course(display_latency_s=display_s)
    keys = {"trial": "1", "block": "1", "stim_id": "x", "target": "fear"}
    timeline.add(T0 + 1.0, Marker("clip/onset", keys))
    timeline.add(T0 + 3.0, Marker("clip/offset", keys))
    device = Device(
        3, timeline, t_first=T0, wall_first=0.0, contact=Contact(3, 0.9), labels=eeg_labels(told),
        faults=Faults(eeg_latency_s=eeg_s), photodiode=photodiode(told),
    )  # fmt: skip
    stamps, values = device.eeg_until(T0 + 5)
    assert values.shape == (5 * 256, 38)
    rises, falls = (np.flatnonzero(np.diff(values[:, -1]) * sign > 0) + 1 for sign in (1, -1))
    assert stamps[rises] == pytest.approx([T0 + 1 + display_s + eeg_s, T0 + 3 + display_s + eeg_s], abs=1 / 256)
    assert stamps[falls] - stamps[rises] == pytest.approx(0.02, abs=1 / 256)


def test_the_photodiode_sees_a_white_screen_for_as_long_as_it_is_white() -> None:
    timeline, times = course(), T0 + 40 + np.arange(0, 6, 0.01)
    for t, level in ((T0 + 41, "white"), (T0 + 42.2, "black"), (T0 + 43.4, "white")):
        timeline.add(t, Marker("sync/flash", {"n": "1", "level": level}))
    edges = times[np.flatnonzero(np.diff(timeline.patch(times, 0.02)))] - T0
    assert edges == pytest.approx([41, 42.2, 43.4, 45.0], abs=0.011)  # the last for as long as a step lasts at most


def test_without_a_photodiode_the_headset_has_its_own_channels_alone() -> None:
    assert eeg_labels(study()) == EEG_LABELS and photodiode(study()) is None
