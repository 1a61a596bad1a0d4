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

from protocol import folder, lsl, markers, past, schedule, session
from protocol import journal as journals
from protocol import study as study_file
from protocol.folder import FolderError, Run, Session
from protocol.journal import Journal, boot_id
from protocol.link import Link
from protocol.past import Past
from protocol.ports import Asked, Stopped
from protocol.schedule import Trial
from protocol.session import Ending
from protocol.study import Study, StudyError
from protocol.study_files import StudyFiles, load_study
from protocol.window.display import Display
from protocol.window.errors import WindowError
from protocol.window.habits import FlipLog, HabitualTable, last_flip
from protocol.window.outlet import MarkerOutlet
from protocol.window.screens import WindowScreen
from protocol.window.sound import SoundError, Speaker
from protocol.window.wire import Wire
from protocol.words import WORDS

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
    trials = schedule.plan(files.study, files.entries, record.participant, replaces=record.replaces)
    stood = _stood(run)
    lsl.configure()
    with ExitStack() as stack:
        outlet = MarkerOutlet(record.uid)
        journal = stack.enter_context(Journal(run.journal("window"), now=LslClock.now))
        wire = stack.enter_context(_wire(stood, twin=twin))
        stack.enter_context(_signals(wire))
        speaker = _speaker(files, journal)
        if speaker is not None:
            stack.enter_context(closing(speaker))
        flips = stack.enter_context(FlipLog(run.flips_csv))
        display = stack.enter_context(closing(_display(files.study, size_px, windowed=windowed, wire=wire, flips=flips)))
        _describe(display, files.study, journal)
        table = HabitualTable(run, record)
        _wait_for_recorder(display, outlet, wire, journal)
        words = WORDS[files.study.study.language]
        screen = WindowScreen(display, speaker=speaker, wire=wire, colors=_colors(files.study), words=words)
        # what was imported is not searched for garbage again: that takes 0.1 s, in the middle of a clip
        gc.collect()
        gc.freeze()
        ending = session.run(
            study=files.study, trials=_left(trials, record), clips=files.clips, clock=LslClock(), screen=screen,
            outlet=outlet, journal=journal, table=table, record=record, past=stood, before=record.begun,
            n_trials=len(trials),
        )  # fmt: skip
        display.clear()
        wire.enter("end")
        table.save_psydat()
        time.sleep(LINGER_S)
    return ending


def _stood(run: Run) -> Past | None:
    """Return where a window of this run stood that died; None where there was none."""
    path = run.journal("window")
    rows = journals.read(path) if path.exists() else []
    if rows and rows[-1].boot != boot_id():
        raise FolderError(
            f"{path}: this run was begun before the computer started anew; go on in a new one: emo-run .. --resume"
        )
    return past.read(rows, t_flip=last_flip(run.flips_csv)) if rows else None


def _wire(stood: Past | None, *, twin: bool) -> Wire:
    """Open the wire; what a window before this one was asked to hold for holds until somebody lets it go."""
    holding = stood.holding if stood is not None else None
    return Wire(Link.from_environment("window", now=LslClock.now), twin=twin, hold=holding)


def _left(trials: tuple[Trial, ...], record: Session) -> tuple[Trial, ...]:
    """Return the trials of this run: of one that resumes another those that are left."""
    return trials if record.trials is None else tuple(trial for trial in trials if trial.trial in record.trials)


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
    the network. The launcher knows when the collector does: it is told which outlet this is, because a recorder may still hold
    that of a window before this one. As long as the launcher says that an operator has still to begin, no time runs.
    """
    wire.enter(markers.encode("waiting", {"uid": outlet.uid}))
    deadline_s = display.now() + CONSUMERS_S
    while not (outlet.has_consumers and wire.started) and display.now() < deadline_s:
        if wire.waited_for:
            deadline_s = display.now() + CONSUMERS_S
        try:
            display.keep_page()
        except Stopped as stopped:
            # the session begins, sees the same wish at its first flip, and ends in order
            wire.stop(stopped.reason, at_once=stopped.at_once)
            return
        except Asked as asked:
            logger.info("%s: nothing is on the screen yet", asked)
    if not (outlet.has_consumers and wire.started):
        logger.warning("nobody records the markers")
        journal.write("alarm", "markers/unrecorded", {"waited_s": CONSUMERS_S})


@contextmanager
def _signals(wire: Wire) -> Iterator[None]:
    """End the session in order when the process is asked to end."""

    def stop(number: int, _: FrameType | None) -> None:
        wire.stop(signal.Signals(number).name, at_once=True)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _colors(study: Study) -> dict[str, str]:
    return {name: emotion.color for name, emotion in study.emotions.items()}
