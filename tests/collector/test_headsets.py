"""Any headset that speaks LSL: every format, from 1 to 256 channels, any rate, labels kept."""

from pathlib import Path

import numpy as np
import pytest
import pyxdf

from collector import xdf
from tests.faults import lab as laboratory
from tests.faults.amplifier import WRAPS, values
from tests.faults.lab import lab, numbers, recording, session, study, until

STREAMS = [
    {"name": "eeg", "n_channels": 1, "sfreq": 100.0, "format": "float32"},
    {"name": "double64", "n_channels": 8, "sfreq": 250.0, "format": "double64"},
    {"name": "int8", "n_channels": 3, "sfreq": 64.0, "format": "int8"},
    {"name": "int16", "n_channels": 16, "sfreq": 500.0, "format": "int16"},
    {"name": "int32", "n_channels": 32, "sfreq": 512.0, "format": "int32"},
    {"name": "int64", "n_channels": 4, "sfreq": 10.0, "format": "int64"},
    {"name": "wide", "n_channels": 256, "sfreq": 1000.0, "format": "float32"},
    {"name": "slow", "n_channels": 2, "sfreq": 1.5, "format": "float32"},
    {"name": "string", "n_channels": 2, "sfreq": 20.0, "format": "string"},
]


@pytest.mark.live
def test_streams_of_every_format_and_width_are_recorded_value_for_value(tmp_path: Path) -> None:
    run = session(tmp_path / "data", study([str(t["name"]) for t in STREAMS[1:]]))
    with lab(tmp_path) as room:
        amplifier = room.amplifier(*STREAMS)
        collector = room.collector(run)
        until(lambda: recording(run))
        sent = [amplifier.published(place) for place in range(len(STREAMS))]
        until(
            lambda: all(amplifier.published(p) > n + 2 * t["sfreq"] for p, (n, t) in enumerate(zip(sent, STREAMS, strict=True)))
        )
        collector.terminate()
        assert collector.wait(laboratory.LONGEST_S) == 1
    streams = xdf.read(run.xdf)
    theirs = {s["info"]["name"][0]: s for s in pyxdf.load_xdf(str(run.xdf), dejitter_timestamps=False)[0]}
    for told in STREAMS:
        stream = xdf.by_name(streams, str(told["name"]))
        assert stream is not None
        assert (stream.header.format, stream.header.n_channels) == (told["format"], told["n_channels"])
        assert stream.header.labels[:2] == ("Number", "Counter")[: stream.header.n_channels]
        if told["format"] == "string":
            first = int(stream.values[0][0].partition(":")[0])
            assert stream.values == values(first, len(stream.values), n_channels=2, form="string")
            n = np.arange(first, first + len(stream.values))
        else:
            n = numbers(stream)
            turn = WRAPS[str(told["format"])]  # eight bits tell a number up to whole turns
            n += turn * round(((stream.stamps[0] - amplifier.start) * float(told["sfreq"]) - n[0]) / turn)
            assert (np.diff(n) == 1).all()
            np.testing.assert_array_equal(theirs[told["name"]]["time_series"], stream.values)
        np.testing.assert_allclose(stream.stamps, amplifier.start + n / told["sfreq"], rtol=0, atol=1e-6)
        assert len(n) >= 2 * told["sfreq"]
