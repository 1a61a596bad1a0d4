"""Folders of face pictures with emotions: RAF-DB as it is distributed, or any ``class/image`` folder.

RAF-DB (Li et al. 2017): ``basic/EmoLabel/list_patition_label.txt`` (spelt so) says ``train_00001.jpg 5``, and the aligned faces
lie in ``basic/Image/aligned/train_00001_aligned.jpg``; its official split is kept. A folder with ``train/`` and ``test/`` keeps
its split too; any other is divided 80/20, as in the paper. Pictures are faces already: no detector is run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.bids import BidsError
from models.face.pixels import CROP_PX

Part = Literal["train", "test"]
RAF_DB = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")  # its labels 1 to 7
PAPER = ("happiness", "sadness", "fear", "neutral")  # section 5.1: the four of the seven that it uses
ALSO = {
    "surprised": "surprise", "fearful": "fear", "afraid": "fear", "disgusted": "disgust", "happy": "happiness",
    "joy": "happiness", "sad": "sadness", "angry": "anger", "calm": "neutral",
}  # fmt: skip
LIST = "list_patition_label.txt"
ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
TEST_SHARE = 0.2  # the paper, section 5.2
FEWEST_TRAIN, FEWEST_TEST = 2, 1  # pictures of an emotion: one to learn from, one to stop by; one to be tested on
Image = NDArray[np.uint8]


class FolderError(BidsError):
    """The folder cannot be learnt from; the text is one line with the cure."""


@dataclass(frozen=True)
class Picture:
    """One face: where it lies, its emotion, and its side of the split."""

    path: Path
    emotion: str
    part: Part


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What a folder holds.

    Parameters
    ----------
    pictures : tuple of Picture
        Those of the wanted emotions.
    emotions : tuple of str
        Those that occur, in the order that was wanted.
    split : str
        ``official`` or ``80-20``.
    left_out : Counter of str
        Pictures of other emotions, by emotion.
    """

    pictures: tuple[Picture, ...]
    emotions: tuple[str, ...]
    split: Literal["official", "80-20"]
    left_out: Counter[str]


