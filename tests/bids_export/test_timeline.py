"""Markers become rows."""

import pytest

from bids_export.alignment import Gap
from bids_export.timeline import Moment, complete, events
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


def test_a_clip_that_the_run_which_goes_on_with_this_one_showed_in_full_is_repeated_here():
    moments = [
        moment(10.0, "clip/onset", **CLIP),
        moment(16.0, "clip/offset", **CLIP, end="complete"),
        moment(20.0, "clip/onset", **CLIP | {"trial": "2"}),
        moment(23.0, "clip/offset", **CLIP | {"trial": "2"}, end="interrupted"),
        moment(30.0, "clip/onset", **CLIP | {"trial": "3"}),
        moment(36.0, "clip/offset", **CLIP | {"trial": "3"}, end="complete"),
    ]
    assert complete(moments) == (1, 3)
    found = events(moments, gaps=(), sfreq=256.0, duration=100.0, again={1, 2})
    assert [(row.trial, row.end) for row in found] == [(1, "repeated"), (2, "interrupted"), (3, "complete")]


def test_a_clip_open_when_the_recording_ends_ends_with_it():
    [row] = rows(moment(10.0, "clip/onset", **CLIP), duration=13.0)
    assert (row.duration, row.end) == (3.0, "interrupted")


def test_a_baseline_has_one_row():
    [row] = rows(moment(1.0, "baseline/eyes_open", phase="onset"), moment(9.0, "baseline/eyes_open", phase="offset"))
    assert (row.trial_type, row.onset, row.duration, row.end) == ("baseline/eyes_open", 1.0, 8.0, "complete")


def test_lost_samples_are_marked():
    [row] = rows(gaps=[Gap(256, 128)])
    assert (row.trial_type, row.onset, row.duration) == ("BAD_gap", 1.0, 0.5)


def test_of_a_trial_that_was_shown_twice_in_full_the_last_one_counts():
    first, second = rows(
        moment(10.0, "clip/onset", **CLIP),
        moment(16.0, "clip/offset", **CLIP, end="complete"),
        moment(30.0, "clip/onset", **CLIP, attempt="2"),
        moment(36.0, "clip/offset", **CLIP, attempt="2", end="complete"),
    )
    assert (first.end, first.attempt) == ("repeated", None)
    assert (second.end, second.attempt) == ("complete", 2)


def test_a_complete_clip_counts_although_it_was_tried_again_in_vain():
    first, second = rows(
        moment(10.0, "clip/onset", **CLIP),
        moment(16.0, "clip/offset", **CLIP, end="complete"),
        moment(30.0, "clip/onset", **CLIP, attempt="2"),
        moment(31.0, "clip/offset", **CLIP, attempt="2", end="skipped"),
    )
    assert (first.end, second.end) == ("complete", "skipped")


def test_a_rest_that_stands_for_an_emotion_is_a_trial_and_carries_its_answers():
    keys = CLIP | {"stim_id": "rest-neutral", "target": "neutral"}
    rest, _ = rows(
        moment(5.0, "rest/onset", **keys),
        moment(11.0, "rest/offset", **keys, end="complete"),
        moment(13.0, "rating", **keys, question="valence", answer="5", response_s="1"),
    )
    assert (rest.trial_type, rest.duration, rest.end, rest.valence) == ("rest/neutral", 6.0, "complete", 5)
    [plain] = rows(moment(5.0, "rest/onset"), moment(8.0, "rest/offset"))
    assert (plain.trial_type, plain.duration) == ("rest", 3.0)


def test_answers_on_strength_attention_and_knowledge_have_columns():
    clip, *_ = rows(
        moment(10.0, "clip/onset", **CLIP),
        moment(16.0, "clip/offset", **CLIP, end="complete"),
        *(
            moment(17.0 + n, "rating", **CLIP, question=question, answer=answer, response_s="0.5")
            for n, (question, answer) in enumerate(
                [("liking", "2"), ("intensity", "8"), ("looked_away", "no"), ("familiarity", "yes")]
            )
        ),
    )
    assert (clip.liking, clip.intensity, clip.looked_away, clip.familiarity) == (2, 8, False, True)


def test_practice_breaks_pauses_mood_repair_and_closed_eyes_have_rows_of_their_own():
    clip = {"stim_id": "calm01", "target": "neutral"}
    found = rows(
        moment(1.0, "practice/onset", **clip), moment(4.0, "practice/offset", **clip, end="complete"),
        moment(5.0, "baseline/eyes_closed", phase="onset"), moment(9.0, "baseline/eyes_closed", phase="offset"),
        moment(20.0, "break", phase="onset"), moment(50.0, "break", phase="offset"),
        moment(60.0, "pause", reason="cap"), moment(75.0, "resume"),
        moment(80.0, "mood_repair/onset", **clip), moment(90.0, "mood_repair/offset", **clip, end="complete"),
    )  # fmt: skip
    assert [(row.trial_type, row.duration) for row in found] == [
        ("practice", 3.0), ("baseline/eyes_closed", 4.0), ("break", 30.0), ("pause", 15.0), ("mood_repair", 10.0)
    ]  # fmt: skip
    assert all(row.trial is None and row.target is None for row in found)


def test_a_pause_that_nobody_ended_lasts_to_the_end():
    [row] = rows(moment(60.0, "pause", reason="cap"), duration=100.0)
    assert row.duration == 40.0


def test_a_baseline_that_began_again_was_interrupted():
    first, second = rows(
        moment(1.0, "baseline/eyes_open", phase="onset"),
        moment(5.0, "baseline/eyes_open", phase="onset"),
        moment(9.0, "baseline/eyes_open", phase="offset"),
    )
    assert (first.end, first.duration, second.end, second.duration) == ("interrupted", 4.0, "complete", 4.0)


@pytest.mark.parametrize("name", ["session/start", "consent", "resume", "abort", "session/end"])
def test_what_is_no_event_makes_no_row(name):
    assert rows(moment(1.0, name)) == []
