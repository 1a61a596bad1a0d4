"""A fake amplifier over real LSL, in a process of its own: every value says which sample it belongs to.

Started with a JSON list of streams; commands come on stdin, one JSON list each, and are answered with one line of JSON:
``["gap", name, seconds]`` (samples are born and lost), ``["restart", name, seconds, source_id]`` (the outlet dies and another
one comes), ``["double", name, source_id]`` (a second outlet beside the first), ``["say", name, text]``, ``["end"]``.
"""

import json
import mmap
import queue
import struct
import sys
import threading
from pathlib import Path

import numpy as np

PUSH_S = 1 / 32
LONGEST_S = 1800.0
WRAPS = {"int8": 2**7, "int16": 2**15, "int32": 2**31, "int64": 2**62, "float32": 2**24, "double64": 2**53}
ORDINARY = {
    "type": "EEG", "n_channels": 4, "sfreq": 256.0, "format": "double64", "source_id": "amplifier", "units": "microvolts",
}  # fmt: skip


def values(first: int, n: int, *, n_channels: int, form: str) -> np.ndarray | list[list[str]]:
    """Return what the samples of these numbers hold: the number, a counter that wraps at 128, then a pattern."""
    numbers, channels = np.arange(first, first + n, dtype=np.int64), np.arange(n_channels)
    if form == "string":
        return [[f"{i}:{c} äß" for c in channels] for i in numbers]
    told = numbers % WRAPS[form]  # what a value of this format can say
    table = (told[:, None] * 7 + channels * 13) % 101
    table[:, 0] = told
    if n_channels > 1:
        table[:, 1] = numbers % 128
    return table.astype({"float32": np.float32, "double64": np.float64}.get(form, form))


class Stream:
    """One stream: its outlets, and the number of the next sample."""

    def __init__(self, told: dict, start: float, published: mmap.mmap | None, place: int) -> None:
        self.told, self.start, self.published, self.place = ORDINARY | told, start, published, place
        self.n, self.silent_until, self.returns = 0, 0.0, None
        self.doubles: list = []
        self.outlet = self.open(self.told["source_id"])

    def open(self, source_id: str):
        import pylsl

        t = self.told
        info = pylsl.StreamInfo(t["name"], t["type"], t["n_channels"], t["sfreq"], t["format"], source_id)
        channels = info.desc().append_child("channels")
        for label in ("Number", "Counter", *(f"E{c}" for c in range(2, t["n_channels"])))[: t["n_channels"]]:
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", t["units"])
        return pylsl.StreamOutlet(info, 0, 360)

    def push(self, now: float) -> None:
        """Send what is due; in a silence it is born and lost."""
        t = self.told
        if self.returns is not None and now >= self.returns[0]:
            self.outlet, self.returns = self.open(self.returns[1]), None
        due = int((now - self.start) * t["sfreq"]) if t["sfreq"] else 0
        n, first = due - self.n, self.n
        if n <= 0:
            return
        self.n = due
        outlets = [outlet for outlet in (self.outlet, *self.doubles) if outlet is not None]
        if not outlets or now < self.silent_until:
            return
        stamps = (self.start + np.arange(first, due) / t["sfreq"]).tolist()
        rows = values(first, n, n_channels=t["n_channels"], form=t["format"])
        for outlet in outlets:
            outlet.push_chunk(rows, stamps)
        if self.published is not None:
            struct.pack_into("<q", self.published, 8 * self.place, due - 1)

    def obey(self, verb: str, *arguments) -> None:
        import pylsl

        now = pylsl.local_clock()
        if verb == "gap":
            self.silent_until = now + arguments[0]
        elif verb == "restart":
            self.outlet, self.returns = None, (now + arguments[0], arguments[1])
        elif verb == "double":
            self.doubles.append(self.open(arguments[0]))
        elif verb == "say":
            self.outlet.push_sample([arguments[0]])


def main() -> None:
    from protocol import lsl

    lsl.configure()
    import pylsl

    told, published = json.loads(sys.argv[1]), None
    if len(sys.argv) > 2:
        with Path(sys.argv[2]).open("r+b") as file:
            published = mmap.mmap(file.fileno(), 0)
    start = pylsl.local_clock()
    streams = {t["name"]: Stream(t, start, published, place) for place, t in enumerate(told)}
    commands: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: [commands.put(line) for line in sys.stdin], daemon=True).start()
    print(json.dumps({"start": start}), flush=True)
    while (now := pylsl.local_clock()) < start + LONGEST_S:
        for stream in streams.values():
            stream.push(now)
        try:
            verb, *rest = json.loads(commands.get(timeout=PUSH_S))
        except queue.Empty:
            continue
        if verb == "end":
            break
        streams[rest[0]].obey(verb, *rest[1:])
        print(json.dumps({"t": pylsl.local_clock()}), flush=True)


if __name__ == "__main__":
    main()
