"""Tries a window, or the sound device, in a process of its own and says in one line of JSON what came of it.

``python -P -m protocol.window.probe graphics`` (or ``sound``): a driver that hangs or crashes takes nobody else along.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any


def graphics() -> dict[str, Any]:
    """Open a small window and say what draws it, and how large the screen is."""
    import pyglet

    pyglet.options["shadow_window"] = False
    from pyglet import canvas, gl, window
    from pyglet.gl import gl_info

    try:
        screen = canvas.get_display().get_default_screen()
        opened = window.Window(64, 64, visible=False, screen=screen)
    except (window.WindowException, gl.ContextException, OSError, RuntimeError) as error:
        return {"error": str(error) or type(error).__name__}
    except Exception as error:
        if type(error).__name__ != "NoSuchDisplayException":  # pyglet defines it only where there is X
            raise
        return {"error": str(error) or "no such display"}
    opened.switch_to()
    told = {"renderer": gl_info.get_renderer(), "version": gl_info.get_version(), "size_px": [screen.width, screen.height]}
    opened.close()
    return told


def sound() -> dict[str, Any]:
    """Open the sound device as a session does, play silence until it is punctual, and say which it is."""
    from protocol.window.sound import SoundError, Speaker

    try:
        speaker = Speaker(now=time.monotonic)
    except SoundError as error:
        return {"error": str(error)}
    name = speaker.name
    speaker.close()
    return {"device": name}


def main(arguments: list[str]) -> int:
    """Print what came of it."""
    logging.basicConfig(level=logging.ERROR)
    told = {"graphics": graphics, "sound": sound}[arguments[0]]()
    sys.stdout.write("\n" + json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
