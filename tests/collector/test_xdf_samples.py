"""Files that LabRecorder wrote, read to the values that their description lists; and ours, beside pyxdf with its dejitter."""

from pathlib import Path

import numpy as np
import pytest
import pyxdf

from collector import xdf
from collector.xdf import StreamHeader, Writer, header_xml

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "xdf"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the sample recordings are not on this machine")
TEXTS = ["Hello", "World", "from", "LSL"]


@needs_samples
def test_minimal_xdf_is_read_to_its_values() -> None:
    streams = xdf.read(SAMPLES / "minimal.xdf")
    assert list(streams) == [0, 46202862]
    numbers, texts = streams[0], streams[46202862]
    assert (numbers.header.name, numbers.header.format, numbers.header.sfreq) == ("SendDataC", "int16", 10.0)
    assert numbers.values.tolist() == [
        [192, 255, 238], *([[12, 22, 32], [13, 23, 33], [14, 24, 34], [15, 25, 35]] * 2)
    ]  # fmt: skip
    np.testing.assert_allclose(numbers.stamps, np.arange(51, 60) / 10, rtol=0, atol=1e-12)
    np.testing.assert_allclose(numbers.offsets, [[6.1, -0.1], [7.1, -0.1]], rtol=0, atol=1e-12)
    assert (texts.header.name, texts.header.n_channels, len(texts.offsets)) == ("SendDataString", 1, 0)
    assert [row[0] for row in texts.values][1:] == TEXTS * 2
    assert texts.values[0][0].startswith("<?xml")
    np.testing.assert_allclose(texts.stamps, numbers.stamps)


@needs_samples
@pytest.mark.parametrize("name", ["minimal.xdf", "empty_streams.xdf"])
def test_samples_are_read_as_pyxdf_reads_them_and_are_whole(name: str, tmp_path: Path) -> None:
    ours = xdf.read(SAMPLES / name)
    found, _ = pyxdf.load_xdf(str(SAMPLES / name), synchronize_clocks=False, dejitter_timestamps=False)
    theirs = {s["info"]["stream_id"]: s for s in found}
    assert set(theirs) <= set(ours)
    for stream_id, stream in theirs.items():
        np.testing.assert_array_equal(ours[stream_id].stamps, stream["time_stamps"])
        values = ours[stream_id].values
        if isinstance(values, list):
            assert values == list(stream["time_series"])
        elif len(values):
            np.testing.assert_array_equal(values, stream["time_series"])
    assert xdf.check(SAMPLES / name).damage == ()
    report = xdf.mend(SAMPLES / name, tmp_path / "mended.xdf")
    assert all(s.n_lost == 0 and s.exact for s in report.streams)
    for stream_id, stream in xdf.read(tmp_path / "mended.xdf").items():
        np.testing.assert_array_equal(stream.stamps, ours[stream_id].stamps)


@pytest.mark.parametrize("form", ["float32", "double64", "int16"])
@pytest.mark.parametrize("sfreq", [2.0, 128.0, 256.0, 1000.0])
def test_without_a_gap_pyxdfs_dejitter_leaves_our_times_as_they_are(form: str, sfreq: float, tmp_path: Path) -> None:
    n = round(30 * sfreq)
    stamps, values = 1000 + np.arange(n) / sfreq, (np.arange(n)[:, None] % 1000 + np.zeros((n, 4))).astype(xdf.FORMATS[form])
    with Writer(tmp_path / "a.xdf") as writer:
        writer.add_stream(1, header_xml(StreamHeader("eeg", "EEG", 4, sfreq, form)))
        for t in np.arange(1000, 1030, 5.0):
            writer.offset(1, t, 0.0)
        for i in range(0, n, 13):
            writer.samples(1, stamps[i : i + 13], values[i : i + 13])
    for dejitter in (True, False):
        (stream,), _ = pyxdf.load_xdf(str(tmp_path / "a.xdf"), dejitter_timestamps=dejitter)
        np.testing.assert_allclose(stream["time_stamps"], stamps, rtol=0, atol=1e-9)
        np.testing.assert_array_equal(stream["time_series"], values)
    np.testing.assert_array_equal(xdf.read(tmp_path / "a.xdf")[1].stamps, stamps)
