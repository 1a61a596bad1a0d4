"""emo-run: what it refuses before it writes, what it writes first, and what it says in the end."""

import hashlib
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collector import consent, disk, launch, lineup, prepare, processes, verdict
from collector.consent import ConsentError, Given
from collector.crew import Outcome
from collector.lock import Lock, LockedError
from protocol import commands, folder, journal, tombstone
from protocol.estimate import estimate
from protocol.folder import Manifest, Quality, Run
from protocol.journal import Journal
from protocol.study import ConsentForm, ParticipantForm
from tests import terminals

STUDY = """
[study]
name = "Launcher test"
[emotions]
fear = { hed = "Fearful", color = "#CC79A7" }
neutral = { hed = "Emotionally-neutral", color = "#7F7F7F" }
[stimuli]
clips_per_emotion = 1
[timing]
baseline = 10.0
[consent]
version = "2026-01"
scopes = ["eeg", "face", "train"]
"""
FORM = ConsentForm(version="2026-01", scopes=("eeg", "face", "train"))
CHILD = str(Path(__file__).with_name("fake_child.py"))
# the launcher as it is, with children of twenty lines
WITH_FAKES = f"""
import sys
from collector import launch, lineup
from collector.crew import Roster
child = lambda role, run: (sys.executable, "-P", {CHILD!r}, role, "good", str(run.path))
lineup.roster = lambda plan, run, *rest: Roster(child("collector", run), child("window", run)) if run else Roster((), ())
launch.main()
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of two clips, whose bytes the launcher hashes and does not decode."""
    home = tmp_path / "study"
    home.mkdir()
    (home / "study.toml").write_text(STUDY)
    rows = ["file\tsha256\tstim_id\ttarget\tstart_s\tstop_s\tlicence\tsource"]
    for target in ("fear", "neutral"):
        (home / f"{target}.mp4").write_text(target)
        sha = hashlib.sha256(target.encode()).hexdigest()
        rows.append(f"{target}.mp4\t{sha}\t{target}01\t{target}\t0\t6\tCC0-1.0\tmade here")
    (home / "clips.tsv").write_text("\n".join(rows) + "\n")
    return home


@pytest.fixture
def emo_run(study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """emo-run in this process, as far as its checks: exit code and what it printed on stderr."""
    monkeypatch.setenv("DISPLAY", ":99")

    def call(*options: str, participant: str = "07") -> tuple[int, str]:
        arguments = [str(study), "--participant", participant, "--data", str(study.parent / "data"), *options]
        with pytest.raises(SystemExit) as ended:
            commands.run(launch.app, launch.BAD_INPUT, args=arguments)
        return int(str(ended.value.code)), capsys.readouterr().err

    return call


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda home: edit(home / "study.toml", "baseline =", "basline ="), "timing.basline: unknown key"),
        (lambda home: (home / "fear.mp4").unlink(), "fear.mp4"),
        (lambda home: (home / "fear.mp4").write_text("other"), "sha256"),
        (lambda home: edit(home / "clips.tsv", "\tneutral\t", "\tfear\t"), "neutral"),
        (lambda home: (home / "study.toml").unlink(), "no such file"),
        (lambda home: (home.parent / "data").write_text("a file"), "is a file"),
        (lambda home: edit(home / "study.toml", "[consent]", '[camera]\nsource = "twin"\n[consent]'), "camera.source"),
    ],
    ids=["unknown-key", "missing-clip", "wrong-sha256", "target-without-clip", "no-study", "data-is-a-file", "twin-camera"],
)
def test_bad_input_ends_in_one_line_and_writes_nothing(
    study: Path, emo_run: Callable[..., tuple[int, str]], spoil: Callable[[Path], object], said: str
) -> None:
    spoil(study)
    before = sorted(study.parent.rglob("*"))
    code, err = emo_run("--consent", "eeg,face")
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert sorted(study.parent.rglob("*")) == before


@pytest.mark.parametrize("participant", ["../07", "0 7", "", "Jürgen", "con", "a" * 33, "07\n", "~"])
def test_a_participant_label_that_is_no_label_is_refused(
    study: Path, emo_run: Callable[..., tuple[int, str]], participant: str
) -> None:
    code, err = emo_run("--consent", "eeg", participant=participant)
    assert code == 2
    assert "--participant" in err
    assert not (study.parent / "data").exists()


