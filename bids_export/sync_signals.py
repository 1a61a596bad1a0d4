"""What the sync certificate is measured from: the face and its eyes around the cues, frontal EEG, a photodiode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import mne
import numpy as np

from bids_export import sync, sync_events
from bids_export.arrays import Floats
from bids_export.headset import Eeg
from bids_export.recording import Recording
from bids_export.sync import Certificate, Leg
from bids_export.sync_face import Looked, look
from collector import contact
from protocol.study import Study

EEG_S = (-3.0, 6.0)  # around the cues of one phase: the headset may be seconds late
PHASE_S = 20.0  # cues further apart belong to two phases
FRONTAL = ("Fp1", "Fpz", "Fp2", "AF7", "AF3", "AFz", "AF4", "AF8")
N_FRONTAL = 3
Span = tuple[float, float]
BLINK_METHOD = "blinks in the face (eyes found by {eyes}) and in frontal EEG ({channels})"
STEP_METHOD = "steps of the screen's brightness in the brightness of the face"
DIODE_METHOD = "photodiode on the screen, recorded by the amplifier ({channel})"


def certificate(record: Recording, placed: Eeg | None, *, faces: bool) -> Certificate:
    """Measure how late screen, camera and EEG are against one another.

    Parameters
    ----------
    record : Recording
        A run.
    placed : Eeg or None
        Its EEG.
    faces : bool
        Whether the face may be looked at.

    Returns
    -------
    Certificate
    """
    cues = _times(record, "sync/cue")
    flashes = [(t, 1 if m.keys.get("level") == "white" else -1) for t, m in record.moments if m.name == "sync/flash"]
    videos = record.videos if faces else ()
    looked = look(videos, cues, np.array([t for t, _ in flashes])) if videos and (len(cues) or flashes) else None
    span = _span(record, placed)
    screen_camera = _screen_camera(flashes, looked, span, has_video=bool(videos))
    camera_eeg = _camera_eeg(cues, looked, placed, record.study, has_video=bool(videos))
    return Certificate(
        screen_camera, camera_eeg, _screen_eeg(_photodiode(record, placed), sync.chain(screen_camera, camera_eeg))
    )


def _span_of(placed: Eeg) -> Span:
    start, stop = placed.clock.time_of(np.array([0.0, placed.clock.n_times - 1.0])).tolist()
    return start, stop


def _screen_eeg(direct: Leg | None, chained: Leg) -> Leg:
    """Return the photodiode's leg; where it tells nothing the chain's, which then says so."""
    if direct is None:
        return chained
    if direct.estimable:
        return direct
    if not chained.estimable:
        return replace(direct, reason=f"photodiode: {direct.reason}; {chained.reason}")
    return replace(chained, method=f"{chained.method} (the photodiode tells nothing: {direct.reason})")


def _times(record: Recording, *names: str) -> Floats:
    return np.array([t for t, marker in record.moments if marker.name in names], np.float64)


def _span(record: Recording, placed: Eeg | None) -> Span | None:
    """Return what the delays are carried over: the recording's first and last moment."""
    if placed is not None:
        return _span_of(placed)
    times = [t for t, _ in record.moments]
    return (min(times), max(times)) if times else None


def _screen_camera(
    flashes: Sequence[tuple[float, int]], looked: Looked | None, span: Span | None, *, has_video: bool
) -> Leg:  # fmt: skip
    if not flashes:
        return sync.missing("screen-camera", "the screen's brightness was not stepped")
    if looked is None or not has_video:
        return sync.missing("screen-camera", "there is no video of the face")
    seen, signs = sync_events.steps(looked.times, looked.brightness)
    shown, levels = np.array([t for t, _ in flashes]), np.array([level for _, level in flashes])
    told = np.isfinite(looked.brightness)
    grain = float(np.median(np.diff(looked.times[told]))) if told.sum() > 2 else 0.0
    return sync.measure(
        "screen-camera", shown, seen, method=STEP_METHOD, first_kind=levels, second_kind=signs, grain_s=grain,
        span=span,
    )  # fmt: skip


