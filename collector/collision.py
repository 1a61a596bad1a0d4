"""Before anything is recorded: whether an id is on no roster, or somebody else's, or this session is already there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from collector.preflight.found import Found, tell
from collector.prepare import Plan
from protocol.advice import few, meant
from protocol.folder import Manifest, Person, Run, Session
from protocol.journal import wall_now
from protocol.scene import Finding
from protocol.words_types import Language

YEAR_S = 365.25 * 86400
AGE_SLACK_Y = 1.05  # ages are whole years, and a birthday may lie between two sessions
_ANY = (None, "n/a")
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "sex": "sex {old}, now {new}", "handedness": "handedness {old}, now {new}", "age": "age {old}, now {new}",
        "keep": "keep", "exclude": "exclude", "not_judged": "not judged", "meant": "; is it {like}?",
    },
    "vi": {
        "sex": "giới tính {old}, nay {new}", "handedness": "tay thuận {old}, nay {new}", "age": "tuổi {old}, nay {new}",
        "keep": "giữ lại", "exclude": "loại", "not_judged": "chưa đánh giá", "meant": "; có phải là {like} không?",
    },
}  # fmt: skip


def findings(plan: Plan, person: Person) -> tuple[Finding, ...]:
    """Return what the roster, and earlier recordings under this id, say against another one.

    Parameters
    ----------
    plan : Plan
        The session that is about to begin.
    person : Person
        Who sits there, by the form.
    """
    language = plan.study.study.language
    records = [Session.load(path) for path in sorted(plan.data.glob(f"sub-{plan.participant}/ses-*/run-*/session.json"))]
    records = [record for record in records if record.simulated == plan.twin]
    found = [one for record in records[-1:] if (one := _other(plan, record, person, now=wall_now()))]
    if not plan.resumes:
        found += _there(plan, [record for record in records if record.session == plan.session])
    return (*stranger(plan), *(tell(one, language) for one in found))


def stranger(plan: Plan) -> tuple[Finding, ...]:
    """Return the label that is not on the study's roster, if there is one: a slip makes a new person with another order.

    A run that goes on with an earlier one has been passed already.
    """
    roster, language = plan.study.design.participants, plan.study.study.language
    unknown = [one for one in (plan.participant, plan.replaces) if one and one not in roster]
    if not roster or not unknown or plan.resumes:
        return ()
    like = meant(roster, unknown[0])
    is_it = _WORDS[language]["meant"].format(like=like) if like else ""
    return (tell(Found("participant/unknown", {"participant": unknown[0], "roster": few(roster), "meant": is_it}), language),)


def _other(plan: Plan, record: Session, person: Person, *, now: str) -> Found | None:
    """Compare the form with that of the last recording."""
    differ = differences(record.person, person, years=_years(record.created_wall, now), language=plan.study.study.language)
    if not differ:
        return None
    where = {"participant": plan.participant, "session": record.session, "run": record.run}
    return Found("participant/other", {**where, "differ": ", ".join(differ)})


def differences(before: Person, now: Person, *, years: float, language: Language = "en") -> list[str]:
    """Say in what two forms cannot be one person's.

    Examples
    --------
    >>> differences(Person(age_y=24, sex="F"), Person(age_y=25, sex="F"), years=0.8)
    []
    >>> differences(Person(age_y=24, sex="F"), Person(age_y=24, sex="M"), years=0.0)
    ['sex F, now M']
    """
    words, found = _WORDS[language], []
    for name in ("sex", "handedness"):
        old, new = getattr(before, name), getattr(now, name)
        if old not in _ANY and new not in _ANY and old != new:
            found.append(words[name].format(old=old, new=new))
    if before.age_y is not None and now.age_y is not None and abs(now.age_y - before.age_y - years) > AGE_SLACK_Y:
        found.append(words["age"].format(old=f"{before.age_y:g}", new=f"{now.age_y:g}"))
    return found


def _years(then: str, now: str) -> float:
    return (datetime.fromisoformat(now) - datetime.fromisoformat(then)).total_seconds() / YEAR_S


def _there(plan: Plan, records: list[Session]) -> list[Found]:
    """Say that the session was recorded to its end: a repetition is meant, or the id is wrong."""
    words, ends = _WORDS[plan.study.study.language], []
    for record in records:
        path = Run(plan.data, record.participant, record.session, record.run, record.task).manifest_json
        manifest = Manifest.load(path) if path.exists() else None
        if manifest is not None and manifest.end == "complete":
            ends.append(f"run-{record.run}: {words[manifest.quality.verdict if manifest.quality else 'not_judged']}")
    if not ends:
        return []
    return [Found("participant/complete", {"participant": plan.participant, "session": plan.session, "ends": ", ".join(ends)})]