def test_the_label_of_somebody_who_withdrew_is_not_used_again(study: Path, emo_run: Callable[..., tuple[int, str]]) -> None:
    data = study.parent / "data"
    key = tombstone.made_key(data)
    stone = tombstone.path_of(tombstone.folder_of(data, is_data=True), key, "07", "all")
    tombstone.save(stone, tombstone.new(stone, key, "all"))
    before = sorted(study.parent.rglob("*"))
    code, err = emo_run("--consent", "eeg,face")
    assert (code, err.count("\n")) == (2, 1)
    assert "--participant = '07': withdrew on " in err and "give somebody else another one" in err
    assert "--replaces = '07': withdrew on " in emo_run("--replaces", "07", participant="08")[1]
    (data.parent / ".data.secret").rename(data.parent / "kept")
    assert "bring back the one that lay beside" in emo_run(participant="08")[1]
    (data.parent / "kept").rename(data.parent / ".data.secret")
    assert "withdrew" not in emo_run(participant="08")[1]
    assert sorted(study.parent.rglob("*")) == before


def test_without_consent_nobody_is_recorded(study: Path, emo_run: Callable[..., tuple[int, str]]) -> None:
    assert emo_run()[0] == 2
    code, err = emo_run("--consent", "face,train")
    assert (code, "no consent to the EEG" in err) == (2, True)
    assert not (study.parent / "data").exists()


def test_an_id_that_is_on_no_roster_begins_nothing_where_nobody_can_be_asked(
    study: Path, emo_run: Callable[..., tuple[int, str]]
) -> None:
    edit(study / "study.toml", "[timing]", '[design]\nparticipants = ["06", "07", "08"]\n[timing]')
    code, err = emo_run("--consent", "eeg", "--no-page", "--skip-preflight", participant="70")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("participant/unknown: Participant 70 is not among the study's participants (06, 07, 08); is it 07?")
    assert '--override "REASON"' in err
    assert not (study.parent / "data").exists()


