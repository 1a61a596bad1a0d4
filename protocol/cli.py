"""``emo-study``: make, check and look at a study."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from protocol import commands, folder, study_report
from protocol.advice import rest_warning, stranger_warning
from protocol.examine import examine
from protocol.folder import FolderError
from protocol.presets import PRESETS, Sizes
from protocol.scaffold import NewStudyError, scaffold
from protocol.schedule import ScheduleError, plan
from protocol.study import Study, StudyError
from protocol.study_doc import markdown
from protocol.study_files import StudyFiles, load_study
from stimuli.manifest import ManifestError
from stimuli.synthetic import Form

app = typer.Typer(help="Make, check and look at a study.", no_args_is_help=True, rich_markup_mode=None, add_completion=False)
out, err = Console(), Console(stderr=True)

StudyPath = Annotated[Path, typer.Argument(help="The study file, or the folder with its study.toml.", metavar="STUDY")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


class Clips(StrEnum):
    """What a new study is given to show."""

    DRAWN = "drawn"
    TABLE = "table"


class Language(StrEnum):
    """The languages of the screens."""

    EN = "en"
    VI = "vi"


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"{text!r}: write width x height in pixels, as in 1280x720.")
    size = int(width), int(height)
    if not all(side % 2 == 0 and 64 <= side <= 7680 for side in size):
        raise typer.BadParameter(f"{text!r}: both sides must be even and from 64 to 7680 pixels.")
    return size


@app.command("new", epilog="Example: emo-study new my-study --preset paper")
def new(
    target: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.", metavar="DIR")],
    preset: Annotated[str, typer.Option(help="; ".join(f"{n}: {p.about}" for n, p in PRESETS.items()) + ".")] = "demo",
    clips: Annotated[
        Clips, typer.Option(help="drawn: short clips to try it with; table: lines for yours, to be filled in.")
    ] = (Clips.DRAWN),
    clips_per_emotion: Annotated[
        int | None, typer.Option(min=1, max=100, help="Clips of each emotion, if not the preset's.")
    ] = (None),
    clip_duration: Annotated[float, typer.Option(min=1, max=600, help="Seconds of each drawn clip.")] = 6.0,
    clip_size: Annotated[Any, typer.Option(parser=_size, metavar="WxH", help="Pixels of the drawn clips.")] = "1280x720",
    camera_size: Annotated[Any, typer.Option(parser=_size, metavar="WxH", help="Pixels of the camera.")] = "640x480",
    camera_fps: Annotated[float, typer.Option(min=1, max=240, help="Frames per second of the camera.")] = 30.0,
    language: Annotated[Language, typer.Option(help="Of the participant's screens.")] = Language.EN,
    as_json: AsJson = False,
) -> None:
    """Write a study file with drawn clips, ready to run, or with a table for your own.

    The clips of a preset may take minutes each: drawn ones are short stand-ins, unless --clip-duration says otherwise.
    """
    if preset not in PRESETS:
        raise typer.BadParameter(f"{preset!r} is no preset; one of {', '.join(PRESETS)}.", param_hint="'--preset'")
    sizes = Sizes(clips_per_emotion, camera_size, camera_fps, language.value)
    form = Form(clip_duration, clip_size, 30.0) if clips is Clips.DRAWN else None
    with _progress("drawing clips", quiet=as_json) as step:
        made = scaffold(target, preset, sizes, form, on_clip=step)
    if as_json:
        typer.echo(json.dumps({"study": str(made.path), "clips": [e.stim_id for e in made.entries]}))
        return
    out.print(f"{escape(str(made.path))}: {len(made.entries)} clips of {', '.join(made.study.emotions)}", soft_wrap=True)
    for line in _to_be_done(made, preset, form):
        out.print(escape(line), highlight=False, soft_wrap=True)
    out.print(f"Next: emo-study check {escape(str(target))}", highlight=False, soft_wrap=True)


@app.command(
    "check",
    short_help="Check study file and clips, every frame of them.",
    epilog="Example: emo-study check my-study --participants 15",
)
def check(
    study: StudyPath,
    participants: Annotated[int, typer.Option(min=0, max=1000, help="Show the schedules of so many, and their balance.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Decode every frame and sample of every clip, compare hashes, lengths, loudness and flashes, and size a session.

    Ends with 1 when there are findings, all of which are listed at once. Warnings alone end with 0.
    """
    with _progress("decoding clips", quiet=as_json) as step:
        report = examine(study, participants=participants, on_clip=step)
    if as_json:
        typer.echo(json.dumps(study_report.as_json(report), ensure_ascii=False))
    else:
        study_report.show(report, out)
    if report.findings:
        raise typer.Exit(commands.CHECK_FAILED)


@app.command(
    "plan",
    short_help="Show the order of the clips for one participant.",
    epilog="Example: emo-study plan my-study --participant 07 --json",
)
def show_plan(
    study: StudyPath,
    participant: Annotated[str, typer.Option(help="Label of the participant, as in 07.")],
    replaces: Annotated[
        str | None, typer.Option(help="Label of an excluded participant, whose order this one is given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the order of the clips for one participant; it is the same each time."""
    folder.label(participant, what="participant")
    if replaces is not None:
        folder.label(replaces, what="replaces")
    files = load_study(study)
    trials = plan(files.study, files.entries, participant, replaces=replaces)
    warnings = [text for text in (rest_warning(files.study), stranger_warning(files.study, participant)) if text]
    if as_json:
        found = {"participant": participant, "replaces": replaces, "warnings": warnings}
        typer.echo(json.dumps({**found, "trials": [asdict(trial) for trial in trials]}))
        return
    study_report.show_plan(f"participant {participant}" + (f", in place of {replaces}" if replaces else ""), trials, out)
    for warning in warnings:
        out.print(f"[yellow]{escape(warning)}", highlight=False, soft_wrap=True)


@app.command("keys", short_help="Print every key of the study file.", epilog="Example: emo-study keys")
def keys(as_json: AsJson = False) -> None:
    """Print every key of the study file as a page; with --json its JSON schema, for editors."""
    typer.echo(json.dumps(Study.model_json_schema(), indent=2) if as_json else markdown(), nl=as_json)


def main() -> NoReturn:
    """Run ``emo-study``."""
    commands.run(app, (StudyError, ManifestError, ScheduleError, FolderError, NewStudyError))


@contextmanager
def _progress(what: str, *, quiet: bool) -> Iterator[Any]:
    """Yield a function of (done, total) that shows how far it is and how long it still takes."""
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _to_be_done(made: StudyFiles, preset: str, form: Form | None) -> Iterator[str]:
    """Say what stands between a new study and people."""
    meant_s = PRESETS[preset].clip_s
    if form is None:
        yield "Fill in clips.tsv: file, sha256 and points of your clips; emo-study check says the hashes"
    elif form.duration_s < meant_s:
        yield f"The clips are drawn stand-ins of {form.duration_s:g} s; the preset means clips of about {meant_s:g} s"
    if warning := rest_warning(made.study):
        yield warning
