"""PsychoPy's dialog for ``expInfo``: ``python -P -m protocol.window.dialog '{"participant": "", "session": "01"}'``.

Prints what was typed as JSON; exit 1 where it was cancelled. In a process of its own, so that Qt and the window's OpenGL do not
share one.
"""

from __future__ import annotations

import json
import sys

from protocol.window import habits


def ask(info: dict[str, str]) -> dict[str, str] | None:
    """Show the dialog; returns what was typed, None where it was cancelled."""
    habits.quieten()
    from psychopy import gui

    typed = dict(info)
    dialog = gui.DlgFromDict(typed, title="emolab", sortKeys=False)
    return {key: str(value).strip() for key, value in typed.items()} if dialog.OK else None


def main() -> None:
    """Ask, print, and exit."""
    typed = ask(json.loads(sys.argv[1]))
    if typed is None:
        sys.exit(1)
    sys.stdout.write(json.dumps(typed) + "\n")


if __name__ == "__main__":
    main()
