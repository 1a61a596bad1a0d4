"""What the headset sent: its EEG on its own clock, its own quality readings, and how long samples were on their way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import mne
import numpy as np

from bids_export import alignment
from bids_export.alignment import AlignmentError, Gap, SampleClock
from bids_export.arrays import Floats
from bids_export.latency import Latency, transport
from bids_export.recording import WALLCLOCK, Recording, RecordingError, mapped
from collector import xdf
from collector.quality import matches
from protocol.study import Stream as StreamKeys
from protocol.study import Study

VOLTS = {"uV": 1e-6, "V": 1.0}
BORN = "Timestamp"  # the label of Emotiv's column that tells when a sample was born, on the wall clock


@dataclass(frozen=True)
class Readings:
    """A slow stream of the headset, such as contact quality.

    Parameters
    ----------
    times : ndarray, shape (n_readings,)
        LSL seconds.
    labels : tuple of str
        As the device names its channels.
    values : ndarray, shape (n_readings, n_channels)
    sfreq : float
        Nominal rate, Hz.
    """

    times: Floats
    labels: tuple[str, ...]
    values: Floats
    sfreq: float


@dataclass(frozen=True)
class Eeg:
    """The EEG on its own sample clock.

    Parameters
    ----------
    labels : tuple of str
        Channels, in the order of the device.
    volts : ndarray, shape (n_channels, n_times)
        Lost samples are filled in.
    clock : SampleClock
        Which sample was when.
    filled : tuple of Gap
        Samples that were not measured: lost ones, those that are no number, and those that the device says it filled in.
    light : ndarray, shape (n_times,), or None
        What a photodiode on the screen gave, volts at the amplifier; None where it records none.
    light_label : str
        The photodiode's channel; empty where there is none.
    latency : Latency or None
        From a sample's birth to its stamp; None where the device does not say when samples were born.
    """

    labels: tuple[str, ...]
    volts: Floats
    clock: SampleClock
    filled: tuple[Gap, ...]
    light: Floats | None = None
    light_label: str = ""
    latency: Latency | None = None


def matching(streams: Mapping[int, xdf.Stream], keys: StreamKeys) -> list[xdf.Stream]:
    """Return the streams with samples that a study means, in the order of time; a device that came back has several."""
    found = [s for s in streams.values() if len(s.stamps) and s.header.format != "string" and matches(keys, s.header)]
    return sorted(found, key=lambda s: float(mapped(s)[0]))


def readings(recording: Recording, keys: StreamKeys | None) -> Readings | None:
    """Return a quality stream of the headset; None where there is none."""
    parts = matching(recording.streams, keys) if keys else []
    if not parts:
        return None
    header = parts[0].header
    parts = [p for p in parts if p.header.labels == header.labels]
    times = np.concatenate([mapped(p) for p in parts])
    values = np.concatenate([np.asarray(p.values, np.float64) for p in parts])
    order = np.argsort(times, kind="stable")
    return Readings(times[order], header.labels, values[order], header.sfreq or _rate(times))


def _rate(times: Floats) -> float:
    return float(1 / np.median(np.diff(times))) if len(times) > 1 else 1.0


def place_eeg(recording: Recording) -> Eeg | None:
    """Put the EEG on its own sample clock.

    Returns
    -------
    Eeg or None
        None when fewer than two samples were recorded.

    Raises
    ------
    RecordingError
        When the stream does not have the channels that the study names, or its stamps make no clock.
    """
    study, where = recording.study, recording.run.xdf
    parts = matching(recording.streams, study.eeg.stream)
    if sum(len(p.stamps) for p in parts) < 2:
        return None
    header = parts[0].header
    if any(p.header.labels != header.labels or p.header.sfreq != header.sfreq for p in parts):
        raise RecordingError(f"{where}: {header.name}: its channels changed during the recording; export such a run by hand")
    if not header.sfreq > 0:
        raise RecordingError(f"{where}: {header.name}: nominal_srate = {header.sfreq}: an EEG needs a rate")
    labels = header.labels
    picks = channels(labels, study, where=f"{where}: {header.name}")
    stamps = np.concatenate([mapped(p) for p in parts])
    values = np.concatenate([np.asarray(p.values, np.float64) for p in parts])
    counter = values[:, labels.index(study.eeg.counter)] if study.eeg.counter in labels else None
    try:
        clock = alignment.sample_clock(stamps, sfreq=header.sfreq, counter=counter)
    except AlignmentError as error:
        raise RecordingError(f"{where}: {header.name}: {error}; move this recording out of the data folder") from None
    volts = alignment.fill(values[:, picks], clock).T * VOLTS[study.eeg.units]
    flags = alignment.untold(values[:, picks])[clock.rows]
    if study.eeg.interpolated in labels:
        flags = np.maximum(flags, values[clock.rows, labels.index(study.eeg.interpolated)] > 0)
    light = _column(values, labels, study.eeg.photodiode, clock)
    return Eeg(
        tuple(labels[i] for i in picks), np.ascontiguousarray(volts), clock, alignment.invented(clock, flags),
        light=None if light is None else light * VOLTS[study.eeg.units],
        light_label="" if light is None else study.eeg.photodiode or "",
        latency=_latency(recording, stamps, values, labels, clock),
    )  # fmt: skip


def _column(values: Floats, labels: Sequence[str], label: str | None, clock: SampleClock) -> Floats | None:
    """Return one more column on the EEG's clock; None where there is none."""
    if label is None or label not in labels:
        return None
    return alignment.fill(values[:, [labels.index(label)]], clock)[:, 0]


def _latency(
    recording: Recording, stamps: Floats, values: Floats, labels: Sequence[str], clock: SampleClock
) -> Latency | None:  # fmt: skip
    """Measure how late samples arrive, where the device tells when they were born, on the wall clock."""
    wall = xdf.by_name(recording.streams, WALLCLOCK)
    if BORN not in labels or wall is None or len(wall.stamps) < 2:
        return None
    ahead = np.interp(stamps, mapped(wall), cast(Floats, wall.values)[:, 0] - mapped(wall))
    born = values[:, labels.index(BORN)] - ahead
    return transport(stamps[clock.rows], born[clock.rows])


def channels(labels: Sequence[str], study: Study, *, where: str) -> list[int]:
    """Return the columns of the EEG channels: those that the study names, or that the montage knows.

    Raises
    ------
    RecordingError
        When there are none, or one is missing.
    """
    wanted: Iterable[str] = study.eeg.channels or [label for label in labels if label in positions(study.eeg.montage)]
    if missing := [label for label in wanted if label not in labels]:
        raise RecordingError(f"{where}: has no channel {missing[0]!r} (eeg.channels of the study); it has {', '.join(labels)}")
    picks = [i for i, label in enumerate(labels) if label in set(wanted)]
    if not picks:
        raise RecordingError(
            f"{where}: eeg.montage = {study.eeg.montage!r} knows none of its channels ({', '.join(labels) or 'unnamed'}); "
            "name them in eeg.channels"
        )
    return picks


@cache
def positions(montage: str) -> frozenset[str]:
    """Return the labels that a montage knows.

    Raises
    ------
    RecordingError
        When MNE-Python has no such montage.
    """
    if montage not in mne.channels.get_builtin_montages():
        raise RecordingError(f"study.toml: eeg.montage = {montage!r}: MNE-Python has none of that name; try colin27_1020")
    return frozenset(mne.channels.make_standard_montage(montage).ch_names)
