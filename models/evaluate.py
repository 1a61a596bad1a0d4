"""Scores, and what stands beside them so that nobody reads them wrongly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Modality = Literal["eeg", "face", "fusion"]
LabelKind = Literal["target", "rating", "agreeing"]
Features = Literal["imagenet", "seeded", "pool96"]
"""What is made of pictures of the EEG, and of the face: by a frozen network with which weights, or by averaging."""
RowFeatures = Literal["imagenet", "seeded", "pool96", "raw", "de", "none"]
"""What a row's model learns from: the same, or the EEG's signal itself, or its differential entropy, or nothing."""
Share = Literal["trial", "stimulus", "participant", "unknown"]
"""What training and test data have in common; nobody knows it of pictures that do not say whose they are."""
Control = Literal["none", "below-30-hz", "without-frontal-temporal"]
"""What was taken away from the EEG to see whether the score was that of muscles."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

N_BOOTSTRAP = 2000
N_PERMUTATIONS = 5000  # the smallest p is 1 / 5001
# What is tested in one fold trains in the others, so the hits of two people, and of two clips of one person where their other
# clips are learnt, depend on each other through one likeness, twice. Where predictions are sums over training clips this
# doubles the variance of all hits; permuted labels with fixed predictions lack that part.
CROSSED = 2**0.5


def in_common(shares: Sequence[Share]) -> str:
    """Return what both sides of a split have in common, as people read it.

    Examples
    --------
    >>> in_common(("trial", "participant")), in_common(())
    ('both sides share trial, participant', 'both sides share nothing')
    """
    if "unknown" in shares:
        return "who is on both sides is not known"
    return f"both sides share {', '.join(shares) or 'nothing'}"


class MetricsError(ValueError):
    """A ``metrics.json`` is not one of ours."""


@dataclass(frozen=True, kw_only=True)
class MetricsRow:
    """One row of ``metrics.json``.

    ``n_test`` counts windows, ``chance`` is the majority's share of the test labels, the interval is over participants,
    ``shares`` names what training and test data have in common; ``leaky`` is whether that inflates the score.
    ``p_permutation`` permutes the labels of clips within participants; ``p_stimuli`` those of stimuli, for everybody at once,
    where the split keeps stimuli apart. Neither is given for a leaky split, where its premise fails. ``control`` is what was
    taken away from the EEG; ``engine`` computed its features by InceptionV3, ``spectrogram`` is how its pictures were made,
    ``n_channels`` how many electrodes there were; none and 0 where it does not apply.
    """

    modality: Modality
    model: str
    split: str
    leaky: bool
    labels: LabelKind
    accuracy: float
    balanced_accuracy: float
    precision: float
    recall: float
    f1_macro: float
    chance: float
    ci_low: float | None
    ci_high: float | None
    p_permutation: float | None
    n_test: int
    n_trials: int
    n_participants: int
    features: RowFeatures
    shares: tuple[Share, ...]
    seed: int
    data_sha256: str
    p_stimuli: float | None = None
    control: Control = "none"
    engine: str = "none"
    spectrogram: str = "none"
    n_channels: int = 0

    def __post_init__(self) -> None:
        for name, kind in (("modality", Modality), ("labels", LabelKind), ("features", RowFeatures), ("control", Control)):
            if getattr(self, name) not in get_args(kind):
                raise MetricsError(f"{name} = {getattr(self, name)!r}: one of {', '.join(get_args(kind))}")


def save_rows(path: Path, rows: Sequence[MetricsRow]) -> None:
    """Write rows as a JSON list."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8", newline="\n")


def load_rows(path: Path) -> list[MetricsRow]:
    """Read what :func:`save_rows` wrote.

    Raises
    ------
    MetricsError
        When it is no list of such rows.
    """
    names = {field.name for field in fields(MetricsRow)}
    later = {"engine", "spectrogram", "n_channels"}  # not in rows of earlier versions
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MetricsError(f"{path}: is no JSON ({' '.join(str(error).split())[:120]}); train again with emo-train") from None
    if not isinstance(raw, list) or any(not isinstance(row, dict) or set(row) | later != names for row in raw):
        raise MetricsError(f"{path}: is no list of metrics rows; train again with emo-train")
    return [MetricsRow(**{**row, "shares": tuple(row["shares"])}) for row in raw]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a row says about predictions; precision, recall and F1 are means over the classes that occur in the labels."""

    accuracy: float
    balanced_accuracy: float
    precision: float
    recall: float
    f1_macro: float
    chance: float


