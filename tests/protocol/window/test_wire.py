"""The window's end of the wire, against a real hub."""

import time
from collections.abc import Callable, Iterator

import pytest

from protocol.link import Hub, Link
from protocol.messages import Ack, Beat, Body, Command, Envelope, Press
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


@pytest.mark.parametrize("verb", ["abort", "stop"])
def test_a_command_to_end_is_obeyed_and_answered(hub: Hub, verb: str) -> None:
    with Wire(link(hub), twin=False) as wire:
        assert wire.stopped is None
        assert command(hub, Command(verb=verb, reason="cap slipped")).ok  # type: ignore[arg-type]
        assert wire.stopped == "cap slipped"


def test_the_session_begins_when_the_launcher_says_so(hub: Hub) -> None:
    with Wire(link(hub), twin=False) as wire:
        assert not wire.started
        assert command(hub, Command(verb="start")).ok
        assert (wire.started, wire.stopped) == (True, None)


def test_without_a_launcher_there_is_nobody_to_wait_for() -> None:
    with Wire(None, twin=False) as wire:
        assert wire.started


def test_a_command_that_the_window_does_not_know_is_answered_with_an_error(hub: Hub) -> None:
    with Wire(link(hub), twin=False) as wire:
        ack = command(hub, Command(verb="pause"))
        assert (ack.ok, ack.error) == (False, "pause: the window obeys start, abort, stop")
        assert wire.stopped is None


def test_the_first_reason_to_stop_stays() -> None:
    with Wire(None, twin=False) as wire:
        wire.stop("SIGTERM")
        wire.stop("window closed")
        assert wire.stopped == "SIGTERM"


def test_a_launcher_that_is_gone_ends_nobody(hub: Hub) -> None:
    wire = Wire(link(hub), twin=False)
    until(hub, lambda e: isinstance(e.body, Beat))
    hub.close()
    for n in range(2000):
        wire.enter(f"state{n}")
    assert wire.stopped is None
    wire.close()
