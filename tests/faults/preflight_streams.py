"""Real outlets, each with one fault that a preflight must find; all at once, in a process with an LSL session of its own.

``python preflight_streams.py`` prints what the preflight finds of each: ``{"frozen counter": ["counter/frozen"], ..}``.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from protocol import lsl
from protocol.study import Study, loads

SENSORS = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "O1", "O2")
LABELS = ("Timestamp", "Counter", "Interpolate", *SENSORS)
QUALITY = ("Timestamp", "BatteryPercent", "Overall", "Signal", *SENSORS)
PUSH_S = 1 / 16
EVERY_S = 1 / 32  # between two looks whether something is due
STUDY = """
[study]
name = "test"
[emotions]
fear = {{ hed = "Fearful", color = "#CC79A7" }}
neutral = {{ hed = "Emotionally-neutral", color = "#7F7F7F" }}
[consent]
version = "1"
[eeg]
stream = {{ name = "{eeg}" }}
contact_quality_stream = {{ name = "{quality}" }}
eeg_quality_stream = false
other_streams = []
sfreq = 256
{more}
"""
PLANNED_S = 1200.0

Values = np.ndarray


@dataclass(frozen=True)
class Outlet:
    """How a stream is sent: ``spoil`` changes rows (n, n_channels) whose sample numbers are given."""

    labels: tuple[str, ...] = LABELS
    sfreq: float = 256.0
    sends_hz: float = 256.0
    form: str = "double64"
    push_s: float = PUSH_S
    spoil: Callable[[Values, Values], Values] = lambda rows, numbers: rows
    stamp: Callable[[Values], Values] = lambda stamps: stamps
    keep: Callable[[Values], Values] = lambda numbers: np.ones(len(numbers), bool)
    unit: str = "microvolts"
    copies: int = 1
    silent: bool = False


@dataclass(frozen=True)
class Fault:
    """A laboratory with one fault: its EEG and its contact quality, None for the sound one, and the study's own keys."""

    code: str
    eeg: Outlet | None = None
    quality: Outlet | None = None
    more: str = ""
    eeg_name: str = ""
    quality_name: str = ""


Spoil = Callable[[Values, Values], Values]


def column(label: str, value: Callable[[Values], Any], *, labels: tuple[str, ...] = LABELS) -> Spoil:
    """Return what sets one channel to something of the samples' numbers."""

    def spoil(rows: Values, numbers: Values) -> Values:
        rows[:, labels.index(label)] = value(numbers)
        return rows

    return spoil


def sensors(change: Callable[[Values], Values], *which: str) -> Spoil:
    """Return what changes the signal of some sensors."""
    columns = [LABELS.index(label) for label in which or SENSORS]

    def spoil(rows: Values, numbers: Values) -> Values:
        rows[:, columns] = change(rows[:, columns])
        return rows

    return spoil


def strange(numbers: Values) -> Values:
    """Return a counter that does not count: the same numbers for the same samples."""
    return (numbers * 7919) % 251


GOOD = Outlet()
OTHER = ("Timestamp", "Counter", "Interpolate", *(f"X{n}" for n in range(8)))
BARE = ("Timestamp", "Sample", "Interpolate", *SENSORS)
SLOW = Outlet(QUALITY, 2.0, 2.0, push_s=0.0)
EPOCH_S = 1.7e9

FAULTS = {
    "frozen counter": Fault("counter/frozen", replace(GOOD, spoil=column("Counter", lambda n: 17.0))),
    "chunk mode": Fault("stream/chunks", replace(GOOD, push_s=2.0)),
    "float32": Fault("stream/float32", replace(GOOD, form="float32")),
    "128 for 256 Hz": Fault("stream/sfreq", replace(GOOD, sfreq=128.0, sends_hz=128.0)),
    "128 Hz sent, 256 promised": Fault("stream/rate", replace(GOOD, sends_hz=128.0)),
    "another name": Fault("stream/missing", GOOD, eeg_name="EmotivDataStream-EGG"),
    "two of the same": Fault("stream/several", replace(GOOD, copies=2)),
    "nothing is sent": Fault("stream/silent", replace(GOOD, silent=True)),
    "no rate": Fault("stream/no_rate", replace(GOOD, sfreq=0.0), more=""),
    "equal stamps": Fault("stream/stamps", replace(GOOD, stamp=lambda t: np.floor(t * 2) / 2)),
    "stamps of the wall clock": Fault("stream/stamps", replace(GOOD, stamp=lambda t: t + EPOCH_S)),
    "lost samples": Fault("stream/losses", replace(GOOD, keep=lambda n: n % 20 != 7)),
    "no counter": Fault("counter/missing", replace(GOOD, labels=BARE), more='counter = "Counter"'),
    "a counter that does not count": Fault("counter/odd", replace(GOOD, spoil=column("Counter", strange))),
    "sensors with other names": Fault("eeg/labels", GOOD, more='channels = ["Fp1", "Fp2", "AFz"]'),
    "sensors that no montage knows": Fault("eeg/unlabelled", replace(GOOD, labels=OTHER)),
    "volts for microvolts": Fault("eeg/units", replace(GOOD, spoil=sensors(lambda uv: uv * 1e-6), unit="n/a")),
    "units that say volts": Fault("eeg/units", replace(GOOD, unit="volts")),
    "flat sensors": Fault("eeg/flat", replace(GOOD, spoil=sensors(lambda uv: uv * 0 + 4200, "O1", "O2"))),
    "no numbers": Fault("eeg/nan", replace(GOOD, spoil=sensors(lambda uv: uv * np.nan, "F3"))),
    "filled in": Fault("eeg/filled", replace(GOOD, spoil=column("Interpolate", lambda n: n % 4 == 0))),
    "contact quality is silent": Fault("stream/silent", quality=replace(SLOW, silent=True)),
    "contact quality is not there": Fault("stream/missing", quality_name="nobody"),
    "contact quality without Overall": Fault(
        "quality/labels", quality=replace(SLOW, labels=tuple("Mean" if name == "Overall" else name for name in QUALITY))
    ),
    "contact quality is no number": Fault(
        "quality/values", quality=replace(SLOW, spoil=column("Overall", lambda n: np.nan, labels=QUALITY))
    ),
    "battery nearly empty": Fault(
        "battery/short", quality=replace(SLOW, spoil=column("BatteryPercent", lambda n: 8.0, labels=QUALITY))
    ),
}  # fmt: skip
CLEAN = "nothing"


