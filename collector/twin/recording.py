"""What a recorder would have written of a simulated session, second by second, through the real writers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from collector import xdf
from collector.camera.encoder import split_path
from collector.clocks import Offset
from collector.own import OwnStreams
from collector.twin import contact, spoil
from collector.twin.device import Device, eeg_labels, headers, photodiode
from collector.twin.knobs import Faults, Knobs
from collector.twin.mishaps import Calendar
from collector.twin.portrait import Portrait
from collector.twin.scenery import Scenery
from collector.twin.timeline import Timeline
from collector.twin.virtual import VirtualClock, VirtualOutlet
from collector.video import VideoWriter
from protocol import markers
from protocol.folder import Run
from protocol.study_files import StudyFiles

CAMERA = ((640, 480), 15.0)  # of a cohort, unless the study's camera is smaller or slower
_OFFSETS_S = 5  # between two measurements of the clocks
_ROUND_TRIP_S = 0.0002  # of such a measurement, on one computer
_WHITE = 255
_EEG, _CQ, _EQ, _MARKERS = range(1, 5)  # stream ids in the file


@dataclass
class Recording:
    """One run on its way to the disk.

    Parameters
    ----------
    files : StudyFiles
        The study.
    run : Run
        Its folder exists.
    seed : int
        The participant's.
    contact : float
        Contact quality that the session is to have, 0 to 1.
    knobs, faults
        What shows, and what goes wrong.
    clock : VirtualClock
        Stands at the end of the session.
    outlet : VirtualOutlet
        With every marker of the session.
    t_first : float
        LSL seconds at which the recording begins.
    uid : str
        Of the session.
    notes : sequence of (float, str)
        What the launcher told the recorder: LSL seconds and the name of the note.
    """

    files: StudyFiles
    run: Run
    seed: int
    contact: float
    knobs: Knobs
    faults: Faults
    clock: VirtualClock
    outlet: VirtualOutlet
    t_first: float
    uid: str
    notes: Sequence[tuple[float, str]] = ()
    _now: float = field(default=0.0, init=False)

    def write(self) -> None:
        """Write XDF and video."""
        timeline = Timeline(self.seed, self.knobs, display_latency_s=self.faults.display_latency_s)
        for stamp, marker in self.outlet.sent:
            timeline.add(stamp, marker)
        device, self._now = self._device(timeline), self.t_first
        with xdf.Writer(self.run.xdf, now=self._clock) as writer:
            self._headers(writer)
            own = OwnStreams(
                writer, uid=self.uid, video=None, now=self._clock, wall=lambda: self._wall(device), boot=self._clock
            )  # fmt: skip
            frames = self._frames(timeline, device.calendar)
            frame = next(frames, None)
            for t in [*np.arange(self.t_first, self.clock.now(), 1.0).tolist()[1:], self.clock.now()]:
                self._second(writer, own, device, t)
                while frame is not None and frame.stamp < t:
                    if not frame.row[0]:
                        own.video(frame.file)
                    own.frame(frame.stamp, frame.row)
                    frame = next(frames, None)

    def _device(self, timeline: Timeline) -> Device:
        study = self.files.study
        cap = contact.Contact(self.seed, self.contact, threshold=study.contact_quality.threshold)
        device = Device(
            self.seed, timeline, t_first=self.t_first, wall_first=self.clock.wall_at(self.t_first), knobs=self.knobs,
            faults=self.faults, line_freq=float(study.eeg.line_freq or 50), contact=cap, labels=eeg_labels(study),
            photodiode=photodiode(study),
        )  # fmt: skip
        device.impulses = self._impulses()
        return device

    def _clock(self) -> float:
        return self._now

    def _wall(self, device: Device) -> float:
        return self.clock.wall_at(self._now) + float(spoil.wall(np.array([self._now]), device.calendar)[0])

    def _second(self, writer: xdf.Writer, own: OwnStreams, device: Device, t: float) -> None:
        """Write what happened since the last call and before ``t``."""
        since = self._now
        own.wall()
        if round(since - self.t_first) % _OFFSETS_S == 0:
            for stream_id in (_EEG, *self._quality_ids):
                value = device.measured_offset(since)
                own.offset(stream_id, Offset(since - value, value, _ROUND_TRIP_S))
            writer.offset(_MARKERS, since, 0.0)
        self._now = t
        writer.samples(_EEG, *device.eeg_until(t))
        for stream_id, (stamps, values) in zip(self._quality_ids, device.quality_until(t), strict=False):
            if len(stamps):
                writer.samples(stream_id, stamps, values)
        sent = [(stamp, str(marker)) for stamp, marker in self.outlet.sent if since <= stamp < t]
        if sent:
            writer.samples(_MARKERS, [stamp for stamp, _ in sent], [[text] for _, text in sent])
        for when, name in self.notes:
            if since <= when < t:
                own.note(name, t=when)

    def _headers(self, writer: xdf.Writer) -> None:
        made = headers(self.files.study, seed=self.seed, knobs=self.knobs, uid=self.uid)
        marker = xdf.StreamHeader(
            markers.STREAM_NAME, markers.STREAM_TYPE, 1, 0.0, "string", labels=("marker",),
            source_id=f"emolab-{self.uid}", uid=f"{self.uid}-markers",
        )  # fmt: skip
        ids = (_EEG, _CQ, _EQ, _MARKERS)
        for stream_id, header in zip(ids, (*made, marker), strict=True):
            if stream_id in (_EEG, _MARKERS, *self._quality_ids):
                writer.add_stream(stream_id, xdf.header_xml(header))

    @property
    def _quality_ids(self) -> tuple[int, ...]:
        return () if self.faults.no_quality else (_CQ, _EQ)

    @property
    def _camera(self) -> tuple[tuple[int, int], float] | None:
        """Size and rate of the camera: the study's, but no more than a cohort's."""
        asked = None if self.faults.no_camera else self.files.study.camera
        if asked is None:
            return None
        smaller = math.prod(asked.size_px) <= math.prod(CAMERA[0])
        return asked.size_px if smaller else CAMERA[0], min(asked.fps, CAMERA[1])

    def _frames(self, timeline: Timeline, calendar: Calendar) -> Iterator[_Frame]:
        """Write the video frame by frame, and the next file whenever the camera was unplugged."""
        if self._camera is None:
            return
        size_px, fps = self._camera
        # one thread: a cohort runs one process per core
        cv2.setNumThreads(1)
        portrait, late_s = Portrait(self.seed, size_px=size_px, knobs=self.knobs), self.faults.camera_latency_s
        scenery = Scenery(self.seed, size_px=size_px, calendar=calendar)
        exposures = self.t_first + 0.5 / fps + np.arange(int((self.clock.now() - late_s - self.t_first) * fps)) / fps
        white = {int(np.argmin(abs(exposures - t))) for t in self._impulses()}
        for n, part in enumerate(_parts(exposures, calendar), 1):
            with VideoWriter(path := split_path(self.run.video(), n), size_px, fps) as video:
                for index, t in enumerate(exposures[part].tolist()):
                    seen = portrait.frame(int(part[index]), t, timeline.state_at(t), cues=timeline.cues)
                    picture = scenery.spoil(seen, t)
                    if int(part[index]) in white:
                        picture[:] = _WHITE
                    pts_s = video.write(picture, t - exposures[part[0]])
                    yield _Frame(path.name, t + late_s, (float(index), pts_s, t + late_s, t + late_s))

    def _impulses(self) -> list[float]:
        """Return LSL seconds of the planted impulses."""
        start = self.outlet.sent[0][0]
        at_onsets = [
            stamp + self.faults.display_latency_s
            for stamp, marker in self.outlet.sent
            if marker.name == "clip/onset" and int(marker.keys["trial"]) in self.faults.impulse_trials
        ]
        return sorted([*(start + t for t in self.faults.impulses_s), *at_onsets])


@dataclass(frozen=True)
class _Frame:
    """A frame that was written: its file, its stamp and its row."""

    file: str
    stamp: float
    row: tuple[float, float, float, float]


def _parts(exposures: NDArray[np.float64], calendar: Calendar) -> list[NDArray[np.int64]]:
    """Return the numbers of the frames of each file: none while the camera hangs or is unplugged, a file for each plugging."""
    gone = np.zeros(len(exposures), bool)
    for _, mask in calendar.during(exposures, "camera_stall"):
        gone |= mask
    cuts = []
    for _, mask in calendar.during(exposures, "camera_unplug"):
        gone |= mask
        if mask.any():
            cuts.append(int(np.flatnonzero(mask)[0]))
    numbers, edges = np.flatnonzero(~gone), [0, *sorted(cuts), len(exposures)]
    parts = [numbers[(numbers >= start) & (numbers < stop)] for start, stop in pairwise(edges)]
    return [part for part in parts if len(part)]
