"""One fold: recognisers and their fusion, trained without a look at the windows that are tested."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from models import card, fusion, scale
from models.dataset import Dataset
from models.eeg import table
from models.eeg.recogniser import Recogniser, Task, predict_heard
from models.eeg.scalp_map import PAPER, Grid
from models.evaluate import Features, Modality
from models.face import kept
from models.face import recogniser as face
from models.face.training import Start, Training
from models.splits import Fold

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LogP = dict[str, Floats]  # log-probabilities by modality, each of shape (n_windows, n_classes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What a fold is trained on, as it is sent to a worker: arrays over all windows, None for a modality that is not asked for.

    ``eeg`` has the shape (n_windows, ...) of what the EEG's model takes, ``face`` (n_windows, n_frames, ...); qualities: 0..1.
    ``grid`` says where the EEG's channels lie, ``clips`` which showing of a clip a window belongs to (None: not known).
    """

    labels: Ints
    n_classes: int
    participants: NDArray[np.str_]
    eeg: NDArray[np.float32] | None
    eeg_model: str
    eeg_quality: Floats
    face: NDArray[np.float32] | None
    face_kind: Features
    face_quality: Floats | None
    face_start: Start | None = None
    face_adapt: bool = True
    rule: fusion.Rule = "pool"
    grid: Grid = PAPER
    clips: NDArray[np.str_] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """The recognisers of one fold; ``face`` is None also without faces to learn from, and a fusion then of the EEG alone."""

    eeg: Recogniser | None = None
    face: face.FaceRecogniser | None = None
    fusion: fusion.Fusion | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Predicted:
    """Predictions of some windows: ``log_p`` by modality, ``frame_p`` of shape (n_windows, n_frames, n_classes) of the face.

    ``by`` says what made them, as :func:`made_by`.
    """

    log_p: LogP
    frame_p: Floats | None = None
    by: Mapping[str, object] = field(default_factory=dict)


def inputs(
    data: Dataset,
    *,
    eeg_kind: str,
    face_kind: Features,
    modalities: Collection[Modality],
    eeg_model: str = table.PAPERS_OWN,
    rule: fusion.Rule = "pool",
) -> Inputs:
    """Take from a data set what the modalities need; `eeg_kind` is a key of ``data.eeg``."""
    faces = data.faces[face_kind] if {"face", "fusion"} & set(modalities) else None
    return Inputs(
        labels=data.labels,
        n_classes=len(data.emotions),
        participants=np.array([window.participant for window in data.windows]),
        eeg=data.eeg[eeg_kind] if {"eeg", "fusion"} & set(modalities) else None,
        eeg_model=eeg_model,
        eeg_quality=data.eeg_quality,
        face=None if faces is None else faces.x,
        face_kind=face_kind,
        face_quality=None if faces is None else faces.coverage,
        face_start=data.face_start.get(face_kind),
        face_adapt=data.face.adapt,
        rule=rule,
        grid=data.grid,
        clips=np.array([" ".join(map(str, window.clip)) for window in data.windows]),
    )


def train(given: Inputs, fold: Fold, *, seed: int) -> Trained:
    """Train on one fold.

    Both networks learn from the training rows and stop by the validation rows. The fusion's temperatures are fitted on the
    validation rows, from which neither has learnt its weights. Test rows are not touched: none of them is handed on.

    Parameters
    ----------
    given : Inputs
        All windows.
    fold : Fold
        Rows of these.
    seed : int
        Of weights and batches; the result depends on nothing else.

    Returns
    -------
    Trained
    """
    scale.one_thread()
    recogniser = None if given.eeg is None else _train_eeg(given.eeg, given, fold, seed)
    faces = None if given.face is None else _train_face(given.face, given, fold, seed)
    parts = Trained(eeg=recogniser, face=faces)
    if recogniser is None or given.face is None:
        return parts
    rows = fold.validation
    fitted = fusion.fit_fusion(
        predict(parts, given, rows).log_p, given.labels[rows], _quality(given, rows),
        rule=given.rule, prior=fusion.prior_of(given.labels[fold.train], given.n_classes),
        priors={"eeg": recogniser.prior} | ({} if faces is None else {"face": faces.prior}),
        clips=None if given.clips is None else given.clips[rows],
    )  # fmt: skip
    return Trained(eeg=recogniser, face=faces, fusion=fitted)


