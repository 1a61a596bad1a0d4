"""The launcher's watch over its children, with children of twenty lines that crash, hang and refuse."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collector import processes
from collector.conduct import Conductor
from collector.crew import Outcome, Patience, Picture, Roster, Who
from collector.diary import Diary
from collector.helm import Helm
from collector.lock import Lock
from collector.scenes import Header
from collector.sitter import Sitter
from collector.team import Team
from collector.troubles import Troubles
from protocol import folder, journal
from protocol.journal import Journal
from protocol.link import Hub
from protocol.messages import Alarm, Envelope, Status
from protocol.scene import Trouble

CHILD = str(Path(__file__).with_name("fake_child.py"))
SHORT = Patience(streams=30.0, farewell=1.0, closing=30.0, stop=processes.Patience(asked=20.0, terminated=20.0))
STUBBORN = Patience(stop=processes.Patience(asked=0.5, terminated=0.5))


class WithTheWindowAlone(Patience):
    """Impatient with a window; a collector that ends as it should may take its time on a busy machine."""

    def to_stop(self, who: Who) -> processes.Patience:
        return STUBBORN.stop if who == "window" else SHORT.to_stop(who)


class Recorded:
    """A view that keeps what was said, and may do something when a picture shows."""

    def __init__(self, on_show: Callable[[Picture], None] = lambda picture: None) -> None:
        self.said: list[str] = []
        self.show = on_show

    def say(self, text: str) -> None:
        self.said.append(text)


class Scene:
    """One run with fake children."""

    def __init__(self, data: Path) -> None:
        self.run = folder.create(data, participant="07", session="01", task="emotion")
        self.view = Recorded()
        self.helm: Helm | None = None

    def play(self, *, collector: str = "good", window: str = "good", sits: bool = True, patience: Patience = SHORT) -> Outcome:
        roster = Roster(self.child("collector", collector), self.child("window", window))
        sitter = Sitter(lambda question: ("fear",), rng=np.random.default_rng(1)) if sits else None
        hub = Hub(now=time.monotonic)
        with Lock(self.run.path.parents[1]) as lock, Journal(self.run.journal("launch"), now=time.monotonic) as written:
            diary = Diary(written, now=time.monotonic)
            team = Team(hub, diary=diary, lock=lock, scratch=self.run.path, now=time.monotonic, patience=patience)
            team.enter(self.run.path, lock)
            self.helm = Helm(
                team, diary=diary, troubles=Troubles(diary, self.view, now=time.monotonic), view=self.view,
                header=Header("test", "07", "01"), now=time.monotonic,
            )  # fmt: skip
            conductor = Conductor(self.run, roster, helm=self.helm, sitter=sitter, patience=patience)
            outcome = conductor.conduct()
        hub.close()
        return outcome

    def child(self, role: str, mode: str) -> tuple[str, ...]:
        return (sys.executable, "-P", CHILD, role, mode, str(self.run.path))

    def interrupt_once(self, when: Callable[[Picture], bool]) -> None:
        done: list[bool] = []

        def show(picture: Picture) -> None:
            if when(picture) and not done:
                done.append(True)
                self.helm.interrupt()

        self.view.show = show

    def told(self) -> list[str]:
        return (self.run.path / "told.txt").read_text().splitlines()

    def journalled(self, kind: str) -> list[str]:
        return [row.name for row in journal.read(self.run.journal("launch")) if row.kind == kind]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_session_runs_from_the_first_stream_to_the_manifest(scene: Scene) -> None:
    assert scene.play() == Outcome("complete")
    assert scene.told() == [
        "collector started", "window started", "window key space", "window key 1", "window ended", "collector ended",
    ]  # fmt: skip
    assert folder.Manifest.load(scene.run.manifest_json).end == "complete"
    assert scene.journalled("state") == ["recording", "window/ended", "collector/ended", "ended"]
    assert scene.journalled("alarm") == []


def test_what_the_collector_says_of_its_alarms_counts_whatever_was_lost_on_the_way(scene: Scene) -> None:
    """A launcher that took a session over restores what its journal says: an alarm may have ended, or begun, meanwhile."""
    hub, diary = Hub(now=time.monotonic), Diary(now=time.monotonic)
    troubles = Troubles(diary, scene.view, now=time.monotonic)
    team = Team(hub, diary=diary, lock=None, scratch=scene.run.path, now=time.monotonic, patience=SHORT)
    helm = Helm(team, diary=diary, troubles=troubles, view=scene.view, header=Header("test", "07", "01"), now=time.monotonic)
    conductor = Conductor(scene.run, Roster((), ()), helm=helm, patience=SHORT)
    for code, who in (("stream/lost EEG", "collector"), ("window/frozen", "")):
        troubles.restore(Trouble(code=code, text=code, level="stop", t_cause=1.0, t_raised=1.0), who=who)

    def hear(alarms: tuple[Alarm, ...] | None) -> list[str]:
        conductor.hear(
            Envelope(token="", who="collector", t_lsl=0.0, type="Status", body=Status(recording=True, alarms=alarms))
        )
        return sorted(one.code for one in troubles.on)

    assert hear(None) == ["stream/lost EEG", "window/frozen"], "it said nothing of them"
    disk = Alarm(code="disk/low", level="warn", t_cause=2.0, why="80 MB left")
    assert hear((disk,)) == ["disk/low", "window/frozen"]
    assert [(one.text, one.t_cause) for one in troubles.on if one.code == "disk/low"] == [("80 MB left", 2.0)]
    assert hear(()) == ["window/frozen"], "what the launcher itself sees is its own"
    assert sorted(scene.view.said) == ["ALARM: disk/low: 80 MB left", "over: disk/low", "over: stream/lost EEG"]
    hub.close()


def test_nobody_presses_keys_for_a_real_participant(scene: Scene) -> None:
    asked: list[Picture] = []
    scene.interrupt_once(lambda p: p.state.startswith("welcome") and (asked.append(p) or len(asked) > 15))
    scene.play(sits=False)
    assert not [line for line in scene.told() if "key" in line]


def test_without_streams_the_window_never_opens_and_the_reason_is_the_collectors(scene: Scene) -> None:
    outcome = scene.play(collector="refuses")
    said = "required stream EmotivDataStream-EEG: not found; switch the headset on"
    assert outcome == Outcome("aborted", said, fault="")
    assert scene.journalled("alarm") == []
    assert scene.told() == ["collector started"]


def test_a_collector_that_never_records_is_stopped(scene: Scene) -> None:
    outcome = scene.play(collector="waits", patience=Patience(streams=0.3))
    assert outcome.fault == "nothing was recorded within 0.3 s"
    assert scene.told() == ["collector started", "collector stop collector/late", "collector ended"]


def test_a_window_that_dies_each_time_ends_the_run_and_the_collector_closes_its_files(scene: Scene) -> None:
    outcome = scene.play(window="dies")
    assert (outcome.end, outcome.reason) == ("aborted", "window/lost")
    assert outcome.fault == "the window was ended by SIGKILL"
    assert scene.told()[-3:] == ["collector note window/lost", "collector stop window/lost", "collector ended"]
    assert folder.Manifest.load(scene.run.manifest_json).end == "aborted"
    assert "window/lost" in scene.journalled("alarm")
    assert scene.told().count("window started") == 4  # three times again, and no more


def test_a_window_that_dies_is_started_again_and_the_run_goes_on(scene: Scene) -> None:
    assert scene.play(window="dies once") == Outcome("complete")
    assert scene.told().count("window started") == 2
    assert [line for line in scene.told() if "note" in line] == ["collector note window/lost", "collector note window/back"]
    assert "ALARM: window/lost: the window was ended by SIGKILL" in scene.view.said
    assert "over: window/lost" in scene.view.said
    assert folder.Manifest.load(scene.run.manifest_json).end == "complete"


def test_the_collectors_death_is_an_alarm_and_the_window_is_asked_to_stop(scene: Scene) -> None:
    outcome = scene.play(collector="dies", sits=False)
    assert outcome.fault == "the collector ended with exit code 3: no space left on device"
    assert scene.told()[-2:] == ["window abort collector lost", "window ended"]
    assert "ALARM: collector/lost: the collector ended with exit code 3: no space left on device" in scene.view.said


def test_a_collector_that_leaves_before_the_window_is_a_fault_though_its_files_are_whole(scene: Scene) -> None:
    outcome = scene.play(collector="leaves", sits=False)
    assert outcome.fault.startswith("the collector ended with exit code 0")
    assert "window abort collector lost" in scene.told()


def test_an_interrupt_ends_the_window_first_and_the_collector_after_it(scene: Scene) -> None:
    scene.interrupt_once(lambda p: p.state.startswith("welcome"))
    outcome = scene.play(sits=False)
    assert (outcome.end, outcome.fault) == ("aborted", "")
    assert scene.told()[-3:] == ["window abort operator", "window ended", "collector ended"]


def test_an_interrupt_before_the_window_opens_ends_the_collector(scene: Scene) -> None:
    scene.interrupt_once(lambda p: (scene.run.path / "told.txt").exists() and p.status is not None)
    outcome = scene.play(collector="waits")
    assert outcome == Outcome("aborted", "operator")
    assert scene.told()[-2:] == ["collector stop operator", "collector ended"]


def test_a_window_that_refuses_to_stop_is_terminated_then_killed(scene: Scene) -> None:
    scene.interrupt_once(lambda p: p.state.startswith("welcome"))
    outcome = scene.play(window="stubborn", sits=False, patience=WithTheWindowAlone())
    assert (outcome.end, outcome.reason, outcome.fault) == ("aborted", "operator", "")
    assert [name for name in scene.journalled("command") if name.startswith("window/")] == [
        "window/start", "window/abort", "window/terminated", "window/killed",
    ]  # fmt: skip
    assert scene.told()[-3:] == ["collector note window/lost", "collector stop operator", "collector ended"]


def test_a_collector_that_missed_the_end_of_the_session_is_told_and_may_close_its_files(scene: Scene) -> None:
    patience = Patience(draining=0.5, stop=processes.Patience(asked=20.0, terminated=20.0))
    assert scene.play(collector="deaf", patience=patience) == Outcome("complete")
    assert scene.told()[-3:] == ["window ended", "collector stop session ended", "collector ended"]
    assert scene.journalled("alarm") == ["collector/slow"]


def test_a_collector_that_refuses_to_stop_is_killed_and_that_is_a_fault(scene: Scene) -> None:
    outcome = scene.play(window="dies", collector="stubborn", patience=replace(STUBBORN, closing=0.5))
    assert outcome.fault == "the window was ended by SIGKILL"
    commands = [name for name in scene.journalled("command") if name.startswith("collector/")]
    assert commands[-2:] == ["collector/terminated", "collector/killed"]


def test_a_collector_that_takes_long_over_its_files_is_not_killed(scene: Scene) -> None:
    impatient = Patience(closing=30.0, stop=processes.Patience(asked=0.2, terminated=0.2))
    scene.play(window="dies", collector="slow", patience=impatient)
    assert folder.Manifest.load(scene.run.manifest_json).reason == "window/lost"
    assert "collector/killed" not in scene.journalled("command")


def test_a_collector_that_broke_after_the_sessions_end_is_a_fault_though_its_manifest_says_complete(scene: Scene) -> None:
    outcome = scene.play(collector="full")
    assert folder.Manifest.load(scene.run.manifest_json).end == "complete"
    assert outcome.fault == "the collector ended with exit code 3: no space left on device"


def test_the_collector_hears_that_the_launcher_lives(scene: Scene) -> None:
    scene.play()
    assert (scene.run.path / "launcher.heard").exists()


def test_a_session_whose_markers_nobody_records_is_an_alarm_and_waits_a_while_for_somebody(scene: Scene) -> None:
    assert scene.play(window="hasty", collector="blind", patience=replace(SHORT, unattended=1.0)) == Outcome("complete")
    assert scene.journalled("alarm") == ["markers/unrecorded"]
    assert [line for line in scene.told() if line.endswith(" next")] == ["window pause next", "window resume next"]


def test_a_second_interrupt_hurries(scene: Scene) -> None:
    scene.view.show = lambda p: p.state.startswith("welcome") and scene.helm.interrupt()
    endless = Patience(stop=processes.Patience(asked=1e6, terminated=1.0))
    assert scene.play(window="stubborn", sits=False, patience=endless).end == "aborted"
    assert "window/terminated" in scene.journalled("command")


def test_the_lock_names_the_children_and_is_empty_afterwards(scene: Scene) -> None:
    lock = scene.run.path.parents[1] / "lock.json"
    seen: list[str] = []
    scene.view.show = lambda p: p.phase == "session" and seen.append(lock.read_text())
    scene.play()
    assert all(f'"{who}"' in seen[-1] for who in ("launcher", "collector", "window"))
    assert str(scene.run.path) in seen[-1]
    assert lock.read_text() == ""


def test_children_lead_groups_of_their_own(tmp_path: Path) -> None:
    import os

    child = processes.start("c", (sys.executable, "-c", "input()"), environment={}, log=tmp_path / "c.log")
    try:
        assert os.getpgid(child.process.pid) == child.process.pid != os.getpgid(0)
    finally:
        processes.kill(child)
        child.process.wait()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("print('no disk'); raise SystemExit(3)", "ended with exit code 3: no disk"),
        (
            "import os; print('all is well', flush=True); os.kill(os.getpid(), 9)",
            "was ended by SIGKILL; the last line of c.log: all is well",
        ),
    ],
)
def test_the_last_words_of_a_process_that_was_killed_are_no_reason(tmp_path: Path, script: str, why: str) -> None:
    child = processes.start("c", (sys.executable, "-c", script), environment={}, log=tmp_path / "c.log")
    child.process.wait()
    assert child.why() == why


def test_killing_a_child_ends_what_it_started(tmp_path: Path) -> None:
    script = "import subprocess, sys; p = subprocess.Popen(['sleep', '100']); print(p.pid, flush=True); p.wait()"
    child = processes.start("c", (sys.executable, "-c", script), environment={}, log=tmp_path / "c.log")
    for _ in range(1200):
        if child.last_words():
            break
        time.sleep(0.05)
    grandchild = int(child.last_words())
    assert processes.birth(grandchild) is not None
    processes.kill(child)
    child.process.wait()
    for _ in range(200):
        if processes.birth(grandchild) is None:
            break
        time.sleep(0.05)
    assert processes.birth(grandchild) is None
