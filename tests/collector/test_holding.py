"""Holding before the next trial: until every reason is over, and somebody has said so or had something shown again."""

from pathlib import Path
from types import SimpleNamespace

from collector.contacting import ContactCheck
from collector.diary import Diary
from collector.holding import Hold
from protocol.journal import Journal
from protocol.messages import NEXT, Command
from protocol.scene import Contact


class Lab:
    """A window that hears everything."""

    def __init__(self, *, attended: bool) -> None:
        self.t, self.heard = 0.0, []  # type: float, list[Command]
        self.hold = Hold(self._send, now=lambda: self.t, attended=attended)

    def _send(self, command: Command, id_: str) -> None:
        self.heard.append(command)
        self.hold.acknowledged(id_)

    def step(self, *reasons: str, state: str) -> list[str]:
        """Let a beat come in and return what the window is told then."""
        self.heard.clear()
        self.hold.see(state)
        for reason in {*self.hold.reasons, *reasons} - {"operator"}:
            self.hold.keep(reason, on=reason in reasons)
        self.hold.step()
        assert all(command.arg == NEXT for command in self.heard)
        return [command.verb for command in self.heard]


def test_a_session_that_came_to_hold_waits_for_the_operator_when_all_is_well_again() -> None:
    lab = Lab(attended=True)
    assert lab.step("stream/lost eeg", state="clip trial=1") == ["pause"]
    assert lab.step("stream/lost eeg", state="hold") == []
    assert lab.step(state="hold") == []
    lab.hold.let_go()
    assert lab.step(state="hold") == ["resume"]


def test_what_is_over_before_the_clip_is_holds_nobody() -> None:
    lab = Lab(attended=True)
    assert lab.step("stream/lost eeg", state="clip trial=1") == ["pause"]
    assert lab.step(state="clip trial=1") == ["resume"]


def test_an_operator_who_has_the_clip_shown_again_need_not_let_it_go_as_well() -> None:
    lab = Lab(attended=True)
    lab.step("clip/lost", state="rating trial=1")
    assert lab.step(state="hold") == []
    assert lab.step(state="clip trial=1 attempt=2") == ["resume"]


def test_a_session_that_is_to_hold_already_hears_that_the_clip_is_lost_once() -> None:
    """After the last trial it holds for that alone."""
    lab = Lab(attended=True)
    assert lab.step("stream/lost eeg", state="clip trial=9") == ["pause"]
    assert lab.step("stream/lost eeg", "clip/lost", state="clip trial=9") == ["pause"]
    assert "clip/lost" in lab.hold._told[0].reason  # type: ignore[index]
    assert lab.step("stream/lost eeg", "clip/lost", state="rest trial=9") == []
    assert lab.step("clip/lost", state="hold") == []


def test_without_an_operator_it_goes_on_by_itself() -> None:
    lab = Lab(attended=False)
    lab.step("stream/lost eeg", state="clip trial=1")
    lab.step("stream/lost eeg", state="hold")
    assert lab.step(state="hold") == ["resume"]


def test_cues_that_are_shown_again_are_read_after_they_came_not_while_the_window_still_holds(tmp_path: Path) -> None:
    t = [0.0]
    with Journal(tmp_path / "journal.jsonl", now=lambda: t[0]) as journal:
        asked: list[float] = []
        helper = SimpleNamespace(ask=lambda: asked.append(t[0]), look=lambda: None)
        check = ContactCheck(helper, diary=Diary(journal, now=lambda: t[0]), now=lambda: t[0])  # type: ignore[arg-type]
        check.restore(Contact(state="no_blinks"))
        check.again()
        for at_s, state in (
            (0.1, "hold"),
            (0.2, "sync/told"),
            (4.0, "sync/told"),
            (6.0, "sync/cue"),
            (9.0, "hold"),
            (11.0, "hold"),
        ):
            t[0] = at_s
            check.see(state)
            check.step()
            assert check.holds
    assert asked == [11.0]


def test_cues_that_never_come_again_leave_what_was_found_so_that_somebody_can_ask_once_more(tmp_path: Path) -> None:
    """The window may have died between the wish and the cues; the next one holds and knows nothing of it."""
    t = [0.0]
    with Journal(tmp_path / "journal.jsonl", now=lambda: t[0]) as journal:
        helper = SimpleNamespace(ask=lambda: None, look=lambda: None)
        check = ContactCheck(helper, diary=Diary(journal, now=lambda: t[0]), now=lambda: t[0])  # type: ignore[arg-type]
        found = Contact(state="no_blinks", n_cues=12, n_seen=1)
        check.restore(found)
        check.again()
        seen = []
        for at_s, state in ((0.1, "hold"), (3.0, "starting"), (14.9, "hold"), (15.1, "hold"), (15.2, "hold")):
            t[0] = at_s
            check.see(state)
            check.step()
            seen.append(check.contact.state)
    assert seen == ["waiting", "waiting", "waiting", "no_blinks", "no_blinks"]
    assert check.contact == found
    assert check.holds
