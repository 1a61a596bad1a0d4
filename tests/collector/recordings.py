"""Small XDF files whose values are known: channel 0 carries the sample's number."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from collector.xdf import StreamHeader, Writer, crc_path, header_xml

EEG = StreamHeader("eeg", "EEG", 3, 256.0, "double64", labels=("Cz", "Fz", "Pz"), units=("microvolts",) * 3, uid="u1")
NOTES = StreamHeader("notes", "Markers", 1, 0.0, "string", desc=(("file", "a b.mkv"), ("cap/size", "56")))
START = 1000.0
PER_CHUNK = 32


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.t = START

    def __call__(self) -> float:
        return self.t


def ramp(n: int, n_channels: int = 3, start: int = 0) -> np.ndarray:
    """Channel 0 is the sample's number."""
    return np.arange(start, start + n, dtype=float)[:, None] + np.arange(n_channels) * 0.25


def record(path: Path, *, seconds: float = 3, crc: bool = True, closed: bool = True) -> Path:
    """Write a recording: 256 Hz in chunks of 1/8 s, a note and a clock offset a second."""
    clock = Clock()
    writer = Writer(path, now=clock)
    writer.add_stream(1, header_xml(EEG))
    writer.add_stream(2, header_xml(NOTES))
    for i in range(round(seconds * 8)):
        writer.samples(1, clock.t + np.arange(PER_CHUNK) / 256, ramp(PER_CHUNK, start=PER_CHUNK * i))
        if i % 8 == 0:
            writer.samples(2, [clock.t], [[f"second {i // 8} ✓"]])
            writer.offset(1, clock.t, 0.0)
        clock.t += 0.125
    size = path.stat().st_size
    writer.close()
    if not closed:
        with path.open("r+b") as file:
            file.truncate(size)
    if not crc:
        crc_path(path).unlink()
    return path


def true_rows(stamps: np.ndarray, values: np.ndarray) -> bool:
    """Tell whether every row of the EEG is one that was written, in order."""
    numbers = values[:, 0]
    return bool(
        np.array_equal(values, numbers[:, None] + np.arange(3) * 0.25)
        and np.array_equal(stamps, START + numbers / 256)
        and (np.diff(numbers) > 0).all()
    )
