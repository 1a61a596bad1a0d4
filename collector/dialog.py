"""Who is recorded, asked in PsychoPy's own dialog where the command line does not say it: in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

from collector.prepare import PrepareError


def ask(*, session: str) -> tuple[str, str]:
    """Return participant and session as they were typed.

    Raises
    ------
    PrepareError
        When the dialog was cancelled, or cannot be shown.
    """
    info = json.dumps({"participant": "", "session": session})
    command = [sys.executable, "-P", "-m", "protocol.window.dialog", info]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 1 and not done.stdout and "Traceback" not in done.stderr:
        raise PrepareError("--participant: the dialog was cancelled; nothing is recorded")
    try:
        typed = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it ended without a word")
        raise PrepareError(f"--participant: not given, and the dialog cannot be shown ({last}); name one") from None
    return typed["participant"], typed["session"]
