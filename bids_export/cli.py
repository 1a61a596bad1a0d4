"""``emo-export``: session folders to BIDS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bids_export.place import PlaceError
from bids_export.recording import RecordingError
from collector.xdf import XdfError
from protocol import commands
from protocol.folder import FolderError
from protocol.study import StudyError
from stimuli.manifest import ManifestError

BAD_INPUT = (RecordingError, PlaceError, FolderError, StudyError, ManifestError, XdfError)

export_app = typer.Typer(add_completion=False, rich_markup_mode=None)
out, err = Console(soft_wrap=True), Console(stderr=True)

Labels = Annotated[
    list[str] | None, typer.Option("--participant-label", help="Only this participant; may be given several times.")
]


@export_app.command()
def export(
    data: Annotated[Path, typer.Argument(help="Folder with the recordings: sub-*/ses-*/run-*.", metavar="DATA")],
    root: Annotated[Path, typer.Argument(help="Where the dataset goes.", metavar="BIDS_ROOT")],
    participant_label: Labels = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="These are recordings of the twin.")] = False,
    include_excluded: Annotated[
        bool, typer.Option("--include-excluded", help="Also export the recordings of participants whom the rule leaves out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Turn recordings into a BIDS dataset: one clock, validated and read back before it is put in place.

    Example: emo-export data bids

    Participants below the study's rule on contact quality stay in participants.tsv with the reason; their recordings are left
    out. A dataset that this command made before is replaced; what others put into it, such as derivatives, stays.

    Ends with 0 when the dataset is in place; 1 when nobody is kept, or what was built is not valid BIDS or does not read back
    as recorded (nothing is put in place); 2 for bad input (nothing is written).
    """
    # mne alone takes a second: not for --help
    from bids_export import dataset
    from bids_export.readback import ReadbackError
    from bids_export.validate import ValidatorError

    options = dataset.Options(
        simulated=simulated, include_excluded=include_excluded, participants=tuple(_label(x) for x in participant_label or ())
    )
    try:
        with _progress() as told:
            done = dataset.export(data.absolute(), root.absolute(), options, progress=told)
    except (dataset.NothingKeptError, dataset.InvalidError, ReadbackError, ValidatorError) as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(commands.CHECK_FAILED) from None
    if as_json:
        out.print_json(json.dumps(record(done)))
    else:
        _tell(done)


def _label(text: str) -> str:
    """Take ``sub-07`` for ``07``, as other BIDS tools do."""
    return text.removeprefix("sub-")


def record(done: Any) -> dict[str, Any]:
    """Return what ``--json`` prints of an export."""
    people = [
        {
            "participant": p.label,
            "included": p.included,
            "contact_quality": p.quality,
            "exclusion_reason": p.reason,
            "sessions": [s.session for s in p.sessions],
        }
        for p in done.survey.participants
    ]
    issues = [{"code": i.code, "severity": i.severity, "n": i.n, "first": i.first} for i in done.verdict.issues]
    return {
        "schema": 1, "root": str(done.root), "simulated": done.survey.simulated, "participants": people,
        "runs": list(done.runs), "errors": len(done.verdict.errors), "warnings": len(done.verdict.warnings), "issues": issues,
        "validator": done.verdict.version, "unknown": list(done.unknown), "notes": list(done.notes),
    }  # fmt: skip


def _tell(done: Any) -> None:
    kept = sum(p.included for p in done.survey.participants)
    table = Table(title=f"{done.survey.study.study.name}: {kept} of {len(done.survey.participants)} participants kept")
    for name in ("participant", "contact quality", "kept", "why not"):
        table.add_column(name)
    for p in done.survey.participants:
        quality = "n/a" if p.quality is None else f"{p.quality:.2%}"
        table.add_row(f"sub-{p.label}", quality, "yes" if p.included else "no", escape(p.reason or ""))
    out.print(table)
    for note in done.notes:
        out.print(f"note: {note}", markup=False, highlight=False)
    for issue in done.verdict.warnings:
        out.print(f"warning of the validator: {issue.n} x {issue.code}: {issue.first}", markup=False, highlight=False)
    if done.unknown:
        out.print(f"the study does not say: {', '.join(done.unknown)}; left out, not invented", markup=False, highlight=False)
    counts = f"0 errors, {len(done.verdict.warnings)} warnings (bids-validator-deno {done.verdict.version})"
    out.print(f"{done.root}: {len(done.runs)} recordings, read back; {counts}", markup=False, highlight=False)


@contextmanager
def _progress() -> Iterator[Any]:
    """Show what is being done, on a terminal alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def told(what: str, name: str, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            else:
                bars.advance(tasks[what])
            bars.update(tasks[what], description=f"{what} {escape(name)}")

        yield told


app = typer.Typer(help="Session folders to BIDS.", add_completion=False, no_args_is_help=True, rich_markup_mode=None)
app.command("export")(export)


@app.callback()
def _room() -> None:
    """Session folders to BIDS."""


def main() -> NoReturn:
    """Run ``python -P -m bids_export``."""
    commands.run(app, BAD_INPUT)


def export_main() -> NoReturn:
    """Run ``emo-export``."""
    commands.run(export_app, BAD_INPUT)
