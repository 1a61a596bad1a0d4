"""What a sitting came to, and how a launcher that died is followed: pure functions of journals, forms and verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from collector import baton, collision, rejoin
from collector.baton import Baton
from collector.crew import Outcome
from collector.diary import Diary
from collector.lock import Lock, orphans
from collector.processes import UNKNOWN, Adopted, Child
from collector.scenes import Header, Known, is_news, scene
from collector.situation import Situation
from collector.told import Told
from collector.troubles import Troubles
from collector.verdict import Verdict, judge, remembered, repeated, reported
from protocol import folder
from protocol.folder import Manifest, Person, Quality, Run
from protocol.journal import Journal, read
from protocol.scene import Contact, Finding

KEEP = Quality(
    metric="CQ", over="recording", threshold=0.8, value=0.9, coverage=1.0, n=9, per_sensor={}, verdict="keep", reason=""
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return folder.create(tmp_path, participant="07", session="01", task="emotion")


@pytest.fixture
def kept(run: Run) -> Verdict:
    Manifest(session_uid="u", end="complete", closed_wall="2026", quality=KEEP).save(run.manifest_json)
    return judge(run, Outcome("complete"))


# ---- the verdict


def test_clips_that_lost_too_much_are_named_and_the_rest_is_kept(kept: Verdict) -> None:
    again = repeated(reported(kept, Told((3,), ("blurred",), "report.html")), (2, 3))
    assert (again.code, again.name, again.repeat, again.page) == (0, "repeat", (2, 3), "report.html")
    assert again.text.startswith("repeat clips 2, 3: ")
    assert "contact quality 90.00%" in again.text
    assert again.reasons == ("blurred",)


def test_an_excluded_recording_stays_excluded_whatever_is_to_be_repeated(kept: Verdict) -> None:
    out = repeated(replace(kept, name="exclude", code=1, text="exclude: CQ"), (1,))
    assert (out.name, out.code, out.text, out.repeat) == ("exclude", 1, "exclude: CQ", (1,))


def test_what_was_passed_over_before_the_first_clip_is_repeated_in_the_verdict(kept: Verdict) -> None:
    found = (Finding(code="sound/muted", light="red", text="muted", blocks=True, may_override=True, overridden="silent clips"),)
    contact = Contact(state="no_blinks", n_cues=6, n_seen=1, overridden="a wig")
    said = remembered(kept, contact=contact, gate_overridden="dry hair", findings=found, skipped=True)
    assert said.reasons == (
        "overridden: muted (silent clips)", "the preflight was left out",
        "overridden: the contact gate was not open (dry hair)",
        "contact check: 1 of 6 cued blinks were seen in the EEG; overridden: a wig",
    )  # fmt: skip
    assert remembered(kept, contact=Contact(state="ok")).reasons == ()
    assert remembered(kept, contact=Contact(state="ok", n_cues=6, n_seen=6, alpha=2.71)).reasons == (
        "contact check: 6 of 6 cued blinks were seen in the EEG; alpha with closed eyes 2.7 times that with open ones",
    )
    assert said.said().reasons == said.reasons


# ---- who sits there


@pytest.mark.parametrize(
    ("before", "now", "years", "differ"),
    [
        (Person(age_y=24, sex="F", handedness="R"), Person(age_y=25, sex="F", handedness="R"), 0.1, 0),
        (Person(age_y=24, sex="F"), Person(age_y=24, sex="F"), 0.9, 0),
        (Person(age_y=24, sex="F"), Person(age_y=24, sex="n/a"), 0.0, 0),
        (Person(), Person(age_y=24, sex="F"), 0.0, 0),
        (Person(age_y=24, sex="F"), Person(age_y=24, sex="M"), 0.0, 1),
        (Person(age_y=24), Person(age_y=31), 0.5, 1),
        (Person(age_y=24), Person(age_y=22), 0.5, 1),
        (Person(handedness="L", sex="F"), Person(handedness="R", sex="M"), 0.0, 2),
    ],
)
def test_two_forms_that_cannot_be_one_person_s(before: Person, now: Person, years: float, differ: int) -> None:
    assert len(collision.differences(before, now, years=years)) == differ


# ---- a launcher that died


def journalled(run: Run, *rows: tuple[str, str, dict[str, object]]) -> list[object]:
    clock = iter(range(100, 200))
    with Journal(run.journal("launch"), now=lambda: float(next(clock))) as written:
        for kind, name, data in rows:
            written.write(kind, name, data)  # type: ignore[arg-type]
    return read(run.journal("launch"))


def test_where_a_session_stood_is_read_from_its_launchers_journal(run: Run) -> None:
    window = ("command", "window/start", {})
    rows = journalled(run, ("state", "begun", {}), window)
    assert (rejoin.taken_up(rows, ()).phase, rejoin.taken_up(rows[:1], ()).phase) == ("contacts", "streams")
    rows = journalled(
        run, ("note", "override", {"code": "gate", "text": "gate", "reason": "dry"}), ("note", "start", {"by": "operator"}),
        ("note", "contact", {"state": "ok", "n_cues": 6, "n_seen": 6, "alpha": 1.5, "overridden": "", "why": "x"}), window,
    )  # fmt: skip
    taken = rejoin.taken_up(rows, ((101.0, "welcome"),))
    assert (taken.phase, taken.began, taken.n_windows, taken.gate_overridden) == ("session", 100.0, 2, "dry")
    assert taken.contact == Contact(state="ok", n_cues=6, n_seen=6, alpha=1.5)


def test_alarms_that_were_on_are_on_again_and_findings_keep_their_reasons(run: Run) -> None:
    finding = {"code": "sound/muted", "light": "red", "text": "muted", "blocks": True, "may_override": True, "t": 5.0}
    rows = journalled(
        run, ("note", "finding", finding), ("note", "override", {"code": "sound/muted", "text": "muted", "reason": "silent"}),
        ("alarm", "disk/low", {"cleared": False, "level": "warn", "t_cause": 99.0}),
        ("alarm", "camera/lost", {"cleared": False, "level": "warn", "t_cause": 98.0, "reason": "no frame"}),
        ("alarm", "disk/low", {"cleared": True, "level": "warn", "t_cause": 103.0}),
    )  # fmt: skip
    assert [(one.code, one.overridden) for one in rejoin.findings(rows)] == [("sound/muted", "silent")]
    troubles = Troubles(Diary(now=lambda: 0.0), view=None, now=lambda: 200.0)  # type: ignore[arg-type]
    rejoin.restore(troubles, rows)
    assert [(one.code, one.text, one.t_cause) for one in troubles.on] == [("camera/lost", "no frame", 98.0)]


@pytest.mark.parametrize(
    ("last", "code"),
    [("session/end end=complete", 0), ("session/end end=aborted reason=escape", 1), ("clip/onset trial=1 block=1", None)],
)
def test_a_window_that_nobody_saw_end_is_judged_by_its_last_marker(run: Run, last: str, code: int | None) -> None:
    rows = journalled(
        run,
        ("note", "marker", {"text": "fixation trial=1 block=1 phase=onset", "t": 1.0}),
        ("note", "marker", {"text": last, "t": 2.0}),
    )
    assert rejoin.window_code(rows) == code
    assert rejoin.window_code([]) is None


def test_a_collector_that_nobody_saw_end_is_judged_by_its_manifest(run: Run) -> None:
    assert rejoin.collector_code(run) is None
    Manifest(session_uid="u", end="aborted", closed_wall="2026").save(run.manifest_json)
    assert rejoin.collector_code(run) == 1


def test_an_adopted_process_is_told_by_number_and_beginning(tmp_path: Path) -> None:
    import os

    from collector.processes import birth

    living = Adopted(os.getpid(), birth(os.getpid()) or "")
    assert living.poll() is None
    another = Child("window", Adopted(os.getpid(), "begun at another time"), tmp_path / "window.log")
    assert (another.code, another.how()) == (UNKNOWN, "has ended, nobody saw how")
    another.process.kill()  # would end this very test, if it were sent
    assert Adopted(os.getpid(), "x", judge=lambda: 0).poll() == 0


def test_the_keys_are_their_owners_alone_and_go_with_the_session(tmp_path: Path) -> None:
    Baton(address="tcp://127.0.0.1:1", token="secret").save(tmp_path)
    assert (tmp_path / baton.NAME).stat().st_mode & 0o777 == 0o600
    assert baton.load(tmp_path).token == "secret"
    (tmp_path / baton.NAME).write_text("{")
    assert baton.load(tmp_path) is None
    baton.drop(tmp_path)
    baton.drop(tmp_path)
    assert baton.load(tmp_path) is None


def test_orphans_are_children_whose_launcher_is_dead_and_their_heir_may_have_the_lock(tmp_path: Path) -> None:
    import os

    births = {os.getpid(): "1", 11: "2", 12: "3"}
    with Lock(tmp_path / "sub-07", born=births.get) as lock:
        lock.name(run=tmp_path / "run-01", pids={"collector": 11, "page": 12})
        assert orphans(tmp_path / "sub-07", born=births.get) is None, "the launcher lives"
        text = lock.path.read_text()
    lock.path.write_text(text)
    births[os.getpid()] = "later"
    left = orphans(tmp_path / "sub-07", born=births.get)
    assert (left.recording, left.living, left.run) == (True, ("collector", "page"), tmp_path / "run-01")
    with Lock(tmp_path / "sub-07", born=births.get, heirs=left.processes) as heir:
        heir.name(pids={"window": 12})
        assert orphans(tmp_path / "sub-07", born=births.get) is None
    del births[11]
    lock.path.write_text(text)
    births[os.getpid()] = "later still"
    assert not orphans(tmp_path / "sub-07", born=births.get).recording, "a page alone records nothing"


# ---- scenes


def test_a_scene_is_news_when_anything_but_the_time_has_changed() -> None:
    header, known = (
        Header("test", "07", "01", n_trials=12),
        Known(Situation("session", state="clip trial=3", trial=3, n_trials=12)),
    )
    first = scene(header, known, seq=1)
    assert (first.screen, first.trial, first.instruction.text) == ("record", 3, "Nothing to do: clip 3 of 12.")
    assert "pause" in first.buttons and "start" not in first.buttons
    assert not is_news(first, scene(header, replace(known, t_s=9.0), seq=2))
    assert is_news(first, scene(header, replace(known, situation=replace(known.situation, holding=True)), seq=2))
    assert is_news(None, first)
