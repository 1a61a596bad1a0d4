"""A tiny study with a run that has begun, and a window process that shows it: for tests that open real windows."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from protocol import folder, study
from protocol.folder import Consent, Person, Run, Session
from protocol.journal import boot_id, wall_now
from protocol.link import Hub
from protocol.markers import decode
from protocol.messages import Beat, Command, Press
from stimuli.synthetic import make_clips

STUDY = """\
[study]
name = "Two clips"
language = "{language}"
[emotions]
happiness = {{ hed = "Joyful", color = "#E69F00" }}
fear = {{ hed = "Fearful", color = "#CC79A7" }}
[stimuli]
clips_per_emotion = 1
[timing]
baseline = 0.5
fixation = 0.3
rest = 0.3
[sync]
blinks = {blinks}
after = false
flashes = 0
[screen]
size_px = [{width}, {height}]
sound = "{sound}"
[consent]
version = "1"
"""
COLORS = {"happiness": "#E69F00", "fear": "#CC79A7"}


def begin_run(
    root: Path,
    *,
    duration_s: float = 1.0,
    size_px: tuple[int, int] = (640, 480),
    sound: str = "required",
    language: str = "en",
    blinks: int = 0,
) -> tuple[Run, Path]:
    """Write a study with two clips of 320x240, and the folder of a run as the launcher leaves it; return run and study."""
    lab = root / "study"
    make_clips(lab, COLORS, per_emotion=1, duration_s=duration_s, size_px=(320, 240))
    path = lab / "study.toml"
    path.write_text(
        STUDY.format(language=language, width=size_px[0], height=size_px[1], sound=sound, blinks=blinks), encoding="utf-8"
    )
    run = folder.create(root / "data", participant="07", session="01", task="emotion")
    run.study_toml.write_bytes(path.read_bytes())
    Session(
        uid=uuid.uuid4().hex, participant="07", session="01", run=run.run, task="emotion", simulated=True,
        study_sha256=study.digest(path), created_wall=wall_now(), created_lsl=0.0, boot=boot_id(), person=Person(),
        consent=Consent(version="1", scopes=("eeg", "face"), t_wall=wall_now()), versions={"emolab": "test"},
    ).save(run.session_json)  # fmt: skip
    return run, path


@contextmanager
def window(run: Run, study_path: Path, env: Mapping[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    """Start the window's process; end it, if it has not ended by itself."""
    command = [sys.executable, "-P", "-m", "protocol", str(run.path), "--study", str(study_path), *options]
    process = subprocess.Popen(command, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@dataclass
class Sitter:
    """Stands at the launcher's end of the wire: follows the beats and presses what each state asks for.

    Parameters
    ----------
    hub : Hub
        The launcher's end.
    keys : mapping of str to str
        Key by question, and by page; other pages are told which key they wait for.
    """

    hub: Hub
    keys: Mapping[str, str]
    states: list[str] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)

    def follow(self, process: subprocess.Popen[str], *, limit_s: float) -> None:
        """Answer until the process has ended."""
        for _ in range(round(limit_s / 0.05)):
            if process.poll() is not None:
                return
            for envelope in self.hub.receive(timeout_s=0.05):
                if isinstance(envelope.body, Beat):
                    self._see(envelope.body)
        raise AssertionError(f"the window did not end; it was last at {self.states[-1:]}")

    def _see(self, beat: Beat) -> None:
        self.beats.append(beat)
        if beat.state in self.states[-1:]:
            return
        self.states.append(beat.state)
        name, keys = decode(beat.state)
        if name == "waiting":
            self.hub.send("window", Command(verb="start"))
        self.answer(beat.state, self.keys.get(keys.get("question", name), keys.get("waits")))

    def answer(self, state: str, key: str | None) -> None:
        """Press a key of the simulated participant."""
        if key is not None:
            self.hub.send("window", Press(key=key))
