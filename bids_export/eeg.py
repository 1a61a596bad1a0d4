"""The EEG as BrainVision float32 through mne-bids, and what mne-bids leaves to mend."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import mne
import mne_bids
import numpy as np
from mne.io.constants import FIFF

from bids_export import latency, sync, tables
from bids_export.arrays import Floats
from bids_export.headset import Eeg
from bids_export.recording import RecordingError
from bids_export.sync import NOTHING, Certificate
from protocol.folder import Session
from protocol.study import Study
from protocol.words import WORDS

NOT_ANALYSED = "not analysed"
LIGHT = "photodiode on the screen: tells when it lit up"
_CHANNELS = ("name", "type", "units", "sampling_frequency", "status", "status_description")


def write(root: Path, eeg: Eeg, *, session: Session, study: Study, start: datetime, certificate: Certificate = NOTHING) -> Path:
    """Write one recording's EEG with its channels, electrodes and sidecar.

    Parameters
    ----------
    root : Path
        The dataset.
    eeg : Eeg
        Lost samples filled in.
    session : Session
        Whose it is.
    study : Study
        What is known of headset and montage.
    start : datetime
        Wall clock of the first sample, UTC.
    certificate : Certificate
        What was measured between screen, camera and EEG.

    Returns
    -------
    Path
        The ``.vhdr``.

    Raises
    ------
    RecordingError
        When a channel has no place in the montage.
    """
    where = mne_bids.BIDSPath(
        root=root, subject=session.participant, session=session.session, task=session.task, run=session.run,
        datatype="eeg", suffix="eeg", extension=".vhdr",
    )  # fmt: skip
    raw = to_raw(eeg, study, start)
    mne_bids.write_raw_bids(raw, where, format="BrainVision", allow_preload=True, overwrite=True, verbose="ERROR")
    path = Path(where.fpath)
    # what mne-bids writes here names BrainVision's maker as the headset's, and no reference
    tables.write_json(path.with_suffix(".json"), sidecar(eeg, session, study, certificate))
    tables.write_tsv(path.with_name(path.name.replace("_eeg.vhdr", "_channels.tsv")), _CHANNELS, channel_rows(eeg, study))
    mine = f"sub-{session.participant}_ses-{session.session}_*"
    for electrodes in path.parent.glob(f"{mine}electrodes.tsv"):
        columns, rows = tables.read_tsv(electrodes)
        tables.write_tsv(electrodes, columns, [row for row in rows if row["name"] in eeg.labels])  # a photodiode is none
    for coordsystem in path.parent.glob(f"{mine}coordsystem.json"):
        tables.write_json(coordsystem, mended_coordsystem(tables.read_json(coordsystem), study.eeg.montage))
    return path


def to_raw(eeg: Eeg, study: Study, start: datetime) -> mne.io.RawArray:
    """Return the EEG as MNE-Python has it.

    Raises
    ------
    RecordingError
        When a channel has no place in the montage.
    """
    types = ["eeg"] * len(eeg.labels) + ["misc"] * (eeg.light is not None)
    info = mne.create_info(recorded(eeg), eeg.clock.sfreq, types, verbose="ERROR")
    for channel in info["chs"]:
        channel["unit"] = FIFF.FIFF_UNIT_V  # the photodiode's too: BrainVision has no channels without
    raw = mne.io.RawArray(values(eeg), info, copy="auto", verbose="ERROR")
    raw.set_meas_date(start)
    raw.info["line_freq"] = study.eeg.line_freq
    try:
        raw.set_montage(mne.channels.make_standard_montage(study.eeg.montage), verbose="ERROR")
    except ValueError:
        placed = set(mne.channels.make_standard_montage(study.eeg.montage).ch_names)
        stray = next(label for label in eeg.labels if label not in placed)
        raise RecordingError(
            f"study.toml: eeg.channels: the montage {study.eeg.montage} has no place for {stray!r}; name another montage"
        ) from None
    return raw


def recorded(eeg: Eeg) -> list[str]:
    """Return the channels of the file: the EEG's, and the photodiode's where there is one."""
    return [*eeg.labels, *([eeg.light_label] if eeg.light is not None else [])]


def values(eeg: Eeg) -> Floats:
    """Return what the file holds, shape (n_channels, n_times), volts, in the order of :func:`recorded`."""
    return eeg.volts if eeg.light is None else np.vstack([eeg.volts, eeg.light])


def sidecar(eeg: Eeg, session: Session, study: Study, certificate: Certificate = NOTHING) -> dict[str, Any]:
    """Return ``eeg.json``: what the study and the recording know, ``n/a`` only where BIDS demands the key."""
    about, device, institution = study.study, study.eeg, study.study.institution
    n_channels = len(eeg.labels)
    return tables.known(
        {
            "TaskName": about.task,
            "TaskDescription": about.description,
            "Instructions": about.instructions or WORDS[about.language].welcome,
            "CogAtlasID": about.cogatlas_id,
            "CogPOID": about.cogpo_id,
            "InstitutionName": institution.name,
            "InstitutionAddress": institution.address,
            "InstitutionalDepartmentName": institution.department,
            "Manufacturer": device.manufacturer,
            "ManufacturersModelName": device.model,
            "SoftwareVersions": device.software_versions,
            "DeviceSerialNumber": device.serial_number,
            "CapManufacturer": device.cap_manufacturer,
            "CapManufacturersModelName": device.cap_model,
            "EEGReference": device.reference or tables.NA,
            "EEGGround": device.ground,
            "EEGPlacementScheme": device.placement_scheme,
            "HeadCircumference": session.person.head_circumference_cm,
            "HardwareFilters": _filters(device.hardware_filters),
            "SoftwareFilters": _filters(device.software_filters) or tables.NA,
            "PowerLineFrequency": device.line_freq or tables.NA,
            "SamplingFrequency": eeg.clock.sfreq,
            "RecordingDuration": eeg.clock.n_times / eeg.clock.sfreq,
            "RecordingType": "continuous",
            "SubjectArtefactDescription": lost(eeg),
            "EEGChannelCount": n_channels,
            **dict.fromkeys(("EOGChannelCount", "ECGChannelCount", "EMGChannelCount", "TriggerChannelCount"), 0),
            # BIDS 1.11 asks for one spelling and its validator for the other
            **dict.fromkeys(("MISCChannelCount", "MiscChannelCount"), int(eeg.light is not None)),
            # no names of BIDS: what was measured of the clocks
            "SampleClock": _clock(eeg),
            "TransportLatency": latency.record(eeg.latency) if eeg.latency else None,
            "SyncCertificate": {leg.name: sync.record(leg, study.sync.apply) for leg in certificate.legs},
            "OnsetSkip": study.sync.onset_skip,  # seconds of each clip's beginning that the study wants left out of analyses
        }
    )


def _clock(eeg: Eeg) -> dict[str, float]:
    """Return what was measured of the headset's clock, on the recorder's."""
    clock = eeg.clock
    return {
        "MeasuredSamplingFrequency": round(1 / clock.period_s, 6),
        "DriftPpm": round((clock.sfreq * clock.period_s - 1) * 1e6, 2),
        "StampResidual_s": round(clock.residual_s, 6),
        "LostSamples": clock.n_lost,
    }


def _filters(text: str | None) -> dict[str, dict[str, str]] | str | None:
    """Return what the study says of a filter as BIDS wants it: an object, or n/a."""
    return {"Device": {"Description": text}} if text and text != tables.NA else text


def lost(eeg: Eeg) -> str:
    """Say what is missing from a recording."""
    n, spans = sum(gap.n for gap in eeg.filled), len(eeg.filled)
    if not n:
        return "No sample was lost."
    where = "one span" if spans == 1 else f"{spans} spans"
    return f"{n} samples ({n / eeg.clock.sfreq:.3f} s) in {where} were lost and are filled in; see the BAD_gap events."


def channel_rows(eeg: Eeg, study: Study) -> list[dict[str, object]]:
    """Return ``channels.tsv``; channels that the study does not analyse are bad, and say so."""
    out = set(study.eeg.exclude)
    light = {"name": eeg.light_label, "type": "MISC", "units": "µV", "sampling_frequency": eeg.clock.sfreq}
    rows: list[dict[str, object]] = [
        {
            "name": label,
            "type": "EEG",
            "units": "µV",
            "sampling_frequency": eeg.clock.sfreq,
            "status": "bad" if label in out else "good",
            "status_description": NOT_ANALYSED if label in out else None,
        }
        for label in eeg.labels
    ]
    return rows if eeg.light is None else [*rows, {**light, "status": "good", "status_description": LIGHT}]


def mended_coordsystem(content: dict[str, Any], montage: str) -> dict[str, Any]:
    """Return ``coordsystem.json`` with what mne-bids leaves out; the positions are a template's, and it says so."""
    system = content["EEGCoordinateSystem"]
    template = f"Template positions of the montage {montage}, not measured on this head; the fiducials are the template's too."
    return {
        **content,
        "AnatomicalLandmarkCoordinateSystemDescription": content["EEGCoordinateSystemDescription"],
        "FiducialsCoordinates": content["AnatomicalLandmarkCoordinates"],
        "FiducialsCoordinateSystem": system,
        "FiducialsCoordinateUnits": content["EEGCoordinateUnits"],
        "FiducialsCoordinateSystemDescription": template,
        "FiducialsDescription": template,
    }
