"""What a sitting came to, and how a launcher that died is followed: pure functions of journals, forms and verdicts."""

from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from collector import baton, collision, finale, rejoin
from collector.baton import Baton
from collector.crew import Outcome, Patience
from collector.diary import Diary
from collector.finale import Check, Finale
from collector.launch import lines
from collector.lock import Lock, orphans
from collector.prepare import Plan
from collector.processes import UNKNOWN, Adopted, Child
from collector.resuming import Left
from collector.scenes import Header, Known, is_news, scene
from collector.situation import Situation
from collector.told import Told
from collector.troubles import Troubles
from collector.verdict import Verdict, judge, remembered, repeated, reported, verified
from protocol import folder
from protocol.folder import Consent, FileRecord, Manifest, Person, Quality, Run, Session
from protocol.journal import Journal, read, wall_now
from protocol.messages import Command
from protocol.scene import Contact, Finding
from protocol.study import Study
from protocol.study_files import StudyFiles

KEEP = Quality(
    metric="CQ", over="recording", threshold=0.8, value=0.9, coverage=1.0, n=9, per_sensor={}, verdict="keep", reason=""
)

_HELM: Any = SimpleNamespace(now=lambda: 1.0, header=Header("s", "07", "01"))  # nobody is at it


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


def test_a_verdict_that_asks_for_clips_says_what_to_type(kept: Verdict) -> None:
    again = replace(repeated(kept, (5, 3)), rerun="emo-run study --participant 07")
    assert again.next == again.record()["next"] == again.said().next == "emo-run study --participant 07 --repeat 3,5"
    assert lines(again)[-1] == f"Now type: {again.next}"
    assert replace(kept, rerun="emo-run study").next == ""


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


# ---- a session that was broken off


def test_what_the_participant_wants_of_a_session_that_was_broken_off_is_written_down_and_the_last_word_counts(run: Run) -> None:
    assert judge(run, Outcome("aborted", "escape")).choice == ""  # nothing was recorded
    run.xdf.write_bytes(b"XDF:")
    asked = replace(judge(run, Outcome("aborted", "escape")), withdrawal="emo-withdraw 07 --data data")
    assert (asked.choice, asked.next) == ("open", "")
    assert lines(asked)[-1].endswith("keep or withdraw what was recorded? To withdraw it: emo-withdraw 07 --data data")
    with Journal(run.journal("launch"), now=lambda: 1.0) as written:
        helm: Any = SimpleNamespace(**vars(_HELM), diary=Diary(written, now=lambda: 1.0))
        stage = Finale(asked, Known(Situation("ended")), helm=helm, report=None, patience=Patience())
        stage.open()
        stage.step()
        for verb, code in (("withdraw", "finish/withdrawn"), ("keep", "finish/kept"), ("withdraw", "finish/withdrawn")):
            assert stage.obey(Command(verb=verb)) == ""  # type: ignore[arg-type]
            assert scene(helm.header, stage.known(), seq=1).instruction.code == code
        assert not stage.over
    assert (stage.verdict.record()["choice"], stage.verdict.record()["next"]) == ("withdraw", "emo-withdraw 07 --data data")
    assert [row.data["choice"] for row in read(run.journal("launch"))] == ["withdraw", "keep", "withdraw"]


# ---- its files


def filed(run: Run, *, after: str) -> Verdict:
    """A recording of which ``eeg.xdf`` is as recorded and ``face.mkv`` becomes what ``after`` says; empty: it goes."""
    texts = {"eeg.xdf": "EEG", "face.mkv": "face"}
    for name, text in texts.items():
        (run.path / name).write_text(text)
    records = tuple(FileRecord(path=n, size_B=len(t), sha256=folder.sha256(run.path / n)) for n, t in texts.items())
    Manifest(session_uid="u", end="complete", closed_wall="2026", quality=KEEP, files=records).save(run.manifest_json)
    (run.path / "face.mkv").write_text(after)
    if not after:
        (run.path / "face.mkv").unlink()
    return judge(run, Outcome("complete"))


@pytest.mark.parametrize("after", ["", "fake", "longer than before"])
def test_a_file_that_is_not_what_was_recorded_makes_a_fault_of_the_verdict(run: Run, after: str) -> None:
    kept = filed(run, after=after)
    files = Check(run).all()
    assert [(file.name, file.verified) for file in files] == [("eeg.xdf", True), ("face.mkv", False)]
    found = verified(kept, files)
    assert (found.code, found.name, found.record()["fault"][:8]) == (3, "fault", "face.mkv")
    assert found.text.startswith("fault: face.mkv: missing, or not what manifest.json says")
    assert found.reasons[0].startswith("without that: keep: contact quality 90.00%")


