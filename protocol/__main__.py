"""The participant window: ``python -P -m protocol RUN_DIR --study STUDY``; the launcher starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from protocol import commands, folder
from protocol.schedule import ScheduleError
from protocol.study import StudyError
from protocol.window.errors import WindowError
from stimuli.manifest import ManifestError

app = typer.Typer(add_completion=False)


@app.command()
def window(
    run_dir: Annotated[Path, typer.Argument(help="Folder of the run, with its session.json.")],
    study: Annotated[Path, typer.Option(help="The study file that the run was started with; its clips lie beside it.")],
    size: Annotated[str | None, typer.Option(help="Size of the window as WxH, instead of the study's screen.size_px.")] = None,
    windowed: Annotated[bool, typer.Option("--windowed", help="A window instead of the whole screen.")] = False,
    twin: Annotated[bool, typer.Option("--twin", help="Accept the keys of a simulated participant.")] = False,
) -> None:
    """Show one session to a participant. Exit 0: complete, 1: aborted, 2: bad input, 3: fault.

    Example: python -P -m protocol data/sub-07/ses-01/run-01 --study study
    """
    from protocol.window import conduct

    ending = conduct.conduct(run_dir, study, size_px=_size(size), windowed=windowed, twin=twin)
    if ending.end != "complete":
        typer.echo(f"{run_dir}: the session was ended: {ending.reason}", err=True)
        raise typer.Exit(commands.CHECK_FAILED)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) >= 320 and int(height) >= 240):
        raise WindowError(f"--size = {text}: write it as 1280x720, at least 320x240")
    return int(width), int(height)


def main() -> None:
    """Run the window and exit."""
    commands.run(app, (folder.FolderError, StudyError, ManifestError, ScheduleError, WindowError))


if __name__ == "__main__":
    main()
