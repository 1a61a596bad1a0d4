"""The session's states in front of a screen and a clock that are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol import markers
from protocol.ports import Stopped
from protocol.session import Ending
from protocol.study import loads
from tests.protocol.session_lab import STUDY, Lab, whole


def trial_markers(trial: int, stim_id: str, target: str, t: float) -> list[str]:
    keys = f"trial={trial} block=1 stim_id={stim_id} target={target}"
    return [
        f"{t:g} fixation trial={trial} block=1 phase=onset",
        f"{t + 1:g} fixation trial={trial} block=1 phase=offset",
        f"{t + 1:g} clip/onset {keys}",
        f"{t + 7:g} clip/offset {keys} shown=179 dropped=1 repeated=2 onset_error_s=0.001000 "
        "audio_offset_s=-0.006500 end=complete",
        f"{t + 8.5:g} rating {keys} question=valence answer=3 response_s=1.500000",
        f"{t + 10:g} rating {keys} question=dominance answer=9 response_s=1.500000",
        f"{t + 11.5:g} rating {keys} question=emotion answer=fear response_s=1.500000",
    ]


def test_a_whole_session_sends_every_marker_in_order_with_the_stamp_of_its_flip(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    assert lab.run() == Ending("complete")
    assert lab.sent == [
        "100 session/start uid=u1 participant=07 session=01 run=01",
        "100 consent version=v%201 scopes=eeg+face",
        "110 baseline/eyes_open phase=onset",
        "118 baseline/eyes_open phase=offset",
        *trial_markers(1, "fear02", "fear", 118),
        *trial_markers(2, "happy01", "happiness", 131.5),
        "149.643 session/end end=complete",
    ]


def test_every_state_stands_in_the_journal_before_it_happens(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.run()
    first = [
        "welcome < welcome", "baseline/eyes_open/told < baseline/eyes_open/told", "baseline/eyes_open < baseline/eyes_open",
        "fixation < fixation", "clip fear02 < clip", "rating valence < rating", "rating dominance < rating",
        "rating emotion < rating", "rest < rest",
    ]  # fmt: skip
    assert lab.events[:9] == first
    assert lab.events[-1] == "thanks < thanks"


def test_the_journal_holds_the_plan_and_every_marker_as_sent(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.run()
    rows = lab.journal
    noted = [(markers.parse(row.data["text"]), row.data["t"]) for row in rows if row.name == "marker"]
    assert noted == lab.stamps
    (plan,) = [row.data["trials"] for row in rows if row.name == "plan"]
    assert plan[0] == {"trial": 1, "block": 1, "stim_id": "fear02", "target": "fear"}


def test_the_trial_table_has_what_was_measured_and_answered(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.run()
    first, second = lab.rows
    assert (first.trial, first.stim_id, first.target, first.end) == (1, "fear02", "fear", "complete")
    assert (first.clip_started, first.clip_stopped) == (119.0, 125.0)
    assert (first.shown, first.dropped, first.repeated, first.audio_offset_s) == (179, 1, 2, -0.0065)
    assert (first.valence, first.arousal, first.dominance, first.rating) == (3, None, 9, "fear")
    assert (first.valence_rt, first.arousal_rt, first.rating_rt) == (1.5, None, 1.5)
    assert (second.trial, second.clip_started) == (2, 132.5)


ABORTS = {
    "welcome": 0, "baseline/eyes_open": 0, "fixation": 0, "before clip": 1, "clip": 1, "valence": 1, "dominance": 1,
    "emotion": 1, "rest": 1,
}  # fmt: skip


@pytest.mark.parametrize("state", ABORTS)
def test_escape_ends_the_session_cleanly_in_every_state(tmp_path: Path, state: str) -> None:
    lab = Lab(tmp_path, at={(state, 1): Stopped("escape")})
    assert lab.run() == Ending("aborted", "escape")
    abort, end = (marker for marker, _ in lab.stamps[-2:])
    assert (abort.name, end.name) == ("abort", "session/end")
    assert end.keys == {"end": "aborted", "reason": "escape"}
    assert len(lab.rows) == ABORTS[state]
    assert lab.names.count("clip/onset") == lab.names.count("clip/offset")
    assert lab.names.count("baseline/eyes_open") in (0, 2)
    assert lab.events[-1].startswith("thanks")


def test_escape_on_the_last_page_does_not_abort_a_complete_session(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("thanks", 1): Stopped("escape")})
    assert lab.run() == Ending("complete")
    assert str(lab.stamps[-1][0]) == "session/end end=complete"


def test_a_window_that_is_closed_shows_nothing_more(tmp_path: Path) -> None:
    lab = whole(tmp_path, at={("clip", 1): Stopped("window closed", at_once=True)})
    assert lab.run() == Ending("aborted", "window closed")
    assert lab.events[-1].startswith("clip")
    assert lab.names[-3:] == ["clip/offset", "abort", "session/end"]


def test_an_open_clip_is_marked_as_interrupted_once_with_what_was_shown_of_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("clip", 1): Stopped("escape")})
    lab.run()
    offsets = [(marker, t) for marker, t in lab.stamps if marker.name == "clip/offset"]
    assert [(marker.keys["end"], t) for marker, t in offsets] == [("interrupted", 121.5)]
    (row,) = lab.rows
    assert (row.end, row.clip_started, row.clip_stopped, row.shown, row.valence) == ("interrupted", 119.0, 121.5, 75, None)


def test_answers_given_before_an_abort_are_kept(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("emotion", 1): Stopped("escape")})
    lab.run()
    (row,) = lab.rows
    assert (row.end, row.valence, row.dominance, row.rating) == ("complete", 3, 9, None)


def test_a_clip_that_fails_is_marked_and_the_session_goes_on(tmp_path: Path) -> None:
    lab = Lab(tmp_path, broken="fear02")
    assert lab.run() == Ending("complete")
    first, second = lab.rows
    assert (first.end, first.clip_started, first.valence) == ("failed", None, None)
    assert second.end == "complete"
    sent = [marker for marker, _ in lab.stamps if marker.keys.get("trial") == "1" and marker.name != "fixation"]
    assert [(marker.name, marker.keys["end"]) for marker in sent] == [("clip/offset", "failed")]
    assert "rest < rest" in lab.events
    assert "clip_failed < clip_failed" in lab.events  # a calm page
    (alarm,) = [row for row in lab.journal if row.kind == "alarm"]
    assert (alarm.name, alarm.data["error"], alarm.data["stim_id"]) == ("clip/failed", "not a film", "fear02")


def test_what_has_no_duration_is_left_out(tmp_path: Path) -> None:
    text = (
        STUDY.replace("baseline = 8.0", "baseline = 0")
        .replace("fixation = 1.0", "fixation = 0")
        .replace("rest = 2.0", "rest = 0")
    )
    lab = Lab(tmp_path)
    lab.run(loads(text))
    shown = {event.partition(" ")[0] for event in lab.events}
    assert shown == {"welcome", "clip", "rating", "thanks"}


def test_the_welcome_says_what_the_study_says_that_participants_are_told(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.run(loads(STUDY.replace('name = "s"', 'name = "s"\nlanguage = "vi"\ninstructions = "Hãy xem."')))
    assert lab.pages[0].text == "Hãy xem.\n\nNhấn phím cách để bắt đầu."
    assert dict(lab.pages[3].keys) == {"trial": "1", "stim_id": "fear02", "target": "fear"}
