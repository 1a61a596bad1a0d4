"""The camera: opens, gives new pictures at its rate and size, lit well, with one face in them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from collector import faces
from collector.camera.source import CameraError, Capture
from collector.faces import Finder, Look
from collector.preflight.found import Found
from protocol.study import Camera

SETTLE_S = 1.0  # a camera needs as long to find its exposure
FILM_S = 2.0
PICTURES = 5  # that are looked at
SLOW = 0.75  # of the frames asked for: in the dark cameras give half of them
_PATIENCE_S = 6.0  # beyond which a driver that opens, or gives a frame, hangs
_OPEN_S = 20.0  # the simulated face is drawn first
_AGAIN_S = 0.01  # after a call that failed
_LEAST = 3  # frames, to measure a rate
# of the pictures: one face more is seen by chance now and then, none while somebody blinks and turns
_SEVERAL, _MOST = 2, PICTURES // 2 + 1


@dataclass(frozen=True)
class Filmed:
    """What came of a camera.

    Parameters
    ----------
    error : str
        Why it could not be opened.
    n : int
        Frames within :attr:`for_s`.
    for_s : float
        From the first of them to the last.
    looks : tuple of Look
        At some of them.
    frozen : bool
        Whether they are all the same picture.
    """

    error: str = ""
    n: int = 0
    for_s: float = 0.0
    looks: tuple[Look, ...] = ()
    frozen: bool = False

    @property
    def fps(self) -> float:
        """Frames a second."""
        return (self.n - 1) / self.for_s if self.for_s > 0 else 0.0


def judge(filmed: Filmed, camera: Camera) -> list[Found]:
    """Judge a camera: what keeps others from being judged comes alone, the rest is a line each."""
    if filmed.error:
        return [Found("camera/none", {"why": filmed.error})]
    if filmed.n < _LEAST or not filmed.looks:
        return [Found("camera/silent")]
    if filmed.frozen:
        return [Found("camera/frozen")]
    width, height = filmed.looks[0].size_px
    wanted = f"{camera.size_px[0]} x {camera.size_px[1]}"
    found = []
    if (width, height) != camera.size_px:
        found.append(Found("camera/size", {"width": width, "height": height, "wanted": wanted}))
    if filmed.fps < SLOW * camera.fps:
        found.append(Found("camera/rate", {"fps": f"{filmed.fps:.1f}", "wanted": f"{camera.fps:g}"}))
    good = Found("camera/ok", {"width": width, "height": height, "fps": f"{filmed.fps:.1f}"})
    return [*(found or [good]), _pictures(filmed.looks)]


def _pictures(looks: tuple[Look, ...]) -> Found:
    """Judge what is in the pictures: light before faces, because in the dark nobody is found."""
    words = Counter(faces.judge(look) for look in looks)
    level = f"{np.median([look.exposure.mean for look in looks]):.0f}"
    most = min(_MOST, len(looks))
    if words["several"] >= min(_SEVERAL, len(looks)):
        return Found("face/several", {"n": max(len(look.faces) for look in looks)})
    if words["dark"] >= most:
        return Found("camera/dark", {"level": level})
    if words["bright"] >= most:
        return Found("camera/bright", {"level": level})
    if words["none"] >= most:
        return Found("face/none")
    return Found("face/ok", {"share": f"{100 * np.median([look.face_height for look in looks]):.0f}"})


@dataclass
class _Film:
    """What the capture thread has so far."""

    error: str = ""
    opened: bool = False
    times: list[float] = field(default_factory=list)
    pictures: list[faces.Image] = field(default_factory=list)


def film(
    open_camera: Callable[[], Capture], *, film_s: float = FILM_S, settle_s: float = SETTLE_S,
    now: Callable[[], float] = time.monotonic,
) -> Filmed:  # fmt: skip
    """Open a camera and take its frames for a while; a driver that hangs is given up, in a thread of its own.

    Parameters
    ----------
    open_camera : callable
        Returns the camera; raises :class:`CameraError` when it cannot.
    film_s, settle_s : float
        Seconds that count, and before them.
    now : callable
        Seconds, by which frames are counted.
    """
    taken, stop = _Film(), threading.Event()
    thread = threading.Thread(target=_take, args=(open_camera, taken, stop, settle_s, film_s, now), name="film", daemon=True)
    began = time.monotonic()
    thread.start()
    while thread.is_alive() and not taken.opened and time.monotonic() - began < _OPEN_S:
        thread.join(_AGAIN_S)
    thread.join(settle_s + film_s + _PATIENCE_S)
    stop.set()
    if taken.error or not taken.opened:
        return Filmed(taken.error or f"does not open within {_OPEN_S:.0f} s")
    times, pictures = list(taken.times), list(taken.pictures)
    finder = Finder()
    chosen = [pictures[n] for n in np.unique(np.linspace(0, len(pictures) - 1, PICTURES).astype(int))] if pictures else []
    frozen = len(chosen) > 1 and all(faces.is_frozen(chosen[0], other) for other in chosen[1:])
    return Filmed("", len(times), times[-1] - times[0] if times else 0.0, tuple(map(finder.look, chosen)), frozen)


def _take(
    open_camera: Callable[[], Capture], taken: _Film, stop: threading.Event, settle_s: float, film_s: float,
    now: Callable[[], float],
) -> None:  # fmt: skip
    try:
        capture = open_camera()
    except CameraError as error:
        taken.error = str(error)
        return
    taken.opened = True
    began = now()
    every_s, due = film_s / PICTURES, began + settle_s
    try:
        while not stop.is_set() and (t := now()) - began < settle_s + film_s:
            if not capture.grab():
                stop.wait(_AGAIN_S)
                continue
            t = now()
            if t - began < settle_s:
                continue
            taken.times.append(t)
            if t >= due:
                good, frame = capture.retrieve()
                due += every_s
                if good and frame is not None:
                    taken.pictures.append(np.array(frame, np.uint8))
    finally:
        capture.release()
