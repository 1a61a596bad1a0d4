"""Headsets of unmodified programs: LSL's own defaults, on this host and on another one with another clock."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from collector import xdf
from tests.faults.lab import LONGEST_S, lab, numbers, recording, session, study, until
from tests.faults.namespaces import hosts

AHEAD_S = 1000
SFREQ = 256.0


@pytest.mark.live
def test_an_outlet_with_stock_configuration_is_found(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    run = session(tmp_path / "data", study())
    with hosts(1) as (here,), lab(tmp_path, stock=True, within=here.within) as room:
        amplifier = room.amplifier({"name": "eeg"})
        collector = room.collector(run)
        until(lambda: recording(run))
        time.sleep(1.0)
        collector.terminate()
        assert collector.wait(LONGEST_S) == 1
    n = numbers(xdf.by_name(xdf.read(run.xdf), "eeg"))
    right = len(n) > SFREQ and bool((np.diff(n) == 1).all()) and n[-1] <= amplifier.published()
    fault_row(
        test="an outlet with LSL's stock configuration", n=1, passed=int(right), note="found by name, recorded without a loss"
    )
    assert right


@pytest.mark.live
def test_an_outlet_on_another_host_with_another_clock_is_recorded_and_its_clock_is_measured(
    tmp_path: Path, fault_row: Callable[..., None]
) -> None:
    with hosts(2) as (here, there), lab(tmp_path, stock=True, within=here.within) as room:
        text = study().replace('stream = { name = "eeg" }', f'stream = {{ type = "EEG", host = "{there.name}" }}')
        run = session(tmp_path / "data", text)
        room.amplifier({"name": "near", "source_id": "near"})  # of the same type, on this host
        far = room.amplifier({"name": "eeg"}, within=there.ahead(AHEAD_S))
        collector = room.collector(run)
        until(lambda: recording(run))
        time.sleep(5.5)  # two measurements
        cut_at = time.monotonic()
        subprocess.run(["ip", "-n", there.name, "link", "set", "cable", "down"], check=True)
        time.sleep(2.5)
        subprocess.run(["ip", "-n", there.name, "link", "set", "cable", "up"], check=True)
        time.sleep(3.5)
        collector.terminate()
        assert collector.wait(LONGEST_S) == 1
    streams = xdf.read(run.xdf)
    eeg = xdf.by_name(streams, "eeg")
    n, offsets = numbers(eeg), eeg.offsets[:, 1]
    rtt = np.asarray(xdf.by_name(streams, "emolab-clock-offsets").values)[:, 2]
    notes = [row[0].partition(" ")[0] for row in xdf.by_name(streams, "emolab-notes").values]
    measured = len(offsets) >= 2 and bool((np.abs(offsets + AHEAD_S) < 0.005).all()) and bool((rtt > 0).all())
    np.testing.assert_allclose(eeg.stamps, far.start + n / SFREQ, rtol=0, atol=1e-6)
    whole = bool((np.diff(n) == 1).all()) and eeg.stamps[-1] - AHEAD_S > cut_at + 3.5
    right = measured and whole and {"stream/lost", "stream/back"} <= set(notes) and xdf.by_name(streams, "near") is None
    fault_row(
        test="a headset on another host, its clock 1000 s ahead, its cable pulled for 2.5 s", n=1, passed=int(right),
        note=f"offset measured to {np.abs(offsets + AHEAD_S).max() * 1e3:.2f} ms; the samples of the 2.5 s came afterwards",
    )  # fmt: skip
    assert right, (offsets, n[:3], np.flatnonzero(np.diff(n) != 1), notes)
