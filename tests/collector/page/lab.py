"""A headset and a camera for tests of the page: planted rhythms, real LSL, pictures as the collector sends them."""

from __future__ import annotations

import threading
import time
from typing import Any, Self

import msgspec
import numpy as np
import pylsl

from collector.camera.preview import small_jpeg
from collector.twin.portrait import Portrait
from collector.twin.sensors import CQ_LABELS, EEG_LABELS, SENSORS
from collector.twin.timeline import State
from protocol.messages import CameraStatus, Preview, Scene, Status, StreamStatus
from protocol.scene import Cap

from .launcher import Launcher

SFREQ = 256.0
ZERO_UV = 4200.0  # where Emotiv's zero lies
CAP = Cap(
    montage="colin27_1020", exclude=("FT9", "FT10", "PO9", "PO10"), reference="CMS at TP9", ground="DRL at TP10", line_freq=50
)
ALPHA, HUM, BLINKING = ("O1", "O2"), "T7", ("Fp1", "Fp2")
LEVELS = {"O1": 2.0, "P8": 1.0, "T8": 0.0}
BLINK_EVERY_S = 3.0


def eeg(n: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return samples ``n`` to ``n + count``, shape (count, 37): noise, alpha at the back, mains at T7, blinks in front."""
    t = (n + np.arange(count)) / SFREQ
    values = ZERO_UV + rng.normal(0, 6, (count, len(EEG_LABELS)))
    blink = 150 * np.exp(-(((t + BLINK_EVERY_S / 2) % BLINK_EVERY_S - BLINK_EVERY_S / 2) ** 2) / 2 / 0.06**2)
    for label, wave in (
        *((label, 30 * np.sin(2 * np.pi * 10 * t)) for label in ALPHA),
        (HUM, 60 * np.sin(2 * np.pi * 50 * t)),
        *((label, blink) for label in BLINKING),
    ):
        values[:, EEG_LABELS.index(label)] += wave
    values[:, 0], values[:, 1] = time.time(), (n + np.arange(count)) % 128
    return values


class Headset:
    """Sends in real time, and tells the launcher what the collector would."""

    def __init__(self, launcher: Launcher, *, size_px: tuple[int, int] = (640, 480), cap: Cap = CAP) -> None:
        self._launcher, self._portrait, self.cap = launcher, Portrait(7, size_px=size_px), cap
        self.levels = dict(LEVELS)
        self.silent, self.pictures, self.second_face = False, True, False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="headset", daemon=True)
        self._markers = pylsl.StreamOutlet(pylsl.StreamInfo("emolab-markers", "Markers", 1, 0, "string", "m"))
        self._plug_in()
        self._n = 0

    def _plug_in(self) -> None:
        info = pylsl.StreamInfo("EmotivDataStream-EEG", "EEG", len(EEG_LABELS), SFREQ, "double64", "headset")
        info.set_channel_labels(list(EEG_LABELS))
        self._outlet: Any = pylsl.StreamOutlet(info)

    def plug_again(self) -> None:
        """Be lost, and come back as another outlet."""
        self._outlet = None
        self._plug_in()

    def mark(self, text: str) -> None:
        self._markers.push_sample([text])

    def scene(self, scene: Scene) -> Scene:
        return msgspec.structs.replace(scene, cap=self.cap)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        rng, begun, pictured = np.random.default_rng(8), time.monotonic(), 0.0
        while not self._over.wait(0.05):
            due = int((time.monotonic() - begun) * SFREQ)
            if due > self._n and not self.silent:
                self._outlet.push_chunk(eeg(self._n, due - self._n, rng))
            self._n = due
            self._launcher.status = self.status()
            if self.pictures and time.monotonic() - pictured > 0.2:
                pictured = time.monotonic()
                self._launcher.extra.append(Preview(jpeg=small_jpeg(self._picture()), t=pylsl.local_clock()))

    def _picture(self) -> np.ndarray:
        frame = self._portrait.frame(self._n, self._n / SFREQ, State("rest", 0.0)).copy()
        return np.hstack([frame, frame]) if self.second_face else frame

    def status(self) -> Status:
        last = (time.time(), 80.0, 76.0, 1.0, *(self.levels.get(label, 4.0) for label in SENSORS))
        common = {"sfreq_hz": 2.0, "buffer_frac": 0.0, "n": 9}
        return Status(
            recording=True,
            streams=(
                StreamStatus(name="EEG", uid=self._outlet.get_info().uid() if self._outlet else "", kind="eeg",
                             sfreq_nominal_hz=SFREQ, age_s=0.1, **common),
                StreamStatus(name="CQ", uid="cq", kind="contact_quality", sfreq_nominal_hz=2.0, age_s=0.1, last=last,
                             labels=CQ_LABELS, **common),
                StreamStatus(name="markers", uid=self._markers.get_info().uid(), kind="markers",
                             sfreq_nominal_hz=0.0, age_s=0.1, **common),
            ),
            camera=CameraStatus(fps_hz=29.97, n_dropped=0, file="face.mkv"),
        )  # fmt: skip
