"""``emo-record contact``: whether somebody wears the cap, out of a recording that may still be going on."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from collector import xdf
from protocol import commands, folder
from protocol import study as study_file
from protocol.folder import FolderError

if TYPE_CHECKING:
    from collector.contact import Found


def contact(
    run: Annotated[Path, typer.Argument(help="Folder of a run, also of one that is being recorded.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look for the blinks that answered the cues, and for alpha with closed eyes; the recording is only read.

    Contact quality can be green with the cap on a table: blinks cannot be there. Ends with 0 when they are, or when it cannot
    be judged (it says so), 1 when they are not, 2 for a folder that is no run.

    Example: emo-record contact data/sub-07/ses-01/run-01
    """
    found = read(run)
    screen = Console(soft_wrap=True)
    if as_json:
        screen.print_json(json.dumps({"schema": 1, **dataclasses.asdict(found)}))
    else:
        screen.print(in_words(found), markup=False, highlight=False)
    if found.state == "no_blinks":
        raise typer.Exit(commands.CHECK_FAILED)


def read(path: Path) -> Found:
    """Check the run at ``path``.

    Raises
    ------
    FolderError, StudyError, XdfError
        When it is no run of ours, or nothing is recorded yet.
    """
    from collector import contact_of  # scipy: half a second that the other commands need not wait for

    run = folder.open_run(path)
    told = study_file.load(run.study_toml)
    logger = logging.getLogger(xdf.read.__module__)
    before = logger.level
    logger.setLevel(logging.ERROR)  # the last chunk may be on its way to the disk: `check` is for damage
    try:
        return contact_of.check(xdf.read(run.xdf), told)
    except FileNotFoundError:
        raise FolderError(f"{run.xdf}: nothing is recorded yet; wait until the session has begun") from None
    finally:
        logger.setLevel(before)


def in_words(found: Found) -> str:
    """Say what was found in one line."""
    seen = f"{found.n_seen} of {found.n_cues} cues answered by a blink"
    where = f" ({', '.join(found.channels)})" if found.channels else ""
    late = "" if found.delay_s is None else f", {found.delay_s * 1e3:.0f} ms after the cue"
    alpha = "" if found.alpha is None else f"; alpha with eyes closed {found.alpha:.1f} times as strong"
    match found.state:
        case "ok":
            return f"contact: ok: {seen}{late}{where}{alpha}"
        case "no_blinks":
            return f"contact: no blinks: {found.why}{where}: does somebody wear the cap?{alpha}"
        case _:
            return f"contact: not checked: {found.why}{alpha}"
