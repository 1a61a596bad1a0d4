"""Fused labels as rows: what each recogniser said of a window or a clip, what came of it, and how far to trust it. Pure.

Three things that are easily confused stand in three columns and are never merged: ``target`` is what the clip was chosen to
elicit, ``rating`` is what the participant said, ``label`` is what the machine says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from models.fusion import NO_LABEL, decide, normalise
from models.windows import Window

Floats = NDArray[np.float64]
Row = dict[str, str]

NA = "n/a"
MODALITIES = {"eeg": "p_eeg", "face": "p_face", "fusion": "p_fused"}
"""Names of the predictions, and what their columns begin with."""
CALIBRATED = {"eeg": "c_eeg", "face": "c_face"}
"""The same after the temperature that the fusion was fitted with."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What is known about some windows.

    Parameters
    ----------
    windows : sequence of Window
        In the order of the arrays.
    emotions : sequence of str
        Classes, in the order of the arrays' last axis.
    log_p : mapping of {"eeg", "face", "fusion"} to ndarray, shape (n_windows, n_classes)
        Log-probabilities; a row of NaN where a modality is missing or no fold tested the window.
    quality : mapping of {"eeg", "face"} to ndarray, shape (n_windows,)
        0..1.
    fold : sequence of str
        The fold that tested each window; empty where none did, and then there is no row.
    calibrated : mapping of {"eeg", "face"} to ndarray, shape (n_windows, n_classes), optional
        Log-probabilities after the fitted temperatures.
    others : ndarray, shape (n_windows,), optional
        Share of the sampled frames that show more than one face.
    seen : sequence of bool or None, optional
        Whether the recognisers have learnt from this window (None: not known); none where left out.
    met : sequence of bool or None, optional
        Whether they have learnt from the same participant; not known where left out.
    """

    windows: Sequence[Window]
    emotions: Sequence[str]
    log_p: Mapping[str, Floats]
    quality: Mapping[str, Floats]
    fold: Sequence[str]
    calibrated: Mapping[str, Floats] = field(default_factory=dict)
    others: Floats | None = None
    seen: Sequence[bool | None] | None = None
    met: Sequence[bool | None] | None = None

    @property
    def decisive(self) -> str | None:
        """Whose word the label is: the fusion's, or that of the only modality; of two that are not fused nobody's."""
        if "fusion" in self.log_p:
            return "fusion"
        return next(iter(self.log_p)) if len(self.log_p) == 1 else None

    def __post_init__(self) -> None:
        n, k = len(self.windows), len(self.emotions)
        shapes = {name: np.shape(values) for given in (self.log_p, self.calibrated) for name, values in given.items()}
        if any(shape != (n, k) for shape in shapes.values()) or len(self.fold) != n or not self.log_p:
            raise ValueError(f"{n} windows, {k} emotions, {len(self.fold)} folds, log_p {shapes}: do not fit together")

    def of(self, rows: Sequence[int]) -> Predictions:
        """Return the predictions of some windows."""
        return Predictions(
            windows=[self.windows[row] for row in rows],
            emotions=self.emotions,
            log_p={name: values[list(rows)] for name, values in self.log_p.items()},
            quality={name: values[list(rows)] for name, values in self.quality.items()},
            fold=[self.fold[row] for row in rows],
            calibrated={name: values[list(rows)] for name, values in self.calibrated.items()},
            others=None if self.others is None else self.others[list(rows)],
            seen=None if self.seen is None else [self.seen[row] for row in rows],
            met=None if self.met is None else [self.met[row] for row in rows],
        )


def columns(emotions: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns, in order."""
    prefixes = (*MODALITIES.values(), *CALIBRATED.values())
    return (
        "onset", "duration", "trial_type", "trial", "stim_id", "target", "rating",
        *(f"{prefix}_{emotion}" for prefix in prefixes for emotion in emotions),
        "label", "label_by", "margin", "entropy", "agreement", "divergence", "abstained", "eeg_missing", "face_missing",
        "eeg_quality", "face_quality", "other_faces", "split", "fold", "out_of_fold",
        "participant_seen",
    )  # fmt: skip