def _camera_eeg(cues: Floats, looked: Looked | None, placed: Eeg | None, study: Study, *, has_video: bool) -> Leg:
    if not len(cues):
        return sync.missing("camera-eeg", "nobody was asked to blink")
    if looked is None or not has_video:
        return sync.missing("camera-eeg", "there is no video of the face")
    if placed is None:
        return sync.missing("camera-eeg", "no EEG was recorded")
    picks = [i for i in frontal(placed.labels, study) if np.isfinite(placed.volts[i]).all()]
    if not picks:
        return sync.missing("camera-eeg", "no channel lies near the eyes")
    in_face = sync_events.closures(looked.times, sync_events.closedness(looked.closed))
    in_eeg = blinks(placed, picks, cues)
    names = ", ".join(placed.labels[i] for i in picks)
    method = BLINK_METHOD.format(eyes=looked.eyes, channels=names)
    return sync.measure("camera-eeg", in_face, in_eeg, method=method, span=_span_of(placed))


def blinks(placed: Eeg, picks: Sequence[int], cues: Floats) -> Floats:
    """Return LSL seconds of the blinks in the EEG, around each phase of cues."""
    found = []
    for first, last in phases(cues):
        a, b = placed.clock.index_of(np.array([first + EEG_S[0], last + EEG_S[1]]))
        index = np.arange(max(0, int(a)), min(placed.clock.n_times, int(b)))
        if len(index):
            uv = placed.volts[list(picks), index[0] : index[-1] + 1] * 1e6
            line = contact.frontal_line(uv, placed.clock.sfreq) * 1e-6
            found.append(sync_events.blinks(placed.clock.time_of(index.astype(np.float64)), line, placed.clock.sfreq))
    return np.concatenate(found) if found else np.zeros(0)


def frontal(labels: Sequence[str], study: Study) -> list[int]:
    """Return the channels next to the eyes: by their names, else the most frontal ones of the montage."""
    usable = [i for i, label in enumerate(labels) if label not in study.eeg.exclude]
    named = [i for i in usable if labels[i] in FRONTAL]
    if named:
        return sorted(named, key=lambda i: FRONTAL.index(labels[i]))[:N_FRONTAL]
    positions = mne.channels.make_standard_montage(study.eeg.montage).get_positions()["ch_pos"]
    placed = [(float(positions[labels[i]][1]), i) for i in usable if labels[i] in positions]
    most = max((y for y, _ in placed), default=0.0)
    front = sorted(((y, i) for y, i in placed if y > 0.8 * most and y > 0), reverse=True)
    return [i for _, i in front[:N_FRONTAL]]


def phases(times: Floats) -> list[tuple[float, float]]:
    """Return the first and the last of each group of cues."""
    ordered = np.sort(times)
    parts = np.split(ordered, np.flatnonzero(np.diff(ordered) > PHASE_S) + 1)
    return [(float(part[0]), float(part[-1])) for part in parts if len(part)]


def _photodiode(record: Recording, placed: Eeg | None) -> Leg | None:
    """Measure screen -> EEG by the light itself; None where there is no photodiode."""
    label = record.study.eeg.photodiode
    if label is None or placed is None:
        return None
    if placed.light is None:
        return sync.missing("screen-eeg", f"the EEG stream has no channel {label!r}")
    shown = _times(record, "clip/onset", "clip/offset")
    times = placed.clock.time_of(np.arange(placed.clock.n_times, dtype=np.float64))
    seen = sync_events.flashes(times, placed.light)
    grain = 1 / placed.clock.sfreq
    method = DIODE_METHOD.format(channel=label)
    return sync.measure("screen-eeg", shown, seen, method=method, grain_s=grain, span=_span_of(placed))
