"""One light, one instruction: whatever comes together, and in the cases that an operator meets."""

from dataclasses import replace
from string import Formatter
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

import collector.page.words_en as page_words_en
import collector.page.words_vi as page_words_vi
from collector.instructions import WORDS, Situation, allowed, decide
from collector.preflight.found import Found, tell
from protocol.scene import Contact, File, Finding, GateState, Said, Trouble

CODES = (
    "stream/lost EmotivDataStream-EEG", "stream/lost EmotivDataStream-Contact-Quality", "stream/lost Motion",
    "stream/duplicate EmotivDataStream-EEG", "camera/lost", "disk/low", "disk/full", "counter/frozen", "clock/step",
    "battery/low", "battery/critical", "eeg/flat", "window/lost", "window/silent", "window/frozen", "collector/silent",
    "collector/lost", "page/lost", "twin/lost", "markers/unrecorded", "gate/lost", "suspended", "never/heard of it",
)  # fmt: skip
KINDS = {"EmotivDataStream-EEG": "eeg", "EmotivDataStream-Contact-Quality": "contact_quality", "Motion": "other"}
PHASES = ("preflight", "streams", "contacts", "session", "closing", "leaving", "finish", "ended")
STATES = (
    "", "starting", "waiting uid=1", "welcome waits=space", "baseline/eyes_open", "sync/cue", "fixation trial=3",
    "clip trial=3 target=fear", "rating question=valence trial=3", "break", "pause", "hold", "mood_repair", "thanks", "end",
)  # fmt: skip
LIGHTS = ("green", "amber", "red")
BUTTON_WORDS = {"START": "start", "Resume": "resume", "Repeat": "repeat", "Abort": "abort", "Check": "check", "Finish": "stop"}


def trouble(code: str, level: Literal["warn", "stop"] = "warn", *, t: float = 100.0) -> Trouble:
    return Trouble(code=code, text=f"why {{{code}}}", level=level, t_cause=t, t_raised=t + 1)


troubles = st.builds(trouble, st.sampled_from(CODES), st.sampled_from(("warn", "stop")), t=st.floats(0, 200))
findings = st.builds(
    Finding, code=st.just("audio/muted"), light=st.sampled_from(LIGHTS), text=st.just("Sound is muted"),
    cure=st.sampled_from(("", "Turn it up")), blocks=st.booleans(), may_override=st.booleans(),
    overridden=st.sampled_from(("", "a silent study")),
)  # fmt: skip
gates = st.none() | st.builds(
    GateState, metric=st.just("CQ"), threshold=st.just(0.8), hold_s=st.just(10.0), held_s=st.sampled_from((0.0, 4.2, 10.0)),
    overall=st.none() | st.just(0.5), green=st.booleans(), required=st.booleans(), overridden=st.sampled_from(("", "why not")),
)  # fmt: skip
contacts = st.builds(
    Contact, state=st.sampled_from(("none", "waiting", "checking", "ok", "no_blinks", "not_checked")),
    overridden=st.sampled_from(("", "it is so")),
)  # fmt: skip
FILES = (File(name="eeg.xdf", size_B=1, verified=True),)
verdicts = st.none() | st.builds(
    Said, exit=st.just(1), verdict=st.sampled_from(("keep", "repeat", "exclude", "not_judged", "aborted", "fault")),
    files=st.sampled_from(((), FILES, (File(name="eeg.xdf", size_B=1),), (*FILES, File(name="a", size_B=1, verified=False)))),
    choice=st.sampled_from(("", "open", "keep", "withdraw")), next=st.just("emo-withdraw 07"),
    text=st.just("exclude: contact quality 61 %"), repeat=st.sampled_from(((), (3,), (1, 2, 3, 4, 5, 6))),
)  # fmt: skip
numbers = st.none() | st.floats(0, 1e5)
situations = st.builds(
    Situation, phase=st.sampled_from(PHASES), t=st.floats(0, 300), state=st.sampled_from(STATES),
    trial=st.none() | st.integers(1, 12), n_trials=st.just(12), troubles=st.lists(troubles, max_size=4).map(tuple),
    kinds=st.sampled_from(({}, KINDS)), findings=st.lists(findings, max_size=3).map(tuple), checking=st.booleans(),
    missing=st.sampled_from(((), ("EEG", "camera"))), gate=gates, poor=st.sampled_from(((), ("Fp1",), tuple("abcdefg"))),
    contact=contacts, holding=st.booleans(), recording=st.booleans(), lost_trial=st.none() | st.integers(1, 12),
    lost_frac=st.floats(0, 1), battery=numbers, battery_left_s=numbers, disk_left_s=numbers, left_s=numbers,
    stopping=st.booleans(), language=st.sampled_from(("en", "vi")), simulated=st.booleans(), said=verdicts,
)  # fmt: skip


