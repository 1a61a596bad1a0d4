"""What is shown of a scene: buttons, texts, tiles; in both languages."""

import re
from pathlib import Path

import msgspec
import pytest

from collector.page import commands, components, report, view
from collector.page.board import Board
from collector.page.ticker import Changes
from collector.page.tiles import camera_health, health, tiles
from collector.page.words import WORDS, number
from protocol.messages import Ack, CameraStatus, Command, Scene, StreamStatus, Verb
from protocol.scene import Contact, Instruction, Said
from tests.collector.page import scenes
from tests.collector.page.test_board import Clock, Wire


def board_with(scene: Scene, *more: object, clock: Clock | None = None) -> Board:
    wire = Wire()
    wire.coming = [scene, *more]  # type: ignore[list-item]
    board = Board(wire, now=clock or Clock())
    board.pump()
    return board


def row(scene: Scene, *, silent: bool = False) -> dict[str, dict]:
    return {b["verb"]: b for b in commands.row(scene, silent=silent)}


def enabled(scene: Scene) -> set[str]:
    return {verb for verb, b in row(scene).items() if b["enabled"]}


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    english, vietnamese = WORDS["en"], WORDS["vi"]
    assert set(english) == set(vietnamese)
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", vietnamese[key])), key


def test_every_word_is_used_and_every_word_that_is_used_is_there() -> None:
    folder = Path(view.__file__).parent
    sources = [*folder.glob("*.py"), *folder.glob("static/*.js")]
    text = "\n".join(p.read_text("utf-8") for p in sources if not p.name.startswith("words_"))
    asked = set(re.findall(r'(?:say\(|texts\[|words\[)"(\w+)"', text))
    assert {key for key in asked if not key.endswith("_")} <= set(WORDS["en"])
    # a key is named whole, or by its beginning: say("light_" + ..), f"state_{..}"
    begun = set(re.findall(r"[\"`'](\w+_)(?=[\"{$])", text))
    assert [key for key in WORDS["en"] if f'"{key}"' not in text and not key.startswith(tuple(begun))] == []


def test_every_verb_has_a_key_of_its_own_and_a_name_in_both_languages() -> None:
    assert len(set(commands.KEYS.values())) == len(commands.KEYS)
    for verb in commands.KEYS:
        assert f"button_{verb}" in WORDS["en"]
        assert f"button_{verb}" in WORDS["vi"]


@pytest.mark.parametrize("made", [scenes.preflight, scenes.contacts, scenes.record, scenes.finish])
def test_only_what_the_scene_allows_can_be_pressed(made) -> None:
    scene = made()
    assert enabled(scene) == set(scene.buttons) - ({"override"} if scene.screen == "preflight" else set())
    assert not any(b["enabled"] for b in commands.row(scene, silent=True))


def test_the_button_of_the_instruction_alone_is_highlighted() -> None:
    scene = scenes.contacts(green=True)
    assert [verb for verb, b in row(scene).items() if b["primary"]] == ["start"]


def test_a_button_that_the_screen_does_not_know_is_shown_all_the_same() -> None:
    assert "stop" in row(scenes.record(buttons=("pause", "stop")))


def test_keep_and_withdraw_are_there_where_a_participant_can_be_asked_and_finish_waits_for_the_answer() -> None:
    assert {verb: button["enabled"] for verb, button in row(scenes.broken_off()).items()} == {
        "keep": True, "withdraw": True, "stop": False,
    }  # fmt: skip
    assert list(row(scenes.finish())) == ["stop"]


def test_resume_stands_in_the_place_of_pause() -> None:
    assert "resume" not in row(scenes.record())
    held = row(scenes.record(state="hold", buttons=("resume", "repeat", "note", "abort")))
    assert "pause" not in held
    assert held["resume"]["arg"] == "next"
    assert row(scenes.record(state="pause reason=x", buttons=("resume",)))["resume"]["arg"] == ""


def test_an_instruction_says_with_what_its_button_is_sent() -> None:
    check = Instruction(code="contact/no_blinks", text="..", button="resume", arg="next")
    assert row(scenes.record(buttons=("resume",), instruction=check))["resume"]["arg"] == "next"


@pytest.mark.parametrize(
    ("scene", "verb", "arg"),
    [
        (scenes.contacts(), "override", "gate"),
        (scenes.contacts(), "check", ""),
        (scenes.record(buttons=("check", "override")), "override", "contact"),
        (scenes.record(buttons=("check", "override")), "check", "contact"),
        (scenes.preflight(), "check", ""),
    ],
)
def test_a_command_names_what_it_is_about(scene: Scene, verb: Verb, arg: str) -> None:
    assert row(scene)[verb]["arg"] == arg


