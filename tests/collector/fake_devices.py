"""Fake devices and a fake window over real LSL; channel 0 of the EEG is the sample's number.

Started with the streams to make as arguments; reads commands on stdin: ``marker TEXT``, ``drop NAME``. Says ``ready`` and,
for each marker, the stamp that it was sent with.
"""

import queue
import sys
import threading

from protocol import lsl

lsl.configure()
import pylsl  # noqa: E402

EEG = ("Number", "Counter", "Cz", "Fz")
QUALITY = ("Timestamp", "BatteryPercent", "Overall", "Signal", "Cz", "Fz")
STREAMS = {
    "eeg": ("EmotivDataStream-EEG", "EEG", EEG, 256.0, "double64", "eeg-1"),
    "eeg2": ("EmotivDataStream-EEG", "EEG", EEG, 256.0, "double64", "eeg-2"),
    "cq": ("EmotivDataStream-Contact-Quality", "Contact-Quality", QUALITY, 2.0, "double64", "cq-1"),
    "eq": ("EmotivDataStream-EEG-Quality", "EEG-Quality", QUALITY, 2.0, "double64", "eq-1"),
    "markers": ("emolab-markers", "Markers", ("marker",), 0.0, "string", "emolab-u1"),
}
ROWS = {"eeg": lambda n: [n, n % 128, 1, 2], "cq": lambda n: [0, 90, 95, 1, 4, 2]}


def outlet(name: str) -> pylsl.StreamOutlet:
    stream, kind, labels, sfreq, form, source_id = STREAMS[name]
    info = pylsl.StreamInfo(stream, kind, len(labels), sfreq, form, source_id)
    channels = info.desc().append_child("channels")
    for label in labels:
        channels.append_child("channel").append_child_value("label", label)
    return pylsl.StreamOutlet(info)


def main() -> None:
    outlets = {name: outlet(name) for name in sys.argv[1:]}
    commands: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: [commands.put(line.strip()) for line in sys.stdin], daemon=True).start()
    sent, start = dict.fromkeys(outlets, 0), pylsl.local_clock()
    print("ready", flush=True)
    while (elapsed := pylsl.local_clock() - start) < 60:
        for name, out in list(outlets.items()):
            sfreq = STREAMS[name][3]
            while sfreq and sent[name] / sfreq < elapsed:
                out.push_sample(ROWS["eeg" if name.startswith("eeg") else "cq"](sent[name]), start + sent[name] / sfreq)
                sent[name] += 1
        try:
            verb, _, what = commands.get(timeout=0.01).partition(" ")
        except queue.Empty:
            continue
        if verb == "drop":
            del outlets[what]
        elif verb == "marker":
            stamp = pylsl.local_clock() - 0.25  # a flip that was a while ago
            outlets["markers"].push_sample([what], stamp)
            print(repr(stamp), flush=True)


main()
