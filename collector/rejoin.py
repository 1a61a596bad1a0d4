"""Taking over the session of a launcher that died: its children live, and speak to whoever has the old address and token.

What the dead launcher knew stands in its journal; what the children did meanwhile in theirs. The exit code of a child that ends
nobody learns: how it ended is judged by what it left.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.console import Console

from collector import baton, processes
from collector import lock as locks
from collector.afoot import TakenUp
from collector.baton import Baton
from collector.keeper import Place, free_place
from collector.lineup import Options
from collector.lock import Lock, LockedError, Orphans
from collector.prepare import Plan
from collector.processes import Adopted, Child
from collector.resuming import look
from collector.sitting import at_the_helm, conclude, now
from collector.team import Team
from collector.troubles import Troubles
from collector.verdict import Verdict
from protocol import folder, markers, schedule
from protocol import journal as journals
from protocol import study as study_file
from protocol.folder import Manifest, Run, Session
from protocol.journal import Journal, Row
from protocol.link import Hub
from protocol.scene import Contact, Finding, Trouble
from protocol.study_files import load_study

COMPLETE, ABORTED = 0, 1
GONE_S = 5.0  # a page has nothing to save


def found(folder_: Path) -> Orphans | None:
    """Return the session whose launcher died; what is left of one that recorded nothing is ended first."""
    left = locks.orphans(folder_)
    if left is None or left.recording:
        return left
    for name in left.living:
        pid, mark = left.processes[name]
        Adopted(pid, mark).kill()
    deadline = now() + GONE_S
    while any(processes.birth(left.processes[name][0]) == left.processes[name][1] for name in left.living) and now() < deadline:
        time.sleep(0.02)
    return None


def take_over(
    left: Orphans, study: Path, *, session: str, screen: Console, options: Options, machine: Path | None
) -> Verdict:  # fmt: skip
    """Go on with a session to its verdict.

    Parameters
    ----------
    left : Orphans
        The children.
    study : Path
        The study that was named; it must be the one that the session began with.
    session : str
        The label that was asked for.
    screen : Console
        The terminal.
    options : Options
        Of this launcher; what the children were started with stays.
    machine : Path or None
        Where the lock of the machine's devices lies, which a real session holds too.

    Raises
    ------
    LockedError
        When it is another session, or its keys are gone.
    """
    assert left.run is not None
    run = folder.open_run(left.run)
    record = Session.load(run.session_json)
    home = run.path.parents[1]
    keys = baton.load(home)
    if run.session != session or keys is None:
        why = f"it is session {run.session}" if keys is not None else f"{home / baton.NAME} is gone"
        raise LockedError(f"{run.path}: is being recorded, and cannot be taken over: {why}; let it end")
    plan = _plan(run, record, study)
    options = replace(
        options,
        windowed=keys.windowed,
        effect=keys.effect,
        override=options.override or keys.override,
        preflight=keys.preflight,
    )
    try:
        hub = Hub(now=now, address=keys.address, token=keys.token)
    except OSError as error:
        raise LockedError(f"{keys.address}: somebody else has it ({error}); the session goes on alone: let it end") from None
    also = Lock(machine, heirs=left.processes) if machine is not None and not record.simulated else None
    place = _place(keys) if options.page else None
    browse = options.browse and "page" not in left.living
    os.umask(0o077)
    with (
        ExitStack() as locked,
        at_the_helm(plan, options, screen=screen, hub=hub, environment=keys.environment, place=place, browse=browse) as helm,
    ):
        lock = locked.enter_context(Lock(home, heirs=left.processes, also=also))
        rows = journals.read(run.journal("launch"))
        adopt(helm.team, run, left)
        helm.team.enter(run.path, lock)
        if place is not None and place.port != keys.port:
            msgspec.structs.replace(keys, port=place.port, page_token=place.token).save(home)
        with Journal(run.journal("launch"), now=now) as journal:
            journal.write("state", "rejoined", {"launcher": os.getpid(), "living": list(left.living)}, sync=True)
            helm.diary.open(journal)
            helm.view.say(f"{run.path}: goes on; the launcher that began it is gone")
            restore(helm.troubles, rows)
            return conclude(plan, run, helm, options, findings=findings(rows), taken_up=taken_up(rows, _states(run)))


def _plan(run: Run, record: Session, study: Path) -> Plan:
    files = load_study(study, hashes=False)  # compared when the session began
    if study_file.digest(files.path) != record.study_sha256:
        raise LockedError(f"{run.path}: is being recorded with another study than {files.path}; name that one, or let it end")
    trials = schedule.plan(files.study, files.entries, run.participant, replaces=record.replaces)
    left = look(run.data, run.participant, run.session, trials)
    return Plan(
        files, trials, run.data, run.participant, run.session, record.simulated, left, record.replaces,
        resumes=record.resumes is not None,
    )  # fmt: skip


def _place(keys: Baton) -> Place:
    return Place(keys.port, keys.page_token) if keys.port else free_place()


# ---- the children


def adopt(team: Team, run: Run, left: Orphans) -> None:
    """Take in every child of which the lock knows, the dead ones too: how they ended is part of the session."""
    judges = {"window": lambda: window_code(_rows(run, "window")), "collector": lambda: collector_code(run)}
    for who, (pid, mark) in left.processes.items():
        if who == "launcher":
            continue
        process = Adopted(pid, mark, judge=judges.get(who, lambda: None))
        team.adopt(who, Child(who, process, run.path / f"{who}.log"))  # type: ignore[arg-type]


def window_code(rows: Sequence[Row]) -> int | None:
    """Return how a window ended that nobody saw end: by the last marker that it sent; None where it broke off."""
    texts = [row.data["text"] for row in rows if (row.kind, row.name) == ("note", "marker")]
    if not texts or (last := markers.parse(texts[-1])).name != "session/end":
        return None
    return COMPLETE if last.keys.get("end") == "complete" else ABORTED


def collector_code(run: Run) -> int | None:
    """Return how a collector ended that nobody saw end: by its manifest, which it writes last."""
    if not run.manifest_json.exists():
        return None
    return COMPLETE if Manifest.load(run.manifest_json).end == "complete" else ABORTED


# ---- what the dead launcher knew


def taken_up(rows: Sequence[Row], states: Sequence[tuple[float, str]]) -> TakenUp:
    """Return where a session stood, by its launcher's journal and the window's states. Pure."""
    names = [(row.kind, row.name) for row in rows]
    phase: Literal["streams", "contacts", "session"] = "streams"
    if ("note", "start") in names:
        phase = "session"
    elif ("command", "window/start") in names:
        phase = "contacts"
    contacts = [row.data for row in rows if (row.kind, row.name) == ("note", "contact")]
    gates = [row.data["reason"] for row in rows if (row.kind, row.name) == ("note", "override") and row.data["code"] == "gate"]
    return TakenUp(
        phase=phase, began=next((row.t_lsl for row in rows if row.name == "begun"), rows[0].t_lsl if rows else 0.0),
        contact=_contact(contacts[-1]) if contacts else None, gate_overridden=gates[-1] if gates else "",
        n_windows=names.count(("command", "window/start")), states=tuple(states),
    )  # fmt: skip


def _contact(data: Any) -> Contact:
    return msgspec.convert({key: value for key, value in data.items() if key != "why"}, Contact)


def findings(rows: Sequence[Row]) -> tuple[Finding, ...]:
    """Return what the preflight had found, the last word on each."""
    found: dict[str, Finding] = {}
    for row in rows:
        data = {key: value for key, value in row.data.items() if key != "t"}
        if (row.kind, row.name) == ("note", "finding"):
            found[data["code"]] = msgspec.convert(data, Finding)
        elif (row.kind, row.name) == ("note", "override") and data["code"] in found:
            found[data["code"]] = msgspec.structs.replace(found[data["code"]], overridden=data["reason"])
    return tuple(found.values())


def restore(troubles: Troubles, rows: Sequence[Row]) -> None:
    """Raise again what was on; what is over meanwhile is cleared by whoever watches it, or by the collector's next status."""
    on: dict[str, tuple[Trouble, str]] = {}
    for row in (row for row in rows if row.kind == "alarm"):
        if row.data.get("cleared"):
            on.pop(row.name, None)
            continue
        trouble = Trouble(
            code=row.name, text=str(row.data.get("reason") or row.name), level=row.data.get("level", "warn"),
            t_cause=float(row.data.get("t_cause", row.t_lsl)), t_raised=row.t_lsl,
        )  # fmt: skip
        on[row.name] = trouble, str(row.data.get("who", ""))
    for trouble, who in on.values():
        troubles.restore(trouble, who=who)


def _rows(run: Run, who: Literal["window", "collector", "launch"]) -> list[Row]:
    path = run.journal(who)
    return journals.read(path) if path.exists() else []


def _states(run: Run) -> list[tuple[float, str]]:
    """Return what was on the participant's screen so far, in the words of its beats."""
    rows = [row for row in _rows(run, "window") if row.kind == "state"]
    return [(row.t_lsl, markers.encode(row.name, {k: str(v) for k, v in row.data.items() if v is not None})) for row in rows]
