"""Pause, resume, skip and repeat: from a key or a command, at any moment."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from protocol.ports import Asked, Page, Stopped
from protocol.session import Ending
from protocol.study import loads
from tests.protocol.session_lab import RECORD, STUDY, WHOLE, Lab, whole


def ends(lab: Lab, name: str = "clip/offset") -> list[tuple[str, str, str]]:
    return [
        (m.keys.get("trial", ""), m.keys.get("attempt", "1"), m.keys["end"]) for m, _ in lab.stamps if m.name == name
    ]  # fmt: skip


def shown(lab: Lab) -> list[str]:
    return [event.partition(" <")[0] for event in lab.events]


def test_a_paused_clip_is_interrupted_and_begun_again_from_its_cross(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("clip", 1): Asked("pause", "f8")})
    assert lab.run() == Ending("complete")
    assert ends(lab) == [("1", "1", "interrupted"), ("1", "2", "complete"), ("2", "1", "complete")]
    after = lab.names[lab.names.index("pause") - 1 :][:6]
    assert after == ["clip/offset", "pause", "resume", "fixation", "fixation", "clip/onset"]
    assert [(row.trial, row.attempt, row.end, row.shown, row.valence) for row in lab.rows] == [
        (1, 1, "interrupted", 75, None), (1, 2, "complete", 179, 3), (2, 1, "complete", 179, 3),
    ]  # fmt: skip
    assert [m.keys["reason"] for m, _ in lab.stamps if m.name in ("pause", "resume")] == ["f8", "operator"]


@pytest.mark.parametrize("state", ["welcome", "baseline/eyes_open", "fixation", "valence", "emotion", "rest", "thanks"])
def test_what_is_no_clip_begins_again_after_a_pause_and_no_clip_is_played_twice(tmp_path: Path, state: str) -> None:
    lab = Lab(tmp_path, at={(state, 1): Asked("pause", "f8")})
    assert lab.run() == Ending("complete")
    assert [row.attempt for row in lab.rows] == [1, 1]
    name = state if state not in ("valence", "emotion") else f"rating {state}"
    i = shown(lab).index("pause")
    assert shown(lab)[i - 1] == shown(lab)[i + 1] == name
    assert lab.names.count("baseline/eyes_open") == (4 if state == "baseline/eyes_open" else 2)


def test_a_pause_is_held_until_an_operator_ends_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("rest", 1): Asked("pause", "cap slipped")})
    lab.run()
    (page,) = [page for page in lab.pages if page.name == "pause"]
    assert page == Page("pause", text=page.text, held=True)
    assert "stay seated" in page.text


def test_a_pause_may_end_in_a_skip_or_in_a_repetition(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    at = {("valence", 1): Asked("pause", "f8"), ("pause", 1): Asked("repeat", "operator")}
    lab = Lab(tmp_path / "a", at=at)  # type: ignore[arg-type]
    lab.run()
    assert ends(lab)[:2] == [("1", "1", "complete"), ("1", "2", "complete")]
    at = {("clip", 1): Asked("pause", "f8"), ("pause", 1): Asked("skip", "operator")}
    lab = Lab(tmp_path / "b", at=at)  # type: ignore[arg-type]
    lab.run()
    assert ends(lab) == [("1", "1", "interrupted"), ("2", "1", "complete")]


def test_a_skipped_clip_is_marked_and_not_rated(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("clip", 1): Asked("skip", "f7")})
    assert lab.run() == Ending("complete")
    assert ends(lab) == [("1", "1", "skipped"), ("2", "1", "complete")]
    first = lab.rows[0]
    assert (first.end, first.shown, first.valence, first.rating) == ("skipped", 75, None, None)
    assert [m.keys["trial"] for m, _ in lab.stamps if m.name == "rating"] == ["2"] * 3
    assert lab.names.count("skip") == 1


def test_a_clip_that_is_skipped_before_its_first_frame_was_not_shown(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("before clip", 1): Asked("skip", "f7")})
    lab.run()
    assert (lab.rows[0].end, lab.rows[0].clip_started) == ("skipped", None)
    assert lab.names.count("clip/onset") == lab.names.count("clip/offset") == 1


@pytest.mark.parametrize(("state", "answered"), [("valence", None), ("emotion", 3)])
def test_a_skipped_question_stays_without_an_answer(tmp_path: Path, state: str, answered: int | None) -> None:
    lab = Lab(tmp_path, at={(state, 1): Asked("skip", "f7")})
    lab.run()
    assert (lab.rows[0].valence, lab.rows[0].dominance) == (answered, 9)
    assert lab.rows[0].rating == ("fear" if state == "valence" else None)


@pytest.mark.parametrize("state", ["clip", "valence", "rest"])
def test_a_repeated_clip_is_the_next_attempt_with_answers_of_its_own(tmp_path: Path, state: str) -> None:
    lab = Lab(tmp_path, at={(state, 1): Asked("repeat", "f6")})
    lab.run()
    first = "interrupted" if state == "clip" else "complete"
    assert ends(lab) == [("1", "1", first), ("1", "2", "complete"), ("2", "1", "complete")]
    assert [(row.trial, row.attempt, row.end) for row in lab.rows] == [
        (1, 1, first), (1, 2, "complete"), (2, 1, "complete"),
    ]  # fmt: skip
    assert lab.rows[0].valence == (3 if state == "rest" else None)
    assert lab.rows[1].valence == 3
    asked = [m.keys.get("attempt", "1") for m, _ in lab.stamps if m.name == "rating" and m.keys["trial"] == "1"]
    assert asked == (["1"] * 3 if state == "rest" else []) + ["2"] * 3


def test_each_wish_stands_in_the_journal_as_a_command(tmp_path: Path) -> None:
    at = {("clip", 1): Asked("repeat", "f6"), ("valence", 1): Asked("pause", "f8"), ("rest", 1): Asked("skip", "f7")}
    lab = Lab(tmp_path, at=at)  # type: ignore[arg-type]
    lab.run()
    said = [(row.name, row.data["reason"]) for row in lab.journal if row.kind == "command"]
    assert said == [("repeat", "f6"), ("pause", "f8"), ("resume", "operator"), ("skip", "f7")]


def test_a_rest_trial_is_paused_repeated_and_skipped_like_a_clip(tmp_path: Path) -> None:
    at = {("rest/neutral", 1): Asked("pause", "f8"), ("rest/neutral", 2): Asked("skip", "f7")}
    lab = whole(tmp_path, at=at)
    lab.run()
    assert ends(lab, "rest/offset") == [("2", "1", "interrupted"), ("2", "2", "skipped")]
    assert [(row.kind, row.attempt, row.end) for row in lab.rows if row.trial == 2] == [
        ("rest", 1, "interrupted"), ("rest", 2, "skipped"),
    ]  # fmt: skip


def test_a_rest_trial_lasts_as_long_as_the_study_says_or_as_clips_do(tmp_path: Path) -> None:
    lab = whole(tmp_path)
    lab.run()
    (page,) = [page for page in lab.pages if page.name == "rest/neutral"]
    assert (page.duration_s, page.cross) == (4.0, True)
    (tmp_path / "mean").mkdir()
    lab = whole(tmp_path / "mean")
    lab.run(loads(WHOLE.replace(", duration = 4.0", "")))
    (page,) = [page for page in lab.pages if page.name == "rest/neutral"]
    assert page.duration_s == pytest.approx((6 + 6 + 5 + 3) / 4)


def test_questions_end_when_the_study_s_time_for_them_is_over(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.run(loads(STUDY.replace("fixation = 1.0", "fixation = 1.0\nrating = 3.5")))
    assert [(row.valence, row.dominance, row.rating) for row in lab.rows] == [(3, 9, None)] * 2


def test_the_mood_repair_clip_ends_an_aborted_session_too_and_may_itself_be_stopped(tmp_path: Path) -> None:
    lab = whole(tmp_path, at={("clip", 1): Stopped("escape"), ("mood_repair", 1): Stopped("escape")})
    assert lab.run() == Ending("aborted", "escape")
    assert lab.names[-4:] == ["abort", "mood_repair/onset", "mood_repair/offset", "session/end"]
    assert ends(lab, "mood_repair/offset") == [("", "1", "interrupted")]


def test_whoever_stops_the_mood_repair_has_given_all_data(tmp_path: Path) -> None:
    lab = whole(tmp_path, at={("mood_repair", 1): Stopped("escape")})
    assert lab.run() == Ending("complete")
    assert [row.end for row in lab.rows] == ["complete"] * 3


def test_the_cues_are_jittered_and_the_steps_of_light_a_second_apart_and_each_has_its_number(tmp_path: Path) -> None:
    study = loads(WHOLE.replace("blinks = 2", "blinks = 12").replace("flashes = 2", "flashes = 12"))
    lab = whole(tmp_path)
    lab.run(study)
    cues = [(int(m.keys["n"]), t) for m, t in lab.stamps if m.name == "sync/cue"]
    assert [n for n, _ in cues] == list(range(1, 25))
    gaps = [b - a for (_, a), (_, b) in pairwise(cues[:12])]
    assert min(gaps) >= 1.5 and max(gaps) <= 4.0
    assert max(gaps) - min(gaps) > 1.0
    flashes = [(m.keys["level"], t) for m, t in lab.stamps if m.name == "sync/flash"]
    assert [level for level, _ in flashes] == ["white", "black"] * 12
    steps = [b - a for (_, a), (_, b) in pairwise(flashes[:12])]
    assert min(steps) >= 1.0 and max(steps) <= 1.6
    levels = [page.level for page in lab.pages if page.name == "sync/flash"]
    assert levels == ["white", "black"] * 12


def test_a_resumed_session_counts_on_and_leaves_warning_and_practice_out(tmp_path: Path) -> None:
    lab = whole(tmp_path, before={3: 1}, record=RECORD.model_copy(update={"resumes": "u0", "run": "02"}))
    lab.plan = lab.plan[1:]
    assert lab.run() == Ending("complete")
    assert shown(lab)[:3] == ["welcome", "baseline/eyes_open/told", "baseline/eyes_open"]
    assert [(row.trial, row.attempt) for row in lab.rows] == [(2, 1), (3, 2)]
