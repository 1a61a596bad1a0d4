"""Whether a participant's id is already somebody else's, or this session is already there: said before anything is recorded."""

from __future__ import annotations

from datetime import datetime

from collector.prepare import Plan
from protocol.folder import Manifest, Person, Run, Session
from protocol.journal import wall_now
from protocol.scene import Finding

YEAR_S = 365.25 * 86400
AGE_SLACK_Y = 1.05  # ages are whole years, and a birthday may lie between two sessions
_ANY = (None, "n/a")


def findings(plan: Plan, person: Person) -> tuple[Finding, ...]:
    """Return what earlier recordings under this id say against another one.

    Parameters
    ----------
    plan : Plan
        The session that is about to begin.
    person : Person
        Who sits there, by the form.
    """
    records = [Session.load(path) for path in sorted(plan.data.glob(f"sub-{plan.participant}/ses-*/run-*/session.json"))]
    records = [record for record in records if record.simulated == plan.twin]
    found = [one for record in records[-1:] if (one := _other(plan.participant, record, person, now=wall_now()))]
    if plan.resumes:
        return tuple(found)
    return (*found, *_there(plan, [record for record in records if record.session == plan.session]))


def _other(participant: str, record: Session, person: Person, *, now: str) -> Finding | None:
    """Compare the form with that of the last recording."""
    differ = differences(record.person, person, years=_years(record.created_wall, now))
    if not differ:
        return None
    return Finding(
        code="participant/other", light="red", blocks=True, may_override=True,
        text=f"participant {participant} was somebody else in ses-{record.session} run-{record.run}: {', '.join(differ)}",
        cure="enter the right id; or correct the form",
    )  # fmt: skip


def differences(before: Person, now: Person, *, years: float) -> list[str]:
    """Say in what two forms cannot be one person's.

    Examples
    --------
    >>> differences(Person(age_y=24, sex="F"), Person(age_y=25, sex="F"), years=0.8)
    []
    >>> differences(Person(age_y=24, sex="F"), Person(age_y=24, sex="M"), years=0.0)
    ['sex F, now M']
    """
    found = []
    for name in ("sex", "handedness"):
        old, new = getattr(before, name), getattr(now, name)
        if old not in _ANY and new not in _ANY and old != new:
            found.append(f"{name} {old}, now {new}")
    if before.age_y is not None and now.age_y is not None and abs(now.age_y - before.age_y - years) > AGE_SLACK_Y:
        found.append(f"age {before.age_y:g}, now {now.age_y:g}")
    return found


def _years(then: str, now: str) -> float:
    return (datetime.fromisoformat(now) - datetime.fromisoformat(then)).total_seconds() / YEAR_S


def _there(plan: Plan, records: list[Session]) -> list[Finding]:
    """Say that the session was recorded to its end: a repetition is meant, or the id is wrong."""
    ends = []
    for record in records:
        path = Run(plan.data, record.participant, record.session, record.run, record.task).manifest_json
        manifest = Manifest.load(path) if path.exists() else None
        if manifest is not None and manifest.end == "complete":
            ends.append(f"run-{record.run}: {manifest.quality.verdict if manifest.quality else 'not judged'}".replace("_", " "))
    if not ends:
        return []
    there = f"ses-{plan.session} of participant {plan.participant} is complete already ({', '.join(ends)})"
    cure = "check the id; a repetition becomes a new run, and the earlier one stays"
    return [Finding(code="participant/complete", light="amber", text=there, cure=cure)]
