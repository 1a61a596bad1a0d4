"""The camera's picture: who is in it, how it is lit, and that it moves. Found here, never in the recording's process."""

from __future__ import annotations

import base64
import threading
import time
from collections import deque
from typing import Any

import cv2
import numpy as np

from collector.faces import Finder, Look, Word, judge
from collector.page.board import Board
from collector.page.words import WORDS, number
from protocol.messages import Preview, Scene, Status

LOOK_S = 1.0  # between two looks: each takes some 20 ms
VOTES = 3  # looks of which the middle one counts: a turned head for a moment is no missing face
STALE_S = 2.0  # a picture that is older is not shown as one of now
FROZEN_S = 3.0  # the same bytes for so long: any sensor's noise changes some
SMALL = 0.2  # height of the face as a share of the picture's, below which eyes and mouth are some pixels
SCREENS = ("contacts", "record")
Payload = dict[str, Any]


class Watcher:
    """Looks at the newest picture now and then, in a thread of its own.

    Parameters
    ----------
    board : Board
        Where pictures come in.
    finder : Finder, optional
        Of faces.
    """

    def __init__(self, board: Board, *, finder: Finder | None = None) -> None:
        self._board, self._finder = board, finder or Finder()
        self.looks: deque[Look] = deque(maxlen=VOTES)
        self._jpeg = b""
        self._since: float | None = None
        self._thread = threading.Thread(target=self._run, name="faces", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def look(self) -> None:
        """Look at the newest picture, unless it is the last one or none is shown."""
        preview, scene = self._board.preview, self._board.scene
        if preview is None or scene is None or scene.screen not in SCREENS or self._board.age_s(Preview) > STALE_S:
            self.looks.clear()
            self._jpeg, self._since = b"", None
            return
        if preview.jpeg == self._jpeg:
            return
        self._jpeg, self._since = preview.jpeg, self._board.now()
        frame = cv2.imdecode(np.frombuffer(preview.jpeg, np.uint8), cv2.IMREAD_COLOR)
        if frame is not None:
            self.looks.append(self._finder.look(np.asarray(frame, np.uint8), eyes=False))

    @property
    def frozen(self) -> bool:
        """Whether pictures come and are all the same one."""
        return self._since is not None and self._board.now() - self._since > FROZEN_S

    def _run(self) -> None:
        while True:
            self.look()
            time.sleep(LOOK_S)


_watchers: dict[Board, Watcher] = {}


def watcher(board: Board) -> Watcher:
    """Return the watcher of a board; it begins with the first call."""
    if board not in _watchers:
        _watchers[board] = Watcher(board)
        _watchers[board].start()
    return _watchers[board]


def build(board: Board) -> None:
    """Begin to look for faces; the script draws the picture."""
    watcher(board)


def payload(board: Board) -> Payload | None:
    """Return the newest picture and what is seen in it."""
    scene = board.scene
    if scene is None or scene.screen not in SCREENS:
        return None
    eyes = watcher(board)
    return shown(board.preview, tuple(eyes.looks), scene, board.status, age_s=board.age_s(Preview), frozen=eyes.frozen)


def shown(
    preview: Preview | None, looks: tuple[Look, ...], scene: Scene, status: Status | None, *, age_s: float, frozen: bool = False
) -> Payload:  # fmt: skip
    """Return what is shown of the camera. Pure."""
    texts, camera = WORDS[scene.language], status.camera if status else None
    fps = texts["face_fps"].format(fps=number(camera.fps_hz, scene.language, digits=1)) if camera else ""
    dropped = texts["face_dropped"].format(n=number(camera.n_dropped, scene.language)) if camera and camera.n_dropped else ""
    facts = [text for text in (fps, dropped) if text]
    if preview is None or age_s > STALE_S:
        return {"picture": "", "boxes": [], "state": "bad" if camera else "none", "text": texts["face_absent"], "facts": facts}
    if not looks:
        return {"picture": _url(preview), "boxes": [], "state": "look", "text": texts["face_looking"], "facts": facts}
    word, newest = _vote(looks), looks[-1]
    width, height = newest.size_px
    facts.append(texts["face_light"].format(level=number(100 * newest.exposure.mean / 255, scene.language)))
    small = word == "ok" and newest.face_height < SMALL
    key = "frozen" if frozen else "small" if small else word
    return {
        "picture": _url(preview),
        "boxes": [[round(v, 4) for v in (x / width, y / height, w / width, h / height)] for x, y, w, h in newest.faces],
        "state": "good" if key == "ok" else "look" if key in ("small", "dark", "bright") else "bad",
        "word": key,
        "text": texts[f"face_{key}"].format(n=len(newest.faces)),
        "facts": facts,
    }


def _vote(looks: tuple[Look, ...]) -> Word:
    """Return the word that most of the last looks have; the newest where they differ all."""
    words = [judge(look) for look in reversed(looks)]
    return max(words, key=words.count)


def _url(preview: Preview) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(preview.jpeg).decode()
