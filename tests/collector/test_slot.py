"""Which outlet is read, and who follows one that was lost: decided under a fake clock, without a network."""

from types import SimpleNamespace
from typing import Any

import pytest

from collector import slot as module
from collector.slot import Slot
from collector.wanted import Wanted
from collector.watch import is_silent
from collector.xdf import StreamHeader
from protocol.study import Stream

LOOK_S = 0.25


class FakeIntake:
    """An intake that does as it is told."""

    opened: list["FakeIntake"]

    def __init__(self, info: Any, kind: str, *, now: Any, pump: Any, counter: str | None = None) -> None:
        self.uid, self.name, self.kind, self.now, self.error = info.uid(), info.name(), kind, now, ""
        self.header = self.tally = None
        self.t_opened = self.t_heard = now()
        self.stopped = False
        self.source_id, self.tallies = info.source_id(), []
        self.opened.append(self)

    def send(self) -> None:
        self.header = StreamHeader("eeg", "EEG", 2, 256.0, "float32", source_id=self.source_id, hostname="pc", uid=self.uid)
        self.tally = self.tally or SimpleNamespace(n=1)
        self.t_heard = self.now()

    @property
    def flowing(self) -> bool:
        return not self.error and self.tally is not None

    @property
    def silent(self) -> bool:
        return is_silent(self.now() - self.t_heard, 256.0)

    @property
    def ended(self) -> bool:
        return self.stopped

    def release(self, sink: Any, tally: Any) -> None:
        self.tallies.append(tally)

    def ask_to_stop(self) -> None:
        self.stopped = True

    stop = ask_to_stop


class Scene:
    """A slot, a clock, and the outlets that LSL lists."""

    def __init__(self) -> None:
        self.t, self.begun, self.listed = 100.0, False, {}
        FakeIntake.opened = []
        self.slot = Slot(Wanted("eeg", Stream(name="eeg"), "eeg.stream"), now=lambda: self.t, pump=None, counter="Counter")

    def outlet(self, uid: str, source_id: str = "s") -> None:
        values = {"uid": uid, "name": "eeg", "source_id": source_id, "hostname": "pc"}
        self.listed[uid] = SimpleNamespace(**{key: (lambda value=value: value) for key, value in values.items()})

    def passes(self, seconds: float, *sending: FakeIntake) -> None:
        for _ in range(round(seconds / LOOK_S)):
            self.t += LOOK_S
            for intake in sending:
                intake.send()
            self.slot.look(list(self.listed.values()), begun=self.begun)

    def admit(self, intake: FakeIntake) -> bool:
        """Let it into the file; tells whether it goes on where another was."""
        assert self.slot.ready() is intake
        goes_on = self.slot.follows(intake)
        self.slot.id = self.slot.id or 1
        self.slot.admit(intake, lambda stamps, values: None)
        self.begun = True
        return goes_on

    def recorded(self) -> FakeIntake:
        self.outlet("a")
        self.passes(LOOK_S)
        first = FakeIntake.opened[-1]
        self.passes(2.0, first)
        assert self.slot.missing() == ""
        self.admit(first)
        return first


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(module, "Intake", FakeIntake)
    return Scene()


def test_a_stream_is_missing_until_it_is_there_sends_and_has_settled(scene: Scene) -> None:
    scene.passes(1.0)
    assert scene.slot.missing() == "eeg.stream (name = eeg) is not there"
    scene.outlet("a")
    scene.passes(LOOK_S)
    assert scene.slot.missing() == "eeg.stream (name = eeg) is there and sends nothing"
    scene.passes(1.25, FakeIntake.opened[0])
    assert scene.slot.missing() == "eeg.stream (name = eeg) has only just appeared"
    scene.passes(LOOK_S, FakeIntake.opened[0])
    assert scene.slot.missing() == ""


def test_an_outlet_that_cannot_be_reached_is_tried_again_every_5_s_and_none_is_left_open(scene: Scene) -> None:
    scene.outlet("a")
    scene.passes(LOOK_S)
    for n in range(1, 5):
        FakeIntake.opened[-1].error = "timed out"
        scene.passes(LOOK_S)
        assert scene.slot.missing() == "eeg.stream (name = eeg) is listed and cannot be reached (timed out)"
        scene.passes(4.75)
        assert len(FakeIntake.opened) == n
        scene.passes(LOOK_S)
        assert len(FakeIntake.opened) == n + 1
        assert all(intake.stopped for intake in FakeIntake.opened[:n])
        assert len(scene.slot._parting) == 1


