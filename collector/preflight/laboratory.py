"""Where the preflight looks: on the network as LSL finds it, or in a simulated laboratory, which it may have to set up."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.twin import knobs
from protocol import lsl

TWIN_S = 60.0  # a simulated headset may just have been started, on a machine that is busy with other things
_END_S = 10.0


@contextmanager
def laboratory(study: Path | None, *, twin: bool, participant: str | None) -> Iterator[float | None]:
    """Set LSL up for this process; yield how long a stream may take to appear, None for the usual time.

    With ``twin``, in the LSL session that the environment names, where whoever started us has its headset; without a name in
    a session of our own, with a headset of our own that ends with it.

    Raises
    ------
    LslError
        When the session in the environment cannot be one.
    """
    if not twin:
        lsl.configure()
        yield None
    elif study is None or os.environ.get(lsl.SESSION_VARIABLE):
        lsl.configure(os.environ.get(lsl.SESSION_VARIABLE) or f"doctor-{uuid.uuid4().hex}")
        yield TWIN_S
    else:
        lsl.configure(f"doctor-{uuid.uuid4().hex}")  # the environment carries it to the headset
        with _headset(study, participant or "01"):
            yield TWIN_S


@contextmanager
def _headset(study: Path, participant: str) -> Iterator[None]:
    command = [sys.executable, "-P", "-m", "collector.twin", "live", str(study)]
    person = knobs.environment(seed=knobs.seed_of(participant), effect=1.0)
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(command, env=person | dict(os.environ), stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
