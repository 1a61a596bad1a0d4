"""Every file that was written is read again with other people's readers and compared with the recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mne
import numpy as np

from bids_export import eeg as eeg_files
from bids_export import events as event_table
from bids_export import video as face_video
from bids_export.events import Event
from bids_export.headset import Eeg
from bids_export.recording import Video

# a float32 has 24 bits; one more for the division by BrainVision's resolution of 0.1 uV on the way in
EEG_TOLERANCE = 2.0**-23
SMALLEST_V = 1e-13  # below a ten-millionth of a microvolt, zero is zero


class ReadbackError(RuntimeError):
    """A file does not hold what was recorded; the text says which and where."""


def check_eeg(path: Path, eeg: Eeg) -> None:
    """Compare an exported EEG with the recording, sample by sample.

    Raises
    ------
    ReadbackError
        When channels, length or any sample differ by more than float32 resolves.
    """
    raw = mne.io.read_raw_brainvision(path, preload=True, verbose="ERROR")
    labels, values = eeg_files.recorded(eeg), eeg_files.values(eeg)
    if raw.ch_names != labels:
        raise ReadbackError(f"{path}: channels are {raw.ch_names}, recorded were {labels}")
    if not np.isclose(raw.info["sfreq"], eeg.clock.sfreq, rtol=1e-9):
        raise ReadbackError(f"{path}: sfreq = {raw.info['sfreq']}, recorded was {eeg.clock.sfreq}")
    found = raw.get_data()
    if found.shape != values.shape:
        raise ReadbackError(f"{path}: {found.shape[1]} samples, recorded were {values.shape[1]}")
    # not `>`: a NaN must not pass for equal, but where a channel gave none but NaN
    same = np.abs(found - values) <= np.abs(values) * EEG_TOLERANCE + SMALLEST_V
    same |= np.isnan(found) & np.isnan(values)
    if not same.all():
        channel, sample = np.argwhere(~same)[0]
        differ = f"{found[channel, sample]!r} V, recorded was {values[channel, sample]!r} V"
        raise ReadbackError(f"{path}: {labels[channel]}, sample {sample}: {differ}")


def check_events(path: Path, rows: Sequence[Event]) -> None:
    """Compare an exported events table with the rows that were meant, to the microsecond.

    Raises
    ------
    ReadbackError
        When one differs.
    """
    found = event_table.read(path)
    if len(found) != len(rows):
        raise ReadbackError(f"{path}: {len(found)} rows, written were {len(rows)}")
    key = lambda row: (row.onset, row.trial_type)  # noqa: E731  (as events.write sorts)
    for n, (mine, theirs) in enumerate(zip(sorted(rows, key=key), found, strict=True), 1):
        for name in event_table.COLUMNS:
            wanted, got = getattr(mine, name), getattr(theirs, name)
            wanted = (" ".join(wanted.split()) or None) if isinstance(wanted, str) else wanted  # a cell holds no tab
            same = abs(wanted - got) <= 1e-6 if isinstance(wanted, float) and isinstance(got, float) else wanted == got
            if not same:
                raise ReadbackError(f"{path}, row {n}: {name} = {got!r}, written was {wanted!r}")


def check_video(path: Path, video: Video) -> None:
    """Compare an exported video with the recorded one, packet by packet, and with its table of frames.

    Raises
    ------
    ReadbackError
        When a packet differs, or a frame has no time.
    """
    mine, theirs = face_video.probe(video.path), face_video.probe(path)
    if len(mine.pts_s) != len(theirs.pts_s):
        raise ReadbackError(f"{path}: {len(theirs.pts_s)} frames, recorded were {len(mine.pts_s)}")
    differ = [n for n, (a, b) in enumerate(zip(mine.digest, theirs.digest, strict=True)) if a != b]
    if differ or not np.array_equal(mine.pts_s, theirs.pts_s):
        raise ReadbackError(f"{path}: frame {differ[0] if differ else 0} is not the recorded one")
    table = path.with_name(path.name.replace("_video.mkv", "_frames.tsv"))
    frames = np.loadtxt(table, delimiter="\t", skiprows=1, ndmin=2)
    if len(frames) != len(mine.pts_s) or not np.array_equal(frames[:, 0], np.arange(len(frames))):
        raise ReadbackError(f"{table}: {len(frames)} rows for {len(mine.pts_s)} frames")
    if (np.diff(frames[:, 1]) < 0).any():
        raise ReadbackError(f"{table}: the times of the frames do not ascend")
