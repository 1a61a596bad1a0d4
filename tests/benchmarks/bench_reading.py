"""Reading an hour of 32 channels at 256 Hz, beside pyxdf in the same process: processor time, medians of several turns."""

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyxdf

from collector import xdf
from collector.xdf import StreamHeader, Writer, header_xml
from tests.benchmarks.table import Row

N_CHANNELS, SFREQ, LENGTH_S, TURNS = 32, 256, 3600, 5
PER_CHUNK = {"as our recorder writes it, 13 samples a chunk": 13, "64 samples a chunk": 64}
COMMAND = "xdf.read(path), pyxdf.load_xdf(path)"


def write(path: Path, *, per_chunk: int) -> np.ndarray:
    """Write the hour; returns its values, the sample's number in channel 0."""
    n = SFREQ * LENGTH_S
    values = np.random.default_rng(1).standard_normal((n, N_CHANNELS), dtype=np.float32)
    values[:, 0] = np.arange(n)
    clock = [0.0]
    with Writer(path, now=lambda: clock[0]) as writer:
        writer.add_stream(1, header_xml(StreamHeader("eeg", "EEG", N_CHANNELS, SFREQ, "float32")))
        for i in range(0, n, per_chunk):
            clock[0] = i / SFREQ
            rows = values[i : i + per_chunk]
            writer.samples(1, 1000 + np.arange(i, i + len(rows)) / SFREQ, rows)
            if i % (5 * SFREQ) < per_chunk:
                writer.offset(1, 1000 + clock[0], 0.0)
    return values


def seconds(action: Callable[[], object]) -> float:
    """Return the processor time that an action takes."""
    began = time.process_time()
    action()
    return time.process_time() - began


def compare(path: Path, values: np.ndarray) -> tuple[list[float], list[float], list[float]]:
    """Read in turns; returns the times of ours with checksums, of ours without, and of pyxdf's, which has none."""
    crc = xdf.crc_path(path)
    aside = crc.with_suffix(".aside")
    with_sums, without, theirs = [], [], []
    for _ in range(TURNS):
        with_sums.append(seconds(lambda: xdf.read(path)))
        crc.rename(aside)
        without.append(seconds(lambda: xdf.read(path)))
        aside.rename(crc)
        theirs.append(seconds(lambda: pyxdf.load_xdf(str(path))))
    ours, ((other,), _) = xdf.read(path)[1], pyxdf.load_xdf(str(path))
    assert ours.values.tobytes() == values.tobytes() == other["time_series"].tobytes()
    assert np.abs(ours.stamps - other["time_stamps"]).max() < 1e-6
    return with_sums, without, theirs


def rows() -> list[Row]:
    """Measure."""
    logging.getLogger("pyxdf").setLevel(logging.ERROR)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for what, per_chunk in PER_CHUNK.items():
            path = Path(folder) / f"{per_chunk}.xdf"
            with_sums, without, theirs = compare(path, write(path, per_chunk=per_chunk))
            peer = statistics.median(theirs)
            for how, times in (("with checksums", with_sums), ("without checksums", without)):
                ratio = peer / statistics.median(times)
                figure = f"{statistics.median(times):.2f} s: {ratio:.1f} x faster, same values"
                found.append(Row(f"{what}, {how}", figure, ">= 3 x faster", f"pyxdf: {peer:.2f} s", COMMAND))
            path.unlink()
    return found
