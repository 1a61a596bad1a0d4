"""Markers become rows."""

import pytest

from bids_export.alignment import Gap
from bids_export.timeline import Moment, events
from protocol.markers import Marker

CLIP = {"trial": "1", "block": "1", "stim_id": "fear01", "target": "fear"}


def moment(onset: float, name: str, **keys: str) -> Moment:
    return Moment(onset, Marker(name, keys))


def rows(*moments: Moment, gaps=(), duration=100.0):
    return events(moments, gaps=gaps, sfreq=256.0, duration=duration)


def test_a_clip_lasts_from_its_onset_to_its_offset_and_says_what_was_shown():
    [row] = rows(
        moment(10.5, "clip/onset", **CLIP), moment(16.5, "clip/offset", **CLIP, shown="178", dropped="2", end="complete")
    )
    assert (row.onset, row.duration, row.trial_type) == (10.5, 6.0, "clip/fear")
    assert (row.trial, row.block, row.stim_id, row.target) == (1, 1, "fear01", "fear")
    assert (row.frames_shown, row.frames_dropped, row.end) == (178, 2, "complete")


def test_a_clip_carries_its_answers_and_each_answer_has_a_row_from_question_to_key():
    clip, valence, felt = rows(
        moment(10.0, "clip/onset", **CLIP),
        moment(16.0, "clip/offset", **CLIP, end="complete"),
        moment(19.0, "rating", **CLIP, question="valence", answer="3", response_s="2.5"),
        moment(21.0, "rating", **CLIP, question="emotion", answer="sadness", response_s="1.5"),
    )
    assert (clip.valence, clip.rating, clip.arousal) == (3, "sadness", None)
    assert (valence.trial_type, valence.onset, valence.duration, valence.response_time) == ("rating", 16.5, 2.5, 2.5)
    assert (valence.valence, valence.rating) == (3, None)
    assert (felt.onset, felt.rating, felt.valence) == (19.5, "sadness", None)


def test_a_clip_that_never_ended_was_interrupted_at_the_next_thing_that_happened():
    [row] = rows(moment(10.0, "clip/onset", **CLIP), moment(12.0, "window/lost"), duration=60.0)
    assert (row.duration, row.end) == (2.0, "interrupted")


def test_a_clip_that_was_shown_again_after_a_crash_keeps_its_answers_apart():
    first, second, _ = rows(
        moment(10.0, "clip/onset", **CLIP),
        moment(12.0, "window/lost"),
        moment(30.0, "clip/onset", **CLIP),
        moment(36.0, "clip/offset", **CLIP, end="complete"),
        moment(38.0, "rating", **CLIP, question="valence", answer="7", response_s="1"),
    )
    assert (first.end, first.duration, first.valence) == ("interrupted", 2.0, None)
    assert (second.end, second.duration, second.valence) == ("complete", 6.0, 7)


def test_a_clip_open_when_the_recording_ends_ends_with_it():
    [row] = rows(moment(10.0, "clip/onset", **CLIP), duration=13.0)
    assert (row.duration, row.end) == (3.0, "interrupted")


def test_a_baseline_has_one_row():
    [row] = rows(moment(1.0, "baseline/eyes_open", phase="onset"), moment(9.0, "baseline/eyes_open", phase="offset"))
    assert (row.trial_type, row.onset, row.duration, row.end) == ("baseline/eyes_open", 1.0, 8.0, "complete")


def test_lost_samples_are_marked():
    [row] = rows(gaps=[Gap(256, 128)])
    assert (row.trial_type, row.onset, row.duration) == ("BAD_gap", 1.0, 0.5)


@pytest.mark.parametrize("name", ["session/start", "consent", "pause", "resume", "abort", "session/end"])
def test_what_is_no_event_makes_no_row(name):
    assert rows(moment(1.0, name)) == []
