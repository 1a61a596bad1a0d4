"""``emo-export`` and ``emo-report``: session folders to BIDS, and what they are worth."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape
from rich.table import Table

from bids_export import report_cli
from bids_export.console import out, progress
from bids_export.events import EventsError
from bids_export.place import PlaceError
from bids_export.recording import RecordingError
from bids_export.report.facts import ReportError
from collector.xdf import XdfError
from protocol import commands
from protocol.folder import FolderError
from protocol.study import StudyError
from protocol.trials import TrialsError
from stimuli.manifest import ManifestError

BAD_INPUT = (RecordingError, PlaceError, FolderError, StudyError, ManifestError, XdfError)
REPORT_BAD_INPUT = (*BAD_INPUT, ReportError, EventsError, TrialsError)

_NAMED = 3  # recordings that lack the same; of more the number is told, and --json has each

export_app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Profile(StrEnum):
    """Who a dataset is for."""

    internal = "internal"
    shareable = "shareable"


Labels = Annotated[
    list[str] | None, typer.Option("--participant-label", help="Only this participant; may be given several times.")
]


@export_app.command()
def export(
    data: Annotated[
        Path, typer.Argument(help="Folder with the recordings: sub-*/ses-*/run-*, or LabRecorder's.", metavar="DATA")
    ],
    root: Annotated[Path, typer.Argument(help="Where the dataset goes.", metavar="BIDS_ROOT")],
    participant_label: Labels = None,
    profile: Annotated[Profile, typer.Option("--profile", help="Who it is for: the laboratory, or others.")] = Profile.internal,
    simulated: Annotated[bool, typer.Option("--simulated", help="These are recordings of the twin.")] = False,
    include_excluded: Annotated[
        bool, typer.Option("--include-excluded", help="Also export the recordings of participants whom the rule leaves out.")
    ] = False,
    study: Annotated[
        Path | None, typer.Option(help="Study file that says what LabRecorder's recordings hold; else the one in DATA.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Turn recordings into a BIDS dataset: one clock, validated and read back before it is put in place.

    Example: emo-export data bids

    Participants below the study's rule on contact quality stay in participants.tsv with the reason; their recordings are left
    out. A dataset that this command made before is brought up to date: sessions that have not changed are not touched, nor is
    what others put into it, such as derivatives. A crash leaves it as it was, or is made good by the next export.

    --profile shareable: of those who agreed to share, without video, sources and serial numbers, dates shifted by an offset
    that a secret file beside DATA decides, always into a new folder. See docs/privacy.md.

    LabRecorder's recordings are taken too, as the table [labrecorder] of the study file says: docs/labrecorder.md.

    Ends with 0 when the dataset is in place; 1 when nobody is kept, or what was built is not valid BIDS or does not read back
    as recorded (nothing is put in place); 2 for bad input (nothing is written).
    """
    # mne alone takes a second: not for --help
    from bids_export import dataset, privacy
    from bids_export.readback import ReadbackError
    from bids_export.validate import ValidatorError

    options = dataset.Options(
        simulated=simulated, include_excluded=include_excluded, participants=tuple(_label(x) for x in participant_label or ()),
        profile=privacy.of(profile.value, data.absolute()), study=study,
    )  # fmt: skip
    try:
        with progress() as told, _for_owner(alone=profile is Profile.internal):
            done = dataset.export(data.absolute(), root.absolute(), options, progress=told)
    except (dataset.NothingKeptError, dataset.InvalidError, ReadbackError, ValidatorError) as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(commands.CHECK_FAILED) from None
    if as_json:
        out.print_json(json.dumps(record(done)))
    else:
        _tell(done)


@contextmanager
def _for_owner(*, alone: bool) -> Iterator[None]:
    """Make new files readable by their owner alone: the internal dataset holds faces."""
    before = os.umask(0o077) if alone else None
    try:
        yield
    finally:
        if before is not None:
            os.umask(before)


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
        "runs": list(done.runs), "written": list(done.written), "left": list(done.left), "errors": len(done.verdict.errors),
        "warnings": len(done.verdict.warnings), "issues": issues,
        "validator": done.verdict.version, "unknown": list(done.unknown), "notes": list(done.notes),
        "missing": {run: list(lines) for run, lines in done.missing.items()},
    }  # fmt: skip


def _by_text(missing: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Return which recordings lack the same."""
    found: dict[str, list[str]] = {}
    for run, lines in missing.items():
        for text in lines:
            found.setdefault(text, []).append(run)
    return found


def _tell(done: Any) -> None:
    kept = sum(p.included for p in done.survey.participants)
    table = Table(title=f"{done.survey.study.study.name}: {kept} of {len(done.survey.participants)} participants kept")
    for name in ("participant", "contact quality", "kept", "why not"):
        table.add_column(name)
    for p in done.survey.participants:
        quality = "n/a" if p.quality is None else f"{p.quality:.2%}"
        table.add_row(f"sub-{p.label}", quality, "yes" if p.included else "no", escape(p.reason or ""))
    out.print(table)
    left = f"not in {done.data}, left as they are: {', '.join(done.left)}"
    for note in (*done.notes, *((left,) if done.left else ())):
        out.print(f"note: {note}", markup=False, highlight=False)
    for text, runs in _by_text(done.missing).items():
        which = ", ".join(runs) if len(runs) <= _NAMED else f"{len(runs)} recordings of LabRecorder"
        out.print(f"{which}: {text}", markup=False, highlight=False)
    for issue in done.verdict.warnings:
        out.print(f"warning of the validator: {issue.n} x {issue.code}: {issue.first}", markup=False, highlight=False)
    if done.unknown:
        out.print(f"the study does not say: {', '.join(done.unknown)}; left out, not invented", markup=False, highlight=False)
    counts = f"0 errors, {len(done.verdict.warnings)} warnings (bids-validator-deno {done.verdict.version})"
    n_old = len(done.runs) - len(done.written)
    new = f"{len(done.written)} recordings written and read back{f', {n_old} left as they were' if n_old else ''}"
    out.print(f"{done.root}: {new}; {counts}", markup=False, highlight=False)


app = typer.Typer(
    help="Session folders to BIDS, and what they are worth.", add_completion=False, no_args_is_help=True, rich_markup_mode=None
)
app.command("export")(export)
app.command("report")(report_cli.report)


@app.callback()
def _room() -> None:
    """Session folders to BIDS, and what they are worth."""


def main() -> NoReturn:
    """Run ``python -P -m bids_export``."""
    commands.run(app, REPORT_BAD_INPUT)


def export_main() -> NoReturn:
    """Run ``emo-export``."""
    commands.run(export_app, BAD_INPUT)


def report_main() -> NoReturn:
    """Run ``emo-report``."""
    commands.run(report_cli.app, REPORT_BAD_INPUT)
