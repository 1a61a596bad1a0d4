"""A test for each clause of the XDF 1.0 specification, on bytes put together here by hand.

https://github.com/sccn/xdf/wiki/Specifications
"""

import struct
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import pyxdf
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from collector import xdf
from collector.xdf import StreamHeader, Writer, XdfError, header_xml

UUID = bytes([0x43, 0xA5, 0x46, 0xDC, 0xCB, 0xF5, 0x41, 0x0F, 0xB3, 0x0E, 0xD5, 0x46, 0x73, 0x83, 0xCB, 0xE4])
FILE_HEADER, STREAM_HEADER, SAMPLES, CLOCK_OFFSET, BOUNDARY, STREAM_FOOTER = range(1, 7)
LETTERS = {"int8": "b", "int16": "h", "int32": "i", "int64": "q", "float32": "f", "double64": "d"}
VERSION = b"<?xml version='1.0'?><info><version>1.0</version></info>"


def varlen(n: int, *, size: int = 4) -> bytes:
    return bytes([size]) + n.to_bytes(size, "little")


def chunk(tag: int, content: bytes, *, size: int = 4) -> bytes:
    return varlen(len(content) + 2, size=size) + struct.pack("<H", tag) + content


def head(stream_id: int = 1, *, form: str = "double64", n_channels: int = 1, sfreq: float = 10.0) -> bytes:
    xml = (
        f"<info><channel_count>{n_channels}</channel_count><nominal_srate>{sfreq}</nominal_srate>"
        f"<channel_format>{form}</channel_format><name>s{stream_id}</name></info>"
    )
    return chunk(STREAM_HEADER, struct.pack("<I", stream_id) + xml.encode())


def sample(values: bytes, stamp: float | None = None) -> bytes:
    return (b"\x00" if stamp is None else b"\x08" + struct.pack("<d", stamp)) + values


def samples(rows: list[bytes], *, stream_id: int = 1, size: int = 1) -> bytes:
    return chunk(SAMPLES, struct.pack("<I", stream_id) + varlen(len(rows), size=size) + b"".join(rows))


def double(value: float) -> bytes:
    return struct.pack("<d", value)


def file(path: Path, *chunks: bytes) -> Path:
    path.write_bytes(b"XDF:" + chunk(FILE_HEADER, VERSION) + b"".join(chunks))
    return path


def theirs(path: Path) -> dict[int, dict]:
    streams, _ = pyxdf.load_xdf(str(path), synchronize_clocks=False, dejitter_timestamps=False)
    return {s["info"]["stream_id"]: s for s in streams}


def both(path: Path, stream_id: int = 1) -> tuple[list[float], list]:
    """Return stamps and values of a stream, which pyxdf reads as we do."""
    ours, other = xdf.read(path)[stream_id], theirs(path)[stream_id]
    values = ours.values if isinstance(ours.values, list) else ours.values.tolist()
    assert ours.stamps.tolist() == np.asarray(other["time_stamps"]).tolist()
    assert values == (other["time_series"] if isinstance(ours.values, list) else np.asarray(other["time_series"]).tolist())
    return ours.stamps.tolist(), values


def taken_apart(path: Path) -> list[tuple[int, bytes]]:
    """Return tag and content of every chunk of a file, by the specification alone."""
    data = path.read_bytes()
    assert data[:4] == b"XDF:"
    at, found = 4, []
    while at < len(data):
        size = data[at]
        assert size in (1, 4, 8)
        length = int.from_bytes(data[at + 1 : at + 1 + size], "little")
        start = at + 1 + size
        found.append((int.from_bytes(data[start : start + 2], "little"), data[start + 2 : start + length]))
        at = start + length
    assert at == len(data)
    return found


def written(path: Path, header: StreamHeader, *chunks: tuple[list[float], object]) -> list[tuple[int, bytes]]:
    with Writer(path, now=lambda: 0.0) as writer:
        writer.add_stream(9, header_xml(header))
        for stamps, values in chunks:
            writer.samples(9, stamps, values)
    return taken_apart(path)


# ---- overall structure ------------------------------------------------------------------------------------------------------


