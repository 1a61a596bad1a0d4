"""A screen and a sound card that do not exist: Xvfb and PulseAudio with a null sink, for tests that open real windows.

Use the fixture ``laboratory`` (``tests/conftest.py``), or :func:`laboratory` where a module wants one for all its tests. Both
give the environment for child processes: ``subprocess.Popen([...], env=laboratory)``. Every laboratory has its own display,
runtime folder, home and LSL session, so that two tests never see each other. What was started here is ended here, by pid.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from protocol.lsl import SESSION_VARIABLE

PROGRAMS = ("Xvfb", "pulseaudio", "pactl")
SINK = "laboratory"
_START_S = 20.0  # a loaded machine takes seconds to start a server

# ALSA's default device is PulseAudio; the rest of ALSA's configuration stays, for its plugins
_ALSA = "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n"


@contextmanager
def laboratory(*, size_px: tuple[int, int] = (1280, 720), sound: bool = True) -> Iterator[dict[str, str]]:
    """Start a display and, with ``sound``, an audio server; yield the environment in which programs find them."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True)))
        env = _environment(home, sound=sound)
        env["DISPLAY"] = stack.enter_context(_display(size_px))
        if sound:
            stack.enter_context(_audio(env))
        yield env


def _environment(home: Path, *, sound: bool) -> dict[str, str]:
    runtime, alsa = home / "run", home / "alsa.conf"
    runtime.mkdir(mode=0o700)
    # without sound the configuration is empty: no device at all, whatever the machine has
    alsa.write_text(_ALSA if sound else "", encoding="ascii")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PULSE_", "EMOLAB_", "WAYLAND_", "XAUTHORITY"))}
    return kept | {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "ALSA_CONFIG_PATH": str(alsa),
        "PULSE_SERVER": f"unix:{runtime}/pulse/native",
        SESSION_VARIABLE: f"test-{uuid.uuid4().hex}",
        # several laboratories share two cores: one thread each for drawing and for arithmetic
        "LP_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


@contextmanager
def _display(size_px: tuple[int, int]) -> Iterator[str]:
    """Start Xvfb on a display number that it chooses itself, and yield ``:N``."""
    reader, writer = os.pipe()
    screen = ["-screen", "0", f"{size_px[0]}x{size_px[1]}x24", "+extension", "GLX", "+render", "-noreset", "-nolisten", "tcp"]
    with _running(["Xvfb", "-displayfd", str(writer), *screen], pass_fds=[writer]):
        os.close(writer)
        with os.fdopen(reader, encoding="ascii") as pipe:
            number = pipe.readline().strip()  # Xvfb writes it when it is ready, and closes the pipe when it dies
        if not number:
            raise RuntimeError("Xvfb did not start")
        yield f":{number}"


@contextmanager
def _audio(env: dict[str, str]) -> Iterator[None]:
    """Start PulseAudio with one null sink; ``parec -d laboratory.monitor`` records what is played."""
    options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disallow-exit", "--log-level=error"]
    modules = [f"module-null-sink sink_name={SINK} rate=48000", "module-native-protocol-unix"]
    with _running(["pulseaudio", *options, *(part for module in modules for part in ("-L", module))], env=env):
        ask = ["pactl", "get-default-sink"]
        deadline = time.monotonic() + _START_S
        while subprocess.run(ask, env=env, capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError("PulseAudio did not start")
            time.sleep(0.05)
        yield


@contextmanager
def _running(command: list[str], *, env: dict[str, str] | None = None, pass_fds: Sequence[int] = ()) -> Iterator[None]:
    if shutil.which(command[0]) is None:
        raise RuntimeError(f"{command[0]}: is not installed; the tests that open windows need {', '.join(PROGRAMS)}")
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=env, pass_fds=pass_fds, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
