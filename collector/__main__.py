"""The collector process: ``python -P -m collector RUN_DIR --study STUDY``, as the launcher starts it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from protocol import commands
from protocol.folder import FolderError
from protocol.lsl import LslError
from protocol.study import StudyError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def record(
    run_dir: Annotated[Path, typer.Argument(help="Folder of the run, with session.json in it.")],
    study: Annotated[Path | None, typer.Option(help="Study file; files that it names lie beside it.")] = None,
    twin: Annotated[bool, typer.Option("--twin", help="The simulated camera.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the required streams.", min=0)] = 60.0,
) -> None:
    """Record one session: streams and camera, until the window says session/end.

    Example: python -P -m collector data/sub-07/ses-01/run-01 --study study

    Ends with 0 after a complete session, 1 after an aborted one or when a required stream is missing, 3 when something
    broke, such as a disk that is full.
    """
    from collector.job import BrokenError, record_session
    from collector.recorder import RefusedError

    try:
        end = record_session(run_dir, study_path=study, twin=twin, wait_s=wait)
    except RefusedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(commands.CHECK_FAILED) from None
    except BrokenError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(commands.FAULT) from None
    if end.end != "complete":
        typer.echo(f"aborted{f': {end.reason}' if end.reason else ''}", err=True)
        raise typer.Exit(commands.CHECK_FAILED)


if __name__ == "__main__":
    from collector.camera import CameraError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    commands.run(app, (FolderError, StudyError, LslError, CameraError))
