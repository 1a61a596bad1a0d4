"""Stands in for the recorder: receives the window's markers until the session ends, and prints them as JSON lines.

A program of its own, because LSL reads its configuration once per process and every test has a session id of its own.
"""

import json
import sys

import pylsl

from protocol import lsl
from protocol.markers import STREAM_NAME

lsl.configure()
deadline_s = pylsl.local_clock() + float(sys.argv[1])
found: list[pylsl.StreamInfo] = []
while not found and pylsl.local_clock() < deadline_s:
    found = pylsl.resolve_byprop("name", STREAM_NAME, timeout=0.5)
inlet = pylsl.StreamInlet(found[0])
inlet.open_stream(timeout=10)
text = ""
while not text.startswith("session/end") and pylsl.local_clock() < deadline_s:
    sample, stamp = inlet.pull_sample(timeout=0.5)
    if sample is not None:
        text = sample[0]
        print(json.dumps({"text": text, "t": stamp}), flush=True)
