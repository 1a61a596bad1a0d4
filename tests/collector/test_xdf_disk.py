"""The writer and its disk: synced every second, full at any byte."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from collector import xdf
from collector.xdf import DiskFullError, StreamHeader, Writer, disk, header_xml

ROWS = StreamHeader("rows", "EEG", 3, 32.0, "double64")
TEXTS = StreamHeader("texts", "Markers", 1, 0.0, "string")


class FillingDisk:
    """Takes so many bytes, the last write short, then refuses, as a disk does that fills up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int, *, code: int = errno.ENOSPC) -> None:
        self.room, self._code, self._write = room, code, os.write
        monkeypatch.setattr(disk.os, "write", self)

    def __call__(self, handle: int, data: memoryview) -> int:
        if self.room == 0 and len(data):
            raise OSError(self._code, os.strerror(self._code))
        written = self._write(handle, data[: self.room])
        self.room -= written
        return written


def fill(path: Path) -> tuple[int, bool]:
    """Record until it ends or the disk is full; returns the samples that the writer took, and whether it was full."""
    taken, full = 0, False
    writer = Writer(path, now=lambda: taken / 32)
    try:
        writer.add_stream(1, header_xml(ROWS))
        writer.add_stream(2, header_xml(TEXTS))
        for i in range(20):
            writer.samples(1, taken / 32 + np.arange(8) / 32, np.arange(taken, taken + 8)[:, None] + np.zeros((8, 3)))
            taken += 8
            writer.samples(2, [i / 4], [[f"eight more: {i}"]])
    except DiskFullError as error:
        full = True
        assert error.errno == errno.ENOSPC
        assert error.filename == str(path)
    try:
        writer.close()
    except DiskFullError:
        full = True
    return taken, full


def test_wherever_the_disk_fills_up_all_that_was_taken_is_there_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, full = fill(tmp_path / "roomy.xdf")
    assert (taken, full) == (160, False)
    whole = sum(p.stat().st_size for p in tmp_path.iterdir())
    for room in range(0, whole, 61):
        path = tmp_path / f"{room}.xdf"
        with monkeypatch.context() as patch:
            FillingDisk(patch, room)
            try:
                taken, full = fill(path)
            except DiskFullError:  # not even the file's first bytes had room: there is no file
                assert not path.exists() and not xdf.crc_path(path).exists()
                continue
        report = xdf.check(path)
        assert full
        assert report.damage == () and report.n_verified == report.n_chunks
        rows = next((s for s in xdf.read(path).values() if s.header.name == "rows"), None)
        numbers = rows.values[:, 0] if rows else np.empty(0)
        np.testing.assert_array_equal(numbers, np.arange(taken))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_a_quota_and_a_size_limit_are_one_error(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(tmp_path / "a.xdf")
    writer.add_stream(1, header_xml(ROWS))
    FillingDisk(monkeypatch, 100, code=code)
    with pytest.raises(DiskFullError):
        writer.samples(1, np.arange(8.0), np.zeros((8, 3)))
    with pytest.raises(DiskFullError):
        writer.close()


def test_another_error_of_the_disk_is_not_called_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(tmp_path / "a.xdf")
    FillingDisk(monkeypatch, 0, code=errno.EIO)
    with pytest.raises(OSError, match="Input/output error") as raised:
        writer.add_stream(1, header_xml(ROWS))
    assert not isinstance(raised.value, DiskFullError)
    writer.close()


def test_once_there_is_room_again_recording_goes_on_and_the_footers_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.xdf"
    writer = Writer(path)
    writer.add_stream(1, header_xml(ROWS))
    full = FillingDisk(monkeypatch, 100)
    with pytest.raises(DiskFullError):
        writer.samples(1, np.arange(8.0), np.ones((8, 3)))
    full.room = 1 << 20
    writer.samples(1, 8 + np.arange(8.0), np.full((8, 3), 2.0))
    writer.close()
    report = xdf.check(path)
    assert report.closed and report.damage == ()
    assert xdf.read(path)[1].stamps.tolist() == (8 + np.arange(8.0)).tolist()


def test_a_torn_chunk_that_the_disk_kept_is_taken_back_before_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(tmp_path / "a.xdf")
    writer.add_stream(1, header_xml(ROWS))
    with monkeypatch.context() as patch:
        FillingDisk(patch, 100)
        patch.setattr(disk.os, "ftruncate", refuse)
        with pytest.raises(OSError, match="refused"):
            writer.samples(1, np.arange(8.0), np.ones((8, 3)))
    writer.samples(1, [8.0], np.ones((1, 3)))
    writer.close()
    assert xdf.check(tmp_path / "a.xdf").damage == ()
    assert xdf.read(tmp_path / "a.xdf")[1].stamps.tolist() == [8.0]


def refuse(*_: object) -> None:
    raise OSError(errno.EIO, "refused")


def test_a_disk_that_refuses_to_sync_at_the_end_closes_the_files_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = disk.create(tmp_path / "a.xdf", b"XDF:")
    writer = Writer(tmp_path / "b.xdf")
    monkeypatch.setattr(disk.os, "fsync", refuse)
    assert [str(error) for error in disk.close(*ends)] == [str(OSError(errno.EIO, "refused"))] * 2
    for end in ends:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end.handle)
    with pytest.raises(OSError, match="refused"):
        writer.close()
    writer.close()


