"""The launcher and an operator: a page that may be killed, buttons, reasons, holds, overrides, the preflight, the end."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from collector import processes
from collector.afoot import Course
from collector.before import Preflight
from collector.conduct import Conductor
from collector.crew import Outcome, Patience, Picture, Roster
from collector.diary import Diary
from collector.helm import Helm
from collector.keeper import Keeper, free_place
from collector.lock import Lock
from collector.scenes import Header
from collector.sitter import Sitter
from collector.team import Team
from collector.troubles import Troubles
from protocol import folder, journal
from protocol.folder import Run
from protocol.journal import Journal
from protocol.link import Hub
from protocol.messages import Press, Scene
from protocol.study import Study

CHILD = str(Path(__file__).with_name("fake_child.py"))
SHORT = Patience(streams=30.0, farewell=1.0, closing=30.0, stop=processes.Patience(asked=20.0, terminated=20.0))
STUDY = Study.model_validate({
    "study": {"name": "test"}, "consent": {"version": "1"}, "camera": None, "sync": {"blinks": 2, "flashes": 2},
    "eeg": {"stream": {"name": "EEG"}, "contact_quality_stream": None, "eeg_quality_stream": None},
    "emotions": {"fear": {"hed": "Fearful", "color": "#CC79A7"}, "neutral": {"hed": "Neutral", "color": "#7F7F7F"}},
})  # fmt: skip


@dataclass
class Seat:
    """Where an operator sits: what a page would show, and its buttons."""

    run: Run
    helm: Helm
    journal: Journal
    said: list[str] = field(default_factory=list)
    script: Iterator[Any] = field(default_factory=lambda: iter(()))

    def show(self, picture: Picture) -> None:
        """Let the script go on, ten times a second, as soon as what it waits for has come about."""
        self._wait = getattr(self, "_wait", None) or next(self.script, None)
        if self._wait is not None and self._wait():
            self._wait = None

    def say(self, text: str) -> None:
        self.said.append(text)

    def scenes(self) -> list[Scene]:
        path = self.run.path / "scenes.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [msgspec.json.decode(line, type=Scene) for line in lines if line.endswith("}")]

    def press(self, verb: str, *, arg: str = "", reason: str = "", id_: str = "") -> None:
        with (self.run.path / "press.txt").open("a") as file:
            file.write(f"{verb}|{arg}|{reason}|{id_}\n")

    def key(self, key: str) -> None:
        """Press a key for the participant."""
        self.helm.team.send("window", Press(key=key))

    def sees(self, **wanted: Any) -> Callable[[], bool]:
        """Whether the newest scene is so; of ``buttons`` those named must be there."""

        def there() -> bool:
            scenes = self.scenes()
            return bool(scenes) and all(
                set(value) <= set(scenes[-1].buttons) if name == "buttons" else getattr(scenes[-1], name) == value
                for name, value in wanted.items()
            )

        return there

    def told(self) -> list[str]:
        return (self.run.path / "told.txt").read_text().splitlines()

    def hears(self, line: str) -> Callable[[], bool]:
        return lambda: line in self.told()

    def rows(self, kind: str, name: str) -> list[Any]:
        return [row.data for row in journal.read(self.run.journal("launch")) if (row.kind, row.name) == (kind, name)]

    def conduct(
        self, *, collector: str = "good", window: str = "good", course: Course | None = None, answers: bool = True
    ) -> Outcome:
        roster = Roster(self.child("collector", collector), self.child("window", window), contact=self.child("contact", "good"))
        sitter = Sitter(lambda question: ("fear",), rng=np.random.default_rng(1)) if answers else None
        return Conductor(self.run, roster, helm=self.helm, course=course, sitter=sitter, patience=SHORT).conduct()

    def child(self, role: str, mode: str) -> tuple[str, ...]:
        return (sys.executable, "-P", CHILD, role, mode, str(self.run.path))


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    run = folder.create(tmp_path, participant="07", session="01", task="emotion")
    hub, now = Hub(now=time.monotonic), time.monotonic
    with Lock(run.path.parents[1]) as lock, Journal(run.journal("launch"), now=now) as written:
        diary = Diary(written, now=now)
        team = Team(hub, diary=diary, lock=lock, scratch=run.path, now=now, patience=SHORT)
        team.enter(run.path, lock)
        seat = Seat(run, None, written)  # type: ignore[arg-type]
        troubles = Troubles(diary, seat, now=now)
        keeper = Keeper(team, seat.child("page", "good"), free_place(), troubles=troubles, now=now, browse=None)
        seat.helm = Helm(
            team,
            diary=diary,
            troubles=troubles,
            view=seat,
            header=Header("test", "07", "01", n_trials=1),
            now=now,
            keeper=keeper,
        )
        yield seat
        team.kill_all()
        for child in team.children.values():
            child.process.wait()  # type: ignore[attr-defined]
    hub.close()


def test_the_operator_begins_the_session_and_a_page_that_is_killed_comes_back_to_it(seat: Seat) -> None:
    pids: list[int] = []

    def script() -> Iterator[Callable[[], bool]]:
        yield seat.sees(phase="contacts", state="waiting", buttons=("start",))
        seat.press("skip")
        yield seat.hears("page ack False skip: not possible now")
        pids.append(seat.helm.team.children["page"].pid)
        os.kill(pids[0], signal.SIGKILL)
        yield lambda: seat.told().count("page started") == 2
        seat.press("start")
        yield seat.hears("page ack True")

    seat.script = script()
    assert seat.conduct() == Outcome("complete")
    scenes = seat.scenes()
    assert [scene.seq for scene in scenes] == sorted({scene.seq for scene in scenes}), "each scene once, in order"
    phases = list(dict.fromkeys(scene.phase for scene in scenes))
    assert [phase for phase in phases if phase in ("contacts", "session")] == ["contacts", "session"]
    assert {scene.run for scene in scenes} == {"01"}
    assert [row["reason"] for row in seat.rows("alarm", "page/lost")[:1]] == ["the page was ended by SIGKILL"]
    assert (seat.run.path / "relayed.Status").exists() and (seat.run.path / "relayed.Beat").exists()
    given = [(row["who"], row["ok"]) for name in ("skip", "start") for row in seat.rows("command", f"operator/{name}")]
    assert given[0] == ("page", False) and ("page", True) in given
    order = seat.told()
    assert order.index("window started") < order.index("page ack True")
    assert "window key space" not in order[: order.index("page ack True")], "nobody began before START"


def test_buttons_reach_the_window_once_however_often_they_are_sent_and_notes_the_recording(seat: Seat) -> None:
    def script() -> Iterator[Callable[[], bool]]:
        yield seat.sees(phase="contacts", state="waiting")
        seat.press("start")
        yield seat.sees(phase="session", buttons=("pause", "abort", "note"))
        seat.press("pause", reason="phone", id_="once")
        seat.press("pause", reason="phone", id_="once")
        seat.press("abort", reason="no")
        seat.press("note", arg="coughs", reason="note")
        yield lambda: seat.told().count("page ack True") == 4
        seat.press("abort", reason="unwell")
        yield seat.hears("window abort unwell")

    seat.script = script()
    assert seat.conduct(answers=False).end == "aborted"
    told = seat.told()
    assert told.count("window pause phone") == 1
    assert "page ack False abort: say why, in at least 3 letters" in told
    assert "collector note note" in told
    assert [row["arg"] for row in seat.rows("command", "operator/note")] == ["coughs"]
    assert any(moment.text == "coughs" for scene in seat.scenes() for moment in scene.timeline)


def test_a_trouble_that_stops_holds_the_next_trial_until_it_is_over_and_the_operator_lets_it_go(seat: Seat) -> None:
    trouble = seat.run.path / "trouble.txt"

    def script() -> Iterator[Callable[[], bool]]:
        yield seat.sees(phase="contacts", state="waiting")
        seat.press("start")
        yield seat.sees(phase="session")
        trouble.write_text("on")
        yield seat.hears("window pause next")
        seat.key("space")
        yield seat.sees(state="hold", light="red")
        assert "resume" not in seat.scenes()[-1].buttons
        seat.press("resume", arg="next")
        yield seat.hears("page ack False resume: not possible now")
        trouble.write_text("over")
        yield seat.sees(state="hold", troubles=(), buttons=("resume",))
        assert "window resume next" not in seat.told()
        instruction = seat.scenes()[-1].instruction
        assert (instruction.button, instruction.arg) == ("resume", "next")
        seat.press(instruction.button, arg=instruction.arg)
        yield seat.hears("window resume next")
        yield lambda: seat.scenes()[-1].state.startswith("rating")
        seat.key("1")

    seat.script = script()
    assert seat.conduct(collector="troubled", answers=False) == Outcome("complete")
    told = seat.told()
    assert [told.count(f"window {verb} next") for verb in ("pause", "resume")] == [1, 1]


def test_a_cap_on_a_table_holds_the_first_clip_until_somebody_says_why_not(seat: Seat) -> None:
    (seat.run.path / "contact.said").write_text(json.dumps({"state": "no_blinks", "n_cues": 2, "n_seen": 0, "alpha": 1.0}))

    def script() -> Iterator[Callable[[], bool]]:
        yield seat.sees(phase="contacts", state="waiting")
        seat.press("start")
        yield seat.sees(state="hold", buttons=("override", "check"))
        assert seat.scenes()[-1].contact.state == "no_blinks"
        seat.press("override", arg="contact", reason="a wig")
        yield seat.hears("window resume next")

    seat.script = script()
    conductor_course = Course(study=STUDY, n_trials=1)
    assert seat.conduct(window="cued", course=conductor_course) == Outcome("complete")
    assert [row["reason"] for row in seat.rows("note", "override")] == ["a wig"]
    assert [(row["state"], row["overridden"]) for row in seat.rows("note", "contact")] == [
        ("no_blinks", ""),
        ("no_blinks", "a wig"),
    ]
    told = seat.told()
    assert told.index("window key 1") > told.index("window resume next")


def test_a_frozen_window_is_an_alarm_and_nobody_kills_it(seat: Seat) -> None:
    def script() -> Iterator[Callable[[], bool]]:
        yield seat.sees(phase="contacts", state="waiting")
        seat.press("start")
        yield lambda: bool(seat.rows("alarm", "window/frozen"))
        seat.press("abort", reason="frozen")
        yield seat.hears("window abort frozen")

    seat.script = script()
    assert seat.conduct(window="frozen", answers=False).end == "aborted"
    assert seat.rows("alarm", "window/frozen")[0]["level"] == "stop"
    assert seat.told().count("window started") == 1
    assert [row for row in ("terminated", "killed") if seat.rows("command", f"window/{row}")] == []


# ---- the preflight

BLOCKED = {
    "findings": [
        {"code": "disk", "light": "green", "text": "3 h"},
        {"code": "consent", "light": "red", "text": "no sheet", "cure": "sign it", "blocks": True},
        {"code": "sound/muted", "light": "red", "text": "muted", "cure": "unmute it", "blocks": True, "may_override": True},
    ]
}


def preflight(seat: Seat, said: object, **options: Any) -> Preflight:
    (seat.run.path / "doctor.said").write_text(json.dumps(said) if said is not None else "")
    stage = Preflight(seat.child("doctor", "good"), (), helm=seat.helm, limit_s=30.0, **options)
    stage.open()
    seat.helm.play(stage)
    return stage


def test_what_blocks_blocks_start_until_it_is_mended_or_passed_over_with_a_reason(seat: Seat) -> None:
    def script() -> Iterator[Callable[[], bool]]:
        yield lambda: seat.sees(screen="preflight")() and len(seat.scenes()[-1].findings) == 3
        seat.press("start")
        yield seat.hears("page ack False start: not possible now")
        seat.press("override", arg="consent", reason="later")
        yield seat.hears("page ack False override consent: there is nothing of this name that could be overridden")
        seat.press("override", arg="sound/muted", reason="silent clips")
        yield lambda: any(one.overridden for one in seat.scenes()[-1].findings)
        (seat.run.path / "doctor.said").write_text(json.dumps({"findings": [BLOCKED["findings"][0], BLOCKED["findings"][2]]}))
        seat.press("check")
        yield seat.sees(buttons=("start",))
        seat.press("start")
        yield lambda: False

    seat.script = script()
    passed = preflight(seat, BLOCKED).passed
    assert passed.went_on
    assert {one.code: one.overridden for one in passed.findings} == {"disk": "", "sound/muted": "silent clips"}
    assert [row["reason"] for row in seat.rows("note", "override")] == ["silent clips"]


def test_a_study_that_was_edited_meanwhile_is_not_begun_with_the_old_plan(seat: Seat) -> None:
    """Cures say what to change in the study file: the plan, the form and the gate would be those of the old one."""
    changed: list[str] = []

    def script() -> Iterator[Callable[[], bool]]:
        yield seat.sees(screen="preflight", buttons=("start",))
        changed.append("by somebody")
        seat.press("start")
        yield seat.hears(
            "page ack False start: the study was changed after it had been checked; abort, and start emo-run again"
        )
        yield lambda: seat.scenes()[-1].instruction.code == "preflight/changed"
        assert "start" not in seat.scenes()[-1].buttons and seat.scenes()[-1].instruction.button == "abort"
        seat.press("abort", reason="begin anew")
        yield lambda: False

    seat.script = script()
    passed = preflight(seat, {"findings": []}, is_changed=lambda: bool(changed)).passed
    assert (passed.went_on, [one.code for one in passed.blocking]) == (False, ["study/changed"])


@pytest.mark.parametrize(
    ("said", "override", "goes_on"),
    [
        ({"findings": []}, "", True),
        (BLOCKED, "", False),
        (BLOCKED, "because", False),  # consent may not be passed over
        ({"findings": BLOCKED["findings"][2:]}, "because", True),
        (None, "", False),
        ({"findings": [{"code": "x"}]}, "", False),
    ],
    ids=["clean", "blocked", "one-may-not", "one-may", "the-doctor-says-nothing", "the-doctor-says-nonsense"],
)
def test_where_nobody_can_be_asked_the_preflight_decides(seat: Seat, said: object, override: str, goes_on: bool) -> None:
    seat.helm.keeper = None
    passed = preflight(seat, said, override=override).passed
    assert passed.went_on == goes_on
    assert bool(passed.blocking) != goes_on
