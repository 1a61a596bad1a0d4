"""``emo-record``: the recorder alone, and what is in a recording."""

from __future__ import annotations

import logging
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.prompt import Prompt

from collector import contact_cli, rescue_cli
from collector.consent import ConsentError, agreement
from collector.disk import RoomError
from collector.xdf import XdfError, check
from protocol import commands
from protocol import study as study_file
from protocol.folder import Consent, FolderError
from protocol.lsl import LslError
from protocol.study import Study, StudyError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="The recorder alone.")
app.command(short_help="Say what is in a recording, and whether it is whole.")(rescue_cli.check)
app.command(short_help="Say whether somebody wears the cap: cued blinks, and alpha.")(contact_cli.contact)
app.command(short_help="Make a whole recording, or run, out of what a crash left.")(rescue_cli.recover)


@app.command(short_help="Record streams and camera until Ctrl-C.")
def run(
    study: Annotated[Path, typer.Argument(help="Study file, or its folder: which streams, which camera.")],
    out: Annotated[Path, typer.Option(help="XDF file to write; the video lies beside it as .mkv.")],
    twin: Annotated[bool, typer.Option("--twin", help="The simulated camera instead of the study's.")] = False,
    agreed: Annotated[
        str | None, typer.Option("--consent", help="What the participant signed, as eeg,face; without face no camera.")
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the required streams.", min=0)] = 60.0,
    minutes: Annotated[float, typer.Option(help="How long a recording must fit onto the disk.", min=0)] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was recorded as JSON.")] = False,
) -> None:
    """Record a study's streams and camera until Ctrl-C, or until a window says session/end.

    For your own stimulus program: it needs no session, and there is no verdict. Nobody is recorded without consent: it is
    asked on a terminal, or named with --consent, and lies beside the file. A closed terminal ends the recording in order.

    Example: emo-record run study --out pilot.xdf --consent eeg,face

    Ends with 0; 1 when a required stream is missing; 2 for bad input (nothing is written); 3 when something broke, such as
    a disk that is full: what was recorded until then is whole.
    """
    from collector.job import BrokenError, record_file
    from collector.recorder import RefusedError

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    screen = Console(stderr=True, soft_wrap=True)
    told = study_file.load(study)
    consent = _consent(agreed, told, screen, twin=twin)
    broke = ""
    try:
        record_file(out, told, consent=consent, twin=twin, base=study, wait_s=wait, length_s=60 * minutes)
    except RefusedError as error:
        screen.print(str(error), markup=False, highlight=False)
        raise typer.Exit(commands.CHECK_FAILED) from None
    except BrokenError as error:
        broke = str(error)
    if out.exists():
        rescue_cli.show(out, check(out), as_json=as_json)
    if broke:
        screen.print(broke, markup=False, highlight=False)
        raise typer.Exit(commands.FAULT)


def _consent(agreed: str | None, study: Study, screen: Console, *, twin: bool) -> Consent:
    form = study.consent
    if agreed is None and twin:
        agreed = ",".join(form.scopes)
    ask = partial(Prompt.ask, console=screen) if sys.stdin.isatty() and screen.is_terminal else None
    return agreement(agreed, form, answer=(lambda question, default: ask(question, default=default)) if ask else None)


def main() -> NoReturn:
    """Run ``emo-record``."""
    from collector.camera import CameraError

    commands.run(app, (XdfError, FolderError, StudyError, LslError, CameraError, ConsentError, RoomError))
