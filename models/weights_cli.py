"""``emo-weights``: list, fetch and verify pretrained weights."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from models import commands, weights

app = typer.Typer(
    help="Pretrained weights, pinned by SHA-256. Nothing else of this project downloads anything.",
    no_args_is_help=True, add_completion=False,
)  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command("list", epilog="Example: emo-weights list")
def list_(*, as_json: Json = False) -> None:
    """Say which weights there are and which lie on this machine."""
    rows = [
        {
            "name": known.name,
            "here": (weights.folder() / known.file).is_file(),
            "file": str(weights.folder() / known.file),
            "url": known.url,
            "sha256": known.sha256,
            "size_B": known.size_B,
            "licence": known.licence,
            "used_for": known.used_for,
        }
        for known in weights.KNOWN
    ]
    if as_json:
        typer.echo(json.dumps({"folder": str(weights.folder()), "weights": rows}, indent=2))
        return
    table = Table("name", "here", "used for", "licence", title=f"Weights in {weights.folder()}", title_justify="left")
    for row in rows:
        table.add_row(str(row["name"]), "yes" if row["here"] else "no", str(row["used_for"]), str(row["licence"]))
    Console().print(table)


@app.command(epilog="Example: emo-weights fetch mobilenet_v2 yunet")
def fetch(
    names: Annotated[list[str], typer.Argument(help="Names of 'emo-weights list'.", metavar="NAME..")],
    *,
    source: Annotated[
        Path | None, typer.Option("--from", help="Take the files from this folder instead of the network.", metavar="DIR")
    ] = None,
    as_json: Json = False,
) -> None:
    """Download weights, going on where an earlier attempt stopped, and check them."""
    wanted = [weights.named(name) for name in names]
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=as_json or source is not None) as bar:
        paths = [_checked(known, source, _Bar(bar, bar.add_task(known.file, total=known.size_B))) for known in wanted]
    if as_json:
        typer.echo(json.dumps([{"name": known.name, "file": str(path)} for known, path in zip(wanted, paths, strict=True)]))
    else:
        for path in paths:
            typer.echo(f"{path}: here and checked")


@dataclass(frozen=True)
class _Bar:
    """Shows how far a download has come."""

    bars: Progress
    task: TaskID

    def __call__(self, done_B: int, total_B: int | None) -> None:
        self.bars.update(self.task, completed=done_B, total=total_B)


def _checked(known: weights.Weights, source: Path | None, progress: weights.Progress) -> Path:
    """Fetch; a download that fails is a failed check, a folder that does not hold the file is bad input."""
    if source is not None:
        return weights.take(known, source, weights.folder())
    try:
        return weights.fetch(known, weights.folder(), progress=progress)
    except weights.WeightsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(commands.CHECK_FAILED) from None


@app.command(epilog="Example: emo-weights verify")
def verify(*, as_json: Json = False) -> None:
    """Compare every file that is here with its pinned SHA-256."""
    verdicts = {known.name: _verdict(known) for known in weights.KNOWN}
    if as_json:
        typer.echo(json.dumps(verdicts, indent=2))
    else:
        for name, verdict in verdicts.items():
            Console().print(f"{name}: {verdict}", markup=False, highlight=False, soft_wrap=True)
    if any(verdict not in ("right", "not here") for verdict in verdicts.values()):
        raise typer.Exit(commands.CHECK_FAILED)


def _verdict(known: weights.Weights) -> str:
    try:
        return "not here" if weights.find(known.name) is None else "right"
    except weights.WeightsError as error:
        return str(error)


def run() -> NoReturn:
    """Run the command line."""
    commands.run(app, (weights.WeightsError,), args=sys.argv[1:])
