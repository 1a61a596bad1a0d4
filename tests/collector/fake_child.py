"""A window, a collector, a page or a helper in a few lines, for tests of the launcher: fake_child.py ROLE MODE FOLDER."""

import os
import signal
import sys
import time
from pathlib import Path

import msgspec

from protocol.folder import Manifest, Quality
from protocol.link import Link
from protocol.messages import NEXT, Ack, Alarm, Beat, Command, Press, Scene, Status, StreamStatus

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
if role in ("doctor", "contact"):  # helpers say one thing in JSON: what a test has put there
    told("asked")
    said = folder / f"{role}.said"
    print(said.read_text() if said.exists() else "")
    sys.exit(0)
link = Link.from_environment(role if role in ("window", "page") else "collector", now=time.monotonic)
assert link is not None
flips, held, obeyed = [0], [False], set[str]()


def close(code: int, *, end: str = "complete", reason: str = "") -> None:
    if role == "collector":
        manifest = Manifest(session_uid="u", end=end, reason=reason, closed_wall="2026-11-22T09:00:00Z", quality=KEEP)
        manifest.save(folder / "manifest.json")
    told("ended")
    (folder / f"{role}.ending").write_text(end)
    (folder / f"{role}.ending").replace(folder / f"{role}.ended")  # the other child reads it as soon as it is there
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
    if mode == "troubled" and (trouble := folder / "trouble.txt").exists():
        on = trouble.read_text() == "on"
        link.send(Alarm(code="stream/lost EEG", level="stop", t_cause=time.monotonic() - 1, cleared=not on, why="no sample"))
    if mode == "leaves" and (folder / "window.asked").exists():
        close(0, end="aborted")
    if (folder / "window.ended").exists() and mode != "deaf":
        if mode == "full":
            print("no space left on device", flush=True)
        close(3 if mode == "full" else 0, end=(folder / "window.ended").read_text())


def show(state: str, wanted: str, *, for_s: float = LONGEST_S) -> None:
    """Beat until the wanted key comes, or time is over."""
    for _ in range(round(for_s / 0.05)):
        if state == "hold" and not held[0]:
            return
        flips[0] += mode != "frozen" or not state.startswith("welcome")
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
                case Command(verb="pause" | "resume" as verb, arg=arg) if arg == NEXT:
                    if envelope.id not in obeyed:  # it is sent again until it is acknowledged
                        told(f"{verb} next")
                        held[0] = verb == "pause"
                    obeyed.add(envelope.id)
                    link.send(Ack(of=envelope.id, ok=True))
                case Command(verb="pause" | "resume" | "skip" | "repeat" as verb, reason=reason):
                    told(f"{verb} {reason}")
                case Command(verb="abort", reason=reason):
                    told(f"abort {reason}")
                    if mode != "stubborn":
                        close(1, end="aborted")
        if mode == "dies" or (mode == "dies once" and state != "waiting" and not (folder / "died").exists()):
            (folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)


def attend() -> None:
    """Be a page: write down what it is shown, and give the commands that a test puts into ``press.txt``, one a line."""
    scenes, given, sent = (folder / "scenes.jsonl").open("a"), folder / "press.txt", 0
    for _ in range(round(LONGEST_S / 0.05)):
        for envelope in link.receive():
            match envelope.body:
                case Scene() as scene:
                    scenes.write(msgspec.json.encode(scene).decode() + "\n")
                    scenes.flush()
                case Ack(ok=ok, error=error):
                    told(f"ack {ok} {error}".strip())
                case Status() | Beat():
                    (folder / f"relayed.{type(envelope.body).__name__}").touch()
        lines = given.read_text().splitlines() if given.exists() else []
        for line in lines[sent:]:
            verb, arg, reason, id_ = [*line.split("|"), "", "", ""][:4]
            link.send(Command(verb=verb, arg=arg, reason=reason), id_=id_ or None)
        sent = len(lines)
        time.sleep(0.05)


told("started")
if role == "page":
    attend()
if role == "window":
    if mode != "hasty":
        show("waiting", "start")
    show("welcome waits=space", "space")
    if mode == "cued":
        for state in ("sync/cue", "sync/cue", "sync/flash"):
            show(state, "", for_s=2.0 if state == "sync/flash" else 0.3)
    while held[0]:  # before its only trial
        show("hold", "")
    show("rating question=emotion trial=1 stim_id=fear01 target=fear", "1")
    close(0)
for _ in range(round(LONGEST_S / 0.05)):
    collect()
    time.sleep(0.05)