def score(labels: ArrayLike, predicted: ArrayLike) -> Scores:
    """Compare predictions with labels.

    Parameters
    ----------
    labels, predicted : array_like of int, shape (n,)
        Classes.

    Returns
    -------
    Scores
        ``chance`` is the share of the most frequent label.

    Raises
    ------
    ValueError
        When there is nothing to compare.

    Examples
    --------
    >>> score([0, 0, 0, 1], [0, 0, 1, 1]).balanced_accuracy.__round__(3)
    0.833
    """
    from sklearn.metrics import precision_recall_fscore_support

    truth, guess = np.asarray(labels), np.asarray(predicted)
    if not len(truth):
        raise ValueError("no predictions to score")
    classes, counts = np.unique(truth, return_counts=True)
    precision, recall, f1, _ = precision_recall_fscore_support(truth, guess, labels=classes, average="macro", zero_division=0)
    return Scores(
        accuracy=float((truth == guess).mean()),
        balanced_accuracy=float(recall),  # the mean of the classes' recalls, by definition
        precision=float(precision),
        recall=float(recall),
        f1_macro=float(f1),
        chance=float(counts.max() / counts.sum()),
    )


def bootstrap_interval(correct: ArrayLike, participants: ArrayLike, *, seed: int) -> tuple[float, float] | None:
    """Return a 95 % interval of the accuracy over participants: they, not windows, are drawn again.

    Parameters
    ----------
    correct : array_like of bool, shape (n,)
        Whether each prediction was right.
    participants : array_like, shape (n,)
        Whose it is.
    seed : int
        Of the draws.

    Returns
    -------
    (float, float) or None
        None with fewer than two participants.
    """
    names, owner = np.unique(np.asarray(participants), return_inverse=True)
    if len(names) < 2:
        return None
    n = np.bincount(owner)
    right = np.bincount(owner, weights=np.asarray(correct, dtype=np.float64))
    drawn = np.random.default_rng(seed).integers(len(names), size=(N_BOOTSTRAP, len(names)))
    low, high = np.percentile(right[drawn].sum(axis=1) / n[drawn].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Clips:
    """Predictions of whole showings of clips, each field of shape (n_predictions,).

    ``stimuli`` names what was shown, and ``showings`` numbers the showing, since a split may predict one several times; left
    out, stimuli are not known, and every prediction is of a showing of its own. ``known`` marks predictions of stimuli that
    stood in training too, unlike the others: the tests leave them out, since they may be recognised by what they are.
    """

    labels: Ints
    predicted: Ints
    participants: NDArray[np.str_]
    stimuli: NDArray[np.str_] | None = None
    showings: Ints | None = None
    known: NDArray[np.bool_] | None = None

    def new(self) -> Clips:
        """Return the predictions of what was not in training."""
        if self.known is None:
            return self
        new = ~self.known
        return Clips(
            labels=self.labels[new], predicted=self.predicted[new], participants=self.participants[new],
            stimuli=None if self.stimuli is None else self.stimuli[new],
            showings=None if self.showings is None else self.showings[new],
        )  # fmt: skip


def by_clip(
    log_p: Floats,
    labels: Ints,
    clips: Sequence[tuple[str, ...] | tuple[str, str, str, int]],
    *,
    stimuli: Sequence[str] | None = None,
    folds: Sequence[str] | None = None,
    known: Sequence[bool] | None = None,
) -> Clips:
    """Join the windows of each clip: the mean of their log-probabilities decides.

    Parameters
    ----------
    log_p : ndarray, shape (n_windows, n_classes)
        Rows of NaN are windows without a prediction; a clip of nothing else is left out.
    labels : ndarray of int, shape (n_windows,)
        Class of each window, the same for all windows of a clip.
    clips : sequence of tuple
        As :attr:`models.windows.Window.clip`; the first part is the participant.
    stimuli : sequence of str, optional
        What each window is of.
    folds : sequence of str, optional
        Which fold predicted each window: a clip that several predicted is several predictions.
    known : sequence of bool, optional
        Whether each window's stimulus, unlike others, stood in training too.
    """
    rows_of: dict[tuple[object, ...], list[int]] = {}
    for row in np.flatnonzero(np.isfinite(log_p).all(axis=1)).tolist():
        rows_of.setdefault((tuple(clips[row]), "" if folds is None else folds[row]), []).append(row)
    number = {clip: index for index, clip in enumerate(dict.fromkeys(clip for clip, _ in rows_of))}
    first = [rows[0] for rows in rows_of.values()]
    return Clips(
        labels=labels[first].astype(np.int64),
        predicted=np.array([log_p[rows].mean(axis=0).argmax() for rows in rows_of.values()], dtype=np.int64),
        participants=np.array([str(clips[row][0]) for row in first], dtype=np.str_),
        stimuli=None if stimuli is None else np.array([stimuli[row] for row in first], dtype=np.str_),
        showings=np.array([number[clip] for clip, _ in rows_of], dtype=np.int64),
        known=None if known is None else np.array([known[row] for row in first], dtype=np.bool_),
    )


def permutation_p(clips: Clips, *, seed: int) -> float | None:
    """Test whether clips are recognised better than chance.

    The statistic is the number of clips that are right; labels are permuted among the clips of each participant, predictions
    stay as they are, so that nothing has to be trained again. That would be exact if no tested label had a part in any model:
    every order of labels would be equally likely (but for those in which an emotion comes twice running, which few designs
    show). As it is, it is too narrow, since each one's labels train the models of the others, and each clip's those of the
    person's other clips: on noise, ``p < 0.01`` came in 2.4 % of 3,000 leave-one-subject-out runs (five people, nearest
    centroid), and in 1.7 % of 3,000 leave-trial-out runs of one person (ten clips of an emotion). With the sums widened around
    their mean by :data:`CROSSED`, as is done here, it came in 0.6 and 0.5 %. Where the model has seen the tested clips (a leak)
    the premise is broken, and p is small for the wrong reason.

    Parameters
    ----------
    clips : Clips
        From :func:`by_clip`.
    seed : int
        Of the permutations.

    Returns
    -------
    float or None
        ``(1 + as good or better) / (1 + N_PERMUTATIONS)``; None where no participant has clips of two emotions.
    """
    clips = clips.new()
    showings = np.arange(len(clips.labels)) if clips.showings is None else clips.showings
    return _permuted(clips, showings, clips.participants, seed)


def permutation_p_stimuli(clips: Clips, *, seed: int) -> float | None:
    """Test whether more is recognised than that a clip is like another one, whatever its emotion.

    As :func:`permutation_p`, but the labels of *stimuli* are permuted, for everybody at once: clips of one film are no
    independent witnesses, since all who watch it may be mistaken in the same way. It needs a split that keeps stimuli apart.

    Returns
    -------
    float or None
        None where stimuli are not known, one has several labels, or all have the same.
    """
    clips = clips.new()
    if clips.stimuli is None:
        return None
    names, of = np.unique(clips.stimuli, return_inverse=True)
    if any(len(np.unique(clips.labels[of == index])) > 1 for index in range(len(names))):
        return None
    return _permuted(clips, of, np.full(len(of), ""), seed)


def _permuted(clips: Clips, units: Ints, blocks: NDArray[np.str_], seed: int) -> float | None:
    """Permute labels among the units of each block; predictions of one unit share its label."""
    rng = np.random.default_rng(seed)
    hits = np.zeros(N_PERMUTATIONS)
    movable = False
    for block in np.unique(blocks):
        mine = blocks == block
        _, first, unit = np.unique(units[mine], return_index=True, return_inverse=True)
        labels, predicted = clips.labels[mine][first], clips.predicted[mine]
        movable |= len(np.unique(labels)) > 1
        votes = np.zeros((len(labels), max(labels.max(), predicted.max()) + 1))
        np.add.at(votes, (unit, predicted), 1)
        orders = rng.permuted(np.tile(labels, (N_PERMUTATIONS, 1)), axis=1)
        hits += votes[np.arange(len(labels)), orders].sum(axis=1)
    if not movable:
        return None
    hits = hits.mean() + CROSSED * (hits - hits.mean())
    observed = int((clips.labels == clips.predicted).sum())
    return float((1 + (hits >= observed).sum()) / (1 + N_PERMUTATIONS))