def test_start_says_why_it_cannot_be_pressed() -> None:
    assert commands.why_not(scenes.preflight()).startswith("START is blocked by 2 findings, first: Sound is muted")
    assert commands.why_not(scenes.preflight(blocked=False)) == ""
    assert commands.why_not(scenes.contacts("vi")) == "BẮT ĐẦU còn chờ tiếp xúc điện cực."
    assert commands.why_not(scenes.contacts(green=True)) == ""
    assert commands.why_not(scenes.record()) == ""


def test_an_overridden_finding_does_not_block_and_cannot_be_overridden_again() -> None:
    scene = scenes.preflight()
    lifted = tuple(
        msgspec.structs.replace(f, overridden="one of them is a poster") if f.may_override else f for f in scene.findings
    )
    shown = view.findings(board_with(msgspec.structs.replace(scene, findings=lifted)))
    assert shown is not None
    assert [f["lifts"] for f in shown["findings"]][:2] == [False, False]
    assert commands.why_not(msgspec.structs.replace(scene, findings=lifted)).startswith("START is blocked by one finding")


def stream(**changes: object) -> StreamStatus:
    given = {"name": "EmotivDataStream-EEG", "uid": "u", "kind": "EEG", "sfreq_nominal_hz": 256.0, "sfreq_hz": 256.0,
             "age_s": 0.1, "buffer_frac": 0.0, "n": 10_000, "n_lost": 0}  # fmt: skip
    return StreamStatus(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "good"),
        ({"age_s": 2.5}, "bad"),
        ({"age_s": None, "n": 0}, "bad"),
        ({"sfreq_hz": 128.0}, "look"),
        ({"sfreq_hz": 128.0, "n": 500}, "good"),  # too early to tell
        ({"n_lost": 200}, "look"),
        ({"n_lost": 2_000}, "bad"),
        ({"n_lost": None}, "good"),
        ({"sfreq_nominal_hz": 0.5, "sfreq_hz": 0.5, "age_s": 5.0}, "good"),
        ({"sfreq_nominal_hz": 0.0, "sfreq_hz": 0.0, "age_s": 60.0}, "quiet"),  # markers come when they come
        ({"sfreq_nominal_hz": 0.0, "sfreq_hz": 0.0, "age_s": None, "n": 0}, "quiet"),
    ],
)
def test_how_a_stream_is(changes: dict, expected: str) -> None:
    one = stream(**changes)
    assert health(one, one.age_s) == expected


def test_a_tile_says_rate_age_and_loss() -> None:
    eeg, *_, camera = tiles(scenes.status(lost_eeg=1_000), "vi", since_s=0.0)
    assert eeg == {"name": "EEG", "health": "look", "rate": "256 Hz", "age": "0 s", "lost": "mất 1,1 %"}
    assert (camera["name"], camera["rate"], camera["age"]) == ("Camera", "30 hình/s", "0 s")
    late = tiles(scenes.status(), "en", since_s=3.0)[-1]
    assert (late["name"], late["health"], late["age"]) == ("Camera", "bad", "3 s")


@pytest.mark.parametrize(
    ("fps", "nominal", "age_s", "expected"),
    [
        (30.0, 30.0, 0.03, "good"), (23.0, 30.0, 0.03, "good"), (22.0, 30.0, 0.03, "look"), (15.0, None, 0.03, "good"),
        (30.0, 30.0, 2.5, "bad"), (0.0, 30.0, None, "bad"),
    ],
)  # fmt: skip
def test_how_the_camera_is(fps: float, nominal: float | None, age_s: float | None, expected: str) -> None:
    camera = CameraStatus(fps_hz=fps, n_dropped=0, file="face.mkv", fps_nominal_hz=nominal, age_s=age_s)
    assert camera_health(camera, age_s) == expected


def test_the_age_of_a_sample_grows_while_the_collector_is_silent() -> None:
    clock = Clock()
    board = board_with(scenes.record(), scenes.status(), clock=clock)
    clock.t += 6
    shown = view.streams(board)
    assert shown is not None
    assert (shown["tiles"][0]["age"], shown["tiles"][0]["health"]) == ("6 s", "bad")
    assert shown["silent"] == "The recorder has said nothing for 6 s."


def test_the_clock_of_the_recording_goes_on_between_scenes_but_not_without_them() -> None:
    clock = Clock()
    board = board_with(scenes.record(t_s=3599.0), scenes.status(), clock=clock)
    clock.t += 1.5
    shown = view.gauges(board)
    assert shown is not None
    assert (shown["time"], shown["clip"], shown["disk"]) == ("1:00:00", "Clip 3 of 12", "1\u202f240 min")
    clock.t += 2
    stopped = view.gauges(board)
    assert stopped is not None
    assert stopped["time"] == "0:59:59"