def rows_of(told: Outlet, numbers: Values, stamps: Values) -> Values:
    """Return what samples hold: names say what; a slow wave and noise in each sensor."""
    rows = np.zeros((len(numbers), len(told.labels)))
    noise = np.random.default_rng(int(numbers[0])).normal(0, 5, (len(numbers), len(SENSORS)))
    is_eeg = len(told.labels) == len(LABELS)
    rows[:, 0] = EPOCH_S + stamps
    if is_eeg:
        rows[:, 1] = numbers % 256
        rows[:, 3:] = 4200 + 30 * np.sin(2 * np.pi * 10 * stamps)[:, None] + noise
    else:
        rows[:, 1:4], rows[:, 4:] = (76.0, 91.0, 2.0), 4.0
    return told.spoil(rows, numbers)


class Sender:
    """Sends one stream, copies included."""

    def __init__(self, name: str, told: Outlet, start: float) -> None:
        import pylsl

        self.told, self.n, self.start, self.due = told, 0, start, start
        self.outlets = []
        for copy in range(told.copies):
            info = pylsl.StreamInfo(name, "EEG", len(told.labels), told.sfreq, told.form, f"{name}-{copy}")
            channels = info.desc().append_child("channels")
            for label in told.labels:
                channel = channels.append_child("channel")
                channel.append_child_value("label", label)
                channel.append_child_value("unit", told.unit if label in SENSORS else "n/a")
            self.outlets.append(pylsl.StreamOutlet(info, 0, 360))

    def push(self, now: float) -> None:
        """Send what is due."""
        told = self.told
        if told.silent or now < self.due:
            return
        self.due = now + told.push_s
        until = int((now - self.start) * told.sends_hz)
        numbers = np.arange(self.n, until)
        self.n = max(self.n, until)
        if not len(numbers):
            return
        stamps = self.start + numbers / told.sends_hz
        rows, keep = rows_of(told, numbers, stamps), told.keep(numbers)
        for outlet in self.outlets:
            outlet.push_chunk(rows[keep], told.stamp(stamps[keep]).tolist())


@contextmanager
def sending(streams: dict[str, Outlet]) -> Iterator[None]:
    """Send streams until the block ends."""
    import pylsl

    start, over = pylsl.local_clock(), threading.Event()
    senders = [Sender(name, told, start) for name, told in streams.items()]

    def send() -> None:
        while not over.wait(EVERY_S):
            for sender in senders:
                sender.push(pylsl.local_clock())

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def study(name: str, fault: Fault) -> Study:
    """Return the study of a laboratory: it looks for its own streams."""
    return loads(
        STUDY.format(
            eeg="EmotivDataStream-EEG" if fault.eeg_name else (name if fault.eeg else CLEAN),
            quality=fault.quality_name or (f"{name} CQ" if fault.quality else f"{CLEAN} CQ"), more=fault.more,
        )
    )  # fmt: skip


def main() -> None:
    lsl.configure()
    from collector.preflight import tap
    from collector.preflight.examine import judge_streams
    from collector.preflight.found import tell_all
    from collector.wanted import wanted

    streams = {CLEAN: GOOD, f"{CLEAN} CQ": SLOW}
    for name, fault in FAULTS.items():
        streams |= {fault.eeg_name or name: fault.eeg} if fault.eeg else {}
        streams |= {f"{name} CQ": fault.quality} if fault.quality else {}
    studies = {name: study(name, fault) for name, fault in {CLEAN: Fault(""), **FAULTS}.items()}
    asked = {name: [one for one in wanted(told, uid=None) if one.kind != "markers"] for name, told in studies.items()}
    with sending(streams):
        time.sleep(2.5)  # the sound ones are all found at once
        everything = list(dict.fromkeys(one for ones in asked.values() for one in ones))
        network = tap.listen(everything, find_s=3.0)
    answers = {answer.wanted: answer for answer in network.answers}
    found = {}
    for name, told in studies.items():
        own = replace(network, answers=tuple(answers[one] for one in asked[name]))
        lines = tell_all(judge_streams(own, told, confined=True, planned_s=PLANNED_S), "en")
        found[name] = [[line.code, line.blocks, line.text] for line in lines if line.light != "green"]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
