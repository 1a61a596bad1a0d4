"""What is made of a damaged recording, beside pyxdf, the independent reader."""

import errno
import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from collector import xdf
from collector.xdf import DiskFullError, StreamHeader, Writer, XdfError, codec, crc_path, disk, header_xml, mend
from tests.collector.recordings import EEG, NOTES, PER_CHUNK, START, ramp, record, true_rows


def load(path: Path) -> dict[str, dict]:
    streams, _ = pyxdf.load_xdf(str(path), synchronize_clocks=False, dejitter_timestamps=False)
    return {s["info"]["name"][0]: s for s in streams}


def offsets_of(path: Path, tag: codec.Tag) -> list[tuple[int, int]]:
    """Return where the chunks of one kind lie."""
    from collector.xdf import scan, source

    data = source.Memory(path.read_bytes(), path.name)
    return [(p.start, p.stop) for p in scan.pieces(data, lambda piece: "") if p.tag == tag]


def damage(path: Path, start: int, new: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(new)


def test_a_cut_file_becomes_a_whole_one_and_stays_as_it_is(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    os.truncate(path, offsets_of(path, codec.Tag.SAMPLES)[20][0] + 700)
    before = path.read_bytes(), path.stat().st_mtime_ns
    report = mend(path, tmp_path / "b.xdf")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    eeg = load(tmp_path / "b.xdf")["eeg"]
    n = len(eeg["time_stamps"])
    assert true_rows(eeg["time_stamps"], eeg["time_series"]) and n % PER_CHUNK == 0
    assert eeg["footer"]["info"]["sample_count"] == [str(n)]
    assert float(eeg["footer"]["info"]["first_timestamp"][0]) == START
    assert float(eeg["footer"]["info"]["last_timestamp"][0]) == START + (n - 1) / 256
    assert len(eeg["footer"]["info"]["clock_offsets"][0]["offset"]) == 3
    lost = {s.name: (s.n, s.n_lost, s.lost_s, s.exact) for s in report.streams}
    assert lost == {"eeg": (n, PER_CHUNK, PER_CHUNK / 256, True), "notes": (3, 0, None, True)}
    again = xdf.check(tmp_path / "b.xdf")
    assert again.closed and again.damage == () and again.n_verified == again.n_chunks
    assert not list(tmp_path.glob(".*"))


def test_a_whole_file_is_copied_and_nothing_is_lost(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    report = mend(path, tmp_path / "b.xdf")
    assert report.damage == () and all(s.n_lost == 0 and s.exact for s in report.streams)
    ours, theirs = xdf.read(path), xdf.read(tmp_path / "b.xdf")
    np.testing.assert_array_equal(ours[1].values, theirs[1].values)
    np.testing.assert_array_equal(ours[1].offsets, theirs[1].offsets)
    assert ours[2].values == theirs[2].values and ours[1].xml == theirs[1].xml


def test_a_flipped_bit_in_a_value_is_found_by_the_checksums_and_costs_its_chunk(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    start, stop = offsets_of(path, codec.Tag.SAMPLES)[5]
    damage(path, stop - 3, bytes([path.read_bytes()[stop - 3] ^ 1]))
    report = mend(path, tmp_path / "b.xdf")
    assert [(d.start, d.stop, d.why) for d in report.damage] == [(start, stop, "does not match its checksum")]
    eeg = next(s for s in report.streams if s.name == "eeg")
    assert (eeg.n, eeg.n_lost, eeg.lost_s, eeg.exact) == (768 - PER_CHUNK, PER_CHUNK, 0.125, True)
    stream = load(tmp_path / "b.xdf")["eeg"]
    assert true_rows(stream["time_stamps"], stream["time_series"])


@pytest.mark.parametrize("closed", [True, False])
def test_without_checksums_the_way_is_found_again_at_a_boundary_and_the_loss_is_told(closed: bool, tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf", seconds=6, crc=False, closed=closed)
    start = offsets_of(path, codec.Tag.SAMPLES)[20][0]
    boundary = next(at for at, _ in offsets_of(path, codec.Tag.BOUNDARY) if at > start)
    damage(path, start, bytes(100))
    report = mend(path, tmp_path / "b.xdf")
    assert [(d.start, d.stop) for d in report.damage] == [(start, boundary)]
    stream = load(tmp_path / "b.xdf")["eeg"]
    assert true_rows(stream["time_stamps"], stream["time_series"])
    n = len(stream["time_stamps"])
    assert 6 * 256 - 256 <= n < 6 * 256
    eeg = next(s for s in report.streams if s.name == "eeg")
    assert (eeg.n_lost, eeg.exact) == (6 * 256 - n, closed)  # a footer counts; without one the stamps tell
    assert eeg.lost_s == (6 * 256 - n) / 256


def test_a_flipped_bit_in_a_header_is_put_right_by_its_checksum(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    (start, stop), _ = offsets_of(path, codec.Tag.STREAM_HEADER)
    whole = path.read_bytes()
    for at in range(start + 12, stop, 37):
        damage(path, at, bytes([whole[at] ^ 1 << at % 8]))
        streams = xdf.read(path)
        assert streams[1].header == EEG
        np.testing.assert_array_equal(streams[1].values, ramp(768))
        damage(path, at, whole[at : at + 1])
    damage(path, start + 100, bytes([whole[start + 100] ^ 4]))
    report = mend(path, tmp_path / "b.xdf")
    assert [(d.start, d.stop, d.healed) for d in report.damage] == [(start, stop, True)]
    assert report.n_bytes_lost == 0
    assert load(tmp_path / "b.xdf")["eeg"]["info"]["desc"][0]["channels"][0]["channel"][0]["label"] == ["Cz"]


def test_a_header_that_is_gone_costs_its_stream_alone_and_that_is_said_once(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    start, stop = offsets_of(path, codec.Tag.STREAM_HEADER)[0]
    damage(path, start + 8, bytes(stop - start - 8))
    report = mend(path, tmp_path / "b.xdf")
    assert set(load(tmp_path / "b.xdf")) == {"notes"}
    assert any(d.why == "stream 1 has no header, so its 28 chunks here cannot be read" for d in report.damage)
    assert len(report.damage) == 2
    copied = sum(stop - start for tag in codec.Tag for start, stop in offsets_of(path, tag)) - report.n_bytes_lost
    notes = [at for at in offsets_of(path, codec.Tag.SAMPLES) if at[1] - at[0] < 100]
    assert copied > sum(stop - start for start, stop in notes) > 0


def test_a_file_header_that_is_gone_is_made_up_for(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    damage(path, 8, bytes(20))
    mend(path, tmp_path / "b.xdf")
    assert len(load(tmp_path / "b.xdf")["eeg"]["time_stamps"]) == 768


def test_checksums_that_are_damaged_themselves_condemn_no_good_chunk(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    crc = crc_path(path)
    damage(crc, 16 + 16 * 9, b"\xff" * 8)
    damage(crc, 16 + 16 * 20 + 8, b"\x01")
    os.truncate(crc, crc.stat().st_size - 16 * 3 - 5)
    report = xdf.check(path)
    assert report.damage == ()
    assert report.n_chunks - 12 <= report.n_verified < report.n_chunks
    assert len(xdf.read(path)[1].stamps) == 768


def test_chunks_that_are_missing_behind_the_end_are_said(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    os.truncate(path, offsets_of(path, codec.Tag.SAMPLES)[10][1])
    assert [d.why for d in xdf.check(path).damage] == ["chunks that have checksums are missing behind the end"]


def test_samples_that_only_the_footer_counts_are_said(tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf", crc=False)
    start, stop = offsets_of(path, codec.Tag.SAMPLES)[8]
    data = path.read_bytes()
    path.write_bytes(data[:start] + data[stop:])
    report = xdf.check(path)
    assert [d.why for d in report.damage] == [f"{PER_CHUNK} samples of stream 1 are missing that its footer counts"]
    assert report.streams[0].n_lost == PER_CHUNK


@pytest.mark.parametrize("taken", ["b.xdf", "b.xdf.crc"])
def test_nothing_is_overwritten(taken: str, tmp_path: Path) -> None:
    path = record(tmp_path / "a.xdf")
    (tmp_path / taken).write_text("precious")
    with pytest.raises(FileExistsError, match=taken):
        mend(path, tmp_path / "b.xdf")
    assert (tmp_path / taken).read_text() == "precious"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_name_that_is_taken_meanwhile_is_not_overwritten_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part, path = tmp_path / "part", tmp_path / "b.xdf"
    for links in (True, False):
        part.write_text("new")
        path.write_text("precious")
        if not links:  # as on exFAT
            monkeypatch.setattr(disk.os, "link", raising(errno.EPERM))
        with pytest.raises(FileExistsError):
            disk.rename_new(part, path)
        assert path.read_text() == "precious"
        path.unlink()
        disk.rename_new(part, path)
        assert path.read_text() == "new" and not part.exists()


def raising(code: int):
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


def test_a_disk_that_is_full_leaves_nothing_and_names_the_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = record(tmp_path / "a.xdf")
    monkeypatch.setattr(disk.os, "fsync", raising(errno.ENOSPC))
    with pytest.raises(DiskFullError) as raised:
        mend(path, tmp_path / "b.xdf")
    assert raised.value.filename == str(tmp_path / "b.xdf")
    assert {p.name for p in tmp_path.iterdir()} == {"a.xdf", "a.xdf.crc"}


@pytest.mark.parametrize("data", [b"", b"XDF:", b"XDF:" + bytes(500), b"RIFF" * 100])
def test_where_nothing_can_be_read_nothing_is_written(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.xdf").write_bytes(data)
    with pytest.raises(XdfError, match=r"a\.xdf"):
        mend(tmp_path / "a.xdf", tmp_path / "b.xdf")
    assert {p.name for p in tmp_path.iterdir()} == {"a.xdf"}


# ---- memory -----------------------------------------------------------------------------------------------------------------

ALLOWANCE_B = 6 << 20


def large(path: Path, *, n_chunks: int) -> Path:
    """Write 64 kB chunks of numbers, and some hundred notes between them."""
    wide = StreamHeader("wide", "EEG", 64, 1000.0, "double64")
    with Writer(path, now=lambda: 0.0) as writer:
        writer.add_stream(1, header_xml(wide))
        writer.add_stream(2, header_xml(NOTES))
        for i in range(n_chunks):
            writer.samples(1, START + np.arange(125 * i, 125 * (i + 1)) / 1000, np.full((125, 64), float(i)))
            writer.samples(2, [float(i)], [["a note"]])
    return path


@pytest.mark.parametrize("kind", ["whole", "zeroed", "one chunk"])
def test_check_and_recover_need_the_same_memory_for_a_file_far_larger_than_it(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    if kind == "one chunk":  # as a converter writes: all of an hour in a single chunk
        stamps = np.zeros(60_000, codec.record("double64", 64))
        stamps["size"], stamps["stamp"], stamps["values"] = 8, np.arange(60_000.0), np.arange(60_000.0)[:, None]
        header = header_xml(StreamHeader("wide", "EEG", 64, 1.0, "double64")).encode()
        path.write_bytes(
            codec.file_header("2026-01-01")
            + codec.chunk(codec.Tag.STREAM_HEADER, header, 1)
            + codec.chunk(codec.Tag.SAMPLES, codec.varlen(60_000) + stamps.tobytes(), 1)
        )
        del stamps
    else:
        large(path, n_chunks=480)
    if kind == "zeroed":
        crc_path(path).unlink()
        damage(path, 100_000, bytes(20 << 20))
    assert path.stat().st_size > 4 * ALLOWANCE_B
    tracemalloc.start()
    report = mend(path, tmp_path / "b.xdf")
    xdf.check(tmp_path / "b.xdf")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < ALLOWANCE_B
    assert report.streams[0].n == {"whole": 60_000, "one chunk": 60_000}.get(kind, report.streams[0].n) > 0


# ---- the command ------------------------------------------------------------------------------------------------------------


def emo_record(*arguments: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    from collector.cli import app
    from collector.xdf import XdfError
    from protocol import commands
    from protocol.folder import FolderError
    from protocol.study import StudyError

    with pytest.raises(SystemExit) as ended:
        commands.run(app, (XdfError, FolderError, StudyError), args=list(arguments))
    said = capfd.readouterr()
    return ended.value.code, said.out, said.err


def test_the_command_says_what_was_lost_in_samples_and_seconds(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = record(tmp_path / "a.xdf")
    os.truncate(path, offsets_of(path, codec.Tag.SAMPLES)[20][0] + 700)
    code, out, err = emo_record("recover", str(path), capfd=capfd)
    assert (code, err.strip()) == (0, "")
    assert "lost: eeg 32 (0.125 s)" in out
    assert f"{tmp_path / 'a-recovered.xdf'}: written; what was recorded is as it was" in out
    assert emo_record("check", str(path), capfd=capfd)[0] == 1
    assert emo_record("check", str(tmp_path / "a-recovered.xdf"), capfd=capfd)[0] == 0


def test_the_command_speaks_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = record(tmp_path / "a.xdf")
    os.truncate(path, offsets_of(path, codec.Tag.SAMPLES)[20][0] + 700)
    code, out, _ = emo_record("recover", str(path), "--out", str(tmp_path / "b.xdf"), "--json", capfd=capfd)
    told = json.loads(out)
    assert code == 0
    assert (told["schema"], told["out"], told["file"]) == (1, str(tmp_path / "b.xdf"), str(path))
    assert [(s["name"], s["n_lost"], s["lost_s"], s["exact"]) for s in told["streams"]] == [
        ("eeg", 32, 0.125, True),
        ("notes", 0, None, True),
    ]


def test_an_estimate_has_a_tilde_and_what_nobody_counts_is_unknown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = record(tmp_path / "a.xdf", seconds=6, crc=False, closed=False)
    damage(path, offsets_of(path, codec.Tag.SAMPLES)[20][0], bytes(100))
    _, out, _ = emo_record("recover", str(path), capfd=capfd)
    n = 6 * 256 - len(xdf.read(tmp_path / "a-recovered.xdf")[1].stamps)
    assert f"lost: eeg ~{n} (~{n / 256:.3g} s); notes unknown" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["recover", "no.xdf"], "no.xdf: No such file or directory; give an XDF file"),
        (["recover", "a.xdf", "--out", "b.xdf"], "b.xdf: exists already, nothing is overwritten; name another file with --out"),
        (["recover", "a.xdf", "--out", "no/b.xdf"], "no/b.xdf: No such file or directory; give an XDF file, and an --out"),
        (["recover", "b.xdf"], "b.xdf: does not begin with 'XDF:', so it is no XDF file"),
        (["recover", "."], "no session.json, so this run never started"),
        (["recover", ".", "--out", "c.xdf"], "--out = c.xdf: a run is recovered in its own folder"),
        (["check", "."], "Is a directory; give an XDF file"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: list[str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record(Path("a.xdf"))
    Path("b.xdf").write_text("something else")
    before = sorted(p.name for p in tmp_path.iterdir())
    code, out, err = emo_record(*arguments, capfd=capfd)
    assert (code, out) == (2, "")
    assert said in err and err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_file_that_grows_while_it_is_checked_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from collector.xdf import source

    path, opened = tmp_path / "a.xdf", source.File.__init__
    with Writer(path) as writer:
        writer.add_stream(1, header_xml(EEG))

        def grow(self: source.File, file: Path) -> None:
            opened(self, file)
            writer.samples(1, [START], ramp(1))

        monkeypatch.setattr(source.File, "__init__", grow)
        report = xdf.check(path)
        monkeypatch.undo()
    assert report.damage == ()
    assert report.streams[0].n == 1  # what came between the two
