"""``emo-run``: one participant, from consent to verdict."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.prompt import Confirm, Prompt

from collector import collision, consent, dialog, prepare, rejoin, resuming, sitting, told
from collector.consent import ConsentError, Given
from collector.lineup import Options
from collector.lock import Lock, LockedError, machine_folder
from collector.orders import MIN_REASON
from collector.prepare import Plan, PrepareError
from collector.resuming import ResumeError
from collector.sitting import Refused
from collector.verdict import Verdict
from collector.verdict import reported as with_report
from protocol import commands
from protocol import study as study_file
from protocol.folder import Consent, FolderError, Person
from protocol.form import HAIR, warnings
from protocol.schedule import ScheduleError
from protocol.study import StudyError
from stimuli.manifest import ManifestError

BAD_INPUT = (StudyError, ManifestError, ScheduleError, FolderError, PrepareError, ResumeError, ConsentError, LockedError)
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="Study file, or the folder in which study.toml lies.")],
    participant: Annotated[
        str | None,
        typer.Option(help="Label of the participant: a code such as 07, never a name; left out: PsychoPy's dialog asks."),
    ] = None,
    session: Annotated[str, typer.Option(help="Label of the session.")] = "01",
    data: Annotated[Path | None, typer.Option(help="Where sessions are stored; default: data beside the study file.")] = None,
    twin: Annotated[bool, typer.Option("--twin", help="Simulated headset, camera and participant.")] = False,
    effect: Annotated[
        float, typer.Option(help="With --twin: strength of the simulated emotions; 0 = none.", min=0, max=10)
    ] = 1.0,
    windowed: Annotated[bool, typer.Option("--windowed", help="A window instead of the full screen.")] = False,
    age: Annotated[float | None, typer.Option(help="Age in years.")] = None,
    sex: Annotated[str | None, typer.Option(help="F, M, O or n/a.")] = None,
    handedness: Annotated[str | None, typer.Option(help="L, R, A or n/a.")] = None,
    hair: Annotated[str | None, typer.Option(help=f"One of {', '.join(HAIR)}.")] = None,
    cap_size: Annotated[str | None, typer.Option(help="Size of the cap, such as M or 56.")] = None,
    head_circumference: Annotated[float | None, typer.Option(help="In centimetres.")] = None,
    screened: Annotated[
        bool, typer.Option("--screened", help="The study's screening questions were asked, and are no bar.")
    ] = False,
    agreed: Annotated[str | None, typer.Option("--consent", help="What the participant signed, as eeg,face,train.")] = None,
    signed: Annotated[str | None, typer.Option(help="Reference to the signed sheet: a number, never a name.")] = None,
    resume: Annotated[
        bool | None,
        typer.Option("--resume/--anew", help="Go on where this session's last run was broken off, or record all of it again."),
    ] = None,
    repeat: Annotated[
        str | None, typer.Option(help="Trials to show once more, as the verdict names them: 3,5; a new run that goes on.")
    ] = None,
    replaces: Annotated[str | None, typer.Option(help="The excluded participant whose order this one is given.")] = None,
    page: Annotated[
        bool | None, typer.Option("--page/--no-page", help="The operator's page in a browser; default: on a terminal, yes.")
    ] = None,
    override: Annotated[
        str | None, typer.Option(help="Without a page: why all that may be passed over is passed over; stands in the verdict.")
    ] = None,
    skip_preflight: Annotated[
        bool, typer.Option("--skip-preflight", help="Ask no doctor first; stands in the verdict.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Record one participant, from consent to verdict.

    Example: emo-run study --participant 07 --data data

    Without devices: emo-run study --participant 01 --data data --twin

    After a crash: emo-run study --participant 07 --data data --resume

    Clips that are of no use: emo-run study --participant 07 --data data --repeat 3,5

    Ends with 0 when the recording is kept; 1 when it is excluded, aborted or could not be judged; 2 for bad input (nothing
    is written); 3 when something broke. Ctrl-C ends the session in order.
    """
    screen = Console(stderr=True)
    again = _again(repeat, resume)
    if participant is None:
        prepare.check_display(os.environ)
        participant, session = dialog.ask(session=session)
    attended = _attended(screen)
    options = Options(
        windowed=windowed, effect=effect, page=attended if page is None else page, browse=attended,
        preflight=not skip_preflight, override=_reason(override),
    )  # fmt: skip
    left = rejoin.found(prepare.participant_folder(study, participant, session, data))
    if left is not None:
        prepare.check_display(os.environ)
        machine = machine_folder()
        verdict = rejoin.take_over(left, study, session=session, screen=screen, options=options, machine=machine)
        _tell(verdict, as_json=as_json, reported=options.page)
        raise typer.Exit(verdict.code)
    plan = prepare.check(study, participant=participant, session=session, data=data, twin=twin, replaces=replaces)
    prepare.check_display(os.environ)
    lock = Lock(plan.folder, also=_devices(plan))
    lock.look()
    plan = _resumed(plan, resume, again, screen)
    if attended:  # before anybody is asked for a consent; the preflight blocks with the same line
        for one in collision.stranger(plan):
            for part in (one.text, one.cure):
                screen.print(part, markup=False, highlight=False, style="yellow")
    given = Given(age, sex, handedness, agreed, hair, cap_size, head_circumference, signed, screened)
    form = _form(plan, given, screen)
    ended = sitting.sit(plan, form, lock, screen=screen, options=options, known=collision.findings(plan, form[0]))
    if isinstance(ended, Refused):
        raise typer.Exit(_refused(ended, screen, attended=options.page))
    _tell(ended, as_json=as_json, reported=options.page)
    raise typer.Exit(ended.code)