def rows(predictions: Predictions, *, split: str, abstain_below: float = 0.0) -> list[Row]:
    """Return the rows of one recording: each clip, and below it its windows.

    Parameters
    ----------
    predictions : Predictions
        Of one recording.
    split : str
        Name of the split that the folds belong to.
    abstain_below : float
        No label where the likeliest emotion has a smaller probability.

    Returns
    -------
    list of dict
        Cells by column, in the order of :func:`columns`, sorted by onset.
    """
    tested = predictions.of([row for row, fold in enumerate(predictions.fold) if fold])
    clips = by_clip(tested)
    made = [
        *_rows(clips, "clip", split=split, abstain_below=abstain_below),
        *_rows(tested, "window", split=split, abstain_below=abstain_below),
    ]
    return sorted(made, key=lambda row: (float(row["onset"]), row["trial_type"]))


def by_clip(predictions: Predictions) -> Predictions:
    """Pool the windows of each clip: log-probabilities are averaged over the windows that have them, qualities over all.

    The result's windows reach from the first window's start to the last one's end.
    """
    members: dict[object, list[int]] = {}
    for row, window in enumerate(predictions.windows):
        members.setdefault(window.clip, []).append(row)
    groups = list(members.values())
    return Predictions(
        windows=[_joined([predictions.windows[row] for row in group]) for group in groups],
        emotions=predictions.emotions,
        log_p={name: _mean_rows(values, groups) for name, values in predictions.log_p.items()},
        quality={name: np.array([values[group].mean() for group in groups]) for name, values in predictions.quality.items()},
        fold=["+".join(sorted({predictions.fold[row] for row in group})) for group in groups],
        calibrated={name: _mean_rows(values, groups) for name, values in predictions.calibrated.items()},
        others=None if predictions.others is None else np.array([predictions.others[group].mean() for group in groups]),
        seen=None if predictions.seen is None else [_any(predictions.seen, group) for group in groups],
        met=None if predictions.met is None else [_any(predictions.met, group) for group in groups],
    )


def _joined(windows: Sequence[Window]) -> Window:
    first = min(windows, key=lambda window: window.t0_s)
    return replace(first, t1_s=max(window.t1_s for window in windows))


def _mean_rows(values: Floats, groups: Iterable[list[int]]) -> Floats:
    out = np.full((len(list(groups)), values.shape[1]), np.nan)
    for index, group in enumerate(groups):
        there = values[group][np.isfinite(values[group]).all(axis=1)]
        if len(there):
            out[index] = there.mean(axis=0)
    return normalise(out)


def _rows(predictions: Predictions, kind: str, *, split: str, abstain_below: float) -> list[Row]:
    by = predictions.decisive
    undecided = np.full((len(predictions.windows), len(predictions.emotions)), np.nan)
    decided = undecided if by is None else predictions.log_p[by]
    labels = decide(decided, abstain_below=abstain_below)
    made = []
    for index, window in enumerate(predictions.windows):
        p = {name: np.exp(values[index]) for name, values in predictions.log_p.items()}
        calibrated = {name: np.exp(values[index]) for name, values in predictions.calibrated.items()}
        cells = {
            "onset": f"{window.t0_s:.6f}",
            "duration": f"{window.t1_s - window.t0_s:.6f}",
            "trial_type": f"{kind}/{window.target}",
            "trial": str(window.trial),
            "stim_id": window.stim_id,
            "target": window.target,
            "rating": window.rating or NA,
            "label": NA if labels[index] == NO_LABEL else predictions.emotions[labels[index]],
            "label_by": by or NA,
            "split": split,
            "fold": predictions.fold[index],
            "out_of_fold": _known(True if predictions.seen is None else _not(predictions.seen[index])),
            "participant_seen": _known(None if predictions.met is None else predictions.met[index]),
            "other_faces": NA if predictions.others is None else _cell(predictions.others[index]),
            **_probabilities(p, MODALITIES, predictions.emotions),
            **_probabilities(calibrated, CALIBRATED, predictions.emotions),
            **_trust(p, np.exp(decided[index]), labelled=bool(labels[index] != NO_LABEL)),
            **{f"{name}_quality": _cell(values[index]) for name, values in predictions.quality.items()},
        }
        made.append({name: cells.get(name, NA) for name in columns(predictions.emotions)})
    return made


