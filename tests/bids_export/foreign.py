"""Another laboratory's recording, as LabRecorder writes it: an Epoc-like headset, other markers, nothing of ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from collector.xdf import StreamHeader, codec, header_xml

CHANNELS = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
SFREQ, START, SECONDS = 128.0, 900.0, 24.0
LAG_S = 3.5  # what is to be added to the stamps of the stimulus computer
IMPULSE_UV = 4000.0
WORDS = (
    (2.0, "baseline"),
    (6.0, "clip_start_joy01"),
    (10.0, "clip_stop"),
    (10.7, "valence_7"),
    (12.0, "clip_start_sad02"),
    (16.0, "clip_stop"),
    (17.0, "debug: 3 fps lost"),
)

STUDY = """\
[study]
name = "Two emotions"
authors = ["Ada Example", "Bo Example"]

[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
sadness = { hed = "Sad", color = "#0072B2" }

[consent]
version = "1"

[labrecorder]
eeg = { name = "EPOC" }
units = "uV"
software = "OpenSesame 4"
"""
EVENTS = r"""
events = [
  { marker = 'baseline', becomes = "baseline/eyes_open", duration = 3 },
  { marker = 'clip_start_(?P<stim_id>joy\w+)', becomes = "clip/onset target=happiness" },
  { marker = 'clip_start_(?P<stim_id>\w+)', becomes = "clip/onset target=sadness" },
  { marker = 'clip_stop', becomes = "clip/offset" },
  { marker = 'valence_(?P<answer>\d)', becomes = "rating question=valence" },
  { marker = 'debug.*' },
]
"""

EPOC = StreamHeader("EPOC", "EEG", len(CHANNELS), SFREQ, "float32", labels=CHANNELS, source_id="epoc-1", hostname="lab")
CONTACT = StreamHeader("EPOC-CQ", "CQ", 1, 2.0, "float32", labels=("Overall",), source_id="cq-1", hostname="lab")
WORD_STREAM = StreamHeader("Psy", "Markers", 1, 0.0, "string", source_id="psy", hostname="stimuli")


@dataclass(frozen=True)
class Stream:
    """A stream of the file; stamps are seconds on its own clock."""

    header: StreamHeader
    stamps: np.ndarray
    values: np.ndarray | Sequence[Sequence[str]]
    lag_s: float = 0.0


@dataclass(frozen=True)
class Foreign:
    """What was recorded."""

    lost: tuple[tuple[int, int], ...] = ((1024, 64),)
    words: tuple[tuple[float, str], ...] = WORDS
    overall: float | None = None
    epoc: StreamHeader = EPOC
    more: tuple[Stream, ...] = field(default=())
    closed: bool = True

    def streams(self) -> list[Stream]:
        """Return the streams of the file."""
        index = np.arange(round(SECONDS * SFREQ))
        uv = np.column_stack([4200 + 20 * np.sin(index / (k + 2)) for k in range(len(CHANNELS))])
        for t in (t for t, text in self.words if "start" in text):
            uv[round(t * SFREQ)] += IMPULSE_UV
        kept = np.ones(len(index), bool)
        for first, n in self.lost:
            kept[first : first + n] = False
        stamps = START + index / SFREQ + 0.0005 * np.random.default_rng(2).random(len(index))
        made = [Stream(self.epoc, stamps[kept], uv[kept].astype(np.float32))]
        if self.words:
            times = START + np.array([t for t, _ in self.words]) - LAG_S
            made.append(Stream(WORD_STREAM, times, [[text] for _, text in self.words], LAG_S))
        if self.overall is not None:
            times = START + np.arange(0, SECONDS, 0.5)
            made.append(Stream(CONTACT, times, np.full((len(times), 1), self.overall, np.float32)))
        return [*made, *self.more]


def write(path: Path, told: Foreign = Foreign()) -> Path:
    """Write the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts, ends = [codec.file_header("2026-03-04T10:00:00+0100")], []
    for n, stream in enumerate(told.streams(), 1):
        parts.append(codec.chunk(codec.Tag.STREAM_HEADER, header_xml(stream.header).encode(), n))
        for t in np.linspace(START, START + SECONDS, 6) - stream.lag_s:
            parts.append(codec.clock_offset(n, float(t), stream.lag_s))
        form, n_channels = stream.header.format, stream.header.n_channels
        parts.append(codec.samples(n, stream.stamps, stream.values, form=form, n_channels=n_channels))
        first, last = float(stream.stamps[0]), float(stream.stamps[-1])
        ends.append(codec.footer(n, first=first, last=last, n=len(stream.stamps), offsets=[]))
    path.write_bytes(b"".join([*parts, *(ends if told.closed else [])]))
    os.utime(path, (1_700_000_000, 1_700_000_000))  # long ago: it is not being recorded
    return path


def lay(
    data: Path, told: Foreign = Foreign(), *, participant: str = "S07", run: str = "001", study: str = STUDY + EVENTS
) -> Path:  # fmt: skip
    """Lay a recording and the study file into a data folder."""
    stem = f"sub-{participant}_ses-S001_task-emotion_run-{run}_eeg.xdf"
    path = write(data / f"sub-{participant}" / "ses-S001" / "eeg" / stem, told)
    (data / "study.toml").write_text(study, encoding="utf-8")
    return path


def renamed(header: StreamHeader, **changes: object) -> StreamHeader:
    """Return a header with other fields."""
    return replace(header, **changes)  # type: ignore[arg-type]
