"""What the participant sees, as arrays: pages, questions, figures. Pure, so that a screen can be tested without one.

Drawn by Pillow in DejaVu Sans, which matplotlib brings along and which has every letter of Vietnamese. The window shows a
picture as one texture: cheap at every flip, and the same on every machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from protocol.ports import Page, Question
from protocol.window import layout, sam
from protocol.window.layout import Box, Sheet

Picture = NDArray[np.uint8]
Color = tuple[int, int, int]

BACKGROUND: Color = (64, 64, 64)  # one luminance throughout, dark enough for every emotion's colour to stand out
INK: Color = (236, 236, 236)  # 9:1 against the background
QUIET: Color = (188, 188, 188)
BUTTON: Color = (84, 84, 84)
GLOW: Color = (250, 214, 110)
SKIN: Color = (150, 150, 150)
LINE: Color = (24, 24, 24)

_LEADING = 1.45  # line to line, in letters
_PAGE, _HEADING = 1.2, 1.1  # letters of running text and of questions, in those of labels
_TEXT_SHARE = 0.80  # of the screen's width, for running text
_SMALLEST = 0.5  # text that does not fit shrinks to half, no further
_SHARP = 3  # figures are drawn so many times larger and scaled down, for smooth edges
_CROSS_DEG_LETTERS = 1.3  # arms of the fixation cross, in letters
_RING_LETTERS = 2.2  # radius of the cue to blink, in letters
_SMALL = 0.75  # what need not be read each time, in letters: still 0.4 degrees high
_HINT_AT, _DOTS_AT, _STOP_AT = 0.235, 0.90, 0.972  # of the screen's height


def blank(sheet: Sheet) -> Picture:
    """Return the calm screen: nothing on it."""
    return np.full((sheet.height_px, sheet.width_px, 3), BACKGROUND, np.uint8)


def level(luminance: str, sheet: Sheet) -> Picture:
    """Return the whole screen in one luminance, ``white`` or ``black``."""
    return np.full((sheet.height_px, sheet.width_px, 3), 255 if luminance == "white" else 0, np.uint8)


def page(shown: Page, sheet: Sheet, *, stop: str = "") -> Picture:
    """Draw a page: one luminance, a fixation cross, the cue to blink, or centred text.

    Parameters
    ----------
    shown : Page
        What.
    sheet : Sheet
        The screen.
    stop : str
        How to stop, small below a text.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    if shown.level:
        return level(shown.level, sheet)
    image = Image.fromarray(blank(sheet))
    draw = ImageDraw.Draw(image)
    if shown.progress:
        _dots(draw, sheet, *shown.progress)
    if shown.cue:
        _ring(draw, sheet, shown.text)
    elif shown.cross:
        _cross(draw, sheet)
    elif shown.text:
        _small(draw, stop, sheet, _STOP_AT)
        box = Box(0, sheet.height_px * 0.06, sheet.width_px, sheet.height_px * 0.94)
        _paragraphs(draw, shown.text, box, letter_px=round(sheet.letter_px * _PAGE), width_px=sheet.width_px * _TEXT_SHARE)
    return np.asarray(image)