def test_magic_code_a_file_begins_with_xdf_and_a_colon(tmp_path: Path) -> None:
    (tmp_path / "a.xdf").write_bytes(b"XDF;" + chunk(FILE_HEADER, VERSION))
    with pytest.raises(XdfError, match="does not begin with 'XDF:'"):
        xdf.read(tmp_path / "a.xdf")


def test_chunks_a_file_is_a_sequence_of_chunks_without_gaps(tmp_path: Path) -> None:
    header = StreamHeader("s", "EEG", 2, 4.0, "float32")
    tags = [tag for tag, _ in written(tmp_path / "a.xdf", header, ([1.0, 1.25], np.zeros((2, 2), "f4")))]
    assert tags == [FILE_HEADER, STREAM_HEADER, SAMPLES, STREAM_FOOTER]


def test_chunk_order_the_file_header_comes_first_and_a_streams_header_before_its_other_chunks(tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", samples([sample(double(1.0), 1.0)]), head(), samples([sample(double(2.0), 2.0)]))
    assert xdf.read(path)[1].values.tolist() == [[2.0]]
    assert [d.why for d in xdf.check(path).damage] == ["stream 1 has no header, so its 1 chunks here cannot be read"]


@pytest.mark.parametrize("size", [1, 4, 8])
def test_variable_length_integer_the_length_of_a_chunk_has_1_4_or_8_bytes(size: int, tmp_path: Path) -> None:
    body = struct.pack("<I", 1) + varlen(1, size=size) + sample(double(7.0), 1.5)
    path = file(tmp_path / "a.xdf", head(), chunk(SAMPLES, body, size=size))
    assert both(path) == ([1.5], [[7.0]])
    assert xdf.check(path).damage == ()


@pytest.mark.parametrize("size", [0, 2, 3, 5, 7, 9, 255])
def test_variable_length_integer_no_other_size_is_a_length(size: int, tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(), bytes([size]) + bytes(30))
    assert [d.why for d in xdf.check(path).damage] == ["no length where a chunk should begin"]


def test_length_counts_tag_and_content_but_not_itself(tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(), varlen(18, size=1) + struct.pack("<H", BOUNDARY) + UUID)
    assert xdf.check(path).damage == ()


def test_tag_is_two_bytes_and_what_has_another_tag_is_passed_over(tmp_path: Path) -> None:
    path = file(
        tmp_path / "a.xdf", head(), chunk(7, b"of a later version"), chunk(0x0103, b""), samples([sample(double(1), 1)])
    )
    assert both(path) == ([1.0], [[1.0]])
    assert [d.why for d in xdf.check(path).damage] == [
        "tag 7 is none of the specification's",
        "tag 259 is none of the specification's",
    ]


def test_byte_order_every_number_is_little_endian(tmp_path: Path) -> None:
    chunks = written(tmp_path / "a.xdf", StreamHeader("s", "x", 1, 0.0, "int32"), ([1.5], np.array([[0x01020304]], "i4")))
    assert chunks[2] == (SAMPLES, b"\x09\0\0\0" + b"\x01\x01" + b"\x08" + b"\0\0\0\0\0\0\xf8\x3f" + b"\x04\x03\x02\x01")


# ---- FileHeader -------------------------------------------------------------------------------------------------------------


def test_file_header_is_xml_that_says_version_1_0(tmp_path: Path) -> None:
    tag, content = written(tmp_path / "a.xdf", StreamHeader("s", "x", 1, 0.0, "int8"))[0]
    assert (tag, b"<info><version>1.0</version>" in content) == (FILE_HEADER, True)
    assert pyxdf.load_xdf(str(tmp_path / "a.xdf"))[1]["info"]["version"] == ["1.0"]


def test_file_header_that_is_no_xml_is_said_and_the_streams_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    path.write_bytes(b"XDF:" + chunk(FILE_HEADER, b"<info>") + head() + samples([sample(double(1), 1)]))
    assert xdf.read(path)[1].values.tolist() == [[1.0]]
    assert "not XML" in xdf.check(path).damage[0].why


# ---- StreamHeader -----------------------------------------------------------------------------------------------------------


def test_stream_header_has_the_streams_id_then_xml(tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(0xFFFFFFFE), samples([sample(double(1), 1)], stream_id=0xFFFFFFFE))
    assert both(path, 0xFFFFFFFE) == ([1.0], [[1.0]])


def test_stream_header_needs_channel_count_nominal_srate_and_channel_format_alone(tmp_path: Path) -> None:
    stream = xdf.read(file(tmp_path / "a.xdf", head(n_channels=3, form="int16", sfreq=2.5)))[1]
    assert (stream.header.n_channels, stream.header.format, stream.header.sfreq) == (3, "int16", 2.5)
    for missing in ("channel_count", "channel_format"):
        with pytest.raises(XdfError, match=missing if missing == "channel_format" else "stream header"):
            xdf.parse_header(head().split(b"<info>")[1].join([b"<info>", b""]).decode().replace(missing, "other"))


@pytest.mark.parametrize("form", [*LETTERS, "string"])
def test_channel_format_each_of_the_seven_is_written_and_read(form: str, tmp_path: Path) -> None:
    if form == "string":
        values: list = [["a"], ["ü"]]
        raw = [varlen(1, size=1) + b"a", varlen(2, size=1) + "ü".encode()]
        given_values: object = values
    else:
        low, high = {"f": (-1.5, float("inf")), "d": (-1.5, float("inf"))}.get(LETTERS[form], (-7, 100))
        values, given_values = [[low], [high]], np.array([[low], [high]], xdf.FORMATS[form])
        raw = [struct.pack("<" + LETTERS[form], value) for value in (low, high)]
    path = file(tmp_path / "a.xdf", head(form=form), samples([sample(raw[0], 1.0), sample(raw[1], 2.0)]))
    assert both(path) == ([1.0, 2.0], values)
    ours = written(tmp_path / "b.xdf", StreamHeader("s", "x", 1, 10.0, form), ([1.0, 2.0], given_values))
    assert ours[2] == (SAMPLES, struct.pack("<I", 9) + b"\x01\x02" + sample(raw[0], 1.0) + sample(raw[1], 2.0))


def test_channel_format_another_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(form="float16"), head(2), samples([sample(double(1), 1)], stream_id=2))
    assert list(xdf.read(path)) == [2]


