"""Where the data go: room, rights, a trial file, encryption, and whether another session is running there."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector import disk
from collector.lock import NAME, Lock, LockedError, machine_folder
from collector.preflight.found import Found
from protocol.estimate import Estimate

_TRIAL_B = 1 << 20  # of the trial file: more than a disk's last free corner holds
_ASK_S = 5.0  # how long a program of the system may take to answer
_GIB = 2**30


@dataclass(frozen=True)
class Room:
    """What was measured of a data folder: free bytes, and why nothing could be written, if so."""

    folder: Path
    free_B: float
    error: str = ""


def look(data: Path) -> Room:
    """Measure the nearest folder that exists: a data folder is made with the first session."""
    nearest = next(path for path in (data, *data.parents) if path.exists())
    if not nearest.is_dir():
        return Room(nearest, 0.0, "it is a file")
    free = shutil.disk_usage(nearest).free
    try:
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(bytes(min(_TRIAL_B, free)))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return Room(nearest, 0.0)
        return Room(nearest, free, error.strerror or str(error))
    return Room(nearest, free)


def judge_room(room: Room, planned: Estimate) -> Found:
    """Judge it: the trial file, then the planned need + 20 %."""
    need = disk.needed(planned.disk_B)
    values = {
        "folder": room.folder, "free": f"{room.free_B / _GIB:.2f}", "need": f"{need / _GIB:.2f}", "why": room.error,
        "minutes": f"{planned.length_s / 60:.0f}",
    }  # fmt: skip
    if room.error:
        return Found("disk/rights", values)
    return Found("disk/room" if room.free_B < need else "disk/ok", values)


def judge_encryption(told: bool | None, why: str = "") -> Found:
    """Judge whether the data folder's disk is encrypted; None where nobody could tell."""
    if told is None:
        return Found("disk/unknown", {"why": why})
    return Found("disk/encrypted" if told else "disk/plain")


def encryption(folder: Path) -> tuple[bool | None, str]:
    """Ask the system whether a folder lies on an encrypted disk; None and why where it does not say."""
    if not sys.platform.startswith("linux"):
        return None, sys.platform
    try:
        source = _asked("findmnt", "-n", "-o", "SOURCE", "--target", str(folder)).strip().partition("[")[0]
        if not source.startswith("/dev/"):
            return None, source or "no device"
        return is_encrypted(json.loads(_asked("lsblk", "-J", "-s", "-o", "NAME,TYPE", source))), ""
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return None, " ".join(str(error).split())[:80]


def is_encrypted(tree: Mapping[str, Any]) -> bool:
    """Tell whether a layer below a device is LUKS, from what ``lsblk -J -s -o NAME,TYPE`` says.

    Examples
    --------
    >>> is_encrypted({"blockdevices": [{"type": "lvm", "children": [{"type": "crypt", "children": [{"type": "part"}]}]}]})
    True
    """
    layers = list(tree.get("blockdevices", []))
    while layers:
        layer = layers.pop()
        if layer.get("type") == "crypt":
            return True
        layers += layer.get("children", [])
    return False


def _asked(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_ASK_S, check=True, env=os.environ | {"LC_ALL": "C"})
    return done.stdout


def other_session(data: Path, *, participant: str | None, twin: bool) -> str:
    """Return who records this participant, or with this computer's devices, at this moment; nothing where nobody does."""
    folders = [data / f"sub-{participant}"] if participant else []
    folders += [] if twin else [machine_folder()]
    for folder in folders:
        try:
            if not _is_my_launchers(folder / NAME):
                Lock(folder).look()
        except LockedError as error:
            return str(error)
    return ""


def judge_session(running: str) -> Found:
    """Judge whether another session runs; ``running`` says which."""
    return Found("session/running", {"why": running}) if running else Found("session/free")


def _is_my_launchers(path: Path) -> bool:
    """Tell whether a lock is held by whoever started this process: a launcher that asks before it records."""
    try:
        record = json.loads(path.read_bytes())
        return bool(record["processes"]["launcher"][0] == os.getppid())
    except (OSError, ValueError, KeyError, TypeError):  # none, emptied, or torn: the lock itself knows what that means
        return False
