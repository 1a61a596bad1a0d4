"""Fused labels as rows: what each recogniser said of a window or a clip, what came of it, and how far to trust it. Pure.

Three things that are easily confused stand in three columns and are never merged: ``target`` is what the clip was chosen to
elicit, ``rating`` is what the participant said, ``label`` is what the machine says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What is known about some windows, all out of fold.

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
    """

    windows: Sequence[Window]
    emotions: Sequence[str]
    log_p: Mapping[str, Floats]
    quality: Mapping[str, Floats]
    fold: Sequence[str]

    def __post_init__(self) -> None:
        n, k = len(self.windows), len(self.emotions)
        shapes = {name: np.shape(values) for name, values in self.log_p.items()}
        if any(shape != (n, k) for shape in shapes.values()) or len(self.fold) != n or "fusion" not in shapes:
            raise ValueError(f"{n} windows, {k} emotions, {len(self.fold)} folds, log_p {shapes}: do not fit together")

    def of(self, rows: Sequence[int]) -> Predictions:
        """Return the predictions of some windows."""
        return Predictions(
            windows=[self.windows[row] for row in rows],
            emotions=self.emotions,
            log_p={name: values[list(rows)] for name, values in self.log_p.items()},
            quality={name: values[list(rows)] for name, values in self.quality.items()},
            fold=[self.fold[row] for row in rows],
        )


