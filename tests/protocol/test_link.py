"""The wire between the processes."""

import time

import pytest
import zmq

from protocol.link import Hub, Link
from protocol.messages import Beat, Press


def wait(receive, n: int = 1) -> list:
    """Bounded: 5 s."""
    found: list = []
    for _ in range(500):
        found += receive()
        if len(found) >= n:
            break
        time.sleep(0.01)
    return found


@pytest.fixture
def hub():
    hub = Hub(now=lambda: 1.0)
    yield hub
    hub.close()


def test_beats_go_up_and_presses_go_down(hub: Hub) -> None:
    link = Link("window", address=hub.address, token=hub.token, now=lambda: 2.0)
    assert link.send(Beat(state="welcome", n_flip=3, t_flip=1.5))
    (beat,) = wait(hub.receive)
    assert (beat.who, beat.t_lsl, beat.body) == ("window", 2.0, Beat(state="welcome", n_flip=3, t_flip=1.5))
    hub.send("window", Press(key="space"))
    (press,) = wait(link.receive)
    assert press.body == Press(key="space")
    link.close()


def test_a_stranger_without_the_token_is_not_heard(hub: Hub) -> None:
    stranger = Link("window", address=hub.address, token="guess", now=lambda: 2.0)
    stranger.send(Beat(state="evil"))
    friend = Link("collector", address=hub.address, token=hub.token, now=lambda: 2.0)
    friend.send(Beat(state="recording"))
    heard = wait(hub.receive)
    assert [e.body.state for e in heard] == ["recording"]
    for link in (stranger, friend):
        link.close()


def test_a_link_may_not_speak_in_anothers_name(hub: Hub) -> None:
    liar = Link("page", address=hub.address, token=hub.token, now=lambda: 2.0)
    liar.who = "window"
    liar.send(Beat(state="evil"))
    liar.who = "page"
    liar.send(Beat(state="honest"))
    assert [e.body.state for e in wait(hub.receive)] == ["honest"]
    liar.close()


def test_the_hub_listens_on_loopback_alone(hub: Hub) -> None:
    assert hub.address.startswith("tcp://127.0.0.1:")


def test_sending_to_nobody_neither_blocks_nor_raises(hub: Hub) -> None:
    hub.send("page", Press(key="a"))
    link = Link("window", address="tcp://127.0.0.1:1", token="t", now=lambda: 0.0)
    results = [link.send(Beat(state="x")) for _ in range(1500)]
    assert results[0] is True
    assert results[-1] is False
    link.close()


def test_without_a_launcher_there_is_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOLAB_ADDRESS", raising=False)
    assert Link.from_environment("window", now=lambda: 0.0) is None
    assert zmq.Context.instance() is not None
