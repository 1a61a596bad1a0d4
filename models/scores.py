"""Predictions to scores: a row for each of them, what stands behind it, and what the rows say together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from models.dataset import Dataset
from models.eeg.inputs import BY_INCEPTION, PICTURED
from models.eeg.table import PAPERS_OWN
from models.evaluate import (
    Floats,
    LabelKind,
    MetricsRow,
    Modality,
    bootstrap_interval,
    by_clip,
    permutation_p,
    permutation_p_stimuli,
    score,
)
from models.splits import HEADLINE, Split
from models.train import Outcome, Recipe, features_of, model_of

NEW_CLIPS = ("leave-stimulus-out", HEADLINE)
RESTS = (
    "One emotion is shown by rests, the same screen in training and test: how well it is found may be how well that screen is "
    "known, and the accuracy counts it; p is of the clips alone."
)
ALPHA = 0.01  # below it a score counts as better than chance, where people read it


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """A row with what stands behind it.

    ``confusion`` counts windows, rows are labels; ``by_participant`` has the scores of each tested participant, ``by_second``
    the accuracy of windows by where they begin in their clip.
    """

    outcome: Outcome
    row: MetricsRow
    confusion: NDArray[np.int64]
    by_participant: Mapping[str, Mapping[str, float]]
    by_second: Sequence[Mapping[str, float]]

    @property
    def stem(self) -> str:
        """Begin the names of its files with this; no two rows of a run have the same."""
        return f"{stem(self.outcome.recipe, self.row.modality)}_{self.row.split}"


def stem(recipe: Recipe, modality: Modality) -> str:
    """Return what names a recogniser in files, such as ``eeg_pool96``, ``eeg-itnet_raw`` or ``fusion_imagenet+seeded``."""
    control = "" if recipe.control == "none" else f"_{recipe.control}"
    if modality == "eeg":
        return f"eeg{'' if recipe.model == PAPERS_OWN else f'-{recipe.model}'}_{recipe.kind}{control}"
    if modality == "face":
        return f"face_{recipe.face}"
    return f"fusion_{recipe.kind}" if recipe.kind == recipe.face else f"fusion_{recipe.kind}+{recipe.face}"


def scored(data: Dataset, outcome: Outcome, *, labels: LabelKind, seed: int) -> list[Scored]:
    """Score an outcome, once for each modality that predicted anything."""
    return [
        _scored(data, outcome, modality, log_p, labels, seed)
        for modality in get_args(Modality)
        if (log_p := outcome.log_p.get(modality)) is not None and np.isfinite(log_p).any()
    ]


def _scored(
    data: Dataset,
    outcome: Outcome,
    modality: Modality,
    log_p: Floats,
    labels: LabelKind,
    seed: int,
) -> Scored:
    from models.figures import count

    there = np.isfinite(log_p).all(axis=1)
    rows, p = outcome.rows[there], log_p[there]
    truth, guess = data.labels[rows], p.argmax(axis=1)
    windows = [data.windows[row] for row in rows]
    people = np.array([window.participant for window in windows])
    features = features_of(modality, outcome.recipe.kind, outcome.recipe.face)
    split = outcome.split
    clips = by_clip(
        p, truth, [window.clip for window in windows],
        stimuli=[window.stimulus for window in windows], folds=outcome.fold[there].tolist(),
        known=[window.shown == "rest" for window in windows] if split.only_rests else None,
    )  # fmt: skip
    low, high = bootstrap_interval(truth == guess, people, seed=seed) or (None, None)
    row = MetricsRow(
        modality=modality, model=model_of(modality, features, outcome.recipe.model, rule=outcome.recipe.rule),
        split=split.name, leaky=split.leaky,
        labels=labels, **asdict(score(truth, guess)), ci_low=low, ci_high=high,
        p_permutation=None if split.leaky else permutation_p(clips, seed=seed),
        n_test=len(rows), n_trials=len({window.clip for window in windows}), n_participants=len(set(people.tolist())),
        features=features, shares=split.shares, seed=seed, data_sha256=data.sha256,
        p_stimuli=permutation_p_stimuli(clips, seed=seed) if not split.leaky and _apart(split) else None,
        control=outcome.recipe.control, **({} if modality == "face" else _made(data, outcome.recipe)),
    )  # fmt: skip
    return Scored(
        outcome=outcome,
        row=row,
        confusion=count(truth, guess, len(data.emotions)),
        by_participant={
            name: asdict(score(truth[people == name], guess[people == name])) for name in sorted(set(people.tolist()))
        },
        by_second=_by_second(np.array([window.since_onset_s for window in windows]), truth == guess),
    )


def _apart(split: Split) -> bool:
    """Return whether no clip stands in training and test: rests may."""
    return "stimulus" not in split.shares or split.only_rests


def _made(data: Dataset, recipe: Recipe) -> dict[str, Any]:
    """Return how the EEG's features were made."""
    pictures = {"spectrogram": recipe.source.variant} if recipe.kind in PICTURED else {}
    by = {"engine": recipe.source.engine} if recipe.kind in BY_INCEPTION else {}
    return {"n_channels": len(data.grid.channels), **pictures, **by}


