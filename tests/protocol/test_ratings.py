"""What participants are asked."""

import unicodedata
from dataclasses import fields

import matplotlib
import pytest
from matplotlib.ft2font import FT2Font

from protocol.ratings import questions
from protocol.study import Study
from protocol.words import WORDS

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


def test_strength_and_attention_are_asked_after_the_emotion_they_are_about() -> None:
    asked = questions(a_study("vi", sam=["liking"], intensity=True, looked_away=True, familiarity=True))
    assert [q.name for q in asked] == ["liking", "emotion", "intensity", "looked_away", "familiarity"]
    assert asked[2].choices == tuple("123456789")
    assert (asked[2].labels[0], asked[2].labels[4], asked[2].labels[8]) == ("rất nhẹ", "trung bình", "rất mạnh")
    assert [(q.choices, q.labels) for q in asked[3:]] == [(("yes", "no"), ("có", "không")), (("yes", "no"), ("đã xem", "chưa"))]


def texts(value: object) -> dict[str, str]:
    """Return every text of a language by where it stands."""
    if isinstance(value, str):
        return {"": value}
    inner = value.items() if isinstance(value, dict) else ((f.name, getattr(value, f.name)) for f in fields(value))  # type: ignore[arg-type]
    return {f"{name}.{rest}": text for name, part in inner for rest, text in texts(part).items()}


def test_both_languages_say_everything_and_nothing_in_the_other() -> None:
    english, vietnamese = texts(WORDS["en"]), texts(WORDS["vi"])
    assert english.keys() == vietnamese.keys()
    assert all(english.values()) and all(vietnamese.values())
    assert all(text.isascii() for text in english.values())
    assert not set(english.values()) & set(vietnamese.values())


@pytest.mark.parametrize("language", ["en", "vi"])
def test_no_page_is_longer_than_a_participant_reads(language: str) -> None:
    pages = {where: text for where, text in texts(WORDS[language]).items() if "\n" in text}
    assert max(len(text.split()) for text in pages.values()) <= 70
    assert max(len(line) for text in pages.values() for line in text.split("\n")) <= 100


@pytest.mark.parametrize("language", ["en", "vi"])
def test_texts_are_composed_unicode_that_the_bundled_font_can_draw(language: str) -> None:
    """A decomposed accent would be drawn beside its letter."""
    glyphs = FT2Font(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf").get_charmap()
    said = "".join(texts(WORDS[language]).values())
    assert said == unicodedata.normalize("NFC", said)
    assert {letter for letter in said if ord(letter) not in glyphs and letter != "\n"} == set()
