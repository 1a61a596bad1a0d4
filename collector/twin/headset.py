"""The simulated headset, live: three LSL outlets shaped as Emotiv's, in real time."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import pylsl

from collector.twin import sending
from collector.twin.contact import Contact
from collector.twin.device import Device, Rows, eeg_labels, headers, photodiode
from collector.twin.knobs import Faults, Knobs, random
from collector.twin.listener import Listener
from collector.twin.mishaps import Calendar, Mishap
from collector.twin.timeline import Timeline
from collector.xdf import StreamHeader
from protocol.study import Study

_PUSH_S = 1 / 16  # 16 samples at a time
_TRANSPORT_S = 0.05  # from a sample's stamp to its arrival
_DRAIN_S = 3.0  # goes on after session/end: the recorder still takes what was under way
_BUFFER_S = 360
_LONGEST_S = 6 * 3600.0  # a twin that everybody forgot ends by itself
_GOOD = (0.88, 0.97)  # contact quality of a live participant, where the rule is 0.80

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sent:
    """How many samples went out."""

    eeg: int
    quality: int


def outlet(header: StreamHeader) -> pylsl.StreamOutlet:
    """Open an outlet for a stream of numbers as its header says."""
    info = pylsl.StreamInfo(
        header.name, header.type, header.n_channels, header.sfreq, header.format, header.source_id
    )  # fmt: skip
    channels = info.desc().append_child("channels")
    for label, unit in zip(header.labels, header.units, strict=True):
        channel = channels.append_child("channel")
        for key, value in (("label", label), ("unit", unit), ("type", "EEG")):  # Emotiv says EEG of every channel
            channel.append_child_value(key, value)
    _describe(info.desc(), header.desc)
    return pylsl.StreamOutlet(info, 0, _BUFFER_S)


def _describe(desc: Any, pairs: tuple[tuple[str, str], ...]) -> None:
    """Write ``a/b = text`` below an element."""
    for path, text in pairs:
        *parents, leaf = path.split("/")
        node = desc
        for name in parents:
            child = node.child(name)
            node = node.append_child(name) if child.empty() else child
        node.append_child_value(leaf, text)


def run(
    study: Study,
    *,
    seed: int,
    knobs: Knobs,
    faults: Faults | None = None,
    contact: float | None = None,
    stop: threading.Event,
) -> Sent:
    """Be a headset until the session ends or ``stop`` is set.

    Parameters
    ----------
    study : Study
        Names the streams, the mains and the contact-quality rule.
    seed : int
        The participant's.
    knobs, faults
        What shows and what goes wrong; the sender's clock is this computer's, whatever the faults say of it.
    contact : float, optional
        Contact quality to have, 0 to 1; by default well above the rule.
    stop : threading.Event
        Set to end.
    """
    faults, threshold = replace(faults or Faults(), clock_offset_s=0.0, clock_ppm=0.0), study.contact_quality.threshold
    if contact is None:
        contact = min(1.0, random(seed, "live contact").uniform(*_GOOD) + max(0.0, threshold - 0.80))
    timeline = Timeline(seed, knobs, display_latency_s=faults.display_latency_s)
    now = pylsl.local_clock()
    device = Device(
        seed, timeline, t_first=now, wall_first=time.time(), knobs=knobs, faults=faults,
        contact=Contact(seed, contact, threshold=threshold), line_freq=float(study.eeg.line_freq or 50),
        labels=eeg_labels(study), photodiode=photodiode(study),
    )  # fmt: skip
    told = sending.headers(headers(study, seed=seed, knobs=knobs), faults)
    plug, sends = _Plug(told, device.calendar), sending.Sending(faults, sfreq=told[0].sfreq)
    with Listener(timeline):
        # an absolute schedule: a late push does not make the next ones late
        for n in range(1, int(_LONGEST_S / _PUSH_S)):
            due = device.t_first + n * _PUSH_S
            if stop.wait(max(0.0, due - pylsl.local_clock())):
                break
            # what is stamped later than it is born has not arrived yet; and a marker that names a flip of this moment may
            # still be on its way to us
            born = due - faults.eeg_latency_s - _TRANSPORT_S
            eeg, quality = device.eeg_until(born), device.quality_until(born)
            plug.look(due)
            plug.push(sends.eeg(eeg), *(() if faults.no_quality else quality))
            if timeline.ended is not None and pylsl.local_clock() > timeline.ended + _DRAIN_S:
                break
    return Sent(device.n_eeg, device.n_quality)


class _Plug:
    """The headset's outlets, which vanish and come back as the script says; what is pushed meanwhile is lost."""

    def __init__(self, told: tuple[StreamHeader, ...], calendar: Calendar) -> None:
        self._headers, self._calendar = told, calendar
        self._outlets = [outlet(header) for header in told]
        self._gone: Mishap | None = None

    def look(self, t_lsl: float) -> None:
        """Pull the outlets out, or put them in again."""
        gone = self._calendar.at(t_lsl, "drop", "returns_with_other_id")
        if gone is not None and self._outlets:
            self._gone = gone
            self._outlets.clear()
            log.warning("the headset is gone: %s", gone.kind)
        elif gone is None and not self._outlets:
            if self._gone is not None and self._gone.kind == "returns_with_other_id":
                self._headers = tuple(replace(header, source_id=f"{header.source_id}-other") for header in self._headers)
            self._outlets.extend(outlet(header) for header in self._headers)
            log.warning("the headset is back")

    def push(self, *streams: Rows) -> None:
        """Send what came up; the EEG first."""
        for where, (stamps, values) in zip(self._outlets, streams, strict=False):
            if len(stamps):
                where.push_chunk(values, stamps.tolist())