@settings(max_examples=300)
@given(situations)
def test_there_is_always_exactly_one_instruction_and_its_button_may_be_pressed(situation: Situation) -> None:
    light, said = decide(situation)
    assert light in LIGHTS
    assert said.code and said.text.strip() and "\n" not in said.text
    assert said.button in ("", *allowed(situation))
    english = decide(replace(situation, language="en"))[1]
    assert (english.code, english.button, english.arg) == (said.code, said.button, said.arg)
    # what the text names is what the button does; a text that names none is for hands
    named = {button for word, button in BUTTON_WORDS.items() if f"ress {word}" in english.text}
    assert named == ({english.button} if english.button else set())


@settings(max_examples=300)
@given(situations, st.lists(troubles, min_size=1, max_size=3))
def test_more_troubles_never_make_the_light_greener(situation: Situation, more: list[Trouble]) -> None:
    fewer = LIGHTS.index(decide(situation)[0])
    assert LIGHTS.index(decide(replace(situation, troubles=(*situation.troubles, *more)))[0]) >= fewer


@settings(max_examples=200)
@given(situations)
def test_the_light_agrees_with_the_instruction(situation: Situation) -> None:
    light, said = decide(replace(situation, language="en"))
    live = situation.phase in ("preflight", "streams", "contacts", "session") and not situation.stopping
    if live and any(one.level == "stop" for one in situation.troubles):
        assert light == "red"
    if live and situation.troubles:
        assert light != "green"
    if light == "green":
        assert said.code not in {one.code for one in situation.troubles}
    else:
        assert "Nothing to do" not in said.text


@settings(max_examples=30)
@given(situations, st.permutations(CODES))
def test_the_order_in_which_troubles_came_in_does_not_matter(situation: Situation, codes: list[str]) -> None:
    some = tuple(trouble(code) for code in codes)
    one, other = (replace(situation, troubles=order) for order in (some, some[::-1]))
    assert decide(one) == decide(other)


def test_both_languages_say_the_same_codes_with_the_same_values() -> None:
    placeholders = [
        {code: sorted(name for _, name, _, _ in Formatter().parse(text) if name) for code, text in words.items()}
        for words in WORDS.values()
    ]
    assert placeholders[0] == placeholders[1]
    assert all(text == text.strip() and len(text) <= 110 for words in WORDS.values() for text in words.values())
    same = [code for code, text in WORDS["en"].items() if text == WORDS["vi"][code] and text.strip("{}. ").isalpha()]
    assert same == []


MUTED = Finding(code="audio", light="red", text="Sound is muted", cure="Turn it up", blocks=True)
SOMEBODY_ELSE = Finding(
    code="participant/other", light="red", text="Participant 07 was somebody else", cure="..", blocks=True, may_override=True
)
LOUD = Finding(code="audio", light="amber", text="Sound is loud", cure="Turn it down")
LONG = Finding(code="disk", light="amber", text="The data folder " + "lies on a disk " * 6, cure="Choose an encrypted disk")
TABLE = Contact(state="no_blinks", n_cues=6, n_seen=1)
LOW = trouble("battery/critical", "stop")
SESSION = Situation("session", t=110.0, state="clip trial=3 target=fear", trial=3, n_trials=12, kinds=KINDS, recording=True)
GATE = GateState(metric="CQ", threshold=0.8, hold_s=10.0, overall=0.6, good=20, n=32)
EEG_LOST = trouble("stream/lost EmotivDataStream-EEG", "stop")


