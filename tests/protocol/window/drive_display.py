"""A real window, driven step by step: prints as JSON what its patch for a photodiode shows, and what keys ask for."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import ImageGrab

from protocol.ports import Asked, Stopped
from protocol.study import Screen
from protocol.window import pictures
from protocol.window.display import Display
from protocol.window.habits import FlipLog
from protocol.window.wire import Wire

SIDE = 40


def patch(corner: str) -> str:
    photo = np.asarray(ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).convert("L"))
    rows = slice(0, SIDE) if corner.startswith("top") else slice(-SIDE, None)
    columns = slice(0, SIDE) if corner.endswith("left") else slice(-SIDE, None)
    levels = {int(value) for value in np.unique(photo[rows, columns])}
    return {frozenset({0}): "black", frozenset({255}): "white"}.get(frozenset(levels), str(sorted(levels)))


def asked(display: Display, key: str) -> str:
    subprocess.run(["xdotool", "key", key], check=True)
    for _ in range(200):
        try:
            display.keep_page()
        except Asked as wish:
            return f"{wish.wish} by {wish.reason}"
        except Stopped as stopped:
            return f"stop by {stopped.reason}"
        time.sleep(0.01)
    return "nothing"


corner = sys.argv[1]
screen = Screen(size_px=(320, 240), fullscreen=False, photodiode=corner, photodiode_px=SIDE)  # type: ignore[arg-type]
found: dict[str, str] = {}
with Wire(None, twin=False) as wire, FlipLog(Path(sys.argv[2])) as flips:
    display = Display(screen, size_px=(320, 240), fullscreen=True, wire=wire, flips=flips)
    display.flip_page()
    found["a page"] = patch(corner)
    display.flip(lit=True)
    found["a clip's first flip"] = patch(corner)
    display.keep_page()
    found["the flip after it"] = patch(corner)
    display.put(pictures.level("white", display.sheet), white=True)
    display.flip_page()
    found["a white step"] = patch(corner)
    display.put(pictures.level("black", display.sheet))
    display.flip_page()
    found["a black step"] = patch(corner)
    lit: list[str] = []
    display.clear(lambda stamp: lit.append("told"))
    found["a clip is cleared"] = f"{patch(corner)}, {lit[0]}"
    for key in ("F6", "F7", "F8", "Escape"):
        found[key] = asked(display, key)
    display.held = True
    found["F8 in a pause"] = asked(display, "F8")
    display.close()
print(json.dumps(found))
