"""The whole preflight: every check side by side, because most of them wait."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from collector.preflight import machine, place
from collector.preflight import study as study_checks
from collector.preflight.found import Found
from collector.preflight.study import Checked
from protocol.study import Study

if TYPE_CHECKING:
    from collector.preflight.tap import Network

Check = Callable[[], Sequence[Found]]
PACKAGES = ("pylsl", "psychopy", "psychtoolbox", "zmq")  # of the extra `lab`
_CONFIGURED = ("LSLAPICFG", "~/lsl_api/lsl_api.cfg")  # who says in which LSL session to look


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
        Simulated headset and camera, in an LSL session of their own.
    face : bool
        False for a participant who does not agree to the camera.
    find_s : float, optional
        How long a required stream may take to appear, seconds.
    """

    checked: Checked | None
    data: Path
    participant: str | None = None
    twin: bool = False
    face: bool = True
    find_s: float | None = None


def checks(asked: Asked) -> Mapping[str, Check]:
    """Return the checks by name, in the order in which they are told."""
    study = asked.checked.study if asked.checked else None
    found: dict[str, Check] = {}
    if asked.checked is not None:
        found["study"] = partial(_study, asked.checked, asked.participant)
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        found["install"] = lambda: [Found("install/missing", {"why": ", ".join(missing)})]
    else:
        found["graphics"] = partial(_graphics, study)
        found["sound"] = partial(_sound, study)
        found["streams"] = partial(_streams, asked)
    if asked.checked is not None:
        found["camera"] = partial(_camera, asked)
        found["disk"] = partial(_disk, asked.checked, asked.data)
        found["session"] = partial(_session, asked)
    found["clock"] = partial(_clock, asked.checked)
    found["sleep"] = lambda: [machine.judge_sleep(machine.sleep())]
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


def _graphics(study: Study | None) -> Sequence[Found]:
    wanted_px = study.screen.size_px if study is not None and study.screen.fullscreen else None
    return machine.judge_graphics(machine.graphics(), wanted_px=wanted_px)


def _sound(study: Study | None) -> Sequence[Found]:
    return [machine.judge_sound(machine.sound(), required=study is None or study.screen.sound == "required")]


def _clock(checked: Checked | None) -> Sequence[Found]:
    return [machine.judge_clock(machine.clock(written_s=checked.path.stat().st_mtime if checked else None))]


def _streams(asked: Asked) -> Sequence[Found]:
    """Listen, then judge: the network, each stream, the EEG's channels, what the device says of itself."""
    from collector.preflight import channels, tap
    from collector.wanted import wanted

    study = asked.checked.study if asked.checked else None
    # markers are the window's own, and that is not open yet
    devices = [one for one in wanted(study, uid=None) if one.kind != "markers"] if study else []
    if study is not None:  # importing MNE-Python takes a second or two: while LSL looks for streams
        threading.Thread(target=channels.known, args=(study.eeg.montage,), daemon=True).start()
    network = tap.listen(devices, find_s=tap.FIND_S if asked.find_s is None else asked.find_s)
    planned_s = asked.checked.planned.length_s if asked.checked and not asked.checked.faults else 0.0
    return judge_streams(network, study, confined=asked.twin, planned_s=planned_s)


def judge_streams(network: Network, study: Study | None, *, confined: bool, planned_s: float) -> list[Found]:
    """Judge all that was measured of LSL. Pure, but for the list of the montage's labels."""
    from collector.preflight import channels, contact, streams
    from collector.preflight import network as lsl

    found = lsl.judge(network, confined=confined, where=os.environ.get(*_CONFIGURED))
    if study is None:
        return found
    found += streams.judge(network.answers, study)
    heard = [(answer.wanted.kind, answer.heard) for answer in network.answers if answer.heard is not None and answer.heard.n]
    for kind, one in heard:
        if kind == "eeg":
            found += channels.judge(one, study, montage=channels.known(study.eeg.montage))
    quality = [one for kind, one in heard if kind in ("contact_quality", "eeg_quality")]
    return found + contact.judge(quality, planned_s=planned_s)


def _camera(asked: Asked) -> Sequence[Found]:
    from collector.job import camera_source
    from collector.preflight import camera

    assert asked.checked is not None
    study = asked.checked.study
    source = camera_source(study, twin=asked.twin, base=asked.checked.path)
    if source is None or study.camera is None or not asked.face:
        return [Found("camera/off", {"why": "camera = false" if asked.face else "--no-face"})]
    return camera.judge(camera.film(source.open), study.camera)


def _disk(checked: Checked, data: Path) -> Sequence[Found]:
    room = place.look(data)
    return [place.judge_room(room, checked.planned), place.judge_encryption(*place.encryption(room.folder))]


def _session(asked: Asked) -> Sequence[Found]:
    return [place.judge_session(place.other_session(asked.data, participant=asked.participant, twin=asked.twin))]