def test_without_a_display_the_cure_is_named(
    study: Path, emo_run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    if sys.platform.startswith("linux"):
        code, err = emo_run("--twin")
        assert (code, err.count("\n")) == (2, 1)
        assert "xvfb-run" in err
    prepare.check_display({}, platform="win32")
    assert not (study.parent / "data").exists()


def test_a_disk_on_which_the_session_does_not_fit_is_refused(study: Path) -> None:
    plan = prepare.check(study, participant="07", session="01", data=study.parent / "data", twin=True)
    need = prepare.needed_bytes(plan)
    prepare.check_disk(plan, free_bytes=need)
    with pytest.raises(prepare.PrepareError, match=r"may take \d"):
        prepare.check_disk(plan, free_bytes=need - 1)


def test_the_need_grows_with_the_picture_and_keeps_a_fifth_in_reserve(study: Path) -> None:
    def need() -> int:
        return prepare.needed_bytes(prepare.check(study, participant="07", session="01", data=None, twin=True))

    hd = need()
    edit(study / "study.toml", "[consent]", "[camera]\nsize_px = [1920, 1080]\n[consent]")
    full_hd = need()
    edit(study / "study.toml", "[camera]\nsize_px = [1920, 1080]\n", "")
    edit(study / "study.toml", "[study]", "camera = false\n[study]")
    blind = need()
    reserve = disk.RESERVE_B
    assert reserve < blind < hd < full_hd
    assert (full_hd - blind) / (hd - blind) == pytest.approx(2.25, rel=1e-6)  # pixels
    plan = prepare.check(study, participant="07", session="01", data=None, twin=True)
    assert blind - reserve == pytest.approx(1.2 * estimate(plan.study, plan.files.entries).disk_B, abs=1)


def test_session_json_comes_first_and_the_study_is_frozen_byte_by_byte(study: Path) -> None:
    plan = prepare.check(study, participant="07", session="02", data=study.parent / "data", twin=True)
    form = consent.simulated("07", Given(), FORM)
    run, record = prepare.begin(plan, *form, now=lambda: 12.5)
    assert folder.open_run(run.path) == run
    assert (run.participant, run.session, run.run, record.simulated, record.created_lsl) == ("07", "02", "01", True, 12.5)
    assert run.study_toml.read_bytes() == (study / "study.toml").read_bytes()
    assert record.study_sha256 == folder.sha256(run.study_toml)
    assert run.session_json.stat().st_mtime_ns <= run.study_toml.stat().st_mtime_ns
    assert record.versions["numpy"]


@pytest.mark.parametrize("name", ["study.toml", "clips.tsv"])
def test_a_study_that_was_changed_after_it_was_checked_is_refused_and_nothing_is_written(study: Path, name: str) -> None:
    data = study.parent / "data"
    plan = prepare.check(study, participant="07", session="02", data=data, twin=True)
    assert not prepare.is_changed(plan)
    (study / name).write_bytes((study / name).read_bytes() + b"\n")
    assert prepare.is_changed(plan)
    with pytest.raises(prepare.PrepareError, match=r"was changed after it had been checked; start emo-run again"):
        prepare.begin(plan, *consent.simulated("07", Given(), FORM), now=lambda: 1.0)
    assert not data.exists()
    (study / name).unlink()
    assert prepare.is_changed(plan)


def test_a_repeat_is_a_new_run_and_changes_nothing_of_the_old_one(study: Path) -> None:
    plan = prepare.check(study, participant="07", session="01", data=study.parent / "data", twin=True)
    form = consent.simulated("07", Given(), FORM)
    first, _ = prepare.begin(plan, *form, now=lambda: 1.0)
    before = first.session_json.read_bytes()
    second, _ = prepare.begin(plan, *form, now=lambda: 2.0)
    assert (first.run, second.run) == ("01", "02")
    assert first.session_json.read_bytes() == before


def test_the_command_that_starts_a_session_once_more_is_the_one_that_was_typed(study: Path) -> None:
    data = study.parent / "my data"
    plan = prepare.check(study, participant="07", session="02", data=data, twin=True)
    typed = lineup.rerun(plan, lineup.Options(windowed=True), here=study.parent)
    assert typed == "emo-run study --participant 07 --session 02 --data 'my data' --twin --windowed"
    plain = prepare.check(study, participant="07", session="01", data=None, twin=False)
    assert lineup.rerun(plain, lineup.Options(), here=Path("/elsewhere")) == f"emo-run {study} --participant 07"


def test_clips_that_are_repeated_are_what_the_new_run_is_to_show(
    study: Path, emo_run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert emo_run("--twin", "--repeat", "2")[1].startswith("--repeat: nothing of this session was recorded")
    plan = prepare.check(study, participant="07", session="01", data=study.parent / "data", twin=True)
    form = consent.simulated("07", Given(), FORM)
    first, record = prepare.begin(plan, *form, now=lambda: 1.0)
    begun: list[prepare.Plan] = []

    def sit(plan: prepare.Plan, *_: object, **__: object) -> None:
        begun.append(plan)
        raise prepare.PrepareError("enough")

    monkeypatch.setattr(launch.sitting, "sit", sit)
    with Journal(first.journal("window"), now=lambda: 1.0) as written:
        for n in (1, 2):
            written.write(
                "note", "marker", {"text": f"clip/offset trial={n} block=1 stim_id=a target=fear end=complete", "t": 1.0}
            )
    assert emo_run("--twin", "--repeat", "2") == (2, "enough\n")
    second, repeat = prepare.begin(begun[0], *form, now=lambda: 2.0)
    assert (second.run, repeat.resumes, repeat.trials) == ("02", record.uid, (2,))
    for wrong in (("--repeat", "x"), ("--repeat", "9"), ("--repeat", "1", "--anew")):
        code, err = emo_run("--twin", *wrong)
        assert (code, err.count("\n"), err.startswith("--repeat")) == (2, 1, True)
    assert len(begun) == 1


def test_a_participants_folder_that_leads_elsewhere_is_refused(study: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "sub-07").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(prepare.PrepareError, match="is a link that leads out"):
        prepare.check(study, participant="07", session="01", data=tmp_path / "data", twin=True)


# ---- the lock


def test_a_second_launcher_is_refused_while_the_first_or_a_child_of_it_lives(tmp_path: Path) -> None:
    births = {os.getpid(): "1", 11: "2"}
    with Lock(tmp_path / "sub-07", born=births.get) as lock:
        lock.name(run=tmp_path / "run-01", pids={"collector": 11})
        text = lock.path.read_text()
        with pytest.raises(LockedError, match=r"run-01; processes launcher \d+, collector 11.*let it end"):
            Lock(tmp_path / "sub-07", born=births.get).__enter__()
    assert "11" in lock.path.read_text(), "a child that would not end goes on holding the lock"
    lock.path.write_text(text)
    del births[os.getpid()]
    with pytest.raises(LockedError):
        Lock(tmp_path / "sub-07", born=births.get).__enter__()
    births[11] = "3"  # the number was used again, by somebody else
    births[os.getpid()] = "4"
    with Lock(tmp_path / "sub-07", born=births.get):
        pass
    assert lock.path.read_text() == ""


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"boot": 1}', '{"boot": "b", "processes": [1]}'])
def test_a_damaged_lock_is_nobodys(tmp_path: Path, damage: str) -> None:
    (tmp_path / "lock.json").write_text(damage)
    with Lock(tmp_path) as lock:
        assert json.loads(lock.path.read_text())["processes"]["launcher"][0] == os.getpid()


def test_another_simulated_participant_may_be_recorded_at_the_same_time(tmp_path: Path) -> None:
    with Lock(tmp_path / "sub-07"), Lock(tmp_path / "sub-08") as other:
        assert other.path.exists()


def test_one_machine_has_one_headset_and_a_second_participant_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    with Lock(tmp_path / "sub-07", also=Lock(machine, what="headset in use")):
        with pytest.raises(LockedError, match=r"headset in use .*processes launcher \d+"):
            Lock(tmp_path / "sub-08", also=Lock(machine, what="headset in use")).__enter__()
        assert not (tmp_path / "sub-08").exists()
    with Lock(tmp_path / "sub-08", also=Lock(machine)):
        pass


def test_a_participant_who_is_being_recorded_leaves_the_machine_free(tmp_path: Path) -> None:
    with Lock(tmp_path / "sub-07"):
        with pytest.raises(LockedError, match="this participant"):
            Lock(tmp_path / "sub-07", also=Lock(tmp_path / "machine")).__enter__()
        with Lock(tmp_path / "machine"):
            pass


# ---- the form


def test_the_simulated_person_is_the_same_each_time_and_plausible() -> None:
    person, agreed = consent.simulated("07", Given(), FORM)
    assert consent.simulated("07", Given(), FORM)[0] == person
    assert 18 <= person.age_y <= 35
    assert person.sex in ("F", "M")
    assert agreed.scopes == ("eeg", "face", "train")
    assert len({consent.simulated(f"{n:02d}", Given(), FORM)[0].age_y for n in range(12)}) > 3


def test_options_go_before_what_is_asked_or_simulated() -> None:
    given = Given(age=61.0, sex="f", handedness="l", scopes="eeg")
    for person, agreed in (consent.simulated("07", given, FORM), consent.from_options(given, FORM)):
        assert (person.age_y, person.sex, person.handedness, agreed.scopes) == (61.0, "F", "L", ("eeg",))


def test_each_scope_is_asked_for_and_no_is_the_default() -> None:
    asked: list[str] = []

    def answer(question: str, default: str) -> str:
        asked.append(question)
        return {"Age": "34", "Sex": "O", "Han": "R"}.get(question[:3], "y" if "EEG" in question else default)

    person, agreed = consent.ask(Given(), FORM, answer=answer)
    assert (person.age_y, person.sex, person.handedness) == (34.0, "O", "R")
    assert agreed.scopes == ("eeg",)
    assert len(asked) == 3 + len(FORM.scopes) + 1
    assert (asked[-1], agreed.signed_ref) == ("Reference to the signed sheet, such as C-2026-017 (empty: none)", None)
    assert not any("name" in question.lower() for question in asked)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Given(age=1.0, scopes="eeg"), "age = '1'"),
        (Given(sex="X", scopes="eeg"), "sex = 'X'"),
        (Given(handedness="both", scopes="eeg"), "handedness = 'both'"),
        (Given(scopes="eeg,share"), "'share' is not in the study's consent"),
        (Given(scopes=""), "no consent to the EEG"),
        (Given(scopes="eeg", hair="Nguyen Van A"), "hair = 'Nguyen Van A'"),
        (Given(scopes="eeg", cap_size="Anna Schmidt"), "cap_size = 'Anna Schmidt'"),
        (Given(scopes="eeg", head_circumference=5.6), "head_circumference = '5.6'"),
        (Given(scopes="eeg", signed="Anna Schmidt"), "--signed = 'Anna Schmidt': the number of the signed sheet"),
        (Given(scopes="eeg", signed="Anna"), "never a name"),
    ],
)
def test_a_form_that_cannot_be_is_refused_with_the_value(given: Given, said: str) -> None:
    with pytest.raises(ConsentError) as error:
        consent.from_options(given, FORM)
    assert said in str(error.value)


