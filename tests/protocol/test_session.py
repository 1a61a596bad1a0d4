"""The session's states in front of a screen and a clock that are made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from protocol import journal as journals
from protocol import markers, ports, session, trials
from protocol.folder import Consent, Person, Session
from protocol.journal import Journal
from protocol.markers import Marker
from protocol.ports import Answer, Clip, Page, Played, Question, Stopped
from protocol.schedule import Trial
from protocol.session import Ending
from protocol.study import Study, loads

STUDY = """
[study]
name = "s"
[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
fear = { hed = "Fearful", color = "#CC79A7" }
[timing]
baseline = 8.0
fixation = 1.0
rest = 2.0
[ratings]
sam = ["valence", "dominance"]
[consent]
version = "v 1"
"""
TRIALS = (Trial(1, 1, "fear02", "fear"), Trial(2, 1, "happy01", "happiness"))
CLIPS = {
    "fear02": Clip(Path("/clips/fear02.mp4"), "fear02", "fear", 1.0, 7.0),
    "happy01": Clip(Path("/clips/happy01.mp4"), "happy01", "happiness", 0.0, 6.0),
}
ANSWERS = {"valence": "3", "dominance": "9", "emotion": "fear"}
RECORD = Session(
    uid="u1", participant="07", session="01", run="01", task="emotion", simulated=True, study_sha256="ab",
    created_wall="2026-11-22T09:00:00Z", created_lsl=0.0, boot="b", person=Person(),
    consent=Consent(version="v 1", scopes=("eeg", "face"), t_wall="2026-11-22T09:00:00Z"), versions={},
)  # fmt: skip


@dataclass
class Lab:
    """Clock, screen and outlet in one; each thing shown takes its time on the clock."""

    path: Path
    t: float = 100.0
    stop_at: str = ""  # the state in which Escape is pressed
    broken: str = ""  # the clip that cannot be opened
    tells_of_interruption: bool = False
    events: list[str] = field(default_factory=list)  # what happened, as it happened
    stamps: list[tuple[Marker, float]] = field(default_factory=list)

    def now(self) -> float:
        return self.t

    def push(self, marker: Marker, t_lsl: float) -> None:
        self.stamps.append((marker, t_lsl))

    def _entered(self, state: str) -> None:
        """What the journal holds at this very moment is what a crash would leave."""
        written = [row for row in journals.read(self.path / "journal.jsonl") if row.kind == "state"]
        self.events.append(f"{state} < {written[-1].name}")

    def show(self, page: Page, *, on_flip: Callable[[float], None] | None = None) -> float:
        self._entered(page.name)
        if on_flip:
            on_flip(self.t)
        if self.stop_at == page.name:
            raise Stopped("escape")
        self.t += 5.0 if page.duration_s is None else page.duration_s
        return self.t

    def play(self, clip: Clip, *, on_onset: Callable[[float], None], on_offset: Callable[[Played], None]) -> Played:
        self._entered(f"clip {dict(clip.keys)['stim_id']}")
        if clip.stim_id == self.broken:
            played = Played(None, self.t, 0, 0, 0, None, None, "failed", "not a film")
            on_offset(played)
            return played
        if self.stop_at == "before the clip":
            raise Stopped("escape")
        on_onset(self.t)
        started = self.t
        if self.stop_at == "clip":
            self.t += 2.5
            if self.tells_of_interruption:
                on_offset(Played(started, self.t, 75, 0, 0, 0.001, None, "interrupted"))
            raise Stopped("escape")
        self.t += clip.stop_s - clip.start_s
        played = Played(started, self.t, 179, 1, 2, 0.001, -0.0065, "complete")
        on_offset(played)
        return played

    def ask(self, question: Question, *, on_answer: Callable[[Answer], None]) -> Answer:
        self._entered(f"rating {question.name}")
        if self.stop_at == question.name:
            raise Stopped("window closed")
        shown = self.t
        self.t += 1.5
        answer = Answer(ANSWERS[question.name], shown, self.t)
        on_answer(answer)
        return answer

    def run(self, study: Study | None = None) -> Ending:
        clock: ports.Clock = self
        screen: ports.Screen = self
        outlet: ports.Outlet = self
        with Journal(self.path / "journal.jsonl", now=self.now, wall=lambda: "2026-11-22T09:00:00Z") as journal:
            return session.run(
                study=study or loads(STUDY), trials=TRIALS, clips=CLIPS, clock=clock, screen=screen, outlet=outlet,
                journal=journal, table=trials.TrialTable(self.path / "trials.csv"), record=RECORD,
            )  # fmt: skip

    @property
    def sent(self) -> list[str]:
        return [f"{t:g} {marker}" for marker, t in self.stamps]

    @property
    def rows(self) -> list[trials.TrialRow]:
        return trials.read(self.path / "trials.csv")


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
        "105 baseline/eyes_open phase=onset",
        "113 baseline/eyes_open phase=offset",
        *trial_markers(1, "fear02", "fear", 113),
        *trial_markers(2, "happy01", "happiness", 126.5),
        "144 session/end end=complete",
    ]


def test_every_state_stands_in_the_journal_before_it_happens(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.run()
    first = [
        "welcome < welcome", "baseline/eyes_open < baseline/eyes_open", "fixation < fixation", "clip fear02 < clip",
        "rating valence < rating", "rating dominance < rating", "rating emotion < rating", "rest < rest",
    ]  # fmt: skip
    assert lab.events[:8] == first
    assert lab.events[-1] == "thanks < thanks"


def test_the_journal_holds_the_plan_and_every_marker_as_sent(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.run()
    rows = journals.read(tmp_path / "journal.jsonl")
    noted = [(markers.parse(row.data["text"]), row.data["t"]) for row in rows if row.name == "marker"]
    assert noted == lab.stamps
    (plan,) = [row.data["trials"] for row in rows if row.name == "plan"]
    assert plan[0] == {"trial": 1, "block": 1, "stim_id": "fear02", "target": "fear"}


def test_the_trial_table_has_what_was_measured_and_answered(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.run()
    first, second = lab.rows
    assert (first.trial, first.stim_id, first.target, first.end) == (1, "fear02", "fear", "complete")
    assert (first.clip_started, first.clip_stopped) == (114.0, 120.0)
    assert (first.shown, first.dropped, first.repeated, first.audio_offset_s) == (179, 1, 2, -0.0065)
    assert (first.valence, first.arousal, first.dominance, first.rating) == (3, None, 9, "fear")
    assert (first.valence_rt, first.arousal_rt, first.rating_rt) == (1.5, None, 1.5)
    assert (second.trial, second.clip_started) == (2, 127.5)


ABORTS = {
    "welcome": 0, "baseline/eyes_open": 0, "fixation": 0, "before the clip": 1, "clip": 1, "valence": 1, "dominance": 1,
    "emotion": 1, "rest": 1, "thanks": 2,
}  # fmt: skip


@pytest.mark.parametrize("state", ABORTS)
def test_escape_ends_the_session_cleanly_in_every_state(tmp_path: Path, state: str) -> None:
    lab = Lab(tmp_path, stop_at=state)
    ending = lab.run()
    assert ending.end == "aborted"
    assert ending.reason in ("escape", "window closed")
    abort, end = (marker for marker, _ in lab.stamps[-2:])
    assert (abort.name, end.name) == ("abort", "session/end")
    assert end.keys == {"end": "aborted", "reason": ending.reason}
    assert len(lab.rows) == ABORTS[state]
    names = [marker.name for marker, _ in lab.stamps]
    assert names.count("clip/onset") == names.count("clip/offset")


@pytest.mark.parametrize(("tells", "shown"), [(False, None), (True, 75)])
def test_an_open_clip_is_marked_as_interrupted_once(tmp_path: Path, tells: bool, shown: int | None) -> None:
    lab = Lab(tmp_path, stop_at="clip", tells_of_interruption=tells)
    lab.run()
    offsets = [(marker, t) for marker, t in lab.stamps if marker.name == "clip/offset"]
    assert [(marker.keys["end"], t) for marker, t in offsets] == [("interrupted", 116.5)]
    (row,) = lab.rows
    assert (row.end, row.clip_started, row.clip_stopped, row.shown, row.valence) == ("interrupted", 114.0, 116.5, shown, None)


def test_answers_given_before_an_abort_are_kept(tmp_path: Path) -> None:
    lab = Lab(tmp_path, stop_at="emotion")
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
    (alarm,) = [row for row in journals.read(tmp_path / "journal.jsonl") if row.kind == "alarm"]
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
    pages: list[Page] = []

    class Reader(Lab):
        def show(self, page: Page, *, on_flip: Callable[[float], None] | None = None) -> float:
            pages.append(page)
            return super().show(page, on_flip=on_flip)

    Reader(tmp_path).run(loads(STUDY.replace('name = "s"', 'name = "s"\nlanguage = "vi"\ninstructions = "Hãy xem."')))
    assert pages[0].text == "Hãy xem.\n\nNhấn phím cách để bắt đầu."
    assert dict(pages[2].keys) == {"trial": "1", "stim_id": "fear02", "target": "fear"}
