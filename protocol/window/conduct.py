"""Puts window, sound, markers and wire together, and runs one session in them."""

from __future__ import annotations

import gc
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType

import pylsl

from protocol import folder, lsl, schedule, session
from protocol import study as study_file
from protocol.folder import Run, Session
from protocol.journal import Journal
from protocol.link import Link
from protocol.ports import Stopped
from protocol.session import Ending
from protocol.study import Study, StudyError
from protocol.study_files import StudyFiles, load_study
from protocol.window.display import Display
from protocol.window.errors import WindowError
from protocol.window.habits import FlipLog, HabitualTable
from protocol.window.outlet import MarkerOutlet
from protocol.window.screens import WindowScreen
from protocol.window.sound import SoundError, Speaker
from protocol.window.wire import Wire

logger = logging.getLogger(__name__)

CONSUMERS_S = 30.0  # the collector starts at the same time and opens a camera first
LINGER_S = 1.0  # the last markers still leave


class LslClock:
    """The LSL clock."""

    @staticmethod
    def now() -> float:
        """Return LSL seconds."""
        return float(pylsl.local_clock())


def conduct(run_dir: Path, study_path: Path, *, size_px: tuple[int, int] | None, windowed: bool, twin: bool) -> Ending:
    """Run the session of a run's folder in a window.

    Raises
    ------
    FolderError, StudyError, ManifestError, ScheduleError, WindowError
        Before the session begins; one line with the cure.
    """
    run = folder.open_run(run_dir)
    record = Session.load(run.session_json)
    files = _same_study(run, record, study_path)
    trials = schedule.plan(files.study, files.entries, record.participant)
    lsl.configure()
    with ExitStack() as stack:
        outlet = MarkerOutlet(record.uid)
        journal = stack.enter_context(Journal(run.journal("window"), now=LslClock.now))
        wire = stack.enter_context(Wire(Link.from_environment("window", now=LslClock.now), twin=twin))
        stack.enter_context(_signals(wire))
        speaker = _speaker(files, journal)
        if speaker is not None:
            stack.enter_context(closing(speaker))
        flips = stack.enter_context(FlipLog(run.flips_csv))
        display = stack.enter_context(closing(_display(files.study, size_px, windowed=windowed, wire=wire, flips=flips)))
        _describe(display, files.study, journal)
        table = HabitualTable(run, record)
        _wait_for_recorder(display, outlet, wire, journal)
        screen = WindowScreen(display, speaker=speaker, wire=wire, colors=_colors(files.study))
        # what was imported is not searched for garbage again: that takes 0.1 s, in the middle of a clip
        gc.collect()
        gc.freeze()
        ending = session.run(
            study=files.study, trials=trials, clips=files.clips, clock=LslClock(), screen=screen, outlet=outlet,
            journal=journal, table=table, record=record,
        )  # fmt: skip
        display.clear()
        wire.enter("end")
        table.save_psydat()
        time.sleep(LINGER_S)
    return ending


def _same_study(run: Run, record: Session, study_path: Path) -> StudyFiles:
    """Load the study that the run was started with; one that was changed since is refused."""
    if study_file.digest(run.study_toml) != record.study_sha256:
        raise StudyError(f"{run.study_toml}: is not the file that session.json names; restore it from a copy")
    files = load_study(study_path, hashes=False)  # the launcher has just compared every clip's hash
    if study_file.digest(files.path) != record.study_sha256:
        raise StudyError(f"{files.path}: was changed after {run.path} was begun; start a new run")
    return files


def _speaker(files: StudyFiles, journal: Journal) -> Speaker | None:
    """Open the sound device; a study that allows silence goes on without one, and says so."""
    try:
        speaker = Speaker(now=LslClock.now)
    except SoundError as error:
        if files.study.screen.sound == "required":
            raise WindowError(
                f"{files.path}: screen.sound = 'required': {error}; connect a sound device, or allow 'silent'"
            ) from error
        logger.warning("no sound: %s", error)
        journal.write("alarm", "sound/none", {"reason": str(error)})
        return None
    journal.write("note", "sound", {"device": speaker.name})
    return speaker


def _display(study: Study, size_px: tuple[int, int] | None, *, windowed: bool, wire: Wire, flips: FlipLog) -> Display:
    screen = study.screen
    fullscreen = screen.fullscreen and not windowed
    return Display(screen, size_px=size_px or screen.size_px, fullscreen=fullscreen, wire=wire, flips=flips)


def _describe(display: Display, study: Study, journal: Journal) -> None:
    """Note what the screen turned out to be, and when it is not what the study says."""
    sheet, refresh = display.sheet, display.refresh
    journal.write(
        "note",
        "screen",
        {
            "size_px": [sheet.width_px, sheet.height_px],
            "period_s": refresh.period_s,
            "vsync": refresh.vsync,
            "measured_s": refresh.measured_s,
        },
    )
    if not refresh.vsync:
        wanted_hz = study.screen.refresh_hz
        logger.warning("the display keeps no steady %g Hz: flips are paced in software", wanted_hz)
        journal.write("alarm", "screen/paced", {"refresh_hz": wanted_hz, "measured_s": refresh.measured_s})


def _wait_for_recorder(display: Display, outlet: MarkerOutlet, wire: Wire, journal: Journal) -> None:
    """Show the calm screen until somebody records the markers, for a time.

    That somebody receives them is not enough where there is a launcher: a simulated device listens too, or a second recorder on
    the network. The launcher knows when the collector does.
    """
    wire.enter("waiting")
    deadline_s = display.now() + CONSUMERS_S
    try:
        while not (outlet.has_consumers and wire.started) and display.now() < deadline_s:
            display.keep_page()
    except Stopped:
        return  # the session begins, sees the same wish at its first flip, and ends in order
    if not (outlet.has_consumers and wire.started):
        logger.warning("nobody records the markers")
        journal.write("alarm", "markers/unrecorded", {"waited_s": CONSUMERS_S})


@contextmanager
def _signals(wire: Wire) -> Iterator[None]:
    """End the session in order when the process is asked to end."""

    def stop(number: int, _: FrameType | None) -> None:
        wire.stop(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _colors(study: Study) -> dict[str, str]:
    return {name: emotion.color for name, emotion in study.emotions.items()}