def _probabilities(p: Mapping[str, Floats], prefixes: Mapping[str, str], emotions: Sequence[str]) -> Row:
    return {
        f"{prefixes[name]}_{emotion}": _cell(value)
        for name, values in p.items()
        for emotion, value in zip(emotions, values, strict=True)
    }


def _trust(p: Mapping[str, Floats], decided: Floats, *, labelled: bool) -> Row:
    """Return how sure the label is and how far the recognisers agree."""
    there = bool(np.isfinite(decided).all())
    second, first = np.sort(decided)[-2:]
    alone = {name: values for name, values in p.items() if name != "fusion" and np.isfinite(values).all()}
    both = list(alone.values()) if len(alone) == 2 else None
    return {
        "margin": _cell(first - second),
        "entropy": _cell(-float(np.sum(decided * np.log2(np.maximum(decided, 1e-300))))),
        "agreement": NA if both is None else _yes(both[0].argmax() == both[1].argmax()),
        "divergence": NA if both is None else _cell(divergence(both[0], both[1])),
        "abstained": _yes(there and not labelled),
        **{f"{name}_missing": _yes(name not in alone) for name in ("eeg", "face")},
    }


def divergence(p: Floats, q: Floats) -> float:
    """Return the Jensen-Shannon divergence in bits: 0 for equal probabilities, 1 for opposed ones (Lin 1991)."""
    middle = (p + q) / 2
    nats = float(rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2
    return max(0.0, nats / float(np.log(2)))


def _cell(value: float) -> str:
    return f"{value:.6f}" if np.isfinite(value) else NA


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _known(value: bool | None) -> str:
    return NA if value is None else _yes(value)


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _any(values: Sequence[bool | None], group: Sequence[int]) -> bool | None:
    """Return whether any of a group is true; None where none is, and some are not known."""
    mine = [values[row] for row in group]
    return None if None in mine and True not in mine else True in mine


def frame_columns(emotions: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of the table of frames."""
    return ("frame_time", "video", "frame", "face_detected", "n_faces", *(f"p_face_{emotion}" for emotion in emotions), "fold")


def frame_rows(
    frame_s: Floats,
    frame: NDArray[np.int64],
    frame_p: Floats,
    *,
    emotions: Sequence[str],
    fold: Sequence[str],
    n_faces: NDArray[np.int64] | None = None,
    video: NDArray[np.int64] | None = None,
    videos: Sequence[str] = (),
) -> list[Row]:
    """Return a row for every frame that was looked at.

    Parameters
    ----------
    frame_s, frame : ndarray, shape (n_windows, n_frames)
        Times and numbers, as in :class:`models.face.crops.FaceData`.
    frame_p : ndarray, shape (n_windows, n_frames, n_classes)
        Probabilities out of fold; NaN without a face.
    emotions : sequence of str
        Classes.
    fold : sequence of str
        Of each window; windows that no fold tested have no rows.
    n_faces : ndarray, shape (n_windows, n_frames), optional
        How many faces each frame shows.
    video : ndarray, shape (n_windows, n_frames), optional
        Which of the videos each frame is of.
    videos : sequence of str
        Names of the files.

    Returns
    -------
    list of dict
        Sorted by time.
    """
    made: list[Row] = []
    for window, part in np.argwhere(frame >= 0).tolist():
        if not fold[window]:
            continue
        p = frame_p[window, part]
        made.append(
            {
                "frame_time": f"{frame_s[window, part]:.6f}",
                "video": NA if video is None else videos[video[window, part]],
                "frame": str(frame[window, part]),
                "face_detected": "1" if np.isfinite(p).all() else "0",
                "n_faces": NA if n_faces is None else str(n_faces[window, part]),
                **{f"p_face_{emotion}": _cell(value) for emotion, value in zip(emotions, p, strict=True)},
                "fold": fold[window],
            }
        )
    return sorted(made, key=lambda row: float(row["frame_time"]))
