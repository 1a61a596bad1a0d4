"""Which stream of another recorder's file is which, and what its channels are called. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from bids_export.recording import RecordingError, mapped
from collector import xdf
from collector.quality import matches
from protocol.study import Stream as Keys
from protocol.study import Study
from protocol.study_labrecorder import LabRecorder

Streams = Mapping[int, xdf.Stream]
_UNITS = {
    "uv": "uV", "µv": "uV", "μv": "uV", "microvolt": "uV", "microvolts": "uV", "v": "V", "volt": "V", "volts": "V",
}  # fmt: skip
_SIMULATED = "simulated/"  # the twin says so in the header of each of its streams


def simulated(streams: Streams) -> bool:
    """Tell whether a stream carries the twin's watermark."""
    return any(path.startswith(_SIMULATED) for s in streams.values() for path, _ in s.header.desc)


def numeric(stream: xdf.Stream) -> bool:
    """Tell whether a stream holds numbers."""
    return stream.header.format != "string"


def pick(
    streams: Streams, keys: Keys, *, key: str, where: str, fits: Callable[[xdf.Stream], bool] = numeric
) -> list[xdf.Stream]:
    """Return the streams with samples that a key of the study means: one device, which may have come back.

    Raises
    ------
    RecordingError
        When two devices fit: one line with the cure.
    """
    found = [s for s in streams.values() if len(s.stamps) and fits(s) and matches(keys, s.header)]
    found.sort(key=lambda s: float(mapped(s)[0]))
    devices = {(s.header.name, s.header.type, s.header.hostname, s.header.source_id) for s in found}
    at_once = any(mapped(b)[0] < mapped(a)[-1] for a, b in pairwise(found))
    if len(devices) > 1 or at_once:
        raise RecordingError(
            f"{where}: {key} = {said(keys)}: fits {len(found)} streams: {listed(found)}; "
            "say which by its name, host or source_id"
        )
    return found


def said(keys: Keys) -> str:
    """Return the keys of a stream as they stand in the study file."""
    given = ", ".join(f'{name} = "{value}"' for name, value in keys.model_dump(exclude_none=True).items())
    return f"{{ {given} }}"


def listed(streams: Sequence[xdf.Stream] | Streams) -> str:
    """Name streams for a message: name, type, size, device."""
    every = streams.values() if isinstance(streams, Mapping) else streams
    return ", ".join(_named(s) for s in every) or "none"


def _named(stream: xdf.Stream) -> str:
    h = stream.header
    rate = f"{h.sfreq:g} Hz" if h.sfreq else h.format
    origin = f" from {h.source_id or h.hostname}" if h.source_id or h.hostname else ""
    return f"{h.name!r} ({h.type}, {h.n_channels} x {rate}, {len(stream.stamps)} samples{origin})"


def named(
    streams: Streams, eeg: Sequence[xdf.Stream], others: Sequence[xdf.Stream], lab: LabRecorder, *, where: str
) -> Streams:
    """Return streams whose channels have the study's names.

    Raises
    ------
    RecordingError
        When the EEG's channels have no names, a name is given to a channel that is not there, or to two.
    """
    ours = {id(s) for s in (*eeg, *others)}
    labelled = {n: _labelled(s, lab, where) if any(s is e for e in eeg) else s for n, s in streams.items()}
    there = {label for n, s in labelled.items() if id(streams[n]) in ours for label in s.header.labels}
    if strange := [label for label in lab.rename if label not in there]:
        raise RecordingError(f"{where}: labrecorder.rename: no channel {strange[0]!r}; there are {', '.join(sorted(there))}")
    renamed = {n: _renamed(s, lab) if id(streams[n]) in ours else s for n, s in labelled.items()}
    for s in (s for n, s in renamed.items() if id(streams[n]) in ours):
        if twice := [label for label in s.header.labels if s.header.labels.count(label) > 1]:
            raise RecordingError(f"{where}: {s.header.name}: two channels are called {twice[0]!r}; see labrecorder.rename")
    return renamed


def _labelled(stream: xdf.Stream, lab: LabRecorder, where: str) -> xdf.Stream:
    header = stream.header
    if lab.labels and len(lab.labels) != header.n_channels:
        raise RecordingError(
            f"{where}: labrecorder.labels: {len(lab.labels)} names for the {header.n_channels} channels of {header.name!r}"
        )
    if not lab.labels and not header.labels:
        raise RecordingError(
            f"{where}: {header.name!r} does not name its {header.n_channels} channels; name them in labrecorder.labels"
        )
    return replace(stream, header=replace(header, labels=lab.labels or header.labels))


def _renamed(stream: xdf.Stream, lab: LabRecorder) -> xdf.Stream:
    labels = tuple(lab.rename.get(label, label) for label in stream.header.labels)
    return replace(stream, header=replace(stream.header, labels=labels))


def study_of(study: Study, lab: LabRecorder) -> Study:
    """Return the study with what is told of these recordings' EEG in the place of its own headset's."""
    told = {
        "stream": lab.eeg, "contact_quality_stream": lab.contact_quality, "counter": lab.counter, "units": lab.units,
        "channels": lab.channels or None,
    }  # fmt: skip
    return study.model_copy(update={"eeg": study.eeg.model_copy(update={k: v for k, v in told.items() if v is not None})})


def other_units(eeg: xdf.Stream, study: Study) -> str | None:
    """Return the units that the EEG's header says, where they are others than the study's."""
    channels = study.eeg.channels or eeg.header.labels
    units = {
        _UNITS.get(unit.strip().lower())
        for label, unit in zip(eeg.header.labels, eeg.header.units, strict=False) if label in channels
    } - {None}  # fmt: skip
    return None if not units or study.eeg.units in units else min(str(unit) for unit in units)
