"""A disk that is full, injected at every write: the reserve makes room once, and no chunk is written twice or lost."""

import dataclasses
import errno
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from collector import tape as module
from collector import xdf
from collector.disk import Reserve, RoomError, check_room, needed, refuse
from collector.tape import Tape
from collector.watch import disk_state, goes_on, is_silent, lasts_s
from collector.xdf import StreamHeader, header_xml
from collector.xdf import disk as files

MIB = 2**20
N = 100


class Disk:
    """Counts appends to the file and refuses them from one on, until there is room."""

    def __init__(self, append: Callable[..., None], refuse_at: int) -> None:
        self.append, self.left, self.room = append, refuse_at, False

    def __call__(self, *arguments: object, **named: object) -> None:
        self.left -= 1
        if self.left < 0 and not self.room:
            raise files.DiskFullError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.append(*arguments, **named)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk(files.append, 10**9)
    monkeypatch.setattr(files, "append", made)
    yield made


def a_tape(path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, *, gives_room: bool = True) -> Tape:
    class SmallReserve(Reserve):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder, 1 * MIB)

        def release(self) -> bool:
            disk.room = disk.room or gives_room
            return super().release()

    monkeypatch.setattr(module, "Reserve", SmallReserve)
    clock = itertools.count()
    tape = Tape(path, uid="u", video=None, now=lambda: next(clock) / 100)
    tape.writer.add_stream(1, header_xml(StreamHeader("eeg", "EEG", 1, 10.0, "int32")))
    return tape


def record(tape: Tape, n: int = N) -> None:
    """Write samples in blocks of 25, each two and a half chunks."""
    for i in range(0, n, 25):
        tape.samples(1, np.arange(i, i + 25) / 10, np.arange(i, i + 25, dtype=np.int32)[:, None], sfreq=10.0)


def test_whichever_write_meets_the_full_disk_every_sample_is_there_once(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = 0
    for at in range(18):
        tape = a_tape(tmp_path / f"{at}.xdf", disk, monkeypatch)
        disk.left, disk.room = at, False
        record(tape)
        tape.note("x")
        refused += bool(tape.fault)
        assert tape.fault in ("", f"{at}.xdf: disk full")
        tape.close()
        report = xdf.check(tmp_path / f"{at}.xdf")
        eeg = xdf.by_name(xdf.read(tmp_path / f"{at}.xdf"), "eeg")
        assert eeg.values[:, 0].tolist() == list(range(N))
        assert (report.damage, report.closed) == ((), True)
    assert refused >= 12


def test_without_room_the_second_refusal_is_raised_and_what_was_there_is_whole(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = a_tape(tmp_path / "a.xdf", disk, monkeypatch, gives_room=False)
    disk.left = 5
    with pytest.raises(xdf.DiskFullError):
        record(tape)
    tape.close()  # says what is missing, and raises nothing
    values = xdf.by_name(xdf.read(tmp_path / "a.xdf"), "eeg").values[:, 0].tolist()
    assert values == list(range(len(values))) and 0 < len(values) < N
    assert xdf.check(tmp_path / "a.xdf").damage == ()


def test_another_fault_of_the_disk_ends_the_recording_too(tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = a_tape(tmp_path / "a.xdf", disk, monkeypatch)

    def broken() -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(OSError, match="Input/output"):
        tape.write(broken)
    assert tape.fault == "a.xdf: Input/output error"
    tape.close()


def test_a_reserve_takes_its_room_without_a_name_and_gives_it_back_once(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, 3 * MIB)
    assert list(tmp_path.iterdir()) == []
    assert os.fstat(reserve._handle).st_blocks * 512 >= 3 * MIB
    assert (reserve.release(), reserve.release()) == (True, False)


def test_a_reserve_that_does_not_fit_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("collector.disk._allocate", full)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="No space"):
        Reserve(tmp_path)
    assert (list(tmp_path.iterdir()), len(list(Path("/proc/self/fd").iterdir()))) == ([], before)


def test_need_and_a_fifth_and_the_reserve_must_be_free(tmp_path: Path) -> None:
    refuse(needed(100e6), 100e6, length_s=1200, what="--out")
    with pytest.raises(RoomError, match=r"^--out: 0.13 GiB are free, and a recording of 20 min may take 0.13 GiB; free some"):
        refuse(needed(100e6) - 1, 100e6, length_s=1200, what="--out")
    check_room(tmp_path, 1.0, length_s=1, what="--out")


@pytest.mark.parametrize(
    ("age_s", "sfreq", "silent"),
    [(1.49, 256.0, False), (1.51, 256.0, True), (1.49, 2.0, False), (1.51, 2.0, True), (5.9, 0.5, False), (6.1, 0.5, True),
     (1e9, 0.0, False)],
)  # fmt: skip
def test_a_stream_is_silent_after_a_second_and_a_half_and_not_before(age_s: float, sfreq: float, silent: bool) -> None:
    assert is_silent(age_s, sfreq) is silent


@pytest.mark.parametrize(
    ("free", "left_s", "state"),
    [(1e9, None, "ok"), (1e9, 300.0, "ok"), (1e9, 299.9, "low"), (2 * MIB, 1.0, "low"), (2 * MIB - 1, 1e6, "full")],
)
def test_a_disk_is_low_at_five_minutes_and_full_before_it_is_empty(free: float, left_s: float | None, state: str) -> None:
    assert disk_state(free, left_s) == state


def test_how_long_a_disk_lasts_is_known_after_ten_seconds() -> None:
    assert lasts_s(1000.0, 10.0, 9.9) is None
    assert lasts_s(1000.0, 0, 20.0) is None
    assert lasts_s(1000.0, 10.0, 20.0) == 2000.0


OLD = StreamHeader("eeg", "EEG", 2, 256.0, "float32", labels=("Cz", "Fz"), source_id="s", hostname="pc", uid="u1")


@pytest.mark.parametrize(
    ("change", "beside", "same"),
    [
        ({"uid": "u2", "created_at": 5.0}, False, True), ({"uid": "u2"}, True, False), ({"source_id": ""}, False, False),
        ({"source_id": "t"}, False, False), ({"hostname": "other"}, False, False), ({"sfreq": 128.0}, False, False),
        ({"labels": ("Cz", "Pz")}, False, False), ({"format": "double64"}, False, False),
    ],
)  # fmt: skip
def test_only_the_same_source_in_the_same_shape_goes_on_in_a_stream(change: dict, beside: bool, same: bool) -> None:
    assert goes_on(OLD, dataclasses.replace(OLD, **change), beside=beside) is same


def test_two_without_a_source_are_never_the_same() -> None:
    nameless = dataclasses.replace(OLD, source_id="")
    assert not goes_on(nameless, nameless, beside=False)
