"""What the participant sees, looked at pixel by pixel."""

import numpy as np
import pytest

from protocol.ports import Page, Question
from protocol.window import layout, pictures, sam
from protocol.words import WORDS

SHEET = layout.sheet((640, 480), pixel_m=0.53 / 640, distance_m=0.60)
STEPS = tuple("123456789")
VALENCE = Question("valence", "How pleasant was it?", STEPS, ("bad", *[""] * 7, "good"))
COLORS = {"happiness": "#E69F00", "fear": "#CC79A7"}
EMOTION = Question("emotion", "Which did you feel?", ("happiness", "fear", "other"), ("happiness", "fear", "something else"))


def drawn(picture: pictures.Picture) -> np.ndarray:
    """Return where a picture differs from the calm screen; bool, shape (height, width)."""
    return (picture != pictures.BACKGROUND).any(axis=2)


def test_every_picture_has_the_screen_s_size_and_background() -> None:
    for picture in (
        pictures.blank(SHEET),
        pictures.page(Page("x", "text"), SHEET),
        pictures.question(VALENCE, SHEET, colors={}),
    ):
        assert picture.shape == (480, 640, 3)
        assert picture.dtype == np.uint8
        assert tuple(picture[0, 0]) == pictures.BACKGROUND


def test_the_cross_stands_in_the_middle() -> None:
    ys, xs = np.nonzero(drawn(pictures.page(Page("fixation", cross=True), SHEET)))
    assert (xs.mean(), ys.mean()) == pytest.approx((320, 240), abs=1)


def test_a_page_without_text_is_the_calm_screen() -> None:
    assert np.array_equal(pictures.page(Page("rest"), SHEET), pictures.blank(SHEET))


def test_text_that_is_too_long_becomes_smaller_and_stays_on_the_screen() -> None:
    seen = drawn(pictures.page(Page("welcome", "word " * 150), SHEET))
    assert seen.any()
    assert not seen[:, :10].any() and not seen[:, -10:].any() and not seen[:10].any() and not seen[-10:].any()


def test_vietnamese_is_drawn_with_its_marks_however_it_is_encoded() -> None:
    composed, decomposed = (
        "Bạn cảm thấy điều nào rõ nhất?",
        "Ba\u0323n ca\u0309m tha\u0302\u0301y đie\u0302\u0300u na\u0300o ro\u0303 nha\u0302\u0301t?",
    )
    plain = "Ban cam thay đieu nao ro nhat?"
    first, second, third = (pictures.page(Page("x", text), SHEET) for text in (composed, decomposed, plain))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_every_letter_of_every_text_is_in_the_font() -> None:
    font = pictures._font(20)
    missing = bytes(font.getmask("\U0010ffff"))
    for words in WORDS.values():
        texts = [words.welcome, words.start, words.thanks, words.emotion, *words.emotions.values()]
        texts += [t for scale in words.scales.values() for t in (scale.question, scale.low, scale.middle, scale.high)]
        for letter in set("".join(texts)) - set(" \n"):
            assert bytes(font.getmask(letter)) != missing, letter


def test_each_emotion_has_its_color_beside_its_word() -> None:
    picture = pictures.question(EMOTION, SHEET, colors=COLORS)
    for box, name in zip(pictures.choices(EMOTION, SHEET), EMOTION.choices, strict=True):
        inside = picture[round(box.top) : round(box.bottom), round(box.left) : round(box.right)].reshape(-1, 3)
        found = {color for color in COLORS.values() if (inside == tuple(bytes.fromhex(color[1:]))).all(axis=1).sum() > 20}
        assert found == ({COLORS[name]} if name in COLORS else set())


@pytest.mark.parametrize("question", [VALENCE, EMOTION])
def test_only_the_chosen_button_changes(question: Question) -> None:
    before = pictures.question(question, SHEET, colors=COLORS)
    after = pictures.question(question, SHEET, colors=COLORS, chosen=1)
    ys, xs = np.nonzero((before != after).any(axis=2))
    box = pictures.choices(question, SHEET)[1]
    assert len(xs) > 100
    assert box.left - 1 <= xs.min() and xs.max() <= box.right + 1
    assert box.top - 1 <= ys.min() and ys.max() <= box.bottom + 1


@pytest.mark.parametrize("scale", ["valence", "arousal", "dominance"])
def test_a_scale_has_five_different_figures_in_a_row(scale: str) -> None:
    question = Question(scale, "?", STEPS, STEPS)
    picture = pictures.question(question, SHEET, colors={})
    boxes = pictures.choices(question, SHEET)
    half = 40
    figures = [picture[130:320, round(b.center[0]) - half : round(b.center[0]) + half] for b in boxes[::2]]
    assert all(drawn(figure).sum() > 500 for figure in figures)
    assert len({figure.tobytes() for figure in figures}) == 5
    assert not drawn(picture)[:, :3].any() and not drawn(picture)[:, -3:].any()


class TestFigures:
    def test_a_pleasant_mouth_smiles_and_an_unpleasant_one_does_not(self) -> None:
        def ends_above_middle(level: float) -> float:
            mouth = sam.figure("valence", level)[-1].points
            return float(mouth[[0, -1], 1].mean() - mouth[len(mouth) // 2, 1])

        assert ends_above_middle(-1) < ends_above_middle(-0.5) < ends_above_middle(0) == 0 < ends_above_middle(0.5)
        assert ends_above_middle(1) == -ends_above_middle(-1)

    def test_excitement_grows(self) -> None:
        spans = [np.ptp(sam.figure("arousal", level)[2].points[:, 1]) for level in (-1, -0.5, 0, 0.5, 1)]
        assert spans == sorted(spans) and len(set(spans)) == 5

    def test_control_makes_tall_and_all_stand_on_one_floor(self) -> None:
        heights, floors = [], []
        for level in (-1, -0.5, 0, 0.5, 1):
            person = np.concatenate([outline.points for outline in sam.figure("dominance", level)[1:]])
            heights.append(np.ptp(person[:, 1]))
            floors.append(person[:, 1].min())
        assert heights == sorted(heights) and len(set(heights)) == 5
        assert floors == pytest.approx([-1] * 5)

    @pytest.mark.parametrize("scale", sam.FIGURES)
    @pytest.mark.parametrize("level", [-1, 0, 1])
    def test_stay_in_their_square(self, scale: str, level: float) -> None:
        assert all(np.abs(outline.points).max() <= 1 + 1e-9 for outline in sam.figure(scale, level))