def test_nominal_srate_zero_is_an_irregular_stream_and_its_stamps_stay_as_they_are(tmp_path: Path) -> None:
    stamps = [1.0, 1.1, 7.0, 7.5]
    path = file(tmp_path / "a.xdf", head(sfreq=0), samples([sample(double(t), t) for t in stamps]))
    assert both(path)[0] == stamps
    assert pyxdf.load_xdf(str(path))[0][0]["time_stamps"].tolist() == stamps


# ---- Samples ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 4, 8])
def test_samples_number_of_samples_is_a_variable_length_integer(size: int, tmp_path: Path) -> None:
    rows = [sample(double(i), i / 10) for i in range(5)]
    assert both(file(tmp_path / "a.xdf", head(), samples(rows, size=size)))[1] == [[float(i)] for i in range(5)]


def test_samples_more_than_255_need_four_bytes_for_their_number(tmp_path: Path) -> None:
    n = 300
    header = StreamHeader("s", "x", 1, 1000.0, "int8")
    chunks = written(tmp_path / "a.xdf", header, (np.arange(n) / 1000, np.ones((n, 1), "i1")))
    assert chunks[2][1][4:9] == b"\x04" + struct.pack("<I", n)
    assert len(xdf.read(tmp_path / "a.xdf")[9].stamps) == n


def test_samples_a_chunk_may_hold_none(tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(), samples([]), samples([sample(double(1), 1.0)]))
    assert both(path) == ([1.0], [[1.0]])


def test_time_stamp_bytes_are_0_or_8_and_nothing_else(tmp_path: Path) -> None:
    wrong = b"\x04" + struct.pack("<f", 1.0) + double(1.0)
    path = file(tmp_path / "a.xdf", head(), samples([sample(double(0), 0.5)]), samples([wrong + bytes(4)]))
    assert xdf.read(path)[1].stamps.tolist() == [0.5]
    assert [d.why for d in xdf.check(path).damage] == ["a sample has no stamp"]


