"""The page's own inlets: what is recorded is shown, a stream that was lost comes back, nothing waits for either."""

from itertools import pairwise

import numpy as np
import pytest

from collector.page.feed import AGAIN_S, Feed, LostError, Mark
from collector.page.ring import KEPT_S, Ring
from collector.page.tracer import PER_PAGE, Tracer
from protocol.messages import Status, StreamStatus

SFREQ = 256.0


class FakeInlet:
    """Gives what it is given, one chunk a look."""

    def __init__(self, labels: tuple[str, ...] = ("Cz", "Fz"), sfreq: float = SFREQ) -> None:
        self.labels, self.sfreq, self.given, self.closed = labels, sfreq, [], False
        self.lost = False

    def pull(self):
        if self.lost:
            raise LostError
        return self.given.pop(0) if self.given else (np.zeros(0), np.zeros((0, len(self.labels))))

    def close(self) -> None:
        self.closed = True


class Lab:
    """Streams, a status that names some of them, and a clock."""

    def __init__(self) -> None:
        self.t, self.inlets, self.named, self.opened = 100.0, {}, {}, []
        self.feed = Feed(self.status, now=lambda: self.t, opener=self.open)

    def status(self) -> Status:
        streams = [
            StreamStatus(name=kind, uid=uid, kind=kind, sfreq_nominal_hz=1, sfreq_hz=1, age_s=0, buffer_frac=0, n=1)
            for kind, uid in self.named.items()
        ]
        return Status(recording=True, streams=tuple(streams))

    def open(self, uid: str):
        self.opened.append(uid)
        return self.inlets.get(uid)

    def send(self, uid: str, seconds: float, value=lambda t: np.sin(2 * np.pi * 10 * t) * 20) -> None:
        """Let a stream send for so long, and the clock go on."""
        inlet = self.inlets[uid]
        stamps = self.t + np.arange(round(seconds * inlet.sfreq)) / inlet.sfreq
        inlet.given.append((stamps, np.tile(np.asarray(value(stamps))[:, None], (1, len(inlet.labels)))))
        self.t += seconds
        self.feed.look()


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.inlets, lab.named = {"a": FakeInlet()}, {"eeg": "a"}
    return lab


def tracer(lab: Lab, *, scale: float = 1.0, line=(50.0,)) -> Tracer:
    return Tracer(lab.feed, channels=lambda labels: (list(labels), scale, line), now=lambda: lab.t)


def test_the_stream_that_is_recorded_is_followed_by_its_uid(lab: Lab) -> None:
    lab.inlets["double"] = FakeInlet()
    lab.feed.seek()
    lab.send("a", 1.0)
    assert lab.opened == ["a"] and lab.feed.ring is not None
    assert lab.feed.ring.n == 256 and lab.feed.age_s() == pytest.approx(1 / 256)


def test_a_stream_that_cannot_be_opened_yet_is_tried_again_but_not_at_once(lab: Lab) -> None:
    inlet = lab.inlets.pop("a")
    for _ in range(5):
        lab.feed.seek()
    assert lab.opened == ["a"] and lab.feed.age_s() is None
    lab.inlets["a"] = inlet
    lab.t += AGAIN_S
    lab.feed.seek()
    assert lab.feed.ring is not None


def test_a_stream_that_was_lost_is_reopened_when_the_status_shows_the_new_uid(lab: Lab) -> None:
    lab.feed.seek()
    lab.send("a", 1.0)
    before = lab.feed.ring
    lab.inlets["a"].lost = True
    lab.feed.look()
    assert lab.inlets["a"].closed and lab.feed.ring is before  # what was seen stays on the screen
    lab.inlets["b"], lab.named = FakeInlet(), {"eeg": "b"}
    lab.feed.seek()
    lab.send("b", 0.5)
    assert lab.feed.ring is not before and lab.feed.ring.n == 128


def test_another_uid_takes_over_although_the_old_one_still_sends(lab: Lab) -> None:
    lab.feed.seek()
    lab.inlets["b"], lab.named = FakeInlet(), {"eeg": "b"}
    lab.feed.seek()
    assert lab.inlets["a"].closed and not lab.inlets["b"].closed


def test_markers_are_kept_as_long_as_traces(lab: Lab) -> None:
    lab.inlets["m"], lab.named["markers"] = FakeInlet(), "m"
    lab.feed.seek()
    lab.inlets["m"].given.append([Mark(lab.t, "clip/onset trial=1"), Mark(lab.t + 1, "clip/offset trial=1")])
    lab.feed.look()
    assert [mark.text for mark in lab.feed.marks] == ["clip/onset trial=1", "clip/offset trial=1"]
    lab.t += KEPT_S + 0.5
    lab.inlets["m"].given.append([])
    lab.feed.look()
    assert [mark.text for mark in lab.feed.marks] == ["clip/offset trial=1"]


