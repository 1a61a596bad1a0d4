"""``emo-record``: the recorder alone, and what is in a recording."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Column, Table

from collector.xdf import Report, XdfError, check
from protocol import commands
from protocol import study as study_file
from protocol.folder import FolderError
from protocol.lsl import LslError
from protocol.study import StudyError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="The recorder alone.")


@app.command(short_help="Record streams and camera until Ctrl-C.")
def run(
    study: Annotated[Path, typer.Argument(help="Study file, or its folder: which streams, which camera.")],
    out: Annotated[Path, typer.Option(help="XDF file to write; the video lies beside it as .mkv.")],
    twin: Annotated[bool, typer.Option("--twin", help="The simulated camera instead of the study's.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the required streams.", min=0)] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was recorded as JSON.")] = False,
) -> None:
    """Record a study's streams and camera until Ctrl-C, or until a window says session/end.

    For your own stimulus program: it needs no session, and there is no verdict.

    Example: emo-record run study --out pilot.xdf
    """
    from collector.job import record_file
    from collector.recorder import RefusedError

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    screen = Console(stderr=True, soft_wrap=True)
    screen.print("waiting for the streams; Ctrl-C ends the recording")
    try:
        record_file(out, study_file.load(study), twin=twin, base=study, wait_s=wait)
    except RefusedError as error:
        screen.print(str(error), markup=False, highlight=False)
        raise typer.Exit(commands.CHECK_FAILED) from None
    if out.exists():
        _tell(out, check(out), as_json=as_json)


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

    commands.run(app, (XdfError, FolderError, StudyError, LslError, CameraError))