def columns(emotions: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns, in order."""
    probabilities = (f"{prefix}_{emotion}" for prefix in MODALITIES.values() for emotion in emotions)
    return (
        "onset", "duration", "trial_type", "trial", "stim_id", "target", "rating", *probabilities,
        "label", "margin", "entropy", "agreement", "divergence", "abstained",
        "eeg_missing", "face_missing", "eeg_quality", "face_quality", "split", "fold", "out_of_fold",
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
    )


def _joined(windows: Sequence[Window]) -> Window:
    first = min(windows, key=lambda window: window.t0_s)
    return Window(
        participant=first.participant, session=first.session, run=first.run, trial=first.trial, stim_id=first.stim_id,
        target=first.target, rating=first.rating, t0_s=first.t0_s, t1_s=max(window.t1_s for window in windows),
    )  # fmt: skip


def _mean_rows(values: Floats, groups: Iterable[list[int]]) -> Floats:
    out = np.full((len(list(groups)), values.shape[1]), np.nan)
    for index, group in enumerate(groups):
        there = values[group][np.isfinite(values[group]).all(axis=1)]
        if len(there):
            out[index] = there.mean(axis=0)
    return normalise(out)


def _rows(predictions: Predictions, kind: str, *, split: str, abstain_below: float) -> list[Row]:
    labels = decide(predictions.log_p["fusion"], abstain_below=abstain_below)
    made = []
    for index, window in enumerate(predictions.windows):
        p = {name: np.exp(values[index]) for name, values in predictions.log_p.items()}
        cells = {
            "onset": f"{window.t0_s:.6f}",
            "duration": f"{window.t1_s - window.t0_s:.6f}",
            "trial_type": f"{kind}/{window.target}",
            "trial": str(window.trial),
            "stim_id": window.stim_id,
            "target": window.target,
            "rating": window.rating or NA,
            "label": NA if labels[index] == NO_LABEL else predictions.emotions[labels[index]],
            "split": split,
            "fold": predictions.fold[index],
            "out_of_fold": "yes",  # rows that no fold tested are not written
            **_probabilities(p, predictions.emotions),
            **_trust(p, labelled=bool(labels[index] != NO_LABEL)),
            **{f"{name}_quality": _cell(values[index]) for name, values in predictions.quality.items()},
        }
        made.append({name: cells.get(name, NA) for name in columns(predictions.emotions)})
    return made


def _probabilities(p: Mapping[str, Floats], emotions: Sequence[str]) -> Row:
    return {
        f"{MODALITIES[name]}_{emotion}": _cell(value)
        for name, values in p.items()
        for emotion, value in zip(emotions, values, strict=True)
    }


def _trust(p: Mapping[str, Floats], *, labelled: bool) -> Row:
    """Return how sure the fusion is and how far the recognisers agree."""
    fused = p["fusion"]
    there = bool(np.isfinite(fused).all())
    second, first = np.sort(fused)[-2:]
    alone = {name: values for name, values in p.items() if name != "fusion" and np.isfinite(values).all()}
    both = list(alone.values()) if len(alone) == 2 else None
    return {
        "margin": _cell(first - second),
        "entropy": _cell(-float(np.sum(fused * np.log2(np.maximum(fused, 1e-300))))),
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


def describe(emotions: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return what the columns mean, for the JSON beside the table."""
    felt = {name: name for name in emotions}
    yes_no = {"yes": "yes", "no": "no"}
    names = {"p_eeg": "the EEG recogniser alone", "p_face": "the face recogniser alone", "p_fused": "both, fused"}
    levels = {
        f"{kind}/{name}": f"{text} chosen to elicit {name}"
        for kind, text in (("clip", "All windows of a clip"), ("window", "Three seconds of a clip"))
        for name in emotions
    }
    return {
        "onset": {"Description": "Start, from the first EEG sample on the EEG's own clock", "Units": "s"},
        "duration": {"Description": "Length; of a clip: from its first window's start to its last window's end", "Units": "s"},
        "trial_type": {"Description": "What the row is about, and the target of its clip", "Levels": levels},
        "trial": {"Description": "Number of the trial in the recording"},
        "stim_id": {"Description": "Identifier of the clip, as in the source events"},
        "target": {"Description": "What the clip was chosen to elicit; not what was felt", "Levels": felt},
        "rating": {"Description": "What the participant said to have felt, where asked; not used to make the label"},
        **{
            f"{prefix}_{emotion}": {"Description": f"Probability of {emotion} by {names[prefix]}", "Units": "arbitrary"}
            for prefix in MODALITIES.values()
            for emotion in emotions
        },
        "label": {"Description": "The machine's label: the likeliest emotion of the fusion; n/a without any modality or when "
                  "it abstains", "Levels": felt},
        "margin": {"Description": "Fused probability of the likeliest emotion minus the second's", "Units": "arbitrary"},
        "entropy": {"Description": "Entropy of the fused probabilities", "Units": "bit"},
        "agreement": {"Description": "Whether both recognisers find the same emotion likeliest; n/a when one is missing",
                      "Levels": yes_no},
        "divergence": {"Description": "Jensen-Shannon divergence of the two recognisers' probabilities, base 2: 0 the same, "
                       "1 opposed", "Units": "arbitrary"},
        "abstained": {"Description": "Whether the fusion was too unsure to give a label", "Levels": yes_no},
        "eeg_missing": {"Description": "Whether there is no prediction from EEG", "Levels": yes_no},
        "face_missing": {"Description": "Whether no sampled frame shows a face, or there is no video", "Levels": yes_no},
        "eeg_quality": {"Description": "Share of the analysed channels that were really recorded", "Units": "arbitrary"},
        "face_quality": {"Description": "Share of the sampled frames with a face", "Units": "arbitrary"},
        "split": {"Description": "How training and test data were kept apart"},
        "fold": {"Description": "Fold whose recognisers made this row"},
        "out_of_fold": {"Description": "Whether those recognisers were trained without this window, and without what the "
                        "split keeps apart", "Levels": yes_no},
    }  # fmt: skip


def frame_columns(emotions: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of the table of frames."""
    return ("frame_time", "frame", "face_detected", *(f"p_face_{emotion}" for emotion in emotions), "fold")


def frame_rows(
    frame_s: Floats, frame: NDArray[np.int64], frame_p: Floats, *, emotions: Sequence[str], fold: Sequence[str]
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
                "frame": str(frame[window, part]),
                "face_detected": "1" if np.isfinite(p).all() else "0",
                **{f"p_face_{emotion}": _cell(value) for emotion, value in zip(emotions, p, strict=True)},
                "fold": fold[window],
            }
        )
    return sorted(made, key=lambda row: float(row["frame_time"]))


def describe_frames(emotions: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return what the columns of the table of frames mean."""
    return {
        "frame_time": {"Description": "Time of the frame, from the first EEG sample on the EEG's own clock", "Units": "s"},
        "frame": {"Description": "Number of the frame in its video, from 0"},
        "face_detected": {"Description": "Whether a face was found", "Levels": {"1": "found", "0": "not found"}},
        **{
            f"p_face_{emotion}": {"Description": f"Probability of {emotion} by the face recogniser", "Units": "arbitrary"}
            for emotion in emotions
        },
        "fold": {"Description": "Fold whose recogniser made this row; it did not see this window"},
    }
