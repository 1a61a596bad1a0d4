"""A recording that ends anywhere: recovery never fails, and returns every whole chunk and no value that was not measured."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from collector import xdf
from collector.xdf import XdfError, scan, source
from tests.collector.recordings import PER_CHUNK, record, true_rows
from tests.faults.counts import FULL, count

SEED = 7


def ends_of(path: Path, stream_id: int) -> list[int]:
    """Return where the samples chunks of a stream end."""
    data = source.Memory(path.read_bytes(), path.name)
    pieces = scan.pieces(data, lambda piece: "")
    return [p.stop for p in pieces if p.tag == xdf.codec.Tag.SAMPLES and p.stream_id == stream_id]


def recovered(path: Path, out: Path) -> tuple[int, bool]:
    """Recover a file; returns its EEG samples, and whether all of them are true, to pyxdf and to us."""
    xdf.mend(path, out)
    ours = xdf.read(out).get(1)
    streams, _ = pyxdf.load_xdf(str(out), synchronize_clocks=False, dejitter_timestamps=False)
    theirs = [s for s in streams if s["info"]["name"] == ["eeg"]]
    whole = xdf.check(out)
    for made in (out, xdf.crc_path(out)):
        made.unlink()
    if ours is None or not theirs or not len(ours.stamps):
        n = 0 if ours is None else len(ours.stamps)
        return n, whole.damage == () and n == sum(len(s["time_stamps"]) for s in theirs)
    right = np.array_equal(theirs[0]["time_series"], ours.values) and np.array_equal(theirs[0]["time_stamps"], ours.stamps)
    return len(ours.stamps), right and true_rows(ours.stamps, ours.values) and whole.damage == ()


def header_ends(path: Path) -> int:
    """Return where the first header of a stream ends: before, there is nothing to recover."""
    data = source.Memory(path.read_bytes(), path.name)
    return next(p.stop for p in scan.pieces(data, lambda piece: "") if p.tag == xdf.codec.Tag.STREAM_HEADER)


def tried(path: Path, cuts: list[int], tmp_path: Path) -> list[int]:
    """Return the cuts after which something was not as it must be."""
    ends, readable, whole = ends_of(path, 1), header_ends(path), path.read_bytes()
    cut, bad = tmp_path / "cut.xdf", []
    if xdf.crc_path(path).exists():
        xdf.crc_path(cut).write_bytes(xdf.crc_path(path).read_bytes())
    cut.write_bytes(whole)
    for at in sorted(cuts, reverse=True):
        os.truncate(cut, at)
        try:
            n, right = recovered(cut, tmp_path / "out.xdf")
        except XdfError:
            n, right = 0, at < readable
        if not right or n != PER_CHUNK * sum(end <= at for end in ends):
            bad.append(at)
    return bad


@pytest.mark.parametrize("crc", [True, False], ids=["checksums", "none"])
def test_a_small_file_cut_at_every_byte(crc: bool, tmp_path: Path, fault_row: Callable[..., None]) -> None:
    path = record(tmp_path / "a.xdf", seconds=0.5, crc=crc)
    cuts = list(range(0, path.stat().st_size + 1, 1 if FULL else 61))
    bad = tried(path, cuts, tmp_path)
    told = "with checksums" if crc else "without checksums"
    fault_row(
        test=f"file cut at every byte, {told}", n=len(cuts), passed=len(cuts) - len(bad), note="every whole chunk, no other"
    )
    assert bad == []


@pytest.mark.parametrize("crc", [True, False], ids=["checksums", "none"])
def test_a_large_file_cut_at_random(crc: bool, tmp_path: Path, fault_row: Callable[..., None]) -> None:
    path = record(tmp_path / "a.xdf", seconds=count(20, 120), crc=crc)
    rng = np.random.default_rng(SEED)
    cuts = rng.integers(header_ends(path), path.stat().st_size, count(8, 200)).tolist()
    bad = tried(path, cuts, tmp_path)
    told = "with checksums" if crc else "without checksums"
    fault_row(test=f"large file cut at random, {told}", n=len(cuts), passed=len(cuts) - len(bad), note=f"seed {SEED}")
    assert bad == []