def test_a_lost_outlet_that_returns_with_its_source_goes_on_and_its_counts_too(scene: Scene) -> None:
    first = scene.recorded()
    first.error = "its outlet is gone"
    scene.passes(0.5)
    assert len(FakeIntake.opened) == 1, "what has died is still listed, and not tried at once"
    scene.listed.clear()
    scene.outlet("b")
    scene.passes(LOOK_S)
    second = FakeIntake.opened[-1]
    assert second.uid == "b"
    scene.passes(LOOK_S, second)
    assert scene.admit(second)
    assert second.tallies == [first.tally]
    assert first.stopped


@pytest.mark.parametrize("source_id", ["", "t"])
def test_one_that_does_not_say_that_it_is_the_same_is_another(scene: Scene, source_id: str) -> None:
    scene.recorded().error = "its outlet is gone"
    scene.outlet("b", source_id)
    scene.passes(LOOK_S)
    scene.passes(LOOK_S, FakeIntake.opened[-1])
    assert not scene.admit(FakeIntake.opened[-1])


def test_a_copy_that_sends_beside_the_recorded_one_is_known_and_never_takes_its_place(scene: Scene) -> None:
    first = scene.recorded()
    scene.outlet("copy")
    scene.passes(1.0, first)
    assert scene.slot.beside == set()
    scene.passes(0.5, first)
    assert (scene.slot.beside, len(FakeIntake.opened)) == ({"copy"}, 1)
    first.error = "its outlet is gone"
    scene.passes(LOOK_S)
    scene.passes(LOOK_S, FakeIntake.opened[-1])
    assert not scene.admit(FakeIntake.opened[-1]), "it is recorded, under an id of its own"


def test_a_copy_that_is_gone_is_none_any_more(scene: Scene) -> None:
    first = scene.recorded()
    scene.outlet("copy")
    scene.passes(2.0, first)
    assert scene.slot.copies == {"copy"}
    del scene.listed["copy"]
    scene.passes(LOOK_S, first)
    assert (scene.slot.copies, scene.slot.beside) == (set(), {"copy"}), "it would not be merged if it came again"


def test_the_outlet_that_was_recorded_before_is_no_copy_while_lsl_still_lists_it(scene: Scene) -> None:
    """A headset that was switched off and on: its old outlet is listed for five seconds beside the new one."""
    scene.recorded().error = "its outlet is gone"
    scene.passes(0.5)
    scene.outlet("b")
    scene.passes(LOOK_S)
    second = FakeIntake.opened[-1]
    scene.passes(LOOK_S, second)
    scene.admit(second)
    scene.passes(6.0, second)
    assert scene.slot.beside == set()
    scene.passes(1.5, second)
    assert scene.slot.copies == {"a"}, "one that is listed for longer lives again"


def test_the_same_device_goes_before_another_and_two_strangers_are_not_guessed_between(scene: Scene) -> None:
    scene.recorded().error = "its outlet is gone"
    scene.listed.clear()
    scene.outlet("x", "other")
    scene.outlet("y", "another")
    scene.passes(1.0)
    assert len(FakeIntake.opened) == 1
    assert "several streams fit" in scene.slot.ambiguous
    scene.outlet("b", "s")
    scene.passes(LOOK_S)
    assert FakeIntake.opened[-1].uid == "b"


def test_a_pulled_cable_is_waited_for_two_minutes_then_the_outlet_is_opened_anew(scene: Scene) -> None:
    first = scene.recorded()
    scene.passes(119.5)
    assert len(FakeIntake.opened) == 1
    scene.passes(1.0)
    assert [intake.uid for intake in FakeIntake.opened] == ["a", "a"]
    assert not first.error


def test_an_outlet_that_died_and_is_still_listed_does_not_keep_the_one_that_returned_waiting(scene: Scene) -> None:
    scene.recorded().error = "its outlet is gone"
    scene.passes(1.5)
    dead = FakeIntake.opened[-1]
    assert (dead.uid, len(FakeIntake.opened)) == ("a", 2)
    scene.outlet("b")
    scene.passes(LOOK_S)
    assert (FakeIntake.opened[-1].uid, dead.stopped) == ("b", True)