def test_time_stamp_that_is_omitted_is_the_one_before_plus_the_nominal_period(tmp_path: Path) -> None:
    path = file(
        tmp_path / "a.xdf",
        head(),
        samples([sample(double(0)), sample(double(1), 5.0), sample(double(2)), sample(double(3))]),
        samples([sample(double(4)), sample(double(5), 9.0)]),
        samples([sample(double(6))]),
    )
    stamps, values = both(path)
    assert stamps == [0.1, 5.0, 5.1, 5.1 + 0.1, 5.1 + 0.1 + 0.1, 9.0, 9.1]
    assert [value for (value,) in values] == [0, 1, 2, 3, 4, 5, 6]
    assert (xdf.check(path).streams[0].t_first, xdf.check(path).streams[0].t_last) == (0.1, 9.1)


def test_time_stamp_that_is_omitted_in_an_irregular_stream_is_the_one_before(tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(sfreq=0), samples([sample(double(1), 5.0), sample(double(2))]))
    assert both(path)[0] == [5.0, 5.0]


def test_values_stand_channel_by_channel_within_a_sample(tmp_path: Path) -> None:
    raw = struct.pack("<3h", 1, 2, 3)
    assert both(file(tmp_path / "a.xdf", head(form="int16", n_channels=3), samples([sample(raw, 1.0)])))[1] == [[1, 2, 3]]
    header = StreamHeader("s", "x", 3, 10.0, "int16")
    chunks = written(tmp_path / "b.xdf", header, ([1.0], np.array([[1, 2, 3]], "i2")))
    assert chunks[2][1].endswith(raw)


@pytest.mark.parametrize("size", [1, 4, 8])
def test_string_values_have_a_variable_length_integer_and_utf_8(size: int, tmp_path: Path) -> None:
    texts = ["", "plain", "日本語 ✓", "a\0b"]
    raw = b"".join(varlen(len(t.encode()), size=size) + t.encode() for t in texts)
    path = file(tmp_path / "a.xdf", head(form="string", n_channels=4), samples([sample(raw, 1.0)]))
    assert both(path) == ([1.0], [texts])


def test_string_values_that_are_no_utf_8_are_read_with_a_mark(tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(form="string"), samples([sample(b"\x01\x02a\xff", 1.0)]))
    assert both(path)[1] == [["a\ufffd"]]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x01\x02" + sample(double(1), 1.0), "2 samples do not fit into 17 bytes"),
        (b"\x01\x01" + sample(double(1), 1.0) + b"\0", "1 bytes follow the last of 1 samples"),
        (b"\x01\x02" + sample(double(1), 1.0) + b"\0" * 5, "2 samples do not fit into 22 bytes|sample 1 of 2 is cut off"),
        (b"\x08" + b"\xff" * 8, "samples do not fit"),
        (b"\x02", "no length"),
        (b"", "no length"),
    ],
)
def test_samples_that_are_not_exactly_those_announced_are_not_read(content: bytes, why: str, tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(), chunk(SAMPLES, struct.pack("<I", 1) + content), samples([sample(double(1), 2.0)]))
    assert xdf.read(path)[1].stamps.tolist() == [2.0]
    (damage,) = xdf.check(path).damage
    assert any(part in damage.why for part in why.split("|"))


# ---- ClockOffset ------------------------------------------------------------------------------------------------------------


def test_clock_offset_has_stream_id_collection_time_and_offset(tmp_path: Path) -> None:
    content = struct.pack("<Idd", 1, 6.1, -0.1)
    path = file(tmp_path / "a.xdf", head(), chunk(CLOCK_OFFSET, content))
    assert xdf.read(path)[1].offsets.tolist() == [[6.1, -0.1]]
    assert (theirs(path)[1]["clock_times"], theirs(path)[1]["clock_values"]) == ([6.1], [-0.1])
    with Writer(tmp_path / "b.xdf") as writer:
        writer.add_stream(1, header_xml(StreamHeader("s", "x", 1, 0.0, "int8")))
        writer.offset(1, 6.1, -0.1)
    assert (CLOCK_OFFSET, content) in taken_apart(tmp_path / "b.xdf")


