"""The pump calls each in its own period, and none that was removed."""

import threading

from collector.pump import BEAT_S, Pump


def test_each_is_called_in_its_own_period_and_none_after_it_was_removed() -> None:
    pump, calls, enough = Pump(), {"fast": 0, "slow": 0}, threading.Event()

    def fast() -> None:
        calls["fast"] += 1
        if calls["fast"] == 12:
            enough.set()

    def slow() -> None:
        calls["slow"] += 1

    pump.add(slow, 4 * BEAT_S)
    pump.add(fast, BEAT_S)
    assert enough.wait(60)
    pump.remove(fast)
    n = calls["fast"]
    assert 2 <= calls["slow"] <= n / 4 + 1
    until = calls["slow"] + 2
    for _ in range(600):
        if calls["slow"] >= until:
            break
        threading.Event().wait(BEAT_S)
    assert (calls["slow"] >= until, calls["fast"]) == (True, n)
    pump.stop()
