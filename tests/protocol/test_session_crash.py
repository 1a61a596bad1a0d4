"""The window dies at every single row of its journal, before and after it is written, and another one goes on."""

from __future__ import annotations

import os
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import markers
from protocol.journal import Kind
from protocol.markers import Marker
from protocol.ports import Asked, Stopped
from protocol.session import Ending
from tests.protocol.session_lab import WHOLE_TRIALS, Lab, whole

QUESTIONS = ["valence", "emotion", "intensity", "looked_away", "familiarity"]
ATTEMPT = ("clip/onset", "rest/onset", "practice/onset", "mood_repair/onset")


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window dies, not the machine: what was written is in the file, synced or not."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Dying:
    """Says at which rows, counted over all windows, the one that writes dies."""

    def __init__(self, *rows: int, when: str = "after") -> None:
        self._rows, self._when, self.n, self.at = rows, when, 0, [("", "")]

    def __call__(self, kind: Kind, name: str) -> str:
        self.n += 1
        if self.n in self._rows:
            self.at.append((kind, name))
            return self._when
        return ""


def rows_of_a_whole_session(path: Path) -> int:
    dying = Dying()
    whole(path, crash=dying).run()
    return dying.n


def recorded(lab: Lab) -> list[tuple[Marker, float]]:
    """What a reader has: a line that was sent twice with one stamp, one after the other, is one."""
    return [key for key, _ in groupby(lab.stamps)]


def it_is_right(lab: Lab) -> None:
    moments = recorded(lab)
    stamps = [t for _, t in moments]
    assert stamps == sorted(stamps)
    journaled = [(markers.parse(row.data["text"]), row.data["t"]) for row in lab.journal if row.name == "marker"]
    assert moments == journaled
    names = Counter(marker.name for marker, _ in moments)
    assert (names["session/start"], names["consent"], names["session/end"]) == (1, 1, 1)
    everything_that_begins_ends(moments)
    for trial in WHOLE_TRIALS:
        a_trial_is_whole(lab, moments, trial.trial)
    shown = [int(m.keys["trial"]) for m, _ in moments if m.name in ("clip/onset", "rest/onset")]
    assert [trial for trial, _ in groupby(shown)] == [1, 2, 3]
    cues = [int(m.keys["n"]) for m, _ in moments if m.name == "sync/cue"]
    assert cues == list(range(1, len(cues) + 1))
    assert len(cues) >= 4


def everything_that_begins_ends(moments: list[tuple[Marker, float]]) -> None:
    began: Marker | None = None
    for marker, _ in moments:
        if marker.name.endswith("/onset") or marker.keys.get("phase") == "onset":
            assert began is None, f"{marker} within {began}"
            began = marker
        elif marker.name.endswith("/offset") or marker.keys.get("phase") == "offset":
            assert began is not None
            assert began.name.removesuffix("/onset") == marker.name.removesuffix("/offset")
            assert began.keys.get("attempt") == marker.keys.get("attempt")
            began = None
    assert began is None


def a_trial_is_whole(lab: Lab, moments: list[tuple[Marker, float]], trial: int) -> None:
    """One attempt is complete, it is the last, its answers are there once each; every attempt has its row, once."""
    rows = [row for row in lab.rows if row.trial == trial]
    assert [row.attempt for row in rows] == list(range(1, len(rows) + 1))
    assert [row.end for row in rows] == ["interrupted"] * (len(rows) - 1) + ["complete"]
    assert (rows[-1].valence, rows[-1].rating, rows[-1].intensity, rows[-1].familiarity) == (3, "fear", 7, "yes")
    mine = [marker for marker, _ in moments if marker.keys.get("trial") == str(trial)]
    ends = {int(m.keys.get("attempt", "1")): m.keys["end"] for m in mine if m.name in ("clip/offset", "rest/offset")}
    assert ends[len(rows)] == "complete"
    assert all(ends.get(row.attempt, "interrupted") == row.end for row in rows)
    asked = [(m.keys["question"], int(m.keys.get("attempt", "1"))) for m in mine if m.name == "rating"]
    assert asked == [(question, len(rows)) for question in QUESTIONS]


