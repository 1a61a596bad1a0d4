"""A disk that returns something else than was written: found by the checksums each time, and never taken for a value."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from collector import xdf
from collector.xdf import XdfError
from tests.collector.recordings import PER_CHUNK, record, true_rows
from tests.faults.counts import FULL, count

SEED = 11
PAGE_B = 4096
N_EEG = 6 * 256
LONG_S = count(6, 90)


def judged(path: Path, out: Path) -> tuple[bool, int]:
    """Return whether damage is found and no wrong value comes back, and how many EEG samples do; -1 where none can be read."""
    try:
        found = bool(xdf.check(path).damage)
        xdf.mend(path, out)
    except XdfError:
        return True, -1  # the file's first four bytes: it is refused
    streams = xdf.read(out)
    for made in (out, xdf.crc_path(out)):
        made.unlink()
    eeg = streams.get(1)
    if eeg is None:
        return found, -1
    notes = [row[0] for row in streams[2].values] if 2 in streams else []
    known = {f"second {n} ✓" for n in range(LONG_S)}
    return found and true_rows(eeg.stamps, eeg.values) and all(text in known for text in notes), len(eeg.stamps)


def test_a_flipped_bit_anywhere_is_found_and_costs_one_chunk_at_most(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    path = record(tmp_path / "a.xdf", seconds=6)
    data, rng, n, bad = bytearray(path.read_bytes()), np.random.default_rng(SEED), count(60, 5000), []
    for bit in rng.integers(0, 8 * len(data), n).tolist():
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        right, left = judged(path, tmp_path / "out.xdf")
        if not right or left not in (-1 if bit < 32 else N_EEG, N_EEG, N_EEG - PER_CHUNK):
            bad.append(bit)
        data[bit // 8] ^= 1 << bit % 8
    fault_row(test="flipped bit in the recording", n=n, passed=n - len(bad), note="found, its chunk alone left out")
    assert bad == []


def test_a_zeroed_page_is_found_and_costs_what_it_touches(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    path = record(tmp_path / "a.xdf", seconds=LONG_S)
    whole, bad = path.read_bytes(), []
    pages = range(1, len(whole) // PAGE_B + 1, 1 if FULL else 3)
    for page in pages:
        data = bytearray(whole)
        part = slice(page * PAGE_B, min(len(data), (page + 1) * PAGE_B))
        data[part] = bytes(part.stop - part.start)
        path.write_bytes(data)
        right, left = judged(path, tmp_path / "out.xdf")
        touched = PAGE_B // (PER_CHUNK * 33) + 2  # a sample has 33 bytes
        if not right or left < LONG_S * 256 - touched * PER_CHUNK:
            bad.append(page)
    fault_row(
        test="zeroed page in the recording", n=len(pages), passed=len(pages) - len(bad), note="found, nothing else left out"
    )
    assert bad == []


def test_flipped_bits_in_the_checksums_make_no_value_wrong(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    path = record(tmp_path / "a.xdf", seconds=6)
    crc = xdf.crc_path(path)
    data, rng, n, bad = bytearray(crc.read_bytes()), np.random.default_rng(SEED), count(40, 3000), []
    for bit in rng.integers(8 * 16, 8 * len(data), n).tolist():
        data[bit // 8] ^= 1 << bit % 8
        crc.write_bytes(data)
        eeg = xdf.read(path)[1]
        if not true_rows(eeg.stamps, eeg.values) or len(eeg.stamps) < N_EEG - PER_CHUNK:
            bad.append(bit)
        data[bit // 8] ^= 1 << bit % 8
    fault_row(test="flipped bit in the checksums", n=n, passed=n - len(bad), note="one chunk at most is left out for nothing")
    assert bad == []