def test_the_ring_gives_the_last_seconds_and_what_is_new() -> None:
    ring = Ring(("a", "b", "a"), 100.0)
    for n in range(15):
        ring.take(n + np.arange(100) / 100, np.full((100, 3), n) + np.array([0.0, 0.5, 9.0]))
    stamps, values = ring.newest(2.0, ["b", "a"])
    assert (len(stamps), stamps[-1]) == (200, 14.99) and values[-1].tolist() == [14.5, 14.0]
    assert ring.newest(99.0, ["a"])[0][0] >= 14.99 - KEPT_S - 1
    stamps, values = ring.since(1450, ["a"])
    assert stamps.tolist() == pytest.approx(np.arange(14.5, 15, 0.01).tolist()) and ring.n == 1500
    assert len(ring.since(1500, ["a"])[0]) == 0
    with pytest.raises(KeyError):
        ring.newest(1.0, ["c"])


def test_traces_come_in_columns_that_follow_each_other(lab: Lab) -> None:
    drawn = tracer(lab)
    lab.feed.seek()
    assert drawn.payload() is None
    got = []
    for _ in range(40):
        lab.send("a", 0.1)
        drawn.step()
        got.append(drawn.payload())
    assert all(p["names"] == ("Cz", "Fz") and p["epoch"] == 1 and p["gaps"] == [] for p in got)
    for one, other in pairwise(got):
        assert other["first"] == one["first"] + len(one["low"][0])
    assert got[-1]["now"] == 8320 and got[-1]["first"] + len(got[-1]["low"][0]) == pytest.approx(8319, abs=1)
    late = [max(p["high"][0]) for p in got[20:]]
    assert np.median(late) == pytest.approx(200, abs=15)  # 20 uV, in tenths


def test_a_choice_of_filters_or_page_draws_all_that_is_kept_anew(lab: Lab) -> None:
    lab.inlets["a"] = FakeInlet(tuple(f"E{n}" for n in range(70)))
    drawn = tracer(lab)
    lab.feed.seek()
    for _ in range(8):
        lab.send("a", 0.5, lambda t: 4200 + 0 * t)
        drawn.step()
    drawn.payload()
    drawn.choose(band=False, page=2)
    drawn.step()
    shown = drawn.payload()
    assert (shown["epoch"], shown["page"], shown["pages"], shown["band"]) == (2, 2, 3, False)
    assert shown["names"] == tuple(f"E{n}" for n in range(2 * PER_PAGE, 70))
    assert len(shown["low"]) == 6 and len(shown["low"][0]) >= 4 * 80 - 2  # four seconds, at once
    assert shown["low"][0][0] == 32000  # cut: off every screen
    drawn.choose(page=3)
    drawn.step()
    assert drawn.payload()["page"] == 0  # after the last page comes the first


def test_a_gap_is_sent_as_a_gap_and_the_filter_does_not_ring_after_it(lab: Lab) -> None:
    drawn = tracer(lab)
    lab.feed.seek()
    lab.send("a", 2.0, lambda t: 0 * t)
    lab.t += 1.0
    lab.send("a", 2.0, lambda t: 0 * t + 500)  # the device came back with another offset
    drawn.step()
    shown = drawn.payload()
    assert len(shown["gaps"]) == pytest.approx(80, abs=3)
    at = shown["gaps"][0]
    assert shown["gaps"] == list(range(at, at + len(shown["gaps"])))
    assert max(map(abs, shown["high"][0])) < 50


def test_volts_are_shown_in_microvolts(lab: Lab) -> None:
    drawn = tracer(lab, scale=1e6)
    lab.feed.seek()
    for _ in range(10):
        lab.send("a", 0.5, lambda t: 20e-6 * np.sin(2 * np.pi * 10 * t))
        drawn.step()
    assert max(drawn.payload()["high"][0]) == pytest.approx(200, abs=15)


@pytest.mark.parametrize(("sfreq", "n"), [(1.0, 1), (128.0, 14), (2048.0, 256)])
def test_any_rate_and_any_number_of_channels_is_drawn(lab: Lab, sfreq: float, n: int) -> None:
    lab.inlets["a"] = FakeInlet(tuple(f"E{k}" for k in range(n)), sfreq)
    drawn = tracer(lab)
    lab.feed.seek()
    for _ in range(3):
        lab.send("a", 2.0)
        drawn.step()
    shown = drawn.payload()
    assert len(shown["low"]) == min(n, PER_PAGE) and len(shown["low"][0]) >= 5 * min(sfreq, 80) - 1
    assert shown["pages"] == max(1, -(-n // PER_PAGE))