@pytest.mark.parametrize(
    "content",
    [struct.pack("<Id", 1, 1.0), struct.pack("<Idd", 1, float("nan"), 0.0), struct.pack("<Idd", 1, 1.0, float("inf"))],
)
def test_clock_offset_that_is_none_is_left_out_and_said(content: bytes, tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(), chunk(CLOCK_OFFSET, content), samples([sample(double(1), 1.0)]))
    assert xdf.read(path)[1].offsets.shape == (0, 2)
    assert xdf.read(path)[1].stamps.tolist() == [1.0]
    assert len(xdf.check(path).damage) == 1


# ---- Boundary ---------------------------------------------------------------------------------------------------------------


def test_boundary_is_the_given_uuid_and_a_reader_finds_its_way_again_there(tmp_path: Path) -> None:
    first, second = samples([sample(double(1), 1.0)]), samples([sample(double(2), 2.0)])
    path = file(tmp_path / "a.xdf", head(), b"\xff" * 50 + first, chunk(BOUNDARY, UUID, size=1), second)
    assert xdf.read(path)[1].stamps.tolist() == [2.0]
    with Writer(tmp_path / "b.xdf", now=iter(range(100)).__next__) as writer:
        writer.add_stream(1, header_xml(StreamHeader("s", "x", 1, 0.0, "int8")))
    assert (BOUNDARY, UUID) in taken_apart(tmp_path / "b.xdf")


def test_boundary_with_another_content_is_none(tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(), chunk(BOUNDARY, bytes(16), size=1), samples([sample(double(1), 1.0)]))
    assert [d.why for d in xdf.check(path).damage] == ["a boundary that is none"]
    assert xdf.read(path)[1].stamps.tolist() == [1.0]


# ---- StreamFooter -----------------------------------------------------------------------------------------------------------


def test_stream_footer_has_the_streams_id_then_xml_with_ends_and_count(tmp_path: Path) -> None:
    tag, content = written(tmp_path / "a.xdf", StreamHeader("s", "x", 1, 10.0, "int8"), ([1.0, 1.1], np.ones((2, 1), "i1")))[-1]
    assert (tag, content[:4]) == (STREAM_FOOTER, struct.pack("<I", 9))
    footer = theirs(tmp_path / "a.xdf")[9]["footer"]["info"]
    assert (footer["first_timestamp"], footer["last_timestamp"], footer["sample_count"]) == (["1.0"], ["1.1"], ["2"])


def test_stream_footer_is_not_needed(tmp_path: Path) -> None:
    path = file(tmp_path / "a.xdf", head(), samples([sample(double(1), 1.0)]))
    assert both(path) == ([1.0], [[1.0]])
    assert xdf.check(path).damage == () and not xdf.check(path).closed


def test_stream_footer_that_is_no_xml_is_said_and_the_samples_are_read(tmp_path: Path) -> None:
    footer = chunk(STREAM_FOOTER, struct.pack("<I", 1) + b"<info><sample_count>many</sample_count></info>")
    path = file(tmp_path / "a.xdf", head(), samples([sample(double(1), 1.0)]), footer)
    assert xdf.read(path)[1].stamps.tolist() == [1.0]
    assert [d.why for d in xdf.check(path).damage] == ["sample_count = 'many' in a footer"]


# ---- several streams --------------------------------------------------------------------------------------------------------


def test_interleaving_streams_keep_their_own_order_and_stamps(tmp_path: Path) -> None:
    chunks = [samples([sample(double(i), float(i))], stream_id=1 + i % 2) for i in range(10)]
    path = file(tmp_path / "a.xdf", head(1), head(2, sfreq=0), *chunks)
    assert both(path, 1)[0] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert both(path, 2)[0] == [1.0, 3.0, 5.0, 7.0, 9.0]


