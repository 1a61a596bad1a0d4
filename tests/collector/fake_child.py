"""A window or a collector in twenty lines, for tests of the launcher: python fake_child.py ROLE MODE RUN_FOLDER."""

import os
import signal
import sys
import time
from pathlib import Path

from protocol.folder import Manifest, Quality
from protocol.link import Link
from protocol.messages import Beat, Command, Press, Status, StreamStatus

role, mode, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
LONGEST_S = 60.0
KEEP = Quality(
    metric="CQ", over="recording", threshold=0.8, value=0.9, coverage=1.0, n=9, per_sensor={}, verdict="keep", reason=""
)
MARKERS = StreamStatus(
    name="emolab-markers", uid="m", kind="markers", sfreq_nominal_hz=0.0, sfreq_hz=0.0, age_s=None, buffer_frac=0.0, n=0
)


def told(text: str) -> None:
    """One line in a file that both children write, so that a test sees the order across processes."""
    with (folder / "told.txt").open("a") as file:
        file.write(f"{role} {text}\n")


def handle(number: int, frame: object) -> None:
    told(signal.Signals(number).name)
    if mode not in ("stubborn", "slow"):
        sys.exit(1)


for which in (signal.SIGINT, signal.SIGTERM):
    signal.signal(which, handle)
link = Link.from_environment("window" if role == "window" else "collector", now=time.monotonic)
assert link is not None
flips = [0]


def close(code: int, *, end: str = "complete", reason: str = "") -> None:
    if role == "collector":
        manifest = Manifest(session_uid="u", end=end, reason=reason, closed_wall="2026-11-22T09:00:00Z", quality=KEEP)
        manifest.save(folder / "manifest.json")
    (folder / f"{role}.ended").write_text(end)
    told("ended")
    link.close()
    sys.exit(code)


def collect() -> None:
    if mode == "refuses":
        print("required stream EmotivDataStream-EEG: not found; switch the headset on")
        sys.exit(1)
    received = (folder / "window.asked").exists() and mode != "blind"
    link.send(Status(recording=mode != "waits", streams=(MARKERS,) if received else ()))
    for envelope in link.receive():
        match envelope.body:
            case Beat():
                (folder / "launcher.heard").touch()
            case Command(verb="stop", reason=reason):
                told(f"stop {reason}")
                if mode == "slow":
                    time.sleep(2)
                if mode != "stubborn":
                    close(0, end="aborted", reason=reason)
            case Command(verb="note", reason=reason):
                told(f"note {reason}")
    if mode == "dies" and (folder / "window.asked").exists():
        print("no space left on device", flush=True)
        os._exit(3)
    if mode == "leaves" and (folder / "window.asked").exists():
        close(0, end="aborted")
    if (folder / "window.ended").exists() and mode != "deaf":
        if mode == "full":
            print("no space left on device", flush=True)
        close(3 if mode == "full" else 0, end=(folder / "window.ended").read_text())


def show(state: str, wanted: str) -> None:
    """Beat until the wanted key comes."""
    for _ in range(round(LONGEST_S / 0.05)):
        flips[0] += 1
        link.send(Beat(state=state, n_flip=flips[0], t_flip=time.monotonic()))
        (folder / "window.asked").touch()
        for envelope in link.receive():
            match envelope.body:
                case Press(key=key):
                    told(f"key {key}")
                    if key == wanted:
                        return
                case Command(verb="start") if wanted == "start":
                    return
                case Command(verb="abort", reason=reason):
                    told(f"abort {reason}")
                    if mode != "stubborn":
                        close(1, end="aborted")
        if mode == "dies" or (mode == "dies once" and state != "waiting" and not (folder / "died").exists()):
            (folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)


told("started")
if role == "window":
    if mode != "hasty":
        show("waiting", "start")
    show("welcome waits=space", "space")
    show("rating question=emotion trial=1 stim_id=fear01 target=fear", "1")
    close(0)
for _ in range(round(LONGEST_S / 0.05)):
    collect()
    time.sleep(0.05)