EVERYTHING = ParticipantForm(
    fields=("age", "sex", "handedness", "hair", "cap_size", "head_circumference"), screening=("Epilepsy", "Pregnant")
)


def test_what_the_study_wants_to_know_is_asked_in_its_order_and_the_sheet_is_kept_by_its_hash(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.md"
    sheet.write_text("What happens to you here")
    asked: list[str] = []

    def answer(question: str, default: str) -> str:
        asked.append(question)
        said = {"Age": "34", "Sex": "O", "Han": "R", "Hai": "Long", "Siz": "m", "Cir": "57,5", "Ref": "C-2026-017"}
        return said.get(question[:3], "y" if "Did" in question else default)

    person, agreed = consent.ask(Given(), FORM, answer=answer, asked=EVERYTHING, sheet=sheet)
    assert (person.hair, person.cap_size, person.head_circumference_cm) == ("long", "m", 57.5)
    assert (agreed.signed_ref, agreed.sheet_sha256) == ("C-2026-017", folder.sha256(sheet))
    assert [question.partition(" ")[0] for question in asked[:8]] == [
        "Age", "Sex:", "Handedness:", "Hair", "Size", "Circumference", "Epilepsy?", "Pregnant?",
    ]  # fmt: skip


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_screening_question_that_speaks_against_the_session_must_be_looked_into(goes_on: bool) -> None:
    def answer(question: str, default: str) -> str:
        if question.startswith("This has to be looked into"):
            return "y" if goes_on else default
        return "y" if question.startswith(("Epilepsy", "Did")) else default

    if goes_on:
        consent.ask(Given(), FORM, answer=answer, asked=EVERYTHING)
        return
    with pytest.raises(ConsentError, match=r"screening: yes to 'Epilepsy': nothing was recorded"):
        consent.ask(Given(), FORM, answer=answer, asked=EVERYTHING)


def test_unattended_somebody_must_say_that_the_screening_was_done() -> None:
    with pytest.raises(ConsentError, match="--screened: not given; the study has 2 screening questions"):
        consent.from_options(Given(scopes="eeg"), FORM, asked=EVERYTHING)
    consent.from_options(Given(scopes="eeg", screened=True), FORM, asked=EVERYTHING)


# ---- the verdict


def quality(verdict: str, value: float | None = 0.7, reason: str = "CQ 70.00% is below 80.00%") -> Quality:
    return Quality(
        metric="CQ", over="recording", threshold=0.8, value=value, coverage=1.0, n=9, per_sensor={}, verdict=verdict,
        reason=reason,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("end", "outcome", "judged", "code", "text"),
    [
        ("complete", Outcome("complete"), quality("keep", 0.9, ""), 0,
         "keep: contact quality 90.00%, at least 80.00% is asked"),
        ("complete", Outcome("complete"), quality("exclude"), 1, "exclude: contact quality 70.00% is below 80.00%"),
        ("complete", Outcome("complete"), quality("not_judged", None, "no CQ"), 1, "not judged: no contact quality"),
        ("aborted", Outcome("aborted"), quality("keep", 0.9, ""), 1, "aborted: Escape was pressed"),
        ("aborted", Outcome("complete"), quality("keep", 0.9, ""), 1, "aborted: Escape was pressed"),
        ("aborted", Outcome("aborted", "window/lost", "the window was ended by SIGKILL"), None, 3,
         "fault: the window was ended by SIGKILL"),
        (None, Outcome("aborted", "operator"), None, 1, "aborted: ended by the operator"),
    ],
)  # fmt: skip
def test_the_verdict_is_the_exit_code_and_one_line(
    tmp_path: Path, end: str | None, outcome: Outcome, judged: Quality | None, code: int, text: str
) -> None:
    run = folder.create(tmp_path, participant="07", session="01", task="emotion")
    if end:
        manifest = Manifest(
            session_uid="u", end=end, reason="escape" if end == "aborted" else "", closed_wall="2026", quality=judged
        )
        manifest.save(run.manifest_json)
    found = verdict.judge(run, outcome)
    assert (found.code, found.text) == (code, text)
    assert json.loads(json.dumps(found.record()))["exit"] == code


def test_after_a_crash_the_verdict_says_how_what_was_recorded_becomes_whole(tmp_path: Path) -> None:
    run = folder.create(tmp_path, participant="07", session="01", task="emotion")
    outcome = Outcome("aborted", "collector/lost", "the collector was ended by SIGKILL")
    assert verdict.judge(run, outcome).text == "fault: the collector was ended by SIGKILL"  # nothing was recorded
    run.xdf.write_bytes(b"XDF:")
    assert verdict.judge(run, outcome).text.endswith(f"; make what was recorded whole with: emo-record recover {run.path}")


def test_the_plan_of_a_replacement_is_the_excluded_participant_s_and_stays_so(study: Path) -> None:
    alone = prepare.check(study, participant="04", session="01", data=None, twin=True)
    plan = prepare.check(study, participant="16", session="01", data=None, twin=True, replaces="04")
    assert plan.trials == alone.trials
    run, record = prepare.begin(plan, *consent.simulated("16", Given(), plan.study.consent), now=lambda: 1.0)
    assert folder.Session.load(run.session_json).replaces == record.replaces == "04"
    again = prepare.check(study, participant="16", session="01", data=None, twin=True)
    assert again.trials == alone.trials


def test_the_children_are_started_so_that_a_folder_of_the_users_cannot_shadow_ours(study: Path) -> None:
    plan = prepare.check(study, participant="07", session="01", data=None, twin=True)
    run = Run(plan.data, "07", "01", "01", "emotion")
    found = lineup.roster(plan, run, lineup.Options(windowed=True, effect=0.0))
    assert all(argv[1] == "-P" for argv in (found.collector, found.window, found.twin))
    assert "--windowed" in found.window
    real = lineup.roster(replace(plan, twin=False), run, lineup.Options())
    assert real.twin == ()
    assert "--twin" not in (*real.collector, *real.window)


# ---- the command itself, with fake children


def launcher(study: Path, *options: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", WITH_FAKES, str(study), "--participant", "07", "--data", str(study.parent / "data"), *options]
    # the lock of the machine's devices lies in the user's home: tests that run beside this one have a machine of their own
    environment = {**os.environ, "DISPLAY": ":99", "XDG_STATE_HOME": str(study.parent / "state")}
    return subprocess.Popen(
        argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def test_one_json_object_at_the_end_and_nothing_else_on_stdout(study: Path) -> None:
    with launcher(study, "--twin", "--json") as process:
        out, err = process.communicate(timeout=60)
    record = json.loads(out)
    assert (process.returncode, record["exit"], record["end"], record["quality"]["verdict"]) == (0, 0, "complete", "keep")
    assert "manifest.json" in record["files"]
    assert "Traceback" not in err


def until(there: Callable[[], bool]) -> None:
    """Wait for something, at most 30 s."""
    for _ in range(600):
        if there():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_ctrl_c_on_the_terminal_reaches_the_launcher_alone(study: Path) -> None:
    with launcher(study, "--consent", "eeg") as process:
        run = Run(study.parent / "data", "07", "01", "01", "emotion")
        told = run.path / "told.txt"
        until((run.path / "window.asked").exists)
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does to its foreground group
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out.splitlines()[-1] == "aborted"  # the verdict is the last line
    assert told.read_text().splitlines() == [
        "collector started", "window started", "window abort operator", "window ended", "collector ended",
    ]  # fmt: skip
    rows = journal.read(run.journal("launch"))
    assert rows[-1].name == "verdict"


def test_a_closed_terminal_ends_the_session_in_order_and_leaves_no_child(study: Path) -> None:
    terminals.needed()
    run = Run(study.parent / "data", "07", "01", "01", "emotion")
    argv = [
        sys.executable,
        "-c",
        WITH_FAKES,
        str(study),
        "--participant",
        "07",
        "--data",
        str(study.parent / "data"),
        "--no-page",
    ]
    form = ["--age", "24", "--sex", "F", "--handedness", "R", "--consent", "eeg"]
    environment = {**os.environ, "DISPLAY": ":99", "TERM": "xterm", "XDG_STATE_HOME": str(study.parent / "state")}
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [*argv, *form], environment)
    until((run.path / "window.asked").exists)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert (run.path / "told.txt").read_text().splitlines() == [
        "collector started", "window started", "window abort operator", "window ended", "collector ended",
    ]  # fmt: skip
    assert journal.read(run.journal("launch"))[-1].name == "verdict"


# the collector as it is, which waits three seconds for the headset
WITHOUT_DEVICES = f"""
import sys
from collector import launch, lineup
from collector.crew import Roster
record = lambda run, study: (sys.executable, "-P", "-m", "collector", str(run.path), "--study", str(study), "--wait", "3")
window = lambda run: (sys.executable, "-P", {CHILD!r}, "window", "good", str(run.path))
lineup.roster = lambda plan, run, *rest: Roster(record(run, plan.files.path), window(run)) if run else Roster((), ())
launch.main()
"""


@pytest.mark.live
@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ("[camera]\nsource = 63", "camera.source = 63"),
        ("", "eeg.stream (name = EmotivDataStream-EEG) is not there; eeg.contact_quality_stream"),
    ],
    ids=["camera", "streams"],
)
def test_a_device_that_is_missing_is_named_and_leaves_no_run(study: Path, camera: str, said: str) -> None:
    edit(study / "study.toml", "[study]", "[study]" if camera else "camera = false\n[study]")
    edit(study / "study.toml", "[consent]", f"{camera}\n[consent]")
    environment = {
        **os.environ, "DISPLAY": ":99", "XDG_STATE_HOME": str(study.parent / "state"), "EMOLAB_LSL_SESSION": f"t{os.getpid()}",
    }  # fmt: skip
    data = study.parent / "data"
    argv = [
        sys.executable,
        "-c",
        WITHOUT_DEVICES,
        str(study),
        "--participant",
        "07",
        "--data",
        str(data),
        "--consent",
        "eeg,face",
    ]
    done = subprocess.run(
        argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1].startswith("aborted: ") and said in done.stdout.splitlines()[-1]
    assert list(folder.find(data)) == []
    told = folder.NotRecorded.load(data / "sub-07" / "ses-01" / "run-01" / "not-recorded.json")
    assert said in told.reason