def test_the_end_is_shown_as_a_fault_as_soon_as_a_file_differs_and_finish_waits_for_the_files(run: Run) -> None:
    stage = Finale(filed(run, after="fake"), Known(Situation("ended")), helm=_HELM, report=None, patience=Patience())
    assert stage.known().situation.said is None
    stage.open()
    stage.step()
    stage._check._thread.join(10.0)  # type: ignore[union-attr]
    shown = scene(_HELM.header, stage.known(), seq=1)
    assert (shown.instruction.code, shown.light, shown.said.verdict) == ("finish/differs", "red", "fault")  # type: ignore[union-attr]
    assert (stage.verdict.code, stage.verdict.name) == (3, "fault")


def test_who_leaves_before_the_files_were_read_is_told_so_in_the_verdict(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Event()
    monkeypatch.setattr(finale, "sha256", lambda path: str(read.wait(10.0)))
    stage = Finale(filed(run, after="face"), Known(Situation("ended")), helm=_HELM, report=None, patience=Patience())
    stage.open()
    stage.step()
    assert scene(_HELM.header, stage.known(), seq=1).instruction.code == "finish/verifying"
    assert stage.verdict.reasons == ("not all files were compared with their checksums",)
    read.set()


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


def planned(data: Path, *, participant: str, language: str = "en", roster: tuple[str, ...] = (), **more: object) -> Plan:
    study = Study.model_validate({
        "study": {"name": "test", "language": language}, "consent": {"version": "1"}, "design": {"participants": roster},
        "emotions": {name: {"hed": "Fearful", "color": "#CC79A7"} for name in ("fear", "joy")},
    })  # fmt: skip
    files = StudyFiles(study, (), data / "study.toml")
    return Plan(files, (), data, participant, "01", twin=False, left=Left((), (), 0, {}), **more)  # type: ignore[arg-type]


def test_an_id_that_is_not_on_the_roster_blocks_until_somebody_says_why(tmp_path: Path) -> None:
    def said(participant: str, **more: object) -> list[tuple[str, str, bool, bool]]:
        plan = planned(tmp_path, participant=participant, roster=("06", "07", "08", "09", "10"), **more)
        return [(one.code, one.text, one.blocks, one.may_override) for one in collision.findings(plan, Person())]

    text = "Participant 70 is not among the study's participants (06, 07, 08 .. 10); is it 07?"
    assert said("70") == [("participant/unknown", text, True, True)]
    assert said("07") == said("10") == []
    assert said("70", resumes=True) == [], "a run that goes on was passed when it began"
    assert "Participant 80 " in said("06", replaces="80")[0][1]
    assert said("06", replaces="08") == []
    (line,) = collision.stranger(planned(tmp_path, participant="70", language="vi", roster=("07",)))
    assert line.text == "Người tham gia 70 không có trong danh sách của nghiên cứu (07); có phải là 07 không?"
    assert collision.findings(planned(tmp_path, participant="70"), Person()) == (), "no roster, no strangers"


@pytest.mark.parametrize(
    ("language", "other", "complete"),
    [
        ("en", "Participant 07 was somebody else in ses-01 run-01: sex F, now M, age 24, now 31", "(run-01: keep)"),
        ("vi", "Người tham gia 07 ở ses-01 run-01 là một người khác: giới tính F, nay M, tuổi 24, nay 31", "(run-01: giữ lại)"),
    ],
)
def test_an_id_that_is_somebody_else_s_is_told_in_the_language_of_the_study(
    run: Run, kept: Verdict, language: str, other: str, complete: str
) -> None:
    first = Session(
        uid="u", participant="07", session="01", run="01", task="emotion", simulated=False, study_sha256="0" * 64,
        created_wall=wall_now(), created_lsl=0.0, boot="b", person=Person(age_y=24, sex="F"),
        consent=Consent(version="1", scopes=("eeg",), t_wall=wall_now()), versions={},
    )  # fmt: skip
    first.save(run.session_json)
    found = collision.findings(planned(run.path.parents[2], participant="07", language=language), Person(age_y=31, sex="M"))
    assert [one.code for one in found] == ["participant/other", "participant/complete"]
    assert found[0].text == other
    assert found[1].text.endswith(complete)
    assert [(one.blocks, one.may_override) for one in found] == [(True, True), (False, False)]


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
        ("alarm", "camera/lost", {"cleared": False, "t_cause": 98.0, "reason": "no frame", "who": "collector"}),
        ("alarm", "disk/low", {"cleared": True, "level": "warn", "t_cause": 103.0}),
    )  # fmt: skip
    assert [(one.code, one.overridden) for one in rejoin.findings(rows)] == [("sound/muted", "silent")]
    troubles = Troubles(Diary(now=lambda: 0.0), view=None, now=lambda: 200.0)  # type: ignore[arg-type]
    rejoin.restore(troubles, rows)
    assert [(one.code, one.text, one.t_cause) for one in troubles.on] == [("camera/lost", "no frame", 98.0)]
    assert troubles.told_by("collector") == ("camera/lost",)


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
