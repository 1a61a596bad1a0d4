"""The computer: graphics, sound, clock, and whether it can be kept awake."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from collector import awake
from collector.preflight.found import Found
from protocol.journal import boot_id

_PROBE_S = (
    40.0  # a driver that answers later hangs; a first sound behind PulseAudio takes 6 s, on a busy machine several times that
)
_ASK_S = 5.0  # how long a program of the system may take to answer
_QUIET = 10  # percent of full loudness
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software", "gdi generic", "basic render")
_SERVERS = ("pipewire", "pulse", "default")  # devices behind which a sound server mixes
_DUMMY = "auto_null"  # what a sound server plays to where there is no card
_EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)  # before emolab was written: a clock whose battery is empty
_CLOSE = timedelta(minutes=1)  # files of another computer may be this far ahead
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Graphics:
    """What a window came to: who draws it, and the screen's size; or why there is none."""

    renderer: str = ""
    version: str = ""
    size_px: tuple[int, int] = (0, 0)
    error: str = ""


@dataclass(frozen=True)
class Sound:
    """What opening the sound device came to, and what its server says of it; None is not known."""

    device: str = ""
    error: str = ""
    muted: bool | None = None
    percent: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Clock:
    """The wall clock, when the newest file that must be older was written, and whether the network keeps the clock."""

    wall: datetime
    written: datetime | None = None
    synced: bool | None = None


# ---- judged


def judge_graphics(seen: Graphics, *, wanted_px: tuple[int, int] | None) -> list[Found]:
    """Judge graphics; ``wanted_px`` is the size of a screen that the study fills, None where it opens a window."""
    if seen.error:
        return [Found("graphics/none", {"why": seen.error})]
    width, height = seen.size_px
    drawn = any(word in seen.renderer.lower() for word in _SOFTWARE)
    values = {"renderer": seen.renderer, "version": seen.version, "width": width, "height": height}
    found = [Found("graphics/software" if drawn else "graphics/ok", values)]
    if wanted_px is not None and wanted_px != seen.size_px:
        found.append(Found("screen/size", values | {"wanted": f"{wanted_px[0]} x {wanted_px[1]}"}))
    return found


def judge_sound(heard: Sound, *, required: bool) -> Found:
    """Judge sound; a study that allows silence is told, and goes on."""
    values = {"device": heard.device, "percent": heard.percent, "why": heard.error or heard.why}
    if heard.error:
        return Found("sound/none" if required else "sound/absent", values)
    if heard.muted or heard.percent == 0:
        return Found("sound/muted" if required else "sound/off", values)
    if heard.percent is None:
        return Found("sound/unknown", values)
    return Found("sound/quiet" if heard.percent < _QUIET else "sound/ok", values)


def judge_clock(clock: Clock) -> Found:
    """Judge the wall clock."""
    values = {"wall": clock.wall.strftime("%Y-%m-%d %H:%M:%S UTC"), "boot": boot_id()[:8]}
    if not _EARLIEST <= clock.wall < _LATEST:
        return Found("clock/wrong", values | {"why": f"not between {_EARLIEST.year} and {_LATEST.year}"})
    if clock.written is not None and clock.wall + _CLOSE < clock.written:
        return Found("clock/wrong", values | {"why": f"study.toml was written later, {clock.written:%Y-%m-%d %H:%M:%S}"})
    if clock.synced is None:
        return Found("clock/unknown", values)
    return Found("clock/ok" if clock.synced else "clock/unsynced", values)


@dataclass(frozen=True)
class Sleep:
    """Why sleep cannot be inhibited, and why not when the lid is shut; empty where it can."""

    why: str = ""
    lid: str = ""


def judge_sleep(sleep: Sleep) -> Found:
    """Judge whether sleep can be inhibited."""
    if sleep.why:
        return Found("sleep/possible", {"why": sleep.why})
    return Found("sleep/lid", {"why": sleep.lid}) if sleep.lid else Found("sleep/ok")


# ---- measured


def graphics() -> Graphics:
    """Try a window."""
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        return Graphics(error="DISPLAY = nothing")
    told = _probed("graphics")
    if "error" in told:
        return Graphics(error=told["error"])
    return Graphics(told["renderer"], told["version"], (int(told["size_px"][0]), int(told["size_px"][1])))


def sound() -> Sound:
    """Try the sound device, and ask its server whether anything would be heard."""
    told = _probed("sound")
    if "error" in told:
        return Sound(error=told["error"])
    device = told["device"]
    if device not in _SERVERS:
        return Sound(device, why="no sound server")
    return _server(device)


def clock(*, written_s: float | None) -> Clock:
    """Read the wall clock, and ask who keeps it; ``written_s`` is when the study file was, seconds since 1970."""
    synced = None
    if shutil.which("timedatectl"):
        said, _ = _asked("timedatectl", "show", "--property=NTPSynchronized", "--value")
        synced = {"yes": True, "no": False}.get(said)
    written = None if written_s is None else datetime.fromtimestamp(written_s, UTC)
    return Clock(datetime.now(UTC), written, synced)


def sleep() -> Sleep:
    """Try to inhibit sleep, as a session does."""
    if sys.platform == "win32":
        return Sleep()  # SetThreadExecutionState is part of it
    if sys.platform == "darwin":
        return Sleep("" if shutil.which("caffeinate") else "caffeinate is missing")
    if not shutil.which("systemd-inhibit"):
        return Sleep("systemd-inhibit is missing")
    lid, least = (_inhibited(what) for what in awake.KEPT)
    return Sleep(least, lid)


def _inhibited(what: str) -> str:
    """Return why something cannot be inhibited."""
    _, why = _asked("systemd-inhibit", f"--what={what}", "--who=emo-doctor", "--why=a trial", "true")
    return why


def _server(device: str) -> Sound:
    """Ask PulseAudio, or PipeWire in its place."""
    if not shutil.which("pactl"):
        return Sound(device, why="pactl is missing")
    sink, why = _asked("pactl", "get-default-sink")
    if why:
        return Sound(device, why=why)
    if sink == _DUMMY:
        return Sound(device, error=f"{device} plays to {sink}, which is no sound card")
    mute, why = _asked("pactl", "get-sink-mute", sink)
    loud, _ = _asked("pactl", "get-sink-volume", sink)
    percents = [int(text) for text in re.findall(r"(\d+)%", loud)]
    return Sound(
        f"{device}, {sink}", "", {"yes": True, "no": False}.get(mute.rpartition(" ")[2]), min(percents, default=None), why
    )


def _probed(what: str) -> dict[str, Any]:
    """Try something in a process of its own; one that hangs or crashes is an error, too."""
    command = [sys.executable, "-P", "-m", "protocol.window.probe", what]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_S, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {_PROBE_S:.0f} s"}
    return last_json(done)


def last_json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the last line that a process printed, as JSON; ``error`` says why there is none."""
    lines = done.stdout.strip().splitlines()
    try:
        told = json.loads(lines[-1]) if lines else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        said = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
        return {"error": f"exit {done.returncode}: {said[:160]}"}
    return told


def _asked(*command: str) -> tuple[str, str]:
    """Return what a program of the system says, and why it says nothing."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_ASK_S, check=False, env=os.environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)[:120]
    if done.returncode:
        return "", " ".join((done.stderr or f"{command[0]} ended with {done.returncode}").split())[:120]
    return done.stdout.strip(), ""
