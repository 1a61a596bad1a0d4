"""Small recordings with known truth, written through the recorder's own writers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from collector import finish, xdf
from collector.camera import frames_header
from collector.clocks import WALL_NAME
from collector.video import VideoWriter
from protocol import folder, study
from protocol.folder import Consent, Person, Run, Session
from protocol.markers import Marker

CHANNELS = ("Cz", "Fz", "Oz", "FT9")
LABELS = ("Timestamp", "Counter", "Interpolate", *CHANNELS, "HardwareMarker", "Markers")
IMPULSE_UV = 5000.0
WALL_0 = 1_790_000_000.0

STUDY = """\
[study]
name = "Two emotions"
authors = ["Ada Example", "Bo Example"]
license = "CC0-1.0"
description = "Watching clips."

[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
sadness = { hed = "Sad", color = "#0072B2" }

[eeg]
exclude = ["FT9"]
manufacturer = "Emotiv"

[camera]
size_px = [160, 120]
fps = 5

[consent]
version = "1"
"""


@dataclass(frozen=True)
class Truth:
    """How a recording really was; times are LSL seconds of the recorder."""

    sfreq: float = 256.0
    duration_s: float = 20.0
    drift_ppm: float = 0.0
    start: float = 5000.0
    lost: tuple[tuple[int, int], ...] = ()
    jitter_s: float = 0.001
    ahead_s: float = 0.0  # to be added to the EEG computer's clock at the start, to get the recorder's
    clock_ppm: float = 0.0  # how much slower the EEG computer's clock runs
    overall: float = 95.0
    quality_ends_s: float | None = None  # when the headset stops to report on its contacts
    clips: tuple[tuple[float, float, str], ...] = ((6.0, 9.0, "happiness"), (12.0, 15.0, "sadness"))
    impulses: tuple[float, ...] = ()
    fps: float = 5.0
    size_px: tuple[int, int] = (160, 120)
    host: str = ""  # the EEG's computer, and its headset, as the XDF's header names them
    serial: str = ""
    light_s: float | None = None  # how late a photodiode sees the first and the last frame of each clip; None without one

    def sent(self, t: np.ndarray) -> np.ndarray:
        """Return what the EEG computer's clock shows."""
        return t - self.ahead_s - (t - self.start) * self.clock_ppm * 1e-6

    def index(self, t: float) -> float:
        """Return the device's sample at a time."""
        return (t - self.start) * self.sfreq / (1 + self.drift_ppm * 1e-6)


@dataclass(frozen=True)
class Who:
    """Whose recording it is."""

    participant: str = "01"
    session: str = "01"
    simulated: bool = False
    scopes: tuple[str, ...] = ("eeg", "face", "train")
    person: Person = field(default_factory=lambda: Person(age_y=25, sex="F", handedness="R"))
    resumes: str | None = None  # the recording that this one goes on with


def record(
    data: Path, truth: Truth = Truth(), who: Who = Who(), *, text: str = STUDY, end: str | None = "complete"
) -> Run:  # fmt: skip
    """Write a session folder; ``end`` None leaves the manifest away, as a crash does."""
    run = folder.create(data, participant=who.participant, session=who.session, task="emotion")
    Session(
        uid=uuid.uuid4().hex, participant=run.participant, session=run.session, run=run.run, task=run.task,
        simulated=who.simulated, study_sha256="0" * 64, created_wall="2026-09-21T13:33:20Z", created_lsl=truth.start,
        boot="b", person=who.person, resumes=who.resumes, versions={"psychopy": "2026.2.5"},
        consent=Consent(version="1", scopes=who.scopes, t_wall="2026-09-21T13:33:00Z"),
    ).save(run.session_json)  # fmt: skip
    run.study_toml.write_text(text, encoding="utf-8")
    with xdf.Writer(run.xdf) as writer:
        _eeg(writer, truth)
        _quality(writer, truth)
        _markers(writer, truth)
        _wall(writer, truth)
        if truth.fps:
            _video(writer, run, truth)
    if end:
        finish.write_manifest(run, study.load(run.study_toml), end=end, closed_wall="2026-09-21T13:40:00Z")
    return run


def eeg_uv(truth: Truth, index: np.ndarray) -> np.ndarray:
    """Return what the electrodes saw at device samples, shape (n, 4): slow waves on an offset, and impulses."""
    seconds = index / truth.sfreq
    values = np.column_stack([4200 + 30 * np.sin(2 * np.pi * (k + 3) * seconds) for k in range(len(CHANNELS))])
    for t in truth.impulses:
        values[index == round(truth.index(t))] += IMPULSE_UV
    return values


def _eeg(writer: xdf.Writer, truth: Truth) -> None:
    index = np.arange(round(truth.duration_s * truth.sfreq))
    for first, n in truth.lost:
        index = index[(index < first) | (index >= first + n)]
    times = truth.start + index * (1 + truth.drift_ppm * 1e-6) / truth.sfreq
    arrived = times + truth.jitter_s * np.random.default_rng(1).random(len(index))
    values = np.zeros((len(index), len(LABELS)))
    values[:, 0], values[:, 1] = times, index % round(truth.sfreq)
    values[:, 3 : 3 + len(CHANNELS)] = eeg_uv(truth, index)
    labels = LABELS
    if truth.light_s is not None:
        lit = [truth.start + t + truth.light_s for clip in truth.clips for t in clip[:2]]
        light = 20 + 880 * np.sum([np.clip((times - t) * truth.sfreq + 0.5, 0, 1) * (times < t + 0.04) for t in lit], axis=0)
        labels, values = (*LABELS, "Light"), np.column_stack([values, light])
    header = xdf.StreamHeader(
        "EmotivDataStream-EEG", "EEG", len(labels), truth.sfreq, "double64", labels=labels, hostname=truth.host,
        desc=(("acquisition/serial_number", truth.serial),) if truth.serial else (),
    )  # fmt: skip
    _add(writer, 1, header, arrived, values, truth)


def _quality(writer: xdf.Writer, truth: Truth) -> None:
    times = truth.start + np.arange(0, truth.quality_ends_s or truth.duration_s, 0.5)
    for stream_id, name, extra in ((2, "Contact-Quality", "Signal"), (3, "EEG-Quality", "SampleRateQuality")):
        labels = ("Timestamp", "BatteryPercent", "Overall", extra, *CHANNELS)
        rows = np.column_stack([times, np.full(len(times), 80.0), np.full(len(times), truth.overall)])
        values = np.hstack([rows, np.ones((len(times), 1)), np.full((len(times), len(CHANNELS)), 4.0)])
        header = xdf.StreamHeader(f"EmotivDataStream-{name}", name, len(labels), 2.0, "double64", labels=labels)
        _add(writer, stream_id, header, times, values, truth)


def markers(truth: Truth) -> list[tuple[float, Marker]]:
    """Return the session's markers."""
    rows = [(1.0, Marker("session/start", {})), (2.0, Marker("baseline/eyes_open", {"phase": "onset"}))]
    rows.append((5.0, Marker("baseline/eyes_open", {"phase": "offset"})))
    for n, (onset, offset, target) in enumerate(truth.clips, 1):
        keys = {"trial": str(n), "block": "1", "stim_id": f"{target}01", "target": target}
        rows.append((onset, Marker("clip/onset", keys)))
        rows.append((offset, Marker("clip/offset", {**keys, "shown": "90", "dropped": "1", "end": "complete"})))
        said = (("valence", str((n + 2) % 9 + 1)), ("arousal", "6"), ("emotion", target))
        for k, (question, answer) in enumerate(said, 1):
            keys_said = {**keys, "question": question, "answer": answer, "response_s": "0.2"}
            rows.append((offset + 0.3 * k, Marker("rating", keys_said)))
    rows.append((truth.duration_s - 1, Marker("session/end", {"end": "complete"})))
    return [(truth.start + t, marker) for t, marker in rows]


def _markers(writer: xdf.Writer, truth: Truth) -> None:
    rows = markers(truth)
    header = xdf.StreamHeader("emolab-markers", "Markers", 1, 0.0, "string")
    _add(writer, 4, header, np.array([t for t, _ in rows]), [[str(marker)] for _, marker in rows])


def _wall(writer: xdf.Writer, truth: Truth) -> None:
    times = truth.start + np.arange(0, truth.duration_s, 1.0)
    header = xdf.StreamHeader(WALL_NAME, "WallClock", 1, 0.0, "double64")
    _add(writer, 6, header, times, (times - truth.start + WALL_0)[:, None])


def _video(writer: xdf.Writer, run: Run, truth: Truth) -> None:
    """Write a dark video in which the frame of each impulse is white."""
    path, (width, height) = run.video(), truth.size_px
    times = truth.start + 0.013 + np.arange(0, truth.duration_s - 0.2, 1 / truth.fps)
    white = {int(np.argmin(np.abs(times - t))) for t in truth.impulses}
    dark, light = (np.full((height, width, 3), level, np.uint8) for level in (30, 250))
    with VideoWriter(path, truth.size_px, truth.fps) as video:
        pts = [video.write(light if n in white else dark, t - times[0]) for n, t in enumerate(times)]
    _add(writer, 5, frames_header(path.name), times, np.column_stack([np.arange(len(times)), pts, times, times]))


def _add(
    writer: xdf.Writer, stream_id: int, header: xdf.StreamHeader, times: np.ndarray, values: np.ndarray | Sequence,
    sender: Truth | None = None,
) -> None:  # fmt: skip
    """Write a stream; ``sender`` has a clock of its own."""
    stamps = times if sender is None else sender.sent(times)
    writer.add_stream(stream_id, xdf.header_xml(header))
    for a, b in pairwise([*range(0, len(stamps), 4096), len(stamps)]):
        writer.samples(stream_id, stamps[a:b], values[a:b])
    for n in range(0, len(stamps), max(1, round(5 * header.sfreq)) if header.sfreq else len(stamps)):
        writer.offset(stream_id, float(stamps[n]), float(times[n] - stamps[n]))
