"""The headset's quality streams as physio: contact quality and EEG quality, which are two things and stay two files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from bids_export import tables
from bids_export.alignment import SampleClock
from bids_export.arrays import Floats
from bids_export.headset import Readings
from collector.quality import HOLD_S
from protocol.study import Study

Metric = Literal["CQ", "EQ"]
RECORDING = {"CQ": "contact", "EQ": "eegquality"}
MEANING = {"CQ": "contact quality (impedance)", "EQ": "EEG quality (the device's learned signal score)"}
# Emotiv's levels; there is no 3
CONTACT_LEVELS = {"0": "no contact", "1": "very bad", "2": "poor", "4": "good"}
_SLOW = {"overall": "Overall", "battery_percent": "BatteryPercent", "signal": "Signal", "sample_rate": "SampleRateQuality"}


def columns(labels: tuple[str, ...], channels: tuple[str, ...]) -> dict[str, str]:
    """Return the device's label of each column: the overall values first, then one column per EEG channel.

    Examples
    --------
    >>> columns(("Timestamp", "Overall", "Cz"), ("Cz",))
    {'overall': 'Overall', 'sensor_Cz': 'Cz'}
    """
    return {name: label for name, label in _SLOW.items() if label in labels} | {
        f"sensor_{label}": label for label in channels if label in labels
    }


def on_grid(readings: Readings, clock: SampleClock, picks: list[int]) -> tuple[float, Floats]:
    """Return readings at even intervals on the EEG's clock: each holds until the next, but no longer than 2 s.

    Parameters
    ----------
    readings : Readings
        As recorded.
    clock : SampleClock
        Of the EEG.
    picks : list of int
        Columns.

    Returns
    -------
    start : float
        Seconds of the first row from the first EEG sample.
    values : ndarray, shape (n_rows, n_picks)
        NaN where the device said nothing.
    """
    onsets = clock.onset_of(readings.times)
    grid = np.arange(onsets[0], onsets[-1] + 0.5 / readings.sfreq, 1 / readings.sfreq)
    # half a period of tolerance: a reading that comes a little late belongs to its own row, not to the next
    latest = np.searchsorted(onsets, grid + 0.5 / readings.sfreq, side="right") - 1
    values = readings.values[latest][:, picks]
    values[grid - onsets[latest] > HOLD_S] = np.nan
    return float(onsets[0]), values


def write(stem: Path, metric: Metric, readings: Readings, clock: SampleClock, channels: tuple[str, ...], study: Study) -> Path:
    """Write ``<stem>_recording-<metric>_physio.tsv.gz`` with its sidecar.

    Parameters
    ----------
    stem : Path
        Folder and entities.
    metric : {"CQ", "EQ"}
        Which of the two.
    readings, clock
        The stream, and the EEG's clock that it is put on.
    channels : tuple of str
        EEG channels of the dataset.
    study : Study
        For what is known of the device.

    Returns
    -------
    Path
        The table.
    """
    names = columns(readings.labels, channels)
    start, values = on_grid(readings, clock, [readings.labels.index(label) for label in names.values()])
    path = stem.with_name(f"{stem.name}_recording-{RECORDING[metric]}_physio.tsv.gz")
    tables.write_tsv_gz(path, values.tolist())
    tables.write_json(path.with_name(path.name.replace(".tsv.gz", ".json")), sidecar(metric, readings, start, names, study))
    return path


def sidecar(metric: Metric, readings: Readings, start: float, names: dict[str, str], study: Study) -> dict[str, Any]:
    """Return the sidecar; ``names`` are the columns with the device's labels."""
    eeg = study.eeg
    about = {
        "TaskName": study.study.task,
        "SamplingFrequency": readings.sfreq,
        "StartTime": round(start, 6),
        "Columns": list(names),
        "PhysioType": "generic",
        "Description": f"The headset's own {MEANING[metric]} on the EEG's clock; a reading holds for at most {HOLD_S:g} s.",
        "Manufacturer": eeg.manufacturer,
        "ManufacturersModelName": eeg.model,
        "SoftwareVersions": eeg.software_versions,
        "DeviceSerialNumber": eeg.serial_number,
    }
    return tables.known(about) | {name: _describe(metric, name, label) for name, label in names.items()}


def _describe(metric: Metric, name: str, label: str) -> dict[str, Any]:
    if name == "overall":
        return {"Description": f"The device's overall {MEANING[metric]}", "Units": "%"}
    if name == "battery_percent":
        return {"Description": "Charge of the headset's battery", "Units": "%"}
    if name in _SLOW:
        return {"Description": f"{label}, as the device reports it", "Units": "arbitrary"}
    if metric == "CQ":
        return {"Description": f"Contact quality of {label}", "Levels": CONTACT_LEVELS}
    return {"Description": f"EEG quality of {label}, as the device reports it", "Units": "arbitrary"}