def _by_second(since_onset_s: Floats, correct: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Return the accuracy of windows by where they begin in their clip, whole seconds."""
    seconds = np.round(since_onset_s).astype(int)
    return [
        {"since_onset_s": int(at), "accuracy": float(correct[seconds == at].mean()), "n": int((seconds == at).sum())}
        for at in np.unique(seconds)
    ]


def save(path: Path, rows: Sequence[Scored], emotions: Sequence[str]) -> None:
    """Write what stands behind the rows as JSON: confusion matrices, scores by participant and by second, readings."""
    record: dict[str, Any] = {
        "schema": 1,
        "emotions": list(emotions),
        "readings": readings([one.row for one in rows]),
        "scores": [
            {
                **{key: getattr(one.row, key) for key in ("modality", "model", "features", "split", "leaky", "control")},
                "accuracy": one.row.accuracy, "confusion": one.confusion.tolist(),
                "by_participant": one.by_participant, "by_second": list(one.by_second),
            }
            for one in rows
        ],
    }  # fmt: skip
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8", newline="\n")


def beats_chance(row: MetricsRow) -> bool:
    """Return whether a score is better than chance, by the strictest test that there is.

    A leaky score has no test, and counts when its whole interval lies above chance.
    """
    if row.leaky:
        return row.ci_low is not None and row.ci_low > row.chance
    known = [p for p in (row.p_permutation, row.p_stimuli) if p is not None]
    return bool(known) and max(known) < ALPHA


def readings(rows: Sequence[MetricsRow]) -> list[str]:
    """Say in sentences what the scores of each recogniser are worth, taken together.

    Parameters
    ----------
    rows : sequence of MetricsRow
        Of one run.

    Returns
    -------
    list of str
        One for each recogniser that was scored by more than one split.
    """
    groups: dict[tuple[str, str, str], dict[str, MetricsRow]] = {}
    for row in rows:
        if row.control == "none":
            groups.setdefault((row.modality, row.model, row.features), {})[row.split] = row
    said = [(key, " ".join([_reading(mine), *_of_rests(mine)])) for key, mine in groups.items() if len(mine) > 1]
    return [f"{modality} ({model}, {features}): {text}" for (modality, model, features), text in said if text]


def _of_rests(rows: Mapping[str, MetricsRow]) -> list[str]:
    """Return what is to be said where clips are kept apart and stimuli are shared all the same."""
    return [RESTS] if any("stimulus" in rows[name].shares for name in NEW_CLIPS if name in rows) else []


def _reading(rows: Mapping[str, MetricsRow]) -> str:
    found = {name: beats_chance(row) for name, row in rows.items()}
    if found.get(HEADLINE):
        return f"better than chance for new people who watch new clips ({_share(rows[HEADLINE])})."
    new_clips = [name for name in NEW_CLIPS if name in found]
    if found.get("leave-one-subject-out") and new_clips and not any(found[name] for name in new_clips):
        return (
            f"it knows the clips, not the emotions: {_share(rows['leave-one-subject-out'])} for new people who watch the same "
            f"clips, but not better than chance where the clips are new ({_share(rows[new_clips[0]])})."
        )
    if found.get("leave-stimulus-out"):
        return "better than chance for new clips in people it has learnt, not for new people."
    honest = [name for name in found if not rows[name].leaky]
    if found.get("window-random") and honest and not any(found[name] for name in honest):
        return (
            f"it knows the recordings, not the emotions: {_share(rows['window-random'])} where windows of one clip stand on "
            f"both sides, and not better than chance where they do not."
        )
    if not any(found.values()):
        return "not better than chance in any split: nothing was recognised."
    better = ", ".join(name for name in found if found[name])
    return f"better than chance by {better} only; that is not a score for new people who watch new clips."


def _share(row: MetricsRow) -> str:
    return f"{row.accuracy:.0%}, chance {row.chance:.0%}"