@pytest.mark.parametrize("same", ["name", "source_id", "both"])
def test_streams_of_one_name_or_source_id_are_told_apart_by_their_id(same: str, tmp_path: Path) -> None:
    def header(n: int) -> StreamHeader:
        name, source = ("s" if same != "source_id" else f"s{n}"), ("x" if same != "name" else f"x{n}")
        return StreamHeader(name, "EEG", 1, 10.0, "double64", source_id=source, uid=f"u{n}")

    with Writer(tmp_path / "a.xdf") as writer:
        for n in (1, 2):
            writer.add_stream(n, header_xml(header(n)))
        for i in range(20):
            writer.samples(1 + i % 2, [i / 10], [[float(i)]] * np.ones((1, 1)))
    streams = xdf.read(tmp_path / "a.xdf")
    assert [(s.header.uid, s.values[:, 0].tolist()) for s in streams.values()] == [
        ("u1", list(range(0, 20, 2))),
        ("u2", list(range(1, 20, 2))),
    ]
    assert [(s.id, s.n) for s in xdf.check(tmp_path / "a.xdf").streams] == [(1, 10), (2, 10)]


def test_a_second_header_of_one_id_is_refused_and_nothing_is_merged(tmp_path: Path) -> None:
    path = file(
        tmp_path / "a.xdf", head(1), samples([sample(double(1), 1.0)]), head(1, sfreq=20), samples([sample(double(2), 2.0)])
    )
    assert xdf.read(path)[1].header.sfreq == 10.0
    assert [d.why for d in xdf.check(path).damage] == ["a second header of stream 1"]
    with Writer(tmp_path / "b.xdf") as writer:
        writer.add_stream(1, header_xml(StreamHeader("s", "x", 1, 0.0, "int8")))
        with pytest.raises(XdfError, match="stream id 1 is taken"):
            writer.add_stream(1, header_xml(StreamHeader("t", "x", 1, 0.0, "int8")))


# ---- any file ---------------------------------------------------------------------------------------------------------------


@st.composite
def foreign(draw: st.DrawFn) -> tuple[str, int, float, list[list[bytes]], list[int]]:
    """Draw a stream as another program might write it: stamps here and there, lengths of any size."""
    form = draw(st.sampled_from([*LETTERS, "string"]))
    n_channels, sfreq = draw(st.integers(1, 3)), draw(st.sampled_from([0.0, 4.0, 100.0, 1000.0]))
    stamp = st.one_of(st.none(), st.floats(-1e6, 1e6))
    if form == "string":
        text = st.tuples(st.binary(max_size=20), st.sampled_from([1, 4, 8]))
        value = text.map(lambda pair: varlen(len(pair[0]), size=pair[1]) + pair[0])
    else:
        size = struct.calcsize(LETTERS[form])
        value = st.binary(min_size=size, max_size=size)
    row = st.tuples(st.lists(value, min_size=n_channels, max_size=n_channels), stamp).map(
        lambda p: sample(b"".join(p[0]), p[1])
    )
    chunks = draw(st.lists(st.lists(row, max_size=30), min_size=1, max_size=5))
    return form, n_channels, sfreq, chunks, [draw(st.sampled_from([1, 4, 8])) for _ in chunks]


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning:pyxdf")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning:pyxdf")
@given(drawn=foreign())
@hypothesis_settings(max_examples=150, deadline=None, derandomize=True)
def test_whatever_another_program_writes_is_read_as_pyxdf_reads_it(
    drawn: tuple[str, int, float, list[list[bytes]], list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    form, n_channels, sfreq, chunks, sizes = drawn
    path = file(
        tmp_path_factory.mktemp("xdf") / "a.xdf",
        head(form=form, n_channels=n_channels, sfreq=sfreq),
        *(samples(rows, size=size) for rows, size in zip(chunks, sizes, strict=True)),
    )
    ours, other = xdf.read(path)[1], theirs(path)[1]
    n = sum(map(len, chunks))
    report = xdf.check(path)
    assert report.damage == ()
    assert report.streams[0].n == n == len(ours.stamps)
    np.testing.assert_array_equal(ours.stamps, other["time_stamps"])
    if form == "string":
        assert ours.values == other["time_series"]
    elif n:
        assert ours.values.tobytes() == np.ascontiguousarray(other["time_series"]).tobytes()
        assert (report.streams[0].t_first, report.streams[0].t_last) == (ours.stamps[0], ours.stamps[-1])
