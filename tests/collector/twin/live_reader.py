"""Stands for window and recorder beside a live twin: sends markers, reads every stream and the camera, stores what came.

Run as a process of its own, because LSL reads its configuration once: ``live_reader.py OUT.npz SEED``.
"""

import sys
import threading
import time

import numpy as np

from protocol import lsl

lsl.configure()
import pylsl  # noqa: E402

from collector.twin.camera import TwinCamera  # noqa: E402
from collector.twin.sensors import CQ_NAME, EEG_NAME, EQ_NAME  # noqa: E402

CLIP = "trial=1 block=1 stim_id=fear01 target=fear"


def wait(what: str, ready: object) -> None:
    for _ in range(300):
        if ready():  # type: ignore[operator]
            return
        time.sleep(0.1)
    raise SystemExit(f"timed out: {what}")


def main() -> None:
    out, seed = sys.argv[1], int(sys.argv[2])
    markers = pylsl.StreamOutlet(pylsl.StreamInfo("emolab-markers", "Markers", 1, 0, pylsl.cf_string, "emolab-test"))
    inlets = {}
    for name in (EEG_NAME, CQ_NAME, EQ_NAME):
        found = pylsl.resolve_byprop("name", name, 1, 30)
        if not found:
            raise SystemExit(f"no stream {name}")
        inlets[name] = pylsl.StreamInlet(found[0], max_buflen=120)
        inlets[name].open_stream(10)
    xml = inlets[EEG_NAME].info().as_xml()
    wait("the headset listens", markers.have_consumers)
    camera, stopping = TwinCamera((320, 240), 20.0, seed=seed), threading.Event()
    shots: list[tuple[float, float]] = []
    frames: list[np.ndarray] = []

    def film() -> None:
        while not stopping.is_set():
            _, frame = camera.read()
            shots.append((camera.get(0) / 1000, pylsl.local_clock()))
            if len(shots) % 10 == 0:
                frames.append(np.asarray(frame))

    filming = threading.Thread(target=film)
    filming.start()
    time.sleep(3.0)  # the camera's own inlet is there too
    sent = []
    for text, pause_s in (
        (f"session/start participant={seed}", 1.0),
        (f"clip/onset {CLIP}", 4.0),
        (f"clip/offset {CLIP}", 1.0),
    ):
        sent.append(pylsl.local_clock())
        markers.push_sample([text], sent[-1])
        time.sleep(pause_s)
    sent.append(pylsl.local_clock())
    markers.push_sample(["session/end end=complete"], sent[-1])
    time.sleep(1.0)
    stopping.set()
    filming.join()
    camera.release()
    arrays = {}
    for name, inlet in inlets.items():
        values, stamps = inlet.pull_chunk(timeout=0.0, max_samples=100_000)
        arrays |= {f"{name}/values": np.array(values), f"{name}/stamps": np.array(stamps)}
        if name == EEG_NAME:
            arrays["wall_minus_lsl"] = np.array(time.time() - pylsl.local_clock())
    np.savez(out, xml=xml, shots=np.array(shots), frames=np.array(frames), sent=np.array(sent), **arrays)


main()
