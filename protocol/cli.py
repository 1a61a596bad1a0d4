"""``emo-study``: make, check and look at a study."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from protocol import commands, folder
from protocol.estimate import ANSWER_S
from protocol.examine import ClipReport, StudyReport, examine
from protocol.folder import FolderError
from protocol.presets import PRESETS, Sizes
from protocol.scaffold import NewStudyError, scaffold
from protocol.schedule import ScheduleError, Trial, plan
from protocol.study import Study, StudyError
from protocol.study_doc import markdown
from protocol.study_files import load_study
from stimuli.manifest import ManifestError
from stimuli.synthetic import Form

app = typer.Typer(help="Make, check and look at a study.", no_args_is_help=True, rich_markup_mode=None, add_completion=False)
out, err = Console(), Console(stderr=True)

StudyPath = Annotated[Path, typer.Argument(help="The study file, or the folder with its study.toml.", metavar="STUDY")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"{text!r}: write width x height in pixels, as in 1280x720.")
    size = int(width), int(height)
    if not all(side % 2 == 0 and 64 <= side <= 7680 for side in size):
        raise typer.BadParameter(f"{text!r}: both sides must be even and from 64 to 7680 pixels.")
    return size


@app.command("new", epilog="Example: emo-study new my-study --preset demo")
def new(
    target: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.", metavar="DIR")],
    preset: Annotated[str, typer.Option(help=f"One of: {', '.join(PRESETS)}.")] = "demo",
    clips_per_emotion: Annotated[int, typer.Option(min=1, max=100, help="Clips of each emotion.")] = 3,
    clip_duration: Annotated[float, typer.Option(min=1, max=600, help="Seconds of each clip.")] = 6.0,
    clip_size: Annotated[Any, typer.Option(parser=_size, metavar="WxH", help="Pixels of the clips.")] = "1280x720",
    camera_size: Annotated[Any, typer.Option(parser=_size, metavar="WxH", help="Pixels of the camera.")] = "640x480",
    camera_fps: Annotated[float, typer.Option(min=1, max=240, help="Frames per second of the camera.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Write a study file with drawn clips, ready to run."""
    if preset not in PRESETS:
        raise typer.BadParameter(f"{preset!r} is no preset; one of {', '.join(PRESETS)}.", param_hint="'--preset'")
    sizes = Sizes(clips_per_emotion, camera_size, camera_fps)
    with _progress("drawing clips", quiet=as_json) as step:
        made = scaffold(target, preset, sizes, Form(clip_duration, clip_size, 30.0), on_clip=step)
    if as_json:
        typer.echo(json.dumps({"study": str(made.path), "clips": [e.stim_id for e in made.entries]}))
        return
    out.print(f"{escape(str(made.path))}: {len(made.entries)} clips of {', '.join(made.study.emotions)}")
    out.print(f"Next: emo-study check {escape(str(target))}", highlight=False)


@app.command("check", short_help="Check study file and clips, every frame of them.", epilog="Example: emo-study check my-study")
def check(study: StudyPath, as_json: AsJson = False) -> None:
    """Decode every frame and sample of every clip, compare hashes and lengths, and size a session.

    Ends with 1 when there are findings, all of which are listed at once.
    """
    with _progress("decoding clips", quiet=as_json) as step:
        report = examine(study, on_clip=step)
    if as_json:
        typer.echo(json.dumps(_as_json(report), ensure_ascii=False))
    else:
        _print_report(report)
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
    as_json: AsJson = False,
) -> None:
    """Show the order of the clips for one participant; it is the same each time."""
    folder.label(participant, what="participant")
    files = load_study(study)
    trials = plan(files.study, files.entries, participant)
    if as_json:
        typer.echo(json.dumps({"participant": participant, "trials": [asdict(trial) for trial in trials]}))
    else:
        _print_plan(participant, trials)


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


def _print_report(report: StudyReport) -> None:
    table = Table("clip", "target", "plays", "picture", "sound", "found", box=None, pad_edge=False)
    for clip in report.clips:
        table.add_row(*_cells(clip))
    out.print(table)
    size = report.estimate
    out.print(
        f"{size.n_trials} trials, about {size.length_s / 60:.1f} min a session ({ANSWER_S:.0f} s an answer), "
        f"at most about {size.disk_B / 1e6:.0f} MB on the disk",
        highlight=False,
        soft_wrap=True,
    )
    for finding in report.findings:
        out.print(f"[red]{escape(finding)}", highlight=False, soft_wrap=True)
    found = f"{len(report.findings)} to mend" if report.findings else "nothing to mend"
    out.print(f"{escape(str(report.path))}: {found}", highlight=False, soft_wrap=True)
    if not report.findings:
        next_ = f"Next: emo-run {report.path.parent} --participant 01 (with --twin: without devices)"
        out.print(next_, markup=False, highlight=False, soft_wrap=True)


def _cells(clip: ClipReport) -> tuple[str, ...]:
    entry, facts = clip.entry, clip.facts
    found = f"[red]{len(clip.findings)} to mend" if clip.findings else "[green]good"
    if facts is None or not facts.n_frames:
        return entry.stim_id, entry.target, f"{entry.duration_s:.2f} s", "-", "-", found
    picture = f"{facts.width}x{facts.height} {facts.fps:.3g} Hz, {facts.n_frames} frames"
    sound = "silent" if facts.sound_s is None else f"{facts.sound_s:.2f} s"
    return entry.stim_id, entry.target, f"{entry.duration_s:.2f} s", picture, sound, found


def _as_json(report: StudyReport) -> dict[str, Any]:
    clips = [
        {
            "stim_id": clip.entry.stim_id,
            "target": clip.entry.target,
            "file": str(clip.entry.file),
            "facts": asdict(clip.facts) if clip.facts else None,
            "findings": clip.findings,
        }
        for clip in report.clips
    ]
    return {"study": str(report.path), "findings": report.findings, "clips": clips, **asdict(report.estimate)}


def _print_plan(participant: str, trials: tuple[Trial, ...]) -> None:
    table = Table("trial", "block", "clip", "target", title=f"participant {participant}", box=None)
    for trial in trials:
        table.add_row(str(trial.trial), str(trial.block), trial.stim_id, trial.target)
    out.print(table)
