"""What the sync certificate is measured from: the face and its eyes around the cues, frontal EEG, a photodiode."""

from __future__ import annotations

from collections.abc import Sequence

import mne
import numpy as np

from bids_export import sync, sync_events
from bids_export.arrays import Floats
from bids_export.headset import Eeg
from bids_export.recording import Recording
from bids_export.sync import Certificate, Leg
from bids_export.sync_face import Looked, look
from protocol.study import Study

EEG_S = (-3.0, 6.0)  # around the cues of one phase: the headset may be seconds late
PHASE_S = 20.0  # cues further apart belong to two phases
FRONTAL = ("Fp1", "Fpz", "Fp2", "AF7", "AF3", "AFz", "AF4", "AF8")
N_FRONTAL = 3
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
    screen_camera = _screen_camera(flashes, looked, has_video=bool(videos))
    camera_eeg = _camera_eeg(cues, looked, placed, record.study, has_video=bool(videos))
    direct = _photodiode(record, placed)
    return Certificate(screen_camera, camera_eeg, direct or sync.chain(screen_camera, camera_eeg))


def _times(record: Recording, *names: str) -> Floats:
    return np.array([t for t, marker in record.moments if marker.name in names], np.float64)


def _screen_camera(flashes: Sequence[tuple[float, int]], looked: Looked | None, *, has_video: bool) -> Leg:
    if not flashes:
        return sync.missing("screen-camera", "the screen's brightness was not stepped")
    if looked is None or not has_video:
        return sync.missing("screen-camera", "there is no video of the face")
    seen, signs = sync_events.steps(looked.times, looked.brightness)
    shown, levels = np.array([t for t, _ in flashes]), np.array([level for _, level in flashes])
    told = np.isfinite(looked.brightness)
    grain = float(np.median(np.diff(looked.times[told]))) if told.sum() > 2 else 0.0
    return sync.measure(
        "screen-camera", shown, seen, method=STEP_METHOD, first_kind=levels, second_kind=signs, grain_s=grain
    )  # fmt: skip


def _camera_eeg(cues: Floats, looked: Looked | None, placed: Eeg | None, study: Study, *, has_video: bool) -> Leg:
    if not len(cues):
        return sync.missing("camera-eeg", "nobody was asked to blink")
    if looked is None or not has_video:
        return sync.missing("camera-eeg", "there is no video of the face")
    if placed is None:
        return sync.missing("camera-eeg", "no EEG was recorded")
    picks = frontal(placed.labels, study)
    if not picks:
        return sync.missing("camera-eeg", "no channel lies near the eyes")
    in_face = sync_events.closures(looked.times, sync_events.closedness(looked.closed))
    in_eeg = blinks(placed, picks, cues)
    names = ", ".join(placed.labels[i] for i in picks)
    return sync.measure("camera-eeg", in_face, in_eeg, method=BLINK_METHOD.format(eyes=looked.eyes, channels=names))


def blinks(placed: Eeg, picks: Sequence[int], cues: Floats) -> Floats:
    """Return LSL seconds of the blinks in the EEG, around each phase of cues."""
    found = []
    for first, last in phases(cues):
        a, b = placed.clock.index_of(np.array([first + EEG_S[0], last + EEG_S[1]]))
        index = np.arange(max(0, int(a)), min(placed.clock.n_times, int(b)))
        if len(index):
            volts = placed.volts[list(picks), index[0] : index[-1] + 1].mean(axis=0)
            found.append(sync_events.blinks(placed.clock.time_of(index.astype(np.float64)), volts, placed.clock.sfreq))
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
    return sync.measure("screen-eeg", shown, seen, method=DIODE_METHOD.format(channel=label), grain_s=grain)
