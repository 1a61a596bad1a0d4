"""The whole preflight: every check side by side, because most of them wait."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from collector.preflight import place
from collector.preflight import study as study_checks
from collector.preflight.found import Found
from collector.preflight.study import Checked

Check = Callable[[], Sequence[Found]]


@dataclass(frozen=True)
class Asked:
    """What is to be checked.

    Parameters
    ----------
    checked : Checked or None
        The study; None checks the computer alone.
    data : Path
        Where sessions would be stored.
    participant : str or None
        Whose plan and lock are looked at too.
    twin : bool
        Simulated headset and camera.
    face : bool
        False for a participant who does not agree to the camera.
    """

    checked: Checked | None
    data: Path
    participant: str | None = None
    twin: bool = False
    face: bool = True


def checks(asked: Asked) -> Mapping[str, Check]:
    """Return the checks by name, in the order in which they are told."""
    found: dict[str, Check] = {}
    if asked.checked is not None:
        found["study"] = partial(_study, asked.checked, asked.participant)
        found["disk"] = partial(_disk, asked.checked, asked.data)
    return found


def run(todo: Mapping[str, Check], *, on_done: Callable[[str], None] = lambda name: None) -> list[Found]:
    """Make all checks side by side and return what they found, in their order; ``on_done`` hears each one's name."""
    results: dict[str, Sequence[Found]] = {}
    with ThreadPoolExecutor(max(1, len(todo))) as pool:
        futures = {pool.submit(_made, name, check): name for name, check in todo.items()}
        for future in as_completed(futures):
            results[futures[future]] = future.result()
            on_done(futures[future])
    return [found for name in todo for found in results[name]]


def _made(name: str, check: Check) -> Sequence[Found]:
    """Make one check; what it cannot do is a finding too."""
    try:
        return check()
    except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        why = " ".join(str(error).split())[:160] or type(error).__name__
        return [Found("check/failed", {"what": name, "why": why})]


def _study(checked: Checked, participant: str | None) -> Sequence[Found]:
    faults = study_checks.faults(checked, participant=participant)
    return [study_checks.judge(checked, faults), study_checks.consent(checked.study)]


def _disk(checked: Checked, data: Path) -> Sequence[Found]:
    room = place.look(data)
    return [place.judge_room(room, checked.planned), place.judge_encryption(*place.encryption(room.folder))]
