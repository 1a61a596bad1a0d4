"""The simulated participant: answers that fit the clip, markers into states, settings between processes."""

import numpy as np
import pytest

from collector.twin.knobs import Knobs, environment, from_environment, random
from collector.twin.person import answer, response_s
from collector.twin.timeline import Timeline
from protocol.markers import Marker, parse

CHOICES = ("happiness", "sadness", "fear", "neutral", "other")


def mean(question: str, target: str) -> float:
    return float(np.mean([int(answer(question, target, random("test", n))) for n in range(200)]))


def test_ratings_fit_the_clip_on_average_and_stay_on_the_scale() -> None:
    assert mean("valence", "happiness") > 6.5 > 3.5 > mean("valence", "sadness")
    assert mean("arousal", "fear") > 6 > 4 > mean("arousal", "neutral")
    assert mean("valence", "awe") == pytest.approx(5, abs=0.3)
    given = {answer("arousal", "fear", random("test", n)) for n in range(500)}
    assert given <= set("123456789") and len(given) >= 5


def test_the_felt_emotion_is_mostly_the_clips_and_always_one_of_the_choices() -> None:
    said = [answer("emotion", "fear", random("test", n), choices=CHOICES) for n in range(500)]
    assert set(said) == set(CHOICES)
    assert 0.75 < said.count("fear") / 500 < 0.92
    assert {answer("emotion", "fear", random("test", n)) for n in range(50)} == {"fear", "other"}
    # a target that cannot be answered is never said
    assert "awe" not in {answer("emotion", "awe", random("test", n), choices=CHOICES) for n in range(100)}


def test_strength_attention_and_familiarity_are_answered_too() -> None:
    assert mean("intensity", "fear") == pytest.approx(6, abs=0.3) == mean("intensity", "awe")
    assert mean("liking", "awe") == pytest.approx(5, abs=0.3)
    for question, share in (("looked_away", 0.05), ("familiarity", 0.10)):
        said = [answer(question, "fear", random("test", n), choices=("yes", "no")) for n in range(1000)]
        assert said.count("yes") / 1000 == pytest.approx(share, abs=0.025) and set(said) == {"yes", "no"}


def test_people_take_their_time() -> None:
    times = [response_s(random("pace", n)) for n in range(300)]
    assert min(times) >= 0.4 and 1.2 < np.median(times) < 1.6 and max(times) < 6


def test_markers_become_states() -> None:
    course = Timeline(1, Knobs(eeg_absent=0.0, face_absent=0.0))
    keys = "trial=2 block=1 stim_id=fear01 target=fear"
    sent = (
        "session/start participant=01", "baseline/eyes_open phase=onset", "baseline/eyes_open phase=offset",
        "baseline/eyes_closed phase=onset", "sync/cue n=1", "fixation trial=2 block=1 phase=onset",
        "fixation trial=2 block=1 phase=offset", f"clip/onset {keys}", f"clip/offset {keys} end=complete",
        "session/end end=complete",
    )  # fmt: skip
    for n, text in enumerate(sent):
        course.add(10.0 + n, parse(text))
    kinds = [course.state_at(9.5 + n).kind for n in range(len(sent) + 1)]
    assert kinds == [
        "idle", "idle", "baseline", "idle", "eyes_closed", "eyes_closed", "fixation", "idle", "clip", "rating", "idle",
    ]  # fmt: skip
    clip = course.state_at(17.0)
    assert (clip.trial, clip.stim_id, clip.target, clip.since) == (2, "fear01", "fear", 17.0)
    assert 0.3 <= clip.eeg == clip.face <= 1.1
    assert (course.start, course.ended, course.cues) == (10.0, 19.0, [14.0])


def test_intensity_depends_on_participant_and_trial_and_grows_with_the_effect() -> None:
    def strength(seed: int, trial: int, effect: float = 1.0) -> float:
        course = Timeline(seed, Knobs(effect=effect, eeg_absent=0.0))
        course.add(1.0, Marker("clip/onset", {"trial": str(trial), "block": "1", "stim_id": "x", "target": "fear"}))
        return course.state_at(1.0).eeg

    assert len({strength(s, t) for s in range(3) for t in range(1, 4)}) == 9
    assert strength(1, 1, effect=2.0) == pytest.approx(2 * strength(1, 1))
    assert strength(1, 1, effect=0.0) == 0.0


def test_two_processes_simulate_the_same_person(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_environment() == (0, 1.0)
    for name, value in environment(seed=42, effect=0.25).items():
        monkeypatch.setenv(name, value)
    assert from_environment() == (42, 0.25)


@pytest.mark.parametrize("wrong", [{"effect": -1.0}, {"effect": 11.0}, {"trial": -0.1}, {"eeg_absent": 1.1}])
def test_a_knob_outside_its_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        Knobs(**wrong)
