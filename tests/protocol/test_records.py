"""What one process writes, another reads back equal."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import folder, journal, markers, messages, scene
from protocol.markers import KEYS, Marker, MarkerError

PERSON = folder.Person(age_y=21.0, sex="F", handedness="R")
CONSENT = folder.Consent(version="2026-01", scopes=("eeg", "face"), t_wall="2026-11-22T09:00:00Z")


def a_session(**changes: object) -> folder.Session:
    fields = {
        "uid": "u1", "participant": "07", "session": "01", "run": "01", "task": "emotion", "simulated": True,
        "study_sha256": "ab", "created_wall": "2026-11-22T09:00:00Z", "created_lsl": 12.5, "boot": "b", "person": PERSON,
        "consent": CONSENT, "versions": {"emolab": "0.1.0"},
    }  # fmt: skip
    return folder.Session.model_validate(fields | changes)


@st.composite
def any_marker(draw: st.DrawFn) -> Marker:
    name = draw(st.sampled_from(sorted(KEYS)))
    keys = draw(st.lists(st.sampled_from(KEYS[name] or ("",)), unique=True)) if KEYS[name] else []
    return Marker(name, {key: draw(st.text()) for key in keys})


@given(any_marker())
def test_a_marker_reads_back_equal_whatever_its_values(marker: Marker) -> None:
    text = str(marker)
    assert markers.parse(text) == marker
    assert text.isascii()
    assert "\n" not in text


def test_marker_keys_stand_in_the_fixed_order() -> None:
    marker = Marker("clip/onset", {"target": "fear", "trial": "3", "stim_id": "fear02", "block": "1"})
    assert str(marker) == "clip/onset trial=3 block=1 stim_id=fear02 target=fear"


@pytest.mark.parametrize("text", ["", "clip", "clip/onset trial", "clip/onset frames=3", "pause  reason=x"])
def test_what_is_no_marker_is_refused(text: str) -> None:
    with pytest.raises(MarkerError):
        markers.parse(text)


BODIES = [
    messages.Beat(state="clip trial=3", n_flip=3, t_flip=1.5),
    messages.Status(
        recording=True,
        streams=(
            messages.StreamStatus(
                name="EEG", uid="u", kind="EEG", sfreq_nominal_hz=256.0, sfreq_hz=255.9, age_s=0.1, buffer_frac=0.0, n=3,
                n_lost=None, last=(1.0, 2.5),
            ),
        ),
        disk=messages.DiskStatus(free_B=10**12, left_s=3600.0),
        camera=messages.CameraStatus(fps_hz=29.9, n_dropped=0, file="a.mkv"),
    ),
    messages.Command(verb="abort", reason="người tham gia mệt"),
    messages.Ack(of="x", ok=False, error="no"),
    messages.Alarm(code="stream/lost", level="stop", t_cause=12.5, why="no sample"),
    messages.Preview(jpeg=b"\xff\xd8\xff", t=3.25),
    messages.Scene(
        seq=7, screen="contacts", phase="contacts", light="amber",
        instruction=scene.Instruction(code="wet", text="Cz: nước muối"),
        study="S", participant="07", session="01", run="02", language="vi", simulated=True, t_s=1.5, recording=True,
        state="waiting", trial=None, n_trials=12, buttons=("start", "abort"),
        findings=(scene.Finding(code="disk", light="green", text="3 h"),),
        gate=scene.GateState(metric="CQ", threshold=0.8, hold_s=10.0, overall=0.79, good=27, n=28),
        cap=scene.Cap(montage="colin27_1020", channels=("Cz", "Fp1"), reference="CMS at TP9", line_freq=50),
        contact=scene.Contact(state="no_blinks", n_cues=12, n_seen=1, alpha=1.02, overridden="dày tóc"),
        battery=12.0, battery_left_s=600.0,
        troubles=(scene.Trouble(code="stream/lost", text="EEG", level="stop", t_cause=1.0, t_raised=2.5),),
        timeline=(scene.Moment(t_s=0.0, kind="clip", text="fear", for_s=60.0),),
        said=scene.Said(exit=1, verdict="repeat", text="clip 3", repeat=(3,), files=(scene.File(name="a.xdf", size_B=9),)),
    ),
    messages.Press(key="space"),
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_message_reads_back_equal(body: messages.Body) -> None:
    envelope = messages.decode(messages.encode(body, token="t", who="window", t_lsl=1.25), token="t")
    assert (envelope.body, envelope.who, envelope.t_lsl, envelope.schema) == (body, "window", 1.25, 1)


def test_every_message_type_is_tried_above() -> None:
    assert {type(body).__name__ for body in BODIES} == set(messages.TYPES)


def altered(**changes: object) -> bytes:
    raw = json.loads(messages.encode(messages.Press(key="a"), token="t", who="page", t_lsl=0.0))
    return msgspec.json.encode(raw | changes)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\xff", altered(token="u"), altered(schema=2), altered(type="Pickle"), altered(who="me"),
     altered(body={"key": 3}), altered(body={"key": "a", "more": 1}), altered(extra=1)],
)  # fmt: skip
def test_what_is_no_message_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(messages.MessageError):
        messages.decode(data, token="t")


def test_a_journal_reads_back_and_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "journal-window.jsonl"
    with journal.Journal(path, now=lambda: 4.5) as first:
        first.write("state", "clip", {"trial": 1, "stim_id": "hạnh phúc"})
        first.write("note", "schema", {"text": 'says "schema" and\nmore'}, sync=True)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"schema":1,"seq":2,"t_l')
    assert [row.seq for row in journal.read(path)] == [0, 1]
    with journal.Journal(path, now=lambda: 5.5) as second:
        second.write("state", "rating")
    rows = journal.read(path)
    assert [(row.seq, row.t_lsl, row.name) for row in rows] == [
        (0, 4.5, "clip"),
        (1, 4.5, "schema"),
        (2, 5.5, "rating"),
    ]
    assert rows[0].data == {"trial": 1, "stim_id": "hạnh phúc"}
    assert rows[1].data["text"] == 'says "schema" and\nmore'
    assert json.loads(whole.splitlines()[0])["schema"] == 1


def test_a_damaged_line_inside_a_journal_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal-window.jsonl"
    path.write_text('{"seq":0}\n', encoding="utf-8")
    with pytest.raises(journal.JournalError, match=r"journal-window\.jsonl, line 1"):
        journal.read(path)


def test_session_json_and_manifest_json_read_back_equal(tmp_path: Path) -> None:
    quality = folder.Quality(
        metric="CQ", over="recording", threshold=0.8, value=0.91, coverage=1.0, n=200, per_sensor={"Cz": 1.0},
        verdict="keep", reason="",
    )  # fmt: skip
    manifest = folder.Manifest(
        session_uid="u1", end="complete", closed_wall="2026-11-22T09:20:00Z", quality=quality,
        files=(folder.FileRecord(path="a.xdf", size_B=3, sha256="00"),),
        streams=(folder.StreamRecord(name="EEG", id=1, n=10, n_lost=0, t_first=1.0, t_last=2.0),),
    )  # fmt: skip
    for record in (a_session(), manifest):
        path = tmp_path / "record.json"
        record.save(path)
        assert type(record).load(path) == record
        assert json.loads(path.read_text())["schema"] == 1
        assert [p.name for p in path.parent.iterdir()] == ["record.json"]


BAD_LABELS = ["../x", "..\\x", "/etc", "", "a b", "a/b", "a\0b", "CON", "nul", "com1", "０７", "é", "x" * 33, "07\n"]


@pytest.mark.parametrize("bad", BAD_LABELS)
def test_a_label_that_could_leave_the_folder_is_refused(bad: str) -> None:
    with pytest.raises(folder.FolderError, match="participant = "):
        folder.label(bad, what="participant")
    with pytest.raises(ValueError, match="participant"):
        a_session(participant=bad)


def test_runs_are_numbered_and_never_shared(tmp_path: Path) -> None:
    first = folder.create(tmp_path, participant="07", session="01", task="emotion")
    second = folder.create(tmp_path, participant="07", session="01", task="emotion")
    assert (first.run, second.run) == ("01", "02")
    assert {path.stat().st_mode & 0o777 for path in (first.path, *first.path.parents[:2])} == {0o700}  # run, session, person
    a_session().save(first.session_json)
    assert list(folder.find(tmp_path)) == [first]
    with pytest.raises(folder.FolderError, match=r"no session\.json"):
        folder.open_run(second.path)


def test_a_run_of_which_nothing_was_recorded_says_why_and_is_no_run(tmp_path: Path) -> None:
    run = folder.create(tmp_path, participant="07", session="01", task="emotion")
    a_session().save(run.session_json)
    path = folder.shelve(run, "EmotivDataStream-EEG is not there")
    told = folder.NotRecorded.load(path)
    assert (told.reason, told.session.participant) == ("EmotivDataStream-EEG is not there", "07")
    assert list(folder.find(tmp_path)) == []
    assert folder.create(tmp_path, participant="07", session="01", task="emotion").run == "02"


def test_a_run_that_was_moved_is_refused(tmp_path: Path) -> None:
    run = folder.create(tmp_path, participant="08", session="01", task="emotion")
    a_session(participant="07").save(run.session_json)
    with pytest.raises(folder.FolderError, match="sub-07"):
        folder.open_run(run.path)
