"""Many fast streams, and a long time: no sample is lost, and memory does not grow."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from collector import xdf
from tests.faults.counts import count
from tests.faults.lab import LONGEST_S, lab, numbers, recording, session, study, until

LOADED_S = count(5, 60)
SOAKED_S = count(6, 600)
GROWTH_MB = 50.0
SETTLED_S = count(3, 20)


@pytest.mark.live
@pytest.mark.alone
def test_eight_streams_of_64_channels_at_1_khz_lose_nothing(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    names = ["eeg", *(f"load{n}" for n in range(1, 8))]
    told = [{"name": name, "n_channels": 64, "sfreq": 1000.0, "format": "float32", "source_id": name} for name in names]
    run = session(tmp_path / "data", study(names[1:]))
    with lab(tmp_path) as room:
        amplifier = room.amplifier(*told)
        collector = room.collector(run)
        until(lambda: recording(run))
        first = [amplifier.published(place) for place in range(len(names))]
        time.sleep(LOADED_S)
        last = [amplifier.published(place) for place in range(len(names))]
        collector.terminate()
        assert collector.wait(2 * LONGEST_S) == 1
    streams, right = xdf.read(run.xdf), 0
    for name, a, b in zip(names, first, last, strict=True):
        n = numbers(xdf.by_name(streams, name))
        right += bool((np.diff(n) == 1).all() and n[0] <= a and n[-1] >= b)
    fault_row(
        test="8 streams x 64 channels x 1 kHz", n=len(names), passed=right,
        note=f"{LOADED_S} s: everything from the start of the recording to its end, value for value",
    )  # fmt: skip
    assert right == len(names)


@pytest.mark.live
@pytest.mark.alone
def test_memory_does_not_grow(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    run = session(tmp_path / "data", study())
    with lab(tmp_path) as room:
        amplifier = room.amplifier({"name": "eeg", "n_channels": 37})
        collector = room.collector(run)
        until(lambda: recording(run))
        time.sleep(SETTLED_S)
        process = psutil.Process(collector.pid)
        before_mb, first = process.memory_info().rss / 1e6, amplifier.published()
        time.sleep(SOAKED_S)
        growth_mb, last = process.memory_info().rss / 1e6 - before_mb, amplifier.published()
        collector.terminate()
        assert collector.wait(LONGEST_S) == 1
    n = numbers(xdf.by_name(xdf.read(run.xdf), "eeg"))
    right = bool((np.diff(n) == 1).all()) and n[0] <= first and n[-1] >= last and growth_mb < GROWTH_MB
    fault_row(
        test="soak", n=1, passed=int(right), note=f"{SOAKED_S} s at 37 channels x 256 Hz: memory grew by {growth_mb:.1f} MB"
    )
    assert right, growth_mb