def test_a_second_launcher_for_the_same_participant_says_who_records(study: Path) -> None:
    with launcher(study, "--consent", "eeg") as first:
        run = Run(study.parent / "data", "07", "01", "01", "emotion")
        until((run.path / "window.asked").exists)
        with launcher(study, "--consent", "eeg") as second:
            _, err = second.communicate(timeout=60)
        assert second.returncode == 2
        assert "is being recorded" in err
        assert not run.path.with_name("run-02").exists()
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)


def test_the_launchers_death_ends_nobody_and_the_next_one_takes_the_session_over(study: Path) -> None:
    run = Run(study.parent / "data", "07", "01", "01", "emotion")
    with launcher(study, "--consent", "eeg") as first:
        until((run.path / "window.asked").exists)
        first.kill()
        first.communicate(timeout=60)
    held = json.loads((study.parent / "data" / "sub-07" / "lock.json").read_text())["processes"]
    children = {who: pid for who, (pid, _) in held.items() if who != "launcher"}
    assert sorted(children) == ["collector", "window"]
    keys = study.parent / "data" / "sub-07" / "lock-link.json"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    with launcher(study, "--session", "02") as other:
        _, err = other.communicate(timeout=60)
    assert (other.returncode, "cannot be taken over: it is session 01" in err) == (2, True), err
    with launcher(study) as second:  # the form was filled in: nobody is asked again
        until(lambda: "rejoined" in [row.name for row in journal.read(run.journal("launch"))])
        with launcher(study) as third:
            _, err = third.communicate(timeout=60)
        assert (third.returncode, "is being recorded" in err) == (2, True), err
        assert all(processes.birth(pid) is not None for pid in children.values())
        until(lambda: f'"window":[{children["window"]},' in (study.parent / "data" / "sub-07" / "lock.json").read_text())
        until(lambda: "window resume next" in (run.path / "told.txt").read_text())
        second.send_signal(signal.SIGINT)
        out, err = second.communicate(timeout=60)
    assert (second.returncode, out.splitlines()[-1]) == (1, "aborted: ended by the operator"), err
    chance = {
        "window pause next",  # of the launcher that died: it may have come as far
        "collector stop operator", "collector note window/lost",  # it may hear of the end before it sees it
    }  # fmt: skip
    assert [told for told in (run.path / "told.txt").read_text().splitlines() if told not in chance] == [
        "collector started", "window started",
        "window resume next",  # the launcher that died may have told it to hold
        "window abort operator", "window ended", "collector ended",
    ]  # fmt: skip
    assert not keys.exists()
    assert (study.parent / "data" / "sub-07" / "lock.json").read_text() == ""
