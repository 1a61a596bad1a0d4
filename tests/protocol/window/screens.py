"""Every screen of a session at a fixed size, the pictures of them that are stored, and when two pictures are alike.

``python -m tests.protocol.window.screens`` draws the stored pictures anew, and a sheet of them for the documentation; look at
both before they are committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

from protocol import ratings
from protocol.ports import Page
from protocol.study import Study, loads
from protocol.window import layout, pictures
from protocol.window.pictures import Picture
from protocol.words import WORDS, Language, Words

HERE = Path(__file__).parent / "screens"
DOCS = Path(__file__).parents[3] / "docs" / "pictures" / "screens.png"
SIZE_PX = (640, 360)
SHEET = layout.sheet(SIZE_PX, pixel_m=0.53 / SIZE_PX[0], distance_m=0.60)
STUDY = """
[study]
name = "s"
language = "{language}"
[emotions]
happiness = {{ hed = "Joyful", color = "#E69F00" }}
sadness = {{ hed = "Sad", color = "#0072B2" }}
fear = {{ hed = "Fearful", color = "#CC79A7" }}
[ratings]
sam = ["valence", "arousal", "dominance", "liking"]
intensity = true
looked_away = true
familiarity = true
[consent]
version = "1"
"""

TILE_PX = 8  # a letter, roughly
LIMIT = 15.0  # of 255; measured: everything half a pixel aside 14 at most, two labels swapped 16 and more, mostly over 25


def texts(words: Words) -> Mapping[str, str]:
    """The pages of text, by the name that the journal gives them."""
    waits = f"\n\n{words.go_on}"
    return {
        "warning": words.content_warning + waits,
        "flashing": words.flashing + waits,
        "welcome": f"{words.welcome}\n\n{words.start}",
        "practice-told": words.practice + waits,
        "practice-over": words.practice_over + waits,
        "baseline-told": words.baseline + waits,
        "eyes-closed-told": words.eyes_closed + waits,
        "blinks-told": words.sync_blink + waits,
        "flashes-told": words.sync_flash + waits,
        "hint": words.hint,
        "rest-hint": words.rest_hint,
        "break": words.break_ + waits,
        "pause": words.pause,
        "hold": words.hold,
        "back": words.back + waits,
        "clip-failed": words.clip_failed,
        "mood-repair-told": words.mood_repair,
        "thanks": words.thanks,
        "debrief": words.debrief,
        "stopped": words.stopped,
    }


def study(language: Language) -> Study:
    return loads(STUDY.format(language=language))


@cache
def drawn(language: Language) -> Mapping[str, Picture]:
    """Draw every screen in a language."""
    words, shown = WORDS[language], study(language)
    colors = {name: emotion.color for name, emotion in shown.emotions.items()}
    found = {name: pictures.page(Page(name, text=text), SHEET, stop=words.stop_key) for name, text in texts(words).items()}
    found["cross"] = pictures.page(Page("fixation", cross=True), SHEET)
    found["cue"] = pictures.page(Page("sync/cue", text=words.blink, cue=True), SHEET)
    found["rest"] = pictures.page(Page("rest", progress=(5, 12)), SHEET)
    for question in ratings.questions(shown):
        hint = words.scale_keys if pictures.is_scale(question) else words.choice_keys
        found[question.name] = pictures.question(question, SHEET, colors=colors, hint=hint, stop=words.stop_key)
    return found


@cache
def stored(language: Language, name: str) -> Picture:
    return np.asarray(Image.open(HERE / f"{language}-{name}.png").convert("RGB"))


def difference(a: Picture, b: Picture) -> float:
    """Return by how much two pictures differ where they differ most: the mean of a tile, 0 to 255.

    A pixel differs from the nearest value among its neighbours in the other picture. That forgives another smoothing of
    letters, as another version of FreeType brings, and no other letter.
    """
    if a.shape != b.shape:
        return 255.0
    return float(max(_beyond_neighbours(a, b).max(), _beyond_neighbours(b, a).max()))


def _beyond_neighbours(a: Picture, b: Picture) -> NDArray[np.float64]:
    """Return by how much each tile of ``a`` lies outside of what ``b`` has around there; the largest of the three colours."""
    low = minimum_filter(b, size=(3, 3, 1)).astype(np.int16)
    high = maximum_filter(b, size=(3, 3, 1)).astype(np.int16)
    value = a.astype(np.int16)
    beyond = np.maximum(np.maximum(low - value, value - high), 0).max(axis=2).astype(np.float64)
    rows, columns = (n // TILE_PX for n in beyond.shape)
    tiles = beyond[: rows * TILE_PX, : columns * TILE_PX].reshape(rows, TILE_PX, columns, TILE_PX)
    return np.asarray(tiles.mean(axis=(1, 3)))


def _store() -> None:
    HERE.mkdir(exist_ok=True)
    for language in ("en", "vi"):
        for name, picture in drawn(language).items():
            grey = bool((picture == picture[..., :1]).all())
            Image.fromarray(picture[..., 0] if grey else picture).save(HERE / f"{language}-{name}.png", optimize=True)
    shown = [*drawn("en").values()]
    shown += [np.full_like(shown[0], 255)] * (-len(shown) % 4)
    rows = [np.concatenate([_framed(p) for p in shown[i : i + 4]], axis=1) for i in range(0, len(shown), 4)]
    Image.fromarray(np.concatenate(rows)).resize((1280, 180 * len(rows))).quantize(200).save(DOCS, optimize=True)


def _framed(picture: Picture) -> Picture:
    framed = picture.copy()
    framed[-4:], framed[:, -4:] = 255, 255
    return framed


if __name__ == "__main__":
    _store()
