"""How the children are started: their command lines and environment, from plan and options. Pure."""

from __future__ import annotations

import os
import shlex
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from collector import told
from collector.crew import Roster
from collector.prepare import Plan
from collector.scenes import Header
from collector.sitter import Sitter
from collector.twin import knobs
from protocol import ratings, schedule
from protocol.folder import Consent, Run
from protocol.lsl import SESSION_VARIABLE
from protocol.scene import Cap

LEAVE_S = 40.0  # pages around the clip for the mood, at a reader's pace


@dataclass(frozen=True)
class Options:
    """How a session is run.

    Parameters
    ----------
    windowed : bool
        A window instead of the full screen.
    effect : float
        Strength of the simulated emotions.
    page : bool
        Whether an operator decides, on a page.
    browse : bool
        Whether the page is opened in a browser.
    preflight : bool
        Whether the doctor is asked first.
    override : str
        What was typed to pass over what may be passed over, where there is no page.
    """

    windowed: bool = False
    effect: float = 1.0
    page: bool = False
    browse: bool = False
    preflight: bool = True
    override: str = ""


def roster(plan: Plan, run: Run | None, options: Options, consent: Consent | None = None) -> Roster:
    """Return the children's command lines; before there is a run those of the preflight alone."""
    # -P: a folder named protocol where the user stands must not shadow ours
    python = (sys.executable, "-P", "-m")
    study = ("--study", str(plan.files.path))
    twin = ("--twin",) if plan.twin else ()
    face = () if consent is None or "face" in consent.scopes else ("--no-face",)
    doctor = (str(plan.files.path), "--participant", plan.participant, "--data", str(plan.data), "--json", *twin, *face)
    always = Roster(
        collector=(), window=(),
        twin=(*python, "collector.twin", "live", str(plan.files.path)) if plan.twin else (),
        page=(*python, "collector.page") if options.page else (),
        doctor=(*python, "collector.doctor_cli", *doctor),
    )  # fmt: skip
    if run is None:
        return always
    record = "import sys; from collector.cli import main; sys.argv[0] = 'emo-record'; main()"
    return Roster(
        collector=(*python, "collector", str(run.path), *study, *twin),
        window=(*python, "protocol", str(run.path), *study, *twin, *(("--windowed",) if options.windowed else ())),
        twin=always.twin, page=always.page, doctor=always.doctor,
        contact=(sys.executable, "-P", "-c", record, "contact", str(run.path), "--json"), report=told.command(run),
    )  # fmt: skip


def rerun(plan: Plan, options: Options, *, here: Path) -> str:
    """Return what somebody who stands in ``here`` types to start this session once more."""
    study = plan.files.path
    home = study.parent
    words = ["emo-run", _short(home if study.name == "study.toml" else study, here), "--participant", plan.participant]
    if plan.session != "01":
        words += ["--session", plan.session]
    if plan.data != home / "data":
        words += ["--data", _short(plan.data, here)]
    words += ["--twin"] if plan.twin else []
    words += ["--windowed"] if options.windowed else []
    return shlex.join(words)


def withdrawal(plan: Plan, *, here: Path) -> str:
    """Return what somebody who stands in ``here`` types to remove what was recorded of this participant."""
    return shlex.join(["emo-withdraw", plan.participant, "--data", _short(plan.data, here)])


def _short(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def environment(plan: Plan, options: Options) -> dict[str, str]:
    """Return what all children get: simulated devices are found under an id of their own, real ones by LSL's defaults alone."""
    if not plan.twin:
        return {}
    person = knobs.environment(seed=knobs.seed_of(plan.participant), effect=options.effect)
    return {SESSION_VARIABLE: os.environ.get(SESSION_VARIABLE) or f"twin-{uuid.uuid4().hex}", **person}


def sitter(plan: Plan) -> Sitter | None:
    """Return the simulated participant, where there is one."""
    if not plan.twin:
        return None
    choices = {question.name: question.choices for question in ratings.questions(plan.study)}
    return Sitter(choices.__getitem__, rng=schedule.generator(plan.study.design.seed, f"{plan.participant}/answers"))


def header(plan: Plan) -> Header:
    """Return what stands on every scene."""
    study = plan.study
    return Header(
        study=study.study.name, participant=plan.participant, session=plan.session, language=study.study.language,
        simulated=plan.twin, n_trials=len(plan.trials), cap=Cap.of(study),
    )  # fmt: skip


def leave_s(plan: Plan) -> float:
    """Return how long the window takes leave of a participant: the clip for the mood, and what is read around it."""
    clip = plan.files.clips.get(plan.study.stimuli.mood_repair or "")
    return LEAVE_S + (clip.stop_s - clip.start_s if clip else 0.0)
