"""The session holds before its next trial, for as long as somebody asks for it, and shows again what was asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collector.quality import judged_spans
from protocol import past
from protocol.ports import CLIP_LOST, Asked, Stopped
from protocol.session import Ending
from protocol.study import loads
from tests.protocol.session_lab import STUDY, Crash, Lab
from tests.protocol.test_session_crash import Dying, everything_that_begins_ends, recorded

CUED = STUDY.replace("blinks = 0", "blinks = 2").replace("flashes = 0", "flashes = 0\nafter = false")


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def shown(lab: Lab) -> list[str]:
    return [event.partition(" <")[0] for event in lab.events]


def around(lab: Lab, name: str = "hold") -> list[str]:
    """What was shown right before, meanwhile and after."""
    states = shown(lab)
    first, last = states.index(name), len(states) - 1 - states[::-1].index(name)
    return states[first - 1 : last + 2]


def cues(lab: Lab) -> list[str]:
    return [m.keys["n"] for m, _ in lab.stamps if m.name == "sync/cue"]


@pytest.mark.parametrize("state", ["baseline/eyes_open", "fixation"])
def test_it_holds_before_the_first_clip_with_a_calm_page_that_no_key_ends(tmp_path: Path, state: str) -> None:
    lab = Lab(tmp_path, at={(state, 1): "contact"})
    assert lab.run() == Ending("complete")
    assert around(lab) == [state if state == "fixation" else "baseline/eyes_open", "hold", "fixation"]
    (page,) = [page for page in lab.pages if page.name == "hold"]
    assert (page.held, page.until_let_go, page.duration_s) == (True, True, None)
    assert "moment" in page.text
    assert [(m.name, m.keys["reason"]) for m, _ in lab.stamps if m.name in ("pause", "resume")] == [
        ("pause", "contact"), ("resume", "resume"),
    ]  # fmt: skip
    assert lab.names.count("clip/onset") == 2


@pytest.mark.parametrize("state", ["clip", "valence", "rest"])
def test_the_clip_is_finished_rated_and_rested_first(tmp_path: Path, state: str) -> None:
    lab = Lab(tmp_path, at={(state, 1): "stream lost"})
    lab.run()
    assert around(lab) == ["rest", "hold", "fixation"]
    assert [(row.trial, row.attempt, row.end, row.valence) for row in lab.rows] == [
        (1, 1, "complete", 3),
        (2, 1, "complete", 3),
    ]


def test_who_lets_go_before_it_holds_is_noticed_by_nobody(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("baseline/eyes_open/told", 1): "contact", ("baseline/eyes_open", 1): ""})
    lab.run()
    assert "hold" not in shown(lab)
    assert "pause" not in lab.names


def test_after_the_last_trial_nothing_holds_that_could_only_spoil_another(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("clip", 2): "stream lost"})
    assert lab.run() == Ending("complete")
    assert "hold" not in shown(lab)


@pytest.mark.parametrize("reason", [CLIP_LOST, f"stream/lost eeg, {CLIP_LOST}"])
def test_a_last_clip_that_was_lost_holds_the_session_and_can_be_shown_again(tmp_path: Path, reason: str) -> None:
    lab = Lab(tmp_path, at={("clip", 2): reason, ("hold", 1): Asked("repeat", "operator"), ("clip", 3): ""})
    assert lab.run() == Ending("complete")
    assert around(lab)[:3] == ["rest", "hold", "fixation"]
    assert shown(lab).count("hold") == 1
    assert [(row.trial, row.attempt, row.end) for row in lab.rows] == [
        (1, 1, "complete"),
        (2, 1, "complete"),
        (2, 2, "complete"),
    ]
    assert lab.names[-1] == "session/end"


def test_a_last_clip_that_was_lost_may_stay_so(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("rest", 2): CLIP_LOST})
    assert lab.run() == Ending("complete")
    assert around(lab) == ["rest", "hold", "thanks"]
    assert [(row.trial, row.attempt) for row in lab.rows] == [(1, 1), (2, 1)]


def test_who_stops_while_it_holds_after_the_last_clip_has_given_all(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("rest", 2): CLIP_LOST, ("hold", 1): Stopped("operator")})
    assert lab.run() == Ending("complete")
    assert [m.name for m, _ in lab.stamps][-2:] == ["pause", "session/end"]


def test_a_window_that_dies_while_it_holds_after_the_last_clip_comes_back_holding(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("rest", 2): CLIP_LOST, ("hold", 1): Crash(), ("hold", 2): Asked("repeat", "op"), ("clip", 3): ""})
    assert lab.run_to_the_end() == Ending("complete")
    assert [(row.trial, row.attempt, row.end) for row in lab.rows][1:] == [(2, 1, "complete"), (2, 2, "complete")]
    assert shown(lab).count("hold") == 2


@pytest.mark.parametrize("wish", ["resume", "skip", "pause"])
def test_no_other_wish_lets_it_go(tmp_path: Path, wish: str) -> None:
    at = {("baseline/eyes_open", 1): "contact", ("hold", 1): Asked(wish, "f8")}  # type: ignore[arg-type]
    lab = Lab(tmp_path, at=at)
    lab.run()
    assert around(lab) == ["baseline/eyes_open", "hold", "hold", "fixation"]
    assert [m.name for m, _ in lab.stamps if m.name in ("pause", "resume", "skip")] == ["pause", "resume"]


def test_the_cues_are_shown_again_before_the_first_trial_and_it_holds_again(tmp_path: Path) -> None:
    lab = Lab(tmp_path, loads(CUED), at={("sync/cue", 1): "contact", ("hold", 1): Asked("repeat", "operator")})
    assert lab.run() == Ending("complete")
    again = ["sync/told", "sync/cross", "sync/cue", "sync/cross", "sync/cue", "sync/cross"]
    assert around(lab) == ["sync/cross", "hold", *again, "hold", "fixation"]
    assert cues(lab) == ["1", "2", "3", "4"]
    held = [(t, m.name) for m, t in lab.stamps if m.name in ("pause", "resume", "sync/cue")]
    assert [name for _, name in held] == ["sync/cue"] * 2 + ["pause", "resume"] + ["sync/cue"] * 2 + ["pause", "resume"]


def test_between_clips_the_last_trial_is_shown_again_as_the_next_attempt(tmp_path: Path) -> None:
    lab = Lab(tmp_path, loads(CUED), at={("clip", 1): "stream lost", ("hold", 1): Asked("repeat", "operator")})
    lab.run()
    assert [(row.trial, row.attempt, row.end, row.valence) for row in lab.rows] == [
        (1, 1, "complete", 3), (1, 2, "complete", 3), (2, 1, "complete", 3),
    ]  # fmt: skip
    assert cues(lab) == ["1", "2"]
    assert around(lab)[:3] == ["rest", "hold", "fixation"]
    assert around(lab)[-3:] == ["rest", "hold", "fixation"]


def test_where_nothing_can_be_shown_again_it_goes_on_holding(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("baseline/eyes_open", 1): "contact", ("hold", 1): Asked("repeat", "operator")})
    lab.run()
    assert around(lab) == ["baseline/eyes_open", "hold", "hold", "fixation"]
    assert lab.names.count("pause") == lab.names.count("resume") == 1


def test_whoever_stops_it_while_it_holds_has_stopped_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("baseline/eyes_open", 1): "contact", ("hold", 1): Stopped("no blinks")})
    assert lab.run() == Ending("aborted", "no blinks")
    assert lab.rows == []


def test_the_time_of_a_hold_is_not_judged(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("clip", 1): "stream lost"})
    lab.run()
    at = {m.name: t for m, t in lab.stamps}
    assert at["resume"] - at["pause"] == 3.0
    spans = judged_spans([(t, m) for m, t in lab.stamps], "recording")
    assert [stop for _, stop in spans] == [at["pause"], at["clip/offset"]]
    assert spans[1][0] == at["resume"]


def test_a_window_that_dies_while_it_holds_comes_back_holding(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("baseline/eyes_open", 1): "contact", ("hold", 1): Crash()})
    with pytest.raises(Crash):
        lab.run()
    lab.held = None  # another process
    assert lab.run() == Ending("complete")
    assert around(lab) == ["baseline/eyes_open", "hold", "hold", "fixation"]
    assert [m.name for m, _ in lab.stamps if m.name in ("pause", "resume")][-2:] == ["pause", "resume"]
    assert past.read(lab.journal).holding is None


def test_it_may_be_let_go_while_no_window_is_there(tmp_path: Path) -> None:
    lab = Lab(tmp_path, at={("baseline/eyes_open", 1): "contact", ("hold", 1): Crash()})
    with pytest.raises(Crash):
        lab.run()
    path = tmp_path / "journal.jsonl"
    lab.held = None
    path.write_bytes(path.read_bytes().replace(b'"hold","data":{"reason":"contact"}', b'"hold","data":{"reason":null}'))
    assert lab.run() == Ending("complete")
    assert around(lab) == ["baseline/eyes_open", "hold", "fixation"]
    assert lab.names.count("resume") == 1


def test_a_plain_pause_stays_one_though_the_session_is_to_hold_later(tmp_path: Path) -> None:
    at = {("baseline/eyes_open", 1): "contact", ("clip", 1): Asked("pause", "f8"), ("pause", 1): Crash()}
    lab = Lab(tmp_path, at=at | {("hold", 1): "again"})  # type: ignore[operator]
    assert lab.run_to_the_end() == Ending("complete")
    assert shown(lab).count("pause") == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_session_that_holds_and_repeats_may_die_at_every_row(tmp_path: Path, when: str) -> None:
    begun = {
        ("sync/cue", 1): "contact",
        ("hold", 1): Asked("repeat", "op"),
        ("clip", 1): "lost",
        ("hold", 3): Asked("repeat", "op"),
        ("clip", 3): CLIP_LOST,
        ("hold", 5): Asked("repeat", "op"),
    }

    def lab(path: Path, dying: Dying) -> Lab:
        return Lab(path, loads(CUED), crash=dying, at=dict(begun))

    count = Dying()
    (tmp_path / "whole").mkdir()
    (once := lab(tmp_path / "whole", count)).run()
    assert count.n > 70
    assert [(row.trial, row.attempt) for row in once.rows] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    for k in range(1, count.n + 1):
        (folder := tmp_path / f"{when}{k}").mkdir()
        dying = Dying(k, when=when)
        died = lab(folder, dying)
        assert died.run_to_the_end() == Ending("complete"), dying.at
        moments = recorded(died)
        assert [t for _, t in moments] == sorted(t for _, t in moments)
        everything_that_begins_ends(moments)
        names = [marker.name for marker, _ in moments if marker.name in ("pause", "resume")]
        assert names == ["pause", "resume"] * (len(names) // 2), dying.at
        assert len(names) >= 2
        for trial in (1, 2):
            rows = [row for row in died.rows if row.trial == trial]
            assert [row.attempt for row in rows] == list(range(1, len(rows) + 1)), dying.at
            assert rows[-1].end == "complete", dying.at
        n = [int(m.keys["n"]) for m, _ in moments if m.name == "sync/cue"]
        assert n == list(range(1, len(n) + 1))
