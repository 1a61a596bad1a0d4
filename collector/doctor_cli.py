"""``emo-doctor``: whether this computer and this laboratory can run the study now."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from collector.lock import LockedError
from collector.preflight import examine
from collector.preflight import study as study_checks
from collector.preflight import timing as timings
from collector.preflight.examine import Asked
from collector.preflight.found import tell_all, worst
from collector.preflight.laboratory import laboratory
from collector.preflight.timing import TimingError
from protocol import commands, folder
from protocol import study as study_file
from protocol.folder import FolderError
from protocol.lsl import LslError
from protocol.scene import Finding
from protocol.study import StudyError
from protocol.words_types import Language

SCHEMA = 1
BAD_INPUT = (StudyError, FolderError, LslError, LockedError)
_STYLES = {"green": "green", "amber": "yellow", "red": "bold red"}
_SIGNS = {"green": "ok", "amber": "look", "red": "STOP"}  # colours are never alone

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(
    study: Annotated[
        Path | None, typer.Argument(help="Study file, or its folder; without it the computer alone is checked.")
    ] = None,
    participant: Annotated[str | None, typer.Option(help="Label of the participant who is about to be recorded.")] = None,
    data: Annotated[Path | None, typer.Option(help="Where sessions are stored; default: data beside the study file.")] = None,
    twin: Annotated[bool, typer.Option("--twin", help="Simulated headset and camera.")] = False,
    face: Annotated[bool, typer.Option("--face/--no-face", help="--no-face: the participant did not agree to it.")] = True,
    timing: Annotated[
        Path | None, typer.Option(help="Instead: measure flips, markers and sound in the study's window, into this JSON file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say whether a session can begin: each line has a light, what was found, and the cure.

    Example: emo-doctor my-study --participant 07

    How punctual is the window? emo-doctor my-study --timing timing.json

    Ends with 0 when nothing blocks, 1 when something does, 2 for bad input, 3 for a fault. Nothing is recorded and no file
    is left behind.
    """
    if participant is not None:
        folder.label(participant, what="--participant")
    if timing is not None:
        _time(study, timing, as_json=as_json)
        return
    asked, language = _asked(study, participant=participant, data=data, twin=twin, face=face)
    with laboratory(asked.checked.path if asked.checked else None, twin=twin, participant=participant) as find_s:
        findings = _examined(replace(asked, find_s=find_s), language, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(record(findings), ensure_ascii=False))
    else:
        _show(findings)
    if any(one.blocks for one in findings):
        raise typer.Exit(commands.CHECK_FAILED)


def _time(study: Path | None, out: Path, *, as_json: bool) -> None:
    """Measure the window, write the numbers down, and say them."""
    if study is None:
        raise StudyError("--timing: needs a study, whose window and clips are measured; name its folder")
    study_file.load(study)
    if not out.absolute().parent.is_dir() or out.is_dir():  # before the window opens, not after
        raise StudyError(f"--timing = {out}: name a file in a folder that is there")
    with Console(stderr=True).status("the window is being measured: do not touch it"):
        try:
            told = timings.summary(timings.measure(study_file.study_path(study)))
        except TimingError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(commands.CHECK_FAILED) from None
    out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(told))
        return
    screen = Console(soft_wrap=True)
    for line in timings.lines(told):
        screen.print(line, markup=False, highlight=False)


def record(findings: list[Finding]) -> dict[str, object]:
    """Return what ``--json`` prints."""
    import msgspec

    return {"schema": SCHEMA, "findings": [msgspec.to_builtins(one) for one in findings], "light": worst(findings)}


def _asked(
    study: Path | None, *, participant: str | None, data: Path | None, twin: bool, face: bool
) -> tuple[Asked, Language]:  # fmt: skip
    if study is None:
        return Asked(None, (data or Path.cwd()).absolute(), participant, twin, face), "en"
    path = study_file.study_path(study).absolute()
    checked = study_checks.read(study_file.load(path), path)
    where = (data or path.parent / "data").absolute()
    return Asked(checked, where, participant, twin, face), checked.study.study.language


def _examined(asked: Asked, language: Language, *, quiet: bool) -> list[Finding]:
    todo = examine.checks(asked)
    columns = (TextColumn("checking {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        left = list(todo)
        task = progress.add_task(", ".join(left), total=len(todo))

        def done(name: str) -> None:
            left.remove(name)
            progress.update(task, advance=1, description=", ".join(left))

        return tell_all(examine.run(todo, on_done=done), language)


def _show(findings: list[Finding]) -> None:
    """Print the lines, the worst last: it is the one that is read."""
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    for light in ("green", "amber", "red"):
        for one in findings:
            if one.light == light:
                table.add_row(f"[{_STYLES[light]}]{_SIGNS[light]}[/]", _lines(one))
    screen = Console()
    screen.print(table)
    screen.print(_verdict(findings), style="bold", highlight=False)


def _verdict(findings: list[Finding]) -> str:
    """Say in one line whether a session can begin."""
    blocking = [one for one in findings if one.blocks]
    if not blocking:
        return "Nothing blocks: a session can begin"
    passed = sum(one.may_override for one in blocking)
    return f"{len(blocking)} blocking, of which a typed reason passes {passed}: no session can begin before that"


def _lines(one: Finding) -> str:
    from rich.markup import escape

    cure = f"\n[dim]-> {escape(one.cure)}[/]" if one.cure else ""
    return escape(one.text) + cure


def main() -> NoReturn:
    """Run ``emo-doctor``."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # that there is no camera is said by us, in one line
    commands.run(app, BAD_INPUT)


if __name__ == "__main__":
    sys.exit(main())
