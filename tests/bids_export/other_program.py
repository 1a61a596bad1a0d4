"""Another program that shows clips: its own markers over LSL, in a process of its own, once it is told to go.

Started with the names of the streams that must be there. The simulated headset hears when the session starts, on a stream that
nobody records. At the end the stamps of the markers are printed as JSON.
"""

import json
import sys
import time

WORDS = ((0.5, "clip_start_joy01"), (2.5, "clip_stop"), (2.8, "valence_7"), (3.2, "clip_start_sad02"), (4.7, "clip_stop"))
AHEAD_S = 1.0  # the headset listens four times a second at least
LONGEST_S = 60.0


def main() -> None:
    from protocol import lsl, markers

    lsl.configure()
    import pylsl

    told = pylsl.StreamOutlet(pylsl.StreamInfo(markers.STREAM_NAME, markers.STREAM_TYPE, 1, 0.0, pylsl.cf_string, "window"))
    words = pylsl.StreamOutlet(pylsl.StreamInfo("Psy", "Markers", 1, 0.0, pylsl.cf_string, "psy"))
    for name in sys.argv[1:]:
        assert pylsl.resolve_byprop("name", name, 1, LONGEST_S), f"{name} never came"
    print("ready", flush=True)
    sys.stdin.readline()
    for outlet in (told, words):
        assert outlet.wait_for_consumers(LONGEST_S), "nobody listens"
    start = pylsl.local_clock() + AHEAD_S
    told.push_sample([str(markers.Marker("session/start"))], start)
    stamps = []
    for after_s, text in WORDS:
        stamp = start + after_s
        time.sleep(max(0.0, stamp - pylsl.local_clock()))
        words.push_sample([text], stamp)
        stamps.append((stamp, text))
    time.sleep(max(0.0, start + WORDS[-1][0] + 0.5 - pylsl.local_clock()))
    print(json.dumps(stamps), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
