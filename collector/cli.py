"""``emo-record``: the recorder alone, and what is in a recording."""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.prompt import Prompt
from rich.table import Column, Table

from collector.consent import ConsentError, agreement
from collector.disk import RoomError
from collector.xdf import Report, XdfError, check
from protocol import commands
from protocol import study as study_file
from protocol.folder import Consent, FolderError
from protocol.lsl import LslError
from protocol.study import Study, StudyError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="The recorder alone.")


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
    screen.print("waiting for the streams; Ctrl-C ends the recording")
    broke = ""
    try:
        record_file(out, told, consent=consent, twin=twin, base=study, wait_s=wait, length_s=60 * minutes)
    except RefusedError as error:
        screen.print(str(error), markup=False, highlight=False)
        raise typer.Exit(commands.CHECK_FAILED) from None
    except BrokenError as error:
        broke = str(error)
    if out.exists():
        _tell(out, check(out), as_json=as_json)
    if broke:
        screen.print(broke, markup=False, highlight=False)
        raise typer.Exit(commands.FAULT)


def _consent(agreed: str | None, study: Study, screen: Console, *, twin: bool) -> Consent:
    form = study.consent
    if agreed is None and twin:
        agreed = ",".join(form.scopes)
    ask = partial(Prompt.ask, console=screen) if sys.stdin.isatty() and screen.is_terminal else None
    return agreement(agreed, form, answer=(lambda question, default: ask(question, default=default)) if ask else None)


@app.command(name="check", short_help="Say what is in a recording, and whether it is whole.")
def check_command(
    file: Annotated[Path, typer.Argument(help="XDF file, ours or another recorder's.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read a recording chunk by chunk, with its checksums where they lie beside it, and say what is in it.

    Ends with 0 when every byte is accounted for, 1 when something is damaged.

    Example: emo-record check data/sub-07/ses-01/run-01/sub-07_ses-01_task-emotion_run-01_eeg.xdf
    """
    try:
        report = check(file)
    except OSError as error:
        raise FolderError(f"{file}: {error.strerror or error}; give an XDF file") from None
    _tell(file, report, as_json=as_json)
    if report.damage:
        raise typer.Exit(commands.CHECK_FAILED)


def verdict(report: Report) -> str:
    """Say in one line whether a recording is whole."""
    if report.damage:
        lost = sum(d.stop - d.start for d in report.damage)
        return f"damaged: {len(report.damage)} places, {lost} bytes left out"
    sums = (
        f"{report.n_verified} of {report.n_chunks} chunks match their checksums"
        if report.n_verified
        else "no checksums beside it"
    )
    return f"whole: {sums}" if report.closed else f"whole up to its end, but never closed: {sums}"


def _tell(file: Path, report: Report, *, as_json: bool) -> None:
    screen = Console(soft_wrap=True)
    if as_json:
        record = {
            "schema": 1,
            "file": str(file),
            "verdict": verdict(report),
            "closed": report.closed,
            **dataclasses.asdict(report),
        }
        screen.print_json(json.dumps(record))
        return
    # no frame: Emotiv's long names fit into 80 columns
    columns = (Column(name, justify="right") for name in ("samples", "from (s)", "to (s)", "offsets"))
    table = Table("id", Column("stream", overflow="fold"), *columns, box=None, pad_edge=False)
    for s in sorted(report.streams, key=lambda s: s.id):
        ends = ("" if t is None else f"{t:.3f}" for t in (s.t_first, s.t_last))
        table.add_row(str(s.id), s.name, str(s.n), *ends, str(s.n_offsets))
    screen.print(table)
    for d in report.damage:
        screen.print(f"bytes {d.start} to {d.stop}: {d.why}", markup=False, highlight=False)
    screen.print(f"{file}: {verdict(report)}", markup=False, highlight=False)


def main() -> NoReturn:
    """Run ``emo-record``."""
    from collector.camera import CameraError

    commands.run(app, (XdfError, FolderError, StudyError, LslError, CameraError, ConsentError, RoomError))