def test_a_whole_session_without_a_crash_is_right(tmp_path: Path) -> None:
    lab = whole(tmp_path)
    assert lab.run() == Ending("complete")
    it_is_right(lab)
    assert len(lab.rows) == len(WHOLE_TRIALS)
    assert [event.partition(" ")[0] for event in lab.events] == [
        "warning", "welcome", "practice/told", "practice", *["rating"] * 5, "practice/over",
        "baseline/eyes_open/told", "baseline/eyes_open", "baseline/eyes_closed/told", "baseline/eyes_closed",
        "sync/told", "sync/cross", *["sync/cue", "sync/cross"] * 2, "sync/told", "sync/cross", *["sync/flash"] * 2,
        "hint", "fixation", "clip", *["rating"] * 5, "rest",
        "hint", "fixation", "rest/neutral", *["rating"] * 5, "rest",
        "break", "break",
        "hint", "fixation", "clip", *["rating"] * 5, "rest",
        "sync/told", "sync/cross", *["sync/cue", "sync/cross"] * 2, "sync/told", "sync/cross", *["sync/flash"] * 2,
        "mood_repair/told", "mood_repair", "thanks",
    ]  # fmt: skip


def a_clip_was_open(lab: Lab) -> bool:
    """What was on the screen at the crash is begun again, and nothing else."""
    opened = False
    for row in lab.journal:
        if (row.kind, row.name) == ("note", "back"):
            return opened
        if row.kind == "state" and row.name in ("clip", "rest_trial"):
            opened = True
        elif row.name == "marker" and row.data["text"].startswith(("clip/offset", "rest/offset")):
            opened = False
    return False


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_window_may_die_at_every_row_of_its_journal(tmp_path: Path, when: str) -> None:
    n = rows_of_a_whole_session(tmp_path)
    assert n > 120
    died = Counter[str]()
    for k in range(1, n + 1):
        folder = tmp_path / f"{when}{k}"
        folder.mkdir()
        dying = Dying(k, when=when)
        lab = whole(folder, crash=dying)
        assert lab.run_to_the_end() == Ending("complete"), dying.at
        it_is_right(lab)
        died[dying.at[-1][1]] += 1
        assert len(lab.rows) == len(WHOLE_TRIALS) + a_clip_was_open(lab), dying.at
    assert {"clip", "rest_trial", "rating", "rest", "sync/cue", "sync/flash", "practice", "mood_repair", "marker"} <= set(died)


def test_a_crash_in_the_middle_of_a_clip_begins_it_again_as_the_second_attempt(tmp_path: Path) -> None:
    lab = whole(tmp_path)
    first = True

    def crash(kind: Kind, name: str) -> str:
        nonlocal first
        if first and (kind, name) == ("note", "marker") and lab.names[-1:] == ["clip/onset"]:
            first = False
            return "before"  # the clip's offset would be the next row
        return ""

    lab.crash = crash
    lab.run_to_the_end()
    it_is_right(lab)
    interrupted, complete = [row for row in lab.rows if row.trial == 1]
    assert (interrupted.end, interrupted.attempt, interrupted.valence) == ("interrupted", 1, None)
    assert interrupted.clip_stopped is not None and complete.clip_started is not None
    assert interrupted.clip_stopped < complete.clip_started
    assert "back < back" in lab.events
    again = [str(m) for m, _ in recorded(lab) if m.name == "clip/onset"][1]
    assert again == "clip/onset trial=1 block=1 stim_id=fear02 target=fear attempt=2"


def test_a_crash_at_a_question_asks_it_again_and_plays_nothing_again(tmp_path: Path) -> None:
    lab = whole(tmp_path)
    died: list[str] = []

    def crash(kind: Kind, name: str) -> str:
        asked = (kind, name) == ("state", "rating") and lab.events[-1:] == ["rating valence < rating"]
        if not died and asked and "clip fear02 < clip" in lab.events:
            died.append(name)
            return "after"
        return ""

    lab.crash = crash
    lab.run_to_the_end()
    it_is_right(lab)
    assert len(lab.rows) == 3
    assert [e.partition(" <")[0] for e in lab.events if e.startswith("rating")][5:8] == [
        "rating valence", "rating emotion", "rating intensity",
    ]  # fmt: skip