@pytest.mark.parametrize(
    ("state", "word"),
    [("clip trial=3 target=fear", "clip"), ("hold", "waits before the next clip"),
     ("baseline/eyes_open phase=onset", "baseline"), ("sync/cue n=1", "sync check"),
     ("something_new", "a page to read"), ("", "nothing yet")],
)  # fmt: skip
def test_what_the_participant_sees_is_said_in_words(state: str, word: str) -> None:
    assert view.state_word(scenes.record(state=state)) == word


@pytest.mark.parametrize("state", ["none", "waiting", "checking", "ok", "no_blinks", "not_checked"])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_state_of_the_contact_check_has_words(state, language) -> None:
    scene = msgspec.structs.replace(scenes.contacts(language), contact=Contact(state=state, n_cues=5, n_seen=2))
    shown = view.gate(board_with(scene))
    assert shown is not None
    assert "{" not in shown["contact"]["text"]


def test_what_the_contact_check_found_is_shown_where_it_is_found_after_start() -> None:
    """The cues are shown when the session has begun, on another screen than the gate's."""
    found = Contact(state="no_blinks", n_cues=6, n_seen=2, alpha=1.04, overridden="seen on the traces")
    shown = view.contact_check(board_with(scenes.record(contact=found)))
    assert shown == {
        "state": "no_blinks", "text": "only 2 of 6 blinks seen", "alpha": "alpha, eyes closed against open: 1.0 ×",
        "overridden": "overridden: seen on the traces",
    }  # fmt: skip
    assert view.contact_check(board_with(scenes.record(contact=Contact(state="waiting"))))["alpha"] == ""  # type: ignore[index]


@pytest.mark.parametrize("kind", ["keep", "repeat", "exclude", "not_judged", "aborted", "fault"])
def test_every_verdict_has_words(kind) -> None:
    said = Said(exit=0, verdict=kind, text=".", repeat=(4, 9))
    shown = view.verdict(board_with(scenes.scene("en", screen="finish", said=said)))
    assert shown is not None
    assert shown["title"].isupper()
    assert ("4, 9" in shown["title"]) == (kind == "repeat")


def test_files_are_counted_by_what_was_verified() -> None:
    shown = view.verdict(board_with(scenes.finish("vi")))
    assert shown is not None
    assert shown["verified"] == "4 trên 5 mã kiểm khớp"
    assert [f["size"] for f in shown["files"]][:2] == ["41,2\u202fMB", "812,0\u202fMB"]


def test_a_refusal_is_told_and_a_note_confirmed() -> None:
    wire = Wire()
    wire.coming = [scenes.record()]
    board = Board(wire, now=Clock())
    board.pump()
    given = board.command("note", "note", "coughed")
    wire.coming = [Ack(of=given.id, ok=True)]
    board.pump()
    assert view.told(board, scenes.record()) == {"ok": True, "text": "Noted."}
    given = board.command("skip")
    wire.coming = [Ack(of=given.id, ok=False, error="no clip is on")]
    board.pump()
    assert view.told(board, scenes.record()) == {"ok": False, "text": "Not done: no clip is on"}
    assert wire.sent[0][1] == Command(verb="note", reason="note", arg="coughed")


def test_a_screen_is_told_of_its_own_parts_alone() -> None:
    for made in (scenes.preflight, scenes.contacts, scenes.record, scenes.finish):
        board = board_with(made(), scenes.status())
        shown = {name for name in components.PANELS if view.SOURCES[name](board) is not None}
        assert shown == {name for name, screen in components.PANELS.items() if screen == made().screen}


def test_numbers_are_written_as_the_language_does() -> None:
    assert number(12345.678, "en", digits=1) == "12\u202f345.7"
    assert number(12345.678, "vi", digits=1) == "12\u202f345,7"


def test_a_browser_is_sent_what_is_new_to_it() -> None:
    changes = Changes()
    first = {"deck": {"screen": "record"}, "traces": {"t": 1.0}}
    assert changes.of(first) == first
    assert changes.of({"deck": {"screen": "record"}, "traces": first["traces"]}) == {}
    assert changes.of({"deck": {"screen": "finish"}, "traces": {"t": 1.0}}) == {
        "deck": {"screen": "finish"},
        "traces": {"t": 1.0},
    }
    assert Changes().of(first) == first


def test_the_report_is_the_one_of_this_run_and_no_other_file(tmp_path: Path) -> None:
    good = tmp_path / "sub-07_ses-01_task-emotions_run-01_report.html"
    other, secret = tmp_path / "sub-08_ses-01_task-emotions_run-01_report.html", tmp_path / "secret.html"
    link = tmp_path / "sub-07_ses-01_task-x_run-01_report.html"
    for path in (good, other, secret):
        path.write_text("<p>report</p>")
    link.symlink_to(secret)
    assert report.of(scenes.finish(report=str(good))) == good
    for path in ("", str(other), str(secret), str(link), good.name, str(tmp_path), f"{tmp_path}/sub-07/../{secret.name}"):
        assert report.of(scenes.finish(report=path)) is None, path
