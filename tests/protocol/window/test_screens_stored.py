"""Every screen looks as it did when somebody looked at it; and the comparison would see it if one did not."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageChops

from protocol import ratings
from protocol.ports import Page
from protocol.window import pictures
from protocol.words import WORDS, Language
from tests.protocol.window import screens
from tests.protocol.window.screens import LIMIT, SHEET, difference, drawn, stored

LANGUAGES: list[Language] = ["en", "vi"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_is_the_stored_one(language: Language) -> None:
    found = drawn(language)
    assert len(found) == 31
    differences = {name: difference(picture, stored(language, name)) for name, picture in found.items()}
    assert {name: d for name, d in differences.items() if d > LIMIT} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_is_not_taken_for_another(language: Language) -> None:
    found = drawn(language)
    for name, other in pairwise(found):
        assert difference(found[name], stored(language, other)) > LIMIT, (name, other)


@pytest.mark.parametrize("language", LANGUAGES)
def test_swapped_labels_are_seen(language: Language) -> None:
    words, study = WORDS[language], screens.study(language)
    colors = {name: emotion.color for name, emotion in study.emotions.items()}
    for question in ratings.questions(study):
        labels = question.labels
        swapped = (labels[1], labels[0], *labels[2:]) if question.name == "emotion" else labels[::-1]
        hint = words.scale_keys if pictures.is_scale(question) else words.choice_keys
        asked = replace(question, labels=swapped)
        picture = pictures.question(asked, SHEET, colors=colors, hint=hint, stop=words.stop_key)
        assert difference(picture, stored(language, question.name)) > LIMIT, question.name


def test_a_swapped_page_and_swapped_colours_are_seen() -> None:
    stopped = pictures.page(Page("thanks", text=WORDS["en"].stopped), SHEET, stop=WORDS["en"].stop_key)
    assert difference(stopped, stored("en", "thanks")) > LIMIT
    colors = {"happiness": "#0072B2", "sadness": "#E69F00", "fear": "#CC79A7"}
    question = next(q for q in ratings.questions(screens.study("en")) if q.name == "emotion")
    hint, stop = WORDS["en"].choice_keys, WORDS["en"].stop_key
    picture = pictures.question(question, SHEET, colors=colors, hint=hint, stop=stop)
    assert difference(picture, stored("en", "emotion")) > LIMIT


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_that_are_smoothed_otherwise_pass(language: Language) -> None:
    """What another version of the font's renderer may do: half a pixel aside, a little softer."""
    for name, picture in drawn(language).items():
        image = Image.fromarray(picture)
        aside = Image.blend(image, ImageChops.offset(image, 1, 0), 0.5)
        assert difference(np.asarray(aside), stored(language, name)) <= LIMIT, name


def test_every_text_of_a_language_stands_on_a_screen() -> None:
    shown = "\n".join(screens.texts(WORDS["en"]).values())
    pages = [f.name for f in fields(WORDS["en"]) if isinstance(getattr(WORDS["en"], f.name), str)]
    small = {"scale_keys", "choice_keys", "stop_key", "emotion"}
    assert {name for name in pages if getattr(WORDS["en"], name) not in shown} == small
