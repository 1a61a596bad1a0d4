"""Simulated participants, recorded faster than real time: the session itself on virtual time, the real writers behind it."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from collector import consent, finish, prepare, xdf
from collector.clocks import Offset
from collector.own import OwnStreams
from collector.twin import contact
from collector.twin.device import Device, eeg_labels, headers, photodiode
from collector.twin.knobs import Faults, Knobs, random, seed_of
from collector.twin.portrait import Portrait
from collector.twin.timeline import Timeline
from collector.twin.virtual import VirtualClock, VirtualOutlet, VirtualScreen
from collector.video import VideoWriter
from protocol import folder, markers, schedule, session
from protocol import study as study_file
from protocol.folder import Run
from protocol.journal import Journal, boot_id
from protocol.study_files import StudyFiles, manifest_path
from protocol.trials import TrialTable

CAMERA = ((640, 480), 15.0)  # of a cohort, unless the study's camera is smaller or slower
_BEFORE_S, _AFTER_S = 2.0, 1.0  # the recorder runs before the session begins and after it has ended
_OFFSETS_S = 5  # between two measurements of the clocks
_ROUND_TRIP_S = 0.0002  # of such a measurement, on one computer
_EPOCH_S = 1_767_600_000.0  # 2026-01-05 08:00 UTC: simulated days begin here
_DAY_S = 86_400.0
_WHITE = 255
_EEG, _CQ, _EQ, _MARKERS = range(1, 5)  # stream ids in the file


class CohortError(ValueError):
    """The cohort cannot be simulated as asked; one line with the cure."""


@dataclass(frozen=True)
class Participant:
    """One simulated participant.

    Parameters
    ----------
    label : str
        BIDS label.
    seed : int
        Decides everything about them.
    contact : float
        Contact quality that the session is to have, 0 to 1.
    """

    label: str
    seed: int
    contact: float


def plan(files: StudyFiles, out: Path, *, n: int, seed: int, below: int = 0) -> tuple[Participant, ...]:
    """Return the participants of a cohort; nothing is written.

    Parameters
    ----------
    files : StudyFiles
        The study.
    out : Path
        The data folder.
    n : int
        How many.
    seed : int
        The same seed gives the same cohort.
    below : int
        How many miss the contact-quality rule.

    Raises
    ------
    CohortError
        When a participant is there already, or ``below`` does not fit.
    protocol.schedule.ScheduleError
        When the study has no order of clips.
    """
    if n < 1:
        raise CohortError(f"participants = {n}: at least 1")
    labels = [f"{i:0{max(2, len(str(n)))}d}" for i in range(1, n + 1)]
    for label in labels:
        if (there := out / f"sub-{label}").exists():
            raise CohortError(f"{there}: exists; recordings are never overwritten: name another folder with --out")
    schedule.plan(files.study, files.entries, labels[0])
    try:
        values = contact.values(n, below=below, threshold=files.study.contact_quality.threshold, seed=seed)
    except ValueError as error:
        raise CohortError(f"--{error}") from None
    return tuple(Participant(p, seed_of(p, seed=seed), value) for p, value in zip(labels, values, strict=True))


def record_participant(
    files: StudyFiles, out: Path, participant: Participant, *, knobs: Knobs | None = None, faults: Faults | None = None
) -> Run:
    """Simulate one participant's session and write its folder, as a live session does.

    Parameters
    ----------
    files : StudyFiles
        The study.
    out : Path
        The data folder.
    participant : Participant
        Who.
    knobs, faults
        What shows, and what goes wrong.

    Returns
    -------
    Run
        With its manifest written.
    """
    knobs, faults = knobs or Knobs(), faults or Faults()
    rng, days = random(participant.seed, "date"), 100
    began_s = _EPOCH_S + rng.integers(days) * _DAY_S + rng.integers(9 * 3600)
    clock = VirtualClock(lsl_s=float(rng.uniform(1000, 20000)), wall_s=float(began_s))
    run, record = _begin(files, out, participant, clock)
    t_recording = clock.now()
    clock.advance(_BEFORE_S)
    outlet = VirtualOutlet()
    with Journal(run.journal("window"), now=clock.now, wall=clock.wall) as journal:
        screen = files.study.screen
        ending = session.run(
            study=files.study, trials=schedule.plan(files.study, files.entries, participant.label), clips=files.clips,
            clock=clock, outlet=outlet, journal=journal, table=TrialTable(run.trials_csv), record=record,
            screen=VirtualScreen(
                clock, seed=participant.seed, refresh_hz=screen.refresh_hz, sound=screen.sound == "required"
            ),
        )  # fmt: skip
    clock.advance(_AFTER_S)
    _Recording(files, run, participant, knobs, faults, clock, outlet, t_recording, record.uid).write()
    finish.write_manifest(run, files.study, end=ending.end, reason=ending.reason, closed_wall=clock.wall())
    return run


def _begin(files: StudyFiles, out: Path, participant: Participant, clock: VirtualClock) -> tuple[Run, folder.Session]:
    """Make the run's folder: ``session.json`` first, then the frozen study and its table of clips."""
    run = folder.create(out, participant=participant.label, session="01", task=files.study.study.task)
    person, agreed = consent.simulated(participant.label, consent.Given(), files.study.consent)
    record = folder.Session(
        uid=random(participant.seed, "uid").bytes(16).hex(), participant=run.participant, session=run.session, run=run.run,
        task=run.task, simulated=True, study_sha256=study_file.digest(files.path), created_wall=clock.wall(),
        created_lsl=clock.now(), boot=boot_id(), person=person,
        consent=agreed.model_copy(update={"t_wall": clock.wall()}), versions=prepare.versions(),
    )  # fmt: skip
    record.save(run.session_json)
    shutil.copyfile(files.path, run.study_toml)
    shutil.copyfile(manifest_path(files.study, files.path), run.clips_tsv)
    return run, record


