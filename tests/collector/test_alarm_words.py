"""What alarms are called on the page."""

import re
from pathlib import Path

import pytest

from collector import alarm_words, instructions
from collector.alarm_words import WORDS, called, told
from collector.scenes import Header, Known, scene
from collector.situation import Situation
from protocol.scene import Trouble

RAISED = re.compile(
    r'(?:alarm|fault|Symptom)\(\s*(?:tape, )?"([a-z]+(?:/[a-z]+)?)"'  # by a call
    r'|\("([a-z]+/[a-z]+)", \([^()]*\), "(?:warn|stop)"\)'  # by a row of a table
)
CALLED = ("eeg/lost", "quality/silent")  # what an instruction calls the loss of a stream of this kind
OF_CHILDREN = {"window/silent", "collector/silent"}  # raised as f"{who}/silent"


def raised() -> set[str]:
    """Return every code that the collector's files raise."""
    texts = [path.read_text(encoding="utf-8") for path in Path(alarm_words.__file__).parent.glob("*.py")]
    return {code for text in texts for found in RAISED.findall(text) for code in found if code}


def test_every_alarm_that_is_raised_has_words_in_both_languages() -> None:
    assert set(WORDS["en"]) == set(WORDS["vi"]) == raised() | OF_CHILDREN
    assert {code for code, _ in instructions._TROUBLES} - set(CALLED) <= set(WORDS["en"])
    assert not set(WORDS["en"].values()) & set(WORDS["vi"].values())
    for code, text in WORDS["en"].items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", WORDS["vi"][code]), code


@pytest.mark.parametrize(
    ("language", "silent", "asleep"),
    [("en", "EEG is silent", "the computer was asleep"), ("vi", "EEG im lặng", "máy tính đã ngủ")],
)
def test_a_scene_says_alarms_in_the_language_of_the_study(language: str, silent: str, asleep: str) -> None:
    codes = {"stream/lost EEG": "no sample for 2.3 s", "suspended": "the computer slept for 9 s", "odd/thing": "it is odd"}
    troubles = tuple(Trouble(code=code, text=text, level="warn", t_cause=0, t_raised=0) for code, text in codes.items())
    situation = Situation("session", state="rest", troubles=troubles, language=language)  # type: ignore[arg-type]
    shown = scene(Header("test", "07", "01", language=language), Known(situation), seq=1)  # type: ignore[arg-type]
    assert [one.text for one in shown.troubles] == [silent, asleep, "it is odd"]
    assert [one.code for one in shown.troubles] == list(codes)


def test_a_stream_is_called_by_its_name_whatever_stands_in_it() -> None:
    assert called("stream/lost {a} b", "en") == "{a} b is silent"
    one = Trouble(code="stream/duplicate X", text="", level="warn", t_cause=0, t_raised=0)
    assert told(one, "vi").text == "X được gửi từ hai nơi"
