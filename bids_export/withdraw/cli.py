"""``emo-withdraw``: one participant's bytes, everywhere."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bids_export.console import out, progress
from bids_export.place import PlaceError
from bids_export.recording import RecordingError
from bids_export.withdraw.hand import WithdrawError
from protocol import commands
from protocol.folder import FolderError
from protocol.study import StudyError

if TYPE_CHECKING:
    from bids_export.withdraw.job import Done

BAD_INPUT = (WithdrawError, RecordingError, PlaceError, FolderError, StudyError)
DATA = Path("data")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ScopeName(StrEnum):
    """One scope of the consent, or all of it."""

    all = "all"
    face = "face"
    share = "share"
    train = "train"


@app.command()
def withdraw(
    label: Annotated[str, typer.Argument(help="Label of the participant, as in sub-07.", metavar="ID")],
    data: Annotated[Path | None, typer.Option("--data", help="Folder with the recordings; data if left out and there.")] = None,
    bids: Annotated[
        list[Path] | None,
        typer.Option("--bids", help="A dataset with its derivatives, or a derivative elsewhere; may be given several times."),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(help="Study file that says how LabRecorder's files are named; else the one in the data folder."),
    ] = None,
    scope: Annotated[ScopeName, typer.Option("--scope", help="Take back one scope of the consent and keep the rest.")] = (
        ScopeName.all
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Remove one participant's bytes from data, datasets, derivatives and caches; nothing brings them back.

    Example: emo-withdraw 07 --data data --bids bids

    --scope face: the videos, and what was computed from them. --scope share: everything in datasets made with --profile
    shareable. --scope train: features and by-products of training. Models that have learnt from the participant are named, and
    not used any more until they are trained again. What was interrupted, the same command completes.

    Ends with 0 when nothing is left, with 1 when a file still names the participant or shows what was withdrawn, with 2 for bad
    input (nothing is changed).
    """
    from bids_export.withdraw import job  # pydantic's records take a moment: not for --help

    folder = data.absolute() if data is not None else DATA.absolute() if DATA.is_dir() else None
    if folder is not None and not folder.is_dir():
        raise WithdrawError(f"--data = {data}: is no folder; name the data folder that holds sub-*/ses-*/run-*")
    roots = tuple(path.absolute() for path in bids or ())
    asked = job.Asked(label.removeprefix("sub-"), folder, roots, scope.value, dry_run, study)
    job.check(asked)
    if not (dry_run or yes):
        _confirm(asked)
    with progress() as told:
        done = job.withdraw(asked, progress=told)
    if as_json:
        out.print_json(json.dumps(record(done)))
    else:
        _tell(done)
    if done.left:
        raise typer.Exit(commands.CHECK_FAILED)


def _confirm(asked: Any) -> None:
    if not sys.stdin.isatty():
        raise WithdrawError("--yes: not given, and no terminal to ask on; look first with --dry-run")
    what = "everything of" if asked.scope == "all" else f"the scope {asked.scope} of"
    where = ", ".join(str(path) for path in (asked.data, *asked.roots) if path is not None)
    typer.confirm(f"Remove {what} sub-{asked.label} in {where}? Nothing brings it back", abort=True)


def record(done: Done) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    from bids_export.withdraw.job import BEYOND

    hand = done.hand
    return {
        "schema": 1, "participant": done.asked.label, "scope": done.asked.scope, "dry_run": done.asked.dry,
        "removed": sorted({str(path) for path in hand.removed}), "changed": sorted({str(path) for path in hand.changed}),
        "models": list(done.models), "left": [str(path) for path in done.left], "notes": list(hand.notes),
        "beyond_reach": list(BEYOND), "tombstone": str(done.stone) if done.stone else None,
    }  # fmt: skip


def _tell(done: Done) -> None:
    said = record(done)
    would = "would be " if done.asked.dry else ""

    def line(text: str) -> None:
        out.print(text, markup=False, highlight=False)

    if done.asked.dry:
        for path in (*said["removed"], *(f"{path} (changed)" for path in said["changed"])):
            line(f"  {path}")
    counts = f"{len(said['removed'])} files {would}removed, {len(said['changed'])} changed"
    line(f"sub-{done.asked.label}, {done.asked.scope}: {counts}")
    for path in said["models"]:
        line(f"has learnt from the participant, and is not used until it is trained again (emo-train) or removed: {path}")
    for note in said["notes"]:
        line(f"note: {note}")
    for path in said["left"]:
        line(f"still names the participant, or may be theirs; look into it: {path}")
    if not done.asked.dry:
        line("beyond reach: " + "; ".join(said["beyond_reach"]))
        line(f"tombstone: {said['tombstone']}")


def main() -> NoReturn:
    """Run ``emo-withdraw``."""
    commands.run(app, BAD_INPUT)