@dataclass
class _Recording:
    """What a recorder would have written, second by second."""

    files: StudyFiles
    run: Run
    participant: Participant
    knobs: Knobs
    faults: Faults
    clock: VirtualClock
    outlet: VirtualOutlet
    t_first: float
    uid: str
    _now: float = field(default=0.0, init=False)

    def write(self) -> None:
        timeline = Timeline(self.participant.seed, self.knobs, display_latency_s=self.faults.display_latency_s)
        for stamp, marker in self.outlet.sent:
            timeline.add(stamp, marker)
        threshold = self.files.study.contact_quality.threshold
        device = Device(
            self.participant.seed, timeline, t_first=self.t_first, wall_first=self.clock.wall_at(self.t_first),
            knobs=self.knobs, faults=self.faults, line_freq=float(self.files.study.eeg.line_freq or 50),
            contact=contact.Contact(self.participant.seed, self.participant.contact, threshold=threshold),
            labels=eeg_labels(self.files.study), photodiode=photodiode(self.files.study),
        )  # fmt: skip
        device.impulses = self._impulses()
        self._now = self.t_first
        with xdf.Writer(self.run.xdf, now=self._clock) as writer:
            self._headers(writer)
            video = self.run.video().name if self._camera else None
            own = OwnStreams(writer, uid=self.uid, video=video, now=self._clock, wall=self._wall)
            frames = self._frames(timeline)
            frame = next(frames, None)
            for t in [*np.arange(self.t_first, self.clock.now(), 1.0).tolist()[1:], self.clock.now()]:
                self._second(writer, own, device, t)
                while frame is not None and frame[0] < t:
                    own.frame(*frame)
                    frame = next(frames, None)

    def _clock(self) -> float:
        return self._now

    def _wall(self) -> float:
        return self.clock.wall_at(self._now)

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

    def _headers(self, writer: xdf.Writer) -> None:
        made = headers(self.files.study, seed=self.participant.seed, knobs=self.knobs, uid=self.uid)
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

    def _frames(self, timeline: Timeline) -> Iterator[tuple[float, tuple[float, ...]]]:
        """Write the video frame by frame; yields stamp and row of each."""
        if self._camera is None:
            return
        size_px, fps = self._camera
        # one thread: a cohort runs one process per core
        cv2.setNumThreads(1)
        portrait, late_s = Portrait(self.participant.seed, size_px=size_px, knobs=self.knobs), self.faults.camera_latency_s
        exposures = self.t_first + 0.5 / fps + np.arange(int((self.clock.now() - late_s - self.t_first) * fps)) / fps
        white = {int(np.argmin(abs(exposures - t))) for t in self._impulses()}
        with VideoWriter(self.run.video(), size_px, fps) as video:
            for index, t in enumerate(exposures.tolist()):
                frame = portrait.frame(index, t, timeline.state_at(t), cues=timeline.cues)
                if index in white:
                    frame[:] = _WHITE
                pts_s = video.write(frame, t - exposures[0])
                stamp = t + late_s
                yield stamp, (float(index), pts_s, stamp, stamp)

    def _impulses(self) -> list[float]:
        """Return LSL seconds of the planted impulses."""
        start = self.outlet.sent[0][0]
        at_onsets = [
            stamp + self.faults.display_latency_s
            for stamp, marker in self.outlet.sent
            if marker.name == "clip/onset" and int(marker.keys["trial"]) in self.faults.impulse_trials
        ]
        return sorted([*(start + t for t in self.faults.impulses_s), *at_onsets])
