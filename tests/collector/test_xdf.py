"""The codec, the writer and the reader of XDF, beside pyxdf, the independent one."""

import logging
import os
import stat
import threading
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import pyxdf
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis.extra import numpy as hnp

from collector import xdf
from collector.offsets import fit_clock
from collector.quality import on_recorder
from collector.xdf import StreamHeader, Writer, XdfError, header_xml
from tests.collector.recordings import EEG, NOTES, Clock, ramp, record

NUMERIC = [f for f, dtype in xdf.FORMATS.items() if dtype is not None]


def load(path: Path) -> dict[str, dict]:
    streams, _ = pyxdf.load_xdf(str(path), synchronize_clocks=False, dejitter_timestamps=False)
    return {s["info"]["name"][0]: s for s in streams}


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning:pyxdf")  # its rate of samples that share one stamp
@pytest.mark.parametrize("form", NUMERIC)
@given(data=st.data())
@hypothesis_settings(max_examples=25, deadline=None, derandomize=True)
def test_any_numbers_in_any_chunks_read_back_identical(
    form: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    n_channels = data.draw(st.integers(1, 5))
    sizes = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=6))
    shape = (sum(sizes), n_channels)
    values = data.draw(hnp.arrays(xdf.FORMATS[form], shape, elements=hnp.from_dtype(xdf.FORMATS[form])))
    stamps = data.draw(hnp.arrays(np.float64, shape[0], elements=st.floats(allow_nan=False, allow_infinity=False)))
    path = tmp_path_factory.mktemp("xdf") / "a.xdf"
    header = StreamHeader("s", "EEG", n_channels, data.draw(st.sampled_from([0.0, 10.0, 256.0])), form)
    with Writer(path) as writer:
        writer.add_stream(7, header_xml(header))
        for start, size in zip(np.cumsum([0, *sizes]), sizes, strict=False):
            writer.samples(7, stamps[start : start + size], values[start : start + size])
    ours, theirs = xdf.read(path)[7], load(path)["s"]
    assert ours.values.dtype == values.dtype
    np.testing.assert_array_equal(ours.stamps, stamps)
    assert ours.values.tobytes() == values.tobytes()  # NaN, infinities and negative zeros too
    np.testing.assert_array_equal(theirs["time_stamps"], stamps)
    np.testing.assert_array_equal(theirs["time_series"], values)
    assert np.asarray(theirs["time_series"]).tobytes() == values.tobytes()
    assert xdf.check(path).damage == ()


TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=300)