def read(folder: Path, *, emotions: Sequence[str] = PAPER, seed: int = 1) -> Folder:
    """List the pictures of a folder; none is opened.

    Parameters
    ----------
    folder : Path
        RAF-DB, or class folders.
    emotions : sequence of str
        What is wanted of it; pictures of other known emotions are counted and left out.
    seed : int
        Of the division 80/20, where there is no official one.

    Raises
    ------
    FolderError
        When it is no such folder, a class is not known, or an emotion has too few pictures.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder}: is no folder; name one of RAF-DB's layout, or with a folder of pictures for each emotion")
    listed = next((path for path in (folder / "basic/EmoLabel" / LIST, folder / "EmoLabel" / LIST) if path.is_file()), None)
    found = list(_raf_db(listed) if listed else _classes(folder, emotions))
    split: Literal["official", "80-20"] = "official" if any(part for *_, part in found) else "80-20"
    kept = [(path, name, part) for path, name, part in found if name in emotions]
    left_out = Counter(name for _, name, _ in found if name not in emotions)
    present = tuple(name for name in emotions if any(name == other for _, other, _ in kept))
    if len(present) < 2:
        raise FolderError(
            f"{folder}: holds pictures of {len(present)} of {', '.join(emotions)}; at least two emotions are needed"
        )
    _enough(folder, kept, present, split)
    for path, *_ in kept:
        if not path.is_file():
            raise FolderError(f"{path}: is missing; restore it, or take it out of the list")
    parts = [part or "train" for *_, part in kept] if split == "official" else _divide([name for _, name, _ in kept], seed)
    pictures = tuple(Picture(path, name, part) for (path, name, _), part in zip(kept, parts, strict=True))
    return Folder(pictures=pictures, emotions=present, split=split, left_out=left_out)


Found = tuple[Path, str, Part | None]


def _raf_db(listed: Path) -> Iterator[Found]:
    images = listed.parent.parent / "Image" / "aligned"
    if not images.is_dir():
        raise FolderError(f"{images}: is missing; unpack RAF-DB's aligned.zip there")
    for number, line in enumerate(listed.read_text(encoding="utf-8").splitlines(), start=1):
        name, _, label = line.strip().partition(" ")
        if not name:
            continue
        if label not in {str(code) for code in range(1, 8)}:
            raise FolderError(f"{listed}: line {number} = {line.strip()!r}: expected 'train_00001.jpg 5', labels 1 to 7")
        path = images / f"{Path(name).stem}_aligned.jpg"
        yield path, RAF_DB[int(label) - 1], "train" if name.startswith("train") else "test"


def _classes(folder: Path, emotions: Sequence[str]) -> Iterator[Found]:
    """Yield the pictures of ``class/image``, or of ``train/class/image`` and ``test/class/image``."""
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        yield from ((path, name, "train") for path, name, _ in _classes(folder / "train", emotions))
        yield from ((path, name, "test") for path, name, _ in _classes(folder / "test", emotions))
        return
    known = ALSO | {
        name.lower(): name for name in (*RAF_DB, *emotions)
    }  # a study's own "joy" is not another word for happiness
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    for place in classes:
        name = known.get(place.name.lower())
        if name is None:
            raise FolderError(
                f"{place}: is no emotion that is known; rename it to one of {', '.join(sorted(known))}, or move it away"
            )
        for path in sorted(place.iterdir()):
            if path.suffix.lower() in ENDINGS:
                yield path, name, None


def _enough(folder: Path, kept: Sequence[Found], present: Sequence[str], split: str) -> None:
    counts = Counter((name, part) for _, name, part in kept)
    for name in present:
        train, test, both = counts[name, "train"], counts[name, "test"], counts[name, None]
        if split == "official" and (train < FEWEST_TRAIN or test < FEWEST_TEST):
            raise FolderError(
                f"{folder}: {name} = {train} pictures to learn from and {test} to be tested on: at least {FEWEST_TRAIN} and "
                f"{FEWEST_TEST} are needed; add some, or move it away"
            )
        fewest = FEWEST_TRAIN + FEWEST_TEST
        if split != "official" and both < fewest:
            raise FolderError(f"{folder}: {name} = {both} pictures: at least {fewest} are needed; add some, or move it away")


def _divide(names: Sequence[str], seed: int) -> list[Part]:
    """Divide at random, every emotion in proportion, at least one of each on either side."""
    rng = np.random.default_rng(seed)
    parts: list[Part] = ["train"] * len(names)
    for name in sorted(set(names)):
        rows = np.flatnonzero(np.array(names) == name)
        for row in rng.choice(rows, size=max(1, round(TEST_SHARE * len(rows))), replace=False):
            parts[row] = "test"
    return parts


def load(path: Path, *, size_px: int = CROP_PX) -> Image:
    """Open a face.

    Parameters
    ----------
    path : Path
        Any picture that OpenCV reads: colour or grey, 8 or 16 bit, with or without transparency.
    size_px : int
        Side of the result; a picture that is not square loses its longer side's ends.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)
        RGB.

    Raises
    ------
    FolderError
        When it is missing or no picture.
    """
    stored = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)  # imread: only ASCII paths on Windows
    raw = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED) if stored.size else None
    if raw is None:
        raise FolderError(
            f"{path}: {'is no picture that can be read' if path.is_file() else 'is missing'}; restore it, or move it away"
        )
    image = np.asarray(raw)
    if image.dtype == np.uint16:
        image = (image // 257).astype(np.uint8)
    if image.dtype != np.uint8:
        raise FolderError(f"{path}: holds {image.dtype} pixels; save it as PNG or JPEG with 8 or 16 bit")
    colours = image[..., None] if image.ndim == 2 else image[..., :3]
    rgb = np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours[..., ::-1]
    height, width = rgb.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    method = cv2.INTER_AREA if side > size_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size_px, size_px), interpolation=method), np.uint8)


def variants(face: Image, rng: np.random.Generator, *, n: int) -> NDArray[np.uint8]:
    """Return a face and others of the same emotion: mirrored, and with more or less contrast (PAtt-Lite: by up to 30 %).

    Parameters
    ----------
    face : ndarray of uint8, shape (size, size, 3)
        RGB.
    rng : Generator
        Of contrast.
    n : int
        How many; the first is the face itself, every second one is mirrored.

    Returns
    -------
    ndarray of uint8, shape (n, size, size, 3)
    """
    made = [face]
    for index in range(1, n):
        gain = rng.uniform(0.7, 1.3)
        mean = face.mean()
        pale = np.clip((face - mean) * gain + mean, 0, 255).astype(np.uint8)
        made.append(pale[:, ::-1] if index % 2 else pale)
    return np.stack(made)
