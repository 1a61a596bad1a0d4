"""What PsychoPy's users expect to find: a named monitor, ``.psydat``, both clocks at every flip."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from protocol import trials
from protocol.folder import Run, Session
from protocol.study import Screen as ScreenPart
from protocol.trials import TrialRow, TrialTable
from protocol.window.decode import Frame

MONITOR = "emolab"


def quieten() -> None:
    """Keep PsychoPy's warnings off the console; call it before anything else of PsychoPy is imported."""
    from psychopy import logging

    logging.console.setLevel(logging.ERROR)


def monitor(screen: ScreenPart) -> Any:
    """Return the participant's monitor, with its size and distance, so that visual angles come out right."""
    from psychopy import monitors

    named = monitors.Monitor(MONITOR, width=screen.width_m * 100, distance=screen.distance_m * 100, verbose=False)
    named.setSizePix(screen.size_px)
    return named


class FlipLog:
    """Every flip on both clocks, because the distance between them is not fixed: PsychoPy's is the wall clock.

    While a clip is on the screen, each flip also says which of its frames, and that frame's time within the clip. Nothing waits
    for the disk here, and nothing waits in this process: a window that is killed has told the system of every flip. One line a
    flip: 45 bytes, 10 MB an hour at 60 Hz.

    Parameters
    ----------
    path : Path
        ``.._flips.csv``; an existing file is continued.
    """

    def __init__(self, path: Path) -> None:
        new = not path.exists()
        self._file = path.open("a", buffering=1, encoding="ascii", newline="\n")
        if new:
            self._file.write("flip,t_lsl,t_psychopy,frame,pts_s\n")

    def add(self, n: int, t_lsl: float, t_psychopy: float, *, frame: Frame | None = None) -> None:
        """Write down flip ``n``."""
        shown = "," if frame is None else f"{frame.index},{frame.pts_s:.6f}"
        self._file.write(f"{n},{t_lsl:.6f},{t_psychopy:.6f},{shown}\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def last_flip(path: Path) -> float:
    """Return when the last flip was that a window wrote down, LSL seconds; 0 where there is none."""
    lines = path.read_text(encoding="ascii").splitlines()[1:] if path.exists() else []
    whole = [line.split(",") for line in lines if line.count(",") == 4]  # the last line may be torn
    return float(whole[-1][1]) if whole else 0.0


class HabitualTable(TrialTable):
    """Our trial table, which also goes into PsychoPy's ``.psydat``.

    The CSV is ours alone: PsychoPy's autosave and its wide text are off, else every trial would stand there twice. The
    ``.psydat`` is written once, when the session ends, complete or not; it is a pickle, and nothing of ours reads it.

    Parameters
    ----------
    run : Run
        Where the session lies.
    record : Session
        Who; it becomes PsychoPy's ``expInfo``.
    """

    def __init__(self, run: Run, record: Session) -> None:
        from psychopy import data

        super().__init__(run.trials_csv)
        self._psydat = run.psydat
        info = {key: getattr(record, key) for key in ("participant", "session", "run", "uid", "simulated")}
        self._experiment = data.ExperimentHandler(
            name=record.task, version=record.versions.get("emolab", ""), extraInfo=info | {"date": record.created_wall},
            savePickle=False, saveWideText=False, dataFileName=str(run.psydat.with_suffix("")), autoLog=False,
        )  # fmt: skip
        for row in trials.read(run.trials_csv):  # of a window before this one
            self._enter(row)

    def append(self, row: TrialRow) -> None:
        """Write an attempt at a trial to the CSV and add it to PsychoPy's experiment."""
        super().append(row)
        self._enter(row)

    def _enter(self, row: TrialRow) -> None:
        for field in fields(row):
            self._experiment.addData(field.metadata.get("column", field.name), getattr(row, field.name))
        self._experiment.nextEntry()

    def save_psydat(self) -> None:
        """Write the ``.psydat``; one of an earlier start of this run is kept."""
        self._experiment.saveAsPickle(str(self._psydat.with_suffix("")), fileCollisionMethod="rename")