@given(rows=st.lists(st.tuples(st.floats(-1e9, 1e9), TEXT, TEXT), max_size=20))
@hypothesis_settings(max_examples=40, deadline=None, derandomize=True)
def test_any_text_reads_back_identical(rows: list[tuple[float, str, str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("xdf") / "a.xdf"
    with Writer(path) as writer:
        writer.add_stream(1, header_xml(StreamHeader("s", "Markers", 2, 0.0, "string")))
        writer.samples(1, [t for t, *_ in rows], [list(texts) for _, *texts in rows])
    ours, theirs = xdf.read(path)[1], load(path)["s"]
    assert ours.values == [list(texts) for _, *texts in rows] == theirs["time_series"]
    assert ours.stamps.tolist() == [t for t, *_ in rows] == theirs["time_stamps"].tolist()


@pytest.mark.parametrize("size", [0, 255, 256, 70_000])
def test_text_of_every_length_class_reads_back(size: int, tmp_path: Path) -> None:
    with Writer(tmp_path / "a.xdf") as writer:
        writer.add_stream(1, header_xml(NOTES))
        writer.samples(1, [1.0], [["ü" * (size // 2)]])
    assert xdf.read(tmp_path / "a.xdf")[1].values == [["ü" * (size // 2)]] == load(tmp_path / "a.xdf")["notes"]["time_series"]


XML_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, blacklist_characters="\x7f"), max_size=20)


@given(name=XML_TEXT, labels=st.lists(XML_TEXT, min_size=1, max_size=4), sfreq=st.floats(0, 1e5), created=st.floats(0, 1e9))
def test_a_header_reads_back_as_it_was_written(name: str, labels: list[str], sfreq: float, created: float) -> None:
    header = StreamHeader(
        name,
        "EEG",
        len(labels),
        sfreq,
        "float32",
        labels=tuple(labels),
        created_at=created,
        desc=(("file", name), ("cap/size", "L")),
    )
    assert xdf.parse_header(header_xml(header)) == header


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"n_channels": 0}, "channel_count = 0"),
        ({"sfreq": -1.0}, "nominal_srate = -1.0"),
        ({"sfreq": float("nan")}, "nominal_srate = nan"),
        ({"format": "float16"}, "channel_format = 'float16'"),
        ({"labels": ("Cz",)}, "1 labels for 3 channels"),
    ],
)
def test_a_header_that_cannot_be_is_refused(bad: dict, message: str) -> None:
    fields = {"name": "s", "type": "EEG", "n_channels": 3, "sfreq": 1.0, "format": "float32"} | bad
    with pytest.raises(XdfError, match=message):
        StreamHeader(**fields)


@pytest.mark.parametrize("xml", ["", "<info>", "<other/>", "<info/>", "<info><channel_count>x</channel_count></info>"])
def test_a_header_that_is_none_raises_our_error(xml: str) -> None:
    with pytest.raises(XdfError):
        xdf.parse_header(xml)


def test_a_stream_with_a_rate_declares_that_it_can_drop_samples_and_events_do_not() -> None:
    assert "<can_drop_samples>true</can_drop_samples>" in header_xml(EEG)
    assert "can_drop_samples" not in header_xml(NOTES)
    foreign = "<info><name>x</name><nominal_srate>10</nominal_srate></info>"
    assert xdf.declare_drops(xdf.declare_drops(foreign)).count("can_drop_samples>true") == 1


def test_a_gap_stays_a_gap_in_pyxdf_with_its_defaults(tmp_path: Path) -> None:
    stamps = 1000 + np.arange(2560) / 256
    stamps[1280:] += 1.0
    with Writer(tmp_path / "a.xdf") as writer:
        writer.add_stream(1, header_xml(EEG))
        for t in (stamps[0], stamps[-1]):
            writer.offset(1, t, 0.0)
        writer.samples(1, stamps, ramp(2560))
    (stream,), _ = pyxdf.load_xdf(str(tmp_path / "a.xdf"))
    np.testing.assert_allclose(stream["time_stamps"], stamps, atol=1e-6)


def test_boundaries_follow_the_given_clock_and_a_long_array_is_cut(tmp_path: Path) -> None:
    uuid = bytes.fromhex("43A546DCCBF5410FB30ED5467383CBE4")
    assert record(tmp_path / "steps.xdf", seconds=5).read_bytes().count(uuid) == 4  # after 1, 2, 3 and 4 s
    with Writer(tmp_path / "whole.xdf", now=Clock()) as writer:
        writer.add_stream(1, header_xml(EEG))
        writer.samples(1, np.arange(2560) / 256, ramp(2560))
    assert (tmp_path / "whole.xdf").read_bytes().count(uuid) == 9
    np.testing.assert_array_equal(load(tmp_path / "whole.xdf")["eeg"]["time_series"], ramp(2560))


def test_footers_say_first_and_last_stamp_count_and_offsets(tmp_path: Path) -> None:
    footer = load(record(tmp_path / "a.xdf"))["eeg"]["footer"]["info"]
    assert float(footer["first_timestamp"][0]) == 1000.0
    assert float(footer["last_timestamp"][0]) == 1003.0 - 1 / 256
    assert footer["sample_count"] == ["768"]
    assert [float(o["time"][0]) for o in footer["clock_offsets"][0]["offset"]] == [1000.0, 1001.0, 1002.0]


def test_a_first_stamp_of_zero_is_a_value(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.xdf") as writer:
        writer.add_stream(1, header_xml(EEG))
        writer.samples(1, [0.0], ramp(1))
        writer.samples(1, [5.0], ramp(1))
    assert float(load(tmp_path / "a.xdf")["eeg"]["footer"]["info"]["first_timestamp"][0]) == 0.0


def test_the_file_is_readable_by_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        Writer(path)
    assert path.read_bytes() == before
    path.unlink()  # its checksums alone are in the way now, and nothing is left behind
    with pytest.raises(FileExistsError):
        Writer(path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("stamps", "values", "message"),
    [
        ([1.0], np.zeros((1, 2)), "shape"),
        ([1.0, 2.0], np.zeros((1, 3)), "1 samples, 2 stamps"),
        ([np.nan], np.zeros((1, 3)), "not finite"),
        ([1.0], np.zeros((1, 3), complex), "complex128"),
    ],
)
def test_values_that_do_not_fit_are_refused_and_nothing_is_written(
    stamps: list[float], values: np.ndarray, message: str, tmp_path: Path
) -> None:
    with Writer(tmp_path / "a.xdf") as writer:
        writer.add_stream(1, header_xml(EEG))
        size = (tmp_path / "a.xdf").stat().st_size
        with pytest.raises(XdfError, match=message):
            writer.samples(1, stamps, values)
        assert (tmp_path / "a.xdf").stat().st_size == size


def test_an_integer_that_does_not_fit_is_refused_instead_of_wrapped(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.xdf") as writer:
        writer.add_stream(1, header_xml(StreamHeader("s", "x", 1, 0.0, "int8")))
        with pytest.raises(XdfError, match="int64"):
            writer.samples(1, [1.0], np.array([[300]]))


def test_an_offset_that_was_not_measured_is_not_written(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.xdf") as writer:
        writer.add_stream(1, header_xml(EEG))
        with pytest.raises(XdfError, match="not finite"):
            writer.offset(1, 1.0, float("nan"))
        writer.offset(1, 3.0, -0.5)
    assert xdf.read(tmp_path / "a.xdf")[1].offsets.tolist() == [[3.0, -0.5]]
    assert load(tmp_path / "a.xdf")["eeg"]["clock_values"] == [-0.5]


def test_nothing_is_written_after_closing(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf", seconds=1)
    writer = Writer(tmp_path / "b.xdf")
    writer.add_stream(1, header_xml(EEG))
    writer.close()
    writer.close()
    with pytest.raises(XdfError, match="closed"):
        writer.samples(1, [1.0], ramp(1))
    assert xdf.check(path).closed


def test_threads_may_write_at_once(tmp_path: Path) -> None:
    def write(stream_id: int) -> None:
        for i in range(100):
            writer.samples(stream_id, [float(i)], ramp(1, start=i))

    with Writer(tmp_path / "a.xdf") as writer:
        for stream_id in range(1, 5):
            writer.add_stream(stream_id, header_xml(EEG))
        threads = [threading.Thread(target=write, args=(i,)) for i in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    streams = xdf.read(tmp_path / "a.xdf")
    assert all((np.diff(s.values[:, 0]) == 1).all() and len(s.stamps) == 100 for s in streams.values())


def test_the_growing_file_can_be_read_at_any_moment(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.xdf", Clock()
    with Writer(path, now=clock) as writer:
        writer.add_stream(1, header_xml(EEG))
        for i in range(40):
            writer.samples(1, clock.t + np.arange(32) / 256, ramp(32, start=32 * i))
            clock.t += 0.125
            copy = tmp_path / "copy.xdf"
            copy.write_bytes(path.read_bytes())
            assert load(copy)["eeg"]["time_series"][:, 0].tolist() == list(range(32 * (i + 1)))
            assert len(xdf.read(copy)[1].stamps) == 32 * (i + 1)


def test_a_torn_tail_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = record(tmp_path / "a.xdf")
    os.truncate(path, path.stat().st_size - 3)
    with caplog.at_level(logging.WARNING):
        xdf.read(path)
    assert "left out: the chunk is cut off" in caplog.text
    report = xdf.check(path)
    assert not report.closed
    assert {d.why for d in report.damage} == {"the chunk is cut off"}


def test_without_checksums_a_zeroed_page_costs_what_lies_before_the_next_boundary(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf", seconds=6)
    path.with_name("a.xdf.crc").unlink()
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4096] = bytes(4096)
    path.write_bytes(data)
    numbers = xdf.read(path)[1].values[:, 0]
    assert np.isin(numbers, np.arange(6 * 256)).all()
    assert (np.diff(numbers) >= 1).all()
    assert len(numbers) >= 6 * 256 - 2 * 256


def test_samples_without_stamps_of_their_own_follow_the_one_before(tmp_path: Path) -> None:
    """As LabRecorder writes them."""
    from collector.xdf import codec

    rows = b"".join([b"\x08" + np.float64(5.0).tobytes() + np.float64(1).tobytes(), b"\x00" + np.float64(2).tobytes()])
    header = header_xml(StreamHeader("s", "x", 1, 4.0, "double64")).encode()
    chunks = [
        codec.chunk(codec.Tag.STREAM_HEADER, header, 1),
        codec.chunk(codec.Tag.SAMPLES, codec.varlen(2) + rows, 1),
        codec.chunk(codec.Tag.SAMPLES, codec.varlen(1) + b"\x00" + np.float64(3).tobytes(), 1),
    ]
    (tmp_path / "a.xdf").write_bytes(codec.file_header("2026-01-01T00:00:00") + b"".join(chunks))
    assert (
        xdf.read(tmp_path / "a.xdf")[1].stamps.tolist()
        == [5.0, 5.25, 5.5]
        == load(tmp_path / "a.xdf")["s"]["time_stamps"].tolist()
    )


def test_a_full_disk_leaves_whole_chunks_and_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real, room = tmp_path / "a.xdf", os.write, [4000]

    def full(handle: int, data: memoryview) -> int:
        """Take what fits, then refuse, as a disk does that fills up."""
        if room[0] == 0:
            raise OSError(28, "No space left on device")
        written = real(handle, data[: room[0]])
        room[0] -= written
        return written

    writer = Writer(path, now=Clock())
    writer.add_stream(1, header_xml(EEG))
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        for i in range(1000):
            writer.samples(1, [float(i)], ramp(1, start=i))
    with pytest.raises(OSError, match="No space"):
        writer.close()
    monkeypatch.undo()
    numbers = xdf.read(path)[1].values[:, 0]
    assert numbers.tolist() == list(range(len(numbers)))
    assert len(numbers) > 50
    assert xdf.check(path).damage == ()


@pytest.mark.parametrize("data", [b"", b"XDF", b"<?xml", b"RIFF" * 100])
def test_what_is_no_xdf_file_raises_our_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.xdf").write_bytes(data)
    with pytest.raises(XdfError, match=r"a\.xdf"):
        xdf.read(tmp_path / "a.xdf")


def test_streams_are_found_by_name_and_one_with_samples_comes_first(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.xdf") as writer:
        writer.add_stream(1, header_xml(EEG))
        writer.add_stream(2, header_xml(EEG))
        writer.samples(2, [1.0], ramp(1))
    streams = xdf.read(tmp_path / "a.xdf")
    assert xdf.by_name(streams, "eeg").id == 2
    assert xdf.by_name(streams, "no such") is None


def test_a_clock_offset_is_added_to_the_stamps_by_pyxdf_by_the_verdict_and_by_the_export_alike(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.xdf") as writer:
        writer.add_stream(1, header_xml(StreamHeader("m", "Markers", 1, 0.0, "string")))
        writer.samples(1, np.arange(100.0), [["x"]] * 100)
        for t in np.arange(0.0, 100.0, 5.0):
            writer.offset(1, t, 5.0 + 1e-4 * t)  # a sender five seconds behind, and slower
    stream = xdf.read(tmp_path / "a.xdf")[1]
    (theirs,), _ = pyxdf.load_xdf(str(tmp_path / "a.xdf"))
    assert theirs["time_stamps"][50] == pytest.approx(55.005)
    assert on_recorder(stream)[50] == pytest.approx(55.005)
    assert fit_clock(stream.offsets).map(stream.stamps)[50] == pytest.approx(55.005)
