"""A clip's sound through PsychPortAudio, started at a moment on the LSL clock.

Two traps of the library, measured: it suspends PulseAudio's sink when it opens a device and then hangs in ``stop``, unless
told not to; and it believes PulseAudio's fictive channel count. PsychPortAudio's clock is the wall clock on Linux, which may
be stepped: its distance from the LSL clock is measured anew at every use.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.window.decode import SFREQ_AUDIO

logger = logging.getLogger(__name__)

# PsychPortAudio's numbers
_PLAYBACK, _MASTER = 1, 8
_EXCLUSIVE_NOT_NEEDED = 1  # latency class: low latency, shared with other programs
_BUFFER = 512  # samples: 11 ms
# Sounds are scheduled, so latency costs nothing; with PortAudio's own choice a busy machine ran dry 70 times in 20 s, and
# PulseAudio was silent for up to 1.4 s after each. With 0.1 s it never did.
LATENCY_S = 0.1
# The first sounds of a device start late: behind PulseAudio by up to 1.2 s, once. So silences are played until two in a row
# start when they should.
_WARM_UP_S = 0.02
LEAD_S = 0.3  # a sound is handed over so long before it is to be heard: the latency, and room for a busy machine
_WARM_UP_LIMIT_S = 5.0
TONE_S = 0.4  # a tone that is no clip's
_SWELL_S = 0.02
_PUNCTUAL_S = 0.005
_SERVERS = ("pipewire", "pulse", "default")  # a device that can be shared, in the order of liking


class SoundError(RuntimeError):
    """No sound can be played; the text says why."""


class Track:
    """A sound that was handed to the device and waits for its moment."""

    def __init__(self, slave: Any, *, offset: Callable[[], float]) -> None:
        self._slave, self._offset = slave, offset

    def start(self, at_s: float) -> None:
        """Schedule the first sample for ``at_s``, LSL seconds."""
        self._slave.start(repetitions=1, when=at_s + self._offset())

    def started_s(self) -> float | None:
        """Return when the first sample left the loudspeaker, LSL seconds; None before that."""
        status = self._slave.status
        return float(status["StartTime"]) - self._offset() if status["StartTime"] > 0 else None

    def close(self) -> None:
        """Stop and let go of it."""
        self._slave.stop(block_until_stopped=0)
        self._slave.close()


class Speaker:
    """The sound device of a session, opened once.

    Parameters
    ----------
    now : callable
        The LSL clock.

    Raises
    ------
    SoundError
        When there is no device, or it cannot be opened.
    """

    def __init__(self, *, now: Callable[[], float]) -> None:
        import psychtoolbox
        import psychtoolbox.audio

        self._library, self._seconds, self._now = psychtoolbox.audio, psychtoolbox.GetSecs, now
        self._library.verbosity(1)
        self._signs: list[Track] = []
        # yield interval and mutexes as the library has them; the last 1 -> 0: leave the audio server's sink alone
        psychtoolbox.PsychPortAudio("EngineTunables", 0.001, 1, 1, 0)
        self.name, device = self._choose()
        try:
            self._stream = self._library.Stream(
                device_id=device, mode=_PLAYBACK + _MASTER, latency_class=_EXCLUSIVE_NOT_NEEDED, freq=SFREQ_AUDIO,
                channels=2, buffer_size=_BUFFER, suggested_latency=LATENCY_S,
            )  # fmt: skip
            self._stream.start(repetitions=0, when=0, wait_for_start=1)
            self._warm_up()
        except Exception as error:  # the library raises Exception itself
            raise SoundError(f"{self.name}: {error}") from error

    def load(self, sound: NDArray[np.float32]) -> Track:
        """Hand a sound to the device; float32, shape (n_samples, 2)."""
        slave = self._library.Slave(self._stream.handle, mode=_PLAYBACK, data=np.ascontiguousarray(sound), volume=1.0)
        return Track(slave, offset=self._offset)

    def tone(self, pitch_hz: float) -> None:
        """Sound a short tone as soon as it can be scheduled: a sign, not a stimulus."""
        self._let_go()
        self._signs.append(self.load(tone(pitch_hz)))
        self._signs[-1].start(self._now() + LEAD_S)

    def _let_go(self) -> None:
        for track in self._signs:
            track.close()
        self._signs.clear()

    def close(self) -> None:
        """Close the device."""
        self._let_go()
        self._stream.stop(block_until_stopped=0)
        self._stream.close()

    def _choose(self) -> tuple[str, int]:
        try:
            found = self._library.get_devices()
        except Exception as error:
            raise SoundError("no sound device is found") from error
        usable = [d for d in found if d["NrOutputChannels"] >= 2]
        if not usable:
            raise SoundError("no sound device is found")
        named = {d["DeviceName"]: d for d in usable}
        device = next((named[name] for name in _SERVERS if name in named), usable[0])
        return device["DeviceName"], int(device["DeviceIndex"])

    def _warm_up(self) -> None:
        deadline_s, punctual = self._now() + _WARM_UP_LIMIT_S, 0
        while punctual < 2 and self._now() < deadline_s:
            late_s = self._silence(deadline_s)
            punctual = punctual + 1 if late_s is not None and abs(late_s) < _PUNCTUAL_S else 0
        if punctual < 2:
            logger.warning("%s: sounds do not start when they should", self.name)

    def _silence(self, deadline_s: float) -> float | None:
        """Play a short silence and return how late it started, seconds; None when it did not by the deadline."""
        silence = self.load(np.zeros((round(_WARM_UP_S * SFREQ_AUDIO), 2), np.float32))
        at_s = self._now() + LEAD_S
        silence.start(at_s)
        while (started_s := silence.started_s()) is None and self._now() < deadline_s:
            time.sleep(0.01)
        silence.close()
        return None if started_s is None else started_s - at_s

    def _offset(self) -> float:
        """Return PsychPortAudio's clock minus the LSL clock: the tightest of a few readings."""
        readings: list[tuple[float, float]] = []
        for _ in range(5):
            before = self._now()
            theirs = self._seconds()
            after = self._now()
            readings.append((after - before, theirs - (before + after) / 2))
        return min(readings)[1]


def tone(pitch_hz: float) -> NDArray[np.float32]:
    """Return a tone that begins and ends softly; float32, shape (n_samples, 2)."""
    t = np.arange(round(TONE_S * SFREQ_AUDIO)) / SFREQ_AUDIO
    swell = np.clip(np.minimum(t, TONE_S - t) / _SWELL_S, 0, 1)
    wave = (0.4 * swell * np.sin(2 * np.pi * pitch_hz * t)).astype(np.float32)
    return np.column_stack([wave, wave])
