"""What the page knows, with a launcher that is a list."""

import pytest

from collector.page.board import Board
from protocol.messages import Ack, Beat, Body, Command, Envelope, Preview, Scene, Status
from tests.collector.page import scenes


class Wire:
    def __init__(self) -> None:
        self.sent: list[tuple[str | None, Body]] = []
        self.coming: list[Body] = []
        self.listens = True

    def send(self, body: Body, *, id_: str | None = None) -> bool:
        self.sent.append((id_, body))
        return self.listens

    def receive(self) -> list[Envelope]:
        come, self.coming = self.coming, []
        return [Envelope(token="", who="launch", t_lsl=0.0, type=type(body).__name__, body=body) for body in come]


class Clock:
    t = 100.0

    def __call__(self) -> float:
        return self.t


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(wire: Wire, clock: Clock) -> Board:
    board = Board(wire, now=clock)
    wire.coming = [scenes.record()]
    board.pump()
    return board


def test_the_newest_of_everything_is_kept(board: Board, wire: Wire) -> None:
    newest = (scenes.finish(), Status(recording=True), Beat(state="clip"), Preview(jpeg=b"a picture", t=2.0))
    wire.coming = [scenes.record(), Status(recording=False), *newest]
    board.pump()
    assert (board.scene, board.status, board.beat, board.preview) == newest


def test_a_command_is_sent_and_its_answer_remembered(board: Board, wire: Wire) -> None:
    given = board.command("override", "  I saw it blink ", "contact")
    assert wire.sent == [(given.id, Command(verb="override", reason="I saw it blink", arg="contact"))]
    assert board.given[-1].ack is None
    wire.coming = [Ack(of="another", ok=False), Ack(of=given.id, ok=False, error="too late")]
    board.pump()
    assert board.given[-1].ack == Ack(of=given.id, ok=False, error="too late")
    other = board.command("pause")
    wire.coming = [Ack(of=other.id, ok=True)]
    board.pump()
    assert [g.ack.ok for g in board.given if g.ack] == [False, True]  # each has its own


def test_a_double_press_is_one_command_and_a_later_one_is_another(board: Board, wire: Wire, clock: Clock) -> None:
    first = board.command("skip")
    clock.t += 0.4
    assert board.command("skip").id == first.id
    assert board.command("pause").id != first.id
    clock.t += 0.7
    assert board.command("skip").id != first.id
    assert [body.verb for _, body in wire.sent] == ["skip", "pause", "skip"]  # type: ignore[attr-defined]


def test_a_launcher_is_silent_three_seconds_after_its_last_scene(board: Board, clock: Clock, wire: Wire) -> None:
    clock.t += 2.9
    assert board.silent_s is None
    wire.coming = [Status(recording=True)]  # the collector's words are not the launcher's
    board.pump()
    clock.t += 0.2
    assert board.silent_s == pytest.approx(3.1)
    wire.coming = [scenes.record()]
    board.pump()
    assert board.silent_s is None


def test_a_command_to_a_silent_launcher_is_refused_not_kept_for_later(board: Board, clock: Clock, wire: Wire) -> None:
    clock.t += 5
    given = board.command("abort", "participant wants to stop")
    assert wire.sent == []
    assert given.ack is not None
    assert (given.ack.ok, given.ack.error) == (False, "silent")


def test_a_full_queue_is_a_refusal(board: Board, wire: Wire) -> None:
    wire.listens = False
    given = board.command("pause")
    assert given.ack is not None
    assert not given.ack.ok


def test_without_a_launcher_nothing_is_known_and_nothing_can_be_commanded() -> None:
    board = Board(None)
    board.pump()
    assert (board.scene, board.age_s(Scene) < 1) == (None, True)
    assert board.command("start").ack is not None