def question(
    asked: Question, sheet: Sheet, *, colors: Mapping[str, str], chosen: int | None = None, hint: str = "", stop: str = ""
) -> Picture:
    """Draw a question with its choices; ``chosen`` is set off.

    Parameters
    ----------
    asked : Question
        Self-assessment scales get figures, everything else labelled buttons.
    sheet : Sheet
        The screen.
    colors : mapping of str to str
        ``#RRGGBB`` by choice, shown beside the label.
    chosen : int, optional
        The choice that was made.
    hint, stop : str
        How to answer, and how to stop: small.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    image = Image.fromarray(blank(sheet))
    draw = ImageDraw.Draw(image)
    heading = Box(0, sheet.height_px * 0.05, sheet.width_px, sheet.height_px * 0.25)
    _paragraphs(draw, asked.text, heading, letter_px=round(sheet.letter_px * _HEADING), width_px=sheet.width_px * 0.9)
    _small(draw, hint, sheet, _HINT_AT)
    _small(draw, stop, sheet, _STOP_AT)
    boxes = choices(asked, sheet)
    if is_scale(asked):
        _figures(image, asked.name, boxes, sheet)
        _steps(draw, asked, boxes, sheet, chosen=chosen)
    else:
        _buttons(draw, asked, boxes, sheet, colors=colors, chosen=chosen)
    return np.asarray(image)


def choices(asked: Question, sheet: Sheet) -> tuple[Box, ...]:
    """Return where each choice of a question stands, for the mouse."""
    if is_scale(asked):
        return layout.columns(sheet, len(asked.choices))
    widest = max(_font(sheet.letter_px).getlength(_text(label)) for label in asked.labels)
    return layout.rows(sheet, len(asked.choices), width_px=widest + sheet.letter_px * 5)


def is_scale(asked: Question) -> bool:
    """Return whether figures stand for the choices."""
    return asked.name in sam.FIGURES


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    # the basic engine is in every build of Pillow, so that text has the same shape everywhere
    return ImageFont.truetype(str(path), size_px, layout_engine=ImageFont.Layout.BASIC)


def _text(text: str) -> str:
    """Compose letters with their marks, which the basic engine would draw side by side."""
    return unicodedata.normalize("NFC", text)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width_px: float) -> Iterator[str]:
    for paragraph in _text(text).split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width_px:
                yield line
                longer = word
            line = longer
        yield line


def _paragraphs(draw: ImageDraw.ImageDraw, text: str, box: Box, *, letter_px: int, width_px: float) -> None:
    """Write centred lines in the middle of a box, smaller where they do not fit."""
    for size_px in range(letter_px, max(8, round(letter_px * _SMALLEST)) - 1, -1):
        font = _font(size_px)
        lines = list(_wrapped(text, font, width_px))
        if len(lines) * size_px * _LEADING <= box.bottom - box.top and max(map(font.getlength, lines)) <= width_px:
            break
    x, y = box.center
    y -= (len(lines) - 1) * size_px * _LEADING / 2
    for i, line in enumerate(lines):
        draw.text((x, y + i * size_px * _LEADING), line, font=font, fill=INK, anchor="mm")


def _label(draw: ImageDraw.ImageDraw, text: str, at: tuple[float, float], *, size_px: int, color: Color, anchor: str) -> None:
    draw.text(at, _text(text), font=_font(size_px), fill=color, anchor=anchor)


def _cross(draw: ImageDraw.ImageDraw, sheet: Sheet) -> None:
    x, y = sheet.width_px // 2, sheet.height_px // 2
    arm, half = round(sheet.letter_px * _CROSS_DEG_LETTERS), max(1, round(sheet.letter_px * 0.09))
    draw.rectangle((x - arm, y - half, x + arm, y + half), fill=INK)
    draw.rectangle((x - half, y - arm, x + half, y + arm), fill=INK)


def _ring(draw: ImageDraw.ImageDraw, sheet: Sheet, word: str) -> None:
    """Draw the cue to blink: a ring where the cross stands, and its word below."""
    x, y, radius = sheet.width_px // 2, sheet.height_px // 2, round(sheet.letter_px * _RING_LETTERS)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=INK, width=max(2, round(sheet.letter_px * 0.25)))
    _label(draw, word, (x, y + radius + sheet.letter_px * 1.5), size_px=sheet.letter_px, color=INK, anchor="mm")


def _dots(draw: ImageDraw.ImageDraw, sheet: Sheet, done: int, total: int) -> None:
    """Draw how far the session has come: one dot a trial."""
    pitch = min(sheet.letter_px * 0.9, sheet.width_px * _TEXT_SHARE / total)
    left, y, radius = sheet.width_px / 2 - pitch * (total - 1) / 2, sheet.height_px * _DOTS_AT, pitch * 0.28
    for i in range(total):
        x = left + i * pitch
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=QUIET if i < done else BUTTON)


def _small(draw: ImageDraw.ImageDraw, text: str, sheet: Sheet, at: float) -> None:
    if text:
        size_px = _fitting(text, round(sheet.letter_px * _SMALL), sheet.width_px * 0.9)
        _label(draw, text, (sheet.width_px / 2, sheet.height_px * at), size_px=size_px, color=QUIET, anchor="mm")


def _button(draw: ImageDraw.ImageDraw, box: Box, sheet: Sheet, *, chosen: bool) -> None:
    corner = sheet.letter_px * 0.3
    outline = max(1, round(sheet.letter_px * (0.14 if chosen else 0.05)))
    edge, fill = (INK, SKIN) if chosen else (QUIET, BUTTON)
    area = (box.left, box.top, box.right, box.bottom)
    draw.rounded_rectangle(area, corner, fill=fill, outline=edge, width=outline)


def _steps(draw: ImageDraw.ImageDraw, asked: Question, boxes: Sequence[Box], sheet: Sheet, *, chosen: int | None) -> None:
    """Draw the numbered steps of a scale, and what its ends mean below them."""
    size_px = sheet.letter_px
    for i, (box, choice) in enumerate(zip(boxes, asked.choices, strict=True)):
        _button(draw, box, sheet, chosen=i == chosen)
        _label(draw, choice, box.center, size_px=size_px, color=LINE if i == chosen else INK, anchor="mm")
    words = [(i, label) for i, label in enumerate(asked.labels) if label and label != asked.choices[i]]
    for i, label in words:
        x, anchor = _aligned(boxes, i)
        at = (x, boxes[i].bottom + size_px * 0.9)
        _label(draw, label, at, size_px=_fitting(label, size_px, sheet.width_px / 3), color=QUIET, anchor=anchor)


def _aligned(boxes: Sequence[Box], i: int) -> tuple[float, str]:
    """Return where a step's words stand: flush with the scale at its ends, so that long ones stay on the screen."""
    if i == 0:
        return boxes[0].left, "lm"
    if i == len(boxes) - 1:
        return boxes[-1].right, "rm"
    return boxes[i].center[0], "mm"


