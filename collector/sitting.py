"""One participant's sitting, from the preflight to the verdict: the stages one after another, on one helm."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console

from collector import baton, clocks, console, lineup, opening, prepare, processes, signals
from collector.afoot import Course, TakenUp
from collector.baton import Baton
from collector.before import Passed, Preflight
from collector.clip_losses import beyond
from collector.conduct import Conductor
from collector.crew import HELPERS, Outcome, Patience, Roster, View, Who
from collector.diary import Diary
from collector.finale import Check, Finale
from collector.helm import Helm
from collector.helper import Helper
from collector.keeper import Keeper, Place, free_place
from collector.lineup import Options
from collector.lock import Lock
from collector.prepare import Plan
from collector.quality import LOST_LIMIT
from collector.team import Team
from collector.troubles import Troubles
from collector.verdict import Verdict, judge, remembered, repeated, verified
from protocol import folder
from protocol.estimate import estimate
from protocol.folder import Consent, Person, Run
from protocol.journal import Journal
from protocol.link import Hub
from protocol.scene import Finding

now = clocks.lsl_clock()  # the launcher itself speaks no LSL
DISMISS_S = 5.0  # the page has nothing to save


@dataclass(frozen=True)
class Refused:
    """The preflight found something that blocks, or somebody decided against the session: nothing was recorded."""

    passed: Passed


@contextmanager
def at_the_helm(
    plan: Plan, options: Options, *, screen: Console, hub: Hub, environment: dict[str, str], place: Place | None, browse: bool
) -> Iterator[Helm]:
    """Yield a helm; the page, and whoever else is left, ends with it."""
    patience = Patience(leave=lineup.leave_s(plan))
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emo-run-", ignore_cleanup_errors=True)))
        stack.callback(hub.close)
        view: View = stack.enter_context(console.view(screen, n_trials=len(plan.trials)))
        diary = Diary(now=now)
        team = Team(hub, diary=diary, lock=None, scratch=scratch, now=now, environment=environment, patience=patience)
        troubles = Troubles(diary, view, now=now)
        keeper = None
        if place is not None:
            argv = lineup.roster(plan, None, options).page
            shows = partial(opening.browse, where=_for_the_browser(stack)) if browse else None
            keeper = Keeper(team, argv, place, troubles=troubles, now=now, browse=shows)
            view.say(f"the operator's page: {place.url}")
        helm = Helm(team, diary=diary, troubles=troubles, view=view, header=lineup.header(plan), now=now, keeper=keeper)
        stack.callback(_dismiss, team)
        stack.enter_context(signals.ending(lambda _: helm.interrupt()))
        yield helm


def _for_the_browser(stack: ExitStack) -> Path:
    """Return a folder for us and our browser alone, which is removed at the end."""
    made = tempfile.TemporaryDirectory(prefix="emo-run-", dir=opening.folder(), ignore_cleanup_errors=True)
    return Path(stack.enter_context(made))


def _dismiss(team: Team) -> None:
    """End what nobody needs any more: the page, and before a session the simulated devices."""
    least: tuple[Who, ...] = ("page", "twin", *HELPERS)
    left = [who for who in least if team.runs(who)]
    for who in left:
        processes.terminate(team.children[who])
    deadline = now() + DISMISS_S
    while any(team.runs(who) for who in left) and now() < deadline:
        time.sleep(0.02)
    for who in left:
        processes.kill(team.children[who])


def sit(
    plan: Plan, form: tuple[Person, Consent], lock: Lock, *, screen: Console, options: Options, known: Sequence[Finding] = ()
) -> Verdict | Refused:
    """Record a participant.

    Parameters
    ----------
    plan : Plan
        The session.
    form : Person, Consent
        Who, and what was agreed to.
    lock : Lock
        Not taken yet: without a page nothing is written before the preflight is passed.
    screen : Console
        The terminal.
    options : Options
        How.
    known : sequence of Finding
        What the launcher found itself.
    """
    os.umask(0o077)  # what is written from here on, by the children too, is the operator's alone
    place = free_place() if options.page else None
    environment = lineup.environment(plan, options)
    with (
        ExitStack() as locked,
        at_the_helm(
            plan, options, screen=screen, hub=Hub(now=now), environment=environment, place=place, browse=options.browse
        ) as helm,
    ):
        if options.page:
            locked.enter_context(lock)
        passed = _preflight(plan, form[1], helm, options, known)
        if not passed.went_on:
            return Refused(passed)
        if not options.page:
            locked.enter_context(lock)
        run, record = prepare.begin(plan, *form, now=now)
        helm.team.enter(run.path, lock)
        where = (place.port, place.token) if place else (0, "")
        Baton(
            address=helm.team.hub.address, token=helm.team.hub.token, port=where[0], page_token=where[1],
            environment=environment, windowed=options.windowed, effect=options.effect, override=options.override,
            preflight=options.preflight,
        ).save(plan.folder)  # fmt: skip
        with Journal(run.journal("launch"), now=now) as journal:
            helm.view.say(f"{run.path}{_besides(plan, run)}")
            journal.write("state", "begun", {"uid": record.uid, "launcher": os.getpid()}, sync=True)
            helm.diary.open(journal)
            return conclude(plan, run, helm, options, findings=passed.findings)


def _preflight(plan: Plan, consent: Consent, helm: Helm, options: Options, known: Sequence[Finding]) -> Passed:
    roster = lineup.roster(plan, None, options, consent)
    if not options.preflight:
        helm.diary.write("note", "preflight/skipped")
        if not known:
            return Passed(True)
    limit_s = helm.team.patience.doctor
    doctor = roster.doctor if options.preflight else ()
    stage = Preflight(
        doctor, roster.twin, helm=helm, limit_s=limit_s, known=known, override=options.override,
        is_changed=partial(prepare.is_changed, plan),
    )  # fmt: skip
    stage.open()
    helm.play(stage)
    return stage.passed


def conclude(
    plan: Plan, run: Run, helm: Helm, options: Options, *, findings: Sequence[Finding] = (), taken_up: TakenUp | None = None
) -> Verdict:
    """Run a session that has begun to its end, and judge it."""
    course = Course(
        study=plan.study, n_trials=len(plan.trials), length_s=estimate(plan.study, plan.files.entries).length_s,
        findings=tuple(findings), override=options.override,
    )  # fmt: skip
    roster = lineup.roster(plan, run, options)
    conductor = Conductor(
        run, roster, helm=helm, course=course, sitter=lineup.sitter(plan), patience=helm.team.patience, taken_up=taken_up
    )
    outcome = conductor.conduct()
    _keep_logs(helm.team, run)
    if not run.xdf.exists() and not run.manifest_json.exists():
        folder.shelve(run, outcome.fault or outcome.reason)
    baton.drop(plan.folder)
    verdict = judged(run, outcome, conductor, findings=findings, skipped=not options.preflight)
    here = Path.cwd()
    verdict = replace(verdict, rerun=lineup.rerun(plan, options, here=here), withdrawal=lineup.withdrawal(plan, here=here))
    if helm.attended:
        verdict = _shown(verdict, conductor, helm, roster)
    else:
        verdict = verified(verdict, Check(run).all())
    row = {"exit": verdict.code, "message": verdict.text, "reasons": list(verdict.reasons), "choice": verdict.choice}
    helm.diary.write("state", "verdict", row, sync=True)
    return verdict


def _shown(verdict: Verdict, conductor: Conductor, helm: Helm, roster: Roster) -> Verdict:
    """Show the end on the page until the operator leaves it; the report is made meanwhile."""
    patience = helm.team.patience
    helm.view.say(verdict.text)
    report = Helper(helm.team, "report", roster.report, limit_s=patience.report, now=now) if verdict.quality else None
    stage = Finale(verdict, conductor.known(), helm=helm, report=report, patience=patience)
    stage.open()
    helm.play(stage)
    return stage.verdict


def judged(run: Run, outcome: Outcome, conductor: Conductor, *, findings: Sequence[Finding], skipped: bool) -> Verdict:
    """Return the verdict with what is remembered of the session."""
    verdict = repeated(judge(run, outcome), beyond(conductor.lost, LOST_LIMIT))
    return remembered(
        verdict, contact=conductor.contact, gate_overridden=conductor.gate_overridden, findings=findings, skipped=skipped
    )


def _keep_logs(team: Team, run: Run) -> None:
    """Put what children said before there was a run beside what they said in it."""
    for log in team.scratch.glob("*.log"):
        if log.stat().st_size and not (run.path / log.name).exists():
            shutil.copyfile(log, run.path / log.name)


def _besides(plan: Plan, run: Run) -> str:
    if plan.resumes:
        left = plan.left
        goes_on = f"goes on with run {left.last[0].run}"
        if left.again:
            rest = len(left.trials) - len(left.again)
            more = f", and the {rest} that are left" if rest else ""
            return f" ({goes_on}: trials {', '.join(map(str, left.again))} once more{more})"
        return f" ({goes_on}: {len(left.trials)} of {left.n_trials} trials are left)"
    return f" (run {run.run}: earlier runs stay as they are)" if run.run != "01" else ""
