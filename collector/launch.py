"""``emo-run``: one participant, from consent to verdict."""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.prompt import Confirm, Prompt

from collector import consent, console, dialog, prepare, resuming, signals, told
from collector.conduct import Conductor
from collector.consent import ConsentError, Given
from collector.crew import Outcome, Patience, Roster
from collector.lock import Lock, LockedError, machine_folder
from collector.prepare import Plan, PrepareError
from collector.resuming import ResumeError
from collector.sitter import Sitter
from collector.twin import knobs
from protocol import commands, folder, ratings, schedule
from protocol import study as study_file
from protocol.folder import Consent, FolderError, Manifest, Person, Quality, Run
from protocol.form import HAIR, warnings
from protocol.journal import Journal
from protocol.link import Hub
from protocol.lsl import SESSION_VARIABLE
from protocol.schedule import ScheduleError
from protocol.study import StudyError
from stimuli.manifest import ManifestError

BAD_INPUT = (StudyError, ManifestError, ScheduleError, FolderError, PrepareError, ResumeError, ConsentError, LockedError)
# the LSL clock (pylsl.local_clock) is the monotonic clock; the launcher itself speaks no LSL
now = time.monotonic

LEAVE_S = 40.0  # pages around the clip for the mood, at a reader's pace
# what stands in files as a word, said to people
_METRICS = {"CQ": "contact quality", "EQ": "EEG quality"}
_REASONS = {"escape": "Escape was pressed", "operator": "ended by the operator", "window closed": "the window was closed"}

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True)
class Verdict:
    """What a session came to.

    Parameters
    ----------
    code : int
        Exit code: 0 kept, 1 excluded, not judged or aborted, 3 fault.
    text : str
        For people, one line.
    run : Run
        Where it lies.
    outcome : Outcome
        How it ended.
    quality : Quality or None
        The rule's verdict, where there is a manifest.
    """

    code: int
    text: str
    run: Run
    outcome: Outcome
    quality: Quality | None

    def record(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        files = sorted(path.name for path in self.run.path.iterdir())
        return {
            "schema": 1, "exit": self.code, "message": self.text, "run": str(self.run.path),
            "participant": self.run.participant, "session": self.run.session, "number": self.run.run,
            "end": self.outcome.end, "reason": self.outcome.reason, "fault": self.outcome.fault,
            "quality": self.quality.model_dump() if self.quality else None, "files": files,
        }  # fmt: skip


def judge(run: Run, outcome: Outcome) -> Verdict:
    """Turn the end of a session and its manifest into a verdict."""
    manifest = Manifest.load(run.manifest_json) if run.manifest_json.exists() else None
    quality = manifest.quality if manifest else None
    if outcome.fault:
        crashed = manifest is None and run.xdf.exists()
        cure = f"; make what was recorded whole with: emo-record recover {run.path}" if crashed else ""
        return Verdict(commands.FAULT, f"fault: {outcome.fault}{cure}", run, outcome, quality)
    # the window may have ended well and the recording not: the recording counts
    if outcome.end == "aborted" or (manifest is not None and manifest.end != "complete"):
        reason = (manifest.reason if manifest else "") or outcome.reason
        text = f"aborted{': ' if reason else ''}{_REASONS.get(reason, reason)}"
        return Verdict(commands.CHECK_FAILED, text, run, Outcome("aborted", reason), quality)
    if quality is None:
        return Verdict(commands.CHECK_FAILED, "not judged: the recording has no verdict", run, outcome, None)
    code = commands.SUCCESS if quality.verdict == "keep" else commands.CHECK_FAILED
    return Verdict(code, _in_words(quality), run, outcome, quality)


def _in_words(quality: Quality) -> str:
    metric = _METRICS[quality.metric]
    if quality.verdict == "keep":
        return f"keep: {metric} {quality.value or 0:.2%}, at least {quality.threshold:.2%} is asked"
    return f"{quality.verdict.replace('_', ' ')}: {quality.reason.replace(quality.metric, metric)}"


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
    replaces: Annotated[str | None, typer.Option(help="The excluded participant whose order this one is given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Record one participant, from consent to verdict.

    Example: emo-run study --participant 07 --data data

    Without devices: emo-run study --participant 01 --data data --twin

    After a crash: emo-run study --participant 07 --data data --resume

    Ends with 0 when the recording is kept; 1 when it is excluded, aborted or could not be judged; 2 for bad input (nothing
    is written); 3 when something broke. Ctrl-C ends the session in order.
    """
    screen = Console(stderr=True)
    if participant is None:
        prepare.check_display(os.environ)
        participant, session = dialog.ask(session=session)
    plan = prepare.check(study, participant=participant, session=session, data=data, twin=twin, replaces=replaces)
    prepare.check_display(os.environ)
    plan = _resumed(plan, resume, screen)
    given = Given(age, sex, handedness, agreed, hair, cap_size, head_circumference, signed, screened)
    form = _form(plan, given, screen)
    with Lock(plan.folder, also=_devices(plan)) as lock:
        verdict = _record(plan, form, lock, screen=screen, options=Options(windowed=windowed, effect=effect))
    _tell(verdict, as_json=as_json)
    raise typer.Exit(verdict.code)


def _devices(plan: Plan) -> Lock | None:
    """Return the lock of the machine's headset and camera; simulated ones are as many as there are sessions."""
    return None if plan.twin else Lock(machine_folder(), what="headset and camera of this machine are in use")


@dataclass(frozen=True)
class Options:
    """How children are started."""

    windowed: bool
    effect: float


def _resumed(plan: Plan, wish: bool | None, screen: Console) -> Plan:
    """Decide whether the run goes on with the last one of its session."""

    def ask(question: str) -> bool:
        return Confirm.ask(question, console=screen, default=True)

    if plan.left.runs:
        with Lock(plan.folder):
            pass  # one that is being recorded at this moment is not unfinished: that is refused first
    sha256 = study_file.digest(plan.files.path)
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


def _record(plan: Plan, form: tuple[Person, Consent], lock: Lock, *, screen: Console, options: Options) -> Verdict:
    """Run a session whose participant is locked."""
    os.umask(0o077)  # what is written from here on, by the children too, is the operator's alone
    run, record = prepare.begin(plan, *form, now=now)
    lock.name(run=run.path)
    hub = Hub(now=now)
    with Journal(run.journal("launch"), now=now) as journal, console.view(screen, n_trials=len(plan.trials)) as view:
        view.say(f"{run.path}{_besides(plan, run)}")
        journal.write("state", "begun", {"uid": record.uid, "launcher": os.getpid()}, sync=True)
        conductor = Conductor(
            run, roster(plan, run, options), hub=hub, journal=journal, lock=lock, view=view, now=now,
            environment=_environment(plan, options), sitter=_sitter(plan) if plan.twin else None,
            patience=Patience(leave=_leave_s(plan)),
        )  # fmt: skip
        with signals.ending(lambda _: conductor.interrupt()):
            outcome = conductor.conduct()
        if not run.xdf.exists() and not run.manifest_json.exists():
            folder.shelve(run, outcome.fault or outcome.reason)
        verdict = judge(run, outcome)
        journal.write("state", "verdict", {"exit": verdict.code, "message": verdict.text}, sync=True)
    hub.close()
    return verdict


def _besides(plan: Plan, run: Run) -> str:
    if plan.resumes:
        left = plan.left
        return f" (goes on with run {left.last[0].run}: {len(left.trials)} of {left.n_trials} trials are left)"
    return f" (run {run.run}: earlier runs stay as they are)" if run.run != "01" else ""


def _leave_s(plan: Plan) -> float:
    """Return how long the window takes leave of a participant: the clip for the mood, and what is read around it."""
    clip = plan.files.clips.get(plan.study.stimuli.mood_repair or "")
    return LEAVE_S + (clip.stop_s - clip.start_s if clip else 0.0)


def roster(plan: Plan, run: Run, options: Options) -> Roster:
    """Return the children's command lines."""
    # -P: a folder named protocol where the user stands must not shadow ours
    python = (sys.executable, "-P", "-m")
    study = ("--study", str(plan.files.path))
    twin = ("--twin",) if plan.twin else ()
    return Roster(
        collector=(*python, "collector", str(run.path), *study, *twin),
        window=(*python, "protocol", str(run.path), *study, *twin, *(("--windowed",) if options.windowed else ())),
        twin=(*python, "collector.twin", "live", str(plan.files.path)) if plan.twin else (),
    )


def _environment(plan: Plan, options: Options) -> dict[str, str]:
    """Simulated devices are found under an id of their own, real ones by LSL's defaults alone."""
    if not plan.twin:
        return {}
    person = knobs.environment(seed=knobs.seed_of(plan.participant), effect=options.effect)
    return {SESSION_VARIABLE: os.environ.get(SESSION_VARIABLE) or f"twin-{uuid.uuid4().hex}", **person}


def _sitter(plan: Plan) -> Sitter:
    choices = {question.name: question.choices for question in ratings.questions(plan.study)}
    return Sitter(choices.__getitem__, rng=schedule.generator(plan.study.design.seed, f"{plan.participant}/answers"))


def _tell(verdict: Verdict, *, as_json: bool) -> None:
    """Print what lies where, and the verdict last: it is the line that is read."""
    out = Console(soft_wrap=True)
    if as_json:
        out.print_json(json.dumps(verdict.record()))
        return
    sizes = [path.stat().st_size for path in verdict.run.path.iterdir()]
    out.print(f"{verdict.run.path}: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB", markup=False, highlight=False)
    if verdict.quality is not None:
        with out.status("the report is being made"):
            said = told.report(verdict.run)
        for line in _of_report(said) if said else [f"Next: emo-report {verdict.run.path}"]:
            out.print(line, markup=False, highlight=False)
    out.print(verdict.text, markup=False, highlight=False, style="bold")


def _of_report(said: told.Told) -> list[str]:
    again = f"repeat {'clip' if len(said.repeat) == 1 else 'clips'} {', '.join(map(str, said.repeat))}"
    return [*(f"look at: {finding}" for finding in said.findings), *([again] if said.repeat else []), f"report: {said.page}"]


def main() -> NoReturn:
    """Run ``emo-run``."""
    commands.run(app, BAD_INPUT)