def _fitting(text: str, size_px: int, width_px: float) -> int:
    while size_px > 8 and _font(size_px).getlength(_text(text)) > width_px:
        size_px -= 1
    return size_px


def _figures(image: Image.Image, scale: str, boxes: Sequence[Box], sheet: Sheet) -> None:
    """Draw the figures above the scale's steps."""
    first, last = boxes[0].center[0], boxes[-1].center[0]
    pitch = (last - first) / (sam.N_FIGURES - 1)
    side = min(pitch * 0.86, sheet.height_px * 0.36, 2 * first - sheet.letter_px / 2)  # the outer ones stay on the screen
    y = (sheet.height_px * 0.25 + boxes[0].top) / 2
    for i in range(sam.N_FIGURES):
        level = 2 * i / (sam.N_FIGURES - 1) - 1
        drawn = _figure(scale, level, round(side))
        image.paste(drawn, (round(first + pitch * i - side / 2), round(y - side / 2)))


@cache
def _figure(scale: str, level: float, side_px: int) -> Image.Image:
    """Draw one figure on the background."""
    size = side_px * _SHARP
    image = Image.new("RGB", (size, size), BACKGROUND)
    draw = ImageDraw.Draw(image)
    fills: dict[sam.Fill, Color] = {"skin": SKIN, "ink": LINE, "white": INK, "glow": GLOW}
    width = max(1, round(size * 0.017))
    for outline in sam.figure(scale, level):
        xy = [(size / 2 * (1 + 0.97 * x), size / 2 * (1 - 0.97 * y)) for x, y in outline.points]
        if outline.fill in fills:
            draw.polygon(xy, fill=fills[outline.fill])
        stroke = QUIET if outline.fill == "frame" else LINE
        draw.line([*xy, xy[0], xy[1]] if outline.closed else xy, fill=stroke, width=width, joint="curve")
    return image.resize((side_px, side_px), Image.Resampling.LANCZOS)


def _buttons(
    draw: ImageDraw.ImageDraw,
    asked: Question,
    boxes: Sequence[Box],
    sheet: Sheet,
    *,
    colors: Mapping[str, str],
    chosen: int | None,
) -> None:
    """Draw one button a choice: the key's number, its colour, its word."""
    for i, (box, choice, label) in enumerate(zip(boxes, asked.choices, asked.labels, strict=True)):
        _button(draw, box, sheet, chosen=i == chosen)
        ink = LINE if i == chosen else INK
        y, side, unit = box.center[1], min(sheet.letter_px * 0.95, (box.bottom - box.top) * 0.55), sheet.letter_px
        number_px = round(min(unit, side * 1.05))
        _label(draw, str(i + 1), (box.left + unit, y), size_px=number_px, color=ink if i == chosen else QUIET, anchor="mm")
        left = box.left + unit * 2
        if choice in colors:
            draw.rectangle((left, y - side / 2, left + side, y + side / 2), fill=colors[choice], outline=ink)
        room_px = box.right - left - unit * 2
        _label(draw, label, (left + unit * 1.5, y), size_px=_fitting(label, unit, room_px), color=ink, anchor="lm")
