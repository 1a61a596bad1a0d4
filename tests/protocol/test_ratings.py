"""What participants are asked."""

import pytest

from protocol.ratings import questions
from protocol.study import Study
from protocol.words import WORDS, Words

BASE = {
    "emotions": {"fear": {"hed": "Fearful", "color": "#CC79A7"}, "tho_thai": {"hed": "Calm", "color": "#000000"}},
    "consent": {"version": "1"},
}


def a_study(language: str, **ratings: object) -> Study:
    return Study.model_validate({"study": {"name": "s", "language": language}, "ratings": ratings, **BASE})


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_scales_run_from_1_to_9_and_the_emotion_comes_last(language: str) -> None:
    asked = questions(a_study(language, sam=["valence", "arousal", "dominance"]), (("trial", "3"),))
    assert [q.name for q in asked] == ["valence", "arousal", "dominance", "emotion"]
    assert all(q.choices == tuple("123456789") for q in asked[:3])
    assert asked[3].choices == ("fear", "tho_thai", "other")
    assert all(len(q.labels) == len(q.choices) for q in asked)
    assert all(q.labels[0] and q.labels[-1] and q.text for q in asked)
    assert all(q.keys == (("trial", "3"),) for q in asked)


def test_texts_are_in_the_study_s_language() -> None:
    english, vietnamese = (questions(a_study(language))[-1] for language in ("en", "vi"))
    assert english.labels == ("fear", "tho thai", "something else")
    assert vietnamese.labels == ("sợ hãi", "tho thai", "điều khác")
    assert vietnamese.text == "Bạn cảm thấy điều nào rõ nhất?"


@pytest.mark.parametrize(
    ("ratings", "names"),
    [({"sam": ["arousal"], "discrete": False}, ["arousal"]), ({"sam": []}, ["emotion"]), ({"sam": [], "discrete": False}, [])],
)
def test_only_what_the_study_wants_is_asked(ratings: dict[str, object], names: list[str]) -> None:
    assert [q.name for q in questions(a_study("en", **ratings))] == names


def texts(words: Words) -> list[str]:
    scales = [text for s in words.scales.values() for text in (s.question, s.low, s.middle, s.high)]
    return [words.welcome, words.start, words.thanks, words.emotion, *scales, *words.emotions.values()]


def test_both_languages_say_everything_and_nothing_in_the_other() -> None:
    english, vietnamese = texts(WORDS["en"]), texts(WORDS["vi"])
    assert len(english) == len(vietnamese)
    assert all(text.isascii() for text in english)
    assert not set(english) & set(vietnamese)
    assert all(WORDS["en"].emotions.keys() == words.emotions.keys() for words in WORDS.values())