@given(st.lists(st.integers(1, 220), min_size=2, max_size=4, unique=True), st.sampled_from(["before", "after"]))
def test_the_window_may_die_several_times(tmp_path_factory: pytest.TempPathFactory, rows: list[int], when: str) -> None:
    lab = whole(tmp_path_factory.mktemp("often"), crash=Dying(*rows, when=when))
    assert lab.run_to_the_end(most=6) == Ending("complete")
    it_is_right(lab)


@pytest.mark.parametrize("wish", ["pause", "repeat", "skip"])
@pytest.mark.parametrize("state", ["clip", "valence", "rest", "baseline/eyes_open"])
def test_the_window_may_die_while_a_wish_is_heeded(tmp_path: Path, state: str, wish: str) -> None:
    """Whatever was asked for before the crash: nothing is lost, nothing stays open, and the session comes to its end."""
    (tmp_path / "whole").mkdir()
    whole_lab = whole(tmp_path / "whole", at={(state, 2 if state == "valence" else 1): Asked(wish, "operator")})  # type: ignore[arg-type]
    dying = Dying()
    whole_lab.crash = dying
    whole_lab.run()
    first = next(row.seq for row in whole_lab.journal if row.kind == "command") - 4
    for k in range(first, first + 12):
        folder = tmp_path / str(k)
        folder.mkdir()
        at = {(state, 2 if state == "valence" else 1): Asked(wish, "operator")}  # type: ignore[arg-type]
        lab = whole(folder, crash=Dying(k), at=at)
        assert lab.run_to_the_end() == Ending("complete")
        everything_that_begins_ends(recorded(lab))
        last = {row.trial: row.end for row in lab.rows}
        assert set(last) == {1, 2, 3}
        assert set(last.values()) <= {"complete", "skipped"}
        if wish != "skip":
            assert set(last.values()) == {"complete"}


@pytest.mark.parametrize("state", ["welcome", "clip", "valence", "rest"])
def test_an_abort_stays_an_abort_through_a_crash_and_the_mood_repair_is_shown(tmp_path: Path, state: str) -> None:
    (tmp_path / "whole").mkdir()
    lab = whole(tmp_path / "whole", at={(state, 1): Stopped("escape")})
    assert lab.run() == Ending("aborted", "escape")
    assert lab.names[-4:] == ["abort", "mood_repair/onset", "mood_repair/offset", "session/end"]
    n = len(lab.journal)
    first = next(row.seq for row in lab.journal if row.name == "abort") + 1
    for k in range(first, n + 1):
        folder = tmp_path / str(k)
        folder.mkdir()
        again = whole(folder, at={(state, 1): Stopped("escape")}, crash=Dying(k))
        assert again.run_to_the_end() == Ending("aborted", "escape")
        moments = recorded(again)
        everything_that_begins_ends(moments)
        assert [m.name for m, _ in moments].count("abort") == 1
        repairs = [m.keys["end"] for m, _ in moments if m.name == "mood_repair/offset"]
        assert repairs[-1] == "complete"
        assert str(moments[-1][0]) == "session/end end=aborted reason=escape"


def test_a_question_that_was_left_out_is_not_asked_after_a_crash_in_the_rest(tmp_path: Path) -> None:
    died: list[str] = []

    def crash(kind: Kind, name: str) -> str:
        if not died and (kind, name) == ("state", "rest"):
            died.append(name)
            return "after"
        return ""

    lab = whole(tmp_path, at={("intensity", 2): Asked("skip", "f7")}, crash=crash)  # the first is the practice's
    assert lab.run_to_the_end() == Ending("complete")
    asked = [e.partition(" <")[0] for e in lab.events if e.startswith("rating")]
    assert asked.count("rating intensity") == 1 + len(WHOLE_TRIALS)
    assert (lab.rows[0].intensity, lab.rows[0].looked_away) == (None, "no")