def predict(trained: Trained, given: Inputs, rows: Ints) -> Predicted:
    """Predict windows.

    Parameters
    ----------
    trained : Trained
        From :func:`train`.
    given : Inputs
        All windows.
    rows : ndarray of int
        Which of them.

    Returns
    -------
    Predicted
        In the order of `rows`; NaN where a modality is missing: the face throughout, where there was none to learn from.
    """
    log_p: LogP = {}
    frame_p = None
    if trained.eeg is not None and given.eeg is not None:
        log_p["eeg"] = fusion.log_probabilities(predict_heard(trained.eeg, given.eeg[rows], given.n_classes))
    if given.face is not None:
        frame_p = _frame_p(trained.face, given.face[rows], given.n_classes)
        log_p["face"] = fusion.log_probabilities(face.pool_frames(frame_p))
    if trained.fusion is not None:
        quality = _quality(given, rows)
        log_p = {**log_p, "fusion": trained.fusion.apply(log_p, quality), **trained.fusion.stages(log_p, quality)}
    return Predicted(log_p=log_p, frame_p=frame_p)


def made_by(trained: Trained, given: Inputs) -> dict[str, object]:
    """Return what a fold's labels can be computed again with.

    Parameters
    ----------
    trained : Trained
        From :func:`train`.
    given : Inputs
        What it was trained on.

    Returns
    -------
    dict
        ``sha256`` of the tensors of each recogniser (none of one that is its training data), and the ``fusion``'s numbers, as
        plain values for JSON.
    """
    digests = {}
    if trained.eeg is not None and table.named(given.eeg_model).kept:
        digests["eeg"] = card.tensors_digest(trained.eeg.tensors())
    if trained.face is not None:
        digests["face"] = card.tensors_digest(kept.tensors(trained.face))
    return {"sha256": digests, **({} if trained.fusion is None else {"fusion": asdict(trained.fusion)})}


def _train_eeg(x: NDArray[np.float32], given: Inputs, fold: Fold, seed: int) -> Recogniser:
    rows, stop_by = fold.train, fold.validation
    task = Task(
        shape=x.shape[1:], n_classes=given.n_classes, n_windows=len(rows) + len(stop_by), seed=seed, grid=given.grid,
        within=bool(np.isin(given.participants[fold.test], given.participants[[*rows, *stop_by]]).any()),
    )  # fmt: skip
    recogniser = table.named(given.eeg_model).build(task)
    return recogniser.fit(x[rows], given.labels[rows], validation=(x[stop_by], given.labels[stop_by]))


def _train_face(features: NDArray[np.float32], given: Inputs, fold: Fold, seed: int) -> face.FaceRecogniser | None:
    if not shows_faces(features, given.labels, fold):
        return None
    training = None if given.face_adapt else Training(epochs=0)  # a folder's recogniser as it is
    recogniser = face.make(given.face_kind, given.n_classes, seed=seed, training=training, start=given.face_start)
    rows, stop_by = fold.train, fold.validation
    return recogniser.fit(
        features[rows], given.labels[rows], given.participants[rows], validation=(features[stop_by], given.labels[stop_by])
    )


def shows_faces(features: NDArray[np.float32], labels: Ints, fold: Fold) -> bool:
    """Return whether a fold's training windows show faces of two emotions; with fewer its face recogniser is missing.

    Parameters
    ----------
    features : ndarray, shape (n_windows, n_frames, ...)
        Of the face, of all windows; NaN where there is none.
    labels : ndarray of int, shape (n_windows,)
        Class of every window.
    fold : Fold
        Rows of these.
    """
    return face.teaches(features[fold.train], labels[fold.train])


def _frame_p(recogniser: face.FaceRecogniser | None, features: NDArray[np.float32], n_classes: int) -> Floats:
    if recogniser is None:
        return np.full((*features.shape[:2], n_classes), np.nan)
    return recogniser.frame_proba(features)


def _quality(given: Inputs, rows: Ints) -> dict[str, Floats]:
    found = {"eeg": given.eeg_quality[rows]}
    return found if given.face_quality is None else {**found, "face": given.face_quality[rows]}