@pytest.mark.parametrize(
    ("situation", "light", "text", "button"),
    [
        (SESSION, "green", "Nothing to do: clip 3 of 12.", ""),
        (replace(SESSION, troubles=(EEG_LOST, trouble("camera/lost"))), "red",
         "No EEG for 10 s. Switch the headset on and bring it near its receiver.", ""),
        (replace(SESSION, troubles=(trouble("camera/lost"), trouble("battery/low"))), "amber",
         "No picture for 10 s. Plug the camera in again.", ""),
        (replace(SESSION, troubles=(trouble("battery/low"),), battery=14.0, battery_left_s=1500.0), "amber",
         "Battery 14 %, lasts 25 min. Have the charging cable ready.", ""),
        (replace(SESSION, troubles=(trouble("stream/lost EmotivDataStream-Contact-Quality"),)), "amber",
         "No contact quality for 10 s. Switch its stream on in the headset's program.", ""),
        (replace(SESSION, troubles=(LOW,), battery=3.0), "red",
         "Battery 3 %. Fetch the charging cable: the session holds after this clip.", ""),
        (replace(SESSION, state="hold", holding=True, troubles=(LOW,), battery=3.0), "red",
         "Battery 3 %. Charge the headset, off the head.", ""),
        (replace(SESSION, state="hold", holding=True, troubles=(EEG_LOST,)), "red",
         "No EEG for 10 s. Switch the headset on and bring it near its receiver.", ""),
        (replace(SESSION, state="hold", holding=True), "amber", "All is well again. Press Resume.", "resume"),
        (replace(SESSION, state="hold", holding=True, lost_trial=3, lost_frac=0.37), "amber",
         "Clip 3 lost 37 % of its EEG. Press Repeat.", "repeat"),
        (replace(SESSION, state="hold", holding=True, lost_trial=3, lost_frac=0.02), "amber",
         "All is well again. Press Resume.", "resume"),
        (replace(SESSION, trial=None, state="hold", holding=True, contact=Contact(state="checking")), "green",
         "Nothing to do: the blinks are being looked for.", ""),
        (replace(SESSION, state="pause"), "amber", "Paused. Press Resume when the participant is ready.", "resume"),
        (replace(SESSION, trial=None, state="hold", holding=True, contact=TABLE), "red",
         "Only 1 of 6 blinks are seen in the EEG. Put the cap on properly, then press Check.", "check"),
        (replace(SESSION, troubles=(trouble("window/frozen", "warn", t=100.0),)), "red",
         "The participant's screen stands still. Ask the participant to wait.", ""),
        (replace(SESSION, troubles=(trouble("window/frozen", "warn", t=60.0),)), "red",
         "The participant's screen has stood still for 50 s. Press Abort.", "abort"),
        (Situation("contacts", gate=GATE, poor=("Fp1", "O2", "Cz", "Pz", "T7")), "amber",
         "Wet Fp1, O2, Cz, Pz and 1 more, or press START.", "start"),
        (Situation("contacts", gate=GateState(metric="CQ", threshold=0.8, hold_s=10.0, held_s=6.5, overall=0.9)), "amber",
         "Contacts are good. Keep still for 4 s.", ""),
        (Situation("preflight", findings=(MUTED,)), "red", "Sound is muted. Turn it up. Then press Check.", "check"),
        (Situation("preflight", findings=(LOUD,)), "amber", "Sound is loud. Turn it down. Or press START.", "start"),
        (Situation("preflight", findings=(LOUD, LONG)), "amber",
         "Look at the 2 lines that are amber, then press START.", "start"),
        (Situation("preflight", findings=(LONG,)), "amber", "Choose an encrypted disk. Or press START.", "start"),
        (Situation("preflight"), "green", "All is well. Press START.", "start"),
        (Situation("preflight", findings=(SOMEBODY_ELSE, MUTED)), "red",
         "Participant 07 was somebody else. Press Abort, then start emo-run with the right id.", "abort"),
        (Situation("preflight", findings=(structs.replace(SOMEBODY_ELSE, overridden="sex was mistyped"), MUTED)), "red",
         "Sound is muted. Turn it up. Then press Check.", "check"),
        (Situation("preflight", findings=(tell(Found("study/changed"), "en"),)), "red",
         "The study was changed after it had been checked. Press Abort, then start emo-run again.", "abort"),
        (Situation("finish", said=Said(exit=0, verdict="keep", text="keep")), "green",
         "Kept. Let the participant leave, then press Finish.", "stop"),
        (Situation("finish", said=Said(exit=1, verdict="repeat", text="keep", repeat=(3, 5), next="emo-run s --repeat 3,5")),
         "amber", "Clips 3, 5 again: ask the participant to stay, press Finish, then type: emo-run s --repeat 3,5", "stop"),
    ],
)  # fmt: skip
def test_an_operator_is_told(situation: Situation, light: str, text: str, button: str) -> None:
    found, said = decide(situation)
    assert (found, said.text, said.button) == (light, text, button)