def _reason(override: str | None) -> str:
    if override is not None and len(override.strip()) < MIN_REASON:
        raise PrepareError(f"--override = {override!r}: say why, in at least {MIN_REASON} letters")
    return (override or "").strip()


def _refused(ended: Refused, screen: Console, *, attended: bool) -> int:
    """Say what stands in the way, one line each."""
    if attended:
        screen.print("nothing was recorded", markup=False, highlight=False)
        return commands.CHECK_FAILED
    for one in ended.passed.blocking:
        cure = f"; {one.cure}" if one.cure else ""
        may = '; or go on all the same: --override "REASON"' if one.may_override else ""
        typer.echo(" ".join(f"{one.code}: {one.text}{cure}{may}".split()), err=True)
    return commands.BAD_INPUT


def _devices(plan: Plan) -> Lock | None:
    """Return the lock of the machine's headset and camera; simulated ones are as many as there are sessions."""
    return None if plan.twin else Lock(machine_folder(), what="headset and camera of this machine are in use")


def _again(repeat: str | None, resume: bool | None) -> tuple[int, ...]:
    if repeat is None:
        return ()
    if resume is False:
        raise ResumeError(f"--repeat = {repeat!r}: --anew records all of it again; leave one of the two out")
    return resuming.numbers(repeat)


def _resumed(plan: Plan, wish: bool | None, again: tuple[int, ...], screen: Console) -> Plan:
    """Decide whether the run goes on with the last one of its session."""

    def ask(question: str) -> bool:
        return Confirm.ask(question, console=screen, default=True)

    sha256 = study_file.digest(plan.files.path)
    if again:
        left = resuming.repeat(plan.left, again, plan.trials, study_sha256=sha256, twin=plan.twin)
        return replace(plan, resumes=True, left=left)
    goes_on = resuming.choose(plan.left, wish, study_sha256=sha256, twin=plan.twin, ask=ask if _attended(screen) else None)
    return replace(plan, resumes=goes_on)


def _attended(screen: Console) -> bool:
    return sys.stdin.isatty() and screen.is_terminal


def _form(plan: Plan, given: Given, screen: Console) -> tuple[Person, Consent]:
    if plan.resumes:  # the session is the same, and so is what was agreed to for it
        record = plan.left.last[1]
        return record.person, record.consent
    form, asked, sheet = plan.study.consent, plan.study.form, prepare.sheet(plan)
    if plan.twin:
        return consent.simulated(plan.participant, given, form, sheet=sheet)
    if not _attended(screen):
        return consent.from_options(given, form, asked=asked, sheet=sheet)

    def answer(question: str, default: str) -> str:
        return Prompt.ask(question, console=screen, default=default, show_default=bool(default))

    for warning in warnings(plan.study):  # before anybody is asked to agree
        screen.print(f"Read to the participant:\n\n{warning}\n", markup=False, highlight=False)
    return consent.ask(given, form, answer=answer, asked=asked, sheet=sheet, language=plan.study.study.language)


def _tell(verdict: Verdict, *, as_json: bool, reported: bool) -> None:
    """Print what lies where, and the verdict last: it is the line that is read."""
    out = Console(soft_wrap=True)
    if as_json:
        out.print_json(json.dumps(verdict.record()))
        return
    sizes = [path.stat().st_size for path in verdict.run.path.iterdir()]
    out.print(f"{verdict.run.path}: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB", markup=False, highlight=False)
    if verdict.quality is not None and not reported:
        with out.status("the report is being made"):
            verdict = with_report(verdict, told.report(verdict.run))
    for line in lines(verdict):
        out.print(line, markup=False, highlight=False)
    out.print(verdict.text, markup=False, highlight=False, style="bold")


def lines(verdict: Verdict) -> list[str]:
    """Return what is said before the verdict."""
    said = [f"look at: {reason}" for reason in verdict.reasons]
    if verdict.page:
        said.append(f"report: {verdict.page}")
    elif verdict.quality is not None:
        said.append(f"Next: emo-report {verdict.run.path}")
    if verdict.choice == "open" and verdict.withdrawal:
        said.append(f"Ask the participant: keep or withdraw what was recorded? To withdraw it: {verdict.withdrawal}")
    return [*said, f"Now type: {verdict.next}"] if verdict.next else said


def main() -> NoReturn:
    """Run ``emo-run``."""
    commands.run(app, BAD_INPUT)
