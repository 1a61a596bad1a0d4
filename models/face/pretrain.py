"""The face recogniser learnt from a folder of pictures, as in the paper: trained, stopped and tested on three parts of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.cache import cached, key_of
from models.evaluate import Scores, score
from models.face import image_folder, recogniser
from models.face.image_folder import Folder, Picture
from models.face.pixels import pool96
from models.face.training import Start, Training
from models.fusion import Floats, log_probabilities

if TYPE_CHECKING:
    from models.face.crops import FaceFeatures
    from models.face.patch_attention import Backbone

N_VARIANTS = 4  # of every picture that is learnt from: itself, mirrored, and both with another contrast
VALIDATION_SHARE = 0.1  # of the training part, which says when to stop
CHUNK = 256  # pictures at once
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """What came of a folder.

    Parameters
    ----------
    recogniser : FaceRecogniser
        For the emotions of the folder, in its order.
    folder : Folder
        What it holds.
    log_p : ndarray, shape (n_test, n_classes)
        Of the test pictures.
    labels : ndarray of int, shape (n_test,)
        Their emotions.
    scores : Scores
        What they say.
    digest : str
        Of the pictures.
    """

    recogniser: recogniser.FaceRecogniser
    folder: Folder
    log_p: Floats
    labels: NDArray[np.int64]
    scores: Scores
    digest: str


def learn(
    folder: Folder,
    *,
    kind: FaceFeatures,
    backbone: Backbone | None,
    seed: int,
    cache: Path | None = None,
    training: Training | None = None,
    progress: Progress = lambda done, total: None,
) -> Learnt:
    """Train and test on a folder.

    Parameters
    ----------
    folder : Folder
        From :func:`models.face.image_folder.read`.
    kind : {"imagenet", "seeded", "pool96"}
        Features.
    backbone : Backbone or None
        The frozen network; None for ``pool96``.
    seed : int
        Of everything that is drawn.
    cache : Path or None
        Folder of features; no picture is kept.
    training : Training, optional
        The paper's settings where left out: 30 epochs at most, rate 1e-3 down to 1e-6, early stopping.
    progress : callable
        Told how many pictures of how many have been opened.

    Returns
    -------
    Learnt

    Raises
    ------
    FolderError
        When a picture cannot be read.
    """
    train = [picture for picture in folder.pictures if picture.part == "train"]
    test = [picture for picture in folder.pictures if picture.part == "test"]
    n = len(folder.pictures)
    x = _features(train, N_VARIANTS, backbone, seed, cache, lambda done: progress(done, n))
    x_test = _features(test, 1, backbone, seed, cache, lambda done: progress(len(train) + done, n))
    y, y_test = _codes(train, folder), _codes(test, folder)
    held_out = _validation(y, seed)
    made = recogniser.make(kind, len(folder.emotions), seed=seed, training=training)
    own = x[~held_out] if kind != "pool96" else x[~held_out, 0]
    made.frames.fit(own, y[~held_out], np.flatnonzero(~held_out), (x[held_out, 0], y[held_out]))
    log_p = log_probabilities(made.predict_proba(x_test))
    return Learnt(
        recogniser=made, folder=folder, log_p=log_p, labels=y_test, scores=score(y_test, log_p.argmax(axis=1)),
        digest=_digest(folder.pictures),
    )  # fmt: skip


def start_for(learnt: Learnt, emotions: tuple[str, ...]) -> Start:
    """Return the network's weights with its last layer in the order of other emotions.

    An emotion that the folder does not know begins with weights of zero.

    Parameters
    ----------
    learnt : Learnt
        With the patch-attention network.
    emotions : tuple of str
        Classes of what is to be learnt next.
    """
    network = getattr(learnt.recogniser.frames, "net", None)
    if network is None:
        raise TypeError("only a network has weights to begin with; features pool96 are learnt by a logistic regression")
    state = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    for name in ("classify.weight", "classify.bias"):
        known = state[name]
        state[name] = np.zeros((len(emotions), *known.shape[1:]), known.dtype)
        for row, emotion in enumerate(emotions):
            if emotion in learnt.folder.emotions:
                state[name][row] = known[learnt.folder.emotions.index(emotion)]
    return state


def _codes(pictures: list[Picture], folder: Folder) -> NDArray[np.int64]:
    return np.array([folder.emotions.index(picture.emotion) for picture in pictures], dtype=np.int64)


def _validation(y: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Hold out a share of every class, at least one picture."""
    rng, mask = np.random.default_rng(seed), np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        mask[rng.choice(rows, size=max(1, round(VALIDATION_SHARE * len(rows))), replace=False)] = True
    return mask


def _digest(pictures: tuple[Picture, ...] | list[Picture]) -> str:
    return key_of(*(part for picture in pictures for part in (picture.path, picture.emotion, picture.part)))


def _features(
    pictures: list[Picture],
    n_variants: int,
    backbone: Backbone | None,
    seed: int,
    cache: Path | None,
    told: Callable[[int], None],
) -> NDArray[np.float32]:
    """Return the features of pictures and their variants, shape (n, n_variants, ...)."""

    def compute() -> dict[str, NDArray[np.float32]]:
        shape = (pool96(np.zeros((1, 112, 112, 3), np.uint8)).shape[1],) if backbone is None else backbone.shape
        x, rng = np.empty((len(pictures), n_variants, *shape), np.float32), np.random.default_rng(seed)
        for first in range(0, len(pictures), CHUNK):
            some = [image_folder.load(picture.path) for picture in pictures[first : first + CHUNK]]
            faces = np.concatenate([image_folder.variants(face, rng, n=n_variants) for face in some])
            values = pool96(faces) if backbone is None else backbone.maps(faces)
            x[first : first + len(some)] = values.reshape(len(some), n_variants, *shape)
            told(first + len(some))
        return {"x": x}

    sources = (Path(__file__), Path(image_folder.__file__), Path(__file__).with_name("pixels.py"))
    key = key_of(*sources, n_variants, seed, "pool96" if backbone is None else backbone.digest, _digest(pictures))
    return cached(cache, key, compute)["x"]
