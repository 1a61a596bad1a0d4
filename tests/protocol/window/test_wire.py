"""The window's end of the wire, against a real hub."""

import time
from collections.abc import Callable, Iterator

import pytest

from protocol import messages
from protocol.link import Hub, Link
from protocol.messages import NEXT, Ack, Beat, Body, Command, Envelope, Press, Verb
from protocol.window.wire import Wire


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub(now=time.monotonic)
    yield hub
    hub.close()


def link(hub: Hub) -> Link:
    return Link("window", address=hub.address, token=hub.token, now=time.monotonic)


def until(hub: Hub, seen: Callable[[Envelope], bool]) -> Envelope:
    for _ in range(500):
        for envelope in hub.receive(timeout_s=0.02):
            if seen(envelope):
                return envelope
    raise AssertionError("did not come")


def eventually(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("did not become true")


def command(hub: Hub, body: Body) -> Ack:
    """Send once the window is connected, and return the answer."""
    until(hub, lambda e: isinstance(e.body, Beat))
    hub.send("window", body)
    ack = until(hub, lambda e: isinstance(e.body, Ack)).body
    assert isinstance(ack, Ack)
    return ack


def test_the_beat_carries_state_and_flip(hub: Hub) -> None:
    with Wire(link(hub), twin=False) as wire:
        wire.flipped(7, 12.5)
        wire.enter("clip trial=3 target=fear")
        beat = until(hub, lambda e: isinstance(e.body, Beat) and e.body.state.startswith("clip")).body
    assert beat == Beat(state="clip trial=3 target=fear", n_flip=7, t_flip=12.5)


def test_beats_go_on_by_themselves(hub: Hub) -> None:
    with Wire(link(hub), twin=False):
        for _ in range(3):
            until(hub, lambda e: isinstance(e.body, Beat))


def test_the_twin_s_keys_arrive_in_order_and_once(hub: Hub) -> None:
    with Wire(link(hub), twin=True) as wire:
        until(hub, lambda e: isinstance(e.body, Beat))
        pressed: list[str] = []
        for key in ("7", "space", "3"):
            hub.send("window", Press(key=key))
        eventually(lambda: bool(pressed.extend(wire.presses()) or len(pressed) == 3))
        assert pressed == ["7", "space", "3"]
        assert wire.presses() == []


def test_a_key_that_was_pressed_for_the_last_screen_does_not_answer_the_next(hub: Hub) -> None:
    with Wire(link(hub), twin=True) as wire:
        until(hub, lambda e: isinstance(e.body, Beat))
        hub.send("window", Press(key="7"))
        eventually(lambda: bool(wire._presses))
        wire.enter("rating question=arousal")
        assert wire.presses() == []


def test_keys_are_refused_in_front_of_a_person(hub: Hub) -> None:
    with Wire(link(hub), twin=False) as wire:
        ack = command(hub, Press(key="7"))
        assert not ack.ok
        assert "--twin" in ack.error
        assert wire.presses() == []


@pytest.mark.parametrize(("verb", "at_once"), [("abort", False), ("stop", True)])
def test_a_command_to_end_is_obeyed_and_answered(hub: Hub, verb: Verb, at_once: bool) -> None:
    with Wire(link(hub), twin=False) as wire:
        assert wire.take_stop() is None
        assert command(hub, Command(verb=verb, reason="cap slipped")).ok
        stop = wire.take_stop()
        assert stop is not None
        assert (stop.reason, stop.at_once) == ("cap slipped", at_once)
        assert (wire.take_stop() is None) == (not at_once)  # what ends at once is not asked for again


@pytest.mark.parametrize("verb", ["pause", "resume", "skip", "repeat"])
def test_a_wish_arrives_once_however_often_it_is_sent_and_is_answered_each_time(hub: Hub, verb: Verb) -> None:
    with Wire(link(hub), twin=False) as wire:
        until(hub, lambda e: isinstance(e.body, Beat))
        data = messages.encode(Command(verb=verb, reason="operator"), token=hub.token, who="launch", t_lsl=0.0)
        for _ in range(2):
            hub._socket.send_multipart([b"window", data])
            ack = until(hub, lambda e: isinstance(e.body, Ack)).body
            assert isinstance(ack, Ack)
            assert (ack.ok, ack.error) == (True, "")
        wish = wire.take_wish()
        assert wish is not None
        assert (wish.wish, wish.reason) == (verb, "operator")
        assert wire.take_wish() is None


def test_the_session_begins_when_the_launcher_says_so(hub: Hub) -> None:
    with Wire(link(hub), twin=False) as wire:
        assert not wire.started
        assert command(hub, Command(verb="start")).ok
        assert (wire.started, wire.take_stop()) == (True, None)


def test_without_a_launcher_there_is_nobody_to_wait_for() -> None:
    with Wire(None, twin=False) as wire:
        assert wire.started


def test_a_command_that_the_window_does_not_know_is_answered_with_an_error(hub: Hub) -> None:
    with Wire(link(hub), twin=False) as wire:
        ack = command(hub, Command(verb="note"))
        assert (ack.ok, ack.error) == (False, "note: the window obeys start, pause, resume, skip, repeat, abort, stop")
        assert (wire.take_stop(), wire.take_wish()) == (None, None)


def test_the_first_reason_to_stop_stays_unless_one_leaves_no_time() -> None:
    with Wire(None, twin=False) as wire:
        wire.stop("cap slipped")
        wire.stop("operator")
        wire.stop("SIGTERM", at_once=True)
        wire.stop("window closed", at_once=True)
        stop = wire.take_stop()
        assert stop is not None
        assert stop.reason == "SIGTERM"
        assert wire.take_stop() is stop


def test_a_launcher_that_is_gone_ends_nobody(hub: Hub) -> None:
    wire = Wire(link(hub), twin=False)
    until(hub, lambda e: isinstance(e.body, Beat))
    hub.close()
    for n in range(2000):
        wire.enter(f"state{n}")
    assert wire.take_stop() is None
    wire.close()


def test_a_hold_is_asked_for_and_let_go_and_is_no_pause(hub: Hub) -> None:
    with Wire(link(hub), twin=False) as wire:
        assert wire.hold is None
        assert command(hub, Command(verb="pause", reason="contact", arg=NEXT)).ok
        assert (wire.hold, wire.take_wish()) == ("contact", None)
        assert command(hub, Command(verb="resume")).ok
        assert wire.hold == "contact"
        assert command(hub, Command(verb="resume", arg=NEXT)).ok
        assert wire.hold is None
        asked = wire.take_wish()
        assert asked is not None
        assert asked.wish == "resume"


def test_a_window_that_comes_back_goes_on_holding(hub: Hub) -> None:
    with Wire(link(hub), twin=False, hold="contact") as wire:
        assert wire.hold == "contact"