def test_a_required_gate_keeps_start_away_until_it_is_green_or_overridden() -> None:
    required = GateState(metric="CQ", threshold=0.8, hold_s=10.0, overall=0.6, required=True)
    waiting = Situation("contacts", gate=required, poor=("Fp1",))
    assert decide(waiting)[1].text == "Wet Fp1." and "start" not in allowed(waiting) and "override" in allowed(waiting)
    typed = GateState(metric="CQ", threshold=0.8, hold_s=10.0, overall=0.6, required=True, overridden="a pilot")
    assert decide(Situation("contacts", gate=typed))[1].button == "start"


def test_a_low_battery_hides_neither_the_sensors_to_wet_nor_start() -> None:
    low = (trouble("battery/low"),)
    assert decide(Situation("contacts", gate=GATE, poor=("Fp1",), troubles=low))[1].code == "contacts/poor"
    assert decide(Situation("contacts", troubles=low, battery=14.0))[1].button == "start"


def test_a_stream_that_is_sent_twice_hides_neither_start_nor_what_is_to_be_done() -> None:
    """The second one may belong to the laboratory next door, and stay."""
    twice = (trouble("stream/duplicate EmotivDataStream-EEG"),)
    said = decide(Situation("contacts", troubles=twice))[1]
    assert (said.code, said.button) == ("stream/duplicate/start", "start")
    held = replace(SESSION, state="hold", holding=True, troubles=(*twice, trouble("disk/low")))
    assert decide(held)[1].button == "resume"


def test_alarms_of_devices_that_are_put_away_do_not_matter_after_the_session() -> None:
    assert decide(Situation("closing", troubles=(EEG_LOST, trouble("camera/lost"))))[0] == "green"
    assert decide(Situation("closing", troubles=(trouble("disk/full", "stop"),)))[1].code == "disk/full"


@pytest.mark.parametrize("verdict", ["keep", "repeat", "exclude", "not_judged", "aborted", "fault"])
def test_nobody_leaves_before_the_files_were_compared_and_one_that_differs_is_told_first(verdict: Any) -> None:
    files = (*FILES, File(name="face.mkv", size_B=9))
    situation = Situation("finish", said=Said(exit=0, verdict=verdict, text="keep", files=files))
    light, said = decide(situation)
    assert (light, said.code, said.button, allowed(situation)) == ("green", "finish/verifying", "", ())
    differs = Said(exit=3, verdict=verdict, text="keep", files=(*files, File(name="eeg.xdf", size_B=1, verified=False)))
    light, said = decide(replace(situation, said=differs))
    assert (light, said.text) == ("red", "eeg.xdf: not as recorded. Copy this run to another disk, then press Finish.")
    assert said.button == "stop"
    assert allowed(Situation("finish")) == ()


@pytest.mark.parametrize(
    ("choice", "code", "text", "button", "may"),
    [
        ("open", "finish/aborted", "Ask the participant: keep or withdraw what was recorded? Press what they say.", "",
         ("keep", "withdraw")),
        ("keep", "finish/kept", "The participant lets you keep it. Press Finish.", "stop", ("keep", "withdraw", "stop")),
        ("withdraw", "finish/withdrawn", "Press Finish, then type: emo-withdraw 07 --data data", "stop",
         ("keep", "withdraw", "stop")),
        ("", "finish/nothing", "aborted: no headset. Nothing was recorded. Press Finish.", "stop", ("stop",)),
    ],
)  # fmt: skip
def test_after_a_session_that_was_broken_off_the_participant_says_what_becomes_of_it(
    choice: Any, code: str, text: str, button: str, may: tuple[str, ...]
) -> None:
    said = Said(exit=1, verdict="aborted", text="aborted: no headset", choice=choice, next="emo-withdraw 07 --data data")
    situation = Situation("finish", said=said)
    light, told = decide(situation)
    assert (light, told.code, told.text, told.button, allowed(situation)) == ("amber", code, text, button, may)


def test_buttons_are_called_as_on_the_page() -> None:
    page = {"en": page_words_en.ENGLISH, "vi": page_words_vi.VIETNAMESE}
    for code, text in WORDS["en"].items():
        for verb in BUTTON_WORDS.values():
            if f"ress {page['en'][f'button_{verb}']}" in text:
                assert page["vi"][f"button_{verb}"] in WORDS["vi"][code], (code, verb)
    assert {verb: page["en"][f"button_{verb}"] for verb in BUTTON_WORDS.values()} == {v: k for k, v in BUTTON_WORDS.items()}


def test_a_session_that_nobody_may_steer_offers_no_button() -> None:
    assert decide(replace(SESSION, state="hold", holding=True, buttons=("note",)))[1].button == ""
    assert decide(Situation("contacts", buttons=()))[1].button == ""
