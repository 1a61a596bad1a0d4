"""Our recorder as a process, with a camera of 720p at 30 fps where told to: ``python recording.py STUDY OUT [camera]``."""

import itertools
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from collector.desk import Desk
from collector.recorder import Recorder, Target
from protocol import lsl, study

SIZE_PX, FPS, N_PICTURES = (1280, 720), 30.0, 12
NOISE = 2.0  # standard deviation, of 255: what a webcam's picture has in a lit room


class Webcam:
    """A camera whose pictures cost nothing: a dozen of them, with the noise of a sensor, in turn."""

    def __init__(self) -> None:
        rng, (width, height) = np.random.default_rng(1), SIZE_PX
        y, x = np.mgrid[:height, :width]
        face = 90 + 60 * np.exp(-(((x - width / 2) / 180) ** 2) - ((y - height / 2) / 240) ** 2)
        plain = np.repeat(face.astype(np.uint8)[..., None], 3, axis=2)
        noise = [np.clip(rng.normal(0, NOISE, plain.shape[:2]), -100, 100).astype(np.int8) for _ in range(N_PICTURES)]
        self._pictures = itertools.cycle([(plain + one.astype(np.uint8)[..., None]) for one in noise])
        self._due = time.monotonic()

    def isOpened(self) -> bool:
        return True

    def grab(self) -> bool:
        self._due = max(self._due + 1 / FPS, time.monotonic() - 1)
        time.sleep(max(0.0, self._due - time.monotonic()))
        return True

    def retrieve(self) -> tuple[bool, Any]:
        return True, next(self._pictures)

    def get(self, prop: int, /) -> float:
        return 0.0

    def release(self) -> None: ...


def main(study_path: str, out: str, *options: str) -> None:
    lsl.configure()
    import pylsl

    capture = Webcam() if "camera" in options else None
    desk = Desk(None, None, now=pylsl.local_clock)
    target = Target(Path(out), Path(out).with_suffix(".mkv"))
    recorder = Recorder(target, study.load(Path(study_path)), now=pylsl.local_clock, desk=desk, capture=capture)
    signal.signal(signal.SIGTERM, lambda *_: recorder.stop("SIGTERM"))
    recorder.run()
    print(recorder._camera.n_dropped if recorder._camera else 0)
    sys.exit(bool(recorder.fault))


if __name__ == "__main__":
    main(*sys.argv[1:])