# ---- synced every second ----------------------------------------------------------------------------------------------------


class Pace:
    """A clock that a sync moves by ``took_s`` and a wait by what is asked; it records, and ends after so many waits."""

    def __init__(self, file: disk.End, *, n_waits: int, took_s: float) -> None:
        self.t, self._file, self._left, self._took_s = 0.0, file, n_waits, took_s
        self.oldest_unsynced: list[float] = []
        self._written: list[tuple[float, int]] = []
        self.n_syncs = 0

    def wait(self, seconds: float) -> bool:
        for step in range(10):  # a chunk every tenth of the wait
            self.write(self.t + seconds * step / 10)
        self.t += seconds
        self._left -= 1
        return self._left < 0

    def write(self, t: float) -> None:
        self._file.append(b"0123456789")
        self._written.append((t, self._file.size))

    def sync(self, handle: int) -> None:
        if handle != self._file.handle:
            return
        self.n_syncs += 1
        size = self._file.size
        self.t += self._took_s
        waiting = [t for t, end in self._written if end <= size]
        self.oldest_unsynced.append(self.t - min(waiting))
        self._written = [(t, end) for t, end in self._written if end > size]


@pytest.mark.parametrize("took_s", [0.0, 0.05, 0.4])
def test_no_chunk_waits_longer_than_a_second_and_the_sync_itself(
    took_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, crc = disk.create(tmp_path / "a.xdf", b"XDF:")
    pace = Pace(file, n_waits=20, took_s=took_s)
    monkeypatch.setattr(disk, "sync", pace.sync)
    disk.Syncer(tmp_path / "a.xdf", (file, crc)).run(pace.wait)
    disk.close(file, crc)
    assert pace.n_syncs == 20
    assert max(pace.oldest_unsynced) <= 1.0 + took_s + 1e-9


def test_the_writer_syncs_file_and_checksums_in_a_thread_of_its_own_while_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, str]] = []
    stuck, go = threading.Event(), threading.Event()

    def slow(handle: int) -> None:
        synced.append((threading.current_thread().name, Path(f"/proc/self/fd/{handle}").readlink().name))
        stuck.set()
        assert go.wait(30)

    monkeypatch.setattr(disk, "sync", slow)
    monkeypatch.setattr(disk, "SYNC_S", 0.0)
    writer = Writer(tmp_path / "a.xdf")
    try:
        assert stuck.wait(30)
        writer.add_stream(1, header_xml(ROWS))  # the sync is under way, and nobody waits for it
        writer.samples(1, np.arange(8.0), np.zeros((8, 3)))
    finally:
        go.set()
        writer.close()
    assert {name for name, _ in synced} == {"xdf-sync"}
    assert [file for _, file in synced[:2]] == ["a.xdf", "a.xdf.crc"]


@pytest.mark.parametrize(("code", "full"), [(errno.ENOSPC, True), (errno.EIO, False)])
def test_a_disk_that_says_only_at_the_sync_that_it_is_full_is_heard_until_it_is_not(
    code: int, full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse_once(_: int) -> None:
        monkeypatch.undo()
        raise OSError(code, "said late")

    file, crc = disk.create(tmp_path / "a.xdf", b"XDF:")
    syncer, states = disk.Syncer(tmp_path / "a.xdf", (file, crc)), []

    def wait(_: float) -> bool:
        states.append(raises(syncer.raise_if_full))
        return len(states) == 3

    monkeypatch.setattr(disk, "sync", refuse_once)
    syncer.run(wait)
    disk.close(file, crc)
    assert states == [False, full, False]
    assert "said late" in caplog.text


def raises(action: Callable[[], None]) -> bool:
    try:
        action()
    except DiskFullError:
        return True
    return False
